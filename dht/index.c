// SPDX-License-Identifier: MIT
#include "dht/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

void dht_index_clear(struct dht_index *index)
{
    free(index->entries);
    *index = (struct dht_index){0};
}

static uint32_t home_of(uint32_t capacity, uint32_t hash)
{
    return (uint32_t)(((uint64_t)hash * capacity) >> 32);
}

static uint32_t step(uint32_t capacity, uint32_t at)
{
    return at + 1 == capacity ? 0 : at + 1;
}

// How far `at` lies behind `from`, going round the end.
static uint32_t distance(uint32_t capacity, uint32_t from, uint32_t at)
{
    return at >= from ? at - from : at + capacity - from;
}

uint32_t dht_index_next(const struct dht_index *index, uint32_t hash, uint32_t *cursor)
{
    uint32_t capacity = index->capacity;
    if (capacity == 0) {
        return DHT_INDEX_NONE;
    }
    const struct dht_index_entry *entries = index->entries;
    uint32_t at = *cursor == DHT_INDEX_START ? home_of(capacity, hash) : step(capacity, *cursor);
    while (entries[at].value != DHT_INDEX_NONE) {
        if (entries[at].hash == hash) {
            *cursor = at;
            return entries[at].value;
        }
        at = step(capacity, at);
    }
    return DHT_INDEX_NONE;
}

static void place(struct dht_index_entry *entries, uint32_t capacity, struct dht_index_entry entry)
{
    uint32_t at = home_of(capacity, entry.hash);
    while (entries[at].value != DHT_INDEX_NONE) {
        at = step(capacity, at);
    }
    entries[at] = entry;
}

static bool resize(struct dht_index *index, uint32_t capacity)
{
    assert(capacity > index->count);
    size_t size = (size_t)capacity * sizeof(*index->entries);
    struct dht_index_entry *entries = malloc(size);
    if (entries == NULL) {
        return false;
    }
    memset(entries, 0xff, size); // every value DHT_INDEX_NONE
    for (uint32_t i = 0; i < index->capacity; i++) {
        if (index->entries[i].value != DHT_INDEX_NONE) {
            place(entries, capacity, index->entries[i]);
        }
    }
    free(index->entries);
    index->entries = entries;
    index->capacity = capacity;
    return true;
}

// The least capacity in which count entries are at most seven tenths.
static uint64_t capacity_for(uint64_t count)
{
    return count + count * 3 / 7 + 1;
}

// The capacity after making room for one more.
static uint32_t grown(const struct dht_index *index, uint32_t count_max)
{
    uint64_t need = capacity_for((uint64_t)index->count + 1);
    if (need <= index->capacity) {
        return index->capacity;
    }
    uint64_t capacity = index->capacity + (uint64_t)index->capacity / 4;
    if (capacity > capacity_for(count_max)) {
        capacity = capacity_for(count_max);
    }
    if (capacity < CAPACITY_MIN) {
        capacity = CAPACITY_MIN;
    }
    if (capacity < need) {
        capacity = need;
    }
    assert(capacity < UINT32_MAX);
    return (uint32_t)capacity;
}

bool dht_index_reserve(struct dht_index *index, uint32_t count_max)
{
    uint32_t capacity = grown(index, count_max);
    return capacity == index->capacity || resize(index, capacity);
}

size_t dht_index_growth(const struct dht_index *index, uint32_t count_max)
{
    return (size_t)(grown(index, count_max) - index->capacity) * sizeof(*index->entries);
}

void dht_index_add(struct dht_index *index, uint32_t hash, uint32_t value)
{
    assert(value != DHT_INDEX_NONE);
    assert(capacity_for((uint64_t)index->count + 1) <= index->capacity);
    place(index->entries, index->capacity, (struct dht_index_entry){hash, value});
    index->count++;
}

static uint32_t position_of(const struct dht_index *index, uint32_t hash, uint32_t value)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t found;
    do {
        found = dht_index_next(index, hash, &cursor);
        assert(found != DHT_INDEX_NONE);
    } while (found != value);
    return cursor;
}

void dht_index_remove(struct dht_index *index, uint32_t hash, uint32_t value)
{
    struct dht_index_entry *entries = index->entries;
    uint32_t capacity = index->capacity;
    uint32_t hole = position_of(index, hash, value);
    // A follower moves into the hole unless its home lies behind the hole.
    for (uint32_t at = step(capacity, hole); entries[at].value != DHT_INDEX_NONE;
         at = step(capacity, at)) {
        uint32_t home = home_of(capacity, entries[at].hash);
        if (distance(capacity, home, at) >= distance(capacity, hole, at)) {
            entries[hole] = entries[at];
            hole = at;
        }
    }
    entries[hole].value = DHT_INDEX_NONE;
    index->count--;
    if (capacity > 2 * CAPACITY_MIN && index->count < capacity / 5) {
        (void)resize(index, capacity / 2); // where memory is short the large table stays
    }
}

void dht_index_replace(struct dht_index *index, uint32_t hash, uint32_t from, uint32_t to)
{
    assert(to != DHT_INDEX_NONE);
    index->entries[position_of(index, hash, from)].value = to;
}

void dht_index_check(const struct dht_index *index)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < index->capacity; i++) {
        const struct dht_index_entry *entry = &index->entries[i];
        if (entry->value != DHT_INDEX_NONE) {
            (void)position_of(index, entry->hash, entry->value); // asserts that it is found
            count++;
        }
    }
    assert(count == index->count);
    assert(count == 0 || capacity_for(count) <= index->capacity);
}
