// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_OWNER_H
#define PNR_CORE_OWNER_H

// Who waits for which operation of which engine. An event whose operation has no owner any more is
// for nobody. Bound: as many as the engines have operations.

#include "dht/index.h"

enum core_owner_kind {
    CORE_OWNER_NONE,
    CORE_OWNER_RESOLVE,
    CORE_OWNER_PUBLICATION,
    CORE_OWNER_WATCH,
    CORE_OWNER_REQUEST,
    CORE_OWNER_REGISTRATION,
    CORE_OWNER_UNSECURED,
    CORE_OWNER_SWARM,
    CORE_OWNER_DOCTOR,
};

struct core_owner {
    enum core_owner_kind kind;
    void *object;
    uint32_t op;
    int engine;
    uint32_t next_free;
};

struct core_owner_table {
    struct core_owner *owners;
    uint32_t count, capacity;
    uint32_t free; // head of the free list, as slot + 1; 0: empty
    struct dht_index index;
};

void core_owner_table_fini(struct core_owner_table *table);

// False where memory is short; the caller then cancels the operation.
bool core_owner_set(struct core_owner_table *table, int engine, uint32_t op,
                    enum core_owner_kind kind, void *object);
// kind CORE_OWNER_NONE where there is none.
struct core_owner core_owner_find(const struct core_owner_table *table, int engine, uint32_t op);
// Any one of an engine's operations, or kind CORE_OWNER_NONE.
struct core_owner core_owner_of_engine(const struct core_owner_table *table, int engine);
void core_owner_clear(struct core_owner_table *table, int engine, uint32_t op);

#endif
