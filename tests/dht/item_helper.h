// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_ITEM_HELPER_H
#define PNR_TESTS_DHT_ITEM_HELPER_H

// Mutable items signed with one key, for tests of whole engines. Include it behind cmocka.

#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"

#include <string.h>

// RFC 8032, test 1.
static uint8_t helper_secret[32] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t helper_public_key[32] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static inline struct dht_item helper_signed_item(const char *value, const char *salt, int64_t seq)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {
        .is_mutable = true,
        .seq = seq,
        .salt = {(const uint8_t *)salt, strlen(salt)},
        .value = {(const uint8_t *)value, strlen(value)},
    };
    memcpy(item.key, helper_public_key, sizeof item.key);
    struct dht_span parts[2] = {{item.key, sizeof item.key}, item.salt};
    helper_sha1(NULL, parts, 2, item.target.bytes);
    size_t len = dht_krpc_signed_text(item.salt, item.seq, item.value, text);
    assert_true(helper_sign(helper_secret, item.key, (struct dht_span){text, len}, item.sig));
    return item;
}

#endif
