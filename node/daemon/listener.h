// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LISTENER_H
#define PNR_DAEMON_LISTENER_H

// Accepts clients at a number of places (node/daemon/place.h) and hands them to the sessions
// (node/daemon/session.h), which greet them. Where the process has no descriptor left, accepting
// rests for a second.

#include "node/daemon/place.h"
#include "node/daemon/session.h"

#define DAEMON_LISTENER_PLACES_MAX 4

struct daemon_listener;

struct daemon_listener_options {
    unsigned group; // that may control; DAEMON_FILE_NO_GROUP: none
    uint32_t node_count;
};

// NULL where memory is short. sessions has to outlive it.
struct daemon_listener *daemon_listener_new(struct daemon_loop *loop,
                                            struct daemon_session_set *sessions,
                                            const struct daemon_listener_options *options);
// Stops listening and removes sockets and rendezvous files. Sessions go on.
void daemon_listener_free(struct daemon_listener *listener);

// Listens at one more place. False for the reasons of daemon_place_open(), or where there are
// DAEMON_LISTENER_PLACES_MAX.
bool daemon_listener_add(struct daemon_listener *listener, const struct control_address *address,
                         struct daemon_error *ret_error);

#endif
