// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_FOUND_H
#define PNR_DHT_FOUND_H

// What replies to a lookup carry besides contacts: items, which are believed only once they are
// verified, and peers. SHA1(k + salt) = target is checked on every read (quirk Q22), the signature
// once for equal bytes.

#include "dht/engine.h"

// dht_candidate.holds of who returned what the caller has put himself.
#define DHT_FOUND_HOLDS_OWN (UINT8_MAX - 1)

// Takes in what our own store holds, before anybody is asked: the network is the others and
// ourselves.
void dht_found_own(struct dht *dht, struct dht_op *op);

// Takes in the item or the sequence number of a `get` reply. Returns whether there was one.
bool dht_found_item(struct dht *dht, struct dht_op *op, uint16_t candidate,
                    const struct dht_krpc *msg, const struct dht_addr *from);

// Takes in the peers of a `get_peers` reply. Returns whether there were any.
bool dht_found_peers(struct dht *dht, struct dht_op *op, const struct dht_krpc *msg,
                     const struct dht_addr *from);

#define DHT_FOUND_PEERS_MAX 200 // read from one message

// The item of a message, of that target and salt, unverified. False where there is none, or only
// half of one.
bool dht_found_read(const struct dht_krpc *msg, const struct dht_id *target, struct dht_span salt,
                    struct dht_item *ret_item);

// The peers of a message that are of our own family and can be somebody's; returns how many.
size_t dht_found_read_peers(const struct dht *dht, const struct dht_krpc *msg,
                            struct dht_addr ret_peers[DHT_FOUND_PEERS_MAX]);

// Whether an item is what it says: sizes, the hash of key and salt (or of the value), the
// signature.
bool dht_found_verify(const struct dht *dht, const struct dht_item *item);

// The target under which an item belongs.
struct dht_id dht_found_target(const struct dht *dht, const struct dht_item *item);

#endif
