// SPDX-License-Identifier: MIT
// pnr_who and forged addresses: whatever they ask, their prefix gets little more than was sent in
// its name; and nobody else is kept from asking.
#include "dht/krpc.h"
#include "dht/random.h"
#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define WINDOW_US (60 * SECOND_US)
#define BURST     4096

static struct dht *dht;
static int64_t now_us;
static const struct dht_id name = {"hhhhhhhhhhhhhhhhhhhh"};

static void begin(enum dht_role role)
{
    static const uint8_t seed[32] = {9};
    static const uint8_t payload[DHT_PAYLOAD_LEN_MAX];
    struct dht_config config;
    struct dht_crypto crypto = helper_crypto(NULL);
    struct dht_registration registration = {
        name, {(const uint8_t *)"d1:c1:xe", 8}, {payload, sizeof payload}};
    dht_config_init(&config, DHT_IPV4);
    config.role = role;
    now_us = 1000 * SECOND_US;
    dht = dht_new(&config, &crypto, seed, now_us);
    assert_non_null(dht);
    assert_true(dht_register(dht, &registration));
}

// Writes a query; token.data NULL: without.
static size_t write_query(uint8_t buf[DHT_DATAGRAM_MAX], struct dht_span token, bool is_short)
{
    struct dht_id id = {"aaaaaaaaaaaaaaaaaaaa"};
    struct dht_bencode_writer writer = dht_bencode_writer(buf, DHT_DATAGRAM_MAX);
    struct dht_krpc_envelope envelope = {.tid = {(const uint8_t *)"aaaa", is_short ? 1 : 4},
                                         .version = "PN01"};
    dht_krpc_open_query(&writer);
    dht_krpc_put_id(&writer, "id", &id);
    dht_krpc_put_id(&writer, "target", &name);
    if (token.data != NULL) {
        dht_bencode_pair_string(&writer, "token", token.data, token.len);
    }
    dht_krpc_close_query(&writer, &envelope, "pnr_who");
    return dht_bencode_written(&writer);
}

// Hands a query in, and returns how many bytes go out for it. ret_token, of 8 bytes, takes the
// reply's token; it may be NULL.
static size_t ask(const struct dht_addr *from, struct dht_span token, bool is_short, size_t *ret_in,
                  uint8_t *ret_token)
{
    uint8_t buf[DHT_DATAGRAM_MAX];
    struct dht_datagram datagram = {*from, {buf, write_query(buf, token, is_short)}};
    struct dht_out out;
    struct dht_krpc msg;
    size_t bytes = 0;
    *ret_in = datagram.bytes.len;
    dht_receive(dht, now_us, &datagram, 1);
    while (dht_next(dht, &out)) {
        if (out.type != DHT_OUT_DATAGRAM)
            continue;
        bytes += out.datagram.bytes.len;
        if (ret_token != NULL && dht_krpc_parse(out.datagram.bytes, &msg) && msg.token.len == 8)
            memcpy(ret_token, msg.token.data, 8);
    }
    return bytes;
}

// Three windows of a flood in the name of one /24, at so many a second.
static void flood(const char *what, uint32_t per_second, bool guesses, bool is_short)
{
    struct dht_random random = {0};
    static const uint8_t seed[32] = {3};
    dht_random_init(&random, seed);
    for (int window = 0; window < 3; window++) {
        uint64_t in = 0;
        uint64_t out = 0;
        for (uint32_t i = 0; i < 60 * per_second; i++) {
            struct dht_addr victim = {.ip = {198, 51, 100}, .ip_len = 4};
            uint8_t token[8];
            size_t in_len;
            victim.ip[3] = (uint8_t)dht_random_u32(&random);
            victim.port = (uint16_t)(1 + dht_random_below(&random, 65535));
            dht_random_bytes(&random, token, sizeof token);
            struct dht_span given = {guesses ? token : NULL, sizeof token};
            now_us += SECOND_US / per_second;
            out += ask(&victim, given, is_short, &in_len, NULL);
            in += in_len;
        }
        if (out > in * 3 / 2 + BURST)
            fail_msg("%s: %llu bytes out for %llu in", what, (unsigned long long)out,
                     (unsigned long long)in);
    }
}

static void test_floods(void **state)
{
    static const struct row {
        const char *name;
        uint32_t per_second;
        bool guesses, is_short;
        enum dht_role role;
    } rows[] = {
        {"a few", 2, false, false, DHT_ROLE_SERVER},
        {"many", 500, false, false, DHT_ROLE_SERVER},
        {"short ones", 500, false, true, DHT_ROLE_SERVER},
        {"guessed tokens", 500, true, true, DHT_ROLE_SERVER},
        {"of a read-only node", 500, false, true, DHT_ROLE_CLIENT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].role);
        flood(rows[i].name, rows[i].per_second, rows[i].guesses, rows[i].is_short);
        // Somebody else is told all of it meanwhile.
        struct dht_addr asker = {.ip = {203, 0, 113, 9}, .ip_len = 4, .port = 6881};
        uint8_t token[8] = {0};
        size_t in;
        if (ask(&asker, (struct dht_span){0}, false, &in, token) == 0 ||
            ask(&asker, (struct dht_span){token, 8}, false, &in, NULL) < 1000)
            fail_msg("%s: nobody else is answered", rows[i].name);
        dht_free(dht);
    }
}

// No reply to who has not echoed a token is much longer than his query, and with a good token none
// is longer than docs/unsecured.md says.
static void test_lengths(void **state)
{
    struct dht_addr asker = {.ip = {203, 0, 113, 9}, .ip_len = 4, .port = 6881};
    uint8_t token[8];
    size_t in;
    (void)state;
    begin(DHT_ROLE_SERVER);
    assert_int_equal(ask(&asker, (struct dht_span){0}, false, &in, NULL), 87);
    assert_int_equal(in, 101);
    assert_int_equal(ask(&asker, (struct dht_span){0}, true, &in, token), 84);
    size_t out = ask(&asker, (struct dht_span){token, 8}, false, &in, NULL);
    assert_int_equal(in, 118);
    assert_in_range(out, 1000, 1120);
    dht_free(dht);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floods),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
