// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_PUBLICATION_TABLE_H
#define PNR_CORE_PUBLICATION_TABLE_H

// All publications of a node, found by cloud, key and classifier. The table points to them and owns
// none. Bound: publications_max, which core_publication_*() keep.

#include "dht/index.h"
#include "pnr/dht.h"

struct core_cloud;
struct core_publication;

struct core_publication_table {
    struct core_publication **slots; // in no order; [publication->slot]
    uint32_t count, capacity;
    struct dht_index index;
};

void core_publication_table_fini(struct core_publication_table *table);

// NULL where there is none.
struct core_publication *core_publication_table_find(const struct core_publication_table *table,
                                                     const struct core_cloud *cloud,
                                                     const uint8_t key[DHT_KEY_LEN],
                                                     struct dht_span classifier);
// Adds one whose cloud, key and classifier are set. False where memory is short.
bool core_publication_table_add(struct core_publication_table *table,
                                struct core_publication *publication);
// Takes one out; the last one moves into its slot.
void core_publication_table_remove(struct core_publication_table *table,
                                   struct core_publication *publication);

#endif
