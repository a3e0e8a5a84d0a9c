// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_UNIT_H
#define PNR_TESTS_DAEMON_UNIT_H

// What the shell's tests share: cmocka with the headers that have to come before it, and
// directories to work in.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char unit_dir[64]; // the directory of the running test

static inline int unit_remove(const char *path, const struct stat *status, int type,
                              struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

// A test's setup: makes unit_dir, empty and 0700.
static inline int unit_dir_make(void **state)
{
    (void)state;
    snprintf(unit_dir, sizeof unit_dir, "/tmp/pnr-test-XXXXXX");
    return mkdtemp(unit_dir) == NULL ? -1 : 0;
}

// A test's teardown: removes unit_dir with all in it.
static inline int unit_dir_remove(void **state)
{
    (void)state;
    return nftw(unit_dir, unit_remove, 16, FTW_DEPTH | FTW_PHYS);
}

// The path of name in unit_dir; in a buffer that the next but three calls use again.
static inline const char *unit_path(const char *name)
{
    static char paths[4][PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_MAX, "%s/%s", unit_dir, name);
    return path;
}

static inline void unit_write(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

// Fails the running row, saying which it is, unless text has wanted in it.
static inline void unit_has(const char *row, const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL)
        fail_msg("row %s: \"%s\" is not in \"%s\"", row, wanted, text);
}

#endif
