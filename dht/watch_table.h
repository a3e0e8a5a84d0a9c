// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_WATCH_TABLE_H
#define PNR_DHT_WATCH_TABLE_H

// Our own watches (docs/watching.md) and their keepers: the nodes that are asked to push, or asked
// whether there is news. Here is what is known of each; what is done is dht/watch.h's and
// dht/keeper.h's.
//
// A keeper's life:
//
//     TRIED --its test push comes--> PUSHING
//     TRIED --refuses, knows no such method, no test push, silent twice--> POLLED
//     PUSHING --silent twice, or refuses to renew--> POLLED --silent twice--> LOST
//     any of them --caught lying--> LOST                POLLED --its push comes--> PUSHING
//
// LOST is passed over until a new lookup chooses other keepers.
//
// A watch is named by an id of the kind that operations have (dht/op.h), of a range of its own: the
// places above ops_max. Several may be for one target: one of them leads, and has the keepers, and
// the others listen. Bounds: watches_max, DHT_KEEPERS_MAX each. Memory is asked for when a watch
// starts, about 1.3 KiB each (and 4 KiB for the peers it has told, if there are any); a table
// without watches is given back whole.

#include "dht/index.h"
#include "dht/krpc.h"
#include "dht/lookup.h"
#include "dht/siphash.h"
#include "dht/slots.h"
#include "dht/timer.h"

#define DHT_KEEPERS_MAX    8
#define DHT_WATCH_TOLD_MAX 512

enum dht_keeper_state {
    DHT_KEEPER_TRIED,
    DHT_KEEPER_PUSHING,
    DHT_KEEPER_POLLED,
    DHT_KEEPER_LOST,
};

struct dht_keeper {
    struct dht_id id;
    struct dht_addr addr;
    int64_t due_us;      // when to ask it; of one that has granted and is on trial, when that ends
    int64_t token_us;    // when it gave its token
    int64_t renew_us;    // how long before its lease is renewed
    uint32_t rtt_us;     // expected; 0: unknown
    uint8_t state;       // enum dht_keeper_state
    uint8_t silent;      // times in a row
    bool is_asked;       // a query to it is under way
    bool has_granted;    // a lease
    bool wants_token;    // it is being asked for one, to be asked for a lease with
    bool is_asked_again; // with its token: its reply had been made smaller
    bool holds;          // the newest item, as far as is known
    uint8_t token_len;
    uint8_t token[DHT_LOOKUP_TOKEN_MAX];
};

// A peer that was told, and when.
struct dht_watch_told {
    uint32_t hash : 31;
    uint32_t is_pushed : 1; // a keeper had pushed it then
    uint32_t told_s;        // as dht_engine_now_s(); 0: empty
};

struct dht_watching {
    struct dht_timer timer; // the first member
    uint32_t id;
    uint32_t slot;
    uint32_t lookup_op; // the lookup of keepers under way; 0: none
    uint8_t kind;       // enum dht_watch_kind
    bool poll_only;
    bool listens;       // another one of its target, with the same poll_only, has the keepers
    bool has_item;      // what is known is held by somebody, as far as is known
    bool suspects_gone; // the lookup is to see whether anybody still holds it
    uint8_t wanted;     // keepers; 0: none, having looked, and listening
    uint8_t keeper_count;
    uint8_t poll_next; // whose turn it is
    uint8_t salt_len;
    uint8_t salt[DHT_SALT_LEN_MAX];
    uint8_t nonce[DHT_KRPC_NONCE_LEN];
    struct dht_id target;
    int64_t seq_known;
    int64_t heard_us;  // PEERS: what was announced before that is known, or was told
    int64_t looked_us; // when the last lookup ended
    int64_t next_lookup_us;
    int64_t lookup_pause_us; // between two that are wanted before their time
    int64_t next_poll_us;
    int64_t poll_pause_us;
    struct dht_watch_told *told; // DHT_WATCH_TOLD_MAX of them, by hash; NULL: none yet
    struct dht_keeper keepers[DHT_KEEPERS_MAX];
};

struct dht_watch_table {
    struct dht_siphash_key key;
    uint32_t watches_max;
    uint32_t id_base;    // ids have this and the slot in their low 16 bits
    uint16_t generation; // of the latest
    struct dht_slots slots;
    struct dht_index targets; // target, kind -> slot; several under one hash
};

// NULL where memory is short. ops_max + watches_max is below UINT16_MAX (asserted).
struct dht_watch_table *dht_watch_table_new(uint32_t ops_max, uint32_t watches_max,
                                            const struct dht_siphash_key *key);
void dht_watch_table_free(struct dht_watch_table *table);

// A new watch, all zero but for its id, kind and target. Its timer has room in the heap. NULL where
// watches_max are under way or memory is short.
struct dht_watching *dht_watch_table_open(struct dht_watch_table *table,
                                          struct dht_timer_heap *heap, enum dht_watch_kind kind,
                                          const struct dht_id *target);
void dht_watch_table_close(struct dht_watch_table *table, struct dht_timer_heap *heap,
                           struct dht_watching *watching);

// NULL where there is no such watch any more.
struct dht_watching *dht_watch_table_find(const struct dht_watch_table *table, uint32_t id);
// The next watch of a target; NULL at the end. *cursor is DHT_INDEX_START the first time. Opening
// or closing watches ends the walk.
struct dht_watching *dht_watch_table_next(const struct dht_watch_table *table,
                                          const struct dht_id *target, enum dht_watch_kind kind,
                                          uint32_t *cursor);

// The keeper at that address, lost or not; NULL where there is none.
struct dht_keeper *dht_watch_table_keeper(struct dht_watching *watching,
                                          const struct dht_addr *addr);

// Notes a peer that is about to be told; whether it was not told within the last ten minutes. One
// that a keeper has pushed is told unless a push of it was within the last seconds: what a lookup
// has found may be older than what the push is about. Where memory is short every peer is told.
bool dht_watch_table_tells(const struct dht_watch_table *table, struct dht_watching *watching,
                           const struct dht_addr *peer, bool is_pushed, uint32_t now_s);

// Asserts that the table agrees with itself. For tests.
void dht_watch_table_check(const struct dht_watch_table *table);

#endif
