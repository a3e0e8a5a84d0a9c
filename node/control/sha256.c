// SPDX-License-Identifier: MIT
#include "node/control/sha256.h"

#include "node/control/secret.h"

#include <string.h>

// FIPS 180-4, section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the
// first 64 primes.
static const uint32_t round_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

// Section 5.3.3: the same of the square roots of the first 8 primes.
static const uint32_t initial_state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                          0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static uint32_t rotate(uint32_t x, unsigned by)
{
    return (x >> by) | (x << (32 - by));
}

// Section 6.2.2, step 1: the message schedule.
static void schedule(const uint8_t *block, uint32_t w[64])
{
    for (int t = 0; t < 16; t++) {
        w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
               (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
    }
    for (int t = 16; t < 64; t++) {
        uint32_t s0 = rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ (w[t - 15] >> 3);
        uint32_t s1 = rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
}

// Section 6.2.2, steps 2 to 4. v holds the working variables a to h.
static void compress(uint32_t state[8], const uint8_t *block)
{
    uint32_t w[64];
    uint32_t v[8];
    schedule(block, w);
    memcpy(v, state, sizeof v);
    for (int t = 0; t < 64; t++) {
        uint32_t s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
        uint32_t t1 = v[7] + s1 + choice + round_constants[t] + w[t];
        uint32_t s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
        memmove(v + 1, v, 7 * sizeof v[0]);
        v[4] += t1;
        v[0] = t1 + s0 + majority;
    }
    for (int i = 0; i < 8; i++) {
        state[i] += v[i];
    }
    control_secret_wipe(w, sizeof w);
    control_secret_wipe(v, sizeof v);
}

void control_sha256_init(struct control_sha256 *sha256)
{
    memset(sha256, 0, sizeof *sha256);
    memcpy(sha256->state, initial_state, sizeof initial_state);
}

void control_sha256_update(struct control_sha256 *sha256, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        size_t used = (size_t)(sha256->total_len % CONTROL_SHA256_BLOCK_LEN);
        size_t room = CONTROL_SHA256_BLOCK_LEN - used;
        size_t part = len < room ? len : room;
        memcpy(sha256->block + used, at, part);
        sha256->total_len += part;
        at += part;
        len -= part;
        if (part == room) {
            compress(sha256->state, sha256->block);
        }
    }
}

void control_sha256_final(struct control_sha256 *sha256, uint8_t ret_digest[CONTROL_SHA256_LEN])
{
    static const uint8_t padding[CONTROL_SHA256_BLOCK_LEN] = {0x80};
    uint64_t bits = sha256->total_len * 8;
    size_t used = (size_t)(sha256->total_len % CONTROL_SHA256_BLOCK_LEN);
    uint8_t length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (uint8_t)(bits >> (56 - 8 * i));
    }
    control_sha256_update(sha256, padding, used < 56 ? 56 - used : 120 - used);
    control_sha256_update(sha256, length, sizeof length);
    for (int i = 0; i < CONTROL_SHA256_LEN; i++) {
        ret_digest[i] = (uint8_t)(sha256->state[i / 4] >> (24 - 8 * (i % 4)));
    }
    control_secret_wipe(sha256, sizeof *sha256);
}

static void start_padded(struct control_sha256 *sha256, const uint8_t *key, uint8_t pad)
{
    uint8_t padded[CONTROL_SHA256_BLOCK_LEN];
    for (size_t i = 0; i < sizeof padded; i++) {
        padded[i] = key[i] ^ pad;
    }
    control_sha256_init(sha256);
    control_sha256_update(sha256, padded, sizeof padded);
    control_secret_wipe(padded, sizeof padded);
}

void control_sha256_hmac_init(struct control_sha256_hmac *hmac, const void *key, size_t key_len)
{
    uint8_t block[CONTROL_SHA256_BLOCK_LEN] = {0};
    if (key_len > sizeof block) {
        control_sha256_init(&hmac->inner);
        control_sha256_update(&hmac->inner, key, key_len);
        control_sha256_final(&hmac->inner, block);
    } else if (key_len > 0) {
        memcpy(block, key, key_len);
    }
    start_padded(&hmac->inner, block, 0x36);
    start_padded(&hmac->outer, block, 0x5c);
    control_secret_wipe(block, sizeof block);
}

void control_sha256_hmac_update(struct control_sha256_hmac *hmac, const void *data, size_t len)
{
    control_sha256_update(&hmac->inner, data, len);
}

void control_sha256_hmac_final(struct control_sha256_hmac *hmac,
                               uint8_t ret_mac[CONTROL_SHA256_LEN])
{
    uint8_t digest[CONTROL_SHA256_LEN];
    control_sha256_final(&hmac->inner, digest);
    control_sha256_update(&hmac->outer, digest, sizeof digest);
    control_sha256_final(&hmac->outer, ret_mac);
    control_secret_wipe(digest, sizeof digest);
}
