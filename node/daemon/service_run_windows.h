// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_RUN_WINDOWS_H
#define PNR_DAEMON_SERVICE_RUN_WINDOWS_H

// pnrd as the service that the manager of Windows has started: its controls are handed to the loop
// (node/daemon/signals.h), its state is told by way of node/daemon/notify.h, and its log goes to a
// file and to the Event Log.
//
//   STOP, SHUTDOWN, PRESHUTDOWN   ends        POWEREVENT, resumed   renews what it keeps alive
//   PARAMCHANGE                   reads configuration and keys again

#include "node/daemon/service.h"

// Returns when the service has ended; at once, with words on stderr, where it was not the manager
// that started this.
enum daemon_exit daemon_service_run(const struct daemon_service_options *options,
                                    daemon_service_fn run);

#endif
