// SPDX-License-Identifier: MIT
#include "dht/peer_store.h"

#include "dht/addr.h"
#include "dht/index.h"
#include "dht/swarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE      UINT32_MAX
#define BLOOM_LEN 256
#define NEVER     INT64_MIN

// An entry of the heap of swarms, the one with the oldest peer on top. oldest_us may be earlier
// than the swarm's oldest peer is now: a refresh leaves it alone, and it is put right when it comes
// due, so that refreshing costs nothing here.
struct heap_entry {
    int64_t oldest_us;
    uint32_t swarm;
};

struct dht_peer_store {
    struct dht_peer_store_limits limits;
    struct dht_swarm_kind kind; // compact_len is 0 until the first put
    struct dht_random *random;
    struct dht_swarm *swarms; // dense, in no order
    struct heap_entry *heap;  // one entry for each swarm
    uint32_t swarm_count;
    uint32_t swarm_capacity; // of both
    uint32_t peer_count;
    struct dht_index index; // infohash -> position in swarms
};

struct dht_peer_store *dht_peer_store_new(const struct dht_peer_store_limits *limits,
                                          const struct dht_siphash_key *key,
                                          struct dht_random *random)
{
    struct dht_peer_store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    store->limits = *limits;
    if (store->limits.peers_per_swarm_max > DHT_SWARM_PEERS_MAX) {
        store->limits.peers_per_swarm_max = DHT_SWARM_PEERS_MAX;
    }
    store->kind.key = *key;
    store->random = random;
    return store;
}

void dht_peer_store_free(struct dht_peer_store *store)
{
    if (store == NULL) {
        return;
    }
    for (uint32_t i = 0; i < store->swarm_count; i++) {
        dht_swarm_clear(&store->swarms[i]);
    }
    free(store->swarms);
    free(store->heap);
    dht_index_clear(&store->index);
    free(store);
}

static uint32_t hash_info_hash(const struct dht_peer_store *store, const struct dht_id *info_hash)
{
    return (uint32_t)dht_siphash(&store->kind.key, info_hash->bytes, DHT_ID_LEN);
}

static uint32_t find_swarm(const struct dht_peer_store *store, const struct dht_id *info_hash)
{
    uint32_t hash = hash_info_hash(store, info_hash);
    uint32_t cursor = DHT_INDEX_START;
    uint32_t at;
    while ((at = dht_index_next(&store->index, hash, &cursor)) != DHT_INDEX_NONE) {
        if (memcmp(store->swarms[at].info_hash.bytes, info_hash->bytes, DHT_ID_LEN) == 0) {
            return at;
        }
    }
    return NONE;
}

// ---- the heap ----

static void heap_set(struct dht_peer_store *store, uint32_t at, struct heap_entry entry)
{
    store->heap[at] = entry;
    store->swarms[entry.swarm].heap_pos = at;
}

static void heap_up(struct dht_peer_store *store, uint32_t at, struct heap_entry entry)
{
    while (at > 0 && store->heap[(at - 1) / 2].oldest_us > entry.oldest_us) {
        heap_set(store, at, store->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_set(store, at, entry);
}

// Puts entry where it belongs at or below `at`, among the first `count` entries.
static void heap_down(struct dht_peer_store *store, uint32_t count, uint32_t at,
                      struct heap_entry entry)
{
    for (uint64_t child; (child = 2 * (uint64_t)at + 1) < count; at = (uint32_t)child) {
        if (child + 1 < count && store->heap[child + 1].oldest_us < store->heap[child].oldest_us) {
            child++;
        }
        if (store->heap[child].oldest_us >= entry.oldest_us) {
            break;
        }
        heap_set(store, at, store->heap[child]);
    }
    heap_set(store, at, entry);
}

// ---- swarms ----

static bool reserve_swarm(struct dht_peer_store *store)
{
    if (store->swarm_count == store->swarm_capacity) {
        uint64_t capacity = store->swarm_capacity + 4 + (uint64_t)store->swarm_capacity / 4;
        if (capacity > store->limits.swarms_max) {
            capacity = store->limits.swarms_max;
        }
        struct dht_swarm *swarms = realloc(store->swarms, capacity * sizeof(*swarms));
        if (swarms == NULL) {
            return false;
        }
        store->swarms = swarms;
        struct heap_entry *heap = realloc(store->heap, capacity * sizeof(*heap));
        if (heap == NULL) {
            return false;
        }
        store->heap = heap;
        store->swarm_capacity = (uint32_t)capacity;
    }
    return dht_index_reserve(&store->index, store->limits.swarms_max);
}

static bool add_swarm(struct dht_peer_store *store, int64_t now_us, const struct dht_id *info_hash,
                      const uint8_t *compact, bool is_seed)
{
    struct dht_swarm swarm = {.info_hash = *info_hash, .news_us = NEVER};
    if (!reserve_swarm(store) || !dht_swarm_add(&store->kind, &swarm, now_us, compact, is_seed)) {
        dht_swarm_clear(&swarm);
        return false;
    }
    uint32_t at = store->swarm_count++;
    store->swarms[at] = swarm;
    dht_index_add(&store->index, hash_info_hash(store, info_hash), at);
    heap_up(store, at, (struct heap_entry){now_us, at});
    return true;
}

// Removes the swarm on top of the heap; the last one takes its place in the array.
static void remove_top_swarm(struct dht_peer_store *store)
{
    uint32_t gap = store->heap[0].swarm;
    uint32_t last = --store->swarm_count;
    dht_index_remove(&store->index, hash_info_hash(store, &store->swarms[gap].info_hash), gap);
    dht_swarm_clear(&store->swarms[gap]);
    if (last > 0) {
        heap_down(store, last, 0, store->heap[last]);
    }
    if (gap != last) {
        store->swarms[gap] = store->swarms[last];
        store->heap[store->swarms[gap].heap_pos].swarm = gap;
        uint32_t hash = hash_info_hash(store, &store->swarms[gap].info_hash);
        dht_index_replace(&store->index, hash, last, gap);
    }
}

// ---- putting ----

enum dht_peer_store_result dht_peer_store_put(struct dht_peer_store *store, int64_t now_us,
                                              const struct dht_id *info_hash,
                                              const struct dht_addr *peer, bool is_seed)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    uint32_t len = (uint32_t)dht_addr_to_compact(peer, compact);
    assert(store->kind.compact_len == 0 || store->kind.compact_len == len);
    store->kind.compact_len = len;
    uint32_t at = find_swarm(store, info_hash);
    struct dht_swarm *swarm = at == NONE ? NULL : &store->swarms[at];
    if (swarm != NULL && dht_swarm_refresh(&store->kind, swarm, now_us, compact, is_seed)) {
        return DHT_PEER_STORE_REFRESHED;
    }
    if (store->peer_count >= store->limits.peers_max) {
        return DHT_PEER_STORE_FULL;
    }
    bool added;
    if (swarm != NULL) {
        added = swarm->count < store->limits.peers_per_swarm_max &&
                dht_swarm_add(&store->kind, swarm, now_us, compact, is_seed);
    } else {
        added = store->swarm_count < store->limits.swarms_max &&
                store->limits.peers_per_swarm_max > 0 &&
                add_swarm(store, now_us, info_hash, compact, is_seed);
    }
    store->peer_count += added;
    return added ? DHT_PEER_STORE_ADDED : DHT_PEER_STORE_FULL;
}

void dht_peer_store_note_news(struct dht_peer_store *store, int64_t now_us,
                              const struct dht_id *info_hash)
{
    uint32_t at = find_swarm(store, info_hash);
    if (at != NONE) {
        store->swarms[at].news_us = now_us;
    }
}

// ---- asking ----

bool dht_peer_store_news(const struct dht_peer_store *store, const struct dht_id *info_hash,
                         int64_t *ret_news_us)
{
    uint32_t at = find_swarm(store, info_hash);
    if (at == NONE || store->swarms[at].news_us == NEVER) {
        return false;
    }
    *ret_news_us = store->swarms[at].news_us;
    return true;
}

size_t dht_peer_store_sample(struct dht_peer_store *store, const struct dht_id *info_hash,
                             bool noseed, size_t max, uint8_t *ret_compact)
{
    uint32_t at = find_swarm(store, info_hash);
    if (at == NONE) {
        return 0;
    }
    const struct dht_swarm *swarm = &store->swarms[at];
    uint32_t position = (uint32_t)dht_random_below(store->random, swarm->count);
    size_t len = store->kind.compact_len;
    size_t taken = 0;
    for (uint32_t seen = 0; seen < swarm->count && taken < max; seen++) {
        bool is_seed;
        const uint8_t *compact = dht_swarm_peer(&store->kind, swarm, position, &is_seed);
        if (!(noseed && is_seed)) {
            memcpy(ret_compact + taken * len, compact, len);
            taken++;
        }
        position = position + 1 == swarm->count ? 0 : position + 1;
    }
    return taken;
}

// BEP 33: two bits for each address, out of its SHA-1.
static void bloom_add(const struct dht_crypto *crypto, struct dht_span ip,
                      uint8_t filter[BLOOM_LEN])
{
    uint8_t digest[20];
    crypto->sha1(crypto->ctx, &ip, 1, digest);
    for (int i = 0; i < 4; i += 2) {
        uint32_t bit = (digest[i] | (uint32_t)digest[i + 1] << 8) % (BLOOM_LEN * 8);
        filter[bit / 8] |= (uint8_t)(1u << (bit % 8));
    }
}

bool dht_peer_store_scrape(const struct dht_peer_store *store, const struct dht_id *info_hash,
                           const struct dht_crypto *crypto, uint8_t ret_seeds[256],
                           uint8_t ret_peers[256])
{
    uint32_t at = find_swarm(store, info_hash);
    if (at == NONE) {
        return false;
    }
    memset(ret_seeds, 0, BLOOM_LEN);
    memset(ret_peers, 0, BLOOM_LEN);
    const struct dht_swarm *swarm = &store->swarms[at];
    for (uint32_t position = 0; position < swarm->count; position++) {
        bool is_seed;
        const uint8_t *compact = dht_swarm_peer(&store->kind, swarm, position, &is_seed);
        struct dht_span ip = {compact, store->kind.compact_len - 2};
        bloom_add(crypto, ip, is_seed ? ret_seeds : ret_peers);
    }
    return true;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

size_t dht_peer_store_infohashes(struct dht_peer_store *store, size_t max,
                                 struct dht_id *ret_info_hashes)
{
    uint32_t count = store->swarm_count;
    if (count == 0) {
        return 0;
    }
    // Steps of a random width that has no divisor in common with count come to each swarm once.
    uint32_t at = (uint32_t)dht_random_below(store->random, count);
    uint32_t width;
    do {
        width = 1 + (uint32_t)dht_random_below(store->random, count);
    } while (common_divisor(width, count) != 1);
    size_t taken = 0;
    while (taken < max && taken < count) {
        ret_info_hashes[taken++] = store->swarms[at].info_hash;
        at = (uint32_t)(((uint64_t)at + width) % count);
    }
    return taken;
}

// ---- expiry ----

static int64_t expiry_of(const struct dht_peer_store *store, int64_t refreshed_us)
{
    int64_t lifetime_us = store->limits.lifetime_us;
    return refreshed_us > INT64_MAX - lifetime_us ? INT64_MAX : refreshed_us + lifetime_us;
}

uint32_t dht_peer_store_expire(struct dht_peer_store *store, int64_t now_us, uint32_t most)
{
    uint32_t dropped = 0;
    while (store->swarm_count > 0 && dropped < most &&
           expiry_of(store, store->heap[0].oldest_us) <= now_us) {
        struct dht_swarm *swarm = &store->swarms[store->heap[0].swarm];
        int64_t oldest_us = dht_swarm_oldest_us(&store->kind, swarm);
        if (expiry_of(store, oldest_us) > now_us) {
            heap_down(store, store->swarm_count, 0,
                      (struct heap_entry){oldest_us, store->heap[0].swarm});
            continue;
        }
        dht_swarm_drop_oldest(&store->kind, swarm);
        store->peer_count--;
        dropped++;
        if (swarm->count == 0) {
            remove_top_swarm(store);
        }
    }
    return dropped;
}

int64_t dht_peer_store_next_expiry(const struct dht_peer_store *store)
{
    return store->swarm_count == 0 ? INT64_MAX : expiry_of(store, store->heap[0].oldest_us);
}

bool dht_peer_store_has_room(const struct dht_peer_store *store, const struct dht_id *info_hash)
{
    if (store->peer_count >= store->limits.peers_max) {
        return false;
    }
    uint32_t at = find_swarm(store, info_hash);
    return at == NONE ? store->swarm_count < store->limits.swarms_max &&
                            store->limits.peers_per_swarm_max > 0
                      : store->swarms[at].count < store->limits.peers_per_swarm_max;
}

uint32_t dht_peer_store_swarms(const struct dht_peer_store *store)
{
    return store->swarm_count;
}

uint32_t dht_peer_store_peers(const struct dht_peer_store *store)
{
    return store->peer_count;
}

void dht_peer_store_check(const struct dht_peer_store *store)
{
    uint32_t peers = 0;
    for (uint32_t i = 0; i < store->swarm_count; i++) {
        const struct dht_swarm *swarm = &store->swarms[i];
        assert(swarm->count > 0 && swarm->count <= store->limits.peers_per_swarm_max);
        assert(find_swarm(store, &swarm->info_hash) == i);
        dht_swarm_check(&store->kind, swarm);
        peers += swarm->count;
        const struct heap_entry *entry = &store->heap[swarm->heap_pos];
        assert(entry->swarm == i);
        assert(entry->oldest_us <= dht_swarm_oldest_us(&store->kind, swarm));
        assert(store->heap[(swarm->heap_pos - (swarm->heap_pos > 0)) / 2].oldest_us <=
               entry->oldest_us);
    }
    dht_index_check(&store->index);
    assert(peers == store->peer_count && peers <= store->limits.peers_max);
    assert(store->index.count == store->swarm_count);
    assert(store->swarm_count <= store->limits.swarms_max);
}
