// SPDX-License-Identifier: MIT
// The table of what this node registers: copies, bounds, and memory that fails; against a plain
// array.
#include "dht/registration.h"

#include "dht/id.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_MAX 12
#define NAMES     20

static const struct dht_siphash_key key = {1, 2};
static const struct dht_registration_limits limits = {&key, COUNT_MAX};

static struct dht_id name_of(uint32_t number)
{
    struct dht_id id = {{0}};
    memcpy(id.bytes, &number, sizeof number);
    return id;
}

static bool put(struct dht_registration_table *table, uint32_t number, uint8_t fill,
                size_t payload_len)
{
    uint8_t description[4] = {'d', fill, fill, 'e'};
    uint8_t payload[DHT_PAYLOAD_LEN_MAX + 1];
    memset(payload, fill, sizeof payload);
    struct dht_registration registration = {
        name_of(number), {description, sizeof description}, {payload, payload_len}};
    return dht_registration_put(table, &limits, &registration);
}

static void check(const struct dht_registration_table *table, uint32_t number, uint8_t fill,
                  size_t payload_len)
{
    struct dht_id id = name_of(number);
    const struct dht_registration *found = dht_registration_find(table, &key, &id);
    if (fill == 0) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_true(dht_id_equal(&found->info_hash, &id));
    assert_int_equal(found->description.len, 4);
    assert_int_equal(found->description.data[1], fill);
    assert_int_equal(found->payload.len, payload_len);
    for (size_t i = 0; i < payload_len; i++)
        assert_int_equal(found->payload.data[i], fill);
}

static void test_bounds(void **state)
{
    static const struct row {
        const char *name;
        size_t description_len, payload_len;
        bool taken;
    } rows[] = {
        {"nothing", 0, 0, true},
        {"the longest", DHT_DESCRIPTION_LEN_MAX, DHT_PAYLOAD_LEN_MAX, true},
        {"a description too long", DHT_DESCRIPTION_LEN_MAX + 1, 0, false},
        {"a payload too long", 2, DHT_PAYLOAD_LEN_MAX + 1, false},
    };
    static const uint8_t bytes[DHT_PAYLOAD_LEN_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_registration_table table = {0};
        struct dht_registration registration = {
            name_of(1), {bytes, rows[i].description_len}, {bytes, rows[i].payload_len}};
        if (dht_registration_put(&table, &limits, &registration) != rows[i].taken)
            fail_msg("%s", rows[i].name);
        assert_int_equal(table.count, rows[i].taken);
        dht_registration_table_fini(&table);
    }
}

static void test_full(void **state)
{
    struct dht_registration_table table = {0};
    (void)state;
    for (uint32_t i = 0; i < COUNT_MAX; i++)
        assert_true(put(&table, i, 'a', 3));
    assert_false(put(&table, COUNT_MAX, 'a', 3));
    assert_true(put(&table, 5, 'b', 7)); // in place of what is there
    check(&table, 5, 'b', 7);
    check(&table, COUNT_MAX, 0, 0);
    struct dht_id id = name_of(3);
    assert_true(dht_registration_remove(&table, &key, &id));
    assert_false(dht_registration_remove(&table, &key, &id));
    assert_true(put(&table, COUNT_MAX, 'c', 0));
    check(&table, COUNT_MAX, 'c', 0);
    dht_registration_table_fini(&table);
}

// Any order of putting and removing, with memory that fails now and then.
static void test_model(void **state)
{
    struct dht_registration_table table = {0};
    uint8_t fills[NAMES] = {0};
    size_t lens[NAMES] = {0};
    uint32_t count = 0;
    uint64_t random = 1;
    (void)state;
    for (int round = 0; round < 5000; round++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        uint32_t number = (uint32_t)(random >> 33) % NAMES;
        uint8_t fill = (uint8_t)('a' + (random >> 40) % 26);
        size_t len = (random >> 48) % 50;
        struct dht_id id = name_of(number);
        if ((random >> 60 & 1) != 0) {
            assert_int_equal(dht_registration_remove(&table, &key, &id), fills[number] != 0);
            count -= fills[number] != 0;
            fills[number] = 0;
        } else {
            bool fails = (random >> 61 & 3) == 0;
            failing_malloc_left = fails ? 0 : -1;
            bool taken = put(&table, number, fill, len);
            failing_malloc_left = -1;
            bool fits = fills[number] != 0 || count < COUNT_MAX;
            assert_int_equal(taken, fits && !fails);
            count += taken && fills[number] == 0;
            fills[number] = taken ? fill : fills[number];
            lens[number] = taken ? len : lens[number];
        }
        assert_int_equal(table.count, count);
        check(&table, number, fills[number], lens[number]);
    }
    for (uint32_t i = 0; i < NAMES; i++)
        check(&table, i, fills[i], lens[i]);
    dht_index_check(&table.index);
    dht_registration_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
