// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_POPULATION_H
#define PNR_SIMNET_POPULATION_H

// Many machines at once: gives them addresses and lets them join one after the other.

#include "simnet/world.h"

// The public IPv4 address and port of the machine with that number: spread over the whole internet,
// no two the same. IPv6 likewise, over many /32 and /48.
struct dht_addr simnet_population_ipv4(uint64_t seed, uint32_t number);
struct dht_addr simnet_population_ipv6(uint64_t seed, uint32_t number);

// Adds count machines, and starts them between now and joined_us from now, evenly: each is told
// about profile->bootstrap_count machines that were started before it. The first machine's number
// is returned. The tasks run as the world does.
uint32_t simnet_population_join(struct simnet_world *world, const struct simnet_profile *profile,
                                uint32_t count, int64_t join_us);

// Draws a machine out of [first, first + count) that is up; NULL where 64 draws find none.
struct simnet_machine *simnet_population_draw(struct simnet_world *world,
                                              struct simnet_stream *stream, uint32_t first,
                                              uint32_t count);

#endif
