// SPDX-License-Identifier: MIT
#include "node/daemon/crypto.h"

#include "node/daemon/ed25519.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#ifdef PNR_HAVE_SODIUM
#include <sodium.h>
#endif

struct daemon_crypto {
    EVP_MD *sha1;
    EVP_MD *sha256;
    EVP_MD_CTX *sha1_ctx;
    EVP_MD_CTX *sha256_ctx;
    const struct daemon_keys *keys;
};

// Hashing memory with a digest that was set up can only fail by a bug, so this asserts.
static void hash(EVP_MD_CTX *ctx, const struct dht_span *parts, size_t part_count, uint8_t *digest)
{
    int ok = EVP_DigestInit_ex2(ctx, NULL, NULL);
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].len > 0)
            ok &= EVP_DigestUpdate(ctx, parts[i].data, parts[i].len);
    }
    ok &= EVP_DigestFinal_ex(ctx, digest, NULL);
    assert(ok == 1);
    (void)ok;
}

static void table_sha1(void *ctx, const struct dht_span *parts, size_t part_count,
                       uint8_t ret_digest[20])
{
    struct daemon_crypto *crypto = ctx;
    hash(crypto->sha1_ctx, parts, part_count, ret_digest);
}

static void table_sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                         uint8_t ret_digest[32])
{
    struct daemon_crypto *crypto = ctx;
    hash(crypto->sha256_ctx, parts, part_count, ret_digest);
}

static bool table_verify(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                         struct dht_span msg)
{
    (void)ctx;
    return daemon_ed25519_verify(key, sig, msg);
}

static bool table_sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                       uint8_t ret_sig[DHT_SIG_LEN])
{
    const struct daemon_crypto *crypto = ctx;
    return crypto->keys != NULL && daemon_keys_sign(crypto->keys, key, msg, ret_sig);
}

struct daemon_crypto *daemon_crypto_open(const struct daemon_keys *keys,
                                         struct daemon_error *ret_error)
{
    struct daemon_crypto *crypto = calloc(1, sizeof *crypto);
    bool ok = crypto != NULL;
    if (ok) {
        crypto->keys = keys;
        crypto->sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
        crypto->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
        crypto->sha1_ctx = EVP_MD_CTX_new();
        crypto->sha256_ctx = EVP_MD_CTX_new();
        ok = crypto->sha1 != NULL && crypto->sha256 != NULL && crypto->sha1_ctx != NULL &&
             crypto->sha256_ctx != NULL &&
             EVP_DigestInit_ex2(crypto->sha1_ctx, crypto->sha1, NULL) == 1 &&
             EVP_DigestInit_ex2(crypto->sha256_ctx, crypto->sha256, NULL) == 1;
    }
#ifdef PNR_HAVE_SODIUM
    ok = ok && sodium_init() >= 0; // chooses the fastest code for this processor; 1 if done before
#endif
    if (!ok) {
        ERR_clear_error();
        daemon_crypto_close(crypto);
        daemon_error_set(ret_error, "OpenSSL offers no SHA-1 or SHA-256 here (a FIPS-only or "
                                    "restricted configuration?), or memory is short");
        return NULL;
    }
    return crypto;
}

void daemon_crypto_close(struct daemon_crypto *crypto)
{
    if (crypto == NULL)
        return;
    EVP_MD_CTX_free(crypto->sha1_ctx);
    EVP_MD_CTX_free(crypto->sha256_ctx);
    EVP_MD_free(crypto->sha1);
    EVP_MD_free(crypto->sha256);
    free(crypto);
}

struct dht_crypto daemon_crypto_table(struct daemon_crypto *crypto)
{
    return (struct dht_crypto){.ctx = crypto,
                               .sha1 = table_sha1,
                               .sha256 = table_sha256,
                               .verify = table_verify,
                               .sign = table_sign};
}
