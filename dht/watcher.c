// SPDX-License-Identifier: MIT
#include "dht/watcher.h"

#include "dht/addr.h"
#include "dht/engine.h"
#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE DHT_SLOTS_NONE

struct dht_watcher_table *dht_watcher_table_new(const struct dht_watcher_limits *limits,
                                                const struct dht_siphash_key *key)
{
    assert(limits->watchers_max < UINT16_MAX);
    struct dht_watcher_table *table = calloc(1, sizeof *table);
    if (table == NULL)
        return NULL;
    table->limits = *limits;
    table->key = *key;
    table->wait_first = table->wait_last = NONE;
    return table;
}

static void free_target(struct dht_watched *watched)
{
    free(watched->recent);
    free(watched);
}

void dht_watcher_table_free(struct dht_watcher_table *table)
{
    if (table == NULL)
        return;
    for (uint32_t slot = 0; slot < table->watchers.capacity; slot++)
        free(dht_slots_at(&table->watchers, slot));
    for (uint32_t slot = 0; slot < table->targets.capacity; slot++)
        if (dht_slots_at(&table->targets, slot) != NULL)
            free_target(dht_slots_at(&table->targets, slot));
    dht_slots_clear(&table->watchers);
    dht_slots_clear(&table->targets);
    dht_index_clear(&table->by_watcher);
    dht_index_clear(&table->by_target);
    dht_index_clear(&table->prefixes);
    free(table);
}

// ---- finding ----

static uint32_t hash_target(const struct dht_watcher_table *table, const struct dht_id *target,
                            bool peers)
{
    uint8_t bytes[DHT_ID_LEN + 1];
    memcpy(bytes, target->bytes, DHT_ID_LEN);
    bytes[DHT_ID_LEN] = peers;
    return (uint32_t)dht_siphash(&table->key, bytes, sizeof bytes);
}

static uint32_t hash_watcher(const struct dht_watcher_table *table, const struct dht_addr *addr,
                             const struct dht_id *target, bool peers)
{
    uint8_t bytes[DHT_ID_LEN + 1 + DHT_ADDR_COMPACT_MAX];
    memcpy(bytes, target->bytes, DHT_ID_LEN);
    bytes[DHT_ID_LEN] = peers;
    size_t len = dht_addr_to_compact(addr, bytes + DHT_ID_LEN + 1);
    return (uint32_t)dht_siphash(&table->key, bytes, DHT_ID_LEN + 1 + len);
}

static uint32_t hash_prefix(const struct dht_watcher_table *table, const struct dht_addr *addr)
{
    uint64_t prefix = dht_addr_prefix(addr);
    return (uint32_t)dht_siphash(&table->key, &prefix, sizeof prefix);
}

struct dht_watched *dht_watcher_target(const struct dht_watcher_table *table,
                                       const struct dht_id *target, bool peers)
{
    uint32_t hash = hash_target(table, target, peers);
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&table->by_target, hash, &cursor)) != DHT_INDEX_NONE) {
        struct dht_watched *watched = dht_slots_at(&table->targets, slot);
        if (watched->peers == peers && dht_id_equal(&watched->target, target))
            return watched;
    }
    return NULL;
}

struct dht_watched *dht_watcher_watched(const struct dht_watcher_table *table,
                                        const struct dht_watcher *watcher)
{
    return dht_slots_at(&table->targets, watcher->watched);
}

struct dht_watcher *dht_watcher_at(const struct dht_watcher_table *table, uint32_t slot)
{
    return dht_slots_at(&table->watchers, slot);
}

struct dht_watcher *dht_watcher_find(const struct dht_watcher_table *table,
                                     const struct dht_addr *addr, const struct dht_id *target,
                                     bool peers)
{
    uint32_t hash = hash_watcher(table, addr, target, peers);
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&table->by_watcher, hash, &cursor)) != DHT_INDEX_NONE) {
        struct dht_watcher *watcher = dht_watcher_at(table, slot);
        const struct dht_watched *watched = dht_watcher_watched(table, watcher);
        if (dht_addr_equal(&watcher->addr, addr) && watched->peers == peers &&
            dht_id_equal(&watched->target, target))
            return watcher;
    }
    return NULL;
}

// ---- how many of a prefix ----

static uint32_t count_of_prefix(const struct dht_watcher_table *table, uint32_t tag)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t count = dht_index_next(&table->prefixes, tag, &cursor);
    return count == DHT_INDEX_NONE ? 0 : count;
}

static void count_prefix(struct dht_watcher_table *table, uint32_t tag, int change)
{
    if (table->limits.per_source_max == 0)
        return;
    uint32_t count = count_of_prefix(table, tag);
    uint32_t after = count + (uint32_t)change;
    if (count == 0)
        dht_index_add(&table->prefixes, tag, after);
    else if (after == 0)
        dht_index_remove(&table->prefixes, tag, count);
    else
        dht_index_replace(&table->prefixes, tag, count, after);
}

// ---- adding ----

// A target that is not there yet. There is room in the tables.
static struct dht_watched *add_target(struct dht_watcher_table *table, const struct dht_id *target,
                                      bool peers)
{
    struct dht_watched *watched = calloc(1, sizeof *watched);
    if (watched == NULL)
        return NULL;
    watched->target = *target;
    watched->peers = peers;
    watched->first = NONE;
    watched->slot = dht_slots_add(&table->targets, watched);
    dht_index_add(&table->by_target, hash_target(table, target, peers), watched->slot);
    return watched;
}

static void remove_target(struct dht_watcher_table *table, struct dht_watched *watched)
{
    uint32_t hash = hash_target(table, &watched->target, watched->peers);
    dht_index_remove(&table->by_target, hash, watched->slot);
    dht_slots_remove(&table->targets, watched->slot);
    free_target(watched);
}

// Room for one more watcher, and for a target of its own.
static bool reserve(struct dht_watcher_table *table, struct dht_timer_heap *heap)
{
    uint32_t most = table->limits.watchers_max;
    return dht_slots_reserve(&table->watchers, most) && dht_slots_reserve(&table->targets, most) &&
           dht_index_reserve(&table->by_watcher, most) &&
           dht_index_reserve(&table->by_target, most) &&
           dht_index_reserve(&table->prefixes, most) && dht_timer_reserve(heap, 1);
}

static void link_watcher(struct dht_watcher_table *table, struct dht_watched *watched,
                         struct dht_watcher *watcher)
{
    watcher->watched = watched->slot;
    watcher->previous = NONE;
    watcher->next = watched->first;
    if (watched->first != NONE)
        dht_watcher_at(table, watched->first)->previous = watcher->slot;
    watched->first = watcher->slot;
    watched->count++;
}

struct dht_watcher *dht_watcher_add(struct dht_watcher_table *table, struct dht_timer_heap *heap,
                                    const struct dht_addr *addr, const struct dht_id *target,
                                    bool peers)
{
    uint32_t tag = hash_prefix(table, addr);
    uint32_t per_source_max = table->limits.per_source_max;
    struct dht_watched *watched = dht_watcher_target(table, target, peers);
    if (watched != NULL && watched->count >= table->limits.per_target_max)
        return NULL;
    if (per_source_max > 0 && count_of_prefix(table, tag) >= per_source_max)
        return NULL;
    if (!reserve(table, heap))
        return NULL;
    struct dht_watcher *watcher = calloc(1, sizeof *watcher);
    if (watcher == NULL)
        return NULL;
    if (watched == NULL)
        watched = add_target(table, target, peers);
    if (watched == NULL) {
        free(watcher);
        return NULL;
    }
    dht_timer_init(&watcher->timer, DHT_TIMER_WATCHER);
    watcher->addr = *addr;
    watcher->told_seq = DHT_SEQ_NONE;
    watcher->told_peers = watched->announced;
    watcher->prefix_tag = tag;
    watcher->wait_next = watcher->wait_previous = NONE;
    watcher->slot = dht_slots_add(&table->watchers, watcher);
    dht_index_add(&table->by_watcher, hash_watcher(table, addr, target, peers), watcher->slot);
    count_prefix(table, tag, 1);
    link_watcher(table, watched, watcher);
    return watcher;
}

// ---- removing ----

static void unlink_watcher(struct dht_watcher_table *table, struct dht_watched *watched,
                           const struct dht_watcher *watcher)
{
    if (watcher->previous != NONE)
        dht_watcher_at(table, watcher->previous)->next = watcher->next;
    else
        watched->first = watcher->next;
    if (watcher->next != NONE)
        dht_watcher_at(table, watcher->next)->previous = watcher->previous;
    watched->count--;
}

void dht_watcher_remove(struct dht_watcher_table *table, struct dht_timer_heap *heap,
                        struct dht_watcher *watcher)
{
    struct dht_watched *watched = dht_watcher_watched(table, watcher);
    dht_timer_clear(heap, &watcher->timer);
    dht_watcher_stop_waiting(table, watcher);
    unlink_watcher(table, watched, watcher);
    count_prefix(table, watcher->prefix_tag, -1);
    uint32_t hash = hash_watcher(table, &watcher->addr, &watched->target, watched->peers);
    dht_index_remove(&table->by_watcher, hash, watcher->slot);
    dht_slots_remove(&table->watchers, watcher->slot);
    if (watched->count == 0)
        remove_target(table, watched);
    free(watcher);
}

// ---- waiting ----

void dht_watcher_wait(struct dht_watcher_table *table, struct dht_watcher *watcher)
{
    if (watcher->is_waiting)
        return;
    watcher->is_waiting = true;
    watcher->wait_next = NONE;
    watcher->wait_previous = table->wait_last;
    if (table->wait_last != NONE)
        dht_watcher_at(table, table->wait_last)->wait_next = watcher->slot;
    else
        table->wait_first = watcher->slot;
    table->wait_last = watcher->slot;
}

void dht_watcher_stop_waiting(struct dht_watcher_table *table, struct dht_watcher *watcher)
{
    if (!watcher->is_waiting)
        return;
    watcher->is_waiting = false;
    if (watcher->wait_previous != NONE)
        dht_watcher_at(table, watcher->wait_previous)->wait_next = watcher->wait_next;
    else
        table->wait_first = watcher->wait_next;
    if (watcher->wait_next != NONE)
        dht_watcher_at(table, watcher->wait_next)->wait_previous = watcher->wait_previous;
    else
        table->wait_last = watcher->wait_previous;
    watcher->wait_next = watcher->wait_previous = NONE;
}

struct dht_watcher *dht_watcher_next_waiting(struct dht_watcher_table *table)
{
    struct dht_watcher *watcher = dht_watcher_at(table, table->wait_first);
    if (watcher != NULL)
        dht_watcher_stop_waiting(table, watcher);
    return watcher;
}

// ---- announced peers ----

void dht_watcher_announce(struct dht_watched *watched, const uint8_t *compact, size_t compact_len)
{
    if (watched->recent == NULL)
        watched->recent = malloc(DHT_WATCHER_RECENT * compact_len);
    if (watched->recent == NULL)
        return;
    memcpy(watched->recent + watched->announced % DHT_WATCHER_RECENT * compact_len, compact,
           compact_len);
    watched->announced++;
}

// ---- looking in ----

size_t dht_watcher_bytes(const struct dht_watcher_table *table)
{
    size_t entries =
        (size_t)table->by_watcher.capacity + table->by_target.capacity + table->prefixes.capacity;
    size_t slots = (size_t)table->watchers.capacity + table->targets.capacity;
    size_t bytes = sizeof *table + entries * sizeof(struct dht_index_entry) +
                   slots * sizeof(struct dht_slot) +
                   table->watchers.count * sizeof(struct dht_watcher);
    for (uint32_t slot = 0; slot < table->targets.capacity; slot++) {
        const struct dht_watched *watched = dht_slots_at(&table->targets, slot);
        if (watched != NULL)
            bytes += sizeof *watched +
                     (watched->recent != NULL ? DHT_WATCHER_RECENT * DHT_ADDR_COMPACT_MAX : 0);
    }
    return bytes;
}

static void check_target(const struct dht_watcher_table *table, const struct dht_watched *watched)
{
    uint32_t count = 0;
    uint32_t previous = NONE;
    assert(dht_watcher_target(table, &watched->target, watched->peers) == watched);
    for (uint32_t slot = watched->first; slot != NONE; count++) {
        const struct dht_watcher *watcher = dht_watcher_at(table, slot);
        assert(watcher != NULL && watcher->watched == watched->slot);
        assert(watcher->previous == previous && watcher->slot == slot);
        previous = slot;
        slot = watcher->next;
    }
    assert(count == watched->count && count > 0 && count <= table->limits.per_target_max);
}

void dht_watcher_check(const struct dht_watcher_table *table)
{
    uint32_t waiting = 0;
    uint32_t under_way = 0;
    uint32_t of_targets = 0;
    for (uint32_t slot = 0; slot < table->watchers.capacity; slot++) {
        const struct dht_watcher *watcher = dht_watcher_at(table, slot);
        if (watcher == NULL)
            continue;
        const struct dht_watched *watched = dht_watcher_watched(table, watcher);
        assert(dht_watcher_find(table, &watcher->addr, &watched->target, watched->peers) ==
               watcher);
        waiting += watcher->is_waiting;
        under_way += watcher->pushed != DHT_PUSH_NOTHING;
        assert(!watcher->is_waiting || watcher->pushed == DHT_PUSH_NOTHING);
        assert(table->limits.per_source_max == 0 ||
               count_of_prefix(table, watcher->prefix_tag) <= table->limits.per_source_max);
    }
    for (uint32_t slot = 0; slot < table->targets.capacity; slot++) {
        const struct dht_watched *watched = dht_slots_at(&table->targets, slot);
        if (watched == NULL)
            continue;
        check_target(table, watched);
        of_targets += watched->count;
    }
    for (uint32_t slot = table->wait_first; slot != NONE;
         slot = dht_watcher_at(table, slot)->wait_next)
        waiting--;
    assert(waiting == 0 && under_way == table->under_way && of_targets == table->watchers.count);
    assert(table->watchers.count <= table->limits.watchers_max);
    dht_index_check(&table->by_watcher);
    dht_index_check(&table->by_target);
    dht_index_check(&table->prefixes);
}
