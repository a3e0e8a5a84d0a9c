// SPDX-License-Identifier: MIT
#include "dht/estimate.h"

#include "dht/id.h"

#define SPREAD 3 // of the middle half of the lookups; by chance it is below 2

// Where the lookup goes: where its target is already, else where the oldest is.
static uint32_t place_for(struct dht_estimate *estimate, uint32_t target)
{
    for (uint32_t i = 0; i < estimate->count; i++)
        if (estimate->targets[i] == target)
            return i;
    uint32_t place = estimate->next;
    estimate->next = (uint8_t)((place + 1) % DHT_ESTIMATE_LOOKUPS);
    if (estimate->count < DHT_ESTIMATE_LOOKUPS)
        estimate->count++;
    return place;
}

void dht_estimate_add(struct dht_estimate *estimate, const struct dht_id *target,
                      const uint64_t distances[DHT_ESTIMATE_CLOSEST], uint32_t now_s)
{
    // The line through the origin that fits (i, distance i) best has the slope sum(i d) / sum(i i).
    double products = 0;
    double squares = 0;
    for (size_t i = 0; i < DHT_ESTIMATE_CLOSEST; i++) {
        double rank = (double)(i + 1);
        products += rank * ((double)distances[i] / 18446744073709551616.0); // 2^64
        squares += rank * rank;
    }
    uint32_t place = place_for(estimate, (uint32_t)(dht_id_head(target) >> 32));
    estimate->spacings[place] = (float)(products / squares);
    estimate->targets[place] = (uint32_t)(dht_id_head(target) >> 32);
    estimate->times_s[place] = now_s;
}

// How many lookups are newer than this one.
static uint32_t count_newer(const struct dht_estimate *estimate, uint32_t place)
{
    uint32_t newer = 0;
    for (uint32_t i = 0; i < estimate->count; i++)
        newer += estimate->times_s[i] > estimate->times_s[place];
    return newer;
}

// The spacings that count, smallest first; returns how many.
static uint32_t sort_fresh(const struct dht_estimate *estimate, uint32_t now_s,
                           float ret_sorted[DHT_ESTIMATE_LOOKUPS])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < estimate->count; i++) {
        bool is_old = estimate->times_s[i] < now_s / 2;
        if (is_old && count_newer(estimate, i) >= DHT_ESTIMATE_FEWEST)
            continue;
        uint32_t at = count++;
        for (; at > 0 && ret_sorted[at - 1] > estimate->spacings[i]; at--)
            ret_sorted[at] = ret_sorted[at - 1];
        ret_sorted[at] = estimate->spacings[i];
    }
    return count;
}

double dht_estimate_nodes(const struct dht_estimate *estimate, uint32_t now_s)
{
    float sorted[DHT_ESTIMATE_LOOKUPS];
    uint32_t count = sort_fresh(estimate, now_s, sorted);
    if (count == 0)
        return 0;
    double median = ((double)sorted[(count - 1) / 2] + (double)sorted[count / 2]) / 2;
    return median > 0 ? 1 / median : 0;
}

uint32_t dht_estimate_doubt(const struct dht_estimate *estimate, uint32_t now_s)
{
    float sorted[DHT_ESTIMATE_LOOKUPS];
    uint32_t count = sort_fresh(estimate, now_s, sorted);
    if (count < DHT_ESTIMATE_FIRM)
        return 0;
    bool agree = sorted[count - 1 - count / 4] < SPREAD * sorted[count / 4];
    return agree ? DHT_ESTIMATE_DOUBT : DHT_ESTIMATE_DOUBT_MOST;
}
