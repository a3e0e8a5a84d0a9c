// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_NODE_H
#define PNR_DAEMON_NODE_H

// One node: the brain (include/pnr/node.h) with its clouds' sockets, its state on disk and its
// keys. pnrd runs one, a testnet many. It hands in what came and does what the brain says:
//
//   socket readable --> node_receive()    \                          / sendmmsg, 64 at a time
//   alarm           --> node_tick()        } brain --> node_next() --- state thread, keys' worker
//   state thread    --> node_written()    /                          \ clients (the calls)
//   clients         --> node_session_*()
//
// After any input, daemon_node_settle() has to be called: it takes all outputs until none is left,
// and sets the alarm. The functions here that are driven by events do so themselves.
//
// No disk is waited for: state writes go to the state thread (node/daemon/state.h), keys to a
// worker (node/daemon/secrets.h). A sequence number's row is durable before the brain hears so, and
// nothing that carries it leaves before.

#include "node/daemon/config_value.h"
#include "node/daemon/loop.h"
#include "node/daemon/secrets.h"
#include "node/daemon/udp.h"
#include "pnr/node.h"

struct daemon_node;
struct daemon_record; // node/daemon/record.h

// What all nodes of a process share; lent to each.
struct daemon_node_shared {
    struct daemon_loop *loop;
    struct dht_crypto crypto; // its sign() is not used
    struct daemon_secrets_worker *worker;
    // What the brain says to clients. bytes: to be copied. flush: everything was said; writes what
    // can be written without waiting, and returns whether that told the brain anything, such as
    // node_session_sent().
    void *ctx;
    void (*bytes)(void *ctx, struct daemon_node *node, uint32_t session, struct dht_span bytes);
    void (*hangup)(void *ctx, struct daemon_node *node, uint32_t session);
    bool (*flush)(void *ctx, struct daemon_node *node);
};

// A socket and its engine. config.addr is where to bind; port 0: the system chooses.
struct daemon_node_engine {
    struct dht_config config;
    size_t socket_buffer_bytes;
    struct daemon_udp_link link; // index 0: of no one interface
};

struct daemon_node_cloud {
    struct node_cloud_config config; // no name: Global_
    struct daemon_node_engine engines[NODE_ENGINES_MAX];
    size_t engine_count;
    struct daemon_config_hosts bootstrap;
};

struct daemon_node_options {
    struct node_config config;
    struct daemon_node_cloud cloud; // the first; others are added later
    const char *state_dir;          // NULL: nothing is kept on disk, and every write succeeds
    const char *keys_dir;
    bool keys_lazy; // see node/daemon/secrets.h
    uint8_t seed[32];
    const char *record_path; // of a recording to be made; NULL: none
};

// Opens the sockets, takes hold of the state directory, and restores what is there. NULL, with
// nothing left behind but files made, for the reasons that udp.h, state.h, keys.h and record.h
// name.
struct daemon_node *daemon_node_open(const struct daemon_node_shared *shared,
                                     const struct daemon_node_options *options,
                                     struct daemon_error *ret_error);
// Begins to join.
void daemon_node_start(struct daemon_node *node);
// Withdraws nothing; writes all that waits for the state thread, which may take as long as the disk
// does. Clients have to be gone.
void daemon_node_close(struct daemon_node *node);
// Before an orderly close: clients are told, as far as their sockets take it at once, and what
// outlives the node is handed to the state's thread.
void daemon_node_stop(struct daemon_node *node);

// ---- looking in ----

// To look into; what it is told goes by way of daemon_node_record().
struct node *daemon_node_brain(struct daemon_node *node);
struct daemon_record *daemon_node_record(struct daemon_node *node);
struct daemon_state *daemon_node_state(struct daemon_node *node); // NULL: nothing is kept on disk
uint32_t daemon_node_index(const struct daemon_node *node);
struct daemon_loop *daemon_node_loop(struct daemon_node *node);
// Engines of all clouds, by their places: engine 0 is the first cloud's first.
size_t daemon_node_engine_count(const struct daemon_node *node);
const char *daemon_node_engine_cloud(const struct daemon_node *node, size_t engine);
// Where that engine's socket is bound, with the port that the system chose.
struct dht_addr daemon_node_addr(const struct daemon_node *node, size_t engine);
// Whether that engine knows nobody and has nobody to ask: no contact, and no bootstrap address of
// its family was found so far.
bool daemon_node_is_alone(struct daemon_node *node, size_t engine);
// Whether any engine of it has joined.
bool daemon_node_is_joined(struct daemon_node *node);

// ---- doing ----

// To be called before each input to the brain; returns the loop's time for it.
int64_t daemon_node_enter(struct daemon_node *node);
// To be called after each input: see above.
void daemon_node_settle(struct daemon_node *node);

// Tells the brain what its sockets and its state have counted, for a client that may ask.
// clients_refused: what the sessions have (node/daemon/session.h).
void daemon_node_tell_counters(struct daemon_node *node, uint64_t clients_refused);

// Hands bootstrap addresses to the engines of their family in the first cloud.
void daemon_node_bootstrap(struct daemon_node *node, const struct dht_addr *addrs, size_t count);

// ---- clouds ----
// cloud: a name. All of these settle.

// Adds one, with what earlier runs left of it; where the node has started it begins to join. False
// where a socket cannot be opened: the cloud is there then, with those that could; or, with nothing
// done, where there is no place for it.
bool daemon_node_add_cloud(struct daemon_node *node, const struct daemon_node_cloud *options,
                           struct daemon_error *ret_error);
// Does nothing where there is none.
void daemon_node_remove_cloud(struct daemon_node *node, const char *cloud);
bool daemon_node_has_cloud(const struct daemon_node *node, const char *cloud);
// The name of one at a place, from 0; NULL past the last.
const char *daemon_node_cloud_at(const struct daemon_node *node, size_t place);
// Takes over another list of bootstrap hosts.
void daemon_node_set_bootstrap(struct daemon_node *node, const char *cloud,
                               const struct daemon_config_hosts *hosts);
// Opens a socket more, for which it has what earlier runs left of the cloud, closes one, and tells
// where one is bound: ip_len 0: nowhere.
bool daemon_node_open_engine(struct daemon_node *node, const char *cloud,
                             const struct daemon_node_engine *options,
                             struct daemon_error *ret_error);
void daemon_node_close_engine(struct daemon_node *node, const char *cloud, enum dht_family family);
uint32_t daemon_node_cloud_scope_id(const struct daemon_node *node, const char *cloud); // 0: none
struct dht_addr daemon_node_cloud_addr(const struct daemon_node *node, const char *cloud,
                                       enum dht_family family);

// Reads the keys' directory again, off the loop.
void daemon_node_reload_keys(struct daemon_node *node);

#endif
