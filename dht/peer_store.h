// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_PEER_STORE_H
#define PNR_DHT_PEER_STORE_H

// The peers announced to this node (BEP 5), by infohash, with the seed flag that BEP 33 counts.
//
// A swarm is found by infohash in constant time; a peer of a swarm by address, in constant time
// also where a swarm is large (dht/swarm.h). Bounds: swarms_max, peers_max in all,
// peers_per_swarm_max (and 65,534). A full store refuses the newcomer; a refresh always succeeds.
// Peers expire lifetime_us after their last announce; a swarm with no peers is gone, and tables
// that emptied shrink. One engine holds one address family, so all addresses have the same ip_len
// (asserted). A peer costs 18 to 23 bytes (IPv4; 30 to 38 for IPv6), and 12 to 15 more for its
// index in a swarm of more than 8; a swarm about 120.

#include "dht/random.h"
#include "dht/siphash.h"
#include "pnr/dht.h"

struct dht_peer_store;

struct dht_peer_store_limits {
    uint32_t swarms_max;
    uint32_t peers_max;
    uint32_t peers_per_swarm_max;
    int64_t lifetime_us;
};

enum dht_peer_store_result {
    DHT_PEER_STORE_ADDED,
    DHT_PEER_STORE_REFRESHED,
    DHT_PEER_STORE_FULL,
};

// NULL where memory is short. random picks the samples of dht_peer_store_sample() and has to
// outlive the store.
struct dht_peer_store *dht_peer_store_new(const struct dht_peer_store_limits *limits,
                                          const struct dht_siphash_key *key,
                                          struct dht_random *random);
void dht_peer_store_free(struct dht_peer_store *store);

// Adds the peer, or starts its lifetime anew; the seed flag is that of the last announce. FULL: one
// of the limits, or memory short; nothing has changed then.
enum dht_peer_store_result dht_peer_store_put(struct dht_peer_store *store, int64_t now_us,
                                              const struct dht_id *info_hash,
                                              const struct dht_addr *peer, bool is_seed);

// Notes that there is news of the infohash: a peer has come, or has something else to say. Nothing
// where it has no peers.
void dht_peer_store_note_news(struct dht_peer_store *store, int64_t now_us,
                              const struct dht_id *info_hash);
// When that was noted last. False where it never was, or there are no peers any more.
bool dht_peer_store_news(const struct dht_peer_store *store, const struct dht_id *info_hash,
                         int64_t *ret_news_us);

// Writes up to max peers of the infohash in compact form, compact_len bytes each, end to end,
// starting at a random one so that repeated calls show all of a large swarm; without seeds where
// noseed. Returns how many. ret_compact holds max * compact_len bytes; compact_len is 6 or 18.
size_t dht_peer_store_sample(struct dht_peer_store *store, const struct dht_id *info_hash,
                             bool noseed, size_t max, uint8_t *ret_compact);

// BEP 33: fills the Bloom filters of seeds and of other peers, by one SHA-1 for each peer; sha1 is
// the driver's. False where the infohash is unknown.
bool dht_peer_store_scrape(const struct dht_peer_store *store, const struct dht_id *info_hash,
                           const struct dht_crypto *crypto, uint8_t ret_seeds[256],
                           uint8_t ret_peers[256]);

// Up to max infohashes, picked at random (BEP 51); returns how many.
size_t dht_peer_store_infohashes(struct dht_peer_store *store, size_t max,
                                 struct dht_id *ret_info_hashes);

// Drops what has expired, at most `most` peers; returns how many. Call it when next_expiry is due:
// that is when the next peer expires, or earlier, if the peer it was set for has been refreshed
// since (expire then drops nothing and next_expiry moves on); INT64_MAX where there is none.
uint32_t dht_peer_store_expire(struct dht_peer_store *store, int64_t now_us, uint32_t most);
int64_t dht_peer_store_next_expiry(const struct dht_peer_store *store);

// Whether an announce for this infohash could be taken (a get_peers answers without a token where
// not).
bool dht_peer_store_has_room(const struct dht_peer_store *store, const struct dht_id *info_hash);

uint32_t dht_peer_store_swarms(const struct dht_peer_store *store);
uint32_t dht_peer_store_peers(const struct dht_peer_store *store);

// Asserts that the store's tables agree with each other. For tests: it looks at everything.
void dht_peer_store_check(const struct dht_peer_store *store);

#endif
