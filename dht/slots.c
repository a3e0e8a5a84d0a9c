// SPDX-License-Identifier: MIT
#include "dht/slots.h"

#include <assert.h>
#include <stdlib.h>

void dht_slots_clear(struct dht_slots *slots)
{
    free(slots->slots);
    *slots = (struct dht_slots){0};
}

bool dht_slots_reserve(struct dht_slots *slots, uint32_t count_max)
{
    if (slots->count >= count_max)
        return false;
    if (slots->count < slots->capacity)
        return true;
    uint32_t capacity = slots->capacity + 4 + slots->capacity / 4;
    if (capacity > count_max)
        capacity = count_max;
    struct dht_slot *larger = realloc(slots->slots, capacity * sizeof *larger);
    if (larger == NULL)
        return false;
    slots->slots = larger;
    // All were in use, so the new ones are all that is free: the lowest first.
    for (uint32_t slot = slots->capacity; slot < capacity; slot++)
        larger[slot] = (struct dht_slot){.next_free = slot + 1};
    slots->free = slots->capacity;
    slots->capacity = capacity;
    return true;
}

uint32_t dht_slots_add(struct dht_slots *slots, void *thing)
{
    assert(slots->count < slots->capacity && thing != NULL);
    uint32_t slot = slots->free;
    slots->free = slots->slots[slot].next_free;
    slots->slots[slot].thing = thing;
    slots->count++;
    return slot;
}

void dht_slots_remove(struct dht_slots *slots, uint32_t slot)
{
    assert(dht_slots_at(slots, slot) != NULL);
    slots->slots[slot] = (struct dht_slot){.next_free = slots->free};
    slots->free = slot;
    slots->count--;
}

void *dht_slots_at(const struct dht_slots *slots, uint32_t slot)
{
    return slot < slots->capacity ? slots->slots[slot].thing : NULL;
}
