// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_INDEX_H
#define PNR_DHT_INDEX_H

// A hash index for the stores: from 32 bits of a keyed hash to a small number, which is a slot of
// the owner's array, or a count. Knows nothing of the keys: several values may stand under one
// hash, and the owner compares. Because the whole hash stands beside the value, a probe touches the
// owner's memory only for the right entry (and once in 2^32 for a wrong one).
//
// Open addressing with linear probing. The home of a hash is hash * capacity / 2^32, so that the
// capacity may be any number and growing walks both tables from front to back. It grows by a
// quarter at seven tenths full and shrinks by half at less than a fifth: 8 bytes an entry, 11 to 15
// bytes an entry in use. Removing moves the followers back, so nothing is left behind.
// A zeroed struct is an empty index that owns no memory. Hashes have to be keyed (dht/siphash.h).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHT_INDEX_NONE  UINT32_MAX // no value; not to be added
#define DHT_INDEX_START UINT32_MAX // the cursor before the first dht_index_next()

struct dht_index_entry {
    uint32_t hash;
    uint32_t value;
};

struct dht_index {
    struct dht_index_entry *entries;
    uint32_t capacity;
    uint32_t count;
};

// Gives the memory back; the index is empty then.
void dht_index_clear(struct dht_index *index);

// The next value under this hash, or DHT_INDEX_NONE. *cursor is DHT_INDEX_START the first time.
uint32_t dht_index_next(const struct dht_index *index, uint32_t hash, uint32_t *cursor);

// Makes room for one more entry, with never more room than count_max entries need. False where
// memory is short; the index is as it was.
bool dht_index_reserve(struct dht_index *index, uint32_t count_max);
// How many bytes dht_index_reserve() would add to the table.
size_t dht_index_growth(const struct dht_index *index, uint32_t count_max);

// Adds an entry; there is room for it (asserted).
void dht_index_add(struct dht_index *index, uint32_t hash, uint32_t value);
// Removes one entry, which has to be there (asserted). Gives memory back where much is unused.
void dht_index_remove(struct dht_index *index, uint32_t hash, uint32_t value);
// Changes the value of one entry, which has to be there (asserted).
void dht_index_replace(struct dht_index *index, uint32_t hash, uint32_t from, uint32_t to);

// Asserts that every entry is found, and counted. For tests: it looks at the whole table.
void dht_index_check(const struct dht_index *index);

#endif
