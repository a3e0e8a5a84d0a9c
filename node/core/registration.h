// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_REGISTRATION_H
#define PNR_CORE_REGISTRATION_H

// Unsecured names that this node publishes (docs/unsecured.md): for as long as the connection lives
// that registered them, or, published, until they are unpublished. What is registered is told to
// whoever asks at once; a round announces the node:
//
//     IDLE --due--> ANNOUNCING on every engine that others can reach --done--> IDLE, due again
//     before storing nodes forget, sooner where nobody stored it
//     SAVING  (published: the row is made durable) --durable--> ANNOUNCING
//     SAVING  (unpublished: the row is deleted) --durable--> gone
//
// Several connections may register one name, and it may be published besides: each is a publisher
// of its own. They share what the node tells (node/core/description.h), which bounds them: 16 of a
// name, with descriptions and payloads that fit one registration of the engine. A node that nobody
// can reach, being read-only, refuses; one restored from an earlier run waits until it is reached.

#include "node/core/description.h"
#include "node/core/publication.h"

enum core_registration_state {
    CORE_REGISTRATION_IDLE,
    CORE_REGISTRATION_SAVING,
    CORE_REGISTRATION_ANNOUNCING,
};

struct core_registration {
    struct core_registration *next, *prev; // of the node
    struct dht_timer timer;
    enum core_registration_state state;
    struct core_cloud *cloud;
    struct core_name name; // of kind UNSECURED
    struct dht_id info_hash;
    uint8_t publisher[CORE_DESCRIPTION_PUBLISHER_LEN];
    struct core_publication_content content;
    uint8_t digest[CORE_DESCRIPTION_DIGEST_LEN]; // of the payload
    struct core_session *session;                // NULL: published
    struct core_request *request;                // that waits for this round; NULL: none
    int64_t asked_us;                            // when it came
    uint64_t write;                              // SAVING: waits for this row
    struct core_lookup lookup;                   // the announces
    struct dht_tally tally;                      // of the last round
    bool renew;                                  // fell due while a round was under way
    bool saved;                                  // it was durable once
    bool ending;                                 // SAVING: that it is gone
    uint32_t failures;                           // rounds in a row that stored nothing
    int64_t stored_us;                           // when it was last stored; 0: never
    const char *last_error;                      // "" where none
};

// Publishes a name, or registers it for the request's session where is_session; a name that is
// there already gets the new content. The request is answered when the round is done.
// content->payload is taken over in every case.
void core_registration_publish(struct node *node, struct core_request *request,
                               const struct core_name *name,
                               struct core_publication_content *content, bool is_session);
void core_registration_withdraw(struct node *node, struct core_request *request,
                                const struct core_name *name, bool is_session);

// The request that waited is gone; what it asked for goes on, unless it is not durable yet.
void core_registration_leave(struct node *node, struct core_registration *registration);
// The connection is closed: what it registered is gone.
void core_registration_hang_up(struct node *node, const struct core_session *session);

// The node is ending: all go, but their rows, for the next run. Whether anybody is told of it.
bool core_registration_part(struct node *node);

void core_registration_timer(struct node *node, struct core_registration *registration);
void core_registration_event(struct node *node, struct core_registration *registration, int engine,
                             const struct dht_out *event);
// A row is durable, or could not be made so. Whether it was one of a registration's.
bool core_registration_written(struct node *node, uint64_t write_id, bool ok);

// Those of the cloud, NULL: all of them, are announced again, a little apart: our address or role
// has changed.
void core_registration_renew_all(struct node *node, const struct core_cloud *cloud);

// The cloud is gone: rounds under way end.
void core_registration_suspend(struct node *node, const struct core_cloud *cloud);
// It is there again, or has another engine: that is told what is registered, and announces it.
void core_registration_resume(struct node *node, struct core_cloud *cloud);

// A row of an earlier run: core_registration_is_row() tells by its key that it is one.
bool core_registration_is_row(struct dht_span key);
bool core_registration_restore(struct node *node, struct dht_span key, struct dht_span value);
void core_registration_free_all(struct node *node);

// Walks what is registered here in a cloud under an infohash; NULL starts, NULL at the end.
const struct core_registration *core_registration_next(const struct node *node,
                                                       const struct core_cloud *cloud,
                                                       const struct dht_id *info_hash,
                                                       const struct core_registration *after);
// What it says of itself.
void core_registration_describe(const struct core_registration *registration,
                                struct core_description *ret_description);

// ---- registration_row.c ----

// Writes its row, or deletes it. Returns as core_brain_write().
uint64_t core_registration_write(struct node *node, const struct core_registration *registration,
                                 bool is_gone);
// Reads a row. False where it makes no sense, or memory is short.
bool core_registration_read(struct dht_span value, struct core_publication_content *ret_content);

// ---- registration_list.c ----

// Answers the request with what the last round came to.
void core_registration_answer(struct node *node, const struct core_registration *registration,
                              struct core_request *request);

// Tells the request the next ones of the list, as `publications` does; false: its session has no
// room for all of them now.
bool core_registration_list(struct node *node, struct core_request *request);

#endif
