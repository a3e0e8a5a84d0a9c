// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/lock.h"

static void one_holds_it_at_a_time(void **state)
{
    struct daemon_error why = {.text = ""};
    const char *path = unit_path("lock");
    int first = -1;
    int second = -1;
    long holder = 0;
    (void)state;
    assert_int_equal(daemon_lock_take(path, &first, &holder, &why), DAEMON_LOCK_TAKEN);
    // Each opening of the file stands for a process.
    assert_int_equal(daemon_lock_take(path, &second, &holder, &why), DAEMON_LOCK_HELD);
    assert_true(holder > 0);
    daemon_lock_release(first);
    assert_true(daemon_file_exists(path));
    assert_int_equal(daemon_lock_take(path, &second, &holder, &why), DAEMON_LOCK_TAKEN);
    daemon_lock_release(second);
    daemon_lock_release(-1);
}

static void where_there_is_no_folder_it_fails(void **state)
{
    struct daemon_error why = {.text = ""};
    int lock = -1;
    long holder = 0;
    (void)state;
    assert_int_equal(daemon_lock_take(unit_path("no/lock"), &lock, &holder, &why),
                     DAEMON_LOCK_FAILED);
    assert_true(why.text[0] != '\0');
    assert_int_equal(lock, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_holds_it_at_a_time, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(where_there_is_no_folder_it_fails, unit_dir_make,
                                        unit_dir_remove),
    };
    return unit_run(tests);
}
