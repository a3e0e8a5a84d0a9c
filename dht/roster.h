// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ROSTER_H
#define PNR_DHT_ROSTER_H

// Which buckets of the routing table may hold a host: 2 bytes for each contact, in one small table,
// so that finding out that a host, or a prefix, is nowhere in the table costs a cache line and not
// a walk over all contacts. It knows 11 bits of a hash, and the bucket's depth up to
// DHT_ROSTER_DEEP; the caller looks into the buckets that it names.
//
// Open addressing with linear probing, at most three quarters full. Who collides on purpose has to
// get contacts into the table for each collision, and gains a slower walk over its few hundred
// bytes. A zeroed struct is an empty roster that owns no memory.

#include <stdbool.h>
#include <stdint.h>

#define DHT_ROSTER_DEEP 30 // buckets at this depth and all deeper ones are one

struct dht_roster {
    uint16_t *entries;
    uint16_t capacity;
    uint16_t count;
};

// Gives the memory back; the roster is empty then.
void dht_roster_clear(struct dht_roster *roster);

// Makes room for one more entry. False where memory is short, or 40,000 are there.
bool dht_roster_reserve(struct dht_roster *roster);
// One more contact of that hash in the bucket at that depth; there is room for it (asserted).
void dht_roster_add(struct dht_roster *roster, uint32_t hash, uint32_t depth);
// One less; it is there (asserted).
void dht_roster_remove(struct dht_roster *roster, uint32_t hash, uint32_t depth);

// The depths that may hold a contact of that hash: bit d is depth d, bit DHT_ROSTER_DEEP is all
// from there on. Zero: none does.
uint32_t dht_roster_find(const struct dht_roster *roster, uint32_t hash);

// Whether the set of dht_roster_find() names the bucket at that depth.
static inline bool dht_roster_names(uint32_t set, uint32_t depth)
{
    return (set >> (depth < DHT_ROSTER_DEEP ? depth : DHT_ROSTER_DEEP) & 1) != 0;
}

#endif
