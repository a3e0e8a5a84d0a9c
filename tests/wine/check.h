// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_CHECK_H
#define PNR_TESTS_WINE_CHECK_H

// Checks for programs that run under Wine, where cmocka is not: each says what did not hold, in
// which row, and the program's exit code is whether anything did not.

#include <stdbool.h>
#include <stdio.h>

static int check_failures;
static const char *check_row = "";

#define CHECK(holds) check_that((holds), #holds, __FILE__, __LINE__)
#define CHECK_INT(seen, wanted)                                                                    \
    check_int((long long)(seen), (long long)(wanted), #seen, __FILE__, __LINE__)

static inline bool check_that(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        check_failures++;
        printf("FAIL %s:%d: [%s] %s\n", file, line, check_row, what);
    }
    return holds;
}

static inline bool check_int(long long seen, long long wanted, const char *what, const char *file,
                             int line)
{
    if (seen != wanted) {
        check_failures++;
        printf("FAIL %s:%d: [%s] %s is %lld, not %lld\n", file, line, check_row, what, seen,
               wanted);
    }
    return seen == wanted;
}

// Names the row that what follows is about.
static inline void check_begin(const char *row)
{
    check_row = row;
}

// What main() returns.
static inline int check_end(const char *program)
{
    printf("%s: %s\n", program, check_failures == 0 ? "all held" : "FAILED");
    fflush(stdout);
    return check_failures == 0 ? 0 : 1;
}

#endif
