// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SESSION_H
#define PNR_SIMNET_SESSION_H

// The control sessions that are open on a machine: which sink owns which, and the bytes that it has
// not read yet. What a brain says to clients is kept here while its outputs are taken, and handed
// out once all are, so that a sink may give the brain its next request from within.
//
// A part of the machine's host (simnet/host.h), whose functions are for everybody else. Bounds: the
// brain's own, sessions_max sessions and session_out_max bytes waiting for each.

#include "simnet/host.h"

struct simnet_session {
    uint32_t number;
    struct simnet_session_sink sink;
    uint8_t *waiting; // bytes for the client, not read yet
    size_t len, capacity;
    bool is_stopped; // the client does not read
    bool hung_up;    // by the brain
    bool closed;     // by the client
    bool is_over;    // both sides know
};

struct simnet_session_set {
    struct simnet_session **sessions; // in the order of opening
    uint32_t count, capacity;
};

void simnet_session_set_fini(struct simnet_session_set *set);
struct simnet_session *simnet_session_add(struct simnet_session_set *set, uint32_t number,
                                          const struct simnet_session_sink *sink);
struct simnet_session *simnet_session_find(const struct simnet_session_set *set, uint32_t number);
// What the brain puts out for it: NODE_OUT_BYTES or NODE_OUT_HANGUP.
void simnet_session_output(struct simnet_session_set *set, const struct node_out *out);
// Tells the brain of those that clients have closed: before all else, so that it says nothing more
// to who is gone.
void simnet_session_leave(struct simnet_session_set *set, struct simnet_machine *machine);
// Hands out what waits, and tells the brain what was read.
void simnet_session_flush(struct simnet_session_set *set, struct simnet_machine *machine);
// The brain is gone: every sink is hung up on.
void simnet_session_gone(struct simnet_session_set *set, struct simnet_machine *machine);

#endif
