// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_RESTORE_H
#define PNR_DAEMON_RESTORE_H

// Hands a brain what earlier runs left on disk, and forgets what nobody will ask for again.

#include "node/daemon/record.h"
#include "node/daemon/state.h"

// All of it, before the start; or, with the name of a cloud that is added later, its contacts and
// items. False where the state cannot be read.
bool daemon_restore(struct daemon_state *state, struct daemon_record *record, const char *cloud,
                    struct daemon_error *ret_error);

// Is given the name of a cloud; false: it is none of ours any more.
typedef bool (*daemon_restore_owns_fn)(void *ctx, struct dht_span cloud);

// Deletes the contacts and items of clouds that are none of ours. Publications and sequence numbers
// stay, and so does what has a key that says nothing of a cloud. Tells how many rows. False where
// the state cannot be read or written: what is there stays.
bool daemon_restore_forget(struct daemon_state *state, daemon_restore_owns_fn owns, void *ctx,
                           uint64_t *ret_count, struct daemon_error *ret_error);

#endif
