// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CONTROL_FAKE_UNIX_H
#define PNR_TESTS_CONTROL_FAKE_UNIX_H

// The fake daemon at a Unix socket, whose path is also fake->path.

#include "tests/control/fake.h"

struct fake *fake_listen_unix(int backlog);

#endif
