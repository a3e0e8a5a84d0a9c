// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_ROW_SET_H
#define PNR_CORE_ROW_SET_H

// Which items have a row on disk, so that a row goes when its item has gone. Bound: as many as the
// engines store, and those that went since the last sweep.

#include "dht/index.h"
#include "pnr/dht.h"

struct core_row_entry {
    struct dht_id target;
    int cloud;      // its number
    uint8_t family; // enum dht_family: each engine stores for itself
    bool marked;
};

struct core_row_set {
    struct core_row_entry *entries;
    uint32_t count, capacity;
    struct dht_index index;
};

void core_row_set_fini(struct core_row_set *set);

// Notes a row, or that it is still wanted, and marks it. False where memory is short.
bool core_row_set_add(struct core_row_set *set, int cloud, uint8_t family,
                      const struct dht_id *target);
// Marks a row where there is one.
void core_row_set_mark(struct core_row_set *set, int cloud, uint8_t family,
                       const struct dht_id *target);
// Forgets the rows of a cloud, which stay on disk.
void core_row_set_drop(struct core_row_set *set, int cloud);
// Takes out one that is not marked; false where all that are left are. The marks are then gone.
bool core_row_set_sweep(struct core_row_set *set, uint32_t *cursor,
                        struct core_row_entry *ret_entry);

#endif
