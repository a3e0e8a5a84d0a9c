// SPDX-License-Identifier: MIT

// The example of docs/simulation.md, as it stands there.

#include "simnet/latency.h"
#include "simnet/population.h"
#include "simnet/probe.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_half_lost(struct twice *twice)
{
    struct simnet_world *world = simnet_world_new(7);
    simnet_world_internet(world, simnet_latency_internet(7));
    struct simnet_profile profile;
    simnet_profile_init(&profile);
    uint32_t first = simnet_population_join(world, &profile, 200, SIMNET_MINUTE_US);
    simnet_world_run(world, 2 * SIMNET_MINUTE_US);

    struct simnet_publisher_habits habits = {0};
    struct simnet_publisher *publisher = simnet_publisher_new(
        simnet_world_machine(world, first + 3), 0, simnet_world_now(world), &habits);
    simnet_world_run(world, 3 * SIMNET_MINUTE_US);

    for (uint32_t i = 100; i < 200; i++)
        simnet_machine_crash(simnet_world_machine(world, first + i));
    struct simnet_probe *probe = simnet_probe_new(world);
    struct simnet_probe_plan plan = {.machine = simnet_world_machine(world, first + 50),
                                     .publisher = publisher,
                                     .wait = CONTROL_WAIT_FIRST};
    simnet_probe_run(probe, &plan);
    simnet_world_run(world, 4 * SIMNET_MINUTE_US);
    assert_int_equal(probe->outcome, SIMNET_PROBE_FOUND);
    twice_end(twice, world);
    simnet_probe_free(probe);
    simnet_publisher_free(publisher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {twice_scenario(test_half_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
