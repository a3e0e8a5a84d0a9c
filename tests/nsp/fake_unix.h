// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_FAKE_UNIX_H
#define PNR_TESTS_NSP_FAKE_UNIX_H

// A daemon that a test plays at a Unix socket, where there are any. All but fake_daemon_listen() is
// as at loopback TCP.

#include "tests/nsp/fake_daemon.h"

struct fake_daemon *fake_unix_start(void);
struct fake_daemon *fake_unix_absent(void);

#endif
