// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SERVE_WATCH_H
#define PNR_DHT_SERVE_WATCH_H

// pnr_watch and pnr_changed, answered (docs/watching.md). A pnr_watch is checked for its shape,
// then for its token; only then is anything looked up or kept. A pnr_changed is worth nothing
// unless its address and nonce are those of a watch of ours, which is all that is looked at before
// it is refused.

#include "dht/serve.h"

#define DHT_SERVE_WATCH_LEASE_LEAST_S 60
#define DHT_SERVE_WATCH_LEASE_MOST_S  1800

void dht_serve_watch(struct dht_serve *serve);
void dht_serve_watch_changed(struct dht_serve *serve);

#endif
