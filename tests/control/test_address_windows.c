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

static const struct row {
    const char *name;
    const char *text; // NULL: none was told
    const char *pnr_control;
    const char *data_dir;
    const char *path; // NULL: none
} rows[] = {
    {"told", NULL, "tcp:C:\\x", "C:\\d", "C:\\x"},
    {"told a bare path", NULL, "C:\\x", "C:\\d", "C:\\x"},
    {"told nonsense", NULL, "tcp:", "C:\\d", NULL},
    {"told nothing", NULL, "", "C:\\d", "C:\\d\\pnr\\control.rendezvous"},
    {"the machine's", NULL, NULL, "C:\\d", "C:\\d\\pnr\\control.rendezvous"},
    {"no folder of data", NULL, NULL, NULL, NULL},
    {"a port", "tcp:127.0.0.1:9", NULL, "C:\\d", "C:\\d\\pnr\\control.rendezvous"},
    {"a port without that folder", "tcp:127.0.0.1:9", NULL, NULL, NULL},
    {"a file", "tcp:C:\\f", NULL, "C:\\d", "C:\\f"},
};

static void finds_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct control_address address;
        struct control_address_places places = {.pnr_control = row->pnr_control,
                                                .data_dir = row->data_dir};
        bool ok = row->text == NULL ? control_address_default(&places, &address)
                                    : control_address_parse(row->text, &address) &&
                                          control_address_find(&places, &address);
        if (ok != (row->path != NULL) ||
            (ok && (address.type != CONTROL_ADDRESS_TCP || strcmp(address.path, row->path) != 0))) {
            fail_msg("%s", row->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
