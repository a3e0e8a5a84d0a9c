// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_REPLY_H
#define PNR_DHT_REPLY_H

// What comes back to our queries: replies, errors, silence. Here it is decided whether a reply
// counts (quirk Q7), and what it tells about its sender; what the query was for decides where it
// goes from here.

#include "dht/engine.h"

// A reply or an error message from `from`.
void dht_reply_receive(struct dht *dht, const struct dht_addr *from, const struct dht_krpc *msg);

// A transaction's timer rang: its soft or its hard timeout.
void dht_reply_timeout(struct dht *dht, struct dht_transaction *transaction);

// The address cannot be reached: what waits for it fails now.
void dht_reply_unreachable(struct dht *dht, const struct dht_addr *addr);

#endif
