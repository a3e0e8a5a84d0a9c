// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_SYSTEM_H
#define PNR_TESTS_DAEMON_SYSTEM_H

// What the tests of NAME_posix.c and NAME_windows.c share, which run on either system: cmocka with
// the headers that have to come before it, and a folder to work in that only the shell's own
// functions make, look at and remove.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/daemon/file.h"
#include "node/daemon/startup.h"

#define SYSTEM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char system_dir[DAEMON_FILE_PATH_MAX]; // of the running test

static inline int system_dir_make(void **state)
{
    struct daemon_error why;
    (void)state;
    if (daemon_file_make_temporary("pnr-test", system_dir, sizeof system_dir, &why))
        return 0;
    print_error("%s\n", why.text);
    return -1;
}

static inline int system_dir_remove(void **state)
{
    (void)state;
    daemon_file_remove_folder(system_dir);
    return daemon_file_exists(system_dir) ? -1 : 0;
}

// The path of name in system_dir; in a buffer that the next but three calls use again.
static inline const char *system_path(const char *name)
{
    static char paths[4][DAEMON_FILE_PATH_MAX + 64];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%.60s", system_dir, name);
    return path;
}

static inline struct dht_span system_text(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

// Compares a whole file, of less than 256 bytes, with text.
static inline void system_check_file(const char *path, const char *text)
{
    char held[256];
    struct daemon_error why;
    FILE *file = daemon_file_open(path, &why);
    assert_non_null(file);
    size_t len = fread(held, 1, sizeof held - 1, file);
    fclose(file);
    held[len] = '\0';
    assert_string_equal(held, text);
}

// What main() begins with: on Windows there are no sockets before it.
static inline int system_begin(int argc, char **argv)
{
    return daemon_startup(&argc, &argv) ? 0 : -1;
}

#endif
