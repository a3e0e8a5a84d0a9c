// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_CMOCKA_H
#define PNR_TESTS_WINE_CMOCKA_H

// As much of cmocka as unit tests of nsp/ use, so that the same sources run under Wine, where the
// library is not. A check that fails ends its test, and the program's exit code is how many failed.

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
};

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, NULL                                                                          \
    }
#define cmocka_unit_test_setup_teardown(f, set, tear)                                              \
    {                                                                                              \
#f, f, set, tear                                                                           \
    }
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cmocka_run(tests, sizeof(tests) / sizeof(tests)[0], setup, teardown)

static jmp_buf cmocka_out;

#define fail_msg(...) cmocka_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail()        fail_msg("failed")
#define print_message printf

__attribute__((format(gnu_printf, 3, 4))) static inline void cmocka_fail(const char *file, int line,
                                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", file, line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    longjmp(cmocka_out, 1);
}

static inline void cmocka_equal(uintmax_t a, uintmax_t b, int wanted, const char *what,
                                const char *file, int line)
{
    if ((a == b) != wanted) {
        cmocka_fail(file, line, "%s: %ju and %ju", what, a, b);
    }
}

static inline void cmocka_memory(const void *a, const void *b, size_t len, int wanted,
                                 const char *what, const char *file, int line)
{
    if ((memcmp(a, b, len) == 0) != wanted) {
        cmocka_fail(file, line, "%s", what);
    }
}

static inline void cmocka_string(const char *a, const char *b, const char *file, int line)
{
    if (strcmp(a, b) != 0) {
        cmocka_fail(file, line, "\"%s\" is not \"%s\"", a, b);
    }
}

#define CMOCKA_EQUAL(a, b, wanted)                                                                 \
    cmocka_equal((uintmax_t)(a), (uintmax_t)(b), wanted, #a ", " #b, __FILE__, __LINE__)
#define CMOCKA_POINTER(p)              ((uintptr_t)(const void *)(p))
#define assert_true(c)                 CMOCKA_EQUAL(!!(c), 1, 1)
#define assert_false(c)                CMOCKA_EQUAL(!!(c), 0, 1)
#define assert_int_equal(a, b)         CMOCKA_EQUAL(a, b, 1)
#define assert_int_not_equal(a, b)     CMOCKA_EQUAL(a, b, 0)
#define assert_ptr_equal(a, b)         CMOCKA_EQUAL(CMOCKA_POINTER(a), CMOCKA_POINTER(b), 1)
#define assert_ptr_not_equal(a, b)     CMOCKA_EQUAL(CMOCKA_POINTER(a), CMOCKA_POINTER(b), 0)
#define assert_null(p)                 CMOCKA_EQUAL(CMOCKA_POINTER(p), 0, 1)
#define assert_non_null(p)             CMOCKA_EQUAL(CMOCKA_POINTER(p), 0, 0)
#define assert_in_range(v, low, high)  CMOCKA_EQUAL((v) >= (low) && (v) <= (high), 1, 1)
#define assert_string_equal(a, b)      cmocka_string(a, b, __FILE__, __LINE__)
#define assert_memory_equal(a, b, len) cmocka_memory(a, b, len, 1, #a ", " #b, __FILE__, __LINE__)
#define assert_memory_not_equal(a, b, len)                                                         \
    cmocka_memory(a, b, len, 0, #a ", " #b, __FILE__, __LINE__)

static inline int cmocka_run_one(const struct CMUnitTest *test, void **state)
{
    if (setjmp(cmocka_out) != 0) {
        printf("FAIL %s\n", test->name);
        return 1;
    }
    if (test->setup != NULL && test->setup(state) != 0) {
        fail_msg("setup");
    }
    test->run(state);
    if (test->teardown != NULL && test->teardown(state) != 0) {
        fail_msg("teardown");
    }
    return 0;
}

static inline int cmocka_run(const struct CMUnitTest *tests, size_t count,
                             int (*setup)(void **state), int (*teardown)(void **state))
{
    void *state = NULL;
    int failed = setup != NULL && setup(&state) != 0;
    for (size_t i = 0; i < count; i++) {
        void *own = state;
        failed += cmocka_run_one(&tests[i], &own);
        fflush(stdout);
    }
    if (teardown != NULL && teardown(&state) != 0) {
        failed++;
    }
    printf("%u tests, %d failed\n", (unsigned)count, failed);
    return failed;
}

#endif
