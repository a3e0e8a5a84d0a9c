// SPDX-License-Identifier: MIT
#include "tests/nsp/fake_unix.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

struct fake_daemon *fake_unix_absent(void)
{
    struct fake_daemon *daemon = fake_daemon_absent();
    snprintf(daemon->address, sizeof daemon->address, "unix:%s", daemon->path);
    return daemon;
}

struct fake_daemon *fake_unix_start(void)
{
    struct fake_daemon *daemon = fake_unix_absent();
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    assert_true(strlen(daemon->path) < sizeof addr.sun_path);
    strcpy(addr.sun_path, daemon->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, 5), 0);
    daemon->listener = fd;
    daemon->granted = CONTROL_ACCESS_CONTROL;
    return daemon;
}
