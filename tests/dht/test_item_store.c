// SPDX-License-Identifier: MIT
#include "dht/item_store.h"

#include "dht/random.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)

static const struct dht_siphash_key key = {1, 2};
static const struct dht_item_store_limits roomy = {1000000, SIZE_MAX / 2, 0, 2 * HOUR_US};
static uint8_t filler[DHT_VALUE_LEN_MAX];

// An item whose every part follows from number and version.
static struct dht_item make_item(uint32_t number, uint32_t version, bool is_mutable,
                                 size_t salt_len, size_t value_len)
{
    struct dht_item item = {.is_mutable = is_mutable};
    memcpy(item.target.bytes, &number, sizeof(number));
    if (is_mutable) {
        memset(item.key, (int)(number + 1), sizeof(item.key));
        memset(item.sig, (int)(number + version), sizeof(item.sig));
        item.seq = (int64_t)version << 32 | number;
        item.salt = (struct dht_span){filler + number % 100, salt_len};
    }
    item.value = (struct dht_span){filler + (number + version) % (sizeof(filler) - value_len + 1),
                                   value_len};
    return item;
}

static bool same_span(struct dht_span a, struct dht_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static bool same_item(const struct dht_item *a, const struct dht_item *b)
{
    return a->is_mutable == b->is_mutable && a->seq == b->seq &&
           memcmp(&a->target, &b->target, sizeof(a->target)) == 0 &&
           memcmp(a->key, b->key, sizeof(a->key)) == 0 &&
           memcmp(a->sig, b->sig, sizeof(a->sig)) == 0 && same_span(a->salt, b->salt) &&
           same_span(a->value, b->value);
}

static bool holds(const struct dht_item_store *store, const struct dht_item *item)
{
    const struct dht_stored_item *stored = dht_item_store_find(store, &item->target);
    if (stored == NULL) {
        return false;
    }
    struct dht_item view = dht_item_store_view(stored);
    return same_item(&view, item);
}

static const struct {
    const char *name;
    bool is_mutable;
    size_t salt_len;
    size_t value_len;
} shapes[] = {
    {"immutable", false, 0, 15},
    {"immutable, no value", false, 0, 0},
    {"immutable, the longest", false, 0, 1000},
    {"mutable", true, 0, 15},
    {"mutable, salted", true, 6, 15},
    {"mutable, no value", true, 0, 0},
    {"mutable, salt alone", true, 64, 0},
    {"mutable, the longest", true, 64, 1000},
};

static void test_what_goes_in_comes_out(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(&roomy, &key);
    size_t count = sizeof(shapes) / sizeof(shapes[0]);
    for (uint32_t from = 0; from < count; from++) {
        for (uint32_t to = 0; to < count; to++) { // each shape replaced by each
            uint32_t number = from * 16 + to;
            struct dht_item before = make_item(number, 1, shapes[from].is_mutable,
                                               shapes[from].salt_len, shapes[from].value_len);
            struct dht_item after = make_item(number, 2, shapes[to].is_mutable, shapes[to].salt_len,
                                              shapes[to].value_len);
            if (dht_item_store_put(store, number, 7, &before) != DHT_ITEM_STORE_ADDED ||
                !holds(store, &before) ||
                dht_item_store_put(store, number, 7, &after) != DHT_ITEM_STORE_REPLACED ||
                !holds(store, &after)) {
                fail_msg("%s, then %s", shapes[from].name, shapes[to].name);
            }
            dht_item_store_check(store);
        }
    }
    dht_item_store_free(store);
}

static void test_own_view_put_back(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(&roomy, &key);
    struct dht_item item = make_item(1, 1, true, 8, 100);
    dht_item_store_put(store, 0, 7, &item);
    struct dht_item view = dht_item_store_view(dht_item_store_find(store, &item.target));
    assert_int_equal(dht_item_store_put(store, 5, 7, &view), DHT_ITEM_STORE_REPLACED);
    assert_true(holds(store, &item));
    dht_item_store_free(store);
}

static void test_expiry(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(&roomy, &key);
    assert_int_equal(dht_item_store_next_expiry(store), INT64_MAX);
    assert_int_equal(dht_item_store_expire(store, INT64_MAX, 10), 0);
    for (uint32_t i = 0; i < 5; i++) {
        struct dht_item item = make_item(i, 0, true, 0, 10);
        dht_item_store_put(store, i * SECOND_US, 7, &item);
    }
    struct dht_item first = make_item(0, 0, true, 0, 10);
    dht_item_store_refresh(store, 9 * SECOND_US, dht_item_store_find(store, &first.target));
    int64_t due_us = 2 * HOUR_US + SECOND_US;
    assert_int_equal(dht_item_store_next_expiry(store), due_us);
    assert_int_equal(dht_item_store_expire(store, due_us - 1, 10), 0);
    assert_int_equal(dht_item_store_expire(store, due_us, 10), 1);
    assert_int_equal(dht_item_store_expire(store, due_us + 7 * SECOND_US, 2), 2); // at most
    assert_int_equal(dht_item_store_expire(store, due_us + 7 * SECOND_US, 2), 1);
    assert_true(holds(store, &first));
    assert_int_equal(dht_item_store_next_expiry(store), due_us + 8 * SECOND_US);
    dht_item_store_check(store);
    dht_item_store_free(store);
}

static void test_limits(void **state)
{
    (void)state;
    struct dht_item_store_limits limits = {4, SIZE_MAX / 2, 2, HOUR_US};
    struct dht_item_store *store = dht_item_store_new(&limits, &key);
    static const struct {
        const char *name;
        uint32_t number;
        uint64_t source;
        enum dht_item_store_result result;
    } rows[] = {
        {"first of source 1", 1, 1, DHT_ITEM_STORE_ADDED},
        {"second of source 1", 2, 1, DHT_ITEM_STORE_ADDED},
        {"third of source 1", 3, 1, DHT_ITEM_STORE_SOURCE_FULL},
        {"source 1 may replace", 2, 1, DHT_ITEM_STORE_REPLACED},
        {"replaced by source 2, counted for 1", 1, 2, DHT_ITEM_STORE_REPLACED},
        {"first of source 2", 4, 2, DHT_ITEM_STORE_ADDED},
        {"second of source 2", 5, 2, DHT_ITEM_STORE_ADDED},
        {"the store is full", 6, 3, DHT_ITEM_STORE_FULL},
        {"a full store replaces", 5, 3, DHT_ITEM_STORE_REPLACED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct dht_item item = make_item(rows[i].number, (uint32_t)i, true, 0, 10);
        if (dht_item_store_put(store, (int64_t)i, rows[i].source, &item) != rows[i].result) {
            fail_msg("%s", rows[i].name);
        }
        dht_item_store_check(store);
    }
    assert_false(dht_item_store_has_room(store));
    assert_int_equal(dht_item_store_expire(store, HOUR_US + 3, 1), 1); // item 2, of source 1
    assert_true(dht_item_store_has_room(store));
    struct dht_item item = make_item(9, 0, true, 0, 10);
    assert_int_equal(dht_item_store_put(store, HOUR_US + 3, 1, &item), DHT_ITEM_STORE_ADDED);
    dht_item_store_free(store);
}

static void test_bytes(void **state)
{
    (void)state;
    struct dht_item_store_limits limits = {1000, 20000, 0, HOUR_US};
    struct dht_item_store *store = dht_item_store_new(&limits, &key);
    uint32_t count = 0;
    for (struct dht_item item; item = make_item(count, 0, true, 0, 500),
                               dht_item_store_put(store, count, 1, &item) == DHT_ITEM_STORE_ADDED;
         count++) {
        assert_true(dht_item_store_bytes(store) <= 20000);
    }
    assert_in_range(count, 20000 / 700, 20000 / 600);
    assert_false(dht_item_store_has_room(store));
    // Longer does not fit; the old one stays. As long, or shorter, does.
    struct dht_item old = make_item(3, 0, true, 0, 500);
    struct dht_item longer = make_item(3, 1, true, 0, 1000);
    assert_int_equal(dht_item_store_put(store, 100, 1, &longer), DHT_ITEM_STORE_FULL);
    assert_true(holds(store, &old));
    struct dht_item shorter = make_item(3, 1, true, 0, 100);
    assert_int_equal(dht_item_store_put(store, 100, 1, &shorter), DHT_ITEM_STORE_REPLACED);
    assert_int_equal(dht_item_store_put(store, 101, 1, &old), DHT_ITEM_STORE_REPLACED);
    dht_item_store_check(store);
    dht_item_store_free(store);
}

// Row 15 of the goals: what a stored item of 100 bytes costs, with each from a source of its own.
static void test_cost_of_an_item(void **state)
{
    (void)state;
    struct dht_item_store_limits limits = {100000, SIZE_MAX / 2, 2000, HOUR_US};
    struct dht_item_store *store = dht_item_store_new(&limits, &key);
    for (uint32_t i = 0; i < 20000; i++) {
        struct dht_item item = make_item(i, 0, true, 0, 100);
        dht_item_store_put(store, 0, i, &item);
        assert_true(i < 100 || dht_item_store_bytes(store) / (i + 1) <= 312);
    }
    dht_item_store_free(store);
}

static void test_refresh_allocates_nothing(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(&roomy, &key);
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_item item = make_item(i, 0, true, 0, 100);
        dht_item_store_put(store, i, 1, &item);
    }
    unsigned long calls = failing_malloc_calls;
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_item item = make_item(i % 100, i, true, 0, 100);
        assert_int_equal(dht_item_store_put(store, i, 1, &item), DHT_ITEM_STORE_REPLACED);
        dht_item_store_refresh(store, i, dht_item_store_find(store, &item.target));
    }
    assert_int_equal(failing_malloc_calls, calls);
    dht_item_store_check(store);
    dht_item_store_free(store);
}

static void test_memory_short(void **state)
{
    (void)state;
    struct dht_item_store_limits limits = {1000, SIZE_MAX / 2, 10, HOUR_US};
    failing_malloc_left = 0;
    assert_null(dht_item_store_new(&limits, &key));
    failing_malloc_left = -1;
    struct dht_item_store *store = dht_item_store_new(&limits, &key);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 300; i++) {
        struct dht_item item = make_item(i, 0, true, 0, 100);
        long left = 0;
        for (;; left++) {
            failing_malloc_left = left;
            enum dht_item_store_result result = dht_item_store_put(store, i, i, &item);
            failing_malloc_left = -1;
            assert_int_equal(dht_item_store_count(store), i + (result == DHT_ITEM_STORE_ADDED));
            dht_item_store_check(store);
            if (result == DHT_ITEM_STORE_ADDED) {
                break;
            }
            assert_int_equal(result, DHT_ITEM_STORE_FULL);
            refused++;
        }
        struct dht_item longer = make_item(i, 1, true, 0, 150);
        failing_malloc_left = 0;
        assert_int_equal(dht_item_store_put(store, i, i, &longer), DHT_ITEM_STORE_FULL);
        failing_malloc_left = -1;
        assert_true(holds(store, &item));
    }
    assert_true(refused > 300);
    dht_item_store_free(store);
}

static void test_walk(void **state)
{
    (void)state;
    struct dht_item_store *store = dht_item_store_new(&roomy, &key);
    const struct dht_stored_item *item = NULL;
    assert_int_equal(dht_item_store_walk(store, 0, 0, &item), 0);
    static const int64_t times[] = {50, 10, 30, 20, 40, 30}; // as an earlier run's come back
    for (uint32_t i = 0; i < 6; i++) {
        struct dht_item put = make_item(i, 0, false, 0, 10);
        dht_item_store_put(store, times[i], 1, &put);
        dht_item_store_check(store);
    }
    static const int64_t expected[] = {50, 40, 30, 30, 20, 10};
    for (int64_t since_us = 0; since_us <= 60; since_us += 5) {
        uint32_t cursor = 0;
        size_t seen = 0;
        while ((cursor = dht_item_store_walk(store, cursor, since_us, &item)) != 0) {
            assert_true(seen < 6 && item->refreshed_us == expected[seen]);
            seen++;
        }
        assert_true(seen == 6 || expected[seen] < since_us);
        assert_true(seen == 0 || expected[seen - 1] >= since_us);
    }
    assert_int_equal(dht_item_store_walk(store, 99, 0, &item), 0);
    dht_item_store_free(store);
}

// ---- random operations against an array ----

#define NUMBERS 400
#define SOURCES 12

struct model_item {
    bool present;
    uint32_t version;
    bool is_mutable;
    size_t salt_len;
    size_t value_len;
    uint64_t source;
    int64_t refreshed_us;
};

struct model {
    struct model_item items[NUMBERS];
    uint32_t count;
    uint32_t of_source[SOURCES];
};

static const struct dht_item_store_limits model_limits = {300, SIZE_MAX / 2, 40, 1000 * SECOND_US};

static void model_put(struct dht_item_store *store, struct model *model, struct dht_random *dice,
                      int64_t now_us)
{
    uint32_t number = (uint32_t)dht_random_below(dice, NUMBERS);
    struct model_item *known = &model->items[number];
    struct model_item new = {true,
                             dht_random_u32(dice) % 1000,
                             dht_random_below(dice, 3) > 0,
                             dht_random_below(dice, 65),
                             dht_random_below(dice, 1001),
                             dht_random_below(dice, SOURCES),
                             now_us};
    struct dht_item item =
        make_item(number, new.version, new.is_mutable, new.salt_len, new.value_len);
    enum dht_item_store_result expected = DHT_ITEM_STORE_ADDED;
    if (known->present) {
        expected = DHT_ITEM_STORE_REPLACED;
        new.source = known->source;
    } else if (model->of_source[new.source] >= model_limits.per_source_max) {
        expected = DHT_ITEM_STORE_SOURCE_FULL;
    } else if (model->count >= model_limits.items_max) {
        expected = DHT_ITEM_STORE_FULL;
    }
    assert_int_equal(dht_item_store_put(store, now_us, new.source, &item), expected);
    if (expected == DHT_ITEM_STORE_ADDED) {
        model->count++;
        model->of_source[new.source]++;
    }
    if (expected == DHT_ITEM_STORE_ADDED || expected == DHT_ITEM_STORE_REPLACED) {
        *known = new;
    }
}

static void model_find(struct dht_item_store *store, struct model *model, struct dht_random *dice,
                       int64_t now_us)
{
    uint32_t number = (uint32_t)dht_random_below(dice, NUMBERS);
    struct model_item *known = &model->items[number];
    struct dht_item item =
        make_item(number, known->version, known->is_mutable, known->salt_len, known->value_len);
    assert_int_equal(holds(store, &item), known->present);
    if (known->present && dht_random_below(dice, 2) == 0) {
        dht_item_store_refresh(store, now_us, dht_item_store_find(store, &item.target));
        known->refreshed_us = now_us;
    }
}

static void model_expire(struct dht_item_store *store, struct model *model, int64_t now_us)
{
    uint32_t dropped = 0;
    int64_t next_us = INT64_MAX;
    for (uint32_t number = 0; number < NUMBERS; number++) {
        struct model_item *known = &model->items[number];
        int64_t due_us = known->refreshed_us + model_limits.lifetime_us;
        if (known->present && due_us <= now_us) {
            known->present = false;
            model->of_source[known->source]--;
            model->count--;
            dropped++;
        } else if (known->present && due_us < next_us) {
            next_us = due_us;
        }
    }
    assert_int_equal(dht_item_store_expire(store, now_us, UINT32_MAX), dropped);
    assert_int_equal(dht_item_store_next_expiry(store), next_us);
}

static void test_random_operations(void **state)
{
    (void)state;
    static struct model model;
    struct dht_item_store *store = dht_item_store_new(&model_limits, &key);
    struct dht_random dice;
    static const uint8_t seed[32] = "dice of the item store test";
    dht_random_init(&dice, seed);
    int64_t now_us = 0;
    for (int i = 0; i < 40000; i++) {
        // Now fast, now slow, so that the store is by turns full and nearly empty.
        now_us += (int64_t)dht_random_below(&dice, (i / 4000 % 2 ? 40 : 2) * SECOND_US);
        uint64_t what = dht_random_below(&dice, 10);
        if (what < 5) {
            model_put(store, &model, &dice, now_us);
        } else if (what < 9) {
            model_find(store, &model, &dice, now_us);
        } else {
            model_expire(store, &model, now_us);
        }
        assert_int_equal(dht_item_store_count(store), model.count);
        if (i % 50 == 0) {
            dht_item_store_check(store);
        }
    }
    dht_item_store_free(store);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(filler); i++) {
        filler[i] = (uint8_t)(i * 167 >> 3);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_own_view_put_back),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_cost_of_an_item),
        cmocka_unit_test(test_refresh_allocates_nothing),
        cmocka_unit_test(test_memory_short),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
