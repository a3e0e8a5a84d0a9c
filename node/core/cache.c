// SPDX-License-Identifier: MIT
#include "node/core/cache.h"

#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NO_SLOT UINT32_MAX

void core_cache_init(struct core_cache *cache, uint32_t count_max)
{
    *cache = (struct core_cache){.count_max = count_max, .newest = NO_SLOT, .oldest = NO_SLOT};
}

void core_cache_fini(struct core_cache *cache)
{
    for (uint32_t i = 0; i < cache->count; i++)
        free(cache->entries[i].value);
    free(cache->entries);
    dht_index_clear(&cache->index);
    core_cache_init(cache, cache->count_max);
}

// Targets are hashes already. Who chooses keys to make theirs collide can only slow down lookups on
// machines that ask for them.
static uint32_t hash_of(const struct dht_id *target)
{
    uint32_t hash;
    memcpy(&hash, target->bytes, sizeof hash);
    return hash;
}

static uint32_t slot_of(const struct core_cache *cache, int cloud, const struct dht_id *target)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&cache->index, hash_of(target), &cursor)) != DHT_INDEX_NONE)
        if (cache->entries[slot].cloud == cloud &&
            dht_id_equal(&cache->entries[slot].target, target))
            return slot;
    return NO_SLOT;
}

// ---- order of use ----

static void unlink_entry(struct core_cache *cache, uint32_t slot)
{
    struct core_cache_entry *entry = &cache->entries[slot];
    if (entry->newer != NO_SLOT)
        cache->entries[entry->newer].older = entry->older;
    else
        cache->newest = entry->older;
    if (entry->older != NO_SLOT)
        cache->entries[entry->older].newer = entry->newer;
    else
        cache->oldest = entry->newer;
}

static void link_newest(struct core_cache *cache, uint32_t slot)
{
    struct core_cache_entry *entry = &cache->entries[slot];
    entry->newer = NO_SLOT;
    entry->older = cache->newest;
    if (cache->newest != NO_SLOT)
        cache->entries[cache->newest].newer = slot;
    else
        cache->oldest = slot;
    cache->newest = slot;
}

// ---- slots ----

// Takes the entry out; the last one moves into its slot.
static void remove_slot(struct core_cache *cache, uint32_t slot)
{
    unlink_entry(cache, slot);
    dht_index_remove(&cache->index, hash_of(&cache->entries[slot].target), slot);
    free(cache->entries[slot].value);
    uint32_t last = --cache->count;
    if (slot == last)
        return;
    struct core_cache_entry *moved = &cache->entries[slot];
    *moved = cache->entries[last];
    dht_index_replace(&cache->index, hash_of(&moved->target), last, slot);
    if (moved->newer != NO_SLOT)
        cache->entries[moved->newer].older = slot;
    else
        cache->newest = slot;
    if (moved->older != NO_SLOT)
        cache->entries[moved->older].newer = slot;
    else
        cache->oldest = slot;
}

static bool make_room(struct core_cache *cache)
{
    if (cache->count_max == 0)
        return false;
    if (cache->count == cache->count_max) {
        cache->evicted++;
        remove_slot(cache, cache->oldest);
    }
    if (!dht_index_reserve(&cache->index, cache->count_max))
        return false;
    if (cache->count < cache->capacity)
        return true;
    uint32_t capacity = cache->capacity == 0 ? 16 : cache->capacity * 2;
    struct core_cache_entry *entries = realloc(cache->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    cache->entries = entries;
    cache->capacity = capacity;
    return true;
}

const struct core_cache_entry *core_cache_find(struct core_cache *cache, int64_t now_us, int cloud,
                                               const struct dht_id *target)
{
    uint32_t slot = slot_of(cache, cloud, target);
    if (slot == NO_SLOT)
        return NULL;
    if (cache->entries[slot].expires_us <= now_us) {
        remove_slot(cache, slot);
        return NULL;
    }
    unlink_entry(cache, slot);
    link_newest(cache, slot);
    return &cache->entries[slot];
}

void core_cache_put(struct core_cache *cache, const struct core_cache_entry *entry)
{
    uint32_t slot = slot_of(cache, entry->cloud, &entry->target);
    if (slot != NO_SLOT) {
        const struct core_cache_entry *known = &cache->entries[slot];
        bool known_good = known->value_len > 0 && known->expires_us > entry->verified_us;
        if (entry->is_key && known->expires_us > entry->verified_us)
            return; // its key is in it
        // A newer item that holds nothing, a tombstone, does replace a record.
        bool older = entry->value_len == 0 ? entry->seq <= known->seq : entry->seq < known->seq;
        if (known_good && older)
            return;
        remove_slot(cache, slot);
    }
    uint8_t *value = NULL;
    if (entry->value_len > 0) {
        value = malloc(entry->value_len);
        if (value == NULL)
            return;
        memcpy(value, entry->value, entry->value_len);
    }
    if (!make_room(cache)) {
        free(value);
        return;
    }
    slot = cache->count++;
    cache->entries[slot] = *entry;
    cache->entries[slot].value = value;
    dht_index_add(&cache->index, hash_of(&entry->target), slot);
    link_newest(cache, slot);
}

void core_cache_forget(struct core_cache *cache, int cloud, const struct dht_id *target)
{
    uint32_t slot = slot_of(cache, cloud, target);
    if (slot != NO_SLOT)
        remove_slot(cache, slot);
}

void core_cache_drop(struct core_cache *cache, int cloud)
{
    for (uint32_t slot = cache->count; slot-- > 0;)
        if (cache->entries[slot].cloud == cloud)
            remove_slot(cache, slot);
}
