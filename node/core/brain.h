// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_BRAIN_H
#define PNR_CORE_BRAIN_H

// The brain as its own parts see it; include/pnr/node.h tells what it is. The story of one request:
//
//     bytes --session--> frame --request--> resolve (cache, or engines' lookups --cloud--> items)
//     --answer--> bytes
//                                       \-> publication: read, merge, sign, save, store, and again
//                                       before it expires
//
// Every input begins with core_brain_enter() and ends with core_brain_settle(), which hands the
// engines' events to who waits for them. So no part is ever called back in the middle of its own
// work.

#include "dht/random.h"
#include "dht/timer.h"
#include "node/core/cache.h"
#include "node/core/keyring.h"
#include "node/core/outbox.h"
#include "node/core/owner.h"
#include "node/core/publication_table.h"
#include "node/core/record.h"
#include "node/core/row_set.h"
#include "node/core/seqlog.h"
#include "pnr/node.h"

#define CORE_SECOND_US INT64_C(1000000)
#define CORE_MINUTE_US (60 * CORE_SECOND_US)

enum core_timer_kind {
    CORE_TIMER_REQUEST,
    CORE_TIMER_RESOLVE,
    CORE_TIMER_PUBLICATION,
    CORE_TIMER_WATCH,
    CORE_TIMER_SNAPSHOT,
    CORE_TIMER_REGISTRATION,
    CORE_TIMER_UNSECURED,
    CORE_TIMER_SWARM,
    CORE_TIMER_CLOUDS,
    CORE_TIMER_LINK,
};

struct core_cloud;
struct core_engine;
struct core_doctor;
struct core_session;
struct core_resolve;
struct core_publication;
struct core_watch;
struct core_registration;
struct core_unsecured;
struct core_swarm;

// What every input touches comes first, as in struct dht.
struct node {
    int64_t now_us;               // set by core_brain_enter() alone
    struct core_engine **engines; // of all clouds, in the order in which they came
    int engine_count;
    bool started;
    bool is_ending;  // node_stop() was called
    bool is_parting; // and there is something to tell yet
    struct core_outbox outbox;
    struct core_session *sessions; // all of them
    struct dht_timer_heap timers;
    uint32_t session_count;
    uint32_t next_session;
    struct core_cloud **clouds; // and names of clouds that are gone, for what is published there
    uint32_t cloud_count;
    struct dht_timer cloud_timer; // while somebody watches them
    int next_cloud;
    int next_engine;
    uint32_t request_count;
    uint32_t next_key_request;
    struct node_config config;
    struct dht_crypto crypto;
    struct dht_random random;
    int64_t birth_us;
    int64_t wall_us;    // wall-clock time as last told,
    int64_t wall_at_us; // and when that was
    uint8_t machine[CORE_RECORD_MACHINE_LEN];
    bool has_machine;
    struct dht_timer snapshot_timer;
    int64_t snapshot_at_us; // when the last one was taken
    struct core_row_set item_rows;
    struct core_keyring keyring;
    struct core_cache cache;
    struct core_seqlog seqlog;
    struct core_owner_table owners; // of the engines' operations
    struct core_resolve *resolves;  // under way
    uint32_t resolve_count;
    struct core_watch *watches; // of names, for clients
    uint32_t watch_count;
    struct core_publication_table publications;
    struct core_registration *registrations; // all of them
    uint32_t registration_count;
    struct core_unsecured *unsecured; // lookups of unsecured names under way
    uint32_t unsecured_count;
    struct core_swarm *swarms; // unsecured names watched
    uint32_t swarm_count;
    struct core_publication *rounds; // those with a round under way
    uint32_t publishing_count;       // how many those are
    uint64_t next_write;
    struct node_counters counters;
    const struct node_driver_counter *driver_counters; // the driver's
    size_t driver_counter_count;
};

#define CORE_COUNT(node, name) ((node)->counters.name++)

void core_brain_enter(struct node *node, int64_t now_us);
// An engine is gone: tells who waits for one of its operations that it has ended, as
// DHT_OUT_DONE with nothing achieved.
void core_brain_end_ops(struct node *node, int engine);
// Handles all that the input has brought about.
void core_brain_settle(struct node *node);

// The wall-clock time now, in microseconds.
int64_t core_brain_wall_us(const struct node *node);

// Makes room for the timer of one more request, resolve, publication or watch. A timer that is not
// set takes up no place in the heap, so this counts all that there are. False where memory is
// short.
bool core_brain_timer_room(struct node *node);

// Queues a row to be written; value.len 0 deletes it. Returns its id, or 0 where memory is short.
uint64_t core_brain_write(struct node *node, enum node_row_kind kind, struct dht_span key,
                          struct dht_span value, bool durable);

#endif
