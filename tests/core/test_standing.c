// SPDX-License-Identifier: MIT
// What stands where nodes do not agree: which entries of which records end up in the merged one.
#include "node/core/standing.h"

#include "dht/bencode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[32] = {1, 2, 3};

// A record of machines a, b, c, ... each letter with the port that follows it: "a1b2".
struct part {
    const char *machines;
    int64_t seq;
    uint32_t copies;
};

static struct core_record record_of(const char *machines)
{
    struct core_record record;
    core_record_init(&record);
    for (const char *at = machines; *at != '\0'; at += 2) {
        struct core_record_entry entry = {.signed_until_s = 1000 + at[1]};
        struct core_record_endpoint endpoint = {.addr = {.ip = {192, 0, 2, 1}, .ip_len = 4}};
        memset(entry.machine, at[0], sizeof entry.machine);
        endpoint.addr.port = (uint16_t)(at[1] - '0');
        assert_int_equal(core_record_replace(&record, &entry, &endpoint, 1), CORE_RECORD_OK);
    }
    return record;
}

static void text_of(const struct core_record *record, char ret_text[64])
{
    size_t len = 0;
    for (uint32_t i = 0; i < record->entry_count; i++) {
        ret_text[len++] = (char)record->entries[i].machine[0];
        for (uint32_t j = 0; j < record->endpoint_count; j++)
            if (record->endpoints[j].entry == i)
                ret_text[len++] = (char)('0' + record->endpoints[j].addr.port);
    }
    ret_text[len] = '\0';
}

static void note(struct core_standing *standing, const struct part *part)
{
    uint8_t msg[CORE_RECORD_LEN_MAX];
    uint8_t value[DHT_VALUE_LEN_MAX];
    size_t len;
    struct core_record record = record_of(part->machines);
    assert_int_equal(core_record_encode(&record, key, msg, &len), CORE_RECORD_OK);
    struct dht_bencode_writer writer = dht_bencode_writer(value, sizeof value);
    dht_bencode_put_string(&writer, msg, len);
    struct dht_item item = {.is_mutable = true, .seq = part->seq};
    item.value = (struct dht_span){value, dht_bencode_written(&writer)};
    for (uint32_t i = 0; i < part->copies; i++)
        core_standing_note(standing, &item);
}

static void test_merge(void **state)
{
    static const struct {
        const char *name;
        struct part parts[6];
        int64_t after_seq;
        const char *merged;
    } rows[] = {
        {"one alone", {{"a1b1", 10, 9}}, -1, "a1b1"},
        {"both sides of a race", {{"a1b1", 10, 12}, {"a1c1", 11, 8}}, -1, "a1b1c1"},
        {"the older one is heard first", {{"a1c1", 11, 8}, {"a1b1", 10, 12}}, -1, "a1b1c1"},
        {"left behind on a few", {{"a1b1", 10, 3}, {"a1c1", 11, 8}}, -1, "a1c1"},
        {"known before", {{"a1b1", 10, 12}, {"a1c1", 11, 8}}, 10, "a1c1"},
        {"its older version", {{"a1b1", 10, 12}, {"a1b2", 11, 8}}, -1, "a1b2"},
        {"its newer version in the older one", {{"a1b3", 10, 12}, {"a1b2", 11, 8}}, -1, "a1b3"},
        {"three", {{"a1", 10, 6}, {"b1", 11, 6}, {"c1", 12, 6}}, -1, "a1b1c1"},
        {"no more than four",
         {{"a1", 10, 6}, {"b1", 11, 6}, {"c1", 12, 6}, {"d1", 13, 6}, {"e1", 14, 6}},
         -1,
         "b1c1d1e1"},
        {"two of one moment, the other one read", {{"a1b1", 10, 8}, {"a1c1", 10, 6}}, -1, "a1b1c1"},
        {"no room", {{"a1b1c1", 10, 6}, {"d1e1f1g1h1i1j1k1l1", 11, 6}}, -1, "a1d1e1f1g1h1i1j1k1l1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_standing standing = {0};
        const struct part *newest = NULL;
        char text[64];
        for (const struct part *part = rows[i].parts; part->machines != NULL; part++) {
            note(&standing, part);
            if (newest == NULL || part->seq >= newest->seq)
                newest = part;
        }
        struct core_record record = record_of(newest->machines);
        core_standing_merge(&standing, key, rows[i].after_seq, &record);
        text_of(&record, text);
        if (strcmp(text, rows[i].merged) != 0)
            fail_msg("%s: %s", rows[i].name, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_merge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
