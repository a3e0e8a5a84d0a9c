// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ESTIMATE_H
#define PNR_DHT_ESTIMATE_H

// How many nodes the network has, from how close the closest nodes of a lookup lie: in a network of
// n nodes the i-th closest is expected at i * 2^160 / n. Each finished lookup gives one estimate, a
// least squares fit over its closest nodes; the last DHT_ESTIMATE_LOOKUPS are averaged (as
// distances, so that one odd neighbourhood does not outweigh the rest).

#include "pnr/dht.h"

#define DHT_ESTIMATE_LOOKUPS 16
#define DHT_ESTIMATE_CLOSEST 8

struct dht_estimate {
    double spacings[DHT_ESTIMATE_LOOKUPS]; // mean distance between neighbours, as a share of the id
                                           // space
    uint32_t count;
    uint32_t next;
};

// Takes in a lookup whose closest nodes lie at these distances (dht_id_distance64), in order.
// Fewer than DHT_ESTIMATE_CLOSEST of them are passed over.
void dht_estimate_add(struct dht_estimate *estimate, const uint64_t *distances, size_t count);

// The number of nodes; 0 where unknown.
double dht_estimate_nodes(const struct dht_estimate *estimate);

#endif
