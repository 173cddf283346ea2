/* The headers by themselves: C99, C11 and C++17 without a warning. */
#include "vkd_compat.h"
#include "vkd.h"
#include "vkd.h"
#include "vkd_compat.h"

int main(void) { return vkd_version() == 0 || vkc_get_error_string(0) == 0; }
