// SPDX-License-Identifier: MIT
#include "dht/roster.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// An entry: the hash above, and below it one more than the depth, so that 0 is an empty place.
#define DEPTH_BITS   5
#define DEPTH_MASK   ((1u << DEPTH_BITS) - 1)
#define HASH_BITS    11
#define CAPACITY_MIN 16
#define COUNT_MAX    40000

static_assert(DHT_ROSTER_DEEP + 1 <= DEPTH_MASK, "the depth fits an entry");
static_assert(DEPTH_BITS + HASH_BITS == 16, "an entry is 16 bits");

void dht_roster_clear(struct dht_roster *roster)
{
    free(roster->entries);
    *roster = (struct dht_roster){0};
}

static uint16_t entry_of(uint32_t hash, uint32_t depth)
{
    uint32_t level = depth < DHT_ROSTER_DEEP ? depth : DHT_ROSTER_DEEP;
    return (uint16_t)(hash >> (32 - HASH_BITS) << DEPTH_BITS | (level + 1));
}

static uint32_t home_of(const struct dht_roster *roster, uint16_t entry)
{
    return (uint32_t)(entry >> DEPTH_BITS) * roster->capacity >> HASH_BITS;
}

static uint32_t step(const struct dht_roster *roster, uint32_t at)
{
    return at + 1 == roster->capacity ? 0 : at + 1;
}

// How far `at` lies behind `from`, going round the end.
static uint32_t distance(const struct dht_roster *roster, uint32_t from, uint32_t at)
{
    return at >= from ? at - from : at + roster->capacity - from;
}

static void place(struct dht_roster *roster, uint16_t entry)
{
    uint32_t at = home_of(roster, entry);
    while (roster->entries[at] != 0)
        at = step(roster, at);
    roster->entries[at] = entry;
}

bool dht_roster_reserve(struct dht_roster *roster)
{
    if (roster->count >= COUNT_MAX)
        return false;
    if ((roster->count + 1u) * 4 <= roster->capacity * 3u)
        return true;
    uint32_t capacity = roster->capacity + roster->capacity / 4u;
    if (capacity < CAPACITY_MIN)
        capacity = CAPACITY_MIN;
    if (capacity > UINT16_MAX)
        capacity = UINT16_MAX;
    struct dht_roster bigger = {.capacity = (uint16_t)capacity, .count = roster->count};
    bigger.entries = calloc(capacity, sizeof *bigger.entries);
    if (bigger.entries == NULL)
        return false;
    for (uint32_t i = 0; i < roster->capacity; i++)
        if (roster->entries[i] != 0)
            place(&bigger, roster->entries[i]);
    free(roster->entries);
    *roster = bigger;
    return true;
}

void dht_roster_add(struct dht_roster *roster, uint32_t hash, uint32_t depth)
{
    assert((roster->count + 1u) * 4 <= roster->capacity * 3u);
    place(roster, entry_of(hash, depth));
    roster->count++;
}

void dht_roster_remove(struct dht_roster *roster, uint32_t hash, uint32_t depth)
{
    uint16_t entry = entry_of(hash, depth);
    assert(roster->count > 0);
    uint32_t hole = home_of(roster, entry);
    while (roster->entries[hole] != entry) {
        assert(roster->entries[hole] != 0);
        hole = step(roster, hole);
    }
    // A follower moves into the hole unless its home lies behind the hole.
    for (uint32_t at = step(roster, hole); roster->entries[at] != 0; at = step(roster, at)) {
        uint32_t home = home_of(roster, roster->entries[at]);
        if (distance(roster, home, at) >= distance(roster, hole, at)) {
            roster->entries[hole] = roster->entries[at];
            hole = at;
        }
    }
    roster->entries[hole] = 0;
    roster->count--;
}

uint32_t dht_roster_find(const struct dht_roster *roster, uint32_t hash)
{
    uint32_t set = 0;
    if (roster->count == 0)
        return 0;
    uint16_t sought = entry_of(hash, 0);
    uint32_t at = home_of(roster, sought);
    for (uint16_t entry; (entry = roster->entries[at]) != 0; at = step(roster, at))
        if (entry >> DEPTH_BITS == sought >> DEPTH_BITS)
            set |= 1u << ((entry & DEPTH_MASK) - 1);
    return set;
}
