// SPDX-License-Identifier: MIT
#include "node/core/row_set.h"

#include "dht/id.h"

#include <stdlib.h>
#include <string.h>

void core_row_set_fini(struct core_row_set *set)
{
    free(set->entries);
    dht_index_clear(&set->index);
    *set = (struct core_row_set){0};
}

static uint32_t hash_of(const struct dht_id *target)
{
    uint32_t hash;
    memcpy(&hash, target->bytes, sizeof hash);
    return hash;
}

static uint32_t slot_of(const struct core_row_set *set, uint8_t family, const struct dht_id *target)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&set->index, hash_of(target), &cursor)) != DHT_INDEX_NONE)
        if (set->entries[slot].family == family && dht_id_equal(&set->entries[slot].target, target))
            break;
    return slot;
}

static bool grow(struct core_row_set *set)
{
    if (!dht_index_reserve(&set->index, UINT32_MAX / 4))
        return false;
    if (set->count < set->capacity)
        return true;
    uint32_t capacity = set->capacity == 0 ? 8 : set->capacity * 2;
    struct core_row_entry *entries = realloc(set->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    set->entries = entries;
    set->capacity = capacity;
    return true;
}

bool core_row_set_add(struct core_row_set *set, uint8_t family, const struct dht_id *target)
{
    uint32_t slot = slot_of(set, family, target);
    if (slot == DHT_INDEX_NONE) {
        if (!grow(set))
            return false;
        slot = set->count++;
        set->entries[slot] = (struct core_row_entry){.target = *target, .family = family};
        dht_index_add(&set->index, hash_of(target), slot);
    }
    set->entries[slot].marked = true;
    return true;
}

void core_row_set_mark(struct core_row_set *set, uint8_t family, const struct dht_id *target)
{
    uint32_t slot = slot_of(set, family, target);
    if (slot != DHT_INDEX_NONE)
        set->entries[slot].marked = true;
}

bool core_row_set_sweep(struct core_row_set *set, uint32_t *cursor,
                        struct core_row_entry *ret_entry)
{
    while (*cursor < set->count && set->entries[*cursor].marked)
        set->entries[(*cursor)++].marked = false;
    if (*cursor == set->count)
        return false;
    uint32_t slot = *cursor;
    uint32_t last = --set->count;
    *ret_entry = set->entries[slot];
    dht_index_remove(&set->index, hash_of(&ret_entry->target), slot);
    if (slot == last)
        return true;
    set->entries[slot] = set->entries[last];
    dht_index_replace(&set->index, hash_of(&set->entries[slot].target), last, slot);
    return true;
}
