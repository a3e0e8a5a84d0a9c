// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_FOUND_H
#define PNR_DHT_FOUND_H

// What replies to a lookup carry besides contacts: items, which are believed only once they are
// verified, and peers. SHA1(k + salt) = target is checked on every read (quirk Q22), the signature
// once for equal bytes.

#include "dht/engine.h"

// Takes in what our own store holds, before anybody is asked: the network is the others and
// ourselves.
void dht_found_own(struct dht *dht, struct dht_op *op);

// Takes in the item or the sequence number of a `get` reply. Returns whether there was one.
bool dht_found_item(struct dht *dht, struct dht_op *op, uint16_t candidate,
                    const struct dht_krpc *msg, const struct dht_addr *from);

// Takes in the peers of a `get_peers` reply. Returns whether there were any.
bool dht_found_peers(struct dht *dht, struct dht_op *op, const struct dht_krpc *msg,
                     const struct dht_addr *from);

// Whether an item is what it says: sizes, the hash of key and salt (or of the value), the
// signature.
bool dht_found_verify(const struct dht *dht, const struct dht_item *item);

// The target under which an item belongs.
struct dht_id dht_found_target(const struct dht *dht, const struct dht_item *item);

#endif
