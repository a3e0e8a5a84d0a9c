// SPDX-License-Identifier: MIT
#include "node/daemon/place.h"
#include "tests/daemon/unit.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct control_address address_of(const char *scheme, const char *name)
{
    char text[CONTROL_ADDRESS_PATH_MAX];
    struct control_address address;
    snprintf(text, sizeof text, "%s%s", scheme, unit_path(name));
    assert_true(control_address_parse(text, &address));
    return address;
}

static unsigned mode_of(const char *name)
{
    struct stat status;
    return lstat(unit_path(name), &status) == 0 ? status.st_mode & 07777 : 0;
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
        if (mode_of(row->path) != row->control_mode || mode_of(resolve) != row->resolve_mode)
            fail_msg("row %s: modes %o %o", row->name, mode_of(row->path), mode_of(resolve));
        daemon_place_close(&place);
        if (mode_of(row->path) != 0 || mode_of(resolve) != 0)
            fail_msg("row %s: files left behind", row->name);
    }
}

// Each start has secrets of its own, one for each level, and the files tell them.
static void test_secrets(void **state)
{
    struct control_address address = address_of("tcp:", "c");
    struct control_rendezvous told[2][2];
    (void)state;
    for (int start = 0; start < 2; start++) {
        struct daemon_place place;
        assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, NULL));
        for (int level = 0; level < 2; level++) {
            uint8_t text[CONTROL_RENDEZVOUS_LEN_MAX];
            FILE *file = fopen(unit_path(level == 0 ? "c" : "c.resolve"), "r");
            size_t len = fread(text, 1, sizeof text, file);
            fclose(file);
            assert_true(
                control_rendezvous_parse((struct dht_span){text, len}, &told[start][level]));
            assert_int_equal(told[start][level].port, place.port);
            assert_int_equal(told[start][level].access,
                             level == 0 ? CONTROL_ACCESS_CONTROL : CONTROL_ACCESS_RESOLVE);
        }
        assert_memory_equal(told[start][0].secret, place.control_secret, CONTROL_SECRET_LEN);
        assert_memory_equal(told[start][1].secret, place.resolve_secret, CONTROL_SECRET_LEN);
        daemon_place_close(&place);
    }
    assert_memory_not_equal(told[0][0].secret, told[0][1].secret, CONTROL_SECRET_LEN);
    assert_memory_not_equal(told[0][0].secret, told[1][0].secret, CONTROL_SECRET_LEN);
}

// A fixed port is the address's, is taken while the place is open, and free again at once.
static void test_port(void **state)
{
    struct control_address address = address_of("tcp:", "c");
    struct daemon_place first, second;
    struct daemon_error why;
    (void)state;
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &first, NULL));
    address.port = first.port; // free a moment ago, and soon again
    daemon_place_close(&first);
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &first, NULL));
    assert_int_equal(first.port, address.port);
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, &why));
    unit_has("taken", why.text, "cannot listen on loopback TCP, port ");
    assert_int_equal(mode_of("c"), 0600); // the first's is left alone
    daemon_place_close(&first);
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
    assert_int_equal(mode_of("c"), 0600); // still there
    // A crash: the descriptors go, the files stay.
    close(first.control_fd);
    close(first.resolve_fd);
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, &why));
    daemon_place_close(&second);
}

// A rendezvous file that another start has replaced is not ours to remove.
static void test_replaced(void **state)
{
    struct control_address address = address_of("tcp:", "c");
    struct daemon_place first, second;
    (void)state;
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &first, NULL));
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, NULL));
    daemon_place_close(&first);
    assert_int_equal(mode_of("c"), 0600);
    daemon_place_close(&second);
    assert_int_equal(mode_of("c"), 0);
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
    unit_write(unit_path("file"), "mine", 0600);
    address = address_of("unix:", "file");
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, &why));
    unit_has("file", why.text, "is no socket");
    assert_int_equal(mode_of("file"), 0600);
    address = address_of("unix:", "a/b/c");
    assert_false(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, &why));
    unit_has("folder", why.text, "cannot make the folder");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_modes, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_secrets, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_port, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_stale, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_replaced, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_refused, unit_dir_make, unit_dir_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
