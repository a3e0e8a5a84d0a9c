// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/log_file_windows.h"

#include <io.h>

static struct daemon_log_file *open_log(uint64_t bytes_max)
{
    struct daemon_error why = {.text = ""};
    struct daemon_log_file *file = daemon_log_file_open(unit_path("log"), bytes_max, &why);
    if (file == NULL)
        fail_msg("%s", why.text);
    return file;
}

// Lines of 4 bytes in files of 10: two in each.
static void test_rotates(void **state)
{
    struct daemon_log_file *file = open_log(10);
    (void)state;
    for (int i = 0; i < 11; i++) {
        char line[8];
        snprintf(line, sizeof line, "l%02d\n", i);
        daemon_log_file_write(file, unit_text(line));
    }
    assert_int_equal(daemon_log_file_lost(file), 0);
    daemon_log_file_close(file);
    unit_check_file(unit_path("log"), "l10\n");
    unit_check_file(unit_path("log.1"), "l08\nl09\n");
    unit_check_file(unit_path("log.2"), "l06\nl07\n");
    unit_check_file(unit_path("log.3"), "l04\nl05\n");
    assert_false(daemon_file_exists(unit_path("log.4")));
    daemon_log_file_remove(unit_path("log"));
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"log", "log.1", "log.2", "log.3"};
        assert_false(daemon_file_exists(unit_path(names[i])));
    }
}

// What an earlier run has written counts, and stays.
static void test_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct daemon_log_file *file = open_log(10);
        daemon_log_file_write(file, unit_text("abc\n"));
        daemon_log_file_close(file);
    }
    unit_check_file(unit_path("log"), "abc\n");
    unit_check_file(unit_path("log.1"), "abc\nabc\n");
}

// A line that is longer than a file may be has one of its own.
static void test_long_line(void **state)
{
    struct daemon_log_file *file = open_log(4);
    (void)state;
    daemon_log_file_write(file, unit_text("a long line\n"));
    daemon_log_file_write(file, unit_text("b\n"));
    daemon_log_file_close(file);
    unit_check_file(unit_path("log"), "b\n");
    unit_check_file(unit_path("log.1"), "a long line\n");
}

// Between the log's own lines, in their order; the stream had no descriptor before.
static void test_stderr(void **state)
{
    struct daemon_log_file *file = open_log(1000);
    int before = _dup(_fileno(stderr));
    (void)state;
    fclose(stderr);
    daemon_log_file_write(file, unit_text("one\n"));
    daemon_log_file_take_stderr(file);
    fputs("Assertion failed\n", stderr);
    daemon_log_file_write(file, unit_text("two\n"));
    _dup2(before, _fileno(stderr)); // the test's again
    _close(before);
    daemon_log_file_close(file);
    unit_check_file(unit_path("log"), "one\nAssertion failed\ntwo\n");
}

static void test_no_folder(void **state)
{
    struct daemon_error why = {.text = ""};
    (void)state;
    assert_null(daemon_log_file_open(unit_path("none/log"), 10, &why));
    assert_non_null(strstr(why.text, "cannot open the log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rotates, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_goes_on, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_long_line, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_stderr, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_no_folder, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
