// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RESTORE_H
#define PNR_DAEMON_RESTORE_H

// Hands a brain what earlier runs left on disk.

#include "node/daemon/record.h"
#include "node/daemon/state.h"

// All of it, before the start; or, with the name of a cloud that is added later, its contacts and
// items. False where the state cannot be read.
bool daemon_restore(struct daemon_state *state, struct daemon_record *record, const char *cloud,
                    struct daemon_error *ret_error);

#endif
