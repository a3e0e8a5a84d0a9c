// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_DUPLICATE_H
#define PNR_SIMNET_DUPLICATE_H

// The duplicate element: some packets come twice, the second time a little later.

#include "simnet/element.h"

// rate: the share that comes twice, from 0 to 1; the copy follows after up to later_us, evenly. A
// seed of its own: two elements with one seed draw the same.
struct simnet_element *simnet_duplicate_new(uint64_t seed, double rate, int64_t later_us);
// From now on.
void simnet_duplicate_set(struct simnet_element *element, double rate, int64_t later_us);
// How many copies it has made; they count as passed, too.
uint64_t simnet_duplicate_copies(const struct simnet_element *element);

#endif
