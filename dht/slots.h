// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SLOTS_H
#define PNR_DHT_SLOTS_H

// Numbers for things that stay where they are in memory: each gets a small number while it is
// there, so that indexes (dht/index.h), chains and transactions can name it. Owns the numbers, not
// the things. Giving out and taking back a number take constant time; numbers are used again.
// Bound: count_max at each call. 16 bytes each; grows by a quarter, and is given back whole. A
// zeroed struct is empty and owns no memory.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHT_SLOTS_NONE UINT32_MAX

struct dht_slot {
    void *thing; // NULL: free
    uint32_t next_free;
};

struct dht_slots {
    struct dht_slot *slots;
    uint32_t capacity;
    uint32_t count; // in use
    uint32_t free;  // the first free one, where count < capacity
};

// Gives the memory back; nothing is numbered then.
void dht_slots_clear(struct dht_slots *slots);

// Makes room for one more; false where count_max are in use or memory is short.
bool dht_slots_reserve(struct dht_slots *slots, uint32_t count_max);
// Gives the thing a number. There is room (asserted).
uint32_t dht_slots_add(struct dht_slots *slots, void *thing);
// Takes the number back. It is in use (asserted).
void dht_slots_remove(struct dht_slots *slots, uint32_t slot);
// NULL where the number is not in use.
void *dht_slots_at(const struct dht_slots *slots, uint32_t slot);

#endif
