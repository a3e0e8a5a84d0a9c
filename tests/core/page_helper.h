// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_PAGE_HELPER_H
#define PNR_TESTS_CORE_PAGE_HELPER_H

// What tests of vectors share: the page of docs/ that has them. Includes cmocka.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HELPER_PAGE_MAX 100000

// The text of the page at that path; the caller frees it.
static inline char *helper_page(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *page = calloc(1, HELPER_PAGE_MAX);
    assert_non_null(page);
    size_t len = fread(page, 1, HELPER_PAGE_MAX, file);
    assert_true(len > 0 && len < HELPER_PAGE_MAX);
    fclose(file);
    return page;
}

#endif
