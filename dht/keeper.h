// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_KEEPER_H
#define PNR_DHT_KEEPER_H

// What passes between a watch of ours and its keepers (docs/watching.md): they are asked for leases
// and for renewals, in time for the token that they gave last to be still good, and those that do
// not push are polled, one at a time in turn, two within any minute where nobody pushes.

#include "dht/watch.h"

// Takes the keepers from a lookup of the target that has ended: of the closest that gave a token
// those first that hold the best item found. Who is a keeper already stays what it is.
void dht_keeper_choose(struct dht *dht, struct dht_watching *watching, const struct dht_op *op);

// Asks whoever is due. Returns when the next is; INT64_MAX: none.
int64_t dht_keeper_step(struct dht *dht, struct dht_watching *watching);

// How many are not lost.
uint32_t dht_keeper_left(const struct dht_watching *watching);
// Whether any that is left holds the item.
bool dht_keeper_holds(const struct dht_watching *watching);

// It has pushed: it is there.
void dht_keeper_pushed(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper);
// It lies: nothing of it counts any more.
void dht_keeper_lose(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper);
// There was news: polls are quick again.
void dht_keeper_hurry(struct dht *dht, struct dht_watching *watching);
// Asks it for an item that it has told of.
void dht_keeper_ask(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper);

// Tells all that the watch has ended, once.
void dht_keeper_part(struct dht *dht, struct dht_watching *watching);

// A keeper's reply, error message, or silence.
void dht_keeper_reply(struct dht *dht, const struct dht_transaction *transaction,
                      const struct dht_krpc *msg);
void dht_keeper_error(struct dht *dht, const struct dht_transaction *transaction, int32_t code);
void dht_keeper_silent(struct dht *dht, const struct dht_transaction *transaction);
// It cannot be reached, or is somebody else.
void dht_keeper_dead(struct dht *dht, const struct dht_transaction *transaction);

#endif
