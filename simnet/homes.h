// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_HOMES_H
#define PNR_SIMNET_HOMES_H

// Where a scenario's machines live: on the open internet, or at a site of their own, with a line of
// its rate, or behind a NAT of the kinds that the scenario mixes. The first few are always on the
// open internet, for somebody has to be found by those who join.
//
// Owned by the network; the sites are the world's.

#include "simnet/scenario.h"
#include "simnet/site.h"

struct simnet_homes;

// For so many machines, numbered from first.
struct simnet_homes *simnet_homes_new(struct simnet_world *world,
                                      const struct simnet_scenario *scenario, uint32_t first,
                                      uint32_t count);
void simnet_homes_free(struct simnet_homes *homes);

// Adds the next machine, with these public addresses, and gives it a home. After all elements of
// the internet are there.
void simnet_homes_add(struct simnet_homes *homes, const struct simnet_profile *profile,
                      const struct dht_addr *addrs, size_t addr_count);
// Whether it is behind a NAT or a firewall, so that it is no good as a first contact.
bool simnet_homes_is_hidden(const struct simnet_homes *homes, const struct simnet_machine *machine);
// It gets another address; false where it cannot, being behind a carrier's NAT or a firewall.
bool simnet_homes_move(struct simnet_homes *homes, struct simnet_machine *machine,
                       const struct dht_addr *addr);

// The sum of what the NATs dropped.
uint64_t simnet_homes_filtered(const struct simnet_homes *homes);

#endif
