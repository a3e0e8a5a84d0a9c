// SPDX-License-Identifier: MIT
#include "dht/watch_table.h"

#include "dht/addr.h"
#include "dht/engine.h"
#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS    16
#define SLOT_MASK    ((UINT32_C(1) << SLOT_BITS) - 1)
#define HASH_MASK    (UINT32_MAX >> 1)
#define TOLD_AGAIN_S 600
// All keepers push what is new, within moments; each is quiet for five seconds then.
#define PUSHED_AGAIN_S 4

struct dht_watch_table *dht_watch_table_new(uint32_t ops_max, uint32_t watches_max,
                                            const struct dht_siphash_key *key)
{
    assert(ops_max + watches_max < UINT16_MAX);
    struct dht_watch_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->key = *key;
    table->watches_max = watches_max;
    table->id_base = ops_max + 1;
    return table;
}

static void free_watching(struct dht_watching *watching)
{
    if (watching != NULL)
        free(watching->told);
    free(watching);
}

void dht_watch_table_free(struct dht_watch_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t slot = 0; slot < table->slots.capacity; slot++)
        free_watching(dht_slots_at(&table->slots, slot));
    dht_slots_clear(&table->slots);
    dht_index_clear(&table->targets);
    free(table);
}

static uint32_t hash_target(const struct dht_watch_table *table, const struct dht_id *target,
                            enum dht_watch_kind kind)
{
    uint8_t bytes[DHT_ID_LEN + 1];
    memcpy(bytes, target->bytes, DHT_ID_LEN);
    bytes[DHT_ID_LEN] = (uint8_t)kind;
    return (uint32_t)dht_siphash(&table->key, bytes, sizeof bytes);
}

struct dht_watching *dht_watch_table_open(struct dht_watch_table *table,
                                          struct dht_timer_heap *heap, enum dht_watch_kind kind,
                                          const struct dht_id *target)
{
    if (!dht_slots_reserve(&table->slots, table->watches_max) ||
        !dht_index_reserve(&table->targets, table->watches_max) || !dht_timer_reserve(heap, 1))
        return NULL;
    struct dht_watching *watching = calloc(1, sizeof *watching);
    if (watching == NULL)
        return NULL;
    dht_timer_init(&watching->timer, DHT_TIMER_WATCH);
    watching->kind = (uint8_t)kind;
    watching->target = *target;
    watching->slot = dht_slots_add(&table->slots, watching);
    watching->id = (uint32_t)++table->generation << SLOT_BITS | (table->id_base + watching->slot);
    dht_index_add(&table->targets, hash_target(table, target, kind), watching->slot);
    return watching;
}

void dht_watch_table_close(struct dht_watch_table *table, struct dht_timer_heap *heap,
                           struct dht_watching *watching)
{
    dht_timer_clear(heap, &watching->timer);
    dht_index_remove(&table->targets,
                     hash_target(table, &watching->target, (enum dht_watch_kind)watching->kind),
                     watching->slot);
    dht_slots_remove(&table->slots, watching->slot);
    free_watching(watching);
}

struct dht_watching *dht_watch_table_find(const struct dht_watch_table *table, uint32_t id)
{
    uint32_t slot = (id & SLOT_MASK) - table->id_base; // wraps for an operation, finds nothing
    struct dht_watching *watching = dht_slots_at(&table->slots, slot);
    return watching != NULL && watching->id == id ? watching : NULL;
}

struct dht_watching *dht_watch_table_next(const struct dht_watch_table *table,
                                          const struct dht_id *target, enum dht_watch_kind kind,
                                          uint32_t *cursor)
{
    uint32_t hash = hash_target(table, target, kind);
    uint32_t slot;
    while ((slot = dht_index_next(&table->targets, hash, cursor)) != DHT_INDEX_NONE) {
        struct dht_watching *watching = dht_slots_at(&table->slots, slot);
        if (watching->kind == (uint8_t)kind && dht_id_equal(&watching->target, target))
            return watching;
    }
    return NULL;
}

struct dht_keeper *dht_watch_table_keeper(struct dht_watching *watching,
                                          const struct dht_addr *addr)
{
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (dht_addr_equal(&watching->keepers[i].addr, addr))
            return &watching->keepers[i];
    return NULL;
}

bool dht_watch_table_tells(const struct dht_watch_table *table, struct dht_watching *watching,
                           const struct dht_addr *peer, bool is_pushed, uint32_t now_s)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    if (watching->told == NULL)
        watching->told = calloc(DHT_WATCH_TOLD_MAX, sizeof *watching->told);
    if (watching->told == NULL)
        return true;
    size_t len = dht_addr_to_compact(peer, compact);
    uint32_t hash = (uint32_t)dht_siphash(&table->key, compact, len) & HASH_MASK;
    uint32_t again_s = is_pushed ? PUSHED_AGAIN_S : TOLD_AGAIN_S;
    // One of two that share a place is told again too soon now and then: no harm.
    struct dht_watch_told *told = &watching->told[hash % DHT_WATCH_TOLD_MAX];
    if (told->hash == hash && told->told_s != 0 && now_s - told->told_s < again_s &&
        (told->is_pushed || !is_pushed))
        return false;
    *told = (struct dht_watch_told){.hash = hash, .is_pushed = is_pushed, .told_s = now_s};
    return true;
}

void dht_watch_table_check(const struct dht_watch_table *table)
{
    uint32_t count = 0;
    for (uint32_t slot = 0; slot < table->slots.capacity; slot++) {
        const struct dht_watching *watching = dht_slots_at(&table->slots, slot);
        if (watching == NULL)
            continue;
        assert(dht_watch_table_find(table, watching->id) == watching);
        assert(watching->keeper_count <= (watching->listens ? 0 : DHT_KEEPERS_MAX));
        count++;
    }
    assert(count == table->slots.count && count == table->targets.count);
    assert(count <= table->watches_max);
    dht_index_check(&table->targets);
}
