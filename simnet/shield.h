// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SHIELD_H
#define PNR_SIMNET_SHIELD_H

// A firewall in front of one machine with a public address: it lets in what comes from an address
// and port that the machine has sent to lately, and nothing else. Such a machine can ask, and
// nobody can ask it. (A NAT, which also changes addresses, is another element.)
//
// Of the 3.6 million Mainline nodes that Jimenez, Osmani and Knutsson asked in 2009 ("Connectivity
// Properties of Mainline BitTorrent DHT Nodes", IEEE P2P'09), about a tenth looked like this, and a
// third like a NAT that restricts.
//
// Bounds: it remembers at most SIMNET_SHIELD_PEERS addresses, the latest.

#include "simnet/element.h"
#include "simnet/machine.h"

#define SIMNET_SHIELD_PEERS      4096
#define SIMNET_SHIELD_TIMEOUT_US INT64_C(120000000) // RFC 4787 asks for no less than 2 min

// Adds a machine behind a shield of its own: see simnet_world_add(). timeout_us: how long an
// address may answer after it was last sent to.
struct simnet_machine *simnet_shield_add(struct simnet_world *world,
                                         const struct simnet_profile *profile,
                                         const struct dht_addr *addrs, size_t addr_count,
                                         int64_t timeout_us);

// Whether the machine is behind one.
bool simnet_shield_has(const struct simnet_machine *machine);

#endif
