// SPDX-License-Identifier: MIT
// The size of the network, from the distances of closest nodes.
#include "dht/estimate.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

// The i-th closest of n nodes, where all lie evenly; the target begins with that byte.
static void add_even(struct dht_estimate *estimate, double nodes, int first, uint32_t now_s)
{
    struct dht_id target = {{(uint8_t)first}};
    uint64_t distances[DHT_ESTIMATE_CLOSEST];
    for (int i = 0; i < DHT_ESTIMATE_CLOSEST; i++)
        distances[i] = (uint64_t)((i + 1) * (18446744073709551616.0 / nodes));
    dht_estimate_add(estimate, &target, distances, now_s);
}

static void test_even(void **state)
{
    static const struct row {
        const char *name;
        double nodes;
    } rows[] = {{"twenty", 20}, {"thousand", 1000}, {"ten million", 1e7}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_estimate estimate = {0};
        assert_true(dht_estimate_nodes(&estimate, 100) == 0);
        add_even(&estimate, rows[i].nodes, 1, 100);
        double nodes = dht_estimate_nodes(&estimate, 100);
        if (nodes < rows[i].nodes * 0.999 || nodes > rows[i].nodes * 1.001)
            fail_msg("%s: %f", rows[i].name, nodes);
    }
}

// The last DHT_ESTIMATE_LOOKUPS count.
static void test_window(void **state)
{
    struct dht_estimate estimate = {0};
    (void)state;
    for (int i = 0; i < 5; i++)
        add_even(&estimate, 100, i, 100);
    for (int i = 0; i < DHT_ESTIMATE_LOOKUPS; i++)
        add_even(&estimate, 5000, 10 + i, 100);
    assert_int_equal(estimate.count, DHT_ESTIMATE_LOOKUPS);
    assert_true(dht_estimate_nodes(&estimate, 100) > 4990 &&
                dht_estimate_nodes(&estimate, 100) < 5010);
}

// Lookups as letters: a small network seen long ago, L large lately, c crowded by an attacker, p
// the same target crowded again. The engine is 1,000 seconds old.
static const struct crowd_row {
    const char *name;
    const char *lookups;
    double nodes;
    uint32_t doubt;
} crowd_rows[] = {
    {"nothing", "", 0, 0},
    {"three", "LLL", 5000, 0},
    {"four", "LLLL", 5000, DHT_ESTIMATE_DOUBT},
    {"crowded twice of five", "LLLcc", 5000, DHT_ESTIMATE_DOUBT_MOST},
    {"one target, again and again", "LLLLpppppppp", 5000, DHT_ESTIMATE_DOUBT},
    {"the past, where there is nothing else", "aaaaa", 100, DHT_ESTIMATE_DOUBT},
    {"the past gives way", "aaaaaaaLLLL", 5000, DHT_ESTIMATE_DOUBT},
    {"not to fewer than four", "aaaaaaaLLL", 100, DHT_ESTIMATE_DOUBT_MOST},
};

static void test_crowds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof crowd_rows / sizeof crowd_rows[0]; i++) {
        const struct crowd_row *row = &crowd_rows[i];
        struct dht_estimate estimate = {0};
        for (int at = 0; row->lookups[at] != '\0'; at++) {
            char kind = row->lookups[at];
            double nodes = kind == 'a' ? 100 : kind == 'L' ? 5000 : 1e9;
            add_even(&estimate, nodes, kind == 'p' ? 255 : at, kind == 'a' ? 10 : 900);
        }
        double found = dht_estimate_nodes(&estimate, 1000);
        if (found < row->nodes * 0.999 || found > row->nodes * 1.001 ||
            dht_estimate_doubt(&estimate, 1000) != row->doubt)
            fail_msg("%s: %f", row->name, found);
    }
}

// Ids at random: within a third of the truth after 12 lookups.
static void test_random(void **state)
{
    struct dht_estimate estimate = {0};
    uint64_t random = 9;
    const int nodes = 4000;
    (void)state;
    for (int lookup = 0; lookup < DHT_ESTIMATE_LOOKUPS; lookup++) {
        uint64_t closest[DHT_ESTIMATE_CLOSEST];
        memset(closest, 0xff, sizeof closest);
        for (int i = 0; i < nodes; i++) {
            uint64_t distance = helper_random(&random);
            size_t at = DHT_ESTIMATE_CLOSEST;
            while (at > 0 && closest[at - 1] > distance) {
                if (at < DHT_ESTIMATE_CLOSEST)
                    closest[at] = closest[at - 1];
                at--;
            }
            if (at < DHT_ESTIMATE_CLOSEST)
                closest[at] = distance;
        }
        struct dht_id target = {{(uint8_t)lookup}};
        dht_estimate_add(&estimate, &target, closest, 100);
    }
    double found = dht_estimate_nodes(&estimate, 100);
    assert_true(found > nodes * 0.67 && found < nodes * 1.33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_crowds),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
