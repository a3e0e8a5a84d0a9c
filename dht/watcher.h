// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_WATCHER_H
#define PNR_DHT_WATCHER_H

// Those who watch something here, as a keeper knows them (docs/watching.md): by address, port and
// target, each with its nonce, its lease and what it has been told. Knows nothing of messages; what
// is sent to whom and when is dht/push.h's.
//
// A watcher's life:
//
//     TRIAL --a push is acknowledged--> ACCEPTED --other nonce--> TRIAL
//     either --lease over, three pushes not acknowledged, lease 0--> gone
//
// Found in constant time by address and target, and all of one target in a chain; each has one
// timer, so that nothing is ever searched for what is due. Who has something to be told while
// pushes_max are under way waits in a queue, in the order they came.
//
// Bounds: watchers_max in all, per_target_max of one target, per_source_max of one /24 or /48 (0:
// no such limit). A full table refuses the newcomer. Memory is asked for when one is added, about
// 200 bytes each and 100 for each target; an empty table owns nothing but itself. Watchers stay
// where they are: timers point into them.

#include "dht/index.h"
#include "dht/krpc.h"
#include "dht/siphash.h"
#include "dht/slots.h"
#include "dht/timer.h"

#define DHT_WATCHER_RECENT 16 // announced peers that a target remembers, and a push carries

enum dht_watcher_state {
    DHT_WATCHER_TRIAL,
    DHT_WATCHER_ACCEPTED,
};

// What a push says.
enum dht_push_kind {
    DHT_PUSH_NOTHING,
    DHT_PUSH_TEST,
    DHT_PUSH_NOTICE, // there is a newer item
    DHT_PUSH_ITEM,
    DHT_PUSH_GONE,
    DHT_PUSH_PEERS,
};

struct dht_watcher {
    struct dht_timer timer; // the first member; set while it is in the table
    int64_t lease_end_us;
    int64_t quiet_until_us; // nothing is pushed before
    int64_t told_seq;       // the newest item that it knows; DHT_SEQ_NONE: none
    int64_t pushed_seq;     // of the push under way
    uint32_t told_peers;    // of its target's `announced`
    uint32_t pushed_peers;
    uint32_t slot;
    uint32_t watched;                  // the slot of its target
    uint32_t next, previous;           // of the same target; DHT_SLOTS_NONE: none
    uint32_t wait_next, wait_previous; // of those that wait
    uint32_t prefix_tag;               // keyed hash of its prefix
    uint32_t tid;                      // of the push under way
    struct dht_addr addr;
    uint8_t nonce[DHT_KRPC_NONCE_LEN];
    uint8_t state;  // enum dht_watcher_state
    uint8_t pushed; // enum dht_push_kind: what is under way; NOTHING: nothing is
    uint8_t tries;  // of pushes in a row that were not acknowledged
    bool is_waiting;
    bool owes_gone; // the item has expired, and it has not been told so
};

// A target that somebody watches.
struct dht_watched {
    struct dht_id target;
    bool peers; // it is an infohash, whose peers are watched
    uint32_t slot;
    uint32_t first; // its watchers, latest first
    uint32_t count;
    uint32_t announced; // peers so far
    uint8_t *recent;    // the last DHT_WATCHER_RECENT of them, compact, a ring; NULL: none
};

struct dht_watcher_limits {
    uint32_t watchers_max; // below UINT16_MAX
    uint32_t per_target_max;
    uint32_t per_source_max;
};

struct dht_watcher_table {
    struct dht_watcher_limits limits;
    struct dht_siphash_key key;
    struct dht_slots watchers;
    struct dht_slots targets;
    uint32_t under_way; // watchers with a push under way
    uint32_t wait_first, wait_last;
    struct dht_index by_watcher; // address, port, target, kind -> slot
    struct dht_index by_target;  // target, kind -> slot
    struct dht_index prefixes;   // prefix_tag -> how many
};

// NULL where memory is short.
struct dht_watcher_table *dht_watcher_table_new(const struct dht_watcher_limits *limits,
                                                const struct dht_siphash_key *key);
void dht_watcher_table_free(struct dht_watcher_table *table);

// NULL where nobody watches it.
struct dht_watched *dht_watcher_target(const struct dht_watcher_table *table,
                                       const struct dht_id *target, bool peers);
// NULL where that one does not.
struct dht_watcher *dht_watcher_find(const struct dht_watcher_table *table,
                                     const struct dht_addr *addr, const struct dht_id *target,
                                     bool peers);

// A new watcher that is not there yet, on trial, with nothing told and no lease; the caller fills
// that in. Its timer has room in the heap and is to be set, with a kind of DHT_TIMER_WATCHER. NULL
// where a bound is reached or memory is short: nothing has changed then.
struct dht_watcher *dht_watcher_add(struct dht_watcher_table *table, struct dht_timer_heap *heap,
                                    const struct dht_addr *addr, const struct dht_id *target,
                                    bool peers);
// Forgets it, and its target where it was the last. What is under way to it is the caller's
// business.
void dht_watcher_remove(struct dht_watcher_table *table, struct dht_timer_heap *heap,
                        struct dht_watcher *watcher);

// By slot; NULL where it is free.
struct dht_watcher *dht_watcher_at(const struct dht_watcher_table *table, uint32_t slot);
struct dht_watched *dht_watcher_watched(const struct dht_watcher_table *table,
                                        const struct dht_watcher *watcher);

// Puts it at the end of the queue; one that waits stays where it is.
void dht_watcher_wait(struct dht_watcher_table *table, struct dht_watcher *watcher);
// Takes out the head of the queue; NULL where nobody waits.
struct dht_watcher *dht_watcher_next_waiting(struct dht_watcher_table *table);
void dht_watcher_stop_waiting(struct dht_watcher_table *table, struct dht_watcher *watcher);

// Notes an announced peer, in compact form. Where memory is short it is not noted.
void dht_watcher_announce(struct dht_watched *watched, const uint8_t *compact, size_t compact_len);

// What all of it costs, in bytes asked of malloc.
size_t dht_watcher_bytes(const struct dht_watcher_table *table);

// Asserts that the tables agree with each other. For tests: it looks at everything.
void dht_watcher_check(const struct dht_watcher_table *table);

#endif
