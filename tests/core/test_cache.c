// SPDX-License-Identifier: MIT
#include "node/core/cache.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

static uint8_t value[] = "value";

static struct core_cache_entry entry_of(uint8_t number, int64_t seq, uint16_t value_len)
{
    struct core_cache_entry entry = {
        .seq = seq, .verified_us = 100, .expires_us = 1000, .value_len = value_len, .value = value};
    memset(entry.target.bytes, number, sizeof entry.target.bytes);
    return entry;
}

static const struct core_cache_entry *find(struct core_cache *cache, uint8_t number, int64_t now_us)
{
    struct core_cache_entry entry = entry_of(number, 0, 0);
    return core_cache_find(cache, now_us, 0, &entry.target);
}

// What stands after a second entry of the same target.
static void test_what_replaces_what(void **state)
{
    static const struct {
        const char *name;
        int64_t first_seq;
        uint16_t first_len;
        int64_t second_seq;
        uint16_t second_len;
        bool second_stands;
    } rows[] = {
        {"newer over older", 1, 5, 2, 4, true},
        {"older over newer", 2, 5, 1, 4, false},
        {"the same again", 2, 5, 2, 4, true},
        {"none over record", 2, 5, DHT_SEQ_NONE, 0, false},
        {"old tombstone over record", 2, 5, 1, 0, false},
        {"tombstone over record", 2, 5, 3, 0, true},
        {"record over none", DHT_SEQ_NONE, 0, 1, 5, true},
        {"record over tombstone", 3, 0, 4, 5, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct core_cache cache;
        core_cache_init(&cache, 4);
        struct core_cache_entry first = entry_of(1, rows[i].first_seq, rows[i].first_len);
        struct core_cache_entry second = entry_of(1, rows[i].second_seq, rows[i].second_len);
        core_cache_put(&cache, &first);
        core_cache_put(&cache, &second);
        const struct core_cache_entry *found = find(&cache, 1, 200);
        assert_non_null(found);
        bool stands = found->seq == second.seq && found->value_len == second.value_len;
        if (stands != rows[i].second_stands || cache.count != 1)
            fail_msg("%s", rows[i].name);
        core_cache_fini(&cache);
    }
}

// That a key has a hash stands behind whatever else is known of the target.
static void test_keys(void **state)
{
    struct core_cache cache;
    struct core_cache_entry record = entry_of(1, 1, 5);
    struct core_cache_entry key = entry_of(1, DHT_SEQ_NONE, 0);
    (void)state;
    core_cache_init(&cache, 4);
    key.is_key = true;
    key.expires_us = 5000;
    core_cache_put(&cache, &key);
    assert_true(find(&cache, 1, 200)->is_key);
    core_cache_put(&cache, &record);
    core_cache_put(&cache, &key);
    assert_int_equal(find(&cache, 1, 200)->value_len, 5);
    key.verified_us = 1000; // the record's time is over
    core_cache_put(&cache, &key);
    assert_true(find(&cache, 1, 4999)->is_key);
    assert_int_equal(cache.count, 1);
    core_cache_fini(&cache);
}

static void test_expiry(void **state)
{
    struct core_cache cache;
    struct core_cache_entry entry = entry_of(1, 1, 5);
    (void)state;
    core_cache_init(&cache, 4);
    core_cache_put(&cache, &entry);
    assert_non_null(find(&cache, 1, 999));
    assert_null(find(&cache, 1, 1000));
    assert_int_equal(cache.count, 0);
    // What has expired stands in nobody's way.
    core_cache_put(&cache, &entry);
    entry.seq = 0;
    entry.verified_us = 1000;
    entry.expires_us = 2000;
    core_cache_put(&cache, &entry);
    assert_int_equal(find(&cache, 1, 1500)->seq, 0);
    core_cache_forget(&cache, 0, &entry.target);
    assert_null(find(&cache, 1, 1500));
    core_cache_forget(&cache, 0, &entry.target);
    core_cache_fini(&cache);
}

// What is kept of one cloud is nothing to another.
static void test_clouds(void **state)
{
    struct core_cache cache;
    (void)state;
    core_cache_init(&cache, 8);
    for (uint8_t number = 1; number <= 3; number++) {
        struct core_cache_entry entry = entry_of(number, 1, 5);
        core_cache_put(&cache, &entry);
        entry.cloud = 7;
        entry.seq = 70;
        core_cache_put(&cache, &entry);
    }
    struct core_cache_entry entry = entry_of(1, 0, 0);
    assert_int_equal(core_cache_find(&cache, 200, 0, &entry.target)->seq, 1);
    assert_int_equal(core_cache_find(&cache, 200, 7, &entry.target)->seq, 70);
    assert_null(core_cache_find(&cache, 200, 1, &entry.target));
    core_cache_forget(&cache, 1, &entry.target);
    core_cache_drop(&cache, 0);
    assert_int_equal(cache.count, 3);
    assert_null(core_cache_find(&cache, 200, 0, &entry.target));
    assert_int_equal(core_cache_find(&cache, 200, 7, &entry.target)->seq, 70);
    dht_index_check(&cache.index);
    core_cache_fini(&cache);
}

static void test_the_one_used_longest_ago_makes_room(void **state)
{
    struct core_cache cache;
    (void)state;
    core_cache_init(&cache, 100);
    for (uint8_t i = 0; i < 100; i++) {
        struct core_cache_entry entry = entry_of(i, 1, 5);
        core_cache_put(&cache, &entry);
    }
    for (uint8_t i = 0; i < 100; i += 2)
        assert_non_null(find(&cache, i, 200)); // the odd ones are older now
    for (uint8_t i = 100; i < 150; i++) {
        struct core_cache_entry entry = entry_of(i, 1, 5);
        core_cache_put(&cache, &entry);
    }
    assert_int_equal(cache.count, 100);
    assert_int_equal(cache.evicted, 50);
    for (uint8_t i = 0; i < 150; i++)
        assert_int_equal(find(&cache, i, 200) != NULL, i >= 100 || i % 2 == 0);
    dht_index_check(&cache.index);
    core_cache_fini(&cache);
}

static void test_no_room_at_all(void **state)
{
    struct core_cache cache;
    struct core_cache_entry entry = entry_of(1, 1, 5);
    (void)state;
    core_cache_init(&cache, 0);
    core_cache_put(&cache, &entry);
    assert_null(find(&cache, 1, 200));
    core_cache_fini(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clouds),
        cmocka_unit_test(test_what_replaces_what),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_the_one_used_longest_ago_makes_room),
        cmocka_unit_test(test_no_room_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
