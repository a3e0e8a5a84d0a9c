// SPDX-License-Identifier: MIT
// The addresses that are meant where none was told.
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_default),
        cmocka_unit_test(finds_file_of_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
