// SPDX-License-Identifier: MIT
// The closest nodes, against sorting all of them.
#include "dht/id.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "simnet/truth.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES 90
#define K        20

static struct simnet_profile profile;
static struct simnet_world *world;

static struct dht_id id_of(uint32_t machine)
{
    struct dht_info info;
    dht_info(node_engine(simnet_world_machine(world, machine)->node, 0), &info);
    return info.id;
}

static void make(void)
{
    world = simnet_world_new(5);
    simnet_profile_init(&profile);
    simnet_world_internet(world, simnet_latency_constant(20000));
    simnet_population_join(world, &profile, MACHINES, SIMNET_SECOND_US);
    simnet_world_run(world, 10 * SIMNET_SECOND_US);
}

static struct dht_id sort_target;

static int compare(const void *a, const void *b)
{
    return dht_id_compare(&sort_target, a, b);
}

static void the_closest(struct twice *twice)
{
    struct dht_id ids[MACHINES];
    struct simnet_stream stream;
    make();
    simnet_stream_init(&stream, 1, "target", 0);
    struct simnet_truth *truth = simnet_truth_new(world, DHT_IPV4);
    assert_int_equal(MACHINES, simnet_truth_count(truth));
    for (int round = 0; round < 200; round++) {
        struct simnet_truth_node found[K];
        size_t count = 0;
        uint32_t except = round % 2 == 0 ? SIMNET_TRUTH_NOBODY : (uint32_t)(round % MACHINES);
        for (uint32_t i = 0; i < MACHINES; i++)
            if (i != except)
                ids[count++] = id_of(i);
        simnet_stream_bytes(&stream, sort_target.bytes, DHT_ID_LEN);
        if (round % 5 == 0)
            sort_target = ids[(size_t)round % count]; // exactly one's own
        qsort(ids, count, sizeof *ids, compare);
        assert_int_equal(K, simnet_truth_closest(truth, &sort_target, except, K, found));
        for (size_t i = 0; i < K; i++)
            assert_memory_equal(found[i].id.bytes, ids[i].bytes, DHT_ID_LEN);
        struct simnet_truth_lookup lookup = {&sort_target, except, 8};
        assert_true(simnet_truth_recall(truth, &lookup, ids, 8) == 1);
        assert_true(simnet_truth_recall(truth, &lookup, ids + 2, 8) == 0.75);
    }
    simnet_truth_free(truth);
    twice_end(twice, world);
}

static void who_counts(struct twice *twice)
{
    make();
    struct simnet_truth *truth = simnet_truth_new(world, DHT_IPV4);
    struct simnet_truth *other = simnet_truth_new(world, DHT_IPV6);
    assert_int_equal(0, simnet_truth_count(other));
    simnet_machine_crash(simnet_world_machine(world, 1));
    simnet_machine_sleep(simnet_world_machine(world, 2));
    simnet_world_machine(world, 3)->is_honest = false;
    assert_int_equal(MACHINES, simnet_truth_count(truth)); // the picture of before
    simnet_truth_take(truth);
    assert_int_equal(MACHINES - 3, simnet_truth_count(truth));
    struct dht_id zero = {{0}};
    struct simnet_truth_node all[MACHINES];
    assert_int_equal(MACHINES - 3,
                     simnet_truth_closest(truth, &zero, SIMNET_TRUTH_NOBODY, MACHINES, all));
    double density = simnet_truth_density(truth, &zero, 20);
    assert_true(density > MACHINES / 3 && density < MACHINES * 3);
    simnet_truth_free(truth);
    simnet_truth_free(other);
    twice_end(twice, world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(the_closest),
        twice_scenario(who_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
