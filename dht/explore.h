// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_EXPLORE_H
#define PNR_DHT_EXPLORE_H

// Exploring the region of a lookup (dht/region.h). Nodes packed around a target are the only ones
// that honest neighbours name when they are asked for it. So the neighbours are asked for other
// points of the region, drawn at random, of which no attacker could know: there they name each
// other. It costs DHT_EXPLORE_MAX queries at most, and is done only where the region is crowded or
// thin.
//
// But a lookup may never learn that a region is crowded: who has the item returns it, and outside a
// lab does not name anybody as well to somebody it does not know (dht/serve_item.h). So the closest
// that have named nobody are asked once more, for their neighbours alone.

#include "dht/engine.h"

#define DHT_EXPLORE_MAX    16
#define DHT_EXPLORE_BARREN 6 // in a row that have brought nobody new: the region is known

#define DHT_EXPLORE_CLOSEST       3 // whose neighbours are asked for
#define DHT_EXPLORE_NEIGHBOUR_MAX 6 // queries for them, for who is closest changes

// Sends a query, where there is reason to and somebody to ask. The lookup has a region.
bool dht_explore(struct dht *dht, struct dht_op *op);

// Asks the closest for their neighbours, where they have answered and named nobody. The lookup need
// not have a region.
void dht_explore_neighbours(struct dht *dht, struct dht_op *op);

// What became of it. The operation may be gone afterwards.
void dht_explore_reply(struct dht *dht, const struct dht_transaction *transaction,
                       const struct dht_krpc *msg);
// No answer, or none that counts.
void dht_explore_failed(struct dht *dht, const struct dht_transaction *transaction);

#endif
