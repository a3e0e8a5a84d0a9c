// SPDX-License-Identifier: MIT
#include "node/daemon/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>
#ifdef PNR_HAVE_SODIUM
#include <sodium.h>
#endif

#define NUMBER_LEN 32

// Little endian, as Ed25519 writes all its numbers.
static const uint8_t field_prime[NUMBER_LEN] = { // 2^255 - 19
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};
static const uint8_t group_order[NUMBER_LEN] = { // L = 2^252 + 27742...8493
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10};
// The y of the 8 points of small order; each but 1 and -1 is the y of two points, x and -x.
static const uint8_t small_order[][NUMBER_LEN] = {
    {0}, // order 4
    {1}, // the neutral point
    // -1, order 2
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    // order 8
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
};

static bool is_below(const uint8_t number[NUMBER_LEN], const uint8_t bound[NUMBER_LEN])
{
    for (size_t i = NUMBER_LEN; i-- > 0;) {
        if (number[i] != bound[i])
            return number[i] < bound[i];
    }
    return false;
}

// Whether point is spelled canonically and not of small order. That it is on the curve at all is
// for the library to see.
static bool is_strict_point(const uint8_t point[NUMBER_LEN])
{
    uint8_t y[NUMBER_LEN];
    memcpy(y, point, sizeof y);
    y[NUMBER_LEN - 1] &= 0x7f; // the top bit is the sign of x
    if (!is_below(y, field_prime))
        return false;
    for (size_t i = 0; i < sizeof small_order / sizeof small_order[0]; i++) {
        if (memcmp(y, small_order[i], sizeof y) == 0)
            return false;
    }
    return true;
}

bool daemon_ed25519_strict(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN])
{
    return is_below(sig + NUMBER_LEN, group_order) && is_strict_point(sig) && is_strict_point(key);
}

bool daemon_ed25519_openssl(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                            struct dht_span msg)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, DHT_KEY_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = pkey != NULL && ctx != NULL &&
                EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestVerify(ctx, sig, DHT_SIG_LEN, msg.data, msg.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    if (!good)
        ERR_clear_error(); // a bad signature is no error of ours
    return good;
}

#ifdef PNR_HAVE_SODIUM

bool daemon_ed25519_sodium(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                           struct dht_span msg)
{
    return crypto_sign_verify_detached(sig, msg.data, msg.len, key) == 0;
}

#endif

bool daemon_ed25519_verify(const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                           struct dht_span msg)
{
    if (!daemon_ed25519_strict(key, sig))
        return false;
#ifdef PNR_HAVE_SODIUM
    return daemon_ed25519_sodium(key, sig, msg);
#else
    return daemon_ed25519_openssl(key, sig, msg);
#endif
}

const char *daemon_ed25519_library(void)
{
#ifdef PNR_HAVE_SODIUM
    return "libsodium";
#else
    return "OpenSSL";
#endif
}
