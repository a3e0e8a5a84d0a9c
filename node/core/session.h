// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_SESSION_H
#define PNR_CORE_SESSION_H

// Control sessions: bytes in, frames, requests; answers, bytes out. A client that breaks the
// protocol or does not read is hung up on; whatever it asked for is then cancelled. Bounds:
// sessions_max, requests_max a session, session_out_max bytes waiting for a client, of which
// progress may take up half.

#include "node/control/fields.h"
#include "node/control/frame.h"
#include "node/core/brain.h"
#include "node/core/criteria.h"
#include "node/core/picture.h"

// One request of a client, from its frame to its final answer.
struct core_request {
    struct dht_timer timer; // its deadline
    struct core_session *session;
    struct core_request *next, *prev; // of the session
    uint32_t id;
    enum control_request kind;
    int64_t started_us;
    struct core_cloud *cloud; // what it waits for is of this cloud, and ends with it; NULL: of none
    bool trace;
    bool cached;              // a resolve: what is known here and fresh will do, or comes first
    struct core_picture told; // a resolve: what its client was told of a secured name
    int64_t told_seq;         // of the record in which that was
    bool watches_clouds;
    uint32_t results;                     // sent
    struct core_resolve *resolve;         // it waits for this lookup
    struct core_request *next_waiter;     // of the lookup
    struct core_publication *publication; // it waits for this round
    uint32_t ping_op;                     // it waits for this operation
    int ping_engine;
    struct dht_addr ping_addr;
    int64_t ping_sent_us;                   // when it was last sent
    uint32_t key_request;                   // it waits for the keeper of keys
    struct core_watcher *watcher;           // it watches a name (node/core/watcher.h)
    bool listing;                           // it waits for its client to read, to be told the rest:
    uint32_t list_left;                     // so many slots of the table of publications,
    uint32_t list_at;                       // and the registrations from this one on
    struct core_criteria criteria;          // of a resolve, a watch: which results it wants
    struct core_unsecured *unsecured;       // it waits for this lookup, in next_waiter
    struct core_registration *registration; // it waits for this round
    struct core_doctor *doctor;             // it waits for this doctor
};

struct core_session {
    struct core_session *next, *prev; // of the node
    uint32_t id;
    enum node_access access;
    struct control_frame_reader reader;
    struct core_request *requests;
    uint32_t request_count;
    size_t out_len; // bytes queued and not yet sent
    bool doomed;    // hung up on; gone at the end of the input
};

struct core_session *core_session_find(const struct node *node, uint32_t id);
void core_session_free_all(struct node *node);

// Whether a long answer may go on. Otherwise it waits until the client has read some of it.
bool core_session_has_room(const struct node *node, const struct core_session *session);

// Gives up the sessions that are doomed.
void core_session_reap(struct node *node);

// ---- answers ----
// Begun, filled with fields in the order of their keys, ended. Progress is dropped where the client
// is slow.

// A buffer big enough for any answer; used for one at a time.
struct core_answer {
    struct core_request *request;
    enum control_answer kind;
    struct dht_bencode_writer writer;
    uint8_t buf[CONTROL_FRAME_MAX];
};

void core_answer_begin(struct core_answer *answer, struct core_request *request,
                       enum control_answer kind);
// Sends it. A final one ends the request, which is gone then. False where it is progress and was
// dropped.
bool core_answer_end(struct node *node, struct core_answer *answer);

// Ends the request with an error.
void core_request_fail(struct node *node, struct core_request *request, enum control_error code,
                       const char *text);
// Ends the request without an answer: takes it out of all that it waits for.
void core_request_drop(struct node *node, struct core_request *request);

// The request's time is up.
void core_request_timeout(struct node *node, struct core_request *request);

#endif
