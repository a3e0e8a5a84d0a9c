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

// The i-th closest of n nodes, where all lie evenly.
static void add_even(struct dht_estimate *estimate, double nodes)
{
    uint64_t distances[DHT_ESTIMATE_CLOSEST];
    for (int i = 0; i < DHT_ESTIMATE_CLOSEST; i++)
        distances[i] = (uint64_t)((i + 1) * (18446744073709551616.0 / nodes));
    dht_estimate_add(estimate, distances, DHT_ESTIMATE_CLOSEST);
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
        assert_true(dht_estimate_nodes(&estimate) == 0);
        add_even(&estimate, rows[i].nodes);
        double nodes = dht_estimate_nodes(&estimate);
        if (nodes < rows[i].nodes * 0.999 || nodes > rows[i].nodes * 1.001)
            fail_msg("%s: %f", rows[i].name, nodes);
    }
}

static void test_too_few(void **state)
{
    struct dht_estimate estimate = {0};
    uint64_t distances[DHT_ESTIMATE_CLOSEST] = {1, 2, 3};
    (void)state;
    dht_estimate_add(&estimate, distances, DHT_ESTIMATE_CLOSEST - 1);
    dht_estimate_add(&estimate, distances, 0);
    assert_int_equal(estimate.count, 0);
    assert_true(dht_estimate_nodes(&estimate) == 0);
}

// The last 16 lookups count, as distances.
static void test_window(void **state)
{
    struct dht_estimate estimate = {0};
    (void)state;
    for (int i = 0; i < 5; i++)
        add_even(&estimate, 100);
    for (int i = 0; i < DHT_ESTIMATE_LOOKUPS; i++)
        add_even(&estimate, 5000);
    assert_int_equal(estimate.count, DHT_ESTIMATE_LOOKUPS);
    assert_true(dht_estimate_nodes(&estimate) > 4990 && dht_estimate_nodes(&estimate) < 5010);
}

// Ids at random: within a third of the truth after 16 lookups.
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
        dht_estimate_add(&estimate, closest, DHT_ESTIMATE_CLOSEST);
    }
    double found = dht_estimate_nodes(&estimate);
    assert_true(found > nodes * 0.67 && found < nodes * 1.33);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_even),
        cmocka_unit_test(test_too_few),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
