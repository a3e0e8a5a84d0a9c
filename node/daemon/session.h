// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SESSION_H
#define PNR_DAEMON_SESSION_H

// The clients that are connected: each a socket, a handshake at the beginning, and then bytes both
// ways between the socket and a session of the node that the client meant.
//
//   GREETING --handshake--> OPEN --node says hang up--> FLUSHING --all written--> LINGERING
//       \______ refused ________________________________/                            |
//   any state: the client goes, the socket breaks, or the time is over --> CLOSED <--+
//
// GREETING has 5 seconds, FLUSHING and LINGERING together 5 more. LINGERING reads, and drops, what
// a client has still to say, since closing at once would take the last answer from it (TCP resets).
//
// Bounds: clients_max connections; an eighth of them only for control, so that the local users who
// may resolve cannot lock the owner out; who has come over TCP and not yet proven which it is
// counts as neither. A client that does not read is not read from while more than 256 KiB wait for
// it; the node hangs up before its session_out_max is passed. All functions belong to the loop's
// thread.

#include "node/control/handshake.h"
#include "node/daemon/loop.h"
#include "node/daemon/node.h"

struct daemon_session_set;

struct daemon_session_options {
    uint32_t clients_max;
    // The node of that index; NULL where it is stopped.
    struct daemon_node *(*node)(void *ctx, uint32_t index);
    void *ctx;
};

// NULL where memory is short.
struct daemon_session_set *daemon_session_set_new(struct daemon_loop *loop,
                                                  const struct daemon_session_options *options);
// Closes all connections; the nodes are told.
void daemon_session_set_free(struct daemon_session_set *set);

void daemon_session_set_clients_max(struct daemon_session_set *set, uint32_t clients_max);
uint32_t daemon_session_set_count(const struct daemon_session_set *set);
uint64_t daemon_session_set_refused(const struct daemon_session_set *set);

// Takes a connected, nonblocking socket over, which it closes where it cannot be served.
void daemon_session_add(struct daemon_session_set *set, int fd,
                        const struct control_handshake_server *server);

// Closes all sessions of a node, at once.
void daemon_session_drop_node(struct daemon_session_set *set, struct daemon_node *node);

// What nodes call: see struct daemon_node_shared. ctx is the set.
void daemon_session_bytes(void *ctx, struct daemon_node *node, uint32_t session,
                          struct dht_span bytes);
void daemon_session_hangup(void *ctx, struct daemon_node *node, uint32_t session);
bool daemon_session_flush(void *ctx, struct daemon_node *node);

#endif
