// SPDX-License-Identifier: MIT
#include "dht/region.h"

#include "dht/id.h"

#define WHOLE        18446744073709551616.0 // 2^64, the id space as dht_id_distance64() sees it
#define LOOKED_AT    64                     // of the closest that answered
#define FEWEST       2                      // that make a crowd
#define TYPICAL      8
#define IMPROBABLE   1e-5
#define THIN_PERCENT 60

uint64_t dht_region_radius(double nodes, uint32_t wanted)
{
    if (nodes <= 0)
        return 0;
    return nodes <= wanted ? UINT64_MAX : (uint64_t)(WHOLE * (wanted / nodes));
}

struct dht_id dht_region_point(const struct dht_id *target, uint64_t least, uint64_t below,
                               struct dht_random *random)
{
    struct dht_id point;
    dht_random_bytes(random, point.bytes, sizeof point.bytes);
    uint64_t distance = least + dht_random_below(random, below - least);
    uint64_t head = dht_id_head(target) ^ distance;
    for (int i = 0; i < 8; i++)
        point.bytes[i] = (uint8_t)(head >> (56 - 8 * i));
    return point;
}

// e to the power of -x, from its series at x / 16.
static double exp_minus(double x)
{
    double sum = 1;
    double term = 1;
    for (int i = 1; i < 24; i++) {
        term *= x / 16 / i;
        sum += term;
    }
    for (int i = 0; i < 4; i++)
        sum *= sum;
    return 1 / sum;
}

// The chance that `count` or more come together where `expected` are expected, fewer than count
// (Poisson's distribution): its first term, and a geometric series above the others.
static double chance_of(uint32_t count, double expected)
{
    double term = exp_minus(expected);
    for (uint32_t i = 1; i <= count; i++)
        term *= expected / i;
    return term / (1 - expected / (count + 1));
}

struct dht_density dht_region_density(const struct dht_lookup *lookup, double nodes, uint32_t doubt)
{
    struct dht_density density = {0};
    double least = 2;
    uint32_t count = 0;
    if (nodes <= 0)
        return density;
    for (uint16_t rank = 0; rank < lookup->count && count < LOOKED_AT; rank++) {
        const struct dht_candidate *candidate = &lookup->candidates[lookup->order[rank]];
        if (candidate->state != DHT_CANDIDATE_ANSWERED || ++count < FEWEST)
            continue;
        double distance = (double)dht_id_distance64(&candidate->id, &lookup->target) + 1;
        double expected = nodes * (distance / WHOLE);
        double chance = doubt * expected < count ? chance_of(count, doubt * expected) : 1;
        // Where nothing stands out it is the closest few that tell how dense it is.
        if (chance > least || (chance >= 1 && count > TYPICAL))
            continue;
        least = chance;
        double percent = 100 * count / expected;
        density.percent = percent < 1e9 ? (uint32_t)percent : 1000000000;
    }
    density.is_suspect = doubt > 0 && least < IMPROBABLE;
    return density;
}

bool dht_region_is_thin(const struct dht_lookup *lookup, uint32_t wanted)
{
    uint32_t count = 0;
    if (lookup->region == 0 || lookup->region == UINT64_MAX)
        return false;
    for (uint16_t i = 0; i < lookup->count; i++) {
        const struct dht_candidate *candidate = &lookup->candidates[i];
        uint64_t distance = dht_id_distance64(&candidate->id, &lookup->target);
        bool outer = distance > lookup->region / 2 && distance <= lookup->region;
        count += outer && candidate->state == DHT_CANDIDATE_ANSWERED;
    }
    return count * 100 < wanted / 2 * THIN_PERCENT;
}
