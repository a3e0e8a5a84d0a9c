// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_OP_H
#define PNR_DHT_OP_H

// Operations: what dht_get(), dht_put() and the others start, and the lookups of the engine's own
// upkeep.
//
//     LOOKUP --done, nothing to store--> (DONE event) gone, or HELD
//     LOOKUP --done, something to store--> STORING --all targets answered or silent--> (DONE event)
//     gone HELD   --dht_put() uses it--> gone        any --dht_cancel()--> gone, without an event
//
// An operation is named by id: its slot in the low bits and a generation above, so that a stale id
// finds nothing. Memory is asked for when it starts and given back when it is gone; bound: ops_max.

#include "dht/lookup.h"
#include "pnr/dht.h"

enum dht_op_kind {
    DHT_OP_FIND_NODE,
    DHT_OP_GET_PEERS,
    DHT_OP_GET,
    DHT_OP_PUT,
    DHT_OP_ANNOUNCE,
    DHT_OP_PING,
    DHT_OP_WHO,
};

enum dht_op_state {
    DHT_OP_LOOKUP,
    DHT_OP_STORING,
    DHT_OP_HELD,
    DHT_OP_PINGING,
    DHT_OP_ASKING,
};

// An item and the bytes that it points to, in one piece of memory.
struct dht_op_item {
    struct dht_item item;
    uint8_t bytes[];
};

//     NEW --put--> ASKED --reply--> STORED         ASKED --error--> REFUSED
//     ASKED --silence--> RETRY --put--> ASKED      ASKED --silence, the last time--> SILENT
//     ASKED --301 or 302 to a repeated put, get--> DOUBTED --it has our item--> STORED
//     DOUBTED --it has another, or is silent--> REFUSED
//
// While the operation lasts a late answer counts: from SILENT and DOUBTED it leads on like from
// ASKED.
enum dht_store_state {
    DHT_STORE_NEW,
    DHT_STORE_ASKED,
    DHT_STORE_RETRY,
    DHT_STORE_DOUBTED,
    DHT_STORE_STORED,
    DHT_STORE_REFUSED,
    DHT_STORE_SILENT,
};

// A node that a put or an announce asks to store.
struct dht_store_target {
    uint16_t candidate;
    uint8_t state; // enum dht_store_state
    uint8_t tries;
    int32_t code; // of a DOUBTED one: what the repeated put was answered with
};

struct dht_op {
    uint32_t id;
    uint8_t kind;  // enum dht_op_kind
    uint8_t state; // enum dht_op_state
    bool internal; // of the engine's own: no events
    bool trace;
    bool hold;
    bool each;
    bool fills;     // of the engine's own: it is over once the bucket of its target is full
    bool early;     // `item` was put before the lookup has ended, on those that are near
    uint8_t near;   // candidates that are, and have answered
    uint32_t watch; // of the engine's own: the watch that looks for keepers; 0: none
    uint8_t settle;
    bool widened;            // the lookup goes to the whole region
    bool curtailed;          // a node was not asked for what it had left out of its reply
    uint8_t explored;        // queries that explored the region (dht/explore.h)
    uint8_t exploring;       // of them under way
    uint8_t barren;          // the last ones, in a row, that brought nobody new
    uint8_t probed;          // of the closest: asked for their neighbours alone
    uint8_t neighbourly;     // of them, have told
    uint32_t doubt;          // dht_estimate_doubt() when it began
    double nodes;            // of the network, as estimated when it began; 0: unknown
    uint8_t own_holds;       // like dht_candidate.holds, of our own store
    uint8_t best_generation; // of `best`, or of the asker's own item; see dht_candidate.holds
    uint8_t salt_len;
    uint8_t salt[DHT_SALT_LEN_MAX];
    int64_t seq_known;
    struct dht_op_item *best; // the best item found; NULL: none
    struct dht_op_item *item; // to be put
    struct dht_op_item *own;  // of the caller's, see struct dht_get; NULL: none
    int64_t cas;
    uint16_t port; // to be announced
    bool changed;  // with something else to say
    uint8_t target_count;
    struct dht_store_target targets[DHT_STORERS_MAX];
    struct dht_lookup lookup;
    struct dht_addr *peers; // told so far; open addressing, ip_len 0: empty
    uint32_t peer_count, peer_capacity;
    struct dht_who_answer *who; // of a WHO (dht/who.c)
};

struct dht_op_table {
    struct dht_op **slots;
    uint32_t slot_count;
    uint32_t slots_max;
    uint32_t count;
    uint16_t generation; // of the latest
};

void dht_op_table_init(struct dht_op_table *table, uint32_t slots_max);
void dht_op_table_fini(struct dht_op_table *table);

// A new operation, all zero but for its id and kind. NULL where ops_max are under way or memory is
// short.
struct dht_op *dht_op_open(struct dht_op_table *table, enum dht_op_kind kind);
struct dht_op *dht_op_find(const struct dht_op_table *table, uint32_t id);
// Frees it and all it owns. Its transactions are the caller's business.
void dht_op_close(struct dht_op_table *table, struct dht_op *op);

// Where none are under way, gives the memory of the slots back.
void dht_op_rest(struct dht_op_table *table);

// A copy of an item in memory of its own; NULL where memory is short.
struct dht_op_item *dht_op_copy_item(const struct dht_item *item);

// Notes a peer; whether it was not told before. False too past DHT_OP_PEERS_MAX peers.
#define DHT_OP_PEERS_MAX 4096
bool dht_op_note_peer(struct dht_op *op, const struct dht_addr *peer);

#endif
