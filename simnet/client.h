// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CLIENT_H
#define PNR_SIMNET_CLIENT_H

// A program beside a machine: one control session to its brain, driven as bytes (docs/control.md).
// It asks, cancels, hangs up, asks twice, stops reading, and hands its frames over in pieces.
//
//     CLOSED --open--> OPEN --close, the brain hangs up, the machine stops or crashes--> CLOSED
//
// Time. What a client says reaches the brain at once, or, while its machine sleeps, when that
// wakes. What the brain says reaches the client's watches at the same virtual time, after the
// outputs of the brain were taken, so that a watch may ask, cancel and close as it likes. The
// functions here may be called from tasks and from watches; never from a tap.
//
// Ownership: a client is its maker's, and has to live until its world is run no more, for tasks
// name it. It can be opened again, at the same machine or another, whenever it is closed.

#include "simnet/answer.h"
#include "simnet/world.h"

struct simnet_client;

// A request under way.
struct simnet_client_request {
    uint32_t id;
    enum control_request kind;
    int64_t asked_us;   // of the world
    int64_t machine_us; // of the machine's own clock, when the brain had all of it
    bool is_said;       // the brain has it: what is said to a machine that sleeps waits
    int64_t timeout_us; // that was asked for; 0: none was
};

struct simnet_client_answer {
    uint32_t id; // 0 speaks of the connection
    // What it answers, as it was asked; NULL where nothing of that id is under way.
    const struct simnet_client_request *request;
    enum control_answer kind;
    struct dht_span fields; // simnet/answer.h reads them; valid during the call
};

enum simnet_client_end {
    SIMNET_CLIENT_CLOSED,  // by itself
    SIMNET_CLIENT_HUNG_UP, // by the brain
    SIMNET_CLIENT_LOST,    // its machine was stopped or has crashed
    SIMNET_CLIENT_BROKEN,  // the brain sent what is no answer
};

// Sees what a client does and hears. Called in the order in which they were added; each function
// may be NULL.
struct simnet_client_watch {
    void (*asked)(void *ctx, struct simnet_client *client,
                  const struct simnet_client_request *request);
    void (*answered)(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer);
    // The session is over; nothing that was under way is answered any more.
    void (*ended)(void *ctx, struct simnet_client *client, enum simnet_client_end end);
    void *ctx;
    struct simnet_client_watch *next; // the client's
};

struct simnet_client *simnet_client_new(struct simnet_world *world);
void simnet_client_free(struct simnet_client *client);
// Adds a watch, which has to live as long as the client.
void simnet_client_watch(struct simnet_client *client, struct simnet_client_watch *watch);

// ---- the session ----

// False where the machine is not up, is no brain, or its brain refuses one more session. The client
// is closed (asserted).
bool simnet_client_open(struct simnet_client *client, struct simnet_machine *machine,
                        enum node_access access);
bool simnet_client_is_open(const struct simnet_client *client);
// Hangs up, if it is open.
void simnet_client_close(struct simnet_client *client);
// The machine of the session, or of the last one.
struct simnet_machine *simnet_client_machine(const struct simnet_client *client);
// The session's number in the brain, or that of the last one; 0 where there was none.
uint32_t simnet_client_session(const struct simnet_client *client);

// Requests under way.
size_t simnet_client_pending(const struct simnet_client *client);
// The one with that place, below simnet_client_pending().
const struct simnet_client_request *simnet_client_request(const struct simnet_client *client,
                                                          size_t place);

// ---- requests ----
// Each returns the request's id, or 0 where the client is not open.

struct simnet_client_resolve {
    const char *name;
    enum control_wait wait;
    uint32_t timeout_ms; // 0: left out
    bool trace;
};

struct simnet_client_publish {
    const char *name;
    const struct control_endpoint *endpoints;
    size_t endpoint_count;
    struct dht_span comment; // data NULL: none
    struct dht_span payload; // binary; data NULL: none
    uint32_t ttl_s;          // 0: left out
    bool unsecured;          // `register` instead
};

uint32_t simnet_client_resolve(struct simnet_client *client,
                               const struct simnet_client_resolve *resolve);
uint32_t simnet_client_publish(struct simnet_client *client,
                               const struct simnet_client_publish *publish);
uint32_t simnet_client_unpublish(struct simnet_client *client, const char *name);
// Watches a name: the request `watch`.
uint32_t simnet_client_follow(struct simnet_client *client, const char *name);
uint32_t simnet_client_cancel(struct simnet_client *client, uint32_t id);
// A request without arguments: STATUS, PEERS, PUBLICATIONS, KEY_LIST.
uint32_t simnet_client_ask(struct simnet_client *client, enum control_request kind);

// ---- misbehaviour ----

// What the next request will have as its id, instead of the one after the last. Again the id of one
// under way: the brain is to hang up.
void simnet_client_next_id(struct simnet_client *client, uint32_t id);
// Stops reading, or begins again: what the brain says stays unread.
void simnet_client_read(struct simnet_client *client, bool is_reading);
// From now on frames go out in pieces, cut at random places, some milliseconds apart. stream is the
// caller's, and has to live as long as the client; NULL: whole again.
void simnet_client_cut(struct simnet_client *client, struct simnet_stream *stream);
// Says anything at all.
void simnet_client_say(struct simnet_client *client, struct dht_span bytes);

#endif
