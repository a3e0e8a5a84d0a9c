// SPDX-License-Identifier: MIT
#include "node/core/owner.h"

#include <stdlib.h>

void core_owner_table_fini(struct core_owner_table *table)
{
    free(table->owners);
    dht_index_clear(&table->index);
    *table = (struct core_owner_table){0};
}

// Operation ids are slots and generations: multiplied, so that they spread over the index.
static uint32_t hash_of(int engine, uint32_t op)
{
    return (op ^ (uint32_t)engine << 24) * UINT32_C(2654435769);
}

static uint32_t slot_of(const struct core_owner_table *table, int engine, uint32_t op)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&table->index, hash_of(engine, op), &cursor)) != DHT_INDEX_NONE)
        if (table->owners[slot].op == op && table->owners[slot].engine == engine)
            break;
    return slot;
}

static uint32_t take_slot(struct core_owner_table *table)
{
    if (table->free != 0) {
        uint32_t slot = table->free - 1;
        table->free = table->owners[slot].next_free;
        return slot;
    }
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity == 0 ? 8 : table->capacity * 2;
        struct core_owner *owners = realloc(table->owners, capacity * sizeof *owners);
        if (owners == NULL)
            return DHT_INDEX_NONE;
        table->owners = owners;
        table->capacity = capacity;
    }
    return table->count++;
}

bool core_owner_set(struct core_owner_table *table, int engine, uint32_t op,
                    enum core_owner_kind kind, void *object)
{
    uint32_t slot = slot_of(table, engine, op);
    if (slot == DHT_INDEX_NONE) {
        if (!dht_index_reserve(&table->index, UINT32_MAX / 4))
            return false;
        slot = take_slot(table);
        if (slot == DHT_INDEX_NONE)
            return false;
        dht_index_add(&table->index, hash_of(engine, op), slot);
    }
    table->owners[slot] =
        (struct core_owner){.kind = kind, .object = object, .op = op, .engine = engine};
    return true;
}

struct core_owner core_owner_find(const struct core_owner_table *table, int engine, uint32_t op)
{
    uint32_t slot = slot_of(table, engine, op);
    return slot != DHT_INDEX_NONE ? table->owners[slot] : (struct core_owner){0};
}

struct core_owner core_owner_of_engine(const struct core_owner_table *table, int engine)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (table->owners[i].kind != CORE_OWNER_NONE && table->owners[i].engine == engine)
            return table->owners[i];
    return (struct core_owner){0};
}

void core_owner_clear(struct core_owner_table *table, int engine, uint32_t op)
{
    uint32_t slot = slot_of(table, engine, op);
    if (slot == DHT_INDEX_NONE)
        return;
    dht_index_remove(&table->index, hash_of(engine, op), slot);
    table->owners[slot] = (struct core_owner){.next_free = table->free};
    table->free = slot + 1;
}
