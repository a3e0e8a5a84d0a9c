// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_JITTER_H
#define PNR_SIMNET_JITTER_H

// The jitter element: a delay of its own for each packet, on top of the way's. Packets from one
// place to another come in the order in which they were sent, unless overtaking is asked for: a
// packet that draws a short delay waits for the one before. For that the element remembers a time
// for each of 65,536 groups of ways, by hash; two ways of one group wait for each other, which is
// rare and short.
//
// Belongs before the latency element, of which each way has one.

#include "simnet/element.h"

enum simnet_jitter_kind {
    SIMNET_JITTER_EXPONENTIAL, // with that mean
    SIMNET_JITTER_LOGNORMAL,   // with that median and sigma
};

struct simnet_jitter_config {
    enum simnet_jitter_kind kind;
    int64_t delay_us; // the mean or the median; 0: no jitter
    double sigma;     // of the lognormal kind
    bool may_overtake;
};

// A seed of its own: two elements with one seed draw the same.
struct simnet_element *simnet_jitter_new(uint64_t seed, const struct simnet_jitter_config *config);
// From now on.
void simnet_jitter_set(struct simnet_element *element, const struct simnet_jitter_config *config);

#endif
