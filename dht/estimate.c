// SPDX-License-Identifier: MIT
#include "dht/estimate.h"

void dht_estimate_add(struct dht_estimate *estimate, const uint64_t *distances, size_t count)
{
    if (count < DHT_ESTIMATE_CLOSEST)
        return;
    // The line through the origin that fits (i, distance i) best has the slope sum(i d) / sum(i i).
    double products = 0;
    double squares = 0;
    for (size_t i = 0; i < DHT_ESTIMATE_CLOSEST; i++) {
        double rank = (double)(i + 1);
        products += rank * ((double)distances[i] / 18446744073709551616.0); // 2^64
        squares += rank * rank;
    }
    estimate->spacings[estimate->next] = products / squares;
    estimate->next = (estimate->next + 1) % DHT_ESTIMATE_LOOKUPS;
    if (estimate->count < DHT_ESTIMATE_LOOKUPS)
        estimate->count++;
}

double dht_estimate_nodes(const struct dht_estimate *estimate)
{
    double sum = 0;
    for (uint32_t i = 0; i < estimate->count; i++)
        sum += estimate->spacings[i];
    return sum > 0 ? estimate->count / sum : 0;
}
