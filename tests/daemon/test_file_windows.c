// SPDX-License-Identifier: MIT
// Files that somebody has open.
#include "node/daemon/wide_windows.h"
#include "tests/daemon/unit.h"

#include <windows.h>

static const struct {
    const char *name;
    DWORD shares;
    bool can_be_replaced;
} reader_rows[] = {
    {"a client", FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, true},
    {"one that lets nobody remove it", FILE_SHARE_READ | FILE_SHARE_WRITE, false},
    {"one that lets nobody do anything", 0, false},
};

static HANDLE open_file(const char *path, DWORD shares)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    assert_true(daemon_wide_path(path, wide));
    HANDLE file = CreateFileW(wide, GENERIC_READ, shares, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    return file;
}

static void who_reads_a_file_reads_it_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(reader_rows); i++) {
        struct daemon_error why = {.text = ""};
        char held[8] = "";
        DWORD len = 0;
        const char *path = unit_path("file");
        unit_write(path, "old");
        HANDLE reader = open_file(path, reader_rows[i].shares);
        bool ok = daemon_file_replace(path, unit_text("another"), DAEMON_FILE_OWNER, 0, &why);
        if (ok != reader_rows[i].can_be_replaced)
            fail_msg("%s: %s", reader_rows[i].name, why.text);
        assert_true(ok || why.text[0] != '\0');
        assert_true(ReadFile(reader, held, sizeof held - 1, &len, NULL));
        assert_string_equal(held, "old");
        CloseHandle(reader);
        unit_check_file(path, ok ? "another" : "old");
        assert_false(daemon_file_exists(unit_path("file.new")));
        assert_false(daemon_file_exists(unit_path("file.old")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_reads_a_file_reads_it_whole, unit_dir_make,
                                        unit_dir_remove),
    };
    return unit_run(tests);
}
