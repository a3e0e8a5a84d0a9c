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

static uint32_t slot_of(const struct core_row_set *set, int cloud, uint8_t family,
                        const struct dht_id *target)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&set->index, hash_of(target), &cursor)) != DHT_INDEX_NONE)
        if (set->entries[slot].cloud == cloud && set->entries[slot].family == family &&
            dht_id_equal(&set->entries[slot].target, target))
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

bool core_row_set_add(struct core_row_set *set, int cloud, uint8_t family,
                      const struct dht_id *target)
{
    uint32_t slot = slot_of(set, cloud, family, target);
    if (slot == DHT_INDEX_NONE) {
        if (!grow(set))
            return false;
        slot = set->count++;
        set->entries[slot] =
            (struct core_row_entry){.target = *target, .cloud = cloud, .family = family};
        dht_index_add(&set->index, hash_of(target), slot);
    }
    set->entries[slot].marked = true;
    return true;
}

void core_row_set_mark(struct core_row_set *set, int cloud, uint8_t family,
                       const struct dht_id *target)
{
    uint32_t slot = slot_of(set, cloud, family, target);
    if (slot != DHT_INDEX_NONE)
        set->entries[slot].marked = true;
}

// The last one moves into its slot.
static void remove_slot(struct core_row_set *set, uint32_t slot)
{
    uint32_t last = --set->count;
    dht_index_remove(&set->index, hash_of(&set->entries[slot].target), slot);
    if (slot == last)
        return;
    set->entries[slot] = set->entries[last];
    dht_index_replace(&set->index, hash_of(&set->entries[slot].target), last, slot);
}

void core_row_set_drop(struct core_row_set *set, int cloud)
{
    for (uint32_t slot = set->count; slot-- > 0;)
        if (set->entries[slot].cloud == cloud)
            remove_slot(set, slot);
}

bool core_row_set_sweep(struct core_row_set *set, uint32_t *cursor,
                        struct core_row_entry *ret_entry)
{
    while (*cursor < set->count && set->entries[*cursor].marked)
        set->entries[(*cursor)++].marked = false;
    if (*cursor == set->count)
        return false;
    *ret_entry = set->entries[*cursor];
    remove_slot(set, *cursor);
    return true;
}
