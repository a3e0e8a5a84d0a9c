// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_MAINTAIN_H
#define PNR_DHT_MAINTAIN_H

// Upkeep: joins the network and stays in it. One timer, set to whatever is due next.
//
// - Joining: a lookup of our own id, by way of the table or, while that is empty or nobody in it
//   answers, of the bootstrap nodes, each of which is asked once in any case; again with growing
//   pauses while nobody answers. Then again after two minutes, four, and so on up to two hours:
//   where many come at once, the first lookup sees those alone who came before.
// - Refreshing: lookups through the buckets that have room, one after the other, for as long as the
//   first allowance lasts (dht/allowance.h): the table fills. Each is over once its bucket is full.
//   After that the table is checked, and what is missing comes in by that (dht/check.h).
// - Surveying: a random id is looked up 90 seconds after joining, then after pauses that grow by
//   four up to two hours, so that the estimate of the network's size is fresh, of targets that
//   nobody chose, and so that the table meets nodes that nobody has brought to it.
// - Newcomers: a node that asked us something is asked back once its NAT mapping has had time to
//   lapse (quirk Q11), and only if the table has room for it; at once while the table is nearly
//   empty (dht/check.h).
// - The lost: of the contacts that fell silent a few are asked again, one each
//   DHT_MAINTAIN_LOST_US, so that the two halves of a network that was cut find each other when the
//   cut heals. Who answers again is a way in like a bootstrap node: joining starts anew from there.
// - Address and role: dht/reach.h. Whether our own network is there: dht/away.h.

#include "dht/engine.h"

#define DHT_MAINTAIN_LOST_US (4 * DHT_MINUTE_US)

void dht_maintain_init(struct dht *dht);
void dht_maintain_fini(struct dht *dht);

// Where there are no newcomers, gives their memory back.
void dht_maintain_rest(struct dht *dht);

// The timer rang.
void dht_maintain_run(struct dht *dht);

// A lookup of the engine's own has ended (or was cancelled).
void dht_maintain_op_ended(struct dht *dht, uint32_t op, const struct dht_tally *tally);

// A bootstrap node answered: its contacts are where joining starts.
void dht_maintain_bootstrapped(struct dht *dht, const struct dht_krpc *msg);

// A query came from a node that does not say it is read-only: maybe a contact.
void dht_maintain_newcomer(struct dht *dht, const struct dht_addr *from,
                           const struct dht_krpc *msg);

// A contact from an earlier run: asked soon whether it is still there.
void dht_maintain_restore(struct dht *dht, const struct dht_id *id, const struct dht_addr *addr);

// Contacts of the other family, in a reply, help the sibling join (BEP 32).
void dht_maintain_other_family(struct dht *dht, const struct dht_krpc *msg);

// We are somebody else, or somewhere else, from now on: joins anew at once.
void dht_maintain_rejoin(struct dht *dht);
// A contact was won: who has not joined yet can.
void dht_maintain_gained(struct dht *dht);
// The contact at addr did not answer: it is tried again soon. Where it was lost by that it is
// remembered among the lost, and a table that has run low joins again.
void dht_maintain_failed(struct dht *dht, const struct dht_addr *addr, bool lost);
// A lookup asked and nobody answered: are we still in the network?
void dht_maintain_unanswered(struct dht *dht);

// Moves the timer forward to at_us, if it is set to later.
void dht_maintain_hurry(struct dht *dht, int64_t at_us);

#endif
