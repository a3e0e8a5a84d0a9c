// SPDX-License-Identifier: MIT
#include "simnet/crypto.h"

#include "dht/siphash.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <string.h>

#define PARTS_MAX 4096 // all the parts of one digest: an item, or a payload, with what goes before

static const uint8_t *join(const struct dht_span *parts, size_t part_count, uint8_t *buffer,
                           size_t *ret_len)
{
    if (part_count == 1) {
        *ret_len = parts[0].len;
        return parts[0].data;
    }
    size_t len = 0;
    for (size_t i = 0; i < part_count; i++) {
        assert(len + parts[i].len <= PARTS_MAX);
        if (parts[i].len > 0)
            memcpy(buffer + len, parts[i].data, parts[i].len);
        len += parts[i].len;
    }
    *ret_len = len;
    return buffer;
}

void simnet_crypto_sha1(void *ctx, const struct dht_span *parts, size_t part_count,
                        uint8_t ret_digest[20])
{
    uint8_t buffer[PARTS_MAX];
    size_t len;
    const uint8_t *bytes = join(parts, part_count, buffer, &len);
    (void)ctx;
    SHA1(bytes, len, ret_digest);
}

void simnet_crypto_sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                          uint8_t ret_digest[32])
{
    uint8_t buffer[PARTS_MAX];
    size_t len;
    const uint8_t *bytes = join(parts, part_count, buffer, &len);
    (void)ctx;
    SHA256(bytes, len, ret_digest);
}

// ---- cheap signatures ----

static void cheap_sign(const uint8_t key[32], struct dht_span msg, uint8_t ret_sig[64])
{
    for (int i = 0; i < 8; i++) {
        struct dht_siphash_key half;
        memcpy(&half, key + (i % 2) * 16, sizeof half);
        half.k0 ^= (uint64_t)i;
        uint64_t word = i < 2 ? dht_siphash(&half, msg.data, msg.len)
                              : dht_siphash(&half, ret_sig, (size_t)i * 8);
        memcpy(ret_sig + i * 8, &word, 8);
    }
}

// ---- Ed25519 ----

static void ed25519_public(const uint8_t secret[32], uint8_t ret_key[32])
{
    size_t len = 32;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    int ok = pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, ret_key, &len) == 1;
    assert(ok);
    EVP_PKEY_free(pkey);
}

static void ed25519_sign(const uint8_t secret[32], struct dht_span msg, uint8_t ret_sig[64])
{
    size_t len = 64;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    int ok = pkey != NULL && md != NULL && EVP_DigestSignInit(md, NULL, NULL, NULL, pkey) == 1 &&
             EVP_DigestSign(md, ret_sig, &len, msg.data, msg.len) == 1;
    assert(ok);
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
}

static bool ed25519_verify(const uint8_t key[32], const uint8_t sig[64], struct dht_span msg)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = pkey != NULL && md != NULL &&
                EVP_DigestVerifyInit(md, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(md, sig, 64, msg.data, msg.len) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(pkey);
    return good;
}

// ---- either kind ----

void simnet_crypto_public(enum simnet_signature kind, const uint8_t secret[32],
                          uint8_t ret_key[DHT_KEY_LEN])
{
    static const char label[] = "pnr simnet key";
    const struct dht_span parts[] = {{(const uint8_t *)label, sizeof label}, {secret, 32}};
    if (kind == SIMNET_SIGNATURE_ED25519)
        ed25519_public(secret, ret_key);
    else
        simnet_crypto_sha256(NULL, parts, 2, ret_key);
}

void simnet_crypto_sign(enum simnet_signature kind, const uint8_t secret[32],
                        const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                        uint8_t ret_sig[DHT_SIG_LEN])
{
    if (kind == SIMNET_SIGNATURE_ED25519)
        ed25519_sign(secret, msg, ret_sig);
    else
        cheap_sign(key, msg, ret_sig);
}

bool simnet_crypto_verify(enum simnet_signature kind, const uint8_t key[DHT_KEY_LEN],
                          const uint8_t sig[DHT_SIG_LEN], struct dht_span msg)
{
    uint8_t wanted[DHT_SIG_LEN];
    if (kind == SIMNET_SIGNATURE_ED25519)
        return ed25519_verify(key, sig, msg);
    cheap_sign(key, msg, wanted);
    return memcmp(wanted, sig, DHT_SIG_LEN) == 0;
}
