// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_UNIT_H
#define PNR_TESTS_DAEMON_UNIT_H

// What the shell's tests share, on every system: cmocka with the headers that have to come before
// it, and a folder to work in that only the shell's own functions make, look at and remove. What is
// of POSIX besides is in unit_posix.h.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon/file.h"
#include "node/daemon/startup.h"

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNIT_PATH_MAX     (DAEMON_FILE_PATH_MAX + 64)

static char unit_dir[DAEMON_FILE_PATH_MAX]; // of the running test

// A test's setup: makes unit_dir, empty and for its owner alone.
static inline int unit_dir_make(void **state)
{
    struct daemon_error why;
    (void)state;
    if (daemon_file_make_temporary("pnr-test", unit_dir, sizeof unit_dir, &why))
        return 0;
    print_error("%s\n", why.text);
    return -1;
}

// A test's teardown: removes unit_dir with all in it.
static inline int unit_dir_remove(void **state)
{
    (void)state;
    daemon_file_remove_folder(unit_dir);
    return daemon_file_exists(unit_dir) ? -1 : 0;
}

// The path of name in unit_dir; in a buffer that the next but three calls use again.
static inline const char *unit_path(const char *name)
{
    static char paths[4][UNIT_PATH_MAX];
    static unsigned next;
    char *path = paths[next++ % 4];
    if (snprintf(path, UNIT_PATH_MAX, "%s/%s", unit_dir, name) >= UNIT_PATH_MAX)
        fail_msg("%s: too long a name", name);
    return path;
}

static inline struct dht_span unit_text(const char *text)
{
    return (struct dht_span){(const uint8_t *)text, strlen(text)};
}

// Writes a file for its owner alone.
static inline void unit_write(const char *path, const char *text)
{
    struct daemon_error why = {.text = ""};
    bool ok =
        daemon_file_replace(path, unit_text(text), DAEMON_FILE_OWNER, DAEMON_FILE_NO_GROUP, &why);
    if (!ok)
        fail_msg("%s: %s", path, why.text);
}

// Reads a file, which has to fit with a NUL. Returns ret_text.
static inline const char *unit_read(const char *path, char *ret_text, size_t text_len)
{
    struct daemon_error why;
    FILE *file = daemon_file_open(path, &why);
    assert_non_null(file);
    size_t len = fread(ret_text, 1, text_len - 1, file);
    assert_int_equal(fgetc(file), EOF);
    fclose(file);
    ret_text[len] = '\0';
    return ret_text;
}

// Compares a whole file, of less than 256 bytes, with text.
static inline void unit_check_file(const char *path, const char *text)
{
    char held[256];
    assert_string_equal(unit_read(path, held, sizeof held), text);
}

// Fails the running row, saying which it is, unless text has wanted in it.
static inline void unit_has(const char *row, const char *text, const char *wanted)
{
    if (strstr(text, wanted) == NULL)
        fail_msg("row %s: \"%s\" is not in \"%s\"", row, wanted, text);
}

// What main() begins with: on Windows there are no sockets before it, and a daemon's own files, of
// which another test may have some just then, are looked for where the environment says.
static inline bool unit_begin(void)
{
    static char nowhere[] = "ProgramData=C:\\nowhere";
    static char name[] = "test";
    static char *words[] = {name, NULL};
    char **argv = words;
    int argc = 1;
    return putenv(nowhere) == 0 && daemon_startup(&argc, &argv);
}

// What main() ends with: runs an array of cmocka's tests.
#define unit_run(tests) (unit_begin() ? cmocka_run_group_tests(tests, NULL, NULL) : 1)

#endif
