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
    {"bare path", "/run/pnr/control.sock", true, CONTROL_ADDRESS_UNIX, "/run/pnr/control.sock"},
    {"relative path", "control.sock", true, CONTROL_ADDRESS_UNIX, "control.sock"},
    {"unix", "unix:/tmp/a:b", true, CONTROL_ADDRESS_UNIX, "/tmp/a:b"},
    {"tcp", "tcp:/tmp/a.rendezvous", true, CONTROL_ADDRESS_TCP, "/tmp/a.rendezvous"},
    {"other scheme is a path", "udp:x", true, CONTROL_ADDRESS_UNIX, "udp:x"},
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
    {"unix longest", X100 "1234567", true, CONTROL_ADDRESS_UNIX, X100 "1234567"},
    {"unix too long", X100 "12345678", false, CONTROL_ADDRESS_UNIX, ""},
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

static void resolve_lies_beside(void **state)
{
    (void)state;
    struct control_address address, beside;
    assert_true(control_address_parse("tcp:/a/b", &address));
    assert_true(control_address_resolve(&address, &beside));
    assert_int_equal(beside.type, CONTROL_ADDRESS_TCP);
    assert_string_equal(beside.path, "/a/b.resolve");
    assert_true(control_address_parse(X50 X10 X10 X10 X10 "123456789", &address));
    assert_true(control_address_resolve(&address, &beside));
    assert_true(control_address_parse(X100, &address));
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

// ctx is the one path that exists.
static bool exists(void *ctx, const char *path)
{
    return strcmp(ctx, path) == 0;
}

static const struct default_row {
    const char *name;
    const char *pnr_control;
    const char *runtime_dir;
    const char *existing;
    const char *path; // NULL: none
    enum control_address_type type;
} default_rows[] = {
    {"told", "tcp:/x", "/u", "/u/pnr/control.sock", "/x", CONTROL_ADDRESS_TCP},
    {"told nonsense", "tcp:", "/u", "/u/pnr/control.sock", NULL, CONTROL_ADDRESS_TCP},
    {"told nothing", "", "/u", "/u/pnr/control.sock", "/u/pnr/control.sock", CONTROL_ADDRESS_UNIX},
    {"the user's own", NULL, "/u", "/u/pnr/control.sock", "/u/pnr/control.sock",
     CONTROL_ADDRESS_UNIX},
    {"the user's own for resolve", NULL, "/u", "/u/pnr/control.sock.resolve", "/u/pnr/control.sock",
     CONTROL_ADDRESS_UNIX},
    {"the machine's", NULL, "/u", "", "/run/pnr/control.sock", CONTROL_ADDRESS_UNIX},
    {"no runtime folder", NULL, NULL, "/pnr/control.sock", "/run/pnr/control.sock",
     CONTROL_ADDRESS_UNIX},
    {"endless runtime folder", NULL, X100 X100, "", "/run/pnr/control.sock", CONTROL_ADDRESS_UNIX},
};

static void finds_the_default(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof default_rows / sizeof *default_rows; i++) {
        const struct default_row *row = &default_rows[i];
        char existing[64];
        struct control_address address;
        strcpy(existing, row->existing);
        struct control_address_places places = {.pnr_control = row->pnr_control,
                                                .runtime_dir = row->runtime_dir,
                                                .exists = exists,
                                                .ctx = existing};
        bool ok = control_address_default(&places, &address);
        if (ok != (row->path != NULL) ||
            (ok && (address.type != row->type || strcmp(address.path, row->path) != 0))) {
            fail_msg("%s", row->name);
        }
    }
}

#ifndef _WIN32
static const struct find_row {
    const char *name;
    const char *text;
    const char *runtime_dir;
    const char *exists;
    const char *path;
} find_rows[] = {
    {"of the user", "tcp:127.0.0.1:9", "/r", "/r/pnr/control.rendezvous",
     "/r/pnr/control.rendezvous"},
    {"of the user, to resolve", "tcp:127.0.0.1:9", "/r", "/r/pnr/control.rendezvous.resolve",
     "/r/pnr/control.rendezvous"},
    {"of the system", "tcp:127.0.0.1:9", "/r", "", "/run/pnr/control.rendezvous"},
    {"no user's", "tcp:127.0.0.1:9", NULL, "", "/run/pnr/control.rendezvous"},
    {"a file", "tcp:/f", "/r", "/r/pnr/control.rendezvous", "/f"},
    {"a socket", "unix:/f", "/r", "/r/pnr/control.rendezvous", "/f"},
};

static void finds_file_of_port(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof find_rows / sizeof *find_rows; i++) {
        const struct find_row *row = &find_rows[i];
        struct control_address address;
        char path[64];
        snprintf(path, sizeof path, "%s", row->exists);
        struct control_address_places places = {
            .runtime_dir = row->runtime_dir, .exists = exists, .ctx = path};
        assert_true(control_address_parse(row->text, &address));
        if (!control_address_find(&places, &address) || strcmp(address.path, row->path) != 0) {
            fail_msg("%s: %s", row->name, address.path);
        }
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses),
        cmocka_unit_test(resolve_lies_beside),
        cmocka_unit_test(port_gets_a_folder),
#ifndef _WIN32
        cmocka_unit_test(finds_file_of_port),
#endif
        cmocka_unit_test(finds_the_default),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
