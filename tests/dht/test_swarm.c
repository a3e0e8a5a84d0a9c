// SPDX-License-Identifier: MIT
#include "dht/swarm.h"

#include "dht/random.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COMPACT_MAX 18

static const struct dht_swarm_kind kinds[] = {{{1, 2}, 6}, {{3, 4}, 18}};

static void make_compact(const struct dht_swarm_kind *kind, uint32_t number,
                         uint8_t ret_compact[COMPACT_MAX])
{
    memset(ret_compact, 0xaa, COMPACT_MAX);
    memcpy(ret_compact + kind->compact_len - sizeof(number), &number, sizeof(number));
}

static uint32_t number_at(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                          uint32_t position, bool *ret_is_seed)
{
    uint32_t number;
    const uint8_t *compact = dht_swarm_peer(kind, swarm, position, ret_is_seed);
    memcpy(&number, compact + kind->compact_len - sizeof(number), sizeof(number));
    return number;
}

static void test_times_and_seeds(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN / 4, -1, 0, 1, 2, INT64_MAX / 4};
    uint8_t compact[COMPACT_MAX];
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        for (int seed = 0; seed < 2; seed++) {
            struct dht_swarm swarm = {0};
            make_compact(&kinds[0], 1, compact);
            assert_true(dht_swarm_add(&kinds[0], &swarm, times[i], compact, seed));
            bool is_seed = false;
            assert_int_equal(number_at(&kinds[0], &swarm, 0, &is_seed), 1);
            assert_int_equal(is_seed, seed);
            assert_true(dht_swarm_oldest_us(&kinds[0], &swarm) == times[i]);
            assert_true(dht_swarm_refresh(&kinds[0], &swarm, times[i] + 1, compact, !seed));
            assert_true(dht_swarm_oldest_us(&kinds[0], &swarm) == times[i] + 1);
            dht_swarm_clear(&swarm);
        }
    }
}

static void test_largest(void **state)
{
    (void)state;
    struct dht_swarm swarm = {0};
    uint8_t compact[COMPACT_MAX];
    for (uint32_t i = 0; i < DHT_SWARM_PEERS_MAX; i++) {
        make_compact(&kinds[0], i, compact);
        assert_true(dht_swarm_add(&kinds[0], &swarm, i, compact, false));
    }
    dht_swarm_check(&kinds[0], &swarm);
    for (uint32_t i = 0; i < DHT_SWARM_PEERS_MAX; i++) {
        assert_true(dht_swarm_oldest_us(&kinds[0], &swarm) == i);
        dht_swarm_drop_oldest(&kinds[0], &swarm);
    }
    assert_int_equal(swarm.count, 0);
    assert_true(swarm.capacity <= 8 && swarm.index.capacity == 0); // memory was given back
    dht_swarm_clear(&swarm);
}

static void test_memory_short(void **state)
{
    (void)state;
    struct dht_swarm swarm = {0};
    uint8_t compact[COMPACT_MAX];
    for (uint32_t i = 0; i < 100; i++) {
        make_compact(&kinds[1], i, compact);
        bool added = false;
        for (long left = 0; !added; left++) {
            failing_malloc_left = left;
            added = dht_swarm_add(&kinds[1], &swarm, i, compact, false);
            failing_malloc_left = -1;
            assert_int_equal(swarm.count, i + added);
            dht_swarm_check(&kinds[1], &swarm);
        }
    }
    failing_malloc_left = 0;
    while (swarm.count > 0) {
        dht_swarm_drop_oldest(&kinds[1], &swarm);
        dht_swarm_check(&kinds[1], &swarm);
    }
    failing_malloc_left = -1;
    dht_swarm_clear(&swarm);
}

// ---- random operations against an array ----

#define NUMBERS 60

struct model {
    int64_t refreshed_us[NUMBERS]; // -1: absent
    bool is_seed[NUMBERS];
    uint32_t count;
};

static uint32_t oldest_of(const struct model *model)
{
    uint32_t oldest = NUMBERS;
    for (uint32_t i = 0; i < NUMBERS; i++) {
        if (model->refreshed_us[i] >= 0 &&
            (oldest == NUMBERS || model->refreshed_us[i] < model->refreshed_us[oldest])) {
            oldest = i;
        }
    }
    return oldest;
}

static void compare(const struct dht_swarm_kind *kind, const struct dht_swarm *swarm,
                    const struct model *model)
{
    assert_int_equal(swarm->count, model->count);
    for (uint32_t position = 0; position < swarm->count; position++) {
        bool is_seed = false;
        uint32_t number = number_at(kind, swarm, position, &is_seed);
        assert_true(number < NUMBERS && model->refreshed_us[number] >= 0);
        assert_int_equal(is_seed, model->is_seed[number]);
    }
    dht_swarm_check(kind, swarm);
}

static void test_random_operations(void **state)
{
    (void)state;
    struct dht_random dice;
    static const uint8_t seed[32] = "dice of the swarm test";
    dht_random_init(&dice, seed);
    for (size_t k = 0; k < 2; k++) {
        const struct dht_swarm_kind *kind = &kinds[k];
        struct dht_swarm swarm = {0};
        struct model model = {.count = 0};
        memset(model.refreshed_us, 0xff, sizeof(model.refreshed_us));
        for (int64_t now_us = 0; now_us < 20000; now_us++) {
            uint8_t compact[COMPACT_MAX];
            uint32_t number = (uint32_t)dht_random_below(&dice, NUMBERS);
            make_compact(kind, number, compact);
            bool is_seed = dht_random_below(&dice, 2);
            if (dht_random_below(&dice, 10) < (now_us / 1000 % 2 ? 7 : 4)) {
                bool known = model.refreshed_us[number] >= 0;
                assert_int_equal(dht_swarm_refresh(kind, &swarm, now_us, compact, is_seed), known);
                assert_true(known || dht_swarm_add(kind, &swarm, now_us, compact, is_seed));
                model.count += !known;
                model.refreshed_us[number] = now_us;
                model.is_seed[number] = is_seed;
            } else if (model.count > 0) {
                uint32_t oldest = oldest_of(&model);
                assert_true(dht_swarm_oldest_us(kind, &swarm) == model.refreshed_us[oldest]);
                dht_swarm_drop_oldest(kind, &swarm);
                model.refreshed_us[oldest] = -1;
                model.count--;
            }
            compare(kind, &swarm, &model);
        }
        dht_swarm_clear(&swarm);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times_and_seeds),
        cmocka_unit_test(test_largest),
        cmocka_unit_test(test_memory_short),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
