// SPDX-License-Identifier: MIT
#include "dht/swarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE      UINT16_MAX
#define SMALL     8 // above it, an index
#define DROP_SIZE 4 // below it, none any more

// Two-byte fields only: a record is 18 bytes long, so nothing wider would be aligned.
struct record {
    uint16_t newer;
    uint16_t older;
    uint16_t refreshed[4]; // microseconds times two, plus one for a seed
    uint8_t compact[];
};

static struct record *record_at(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                                uint32_t position)
{
    size_t size = sizeof(struct record) + kind->compact_len;
    return (struct record *)(void *)(swarm->records + position * size);
}

static void set_refreshed(struct record *record, int64_t now_us, bool is_seed)
{
    uint64_t packed = (uint64_t)now_us << 1 | is_seed;
    memcpy(record->refreshed, &packed, sizeof(packed));
}

static int64_t refreshed_us(const struct record *record)
{
    int64_t packed;
    memcpy(&packed, record->refreshed, sizeof(packed));
    return (packed & ~INT64_C(1)) / 2;
}

static bool is_seed_record(const struct record *record)
{
    uint64_t packed;
    memcpy(&packed, record->refreshed, sizeof(packed));
    return packed & 1;
}

void dht_swarm_clear(struct dht_swarm *swarm)
{
    free(swarm->records);
    dht_index_clear(&swarm->index);
    *swarm = (struct dht_swarm){0};
}

// ---- finding ----

static uint32_t hash_compact(const struct dht_swarm_kind *kind, const uint8_t *compact)
{
    return (uint32_t)dht_siphash(&kind->key, compact, kind->compact_len);
}

static bool has_at(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                   uint32_t position, const uint8_t *compact)
{
    return memcmp(record_at(kind, swarm, position)->compact, compact, kind->compact_len) == 0;
}

static uint32_t find(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                     const uint8_t *compact)
{
    if (swarm->index.count == 0) {
        uint32_t position = 0;
        while (position < swarm->count && !has_at(kind, swarm, position, compact)) {
            position++;
        }
        return position < swarm->count ? position : NONE;
    }
    uint32_t hash = hash_compact(kind, compact);
    uint32_t cursor = DHT_INDEX_START;
    uint32_t position;
    while ((position = dht_index_next(&swarm->index, hash, &cursor)) != DHT_INDEX_NONE) {
        if (has_at(kind, swarm, position, compact)) {
            return position;
        }
    }
    return NONE;
}

// ---- order of refresh ----

static void unlink_record(const struct dht_swarm_kind *kind, struct dht_swarm *swarm,
                          const struct record *record)
{
    *(record->newer == NONE ? &swarm->newest : &record_at(kind, swarm, record->newer)->older) =
        record->older;
    *(record->older == NONE ? &swarm->oldest : &record_at(kind, swarm, record->older)->newer) =
        record->newer;
}

static void link_newest(const struct dht_swarm_kind *kind, struct dht_swarm *swarm,
                        uint16_t position)
{
    struct record *record = record_at(kind, swarm, position);
    record->newer = NONE;
    record->older = swarm->newest;
    if (swarm->newest == NONE) {
        swarm->oldest = position;
    } else {
        record_at(kind, swarm, swarm->newest)->newer = position;
    }
    swarm->newest = position;
}

bool dht_swarm_refresh(const struct dht_swarm_kind *kind, struct dht_swarm *swarm, int64_t now_us,
                       const uint8_t *compact, bool is_seed)
{
    uint32_t position = find(kind, swarm, compact);
    if (position == NONE) {
        return false;
    }
    struct record *record = record_at(kind, swarm, position);
    unlink_record(kind, swarm, record);
    set_refreshed(record, now_us, is_seed);
    link_newest(kind, swarm, (uint16_t)position);
    return true;
}

// ---- adding ----

static bool set_capacity(const struct dht_swarm_kind *kind, struct dht_swarm *swarm,
                         uint32_t capacity)
{
    size_t size = sizeof(struct record) + kind->compact_len;
    uint8_t *records = realloc(swarm->records, capacity * size);
    if (records == NULL) {
        return false;
    }
    swarm->records = records;
    swarm->capacity = (uint16_t)capacity;
    return true;
}

static bool reserve_record(const struct dht_swarm_kind *kind, struct dht_swarm *swarm)
{
    if (swarm->count < swarm->capacity) {
        return true;
    }
    uint32_t capacity = swarm->capacity + 1 + (uint32_t)swarm->capacity / 4;
    return set_capacity(kind, swarm,
                        capacity < DHT_SWARM_PEERS_MAX ? capacity : DHT_SWARM_PEERS_MAX);
}

// Room in the index for one more; builds it when the swarm outgrows SMALL.
static bool reserve_index(const struct dht_swarm_kind *kind, struct dht_swarm *swarm)
{
    if (swarm->count < SMALL && swarm->index.count == 0) {
        return true;
    }
    if (swarm->index.count > 0) {
        return dht_index_reserve(&swarm->index, DHT_SWARM_PEERS_MAX);
    }
    for (uint32_t position = 0; position < swarm->count; position++) {
        if (!dht_index_reserve(&swarm->index, DHT_SWARM_PEERS_MAX)) {
            dht_index_clear(&swarm->index);
            return false;
        }
        const uint8_t *compact = record_at(kind, swarm, position)->compact;
        dht_index_add(&swarm->index, hash_compact(kind, compact), position);
    }
    return dht_index_reserve(&swarm->index, DHT_SWARM_PEERS_MAX);
}

bool dht_swarm_add(const struct dht_swarm_kind *kind, struct dht_swarm *swarm, int64_t now_us,
                   const uint8_t *compact, bool is_seed)
{
    assert(swarm->count < DHT_SWARM_PEERS_MAX);
    if (!reserve_record(kind, swarm) || !reserve_index(kind, swarm)) {
        return false;
    }
    if (swarm->count == 0) {
        swarm->newest = NONE;
        swarm->oldest = NONE;
    }
    uint16_t position = swarm->count++;
    struct record *record = record_at(kind, swarm, position);
    memcpy(record->compact, compact, kind->compact_len);
    set_refreshed(record, now_us, is_seed);
    link_newest(kind, swarm, position);
    if (swarm->index.count > 0) {
        dht_index_add(&swarm->index, hash_compact(kind, compact), position);
    }
    return true;
}

// ---- dropping ----

int64_t dht_swarm_oldest_us(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm)
{
    assert(swarm->count > 0);
    return refreshed_us(record_at(kind, swarm, swarm->oldest));
}

// Moves the last record into the gap, and all that name it with it.
static void fill_gap(const struct dht_swarm_kind *kind, struct dht_swarm *swarm, uint16_t gap)
{
    uint16_t last = swarm->count;
    if (gap == last) {
        return;
    }
    struct record *to = record_at(kind, swarm, gap);
    memcpy(to, record_at(kind, swarm, last), sizeof(*to) + kind->compact_len);
    *(to->newer == NONE ? &swarm->newest : &record_at(kind, swarm, to->newer)->older) = gap;
    *(to->older == NONE ? &swarm->oldest : &record_at(kind, swarm, to->older)->newer) = gap;
    if (swarm->index.count > 0) {
        dht_index_replace(&swarm->index, hash_compact(kind, to->compact), last, gap);
    }
}

void dht_swarm_drop_oldest(const struct dht_swarm_kind *kind, struct dht_swarm *swarm)
{
    assert(swarm->count > 0);
    uint16_t gap = swarm->oldest;
    struct record *record = record_at(kind, swarm, gap);
    unlink_record(kind, swarm, record);
    if (swarm->index.count > 0) {
        dht_index_remove(&swarm->index, hash_compact(kind, record->compact), gap);
    }
    swarm->count--;
    fill_gap(kind, swarm, gap);
    if (swarm->count < DROP_SIZE) {
        dht_index_clear(&swarm->index);
    }
    // Gives memory back, so that a stranger cannot make every swarm large, one after the other.
    if (swarm->count > 0 && swarm->count < swarm->capacity / 4) {
        (void)set_capacity(kind, swarm, swarm->capacity / 2);
    }
}

const uint8_t *dht_swarm_peer(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                              uint32_t position, bool *ret_is_seed)
{
    assert(position < swarm->count);
    const struct record *record = record_at(kind, swarm, position);
    *ret_is_seed = is_seed_record(record);
    return record->compact;
}

void dht_swarm_check(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm)
{
    uint32_t count = 0;
    uint16_t newer = NONE;
    int64_t newer_us = INT64_MAX;
    for (uint16_t at = swarm->newest; swarm->count > 0 && at != NONE;) {
        const struct record *record = record_at(kind, swarm, at);
        assert(at < swarm->count && record->newer == newer && refreshed_us(record) <= newer_us);
        assert(find(kind, swarm, record->compact) == at);
        newer = at;
        newer_us = refreshed_us(record);
        at = record->older;
        count++;
    }
    assert(count == swarm->count && count <= swarm->capacity);
    assert(count == 0 || swarm->oldest == newer);
    assert(swarm->index.count == 0 ? count <= SMALL : swarm->index.count == count);
    dht_index_check(&swarm->index);
}
