// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_REACH_H
#define PNR_DHT_REACH_H

// Where we are, and whether others reach us there.
//
// - Address: where others see us (BEP 42's `ip`) is voted on; a new id is taken where ours does not
//   fit.
// - Role: a node of role auto is read-only until it is seen to be reachable (enum
//   dht_reach_state):
//
//       UNKNOWN    pings its external address as soon as that is settled, and then every 5 minutes
//       UNKNOWN    --the ping has come back to us from outside--> PROBATION
//       PROBATION  --15 minutes without--> REFUTED: 4 hours, then UNKNOWN
//       any        --queries of two strangers have come in--> PROVEN
//       any        --settled at the address we are bound to--> PROVEN
//       any        --settled at another address than before--> UNKNOWN
//
//   The ping alone is not enough: a NAT that hairpins lets in from its own address what we sent
//   there, and may still let in nobody else. A stranger is a host that we have not asked for 5
//   minutes, nor answered ever since, so that no hole of our own making lets it in. A server gets
//   such queries all the time, from nodes that have heard of it from others: we ask and check a few
//   hosts a minute, and the network has many more. Where it has not, which is where our table holds
//   less than one bucket, there may be no strangers at all, but all there are have a hole: there
//   PROBATION goes on.
//
// A public host that moves behind a NAT with the same public address goes on as a server: the
// address bound to is told once (struct dht_config), and others still see the same.

#include "dht/engine.h"

// A message in answer to ours says where its sender sees us.
void dht_reach_vote(struct dht *dht, const struct dht_addr *voter, const struct dht_krpc *msg);

// Before anything else; the role is set.
void dht_reach_init(struct dht *dht);

// Whether it is still to be found out if we are reachable; then whom we ask has to be remembered.
bool dht_reach_is_open(const struct dht *dht);

// Whether the query is our ping to our own external address, which has come through.
bool dht_reach_own_ping(struct dht *dht, const struct dht_krpc *msg);

// Somebody who is not read-only himself has asked us something.
void dht_reach_stranger(struct dht *dht, const struct dht_addr *from);

// The state has lasted its time (upkeep's next_reach_us).
void dht_reach_due(struct dht *dht);

#endif
