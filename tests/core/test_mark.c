// SPDX-License-Identifier: MIT
// What changes the mark of a result, and what does not.
#include "node/core/mark.h"
#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define LONG_LEN 2000 // a payload of three parts

static uint8_t secret[32];
static uint8_t bytes[LONG_LEN];

static const struct control_endpoint endpoints[] = {
    {.ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = 443},
    {.ip = {192, 0, 2, 8}, .ip_len = 4, .proto = 6, .port = 443},
    {.ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 17, .port = 443},
    {.ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = 444},
    {.ip = {192, 0, 2, 7}, .ip_len = 16, .proto = 6, .port = 443},
};

struct row {
    const char *name;
    size_t endpoint; // the first
    size_t endpoint_count;
    const char *comment;
    enum core_record_payload_type type;
    size_t payload_len;
    bool same;  // as the first row
    bool apart; // the payload is given as the targets of its parts
};

static const struct row rows[] = {
    {"the usual", 0, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, true, false},
    {"payload as parts", 0, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, true, true},
    {"address", 1, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"protocol", 2, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"port", 3, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"family", 4, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"no endpoint", 0, 0, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"two endpoints", 0, 2, "ab", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"comment", 0, 1, "ac", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"no comment", 0, 1, "", CORE_RECORD_PAYLOAD_BINARY, 100, false, false},
    {"payload type", 0, 1, "ab", CORE_RECORD_PAYLOAD_STRING, 100, false, false},
    {"longer payload", 0, 1, "ab", CORE_RECORD_PAYLOAD_BINARY, 101, false, false},
    {"no payload", 0, 1, "ab", CORE_RECORD_PAYLOAD_NONE, 0, false, false},
};

static void mark_of(const struct row *row, uint8_t ret_mark[CORE_MARK_LEN])
{
    struct dht_crypto crypto = helper_crypto(secret);
    struct dht_id parts[CORE_RECORD_PARTS_MAX];
    struct dht_span payload = {bytes, row->payload_len};
    struct core_mark_content content = {
        .endpoints = &endpoints[row->endpoint],
        .endpoint_count = row->endpoint_count,
        .comment = {(const uint8_t *)row->comment, strlen(row->comment)},
        .payload_type = row->type,
        .payload = payload,
    };
    if (row->apart) {
        content.part_count = core_record_part_count(row->payload_len);
        for (uint32_t i = 0; i < content.part_count; i++)
            core_record_part_target(&crypto, core_record_part(payload, i), &parts[i]);
        content.parts = parts;
        content.payload = (struct dht_span){0};
    }
    core_mark(&crypto, &content, ret_mark);
}

static void test_mark(void **state)
{
    uint8_t usual[CORE_MARK_LEN];
    (void)state;
    mark_of(&rows[0], usual);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t mark[CORE_MARK_LEN];
        mark_of(&rows[i], mark);
        if ((memcmp(mark, usual, sizeof mark) == 0) != rows[i].same)
            fail_msg("%s", rows[i].name);
    }
}

// The most that there can be fits.
static void test_largest(void **state)
{
    static const char comment[] =
        "123456789012345678901234567890123456789012345678901234567890123456789012345678";
    struct control_endpoint ten[CONTROL_ENDPOINTS_MAX];
    struct dht_crypto crypto = helper_crypto(secret);
    static uint8_t payload[CORE_RECORD_PAYLOAD_MAX];
    uint8_t mark[CORE_MARK_LEN] = {0};
    uint8_t other[CORE_MARK_LEN];
    (void)state;
    for (size_t i = 0; i < CONTROL_ENDPOINTS_MAX; i++)
        ten[i] = (struct control_endpoint){.ip_len = 16, .proto = 254, .port = 65535};
    struct core_mark_content content = {
        .endpoints = ten,
        .endpoint_count = CONTROL_ENDPOINTS_MAX,
        .comment = {(const uint8_t *)comment, CORE_RECORD_COMMENT_MAX},
        .payload_type = CORE_RECORD_PAYLOAD_BINARY,
        .payload = {payload, sizeof payload},
    };
    core_mark(&crypto, &content, mark);
    payload[sizeof payload - 1] = 1; // in the last part
    core_mark(&crypto, &content, other);
    assert_memory_not_equal(mark, other, sizeof mark);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
