// SPDX-License-Identifier: MIT
// Recordings of a process that is in trouble, and their modes.
#include "tests/daemon/record_helper.h"
#include "tests/daemon/unit_posix.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void test_mode(void **state)
{
    struct daemon_error why;
    const char *path = unit_path("recording");
    (void)state;
    mode_t before = umask(0);
    struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
    umask(before);
    assert_non_null(file);
    daemon_record_file_close(file);
    assert_int_equal(unit_mode_of(path), 0600);
}

// A disk that takes no more leaves a recording that is cut off.
static void test_disk_full(void **state)
{
    struct daemon_error why;
    struct rlimit before;
    const char *path = unit_path("recording");
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {4096, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
    assert_non_null(file);
    put_ticks(file, 0, 1000);
    daemon_record_file_close(file);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_CUT);
    assert_in_range(held.ticks, 1, 999);
    assert_int_equal(held.end, 0);
}

// What was put before an assert that does not hold is in the file.
static void test_crash(void **state)
{
    struct daemon_error why;
    int status = 0;
    const char *path = unit_path("recording");
    (void)state;
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL); // cmocka has a handler of its own
        struct daemon_record_file *file = daemon_record_file_open(path, 0, &why);
        if (file != NULL)
            put_ticks(file, 0, 100000);
        abort();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    struct held held = hold(path);
    assert_int_equal(held.state, RECORDING_OVER);
    assert_int_equal(held.ticks, 100000);
    assert_int_equal(held.end, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mode, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_disk_full, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_crash, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
