// SPDX-License-Identifier: MIT
#include "node/recording/entry.h"

#include "tests/recording/samples.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static uint8_t buf[RECORDING_ENTRY_HEAD_LEN + RECORDING_PAYLOAD_MAX];
static uint8_t again[sizeof buf];
static struct recording_entry_room room;

static struct dht_span payload_of(const uint8_t *entry, size_t len)
{
    return (struct dht_span){entry + RECORDING_ENTRY_HEAD_LEN, len - RECORDING_ENTRY_HEAD_LEN};
}

static void test_round_trip(void **state)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct recording_entry entry;
        const char *why = "";
        size_t len = recording_entry_write(&samples[i].entry, buf, sizeof buf);
        struct dht_span payload = payload_of(buf, len);
        bool good = len > 0 && buf[0] == samples[i].entry.kind &&
                    recording_entry_read(buf[0], payload, &room, &entry, &why) &&
                    recording_entry_write(&entry, again, sizeof again) == len &&
                    memcmp(buf, again, len) == 0 && entry.now_us == samples[i].entry.now_us;
        if (!good)
            fail_msg("%s: %s", samples[i].name, why);
    }
}

// Every kind there is has a sample.
static void test_samples_are_whole(void **state)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    (void)state;
    for (int kind = 0; kind < 256; kind++) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= samples[i].entry.kind == (enum recording_kind)kind;
        if (found != (strcmp(recording_entry_kind_text(kind), "?") != 0))
            fail_msg("kind %d", kind);
    }
}

// Cut anywhere or longer by a byte, an entry is refused, and nothing beyond it is read.
static void test_other_lengths(void **state)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct recording_entry entry;
        const char *why = NULL;
        size_t len = recording_entry_write(&samples[i].entry, buf, sizeof buf);
        struct dht_span payload = payload_of(buf, len);
        for (size_t cut = 0; cut <= payload.len + 1; cut++) {
            if (cut == payload.len)
                continue;
            uint8_t *exact = calloc(1, cut + 1); // for the address sanitizer
            assert_non_null(exact);
            memcpy(exact, payload.data, cut < payload.len ? cut : payload.len);
            bool taken =
                recording_entry_read(buf[0], (struct dht_span){exact, cut}, &room, &entry, &why);
            free(exact);
            if (taken || why == NULL)
                fail_msg("%s: taken with %zu bytes", samples[i].name, cut);
        }
    }
}

static void test_does_not_fit(void **state)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        size_t len = recording_entry_write(&samples[i].entry, buf, sizeof buf);
        for (size_t room_len = 0; room_len < len; room_len++) {
            if (recording_entry_write(&samples[i].entry, buf, room_len) != 0)
                fail_msg("%s: written into %zu bytes", samples[i].name, room_len);
        }
    }
}

// One byte of a good entry's payload is another.
static const struct {
    const char *name;
    const char *sample;
    size_t at; // in the payload
    uint8_t byte;
    const char *why;
} wrong[] = {
    {"a time below 0", "tick", 0, 0x80, "a time that cannot be"},
    {"a time above all", "tick", 0, 0x7f, "a time that cannot be"},
    {"ok that is 2", "written", 16, 2, "a truth that is neither 0 nor 1"},
    {"a row of kind 0", "restore", 0, 0, "a choice that there is not"},
    {"a row of kind 6", "restore", 0, 6, "a choice that there is not"},
    {"an access of 3", "session_open", 8, 3, "a choice that there is not"},
    {"65 datagrams", "receive", 15, 65, "a list that is too long"},
    {"a datagram from nowhere", "receive", 16, 0, "an address that is not set"},
    {"an address of 5 bytes", "receive", 16, 5, "an address of no known length"},
    {"two unreachable", "unreachable", 15, 2, "the entry ends too early"},
    {"none unreachable", "unreachable", 15, 0, "not one address"},
    {"33 counters", "driver_counters", 3, 33, "a list that is too long"},
    {"a label with a NUL in it", "key_removed", 5, 0, "a text that does not end where it should"},
    {"a label without a NUL", "key_removed", 7, 'x', "a text that does not end where it should"},
    {"an engine of family 5", "add_engine", 12, 5, "no address family"},
    {"an engine of family 7", "add_engine", 12, 7, "a choice that there is not"},
    {"a scope of 0", "add_cloud", 41, 0, "a choice that there is not"},
    {"a cloud that is disabled twice", "add_cloud", 46, 2, "a truth that is neither 0 nor 1"},
    {"an end of a third sort", "end", 0, 3, "a choice that there is not"},
};

static void test_wrong_bytes(void **state)
{
    struct sample samples[SAMPLES_MAX];
    size_t count = samples_make(samples);
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct recording_entry entry;
        const char *why = "";
        size_t at = 0;
        while (at < count && strcmp(samples[at].name, wrong[i].sample) != 0)
            at++;
        assert_true(at < count);
        size_t len = recording_entry_write(&samples[at].entry, buf, sizeof buf);
        assert_true(RECORDING_ENTRY_HEAD_LEN + wrong[i].at < len);
        buf[RECORDING_ENTRY_HEAD_LEN + wrong[i].at] = wrong[i].byte;
        bool taken = recording_entry_read(buf[0], payload_of(buf, len), &room, &entry, &why);
        if (taken || strcmp(why, wrong[i].why) != 0)
            fail_msg("%s: %s", wrong[i].name, taken ? "taken" : why);
    }
}

// How many bytes of a struct did not come through: its padding.
static size_t lost_bytes(const void *before, const void *after, size_t len)
{
    size_t lost = 0;
    for (size_t i = 0; i < len; i++)
        lost += ((const uint8_t *)before)[i] != ((const uint8_t *)after)[i];
    return lost;
}

// Every field of a configuration comes through.
static void test_configurations_are_whole(void **state)
{
    static const uint8_t seed[RECORDING_SEED_LEN];
    struct recording_entry birth = {.kind = RECORDING_NEW};
    struct recording_entry engine = {.kind = RECORDING_ADD_ENGINE};
    struct recording_entry read;
    const char *why = "";
    (void)state;
    memset(&birth.birth.config, 1, sizeof birth.birth.config);
    birth.birth.config.version[31] = '\0';
    birth.birth.seed = seed;
    size_t len = recording_entry_write(&birth, buf, sizeof buf);
    assert_true(recording_entry_read(buf[0], payload_of(buf, len), &room, &read, &why));
    size_t lost = lost_bytes(&birth.birth.config, &read.birth.config, sizeof read.birth.config);
    if (sizeof(void *) == 8)
        assert_int_equal(lost, 11);
    memset(&engine.engine, 1, sizeof engine.engine);
    engine.engine.config.family = DHT_IPV6;
    engine.engine.config.role = DHT_ROLE_CLIENT;
    engine.engine.config.addr.ip_len = 16;
    len = recording_entry_write(&engine, buf, sizeof buf);
    assert_true(recording_entry_read(buf[0], payload_of(buf, len), &room, &read, &why));
    lost = lost_bytes(&engine.engine, &read.engine, sizeof read.engine);
    if (sizeof(void *) == 8)
        assert_int_equal(lost, 11);
    struct recording_entry cloud = {.kind = RECORDING_ADD_CLOUD};
    memset(&cloud.cloud, 1, sizeof cloud.cloud);
    cloud.cloud.name[NODE_CLOUD_NAME_MAX] = '\0';
    cloud.cloud.scope = NODE_SCOPE_LINK;
    len = recording_entry_write(&cloud, buf, sizeof buf);
    assert_true(recording_entry_read(buf[0], payload_of(buf, len), &room, &read, &why));
    assert_int_equal(lost_bytes(&cloud.cloud, &read.cloud, sizeof read.cloud), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),    cmocka_unit_test(test_samples_are_whole),
        cmocka_unit_test(test_other_lengths), cmocka_unit_test(test_does_not_fit),
        cmocka_unit_test(test_wrong_bytes),   cmocka_unit_test(test_configurations_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
