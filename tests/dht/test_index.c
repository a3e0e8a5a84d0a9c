// SPDX-License-Identifier: MIT
#include "dht/index.h"

#include "dht/random.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MODEL_MAX 600

static bool has(const struct dht_index *index, uint32_t hash, uint32_t value)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t found;
    while ((found = dht_index_next(index, hash, &cursor)) != DHT_INDEX_NONE) {
        if (found == value) {
            return true;
        }
    }
    return false;
}

static uint32_t count_under(const struct dht_index *index, uint32_t hash)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t count = 0;
    while (dht_index_next(index, hash, &cursor) != DHT_INDEX_NONE) {
        count++;
    }
    return count;
}

static void test_empty(void **state)
{
    (void)state;
    struct dht_index index = {0};
    assert_false(has(&index, 1, 1));
    assert_int_equal(count_under(&index, 0), 0);
    dht_index_check(&index);
    dht_index_clear(&index);
}

static void test_several_values_under_one_hash(void **state)
{
    (void)state;
    struct dht_index index = {0};
    for (uint32_t value = 0; value < 100; value++) {
        assert_true(dht_index_reserve(&index, 1000));
        dht_index_add(&index, UINT32_MAX, value); // the last home: goes round the end
    }
    dht_index_check(&index);
    assert_int_equal(count_under(&index, UINT32_MAX), 100);
    dht_index_remove(&index, UINT32_MAX, 50);
    dht_index_replace(&index, UINT32_MAX, 51, 1051);
    assert_false(has(&index, UINT32_MAX, 50));
    assert_false(has(&index, UINT32_MAX, 51));
    assert_true(has(&index, UINT32_MAX, 1051));
    assert_int_equal(count_under(&index, UINT32_MAX), 99);
    assert_int_equal(count_under(&index, UINT32_MAX - 1), 0);
    dht_index_clear(&index);
}

// Never more than 15 bytes an entry once there are some, and back to little when they are gone.
static void test_memory(void **state)
{
    (void)state;
    struct dht_index index = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        size_t growth = dht_index_growth(&index, 10000);
        uint32_t before = index.capacity;
        assert_true(dht_index_reserve(&index, 10000));
        assert_int_equal(growth, (index.capacity - before) * sizeof(struct dht_index_entry));
        dht_index_add(&index, i * 2654435761u, i);
        assert_true(i < 64 || index.capacity * 8 <= (i + 1) * 15);
    }
    assert_true(index.capacity * 8 < 10000 * 11.5); // nothing to spare at count_max
    for (uint32_t i = 0; i < 10000; i++) {
        dht_index_remove(&index, i * 2654435761u, i);
    }
    assert_true(index.capacity <= 64);
    dht_index_clear(&index);
}

static void test_memory_short(void **state)
{
    (void)state;
    struct dht_index index = {0};
    uint32_t count = 0;
    for (; count < 200; count++) {
        failing_malloc_left = 0;
        if (!dht_index_reserve(&index, 1000)) {
            dht_index_check(&index);
            assert_int_equal(index.count, count);
            failing_malloc_left = 1;
            assert_true(dht_index_reserve(&index, 1000));
        }
        dht_index_add(&index, count << 20, count);
    }
    failing_malloc_left = 0;
    while (count > 0) { // what cannot shrink stays large
        dht_index_remove(&index, (count - 1) << 20, count - 1);
        count--;
        dht_index_check(&index);
    }
    failing_malloc_left = -1;
    dht_index_clear(&index);
}

struct model {
    struct dht_index_entry entries[MODEL_MAX];
    uint32_t count;
};

static void random_step(struct dht_index *index, struct model *model, struct dht_random *dice,
                        bool filling)
{
    bool adds = dht_random_below(dice, 10) < (filling ? 6 : 4);
    if (adds && model->count < MODEL_MAX) {
        // Few hashes, all of them close to each other or at the ends: long runs.
        uint32_t hash = (uint32_t)dht_random_below(dice, 64) << 27;
        hash += (uint32_t)dht_random_below(dice, 3) - 1;
        struct dht_index_entry entry = {hash, dht_random_u32(dice) >> 1};
        assert_true(dht_index_reserve(index, MODEL_MAX));
        dht_index_add(index, entry.hash, entry.value);
        model->entries[model->count++] = entry;
    } else if (model->count > 0) {
        uint32_t at = (uint32_t)dht_random_below(dice, model->count);
        struct dht_index_entry *entry = &model->entries[at];
        assert_true(has(index, entry->hash, entry->value));
        if (dht_random_below(dice, 3) == 0) {
            uint32_t to = dht_random_u32(dice) >> 1;
            dht_index_replace(index, entry->hash, entry->value, to);
            entry->value = to;
        } else {
            dht_index_remove(index, entry->hash, entry->value);
            *entry = model->entries[--model->count];
        }
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    static struct model model;
    struct dht_index index = {0};
    struct dht_random dice;
    static const uint8_t seed[32] = "dice of the index test";
    dht_random_init(&dice, seed);
    for (int i = 0; i < 30000; i++) {
        random_step(&index, &model, &dice, i / 3000 % 2 == 0);
        assert_int_equal(index.count, model.count);
        if (i % 100 == 0) {
            dht_index_check(&index);
            for (uint32_t at = 0; at < model.count; at++) {
                assert_true(has(&index, model.entries[at].hash, model.entries[at].value));
            }
        }
    }
    dht_index_clear(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_several_values_under_one_hash),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_memory_short),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
