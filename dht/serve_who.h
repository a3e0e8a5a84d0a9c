// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SERVE_WHO_H
#define PNR_DHT_SERVE_WHO_H

// Answers `pnr_who` (docs/unsecured.md): what this node has registered under an infohash. A query
// without a token is answered with a token and nothing else, which is no longer than the query; one
// with it has shown that the asker is where he asks from, and gets the description with as much of
// the payload as fits beside it, or from an offset on the next part of the payload.

#include "dht/serve.h"

#define DHT_SERVE_WHO_LEN_MAX 1000 // bytes of description and part of one reply

// Whether it asks for something that is registered here. That is the one query that a read-only
// node answers.
bool dht_serve_who_is_ours(const struct dht *dht, const struct dht_krpc *msg);

void dht_serve_who(struct dht_serve *serve);

#endif
