// SPDX-License-Identifier: MIT
// Modes of files and folders.
#include "tests/daemon/unit_posix.h"

static const struct row {
    const char *name;
    mode_t mode;
    bool others_may_write;
} rows[] = {
    {"ours alone", 0700, false},
    {"others may read", 0755, false},
    {"a group may write", 0770, true},
    {"anybody may write", 0777, true},
};

static void test_look(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_file_folder folder;
        struct daemon_error why;
        assert_int_equal(chmod(unit_dir, rows[i].mode), 0);
        assert_true(daemon_file_look(unit_dir, &folder, &why));
        if (folder.others_may_write != rows[i].others_may_write)
            fail_msg("row %s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_look, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
