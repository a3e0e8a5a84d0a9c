// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_CACHE_H
#define PNR_CORE_CACHE_H

// What lookups found lately, by cloud and target: verified items for as long as their record says
// (300 to 86,400 seconds), "there is none" for a short while, and which key has a hash, which does
// not change, for a day. Bound: cache_max entries; the one
// used longest ago makes room.

#include "dht/index.h"
#include "pnr/dht.h"

struct core_cache_entry {
    int cloud; // its number
    struct dht_id target;
    uint8_t key[DHT_KEY_LEN];
    int64_t seq;
    int64_t verified_us; // when it was found
    int64_t expires_us;
    uint32_t newer, older; // in order of use, as slots
    bool is_key; // of a key's hash: that the key has it is all that is known; there is no value
    uint16_t value_len; // 0: it is known that there is none
    uint8_t *value;     // the DNS message, without bencoding
};

struct core_cache {
    struct core_cache_entry *entries;
    uint32_t count, capacity, count_max;
    uint32_t newest, oldest;
    struct dht_index index;
    uint64_t evicted;
};

void core_cache_init(struct core_cache *cache, uint32_t count_max);
void core_cache_fini(struct core_cache *cache);

// The entry of the target, unless it has expired; NULL where there is none. Counts as a use.
const struct core_cache_entry *core_cache_find(struct core_cache *cache, int64_t now_us, int cloud,
                                               const struct dht_id *target);

// Keeps an entry, in place of what there was; its value is copied. An older sequence number than
// the one kept is not taken, nor, over a record that is still good, "there is none", unless that
// has a newer sequence number: a tombstone's. That a key has a hash takes the place of nothing.
void core_cache_put(struct core_cache *cache, const struct core_cache_entry *entry);

// Forgets a target: it has just changed.
void core_cache_forget(struct core_cache *cache, int cloud, const struct dht_id *target);

// Forgets all of a cloud.
void core_cache_drop(struct core_cache *cache, int cloud);

#endif
