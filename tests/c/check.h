/* CHECK, of the programs that test vkd.h: ends the program where a condition does not hold. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "vkd.h"

#define CHECK(condition)                                                                         \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            fprintf(stderr, "line %d: %s; last error: %s\n", __LINE__, #condition,     \
                    vkd_last_error());                                                           \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

#endif
