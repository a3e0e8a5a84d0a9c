// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE
#include "tests/control/fake_unix.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

struct fake *fake_listen_unix(int backlog)
{
    struct fake *fake = fake_new();
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    assert_true(snprintf(addr.sun_path, sizeof addr.sun_path, "%s", fake->path) <
                (int)sizeof addr.sun_path);
    fake->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fake->listener, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fake->listener, backlog), 0);
    return fake;
}
