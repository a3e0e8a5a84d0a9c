// SPDX-License-Identifier: MIT
// The roster against plain counts of every hash and depth.
#include "dht/roster.h"

#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define HASHES 24
#define DEPTHS 40

static uint32_t hash_number(uint32_t number)
{
    // Some next to each other and at the end, so that they push each other around it.
    return number < HASHES / 2 ? number << 21 : UINT32_MAX - (number << 21);
}

static uint32_t expected(uint32_t counts[DEPTHS])
{
    uint32_t set = 0;
    for (uint32_t depth = 0; depth < DEPTHS; depth++)
        if (counts[depth] > 0)
            set |= UINT32_C(1) << (depth < DHT_ROSTER_DEEP ? depth : DHT_ROSTER_DEEP);
    return set;
}

static void test_at_random(void **state)
{
    struct dht_roster roster = {0};
    uint32_t counts[HASHES][DEPTHS] = {{0}};
    uint64_t random = 11;
    (void)state;
    for (uint32_t step = 0; step < 20000; step++) {
        uint32_t number = helper_below(&random, HASHES);
        uint32_t depth = helper_below(&random, DEPTHS);
        bool fills = step / 2000 % 2 == 0; // and empties again
        if (helper_below(&random, 4) < (fills ? 3u : 1u)) {
            assert_true(dht_roster_reserve(&roster));
            dht_roster_add(&roster, hash_number(number), depth);
            counts[number][depth]++;
        } else if (counts[number][depth] > 0) {
            dht_roster_remove(&roster, hash_number(number), depth);
            counts[number][depth]--;
        }
        for (uint32_t i = 0; i < HASHES; i++)
            assert_int_equal(dht_roster_find(&roster, hash_number(i)), expected(counts[i]));
    }
    dht_roster_clear(&roster);
}

static void test_names(void **state)
{
    static const struct row {
        const char *name;
        uint32_t set, depth;
        bool named;
    } rows[] = {
        {"none", 0, 3, false},
        {"the one", 1u << 3, 3, true},
        {"its neighbour", 1u << 3, 4, false},
        {"a deep one", 1u << DHT_ROSTER_DEEP, 30, true},
        {"a deeper one", 1u << DHT_ROSTER_DEEP, 159, true},
        {"not deep", 1u << DHT_ROSTER_DEEP, 29, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (dht_roster_names(rows[i].set, rows[i].depth) != rows[i].named)
            fail_msg("%s", rows[i].name);
}

static void test_bounds(void **state)
{
    struct dht_roster roster = {0};
    uint32_t count = 0;
    (void)state;
    assert_int_equal(dht_roster_find(&roster, 1), 0);
    failing_malloc_left = 0;
    assert_false(dht_roster_reserve(&roster));
    failing_malloc_left = -1;
    for (; dht_roster_reserve(&roster); count++)
        dht_roster_add(&roster, count * 2654435761u, 5);
    assert_int_equal(count, 40000);
    assert_int_equal(dht_roster_find(&roster, 17 * 2654435761u), 1u << 5);
    dht_roster_clear(&roster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_random),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
