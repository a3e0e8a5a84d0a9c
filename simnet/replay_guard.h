// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_REPLAY_GUARD_H
#define PNR_SIMNET_REPLAY_GUARD_H

// Keeps from the brain what include/pnr/node.h forbids its drivers to say, and what the brain would
// rightly take for a bug: a broken recording is told as one, and aborts nobody.

#include "node/recording/entry.h"

#define SIMNET_REPLAY_COUNTER_NAME_MAX 64
#define SIMNET_REPLAY_ITEMS_BYTES_MAX  ((size_t)1 << 34)

// Bytes that were queued for a session and are not known to have gone out.
struct simnet_replay_session {
    uint32_t number;
    uint64_t waiting;
};

// A guard that is all zero is ready.
struct simnet_replay_guard {
    bool is_born;
    bool is_started;
    int64_t now_us;
    struct {
        uint32_t number;
        char name[NODE_CLOUD_NAME_MAX + 1];
    } clouds[NODE_CLOUDS_MAX]; // that are there
    uint32_t cloud_count;
    struct {
        uint32_t number;
        uint32_t cloud;
        uint8_t ip_len;                            // of its addresses
    } engines[NODE_CLOUDS_MAX * NODE_ENGINES_MAX]; // that are there
    uint32_t engine_count;
    struct simnet_replay_session *sessions;
    size_t session_count;
    size_t session_capacity;
};

void simnet_replay_guard_fini(struct simnet_replay_guard *guard);

// Whether a driver may say this now. Returns NULL, or why not.
const char *simnet_replay_guard_input(struct simnet_replay_guard *guard,
                                      const struct recording_entry *entry);
// The brain returned this for an input that adds something.
void simnet_replay_guard_added(struct simnet_replay_guard *guard,
                               const struct recording_entry *entry, int result);
// The brain said this.
void simnet_replay_guard_output(struct simnet_replay_guard *guard, const struct node_out *out);

#endif
