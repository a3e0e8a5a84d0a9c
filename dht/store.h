// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_STORE_H
#define PNR_DHT_STORE_H

// The second half of a put or an announce: the closest nodes with a token, and further ones with
// ids that fit their addresses where there are few among them (dht/lookup.h), are asked to store,
// each up to three times. 302 from a node that returned the same sequence number means "already
// there"; where a put was sent twice, 301 and 302 may mean that the first arrived, so the node is
// asked once what it holds (quirk Q20). Silence is told at the end of the operation, not before: up
// to then a late reply counts.

#include "dht/engine.h"

// Takes the item that is to be put. Where another one was put early, that is the caller's own from
// now on, on those who hold it. False where memory is short.
bool dht_store_take(struct dht *dht, struct dht_op *op, const struct dht_item *item);

// Asks a candidate of a lookup that goes on to store the item, if it has given a token. Once: what
// comes of it is looked after when the lookup is over.
void dht_store_early(struct dht *dht, struct dht_op *op, uint16_t candidate);
// One of dht_get.storers has answered: it is asked at once, if there is an item to store.
void dht_store_near(struct dht *dht, struct dht_op *op, uint16_t candidate);

// The lookup is over: picks the targets and asks them. The operation may be gone afterwards.
void dht_store_start(struct dht *dht, struct dht_op *op);

void dht_store_reply(struct dht *dht, const struct dht_transaction *transaction,
                     const struct dht_krpc *msg);
void dht_store_error(struct dht *dht, const struct dht_transaction *transaction, int32_t code);
void dht_store_silent(struct dht *dht, const struct dht_transaction *transaction);
void dht_store_unreachable(struct dht *dht, const struct dht_transaction *transaction);

#endif
