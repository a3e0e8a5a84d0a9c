// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LATENCY_H
#define PNR_SIMNET_LATENCY_H

// The latency element: how long a packet takes from one place to another.

#include "simnet/element.h"

// Always the same, one way.
struct simnet_element *simnet_latency_constant(int64_t one_way_us);

// A round trip of its own for each pair of places, the same at all times: lognormal, with that
// median and deviation of its logarithm, and at least min_us. Half of it each way.
struct simnet_element *simnet_latency_lognormal(uint64_t seed, int64_t median_rtt_us, double sigma,
                                                int64_t min_us);

#endif
