// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SWARM_H
#define PNR_DHT_SWARM_H

// The peers of one infohash; dht/peer_store.c owns the swarms and knows their bounds.
//
// One dense array of records in compact form: 18 bytes a peer for IPv4, 30 for IPv6, so that a
// sample is a walk over neighbours. The records are linked by their positions in order of refresh.
// Up to 8 peers are found by looking at each, more by a dht_index. A swarm of 65,534 peers is the
// largest that the links can name.

#include "dht/index.h"
#include "dht/siphash.h"
#include "pnr/dht.h"

#define DHT_SWARM_PEERS_MAX 65534

// What all swarms of a store have in common.
struct dht_swarm_kind {
    struct dht_siphash_key key;
    uint32_t compact_len; // of an address: 6 or 18
};

// A zeroed struct is a swarm with no peers. The fields are read-only for others.
struct dht_swarm {
    struct dht_id info_hash; // set by the owner
    uint32_t heap_pos;       // the owner's
    int64_t news_us;         // likewise
    uint8_t *records;
    struct dht_index index; // of the peers by address; empty while the swarm is small
    uint16_t count;
    uint16_t capacity;
    uint16_t newest, oldest; // positions
};

void dht_swarm_clear(struct dht_swarm *swarm);

// Starts the peer's lifetime anew. False where the swarm does not have this peer.
bool dht_swarm_refresh(const struct dht_swarm_kind *kind, struct dht_swarm *swarm, int64_t now_us,
                       const uint8_t *compact, bool is_seed);
// Adds a peer that is not there yet. False where memory is short; nothing has changed then. The
// swarm holds fewer than DHT_SWARM_PEERS_MAX (asserted).
bool dht_swarm_add(const struct dht_swarm_kind *kind, struct dht_swarm *swarm, int64_t now_us,
                   const uint8_t *compact, bool is_seed);

// When the peer that was refreshed longest ago was. The swarm has peers (asserted).
int64_t dht_swarm_oldest_us(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm);
// Drops that peer. Moves others.
void dht_swarm_drop_oldest(const struct dht_swarm_kind *kind, struct dht_swarm *swarm);

// The compact address at a position below count.
const uint8_t *dht_swarm_peer(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                              uint32_t position, bool *ret_is_seed);

// Asserts that the swarm's records and index agree. For tests: it looks at everything.
void dht_swarm_check(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm);

#endif
