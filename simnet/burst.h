// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_BURST_H
#define PNR_SIMNET_BURST_H

// The burst element: packets are lost many at a time. Each way is good or bad, and goes over from
// one to the other by chance (Gilbert 1960, Elliott 1963), in continuous time: how often packets
// are sent does not change for how long a way is bad. Over a long time the way is bad for the share
// mean_bad_us / (mean_good_us + mean_bad_us).
//
// The element remembers the state of 65,536 groups of ways, by hash: ways of one group share it, as
// if they shared a line.

#include "simnet/element.h"

// What is one way.
enum simnet_burst_scope {
    SIMNET_BURST_PAIR, // from one place to one other: each direction is for itself
    SIMNET_BURST_FROM, // all that leaves a place
    SIMNET_BURST_TO,   // all that goes to a place
};

struct simnet_burst_config {
    enum simnet_burst_scope scope;
    int64_t mean_good_us; // how long a way is good, in the mean; more than 0
    int64_t mean_bad_us;  // and bad; 0: never
    double loss_good;     // share of packets lost while it is good
    double loss_bad;
};

// A seed of its own: two elements with one seed draw the same.
struct simnet_element *simnet_burst_new(uint64_t seed, const struct simnet_burst_config *config);
// From now on; ways stay as good or bad as they are.
void simnet_burst_set(struct simnet_element *element, const struct simnet_burst_config *config);

#endif
