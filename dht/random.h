// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_RANDOM_H
#define PNR_DHT_RANDOM_H

// Random numbers from a seed: ChaCha20's key stream (RFC 8439) under the seed as key. Unguessable
// for who does not know the seed, as tokens and transaction ids need; the same for the same seed,
// as replay needs.
//
// Layout of a block's input: 4 constant words, 8 words of key, the block number in words 12 and 13
// (64 bits, low word first; RFC 8439 has 32 bits of it there and 32 bits of nonce), zero in words
// 14 and 15. The stream is handed out byte after byte, however the calls cut it; numbers are read
// from it little endian, so all machines see the same ones.

#include "pnr/dht.h"

struct dht_random {
    uint32_t key[8];
    uint64_t block;     // number of the next block, from 0
    uint8_t stream[64]; // the current block
    uint32_t used;      // bytes of it handed out
};

void dht_random_init(struct dht_random *random, const uint8_t seed[32]);
// Hands out the next len bytes of the stream.
void dht_random_bytes(struct dht_random *random, void *ret_bytes, size_t len);
uint32_t dht_random_u32(struct dht_random *random);
uint64_t dht_random_u64(struct dht_random *random);
// Evenly from 0 to bound - 1, without bias. bound is not 0 (asserted).
uint64_t dht_random_below(struct dht_random *random, uint64_t bound);

#endif
