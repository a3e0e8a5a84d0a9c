// SPDX-License-Identifier: MIT
#include "node/daemon/place.h"
#include "tests/daemon/unit.h"

static struct control_address address_of(const char *name)
{
    char text[UNIT_PATH_MAX + 8];
    struct control_address address;
    snprintf(text, sizeof text, "tcp:%s", unit_path(name));
    assert_true(control_address_parse(text, &address));
    return address;
}

// Each start has secrets of its own, one for each level, and the files tell them.
static void test_secrets(void **state)
{
    struct control_address address = address_of("c");
    struct control_rendezvous told[2][2];
    (void)state;
    for (int start = 0; start < 2; start++) {
        struct daemon_place place;
        assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &place, NULL));
        for (int level = 0; level < 2; level++) {
            char text[CONTROL_RENDEZVOUS_LEN_MAX];
            unit_read(unit_path(level == 0 ? "c" : "c.resolve"), text, sizeof text);
            assert_true(control_rendezvous_parse(unit_text(text), &told[start][level]));
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
    struct control_address address = address_of("c");
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
    assert_true(daemon_file_exists(unit_path("c"))); // the first's is left alone
    daemon_place_close(&first);
}

// A rendezvous file that another start has replaced is not ours to remove.
static void test_replaced(void **state)
{
    struct control_address address = address_of("c");
    struct daemon_place first, second;
    (void)state;
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &first, NULL));
    assert_true(daemon_place_open(&address, DAEMON_FILE_NO_GROUP, &second, NULL));
    daemon_place_close(&first);
    assert_true(daemon_file_exists(unit_path("c")));
    daemon_place_close(&second);
    assert_false(daemon_file_exists(unit_path("c")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_secrets, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_port, unit_dir_make, unit_dir_remove),
        cmocka_unit_test_setup_teardown(test_replaced, unit_dir_make, unit_dir_remove),
    };
    return unit_run(tests);
}
