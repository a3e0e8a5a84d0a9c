// SPDX-License-Identifier: MIT
#include "node/control/address.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#define X10  "xxxxxxxxxx"
#define X50  X10 X10 X10 X10 X10
#define X100 X50 X50

static const struct row {
    const char *name;
    const char *text;
    bool ok;
    enum control_address_type type;
    const char *path;
} rows[] = {
    {"unix", "unix:/tmp/a:b", true, CONTROL_ADDRESS_UNIX, "/tmp/a:b"},
    {"tcp", "tcp:/tmp/a.rendezvous", true, CONTROL_ADDRESS_TCP, "/tmp/a.rendezvous"},
    {"port", "tcp:127.0.0.1:9000", true, CONTROL_ADDRESS_TCP, ""},
    {"port of localhost", "tcp:localhost:65535", true, CONTROL_ADDRESS_TCP, ""},
    {"a port is no path of a socket", "unix:127.0.0.1:9", true, CONTROL_ADDRESS_UNIX,
     "127.0.0.1:9"},
    {"port like a file of a folder", "tcp:./127.0.0.1:9", true, CONTROL_ADDRESS_TCP,
     "./127.0.0.1:9"},
    {"no digits", "tcp:127.0.0.1:9x", true, CONTROL_ADDRESS_TCP, "127.0.0.1:9x"},
    {"port of anybody", "tcp:0.0.0.0:9000", false, CONTROL_ADDRESS_TCP, ""},
    {"port of another machine", "tcp:192.0.2.1:9000", false, CONTROL_ADDRESS_TCP, ""},
    {"port of IPv6", "tcp:[::1]:9000", false, CONTROL_ADDRESS_TCP, ""},
    {"port of nobody", "tcp::9000", false, CONTROL_ADDRESS_TCP, ""},
    {"port 0", "tcp:127.0.0.1:0", false, CONTROL_ADDRESS_TCP, ""},
    {"port 65536", "tcp:127.0.0.1:65536", false, CONTROL_ADDRESS_TCP, ""},
    {"port too long", "tcp:127.0.0.1:99999999999999999999", false, CONTROL_ADDRESS_TCP, ""},
    {"empty", "", false, CONTROL_ADDRESS_UNIX, ""},
    {"unix empty", "unix:", false, CONTROL_ADDRESS_UNIX, ""},
    {"tcp empty", "tcp:", false, CONTROL_ADDRESS_TCP, ""},
    {"unix longest", "unix:" X100 "1234567", true, CONTROL_ADDRESS_UNIX, X100 "1234567"},
    {"unix too long", "unix:" X100 "12345678", false, CONTROL_ADDRESS_UNIX, ""},
    {"tcp longest", "tcp:" X100 X100 X100 X100 X100 X10 "1", true, CONTROL_ADDRESS_TCP,
     X100 X100 X100 X100 X100 X10 "1"},
    {"tcp too long", "tcp:" X100 X100 X100 X100 X100 X10 "12", false, CONTROL_ADDRESS_TCP, ""},
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct control_address address;
        bool ok = control_address_parse(row->text, &address);
        if (ok != row->ok ||
            (ok && (address.type != row->type || strcmp(address.path, row->path) != 0))) {
            fail_msg("%s", row->name);
        }
    }
}

// What begins with no scheme of ours is a path, of the type that the system has.
static void bare_paths(void **state)
{
    (void)state;
    static const char *const paths[] = {"/run/pnr/control", "control", "udp:x"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct control_address address;
        assert_true(control_address_parse(paths[i], &address));
        assert_int_equal(address.type, control_address_bare_type());
        assert_string_equal(address.path, paths[i]);
    }
}

static void resolve_lies_beside(void **state)
{
    (void)state;
    struct control_address address, beside;
    assert_true(control_address_parse("tcp:/a/b", &address));
    assert_true(control_address_resolve(&address, &beside));
    assert_int_equal(beside.type, CONTROL_ADDRESS_TCP);
    assert_string_equal(beside.path, "/a/b.resolve");
    assert_true(control_address_parse("unix:" X50 X10 X10 X10 X10 "123456789", &address));
    assert_true(control_address_resolve(&address, &beside));
    assert_true(control_address_parse("unix:" X100, &address));
    assert_false(control_address_resolve(&address, &beside));
}

static void port_gets_a_folder(void **state)
{
    (void)state;
    struct control_address address, beside;
    assert_true(control_address_parse("tcp:127.0.0.1:9000", &address));
    assert_true(control_address_put(&address, "/a"));
    assert_int_equal(address.port, 9000);
    assert_string_equal(address.path, "/a/control.rendezvous");
    assert_true(control_address_resolve(&address, &beside));
    assert_int_equal(beside.port, 9000);
    assert_string_equal(beside.path, "/a/control.rendezvous.resolve");
    assert_false(control_address_put(&address, X100 X100 X100 X100 X100));
    assert_true(control_address_parse("tcp:/b", &address));
    assert_true(control_address_put(&address, "/a"));
    assert_string_equal(address.path, "/b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(bare_paths),
        cmocka_unit_test(resolve_lies_beside),
        cmocka_unit_test(port_gets_a_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
