// SPDX-License-Identifier: MIT
// Several machines with one key: none of them is lost for longer than the time between renewals,
// none stays as a ghost for longer than its lifetime, and no sequence number goes back.
// One thing at a time; test_together_days.c has all at once.
#include "simnet/crew.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/partition.h"
#include "simnet/population.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct scene {
    struct simnet_world *world;
    struct simnet_profile profile;
    struct simnet_element *partition;
    struct simnet_crew *crew;
};

// A network of 80 machines, of which the first `size` begin to publish at the same moment.
static void begin(struct scene *scene, uint32_t size, uint64_t seed)
{
    struct simnet_crew_config config = {.number = 1, .size = size, .observer_count = 3};
    *scene = (struct scene){.world = simnet_world_new(seed)};
    simnet_profile_init(&scene->profile);
    scene->partition = simnet_partition_new(seed);
    simnet_world_internet(scene->world, scene->partition);
    simnet_world_internet(scene->world, simnet_loss_new(seed, 0.02));
    simnet_world_internet(scene->world, simnet_latency_lognormal(seed, 100000, 0.6, 1000));
    simnet_population_join(scene->world, &scene->profile, 80, 20 * SIMNET_SECOND_US);
    simnet_world_run(scene->world, SIMNET_MINUTE_US);
    config.missing_us = scene->profile.node.renew_us + 2 * SIMNET_MINUTE_US;
    config.lifetime_us = scene->profile.node.lifetime_us;
    for (uint32_t i = 0; i < size; i++) {
        config.machines[i] = i;
        config.at_us[i] = simnet_world_now(scene->world) + SIMNET_SECOND_US;
    }
    for (uint32_t i = 0; i < config.observer_count; i++)
        config.observers[i] = 60 + i;
    scene->crew = simnet_crew_new(scene->world, &config);
}

static void pass(struct scene *scene, int64_t span_us)
{
    simnet_world_run(scene->world, simnet_world_now(scene->world) + span_us);
}

// How many entries are found now.
static uint32_t look(struct scene *scene)
{
    uint64_t looks = scene->crew->looks;
    simnet_crew_look(scene->crew);
    pass(scene, 30 * SIMNET_SECOND_US);
    assert_int_equal(scene->crew->looks, looks + 1);
    return simnet_crew_found(scene->crew);
}

static void end(struct scene *scene, struct twice *twice)
{
    uint64_t failures = scene->crew->failures;
    if (failures > 0)
        print_message("%s\n", scene->crew->line);
    simnet_crew_free(scene->crew);
    twice_end(twice, scene->world);
    assert_int_equal(failures, 0);
}

// All of them are in the newest record soon, long before the next renewal.
static void at_the_same_moment(struct twice *twice)
{
    static const struct {
        const char *name;
        uint32_t size;
        int64_t after_us;
    } rows[] = {
        {"two", 2, 20 * SIMNET_SECOND_US},
        {"five", 5, SIMNET_MINUTE_US},
        {"ten", 10, 2 * SIMNET_MINUTE_US},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct scene scene;
            begin(&scene, rows[i].size, seed);
            pass(&scene, rows[i].after_us);
            uint32_t found = look(&scene);
            end(&scene, twice);
            if (found != rows[i].size)
                fail_msg("%s, seed %d: %u were found", rows[i].name, (int)seed, found);
        }
    }
}

// Withdrawing takes out one's own entry, and no other; for good, though the others go on renewing.
static void one_withdraws(struct twice *twice)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct scene scene;
        begin(&scene, 3, seed);
        pass(&scene, 2 * SIMNET_MINUTE_US);
        assert_int_equal(look(&scene), 3);
        struct simnet_publisher *publisher = scene.crew->writers[1].publisher;
        simnet_publisher_withdraw(publisher);
        pass(&scene, SIMNET_MINUTE_US);
        for (int i = 0; i < 5; i++) {
            assert_int_equal(look(&scene), 2);
            assert_int_equal(simnet_crew_version(scene.crew, 1), 0);
            pass(&scene, SIMNET_HOUR_US);
        }
        end(&scene, twice);
    }
}

// All at the same moment, one of them to withdraw: the others lose nothing, and it stays out.
static void one_withdraws_as_all_change(struct twice *twice)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct scene scene;
        begin(&scene, 5, seed);
        pass(&scene, 2 * SIMNET_MINUTE_US);
        for (uint32_t i = 0; i < 4; i++)
            simnet_publisher_change(scene.crew->writers[i].publisher);
        simnet_publisher_withdraw(scene.crew->writers[4].publisher);
        pass(&scene, 3 * SIMNET_MINUTE_US);
        uint32_t found = look(&scene);
        for (uint32_t i = 0; i < 4; i++)
            if (simnet_crew_version(scene.crew, i) != 2)
                fail_msg("seed %d: %u has version %u", (int)seed, i,
                         simnet_crew_version(scene.crew, i));
        assert_int_equal(found, 4);
        end(&scene, twice);
    }
}

// A machine that dies is gone once its lifetime is over; until then nobody can know.
static void one_dies(struct twice *twice)
{
    struct scene scene;
    begin(&scene, 3, 1);
    pass(&scene, 2 * SIMNET_MINUTE_US);
    simnet_crew_note(scene.crew);
    simnet_machine_crash(simnet_world_machine(scene.world, 1));
    int64_t lifetime_us = scene.profile.node.lifetime_us;
    pass(&scene, lifetime_us - 5 * SIMNET_MINUTE_US);
    assert_int_equal(look(&scene), 3);
    pass(&scene, 12 * SIMNET_MINUTE_US);
    assert_int_equal(look(&scene), 2);
    assert_int_equal(simnet_crew_version(scene.crew, 1), 0);
    end(&scene, twice);
}

// Where the network is cut in two, each side has at least its own; and once it is one again, all
// are found no later than their next renewal.
static void each_side_of_a_cut_changes(struct twice *twice)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct scene scene;
        begin(&scene, 4, seed);
        pass(&scene, 2 * SIMNET_MINUTE_US);
        simnet_partition_split(scene.partition, 0.5, SIMNET_PARTITION_BOTH);
        pass(&scene, SIMNET_MINUTE_US);
        for (uint32_t i = 0; i < 4; i++)
            simnet_publisher_change(scene.crew->writers[i].publisher);
        pass(&scene, SIMNET_HOUR_US);
        simnet_partition_heal(scene.partition);
        pass(&scene, scene.profile.node.renew_us + 2 * SIMNET_MINUTE_US);
        look(&scene);
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(simnet_crew_version(scene.crew, i), 2);
        end(&scene, twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(at_the_same_moment),          twice_scenario(one_withdraws),
        twice_scenario(one_withdraws_as_all_change), twice_scenario(one_dies),
        twice_scenario(each_side_of_a_cut_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
