// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_TRANSACTION_H
#define PNR_DHT_TRANSACTION_H

// Our outstanding queries. Each has a random 32-bit id (quirk Q1: exactly 4 bytes) and one timer,
// which rings twice: at the soft timeout, when the place of the query in its lookup is free again,
// and at the hard one, when the query is given up. A reply counts only from the address that was
// asked (quirk Q7).
//
//     WAITING --soft timeout--> LATE --hard timeout--> gone
//
// Memory comes in chunks that stay where they are, since timers point into them; bound:
// queries_max.

#include "dht/random.h"
#include "dht/timer.h"
#include "pnr/dht.h"

enum dht_transaction_state {
    DHT_TRANSACTION_FREE,
    DHT_TRANSACTION_WAITING,
    DHT_TRANSACTION_LATE,
};

// What a query was sent for.
enum dht_purpose {
    DHT_PURPOSE_LOOKUP,    // a candidate of a lookup was asked
    DHT_PURPOSE_EXPLORE,   // a candidate was asked whom it knows elsewhere in the region
    DHT_PURPOSE_STORE,     // a put or an announce
    DHT_PURPOSE_PING,      // a dht_ping() of the caller
    DHT_PURPOSE_CHECK,     // maintenance: is this contact, or this newcomer, there?
    DHT_PURPOSE_BOOTSTRAP, // a find_node to a node that we know by address only
    DHT_PURPOSE_WHO,       // a pnr_who to a node that is announced (dht/who.h)
    DHT_PURPOSE_PUSH,      // a watcher was told something; op 0, candidate: its slot
    DHT_PURPOSE_KEEPER,    // a keeper was asked; op: the watch, candidate: the keeper's place
    DHT_PURPOSE_SELF,      // a ping to our own external address: are we reachable?
};

struct dht_transaction {
    struct dht_timer timer;
    uint32_t tid;
    uint32_t op;        // 0: of no operation, or of one that has ended
    uint32_t next;      // in the chain of its hash bucket, or of the free list
    uint16_t candidate; // of op's lookup
    uint8_t state;      // enum dht_transaction_state
    uint8_t purpose;    // enum dht_purpose
    uint8_t method;     // enum dht_krpc_method
    uint8_t has_id;     // id is known and expected
    struct dht_id id;
    struct dht_addr addr;
    int64_t sent_us;
    int64_t hard_us; // when it is given up
};

struct dht_transaction_table {
    struct dht_transaction **chunks;
    uint32_t *buckets; // heads of the chains, by tid
    uint32_t bucket_count;
    uint32_t slots; // in all chunks
    uint32_t slots_max;
    uint32_t count; // in use
    uint32_t free;  // head of the free list
};

void dht_transaction_table_init(struct dht_transaction_table *table, uint32_t slots_max);
void dht_transaction_table_fini(struct dht_transaction_table *table);

// A new transaction in state WAITING with an id of its own; the caller fills in the rest and sets
// the timer. NULL where queries_max are outstanding or memory is short.
struct dht_transaction *dht_transaction_open(struct dht_transaction_table *table,
                                             struct dht_timer_heap *heap,
                                             struct dht_random *random);
void dht_transaction_close(struct dht_transaction_table *table, struct dht_timer_heap *heap,
                           struct dht_transaction *transaction);

// By the id of a reply; NULL where none of ours.
struct dht_transaction *dht_transaction_find(const struct dht_transaction_table *table,
                                             struct dht_span tid);

// Where none are outstanding, gives all memory back.
void dht_transaction_rest(struct dht_transaction_table *table);

// Walks those in use: cursor 0 starts; NULL at the end. Closing the one just returned is allowed.
struct dht_transaction *dht_transaction_walk(const struct dht_transaction_table *table,
                                             uint32_t *cursor);

#endif
