// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_DAEMON_H
#define PNR_DAEMON_DAEMON_H

// pnrd as a service: one node for each cloud of the configuration, the first being the one that
// clients mean where they do not say. It tells the service manager when it is ready, when it reads
// its configuration again, and, where that is asked for, that it is alive.

#include "node/daemon/options.h"

// Exit codes of pnrd.
enum daemon_exit {
    DAEMON_EXIT_CLEAN = 0,
    DAEMON_EXIT_FAILED = 1,
    DAEMON_EXIT_USAGE = 2, // options or configuration make no sense
};

// Runs until it is told to end. config as the options and the file have it.
enum daemon_exit daemon_run(const struct daemon_options *options,
                            const struct daemon_config *config);

#endif
