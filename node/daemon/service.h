// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_H
#define PNR_DAEMON_SERVICE_H

// pnrd as a service of Windows: `pnrd service ...`. Elsewhere the service manager has commands of
// its own, and these say which.
//
// The service runs as `NT SERVICE\NAME`, an account that Windows makes up for it: it has no
// password and no rights but to use the network, and no other service shares it, so that the keys
// are its own. What LocalService may read, a dozen other services may read too.

#include "node/daemon/daemon.h"
#include "node/daemon/service_options.h"

// Exit codes of `pnrd service status`, beside those of enum daemon_exit.
enum daemon_service_exit {
    DAEMON_SERVICE_EXIT_IS_STOPPED = 3,
    DAEMON_SERVICE_EXIT_IS_MISSING = 4,
};

// What the service does: pnrd with its own options, until it is told to end.
typedef enum daemon_exit (*daemon_service_fn)(int argc, char **argv);

// Does what the verb says, tells on stdout what was done and on stderr what failed, and returns the
// exit code. With DAEMON_SERVICE_RUN: hands itself to the service manager and calls run, in a
// thread of its own; returns when the service has ended.
int daemon_service_act(const struct daemon_service_options *options, daemon_service_fn run);

#endif
