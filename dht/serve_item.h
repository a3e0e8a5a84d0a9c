// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SERVE_ITEM_H
#define PNR_DHT_SERVE_ITEM_H

// BEP 44's get and put, answered. A put is checked in this order, so that a flood costs least:
// shape, sizes, token, sequence number, and only then the signature, for which there is a budget.
// The same signed item again is a refresh and needs no second verification.

#include "dht/serve.h"

void dht_serve_item_get(struct dht_serve *serve);
void dht_serve_item_put(struct dht_serve *serve);

#endif
