// SPDX-License-Identifier: MIT
#include "simnet/tally.h"

#include "simnet/world.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FINE_BITS 7 // a bucket is a 128th of its numbers wide
#define FINE      (UINT32_C(1) << FINE_BITS)

// ---- buckets ----
// Numbers below 2 * FINE have one each; beyond, each doubling is cut into FINE.

static uint32_t bucket_of(uint64_t value)
{
    if (value < 2 * FINE)
        return (uint32_t)value;
    uint32_t shift = 63 - FINE_BITS - (uint32_t)__builtin_clzll(value);
    return (shift << FINE_BITS) + (uint32_t)(value >> shift);
}

static uint64_t greatest_of(uint32_t bucket)
{
    if (bucket < 2 * FINE)
        return bucket;
    uint32_t shift = (bucket >> FINE_BITS) - 1;
    uint64_t head = bucket - ((uint64_t)shift << FINE_BITS);
    return (head << shift) + ((UINT64_C(1) << shift) - 1);
}

static void grow(struct simnet_tally *tally, uint32_t count)
{
    if (count <= tally->bucket_count)
        return;
    count = (count + FINE - 1) / FINE * FINE;
    tally->buckets = simnet_world_need(realloc(tally->buckets, count * sizeof *tally->buckets));
    memset(tally->buckets + tally->bucket_count, 0,
           (count - tally->bucket_count) * sizeof *tally->buckets);
    tally->bucket_count = count;
}

// ---- a tally ----

static void widen(struct simnet_tally *tally, uint64_t min, uint64_t max)
{
    if (tally->count == 0 || min < tally->min)
        tally->min = min;
    if (tally->count == 0 || max > tally->max)
        tally->max = max;
}

void simnet_tally_add(struct simnet_tally *tally, uint64_t value)
{
    uint32_t bucket = bucket_of(value);
    widen(tally, value, value);
    grow(tally, bucket + 1);
    tally->buckets[bucket]++;
    tally->count++;
    tally->sum += value;
}

void simnet_tally_merge(struct simnet_tally *tally, const struct simnet_tally *other)
{
    if (other->count == 0)
        return;
    widen(tally, other->min, other->max);
    grow(tally, other->bucket_count);
    for (uint32_t i = 0; i < other->bucket_count; i++)
        tally->buckets[i] += other->buckets[i];
    tally->count += other->count;
    tally->sum += other->sum;
}

void simnet_tally_free(struct simnet_tally *tally)
{
    free(tally->buckets);
    *tally = (struct simnet_tally){0};
}

uint64_t simnet_tally_percentile(const struct simnet_tally *tally, double share)
{
    assert(share >= 0 && share <= 1);
    if (tally->count == 0)
        return 0;
    uint64_t rank = (uint64_t)ceil(share * (double)tally->count - 1e-9);
    uint64_t seen = 0;
    uint32_t bucket = 0;
    while (bucket < tally->bucket_count && (seen += tally->buckets[bucket]) < rank)
        bucket++;
    uint64_t value = greatest_of(bucket);
    if (value < tally->min)
        return tally->min; // share 0
    return value < tally->max ? value : tally->max;
}

double simnet_tally_mean(const struct simnet_tally *tally)
{
    return tally->count == 0 ? 0 : (double)tally->sum / (double)tally->count;
}

uint32_t simnet_tally_next(const struct simnet_tally *tally, uint32_t place, uint64_t *ret_value,
                           uint64_t *ret_count)
{
    while (place < tally->bucket_count && tally->buckets[place] == 0)
        place++;
    if (place >= tally->bucket_count)
        return 0;
    *ret_value = greatest_of(place);
    *ret_count = tally->buckets[place];
    return place + 1;
}
