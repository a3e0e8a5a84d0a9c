// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_RATE_H
#define PNR_SIMNET_RATE_H

// The rate element: a line that carries so many bits a second, one packet after the other, with a
// queue before it. A packet that finds the queue full is dropped (tail drop). Packets count with
// their headers of IP and UDP, 28 bytes, of IPv6 48. A line that was idle has saved up some credit,
// by which a burst passes at once (a token bucket).
//
// An element of a site: one for its uplink and one for its downlink. On the internet's chain it
// would be one line for everybody.

#include "simnet/element.h"

struct simnet_rate_config {
    uint64_t bits_per_s;  // 0: without limit, and nothing else counts
    uint32_t burst_bytes; // the credit; 0: none
    uint32_t queue_bytes; // that may wait, the packet on the line among them; 0: any number
    int64_t queue_us;     // how long a packet may have to wait; 0: any time
};

struct simnet_element *simnet_rate_new(const struct simnet_rate_config *config);
// From now on. What is in the queue goes at the earlier rate.
void simnet_rate_set(struct simnet_element *element, const struct simnet_rate_config *config);

#endif
