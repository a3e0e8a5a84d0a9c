// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_FLOOD_H
#define PNR_BENCH_FLOOD_H

// A flood of datagrams of which no two are the same, from as many addresses.

#include "dht/random.h"
#include "pnr/dht.h"

// Moves this program and what it starts into a network of its own, in which all of 10/8 is this
// machine: addresses that a node takes for those of others, unlike 127/8. False where the system
// does not let it, or has no such thing.
bool bench_flood_enter_network(void);

// Sends `count` datagrams to the node, as fast as its socket takes them, each from a random address
// of its /8. Returns how many the socket could not take.
size_t bench_flood(const struct dht_addr *node, size_t count, struct dht_random *random);

#endif
