// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CONTROL_CONNECT_HELPER_H
#define PNR_TESTS_CONTROL_CONNECT_HELPER_H

// How a client finds no daemon, or one that says nothing, by whatever transport.

#include "tests/control/fake.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

// What the blocking way comes to; a client that was made is closed again.
static inline enum pnr_error open_at(const char *address, enum pnr_access access)
{
    struct pnr_options options = {.address = address, .access = access};
    struct pnr_client *client = NULL;
    enum pnr_error error = pnr_client_open(&options, 60000, &client);
    if (error == PNR_OK) {
        pnr_client_close(client);
    } else {
        assert_null(client);
    }
    return error;
}

// Nobody is there: without waiting, it is told by the client and by its requests, which all refuse.
static inline void check_absent(struct fake *fake, const char *address)
{
    struct pnr_options options = {.address = address};
    uint32_t request = 0;
    assert_int_equal(open_at(address, PNR_ACCESS_ANY), PNR_ERROR_UNREACHABLE);
    assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
    assert_int_equal(pnr_client_error(fake->client), PNR_ERROR_UNREACHABLE);
    assert_non_null(strstr(pnr_client_error_text(fake->client), fake->path));
    assert_int_equal(pnr_client_fd(fake->client), -1);
    assert_int_equal(pnr_status(fake->client, &request), PNR_ERROR_UNREACHABLE);
}

// Somebody listens and does not answer the hello.
static inline void check_hung(struct fake *fake, const char *address)
{
    struct pnr_options options = {.address = address};
    assert_int_equal(pnr_client_open(&options, 1, &fake->client), PNR_ERROR_TIMED_OUT);
    assert_int_equal(pnr_client_new(&options, 1, &fake->client), PNR_OK);
    assert_int_equal(pnr_client_wait_ready(fake->client), PNR_ERROR_TIMED_OUT);
}

#endif
