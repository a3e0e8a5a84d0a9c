// SPDX-License-Identifier: MIT
// What publishers of an unsecured name say of themselves: the vectors of docs/unsecured.md, round
// trips, and texts that make no sense.
#include "node/core/description.h"

#include "dht/krpc.h"
#include "node/core/name.h"
#include "tests/core/crypto_helper.h"
#include "tests/core/page_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// ---- the vectors ----

// The bytes behind "name: ", in hex that may go on in further lines. Returns how many.
static size_t find_vector(const char *page, const char *name, uint8_t ret_bytes[1000])
{
    char text[100];
    size_t digits = 0;
    snprintf(text, sizeof text, "\n%s: ", name);
    const char *at = strstr(page, text);
    if (at == NULL)
        fail_msg("no vector %s", name);
    for (at += strlen(text); strchr("0123456789abcdef \n", *at) != NULL; at++) {
        if (*at == ' ' || *at == '\n') {
            if (*at == '\n' && at[1] != ' ')
                break;
            continue;
        }
        int digit = *at <= '9' ? *at - '0' : *at - 'a' + 10;
        uint8_t *byte = &ret_bytes[digits / 2];
        *byte = (uint8_t)(digits % 2 == 0 ? digit << 4 : *byte | digit);
        digits++;
    }
    return digits / 2;
}

static void check_vector(const char *page, const char *name, const uint8_t *bytes, size_t len)
{
    uint8_t wanted[1000] = {0};
    if (find_vector(page, name, wanted) == len && memcmp(wanted, bytes, len) == 0)
        return;
    for (size_t i = 0; i < len; i++)
        fprintf(stderr, "%02x", bytes[i]);
    fail_msg("\n%s is another", name);
}

static struct dht_id infohash_of(const char *text)
{
    struct core_name name;
    struct dht_id info_hash;
    struct dht_crypto crypto = helper_crypto(NULL);
    assert_int_equal(core_name_parse(text, strlen(text), &name, NULL), CORE_NAME_OK);
    core_name_infohash(&crypto, &name, &info_hash);
    return info_hash;
}

static void set_publisher(struct core_description *description, uint8_t machine)
{
    uint8_t id[16];
    uint8_t digest[32];
    struct dht_id info_hash = infohash_of("0.printer");
    memset(id, machine, sizeof id);
    const struct dht_span parts[] = {{id, sizeof id}, {info_hash.bytes, DHT_ID_LEN}};
    helper_sha256(NULL, parts, 2, digest);
    memcpy(description->publisher, digest, sizeof description->publisher);
}

static struct core_description printer(void)
{
    struct core_description one = {.endpoint_count = 1};
    one.endpoints[0] = (struct core_record_endpoint){
        .addr = {.ip = {192, 0, 2, 7}, .ip_len = 4, .port = 631}, .protocol = 6};
    set_publisher(&one, 1);
    return one;
}

static struct core_description camera(void)
{
    struct core_description one = {.endpoint_count = 1, .ttl_s = 600};
    struct dht_span payload = {(const uint8_t *)"hello", 5};
    one.endpoints[0] = (struct core_record_endpoint){
        .addr = {.ip = {0x20, 1, 0x0d, 0xb8, [15] = 1}, .ip_len = 16, .port = 5000},
        .protocol = 17};
    memcpy(one.comment, "h\0i\0", 4);
    one.comment_len = 4;
    one.payload_type = CORE_RECORD_PAYLOAD_BINARY;
    one.payload_len = 5;
    helper_sha256(NULL, &payload, 1, one.digest);
    set_publisher(&one, 2);
    return one;
}

static size_t write(const struct core_description *publishers, size_t count, uint8_t *ret,
                    size_t cap)
{
    struct dht_bencode_writer writer = dht_bencode_writer(ret, cap);
    core_description_write(&writer, publishers, count);
    assert_false(writer.full);
    assert_true(dht_bencode_canonical((struct dht_span){ret, dht_bencode_written(&writer)}));
    return dht_bencode_written(&writer);
}

static void test_vectors(void **state)
{
    (void)state;
    char *page = helper_page(PNR_DOCS "/unsecured.md");
    uint8_t text[1000];
    struct dht_id info_hash = infohash_of("0.printer");
    check_vector(page, "infohash of 0.printer", info_hash.bytes, DHT_ID_LEN);
    info_hash = infohash_of("0.\xe5\x8d\xb0\xe5\x88\xb7\xe6\xa9\x9f");
    check_vector(page, "infohash of 0.\xe5\x8d\xb0\xe5\x88\xb7\xe6\xa9\x9f", info_hash.bytes,
                 DHT_ID_LEN);
    struct core_description both[2] = {printer(), camera()};
    check_vector(page, "one publisher", text, write(both, 1, text, sizeof text));
    check_vector(page, "two publishers", text, write(both, 2, text, sizeof text));
    free(page);
}

// The datagrams of the page are what they are said to be.
static void test_wire_vectors(void **state)
{
    static const struct row {
        const char *name;
        enum dht_krpc_type type;
        bool has_token;
        const char *value; // the vector that is its `v`
    } rows[] = {
        {"query", DHT_KRPC_QUERY, false, NULL},
        {"token", DHT_KRPC_REPLY, true, NULL},
        {"query with token", DHT_KRPC_QUERY, true, NULL},
        {"answer", DHT_KRPC_REPLY, true, "one publisher"},
    };
    (void)state;
    char *page = helper_page(PNR_DOCS "/unsecured.md");
    struct dht_id info_hash = infohash_of("0.printer");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t bytes[1000], value[1000];
        struct dht_krpc msg;
        size_t len = find_vector(page, rows[i].name, bytes);
        if (!dht_krpc_parse((struct dht_span){bytes, len}, &msg) || msg.type != rows[i].type ||
            msg.bad_args || !dht_bencode_canonical((struct dht_span){bytes, len}))
            fail_msg("%s is no such message", rows[i].name);
        assert_int_equal(msg.token.data != NULL, rows[i].has_token);
        if (msg.type == DHT_KRPC_QUERY) {
            assert_int_equal(msg.method, DHT_KRPC_WHO);
            assert_memory_equal(msg.target.data, info_hash.bytes, DHT_ID_LEN);
        }
        if (rows[i].value == NULL)
            continue;
        assert_int_equal(msg.value.len, find_vector(page, rows[i].value, value));
        assert_memory_equal(msg.value.data, value, msg.value.len);
    }
    free(page);
}

// ---- round trips ----

static void check_equal(const struct core_description *a, const struct core_description *b)
{
    assert_int_equal(a->endpoint_count, b->endpoint_count);
    for (uint32_t i = 0; i < a->endpoint_count; i++) {
        assert_int_equal(a->endpoints[i].protocol, b->endpoints[i].protocol);
        assert_memory_equal(&a->endpoints[i].addr, &b->endpoints[i].addr,
                            sizeof a->endpoints[i].addr);
    }
    assert_int_equal(a->comment_len, b->comment_len);
    assert_memory_equal(a->comment, b->comment, sizeof a->comment);
    assert_memory_equal(a->publisher, b->publisher, sizeof a->publisher);
    assert_int_equal(a->payload_type, b->payload_type);
    assert_int_equal(a->payload_len, b->payload_len);
    assert_memory_equal(a->digest, b->digest, sizeof a->digest);
    assert_int_equal(a->ttl_s, b->ttl_s);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct core_description publishers[CORE_DESCRIPTION_PUBLISHERS_MAX];
    struct core_description read[CORE_DESCRIPTION_PUBLISHERS_MAX];
    uint8_t text[8000];
    for (size_t count = 1; count <= CORE_DESCRIPTION_PUBLISHERS_MAX; count++) {
        for (size_t i = 0; i < count; i++) {
            publishers[i] = i % 2 == 0 ? printer() : camera();
            publishers[i].endpoint_count = (uint32_t)(1 + i % CORE_RECORD_ENDPOINTS_MAX);
            for (size_t j = 1; j < publishers[i].endpoint_count; j++) {
                publishers[i].endpoints[j] = publishers[i].endpoints[0];
                publishers[i].endpoints[j].addr.port = (uint16_t)(j * 1000);
            }
        }
        size_t len = write(publishers, count, text, sizeof text);
        assert_int_equal(core_description_read((struct dht_span){text, len}, read), count);
        for (size_t i = 0; i < count; i++)
            check_equal(&publishers[i], &read[i]);
        // Cut off anywhere, it is none.
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(core_description_read((struct dht_span){text, cut}, read), 0);
    }
}

// The longest description of one publisher leaves room for others.
static void test_longest(void **state)
{
    (void)state;
    uint8_t text[DHT_DESCRIPTION_LEN_MAX];
    struct core_description one = camera();
    one.endpoint_count = CORE_RECORD_ENDPOINTS_MAX;
    for (size_t i = 1; i < CORE_RECORD_ENDPOINTS_MAX; i++)
        one.endpoints[i] = one.endpoints[0];
    one.comment_len = CORE_RECORD_COMMENT_MAX;
    one.payload_len = CORE_RECORD_PAYLOAD_MAX;
    one.ttl_s = CORE_RECORD_TTL_MAX_S;
    assert_true(write(&one, 1, text, sizeof text) < 450);
}

#define I "1:i16:0123456789abcdef"
#define E                                                                                          \
    "1:el7:\x06\xc0\0\2\7\2\x77"                                                                   \
    "e"
#define H       "1:h32:01234567890123456789012345678901"
#define TEXT(t) (t), sizeof(t) - 1

static const struct row {
    const char *name;
    const char *text;
    size_t len;
    size_t count;
} rows[] = {
    {"the least", TEXT("d" E I "e"), 1},
    {"unknown keys", TEXT("d1:ai1e" E I "1:zlee"), 1},
    {"nothing", TEXT(""), 0},
    {"an empty dict", TEXT("de"), 0},
    {"a list", TEXT("le"), 0},
    {"left over", TEXT("d" E I "ee"), 0},
    {"no endpoints", TEXT("d" I "e"), 0},
    {"no publisher", TEXT("d" E "e"), 0},
    {"neither endpoint nor payload", TEXT("d1:ele" I "e"), 0},
    {"a payload alone", TEXT("d1:ele" H I "1:li5e1:pi1ee"), 1},
    {"a digest alone", TEXT("d" E H I "e"), 0},
    {"no digest", TEXT("d" E I "1:li5e1:pi1ee"), 0},
    {"no type", TEXT("d" E H I "1:li5ee"), 0},
    {"type 3", TEXT("d" E H I "1:li4e1:pi3ee"), 0},
    {"a text of odd length", TEXT("d" E H I "1:li5e1:pi2ee"), 0},
    {"a payload too long", TEXT("d" E H I "1:li4097e1:pi1ee"), 0},
    {"a digest of 31 bytes", TEXT("d" E "1:h31:0123456789012345678901234567890" I "1:li4e1:pi1ee"),
     0},
    {"a publisher of 15 bytes", TEXT("d" E "1:i15:0123456789abcdee"), 0},
    {"an endpoint of 8 bytes", TEXT("d1:el8:12345678e" I "e"), 0},
    {"an endpoint that is a number", TEXT("d1:eli1ee" I "e"), 0},
    {"eleven endpoints",
     TEXT("d1:el7:12345677:12345677:12345677:12345677:12345677:12345677:1234567"
          "7:12345677:12345677:12345677:1234567e" I "e"),
     0},
    {"ten endpoints",
     TEXT("d1:el7:12345677:12345677:12345677:12345677:12345677:12345677:1234567"
          "7:12345677:12345677:1234567e" I "e"),
     1},
    {"an odd comment", TEXT("d1:c3:abc" E I "e"), 0},
    {"a comment that is a number", TEXT("d1:ci1e" E I "e"), 0},
    {"a ttl too short", TEXT("d" E I "1:ti299ee"), 0},
    {"a ttl", TEXT("d" E I "1:ti300ee"), 1},
    {"another", TEXT("d" E I "1:old" E I "eee"), 2},
    {"another that is none", TEXT("d" E I "1:old" E "eee"), 0},
    {"another that is a number", TEXT("d" E I "1:oli1eee"), 0},
};

static void test_read(void **state)
{
    (void)state;
    struct core_description read[CORE_DESCRIPTION_PUBLISHERS_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t *exact = malloc(rows[i].len + 1);
        memcpy(exact, rows[i].text, rows[i].len);
        size_t count = core_description_read((struct dht_span){exact, rows[i].len}, read);
        free(exact);
        if (count != rows[i].count)
            fail_msg("%s: %zu", rows[i].name, count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),    cmocka_unit_test(test_wire_vectors),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_longest),
        cmocka_unit_test(test_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
