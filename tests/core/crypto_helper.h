// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_CRYPTO_HELPER_H
#define PNR_TESTS_CORE_CRYPTO_HELPER_H

// What tests of node/core share: hashes and Ed25519 by OpenSSL, hex, and a small generator of
// random numbers with a fixed seed. Link PkgConfig::CRYPTO.

#include "pnr/dht.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

static inline void helper_digest(const EVP_MD *md, const struct dht_span *parts, size_t part_count,
                                 uint8_t *ret_digest)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert(ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1);
    for (size_t i = 0; i < part_count; i++) {
        assert(EVP_DigestUpdate(ctx, parts[i].data, parts[i].len) == 1);
    }
    assert(EVP_DigestFinal_ex(ctx, ret_digest, NULL) == 1);
    EVP_MD_CTX_free(ctx);
}

static inline void helper_sha1(void *ctx, const struct dht_span *parts, size_t part_count,
                               uint8_t ret_digest[20])
{
    (void)ctx;
    helper_digest(EVP_sha1(), parts, part_count, ret_digest);
}

static inline void helper_sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                                 uint8_t ret_digest[32])
{
    (void)ctx;
    helper_digest(EVP_sha256(), parts, part_count, ret_digest);
}

static inline bool helper_verify(void *ctx, const uint8_t key[DHT_KEY_LEN],
                                 const uint8_t sig[DHT_SIG_LEN], struct dht_span msg)
{
    (void)ctx;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, DHT_KEY_LEN);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = pkey != NULL && md != NULL &&
                EVP_DigestVerifyInit(md, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(md, sig, DHT_SIG_LEN, msg.data, msg.len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    return good;
}

// Signs with the seed that ctx points to (32 bytes), whatever key is; NULL: cannot sign.
static inline bool helper_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                               uint8_t ret_sig[DHT_SIG_LEN])
{
    (void)key;
    if (ctx == NULL) {
        return false;
    }
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, ctx, 32);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t sig_len = DHT_SIG_LEN;
    bool good = pkey != NULL && md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(md, ret_sig, &sig_len, msg.data, msg.len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    return good;
}

// seed: 32 bytes that outlive the crypto, or NULL where nothing is to be signed.
static inline struct dht_crypto helper_crypto(uint8_t *seed)
{
    return (struct dht_crypto){seed, helper_sha1, helper_sha256, helper_verify, helper_sign};
}

// Reads hex digits, passing over white space; returns how many bytes, at most cap. Asserts that it
// is hex.
static inline size_t helper_unhex(const char *hex, uint8_t *ret_bytes, size_t cap)
{
    static const char digits[] = "0123456789abcdef";
    size_t nibbles = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ' || *hex == '\n') {
            continue;
        }
        const char *found = strchr(digits, *hex);
        assert(found != NULL && nibbles / 2 < cap);
        uint8_t value = (uint8_t)(found - digits);
        uint8_t *byte = &ret_bytes[nibbles / 2];
        *byte = nibbles % 2 == 0 ? (uint8_t)(value << 4) : (uint8_t)(*byte | value);
        nibbles++;
    }
    assert(nibbles % 2 == 0);
    return nibbles / 2;
}

// Writes 2 * len hex digits and a NUL.
static inline const char *helper_hex(const uint8_t *bytes, size_t len, char *ret_text)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
    }
    ret_text[2 * len] = '\0';
    return ret_text;
}

// The next of a sequence of random numbers (splitmix64); *state starts as the seed.
static inline uint64_t helper_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// From 0 to bound - 1.
static inline uint32_t helper_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(helper_random(state) % bound);
}

#endif
