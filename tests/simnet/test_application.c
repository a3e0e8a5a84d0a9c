// SPDX-License-Identifier: MIT
// Publishers that change their minds and resolvers that ask for their names, in a network where all
// is well: everybody finds everything.
#include "simnet/figures.h"
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
    .lookups = 540,
    .resolve_us = SIMNET_MINUTE_US,
    .resolve_over_us = 9 * SIMNET_MINUTE_US,
    .at_random = true,
    .any_wait = true,
    .trace = true,
    .rude_share = 0.2,
    .rude_us = SIMNET_SECOND_US / 10,
    .cut_share = 0.3,
};

// Every other lookup asks for a key that nobody uses.
static void plan_lookups(uint32_t count)
{
    for (uint32_t i = 0; i < 2 * count; i++) {
        struct simnet_application_plan plan = {
            .at_us = simnet_world_now(world) + i * 50000,
            .name = i % 2 == 0 ? i / 2 % PUBLISHERS : SIMNET_APPLICATION_NONE,
            .phase = 1,
            .machine = i % 3 == 0 ? NULL : simnet_world_machine(world, i % MACHINES),
            .wait = CONTROL_WAIT_ALL,
            .key = {(uint8_t)i, 1}};
        simnet_application_plan(application, &plan);
    }
}

static void all_is_found(struct twice *twice)
{
    struct simnet_figures before;
    struct simnet_figures after;
    uint32_t versions = 0;
    uint32_t withdrawals = 0;
    make(1, &busy);
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    simnet_application_calm(application);
    simnet_world_run(world, 12 * SIMNET_MINUTE_US);
    assert_int_equal(PUBLISHERS, simnet_application_begun(application));
    assert_int_equal(0, simnet_application_unsettled(application));
    for (uint32_t i = 0; i < PUBLISHERS; i++) {
        versions += simnet_application_publisher(application, i)->version;
        withdrawals += simnet_application_publisher(application, i)->withdrawals;
    }
    assert_true(versions > 3 * PUBLISHERS && withdrawals > 3);
    // To the end: the newest, or nothing where withdrawn.
    plan_lookups(100);
    assert_int_equal(540 + 200, simnet_application_planned(application));
    simnet_world_run(world, 14 * SIMNET_MINUTE_US);
    assert_int_equal(540 + 200, simnet_application_lookups(application));
    simnet_figures_init(&before, application, 0);
    simnet_figures_init(&after, application, 1);
    assert_int_equal(540, before.lookups);
    assert_true(before.counted > 400 && before.outcomes[SIMNET_PROBE_WITHDRAWN] > 10);
    assert_int_equal(0, before.outcomes[SIMNET_PROBE_WRONG]);
    assert_int_equal(before.lookups - before.counted, before.outcomes[SIMNET_PROBE_DROPPED]);
    for (int i = 1; i < SIMNET_PROBE_MANNERS; i++)
        assert_true(before.manners[i] > 2);
    assert_int_equal(200, after.lookups);
    assert_int_equal(100, after.counted);
    assert_true(after.success == 1);
    assert_int_equal(0, after.stale);
    assert_true(after.first_us.count > 0);
    assert_true(simnet_figures_percentile(&after.first_us, 1) < 3 * SIMNET_SECOND_US);
    assert_true(simnet_figures_percentile(&after.hops, 0.5) >= 1);
    simnet_figures_fini(&before);
    simnet_figures_fini(&after);
    done(twice);
}

// A publisher whose machine crashes in between asks again, until it is told that it was done.
static void crashes_are_survived(struct twice *twice)
{
    make(3, &busy);
    simnet_world_run(world, 40 * SIMNET_SECOND_US);
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

// Whose record nobody can keep asks again ever more seldom, and at once when that is over.
static void failures_grow_apart(struct twice *twice)
{
    make(5, &busy);
    simnet_world_run(world, 40 * SIMNET_SECOND_US);
    struct simnet_publisher *publisher = simnet_application_publisher(application, 0);
    for (uint32_t i = 0; i < MACHINES; i++)
        if (simnet_world_machine(world, i) != publisher->machine)
            simnet_machine_sleep(simnet_world_machine(world, i));
    simnet_world_run(world, simnet_world_now(world) + SIMNET_HOUR_US);
    assert_false(publisher->is_settled);
    assert_in_range(publisher->failed, 10, 70);
    for (uint32_t i = 0; i < MACHINES; i++)
        if (simnet_world_machine(world, i) != publisher->machine)
            simnet_machine_wake(simnet_world_machine(world, i));
    simnet_application_calm(application);
    simnet_world_run(world, simnet_world_now(world) + 2 * SIMNET_MINUTE_US);
    assert_true(publisher->is_settled);
    done(twice);
}

// What a lookup comes to, by what its publisher wanted when it was asked and at its end. Success is
// what docs/simulation.md says it is.
static void one_definition_of_success(void **state)
{
    static const struct row {
        const char *name;
        int outcome;
        bool is_nobodys, counts, is_right;
    } rows[] = {
        {"found", SIMNET_PROBE_FOUND, false, true, true},
        {"withdrawn", SIMNET_PROBE_WITHDRAWN, false, true, true},
        {"not found", SIMNET_PROBE_NOT_FOUND, false, true, false},
        {"timed out", SIMNET_PROBE_TIMED_OUT, false, true, false},
        {"its machine is gone", SIMNET_PROBE_GONE, false, true, false},
        {"refused", SIMNET_PROBE_REFUSED, false, true, false},
        {"wrong", SIMNET_PROBE_WRONG, false, true, false},
        {"nobody was there to ask", SIMNET_APPLICATION_NOBODY, false, true, false},
        {"not over", SIMNET_APPLICATION_WAITING, false, true, false},
        {"dropped by the asker", SIMNET_PROBE_DROPPED, false, false, false},
        {"of a key that nobody uses", SIMNET_PROBE_NOT_FOUND, true, false, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct simnet_application_lookup lookup = {.outcome = (uint8_t)rows[i].outcome,
                                                   .is_nobodys = rows[i].is_nobodys};
        if (simnet_figures_counts(&lookup) != rows[i].counts ||
            simnet_figures_is_right(&lookup) != rows[i].is_right)
            fail_msg("%s", rows[i].name);
    }
}

static void what_is_stale(void **state)
{
    static const struct row {
        const char *name;
        uint32_t acked, version;
        bool was_wanted, was_settled, is_stale;
    } rows[] = {
        {"the newest", 2, 2, true, true, false},
        {"a newer one", 2, 3, true, false, false},
        {"an older one", 2, 1, true, true, true},
        {"what was withdrawn", 2, 2, false, true, true},
        {"what is being withdrawn", 2, 2, false, false, false},
        {"what was withdrawn, and is published again by now", 2, 3, false, true, false},
    };
    const struct simnet_publisher publisher = {.number = 0};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct simnet_probe probe = {.plan = {.publisher = &publisher},
                                     .outcome = SIMNET_PROBE_FOUND,
                                     .acked = rows[i].acked,
                                     .version = rows[i].version,
                                     .was_wanted = rows[i].was_wanted,
                                     .was_settled = rows[i].was_settled};
        if (simnet_probe_is_stale(&probe) != rows[i].is_stale)
            fail_msg("%s", rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(all_is_found),        twice_scenario(crashes_are_survived),
        twice_scenario(failures_grow_apart), cmocka_unit_test(one_definition_of_success),
        cmocka_unit_test(what_is_stale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
