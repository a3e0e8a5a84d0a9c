// SPDX-License-Identifier: MIT
#include "nsp/code.h"
#include "pnr/winsock.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

static const struct row {
    const char *name;
    enum pnr_error error;
    int code;
} rows[] = {
    {"refused", PNR_ERROR_REFUSED, WSAEACCES},
    {"not understood", PNR_ERROR_USAGE, WSAEINVAL},
    {"full", PNR_ERROR_FULL, WSA_PNRP_TOO_MUCH_LOAD},
    {"short of memory", PNR_ERROR_MEMORY, WSA_NOT_ENOUGH_MEMORY},
    {"cancelled, though nobody asked for it", PNR_ERROR_CANCELLED, WSAENETDOWN},
    {"what has a meaning of its own to each request", PNR_ERROR_NOT_FOUND, WSAENETDOWN},
    {"one of a later daemon", (enum pnr_error)99, WSAENETDOWN},
};

static void errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (nsp_code_of_error(rows[i].error) != rows[i].code) {
            fail_msg("%s: %d", rows[i].name, nsp_code_of_error(rows[i].error));
        }
    }
}

static void losses(void **state)
{
    (void)state;
    assert_int_equal(nsp_code_of_loss(NSP_LINK_UNREACHED), WSASYSNOTREADY);
    assert_int_equal(nsp_code_of_loss(NSP_LINK_LOST), WSAENETDOWN);
    assert_int_equal(nsp_code_of_loss(NSP_LINK_MEMORY), WSA_NOT_ENOUGH_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors),
        cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
