// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_REACH_H
#define PNR_DHT_REACH_H

// Where we are, and whether others reach us there.
//
// - Address: where others see us (BEP 42's `ip`) is voted on; a new id is taken where ours does not
//   fit.
// - Role: a node of role auto becomes a server once its ping to its external address has come back
//   to it from outside, or queries of two strangers have come in.

#include "dht/engine.h"

// A message in answer to ours says where its sender sees us.
void dht_reach_vote(struct dht *dht, const struct dht_addr *voter, const struct dht_krpc *msg);

// Whether the query is our ping to our own external address, which has come through: then we are
// reachable.
bool dht_reach_own_ping(struct dht *dht, const struct dht_krpc *msg);

// Somebody asked us something while we were read-only.
void dht_reach_stranger(struct dht *dht, const struct dht_addr *from);

// Time to ask our own address again (upkeep's next_self_us).
void dht_reach_ask(struct dht *dht);

#endif
