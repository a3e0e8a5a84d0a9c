// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_FAILING_MALLOC_H
#define PNR_TESTS_DHT_FAILING_MALLOC_H

// Allocation that fails when a test says so. The test's target is linked with
// pnr_failing_malloc(TARGET), which leads the calls of malloc, calloc and realloc here; include
// this in the one source of the test.

#include <stddef.h>

// How many more allocations succeed; negative: all.
static long failing_malloc_left = -1;
static unsigned long failing_malloc_calls;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static int failing_malloc_fails(void)
{
    failing_malloc_calls++;
    if (failing_malloc_left == 0) {
        return 1;
    }
    failing_malloc_left -= failing_malloc_left > 0;
    return 0;
}

void *__wrap_malloc(size_t size)
{
    return failing_malloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return failing_malloc_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return failing_malloc_fails() ? NULL : __real_realloc(old, size);
}

#endif
