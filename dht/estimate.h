// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ESTIMATE_H
#define PNR_DHT_ESTIMATE_H

// How many nodes the network has, from how close the closest nodes of a lookup lie: in a network of
// n nodes the i-th closest is expected at i * 2^160 / n. Each finished lookup gives one estimate, a
// least squares fit over its closest nodes, and the median of the last DHT_ESTIMATE_LOOKUPS counts:
// nodes packed around a few targets, however many they are, do not move it. For the same reason a
// target counts once, however often it is looked up. Lookups older than half our own life do not
// count, as long as there are DHT_ESTIMATE_FEWEST newer ones: the network that we joined may have
// been young as well.

#include "pnr/dht.h"

#define DHT_ESTIMATE_LOOKUPS 12
#define DHT_ESTIMATE_CLOSEST 8
#define DHT_ESTIMATE_FEWEST  4
#define DHT_ESTIMATE_FIRM    4 // lookups, before it is good enough to raise an alarm by

// dht_estimate_doubt() where lookups agree, and where they do not.
#define DHT_ESTIMATE_DOUBT      2
#define DHT_ESTIMATE_DOUBT_MOST 16

struct dht_estimate {
    float spacings[DHT_ESTIMATE_LOOKUPS]; // distance between neighbours, as a share of the id space
    uint32_t targets[DHT_ESTIMATE_LOOKUPS]; // how the targets begin
    uint32_t times_s[DHT_ESTIMATE_LOOKUPS]; // since the engine's birth
    uint8_t count;
    uint8_t next;
};

// Takes in a lookup of target whose DHT_ESTIMATE_CLOSEST closest nodes lie at these distances
// (dht_id_distance64), in order. now_s: seconds since the engine's birth.
void dht_estimate_add(struct dht_estimate *estimate, const struct dht_id *target,
                      const uint64_t distances[DHT_ESTIMATE_CLOSEST], uint32_t now_s);

// The number of nodes; 0 where unknown.
double dht_estimate_nodes(const struct dht_estimate *estimate, uint32_t now_s);

// How many times as many nodes there may be, at worst, before an alarm is raised by the estimate;
// 0 where too few lookups have gone into it to tell.
uint32_t dht_estimate_doubt(const struct dht_estimate *estimate, uint32_t now_s);

#endif
