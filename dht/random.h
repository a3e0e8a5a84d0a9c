// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_RANDOM_H
#define PNR_DHT_RANDOM_H

// Random numbers from a seed: ChaCha20's key stream (RFC 8439) under the seed as key. Unguessable
// for who does not know the seed, as tokens and transaction ids need; the same for the same seed,
// as replay needs.

#include "pnr/dht.h"

struct dht_random {
    uint32_t key[8];
    uint64_t block;     // number of the next block
    uint8_t stream[64]; // the current block
    uint32_t used;      // bytes of it handed out
};

void dht_random_init(struct dht_random *random, const uint8_t seed[32]);
void dht_random_bytes(struct dht_random *random, void *ret_bytes, size_t len);
uint32_t dht_random_u32(struct dht_random *random);
uint64_t dht_random_u64(struct dht_random *random);
// Evenly from 0 to bound - 1. bound is not 0.
uint64_t dht_random_below(struct dht_random *random, uint64_t bound);

#endif
