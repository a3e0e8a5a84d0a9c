// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LOSS_H
#define PNR_SIMNET_LOSS_H

// The loss element: drops packets, each by itself. On the internet's chain it takes both directions
// of each exchange, so that a request and its answer survive with (1 - rate)^2; in the chain of a
// site it takes the one direction of that chain.

#include "simnet/element.h"

// rate: the share that is lost, from 0 to 1. A seed of its own: two elements with one seed draw the
// same.
struct simnet_element *simnet_loss_new(uint64_t seed, double rate);
// From now on.
void simnet_loss_set(struct simnet_element *element, double rate);

#endif
