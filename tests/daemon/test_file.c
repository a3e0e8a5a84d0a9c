// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

static const struct {
    const char *name;
    enum daemon_file_readers readers;
} readers_rows[] = {
    {"owner", DAEMON_FILE_OWNER},
    {"everyone", DAEMON_FILE_EVERYONE},
};

static void a_file_takes_anothers_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(readers_rows); i++) {
        enum daemon_file_readers readers = readers_rows[i].readers;
        struct daemon_error why = {.text = ""};
        const char *path = unit_path(readers_rows[i].name);
        bool first = daemon_file_replace(path, unit_text("one"), readers, 0, &why);
        bool second = daemon_file_replace(path, unit_text("another"), readers, 0, &why);
        if (!first || !second)
            print_error("%s: %s\n", readers_rows[i].name, why.text);
        assert_true(first && second);
        unit_check_file(path, "another");
        assert_false(daemon_file_exists(unit_path("owner.new")));
    }
}

static void a_file_is_known_by_what_it_is(void **state)
{
    struct daemon_file_id first, second;
    const char *path = unit_path("file");
    (void)state;
    assert_false(daemon_file_identify(path, &first));
    assert_true(daemon_file_replace(path, unit_text("1"), DAEMON_FILE_OWNER, 0, NULL));
    assert_true(daemon_file_identify(path, &first));
    assert_true(daemon_file_identify(path, &second));
    assert_true(first.volume == second.volume && first.number == second.number);
    // It is there while the other is made, so that the system cannot give its number again.
    assert_true(daemon_file_replace(path, unit_text("2"), DAEMON_FILE_OWNER, 0, NULL));
    assert_true(daemon_file_identify(path, &second));
    assert_true(first.volume == second.volume && first.number != second.number);
    daemon_file_remove(path);
    assert_false(daemon_file_exists(path));
    daemon_file_remove(path);
}

static void a_new_file_overwrites_none(void **state)
{
    struct daemon_error why = {.text = ""};
    const char *path = unit_path("new");
    (void)state;
    FILE *file = daemon_file_create(path, &why);
    assert_non_null(file);
    // Bytes are left alone.
    assert_int_equal(fwrite("a\nb", 1, 3, file), 3);
    assert_int_equal(fclose(file), 0);
    unit_check_file(path, "a\nb");
    assert_null(daemon_file_create(path, &why));
    assert_true(why.text[0] != '\0');
    // One that is there is left as it is.
    assert_true(daemon_file_make_private(path, &why));
    unit_check_file(path, "a\nb");
}

// Longer than any system has it.
static void a_path_that_cannot_be_is_told(void **state)
{
    struct daemon_error why[4] = {{.text = ""}};
    char path[2000];
    (void)state;
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_false(daemon_file_make_folder(path, DAEMON_FILE_OWNER, &why[0]));
    assert_false(daemon_file_make_private(path, &why[1]));
    assert_null(daemon_file_create(path, &why[2]));
    assert_null(daemon_file_open(path, &why[3]));
    for (size_t i = 0; i < UNIT_COUNT(why); i++)
        assert_true(why[i].text[0] != '\0');
}

struct seen {
    int files;
    int folders;
};

static void count_entry(void *ctx, const char *name, bool is_folder)
{
    struct seen *seen = ctx;
    assert_true(strcmp(name, "file") == 0 || strcmp(name, "folder") == 0);
    *(is_folder ? &seen->folders : &seen->files) += 1;
}

static void a_folder_tells_what_is_in_it(void **state)
{
    struct daemon_error why = {.text = ""};
    struct daemon_file_folder folder = {.free_bytes = 0};
    struct seen seen = {0};
    (void)state;
    assert_true(daemon_file_make_folder(unit_path("folder"), DAEMON_FILE_OWNER, &why));
    assert_true(daemon_file_make_folder(unit_path("folder"), DAEMON_FILE_OWNER, &why));
    assert_true(daemon_file_make_private(unit_path("file"), &why));
    assert_true(daemon_file_make_private(unit_path("folder/inner"), &why));
    assert_true(daemon_file_list(unit_dir, count_entry, &seen, &why));
    assert_int_equal(seen.files, 1);
    assert_int_equal(seen.folders, 1);
    assert_true(daemon_file_look(unit_path("folder"), &folder, &why));
    assert_true(folder.free_bytes > 0);
    assert_false(folder.others_may_write);
    daemon_file_remove_folder(unit_path("folder"));
    assert_false(daemon_file_exists(unit_path("folder")));
    assert_false(daemon_file_list(unit_path("folder"), count_entry, &seen, &why));
    assert_false(daemon_file_look(unit_path("folder"), &folder, &why));
    assert_false(daemon_file_make_folder(unit_path("no/folder"), DAEMON_FILE_OWNER, &why));
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, unit_dir_make, unit_dir_remove)
    const struct CMUnitTest tests[] = {
        IN_DIR(a_file_takes_anothers_place),  IN_DIR(a_file_is_known_by_what_it_is),
        IN_DIR(a_new_file_overwrites_none),   IN_DIR(a_path_that_cannot_be_is_told),
        IN_DIR(a_folder_tells_what_is_in_it),
    };
    return unit_run(tests);
}
