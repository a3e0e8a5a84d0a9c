// SPDX-License-Identifier: MIT
#include "dht/random.h"

#include <assert.h>
#include <string.h>

#define ROUND_PAIRS 10 // ChaCha20

static uint32_t load_le32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static void store_le32(uint8_t *bytes, uint32_t word)
{
    bytes[0] = (uint8_t)word;
    bytes[1] = (uint8_t)(word >> 8);
    bytes[2] = (uint8_t)(word >> 16);
    bytes[3] = (uint8_t)(word >> 24);
}

static uint32_t rotate(uint32_t word, int bits)
{
    return word << bits | word >> (32 - bits);
}

// RFC 8439, 2.1.
static void quarter_round(uint32_t words[16], size_t a, size_t b, size_t c, size_t d)
{
    words[a] += words[b];
    words[d] = rotate(words[d] ^ words[a], 16);
    words[c] += words[d];
    words[b] = rotate(words[b] ^ words[c], 12);
    words[a] += words[b];
    words[d] = rotate(words[d] ^ words[a], 8);
    words[c] += words[d];
    words[b] = rotate(words[b] ^ words[c], 7);
}

// Makes the next block of the stream (RFC 8439, 2.3).
static void next_block(struct dht_random *random)
{
    uint32_t input[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(input + 4, random->key, sizeof(random->key));
    input[12] = (uint32_t)random->block;
    input[13] = (uint32_t)(random->block >> 32);
    uint32_t words[16];
    memcpy(words, input, sizeof(words));
    for (int i = 0; i < ROUND_PAIRS; i++) {
        for (size_t column = 0; column < 4; column++) {
            quarter_round(words, column, 4 + column, 8 + column, 12 + column);
        }
        for (size_t column = 0; column < 4; column++) {
            quarter_round(words, column, 4 + (column + 1) % 4, 8 + (column + 2) % 4,
                          12 + (column + 3) % 4);
        }
    }
    for (size_t i = 0; i < 16; i++) {
        store_le32(random->stream + 4 * i, words[i] + input[i]);
    }
    random->block++;
    random->used = 0;
}

void dht_random_init(struct dht_random *random, const uint8_t seed[32])
{
    memset(random, 0, sizeof(*random));
    for (size_t i = 0; i < 8; i++) {
        random->key[i] = load_le32(seed + 4 * i);
    }
    random->used = sizeof(random->stream);
}

void dht_random_bytes(struct dht_random *random, void *ret_bytes, size_t len)
{
    uint8_t *at = ret_bytes;
    while (len > 0) {
        if (random->used == sizeof(random->stream)) {
            next_block(random);
        }
        size_t left = sizeof(random->stream) - random->used;
        size_t part = len < left ? len : left;
        memcpy(at, random->stream + random->used, part);
        random->used += (uint32_t)part;
        at += part;
        len -= part;
    }
}

uint32_t dht_random_u32(struct dht_random *random)
{
    uint8_t bytes[4];
    dht_random_bytes(random, bytes, sizeof(bytes));
    return load_le32(bytes);
}

uint64_t dht_random_u64(struct dht_random *random)
{
    uint8_t bytes[8];
    dht_random_bytes(random, bytes, sizeof(bytes));
    return (uint64_t)load_le32(bytes) | (uint64_t)load_le32(bytes + 4) << 32;
}

uint64_t dht_random_below(struct dht_random *random, uint64_t bound)
{
    assert(bound != 0);
    // 2^64 numbers do not divide evenly by bound: the lowest 2^64 % bound of them are drawn again,
    // and of the rest each remainder has equally many.
    uint64_t uneven = (0 - bound) % bound;
    uint64_t number;
    do {
        number = dht_random_u64(random);
    } while (number < uneven);
    return number % bound;
}
