// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_PROCESS_H
#define PNR_DAEMON_PROCESS_H

// What pnrd has whatever it runs, one node or a testnet: the loop, the cryptography, the keys'
// worker, the nodes, their clients, and the signals. node/daemon/daemon.h and
// node/daemon/testnet.h decide what nodes there are.

#include "node/daemon/crypto.h"
#include "node/daemon/listener.h"
#include "node/daemon/node.h"
#include "node/daemon/options.h"
#include "node/daemon/session.h"
#include "node/daemon/signals.h"

struct daemon_process {
    struct daemon_loop *loop;
    struct daemon_crypto *crypto;
    struct daemon_secrets_worker *worker;
    struct daemon_session_set *sessions;
    struct daemon_listener *listener;
    struct daemon_node_shared shared; // for daemon_node_open()
    struct daemon_node **nodes;       // NULL: not started, or stopped
    uint32_t node_count;
    struct daemon_signals *signals;
    struct daemon_loop_alarm parted; // of an end by a signal: who watches what ends was told
    bool is_ending;
    // Called on SIGHUP; may be NULL.
    void (*reload)(void *ctx);
    // Called after the machine was asleep; may be NULL.
    void (*resumed)(void *ctx);
    void *ctx;
};

struct daemon_process_options {
    uint32_t node_count;
    uint32_t clients_max;
    int64_t wall_offset_us;
};

// Makes all but the nodes and the places to listen at. SIGTERM and SIGINT end the loop from now on:
// at once, or, where a node has to tell others (node_is_parting()), NODE_PARTING_US later; a second
// one ends it at once.
// process has to stay where it is. False with nothing left behind where something is short.
bool daemon_process_open(struct daemon_process *process,
                         const struct daemon_process_options *options,
                         struct daemon_error *ret_error);

// Listens for clients. group: "" for none.
bool daemon_process_listen(struct daemon_process *process, const struct control_address *addresses,
                           size_t count, const char *group, struct daemon_error *ret_error);

// Ends in order: no more clients, those that are there hung up, the nodes with what they have to
// write, and all the rest.
void daemon_process_close(struct daemon_process *process);

// Closes a node, its clients with it.
void daemon_process_stop_node(struct daemon_process *process, uint32_t index);

// Lets this process have that many descriptors. False where the system does not.
bool daemon_process_raise_descriptors(size_t count, struct daemon_error *ret_error);

// 32 bytes for a node: of the system, or, where there is a seed for tests, made from it, the node's
// index and how often it was started.
bool daemon_process_seed(struct daemon_process *process, const struct daemon_options *options,
                         const uint32_t index_and_start[2], uint8_t ret_seed[32]);

#endif
