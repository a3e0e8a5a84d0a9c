// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_MTU_H
#define PNR_SIMNET_MTU_H

// The MTU element: what is longer than a line takes, with its headers of IP and UDP (28 bytes, of
// IPv6 48), goes in fragments, and arrives only if all of them do; where fragments are dropped, not
// at all.

#include "simnet/element.h"

// bytes: the longest packet with its headers, at least 576; 0: any. fragment_loss: the share of
// fragments that are lost, from 0 to 1; 1: no packet gets through in fragments. A seed of its own:
// two elements with one seed draw the same.
struct simnet_element *simnet_mtu_new(uint64_t seed, uint32_t bytes, double fragment_loss);
// From now on.
void simnet_mtu_set(struct simnet_element *element, uint32_t bytes, double fragment_loss);
// How many packets were too long, lost or not.
uint64_t simnet_mtu_long(const struct simnet_element *element);

#endif
