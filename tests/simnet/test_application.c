// SPDX-License-Identifier: MIT
// Publishers that change their minds and resolvers that ask for their names, in a network where all
// is well: everybody finds everything.
#include "simnet/application.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MACHINES   60
#define PUBLISHERS 6

static struct simnet_profile profile;
static struct simnet_world *world;
static struct simnet_application *application;

static void make(uint64_t seed, const struct simnet_application_config *config)
{
    world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    simnet_world_internet(world, simnet_latency_lognormal(seed, 100000, 0.5, 1000));
    simnet_population_join(world, &profile, MACHINES, 5 * SIMNET_SECOND_US);
    application = simnet_application_new(world, config);
}

static void done(struct twice *twice)
{
    twice_end(twice, world);
    simnet_application_free(application);
}

static const struct simnet_application_config busy = {
    .count = MACHINES,
    .publishers = PUBLISHERS,
    .publish_us = 20 * SIMNET_SECOND_US,
    .publish_over_us = 10 * SIMNET_SECOND_US,
    .habits = {.change_us = 100 * SIMNET_SECOND_US, .withdraw_share = 0.3, .rude_share = 0.2},
    .resolves_per_second = 1,
    .resolve_us = SIMNET_MINUTE_US,
    .any_wait = true,
    .trace = true,
    .rude_share = 0.2,
    .cut_share = 0.3,
};

static void all_is_found(struct twice *twice)
{
    make(1, &busy);
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    simnet_application_calm(application);
    simnet_world_run(world, 12 * SIMNET_MINUTE_US);
    assert_int_equal(0, simnet_application_unsettled(application));
    uint32_t versions = 0;
    for (uint32_t i = 0; i < PUBLISHERS; i++)
        versions += simnet_application_publisher(application, i)->version;
    assert_true(versions > 3 * PUBLISHERS);
    // From a machine that asks the network, to the end: the newest, or nothing where withdrawn.
    simnet_application_phase(application, 1);
    for (uint32_t i = 0; i < 200; i++) {
        struct simnet_probe_plan plan = {
            .machine = simnet_world_machine(world, i % MACHINES),
            .publisher = simnet_application_publisher(application, i % PUBLISHERS),
            .wait = CONTROL_WAIT_ALL};
        simnet_application_probe(application, simnet_world_now(world) + i * 100000, &plan);
    }
    simnet_world_run(world, 14 * SIMNET_MINUTE_US);
    const struct simnet_application_figures *before = simnet_application_figures(application, 0);
    const struct simnet_application_figures *after = simnet_application_figures(application, 1);
    assert_true(simnet_application_tries(before) > 200);
    assert_int_equal(0, before->outcomes[SIMNET_PROBE_WRONG]);
    assert_true(before->outcomes[SIMNET_PROBE_DROPPED] > 10);
    assert_true(simnet_application_tries(after) > 20);
    assert_true(simnet_application_success(after) == 1);
    assert_int_equal(0, after->stale);
    assert_int_equal(0, after->outcomes[SIMNET_PROBE_GONE]);
    assert_true(after->first_us.count > 0 && after->first_us.max < 3 * SIMNET_SECOND_US);
    assert_true(simnet_tally_percentile(&after->first_hops, 0.5) >= 1);
    done(twice);
}

// A publisher whose machine crashes in between asks again, until it is told that it was done.
static void crashes_are_survived(struct twice *twice)
{
    make(3, &busy);
    struct simnet_machine *machine = simnet_application_publisher(application, 0)->machine;
    uint32_t known[] = {0, 1, 2};
    for (int64_t minute = 1; minute < 6; minute++) {
        simnet_world_run(world, minute * SIMNET_MINUTE_US + minute * 7777777);
        simnet_machine_crash(machine);
        simnet_world_run(world, simnet_world_now(world) + 10 * SIMNET_SECOND_US);
        simnet_machine_start(machine, known, 3);
    }
    simnet_application_calm(application);
    simnet_world_run(world, 8 * SIMNET_MINUTE_US);
    assert_int_equal(0, simnet_application_unsettled(application));
    done(twice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(all_is_found),
        twice_scenario(crashes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
