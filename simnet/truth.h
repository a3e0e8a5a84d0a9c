// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_TRUTH_H
#define PNR_SIMNET_TRUTH_H

// What no node of a network knows: all of the others. The ids of every machine's engine that a
// lookup can find (honest, up, a server, with an address of its own on the internet), sorted, so
// that the closest to any target are found in the time of a few comparisons, of a million ids too.
//
// It is a picture, taken by simnet_truth_take() and true for that time: who starts or stops
// machines takes another. 24 bytes an id. The world has to outlive it.

#include "simnet/world.h"

struct simnet_truth_node {
    struct dht_id id;
    uint32_t machine;
};

struct simnet_truth;

// Of the engines of one family.
struct simnet_truth *simnet_truth_new(struct simnet_world *world, enum dht_family family);
void simnet_truth_free(struct simnet_truth *truth);

void simnet_truth_take(struct simnet_truth *truth);
uint32_t simnet_truth_count(const struct simnet_truth *truth);

// The k closest to the target, closest first, without the machine `except` (SIMNET_TRUTH_NOBODY:
// with all): a node that looks up does not find itself. Returns how many there are.
#define SIMNET_TRUTH_NOBODY UINT32_MAX
size_t simnet_truth_closest(const struct simnet_truth *truth, const struct dht_id *target,
                            uint32_t except, size_t k, struct simnet_truth_node *ret_nodes);

// Which share of the k closest nodes (without `except`) are among the `count` ids found; 1 where
// there is none to be found. k is at most DHT_CLOSEST_MAX (asserted).
struct simnet_truth_lookup {
    const struct dht_id *target;
    uint32_t except;
    size_t k;
};
double simnet_truth_recall(const struct simnet_truth *truth,
                           const struct simnet_truth_lookup *lookup, const struct dht_id *found,
                           size_t count);

// How many nodes there would be if all were as dense as the k closest to the target: what an
// estimate is measured against.
double simnet_truth_density(const struct simnet_truth *truth, const struct dht_id *target,
                            size_t k);

#endif
