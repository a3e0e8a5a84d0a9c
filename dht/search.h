// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SEARCH_H
#define PNR_DHT_SEARCH_H

// What drives the lookup of an operation: fills its list from the routing table, asks the next
// candidates, takes in their replies, and ends it. A lookup that reads and has found nothing, or
// whose target's neighbourhood is crowded, or that may not settle, is widened to the target's
// region before it ends; one that writes begins with it. What a reply carries besides contacts is
// dht/found.h's; what comes after the lookup of a put or an announce is dht/store.h's.

#include "dht/engine.h"

// Starts the lookup of a new operation: offers the closest contacts of the table and asks the first
// ones.
void dht_search_start(struct dht *dht, struct dht_op *op, const struct dht_id *target,
                      uint32_t width);

// The same in two steps, between which the caller may offer nodes that he knows.
void dht_search_begin(struct dht *dht, struct dht_op *op, const struct dht_id *target,
                      uint32_t width);
void dht_search_go(struct dht *dht, struct dht_op *op);

// Offers a node that somebody named, who is no candidate, to the operation's lookup. depth: as in
// struct dht_candidate.
void dht_search_offer(struct dht *dht, struct dht_op *op, const struct dht_krpc_node *node,
                      uint32_t depth);
// Offers the contacts of a candidate's reply; returns how many it named. May move the candidates.
uint32_t dht_search_take_nodes(struct dht *dht, struct dht_op *op, uint16_t candidate,
                               const struct dht_krpc *msg);

// Asks whom there is to ask, and ends the lookup if it is over. The operation may be gone
// afterwards.
void dht_search_step(struct dht *dht, struct dht_op *op);

// A candidate's reply, its id and address already checked. The operation may be gone afterwards.
void dht_search_reply(struct dht *dht, const struct dht_transaction *transaction,
                      const struct dht_krpc *msg);
// It answered with an error message.
void dht_search_error(struct dht *dht, const struct dht_transaction *transaction);
// It was silent for its soft timeout.
void dht_search_silent(struct dht *dht, const struct dht_transaction *transaction);
// It cannot be reached.
void dht_search_dead(struct dht *dht, const struct dht_transaction *transaction);
// It has shown another id: nothing of it counts any more in this lookup (quirk Q10).
void dht_search_other_id(struct dht *dht, const struct dht_transaction *transaction,
                         const struct dht_id *shown);

// The counts so far.
struct dht_tally dht_search_tally(const struct dht_op *op);

// Counts in tally how many returned the newest item (copies), another (others) and the caller's
// own.
void dht_search_count_holders(const struct dht_op *op, struct dht_tally *tally);

// Queues the DONE event, and closes the operation or holds it.
void dht_search_finish(struct dht *dht, struct dht_op *op, bool ended_early);

// Closes the transactions of an operation, or a watch: it is cancelled. (One that has ended needs
// nothing like it: its id is stale, so late replies still feed the routing table, and find no
// operation.)
void dht_search_abandon(struct dht *dht, uint32_t op);

#endif
