// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ITEM_STORE_H
#define PNR_DHT_ITEM_STORE_H

// The items of BEP 44 that this node keeps for others. Knows nothing of messages and signatures:
// what comes in has been checked, and the rules for seq and cas are dht/serve.c's.
//
// Found by target in constant time (dht/index.h). One allocation per item, of exactly its size.
// Kept in the order of their last refresh, so that what expires is at the head.
// Bounds: items_max; bytes_max, all told: header, value, slots and indexes, each as much as malloc
// really takes for it (a mutable item with a value of 100 bytes costs about 285); per_source_max by
// the prefix that first stored it (dht_addr_prefix). A full store refuses the newcomer: nothing
// already stored is lost to a flood. An empty store owns no tables; they grow by a quarter.

#include "dht/siphash.h"
#include "pnr/dht.h"

struct dht_item_store;

// An item as stored. The fields are read-only for others; value and salt follow the header in
// memory.
struct dht_stored_item {
    struct dht_id target;
    uint8_t is_mutable;
    uint8_t salt_len;
    uint16_t value_len;
    uint32_t slot;       // the store's own
    uint32_t source_tag; // keyed hash of the prefix that first stored it
    int64_t seq;         // of a mutable item; else 0
    int64_t refreshed_us;
    uint8_t bytes[]; // of a mutable item key, sig and salt first; then value
};

struct dht_item_store_limits {
    uint32_t items_max;
    size_t bytes_max;
    uint32_t per_source_max; // 0: no such limit
    int64_t lifetime_us;     // an item expires so long after its last refresh
};

enum dht_item_store_result {
    DHT_ITEM_STORE_ADDED,
    DHT_ITEM_STORE_REPLACED,
    DHT_ITEM_STORE_FULL,        // items_max or bytes_max reached, or memory short
    DHT_ITEM_STORE_SOURCE_FULL, // this source has stored enough
};

// NULL where memory is short.
struct dht_item_store *dht_item_store_new(const struct dht_item_store_limits *limits,
                                          const struct dht_siphash_key *key);
void dht_item_store_free(struct dht_item_store *store);

// NULL where there is none. The pointer is good until the store is next changed.
const struct dht_stored_item *dht_item_store_find(const struct dht_item_store *store,
                                                  const struct dht_id *target);

// Adds the item, or replaces the one with its target. now_us counts as its last refresh; an item of
// an earlier run is put back with the time it had then (put such items in the order of their times,
// either way: others have to be sorted in one by one). On FULL and SOURCE_FULL nothing has changed
// (a replacement that does not fit leaves the old item). A replacement still counts for the source
// that first stored the item, and one of the same length allocates nothing. item may be the
// view of the stored one. Salt and value are within BEP 44's limits (asserted).
enum dht_item_store_result dht_item_store_put(struct dht_item_store *store, int64_t now_us,
                                              uint64_t source, const struct dht_item *item);

// The same item was put again: its lifetime starts anew.
void dht_item_store_refresh(struct dht_item_store *store, int64_t now_us,
                            const struct dht_stored_item *item);

// Drops what has expired, at most `most` items; returns how many.
uint32_t dht_item_store_expire(struct dht_item_store *store, int64_t now_us, uint32_t most);
// The item that expires next; NULL where there is none.
const struct dht_stored_item *dht_item_store_oldest(const struct dht_item_store *store);
// When the next item expires; INT64_MAX where there is none.
int64_t dht_item_store_next_expiry(const struct dht_item_store *store);

// A view of the stored item as the public struct; spans point into it.
struct dht_item dht_item_store_view(const struct dht_stored_item *item);

// Whether one more item of the greatest length could be added, as far as items_max and bytes_max go
// (a `get` answers without a token where not, quirk Q12).
bool dht_item_store_has_room(const struct dht_item_store *store);

uint32_t dht_item_store_count(const struct dht_item_store *store);
size_t dht_item_store_bytes(const struct dht_item_store *store);

// Walks from the most recently refreshed to the oldest: cursor 0 starts; writes the next item and
// returns the cursor that goes on behind it; 0, with no item, at the end or at the first item
// refreshed before since_us. Where the store changes meanwhile, a walk may end early or show an
// item twice, no worse.
uint32_t dht_item_store_walk(const struct dht_item_store *store, uint32_t cursor, int64_t since_us,
                             const struct dht_stored_item **ret_item);

// Asserts that the store's tables agree with each other. For tests: it looks at everything.
void dht_item_store_check(const struct dht_item_store *store);

#endif
