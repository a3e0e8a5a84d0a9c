// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_REORDER_H
#define PNR_SIMNET_REORDER_H

// The reorder element: holds some packets back, so that later ones overtake them.

#include "simnet/element.h"

// rate: the share that is held back, from 0 to 1, by held_us each. A seed of its own: two elements
// with one seed draw the same.
struct simnet_element *simnet_reorder_new(uint64_t seed, double rate, int64_t held_us);
// From now on.
void simnet_reorder_set(struct simnet_element *element, double rate, int64_t held_us);
// How many packets it has held back.
uint64_t simnet_reorder_held(const struct simnet_element *element);

#endif
