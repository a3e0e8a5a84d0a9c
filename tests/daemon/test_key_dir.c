// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/key_dir.h"

static struct daemon_key_dir *open_dir(void)
{
    struct daemon_error why = {.text = ""};
    struct daemon_key_dir *dir = daemon_key_dir_open(unit_path("keys"), &why);
    if (dir == NULL)
        print_error("%s\n", why.text);
    assert_non_null(dir);
    return dir;
}

static void a_file_is_there_in_whole_and_once(void **state)
{
    struct daemon_error why = {.text = ""};
    struct daemon_key_dir *dir = open_dir();
    uint8_t held[16];
    size_t len = 0;
    (void)state;
    assert_string_equal(daemon_key_dir_path(dir), unit_path("keys"));
    assert_true(daemon_key_dir_create(dir, "a.pem", "secret\n", &why));
    assert_true(daemon_key_dir_read(dir, "a.pem", held, sizeof held, &len, &why));
    assert_int_equal(len, 7);
    assert_memory_equal(held, "secret\n", 7);
    // What does not fit is refused, not cut.
    assert_false(daemon_key_dir_read(dir, "a.pem", held, 7, &len, &why));
    assert_false(daemon_key_dir_create(dir, "a.pem", "other", &why));
    assert_int_equal(why.kind, DAEMON_ERROR_TAKEN);
    unit_check_file(unit_path("keys/a.pem"), "secret\n");
    assert_false(daemon_key_dir_read(dir, "none.pem", held, sizeof held, &len, &why));
    daemon_key_dir_close(dir);
    dir = open_dir(); // as it was made
    daemon_key_dir_close(dir);
}

static bool count_name(void *ctx, const char *name)
{
    int *count = ctx;
    *count += name[0] != '.' || strncmp(name, ".new-", 5) == 0;
    return true;
}

static void what_a_crash_left_is_removed(void **state)
{
    struct daemon_error why = {.text = ""};
    struct daemon_key_dir *dir = open_dir();
    int count = 0;
    (void)state;
    assert_true(daemon_key_dir_create(dir, "a.pem", "secret", &why));
    assert_true(daemon_file_make_private(unit_path("keys/.new-1-b.pem"), &why));
    assert_true(daemon_key_dir_list(dir, count_name, &count, &why));
    assert_int_equal(count, 2);
    daemon_key_dir_tidy(dir);
    count = 0;
    assert_true(daemon_key_dir_list(dir, count_name, &count, &why));
    assert_int_equal(count, 1);
    daemon_key_dir_close(dir);
}

static void what_others_may_read_is_refused(void **state)
{
    struct daemon_error why = {.text = ""};
    struct daemon_key_dir *dir = open_dir();
    uint8_t held[16];
    size_t len;
    (void)state;
    assert_true(daemon_file_replace(unit_path("keys/open.pem"), unit_text("secret"),
                                    DAEMON_FILE_EVERYONE, 0, &why));
    assert_false(daemon_key_dir_read(dir, "open.pem", held, sizeof held, &len, &why));
    assert_true(daemon_file_make_folder(unit_path("keys/folder.pem"), DAEMON_FILE_OWNER, &why));
    assert_false(daemon_key_dir_read(dir, "folder.pem", held, sizeof held, &len, &why));
    daemon_key_dir_close(dir);
    assert_true(daemon_file_make_folder(unit_path("open"), DAEMON_FILE_EVERYONE, &why));
    assert_null(daemon_key_dir_open(unit_path("open"), &why));
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_file_is_there_in_whole_and_once),
        IN_DIR(what_a_crash_left_is_removed),
        IN_DIR(what_others_may_read_is_refused),
    };
    return unit_run(tests);
}
