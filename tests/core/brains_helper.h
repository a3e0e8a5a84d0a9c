// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_BRAINS_HELPER_H
#define PNR_TESTS_CORE_BRAINS_HELPER_H

// What tests of whole brains share: readers of answers, and requests that are waited for. Includes
// cmocka.

#include "node/core/brain.h"
#include "node/core/zbase32.h"
#include "tests/core/brains.h"
#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

static inline struct dht_span helper_fields(const struct brains_answer *answer)
{
    return (struct dht_span){answer->fields, answer->fields_len};
}

// -1 where it is left out.
static inline int64_t helper_number(const struct brains_answer *answer, const char *key)
{
    int64_t value = -1;
    struct control_fields_range any = {INT64_MIN, INT64_MAX};
    control_fields_int(helper_fields(answer), key, any, &value);
    return value;
}

static inline bool helper_has_text(const struct brains_answer *answer, const char *key,
                                   const char *text)
{
    struct dht_span string;
    return control_fields_string(helper_fields(answer), key, &string) &&
           string.len == strlen(text) && memcmp(string.data, text, string.len) == 0;
}

// The port of the first endpoint of a result; -1 where it has none.
static inline int helper_port(const struct brains_answer *answer)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t count = 0;
    if (!control_fields_endpoints(helper_fields(answer), endpoints, &count) || count == 0)
        return -1;
    return endpoints[0].port;
}

// Waits for a request's end; 0, or the error's code.
static inline int helper_end(struct brains *brains, size_t node, uint32_t id)
{
    const struct brains_answer *end = brains_wait(brains, node, id);
    assert_non_null(end);
    return end->kind == CONTROL_ANSWER_ERROR ? brains_error(end) : 0;
}

// Resolves, and returns the port of the first result, or less the error's code.
static inline int helper_resolve(struct brains *brains, size_t node, const char *name,
                                 const char *wait)
{
    uint32_t id = brains_resolve(brains, node, name, wait);
    int code = helper_end(brains, node, id);
    return code != 0 ? -code
                     : helper_port(brains_answer(brains, node, id, CONTROL_ANSWER_RESULT, 0));
}

static inline int helper_publish(struct brains *brains, size_t node, const char *name,
                                 uint16_t port)
{
    return helper_end(brains, node, brains_publish(brains, node, name, port, NULL));
}

static inline int helper_unpublish(struct brains *brains, size_t node, const char *name)
{
    return helper_end(brains, node, brains_unpublish(brains, node, name));
}

// z-base-32 of key, then the text.
static inline const char *helper_name(const uint8_t key[32], const char *classifier)
{
    static char text[4][CORE_ZBASE32_LEN + 512];
    static size_t next;
    char *name = text[next++ % 4];
    core_zbase32_encode(key, name);
    strcat(name, classifier);
    return name;
}

static inline struct node_info helper_info(const struct brains *brains, size_t node)
{
    struct node_info info;
    node_info(brains->nodes[node], &info);
    return info;
}

// How many operations the node's engine has under way.
static inline uint32_t helper_ops(const struct brains *brains, size_t node)
{
    struct dht_info info;
    dht_info(node_engine(brains->nodes[node], 0), &info);
    return info.ops;
}

// Stores an item of the key made from a number on the whole network, as other software would.
static inline void helper_put_item(struct brains *brains, uint8_t number, const char *salt,
                                   int64_t seq, struct dht_span value)
{
    uint8_t secret[32];
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_crypto crypto = helper_crypto(secret);
    struct dht_item item = {.is_mutable = true, .seq = seq, .value = value};
    memset(secret, number, sizeof secret);
    item.salt = (struct dht_span){(const uint8_t *)salt, strlen(salt)};
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    size_t len = 32;
    assert_int_equal(EVP_PKEY_get_raw_public_key(pkey, item.key, &len), 1);
    EVP_PKEY_free(pkey);
    core_name_target(&crypto, item.key, item.salt, &item.target);
    len = dht_krpc_signed_text(item.salt, seq, value, text);
    assert_true(helper_sign(secret, item.key, (struct dht_span){text, len}, item.sig));
    assert_true(dht_put(node_engine(brains->nodes[1], 0), brains->now_us, &item, DHT_SEQ_NONE, 0) !=
                0);
    node_tick(brains->nodes[1], brains->now_us);
    brains_run(brains, 10 * SECOND);
}

// The pkarr record of other software: one A record at the apex, 104.21.59.30. Returns its bencoded
// length.
static inline size_t helper_pkarr(const uint8_t key[32], uint8_t ret_value[1000])
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    static const uint8_t ip[] = {104, 21, 59, 30};
    struct core_dns_writer dns = core_dns_writer(msg, sizeof msg);
    struct core_dns_head head = {.type = CORE_DNS_A, .rr_class = CORE_DNS_CLASS_IN, .ttl_s = 300};
    char text[CORE_ZBASE32_LEN + 1];
    core_zbase32_encode(key, text);
    core_dns_name_root(&head.name);
    core_dns_name_prepend(&head.name, text, CORE_ZBASE32_LEN);
    core_dns_open(&dns, &head);
    core_dns_put_bytes(&dns, ip, sizeof ip);
    core_dns_close(&dns);
    struct dht_bencode_writer writer = dht_bencode_writer(ret_value, 1000);
    dht_bencode_put_string(&writer, msg, core_dns_written(&dns));
    return dht_bencode_written(&writer);
}

#endif
