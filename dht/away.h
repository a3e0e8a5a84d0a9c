// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_AWAY_H
#define PNR_DHT_AWAY_H

// Whether our own network is away: several queries in a row, and nobody has answered any. While it
// is, a contact is pinged every DHT_AWAY_ASK_US, for other upkeep comes to rest then and would
// notice late that the network is back. (And where it was only that all those asked have died, that
// contact says so.) The first answer after DHT_AWAY_US is told as DHT_OUT_RETURNED.

#include "dht/engine.h"

#define DHT_AWAY_US      (2 * DHT_MINUTE_US)
#define DHT_AWAY_ASK_US  (45 * DHT_SECOND_US)
#define DHT_AWAY_QUERIES 8

// Somebody has answered.
void dht_away_heard(struct dht *dht);
// Nobody has answered a query that was sent then.
void dht_away_silent(struct dht *dht, int64_t sent_us);
// dht->upkeep.next_away_us has come.
void dht_away_due(struct dht *dht);

#endif
