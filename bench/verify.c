// SPDX-License-Identifier: MIT
#include "bench/verify.h"

#include "bench/process.h"
#include "node/daemon/ed25519.h"

#include <openssl/evp.h>
#include <time.h>
#ifdef PNR_HAVE_SODIUM
#include <sodium.h>
#endif

#define ROUNDS 4000

static double cpu_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double rate_of(daemon_ed25519_fn verify, const uint8_t *key, const uint8_t *sig,
                      struct dht_span msg)
{
    double start_s = cpu_s();
    for (int i = 0; i < ROUNDS; i++)
        if (!verify(key, sig, msg))
            bench_die("verify", "a good signature was refused");
    return ROUNDS / (cpu_s() - start_s);
}

void bench_verify_rates(double ret_rates[2])
{
    static const uint8_t secret[32] = {1};
    static const uint8_t text[131]; // what is signed of an item of 100 bytes
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    size_t key_len = sizeof key;
    size_t sig_len = sizeof sig;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (pkey == NULL || ctx == NULL || EVP_PKEY_get_raw_public_key(pkey, key, &key_len) != 1 ||
        EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) != 1 ||
        EVP_DigestSign(ctx, sig, &sig_len, text, sizeof text) != 1)
        bench_die("verify", "cannot sign");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    ret_rates[0] = rate_of(daemon_ed25519_openssl, key, sig, (struct dht_span){text, sizeof text});
    ret_rates[1] = 0;
#ifdef PNR_HAVE_SODIUM
    if (sodium_init() >= 0)
        ret_rates[1] =
            rate_of(daemon_ed25519_sodium, key, sig, (struct dht_span){text, sizeof text});
#endif
}
