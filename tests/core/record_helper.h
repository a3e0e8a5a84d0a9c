// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_RECORD_HELPER_H
#define PNR_TESTS_CORE_RECORD_HELPER_H

// What tests of records share: the key of RFC 8032's seed 1, makers of parts of records, and
// coding that is asserted to succeed. Includes cmocka.

#include "node/core/record.h"
#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HELPER_UNTIL 1700007200 // signed-until in tests, seconds

// Hex of the data of resource records of ours.
#define HELPER_M1      "12 6d 0101010101010101 006553f100 00000e10 "
#define HELPER_M2      "12 6d 0202020202020202 006553f100 00000e10 "
#define HELPER_PNR1    "04 706e7231 "
#define HELPER_SERVICE "0001 00 0003 0002 0050 0004 0004 c0000201 ff00 0002 0006"

static const uint8_t helper_key[DHT_KEY_LEN] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

// Machine number n has the id n n n n n n n n.
static inline struct core_record_entry helper_entry(uint8_t n, int64_t until_s)
{
    struct core_record_entry entry = {.signed_until_s = until_s, .lifetime_s = 3600};
    memset(entry.machine, n, sizeof(entry.machine));
    return entry;
}

// 192.0.2.n
static inline struct core_record_endpoint helper_v4(uint8_t n, uint16_t port, uint8_t protocol)
{
    struct core_record_endpoint endpoint = {.protocol = protocol};
    endpoint.addr = (struct dht_addr){{192, 0, 2, n}, port, 4};
    return endpoint;
}

// 2001:db8::n
static inline struct core_record_endpoint helper_v6(uint8_t n, uint16_t port, uint8_t protocol)
{
    struct core_record_endpoint endpoint = {.protocol = protocol};
    endpoint.addr = (struct dht_addr){{0x20, 0x01, 0x0d, 0xb8, [15] = n}, port, 16};
    return endpoint;
}

// ASCII text as UTF-16LE; ret_units has room for two bytes a character.
static inline struct dht_span helper_units(const char *text, uint8_t *ret_units)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        ret_units[2 * i] = (uint8_t)text[i];
        ret_units[2 * i + 1] = 0;
    }
    return (struct dht_span){ret_units, 2 * len};
}

// A record of up to 4 machines with up to 10 endpoints, and with comment and payload or without.
static inline void helper_random_record(uint64_t *random, struct core_record *ret_record)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    core_record_init(ret_record);
    uint32_t machines = helper_below(random, 5);
    for (uint32_t m = 0; m < machines; m++) {
        struct core_record_entry entry =
            helper_entry((uint8_t)helper_below(random, 6), helper_below(random, 2000000000));
        struct core_record_endpoint endpoints[4];
        size_t count = helper_below(random, 4);
        for (size_t i = 0; i < count; i++) {
            uint8_t n = (uint8_t)helper_below(random, 4);
            uint16_t port = (uint16_t)(helper_below(random, 3) * 40);
            uint8_t protocol = helper_below(random, 2) == 0 ? 6 : 17;
            endpoints[i] = helper_below(random, 2) == 0 ? helper_v4(n, port, protocol)
                                                        : helper_v6(n, port, protocol);
        }
        enum core_record_error error = core_record_replace(ret_record, &entry, endpoints, count);
        assert(error == CORE_RECORD_OK || error == CORE_RECORD_ENDPOINTS);
    }
    if (ret_record->entry_count == 0) {
        return;
    }
    uint8_t bytes[2000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)helper_random(random);
    }
    size_t comment_len = 2 * (size_t)helper_below(random, 40);
    enum core_record_error error =
        core_record_set_comment(ret_record, (struct dht_span){bytes, comment_len});
    assert(error == CORE_RECORD_OK);
    bool by_reference = helper_below(random, 2) == 0;
    size_t payload_len = 2 * (size_t)helper_below(random, by_reference ? 1000 : 150);
    error = core_record_set_payload(ret_record, &crypto,
                                    (enum core_record_payload_type)helper_below(random, 3),
                                    (struct dht_span){bytes, payload_len}, by_reference);
    assert(error == CORE_RECORD_OK);
}

static inline size_t helper_encode(const struct core_record *record,
                                   uint8_t ret_msg[CORE_RECORD_LEN_MAX])
{
    size_t len = 0;
    assert_int_equal(core_record_encode(record, helper_key, ret_msg, &len), CORE_RECORD_OK);
    return len;
}

// Reads a copy that ends where the message ends, so that the sanitizer sees reads past it.
static inline enum core_record_error helper_decode(const uint8_t *msg, size_t len,
                                                   struct core_record *ret_record)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, msg, len);
    enum core_record_error error =
        core_record_decode(helper_key, (struct dht_span){copy, len}, ret_record);
    free(copy);
    return error;
}

static inline void helper_replace(struct core_record *record, uint8_t machine,
                                  const struct core_record_endpoint *endpoints, size_t count)
{
    struct core_record_entry entry = helper_entry(machine, HELPER_UNTIL);
    assert_int_equal(core_record_replace(record, &entry, endpoints, count), CORE_RECORD_OK);
}

static inline void helper_set_comment(struct core_record *record, const char *text)
{
    uint8_t units[CORE_RECORD_COMMENT_MAX];
    assert_int_equal(core_record_set_comment(record, helper_units(text, units)), CORE_RECORD_OK);
}

static inline void helper_set_payload(struct core_record *record,
                                      enum core_record_payload_type type, size_t len,
                                      bool by_reference)
{
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t bytes[CORE_RECORD_PAYLOAD_MAX];
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(
        core_record_set_payload(record, &crypto, type, (struct dht_span){bytes, len}, by_reference),
        CORE_RECORD_OK);
}

// Writes a record of data in hex at the apex, or at label below it.
static inline void helper_put_rr(struct core_dns_writer *writer, const char *label, uint16_t type,
                                 const char *rdata)
{
    struct core_dns_head head = {.type = type, .rr_class = CORE_DNS_CLASS_IN, .ttl_s = 300};
    uint8_t data[CORE_DNS_RDATA_MAX];
    core_dns_name_root(&head.name);
    assert_true(core_dns_name_prepend(&head.name,
                                      "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy", 52));
    if (label != NULL) {
        assert_true(core_dns_name_prepend(&head.name, label, strlen(label)));
    }
    core_dns_open(writer, &head);
    core_dns_put_bytes(writer, data, helper_unhex(rdata, data, sizeof(data)));
    core_dns_close(writer);
}

#endif
