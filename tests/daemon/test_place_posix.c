// SPDX-License-Identifier: MIT
// Unix sockets, and the modes of what a place leaves in its folder.
#include "node/daemon/place.h"
#include "tests/daemon/unit_posix.h"

static struct control_address address_of(const char *scheme, const char *name)
{
    char text[UNIT_PATH_MAX + 8];
    struct control_address address;
    snprintf(text, sizeof text, "%s%s", scheme, unit_path(name));
    assert_true(control_address_parse(text, &address));
    return address;
}

static const struct row {
    const char *name;
    const char *scheme;
    const char *path;
    unsigned group; // NO_GROUP, or our own
    unsigned control_mode;
    unsigned resolve_mode;
} rows[] = {
    {"socket", "unix:", "c", DAEMON_FILE_NO_GROUP, 0600, 0666},
    {"socket of a group", "unix:", "c", 0, 0660, 0666},
    {"socket in a new folder", "unix:", "new/c", DAEMON_FILE_NO_GROUP, 0600, 0666},
    {"rendezvous", "tcp:", "c", DAEMON_FILE_NO_GROUP, 0600, 0644},
    {"rendezvous of a group", "tcp:", "c", 0, 0640, 0644},
};

// Files have their modes while the place is open, and are gone after.
static void test_modes(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct control_address address = address_of(row->scheme, row->path);
        struct daemon_place place;
        struct daemon_error why;
        char resolve[64];
        snprintf(resolve, sizeof resolve, "%s.resolve", row->path);
        unsigned group = row->group == 0 ? getegid() : row->group;
        if (!daemon_place_open(&address, group, &place, &why))
            fail_msg("row %s: %s", row->name, why.text);
        if (unit_mode_of(unit_path(row->path)) != row->control_mode ||
            unit_mode_of(unit_path(resolve)) != row->resolve_mode)
            fail_msg("row %s: modes %o %o", row->name, unit_mode_of(unit_path(row->path)),
                     unit_mode_of(unit_path(resolve)));
        daemon_place_close(&place);
        if (unit_mode_of(unit_path(row->path)) != 0 || unit_mode_of(unit_path(resolve)) != 0)
            fail_msg("row %s: files left behind", row->name);
    }
}

// What a crash left is removed, what somebody answers at is not.
static void test_stale(void **state)
{
    struct control_address address = address_of("unix:", "c");
    struct daemon_place first, second;
    struct daemon_error why;
    (void)state;
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &first, NULL));
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, &why));
    unit_has("answered", why.text, "another daemon answers");
    assert_int_equal(unit_mode_of(unit_path("c")), 0600); // still there
    // A crash: the descriptors go, the files stay.
    close(first.control_fd);
    close(first.resolve_fd);
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, &why));
    daemon_place_close(&second);
}

static void test_refused(void **state)
{
    struct control_address address;
    struct daemon_place place;
    struct daemon_error why;
    char name[84]; // fits the path of a socket, but not with ".resolve" after it
    (void)state;
    memset(name, 'x', sizeof name);
    name[sizeof name - 1] = '\0';
    address = address_of("unix:", name);
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, &why));
    unit_has("long", why.text, "too long");
    unit_write(unit_path("file"), "mine");
    address = address_of("unix:", "file");
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, &why));
    unit_has("file", why.text, "is no socket");
    assert_int_equal(unit_mode_of(unit_path("file")), 0600);
    address = address_of("unix:", "a/b/c");
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, &why));
    unit_has("folder", why.text, "cannot make the folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_modes, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_stale, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_refused, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
