/* The header by itself: C99, C11 and C++17 without a warning. */
#include "vkd.h"
#include "vkd.h"

int main(void) { return vkd_version() == 0; }
