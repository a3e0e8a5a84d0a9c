// SPDX-License-Identifier: MIT
// Networks of real brains: they join, the same seed gives the same trace, and two worlds in one
// process do not touch each other.
#include "simnet/latency.h"
#include "simnet/population.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES 60

static struct simnet_profile profile;

static struct simnet_world *make(uint64_t seed)
{
    struct simnet_world *world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    simnet_world_internet(world, simnet_latency_lognormal(seed, 100000, 0.6, 1000));
    simnet_population_join(world, &profile, MACHINES, 10 * SIMNET_SECOND_US);
    return world;
}

static uint64_t hash_at(struct simnet_world *world, int64_t at_us)
{
    simnet_world_run(world, at_us);
    return simnet_world_hash(world);
}

static void all_join(struct twice *twice)
{
    struct simnet_world *world = make(1);
    simnet_world_run(world, SIMNET_MINUTE_US);
    for (uint32_t i = 0; i < MACHINES; i++) {
        struct dht_info info;
        dht_info(node_engine(simnet_world_machine(world, i)->node, 0), &info);
        assert_true(info.joined);
        assert_true(info.contacts >= 8);
    }
    assert_int_equal(0, simnet_world_counters(world)->nobody);
    twice_end(twice, world);
}

static void a_seed_is_a_trace(void **state)
{
    (void)state;
    struct simnet_world *once = make(1);
    struct simnet_world *again = make(1);
    struct simnet_world *other = make(2);
    uint64_t hash = hash_at(once, SIMNET_MINUTE_US);
    assert_true(hash == hash_at(again, SIMNET_MINUTE_US));
    assert_true(hash != hash_at(other, SIMNET_MINUTE_US));
    simnet_world_free(once);
    simnet_world_free(again);
    simnet_world_free(other);
}

static void worlds_do_not_touch(void **state)
{
    (void)state;
    struct simnet_world *alone = make(1);
    uint64_t hash = hash_at(alone, SIMNET_MINUTE_US);
    simnet_world_free(alone);
    struct simnet_world *one = make(1);
    struct simnet_world *two = make(2);
    // In turns, in steps that are not the same.
    for (int64_t at_us = SIMNET_START_US; at_us < SIMNET_MINUTE_US; at_us += 1234567) {
        simnet_world_run(one, at_us);
        simnet_world_run(two, 2 * at_us);
    }
    assert_true(hash == hash_at(one, SIMNET_MINUTE_US));
    simnet_world_free(one);
    simnet_world_free(two);
}

// A crash takes what was under way with it, and nobody else down.
static void a_crash_is_survived(struct twice *twice)
{
    struct simnet_world *world = make(3);
    simnet_world_run(world, 20 * SIMNET_SECOND_US);
    for (uint32_t i = 0; i < MACHINES; i += 3)
        simnet_machine_crash(simnet_world_machine(world, i));
    // By then everybody has looked after its contacts.
    simnet_world_run(world, 40 * SIMNET_MINUTE_US);
    assert_true(simnet_world_counters(world)->nobody > 0);
    uint32_t known[] = {1};
    for (uint32_t i = 0; i < MACHINES; i += 3)
        simnet_machine_start(simnet_world_machine(world, i), known, 1);
    simnet_world_run(world, 42 * SIMNET_MINUTE_US);
    for (uint32_t i = 0; i < MACHINES; i++) {
        struct dht_info info;
        dht_info(node_engine(simnet_world_machine(world, i)->node, 0), &info);
        assert_true(info.joined);
    }
    twice_end(twice, world);
}

static uint32_t known_by(const struct simnet_world *world, const struct dht_id *id)
{
    static struct dht_contact_info contacts[MACHINES * 2];
    uint32_t count = 0;
    for (uint32_t i = 0; i < MACHINES; i++) {
        struct dht *dht = node_engine(simnet_world_machine(world, i)->node, 0);
        size_t known = dht_contacts(dht, contacts, MACHINES * 2);
        for (size_t k = 0; k < known; k++)
            count += memcmp(contacts[k].id.bytes, id->bytes, DHT_ID_LEN) == 0;
    }
    return count;
}

// At another address a node is read-only at first, with another id. Its neighbours hear of it as
// soon as it knows that it can be reached, and ask it back after 90 seconds.
static void who_moves_is_found(struct twice *twice)
{
    for (uint64_t seed = 1; seed < 6; seed++) {
        struct simnet_world *world = make(seed);
        simnet_world_run(world, SIMNET_MINUTE_US);
        struct simnet_machine *machine = simnet_world_machine(world, 7);
        struct dht_addr addr = simnet_population_ipv4(seed, 1000);
        struct dht_info before;
        struct dht_info info;
        dht_info(node_engine(machine->node, 0), &before);
        simnet_machine_move(machine, 0, &addr);
        do {
            simnet_world_run(world, simnet_world_now(world) + SIMNET_SECOND_US);
            dht_info(node_engine(machine->node, 0), &info);
        } while (memcmp(info.id.bytes, before.id.bytes, DHT_ID_LEN) == 0 ||
                 info.role != DHT_ROLE_SERVER);
        simnet_world_run(world, simnet_world_now(world) + 2 * SIMNET_MINUTE_US);
        uint32_t known = known_by(world, &info.id);
        if (known < 8)
            fail_msg("seed %llu: known by %u", (unsigned long long)seed, known);
        twice_end(twice, world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(all_join),
        cmocka_unit_test(a_seed_is_a_trace),
        cmocka_unit_test(worlds_do_not_touch),
        twice_scenario(a_crash_is_survived),
        twice_scenario(who_moves_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
