// SPDX-License-Identifier: MIT
// Machines that come and go: the distributions of their times, a population that keeps its size,
// and networks of brains that live through it.
#include "simnet/churn.h"
#include "simnet/host.h"
#include "simnet/latency.h"
#include "tests/simnet/twice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define DRAWS 100001

struct time_row {
    const char *name;
    double shape;
    double median;        // of what is left of a time of scale 1 that is under way,
    double mean;          // and its mean: the second moment over twice the first
    double mean_of_whole; // and the mean of a whole one
};

// Of shape 1, the exponential distribution, what is left is like a whole. For the others the mean
// is by gamma(1 + 2/k) / (2 gamma(1 + 1/k)), and the median by the equilibrium distribution's
// formula.
static const struct time_row time_rows[] = {
    {"exponential", 1, 0.6931, 1, 1},
    {"shape 0.5", 0.5, 2.817, 6, 2},
    {"shape 2", 2, 0.4769, 0.5642, 0.8862},
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void what_is_left_of_a_time(void **state)
{
    (void)state;
    static double drawn[DRAWS];
    for (size_t r = 0; r < sizeof time_rows / sizeof *time_rows; r++) {
        const struct time_row *row = &time_rows[r];
        struct simnet_stream stream;
        double sum = 0;
        double whole = 0;
        simnet_stream_init(&stream, 1, "test", r);
        for (int i = 0; i < DRAWS; i++) {
            sum += drawn[i] = simnet_churn_residual(&stream, row->shape, 1);
            whole += simnet_stream_weibull(&stream, row->shape, 1);
        }
        qsort(drawn, DRAWS, sizeof *drawn, compare);
        double median = drawn[DRAWS / 2];
        if (fabs(sum / DRAWS / row->mean - 1) > 0.03 || fabs(median / row->median - 1) > 0.03 ||
            fabs(whole / DRAWS / row->mean_of_whole - 1) > 0.03)
            fail_msg("%s: mean %g, median %g, whole %g", row->name, sum / DRAWS, median,
                     whole / DRAWS);
    }
    assert_true(fabs(simnet_churn_scale(0.5, 60) - 60 / 0.480453) < 0.01);
}

// ---- machines without a brain ----

static void hear(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    (void)actor;
    (void)world;
    (void)machine;
    (void)datagram;
    (void)engine;
}

static const struct simnet_actor_class idle_class = {"idle", hear, NULL, NULL, NULL};
static struct simnet_actor idle = {&idle_class};

static struct simnet_profile profile;

#define HOLLOW 10000

// A world of machines that do nothing, all up.
static struct simnet_world *make_hollow(uint64_t seed)
{
    struct simnet_world *world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    for (uint32_t i = 0; i < HOLLOW; i++) {
        struct dht_addr addr = simnet_population_ipv4(seed, i);
        struct simnet_machine *machine = simnet_world_add(world, &profile, &addr, 1, NULL);
        machine->actor = &idle;
        simnet_machine_start(machine, NULL, 0);
    }
    return world;
}

static struct simnet_churn *begin_hollow(struct simnet_world *world,
                                         const struct simnet_churn_config *config)
{
    struct simnet_churn *churn = simnet_churn_new(world, config, 0, HOLLOW);
    uint32_t first;
    uint32_t added = simnet_churn_added(churn, &first);
    for (uint32_t i = 0; i < added; i++)
        simnet_world_machine(world, first + i)->actor = &idle;
    return churn;
}

// The size stays, and so does the rate at which machines leave: it began in the steady state.
static void a_population_keeps_its_size(struct twice *twice)
{
    struct simnet_world *world = make_hollow(1);
    struct simnet_churn_config config;
    simnet_churn_config_init(&config);
    struct simnet_churn *churn = begin_hollow(world, &config);
    uint32_t first;
    // Away for 10 of 60 + 10 minutes.
    assert_in_range(simnet_churn_added(churn, &first), HOLLOW / 6 - 1, HOLLOW / 6 + 1);
    uint64_t left = 0;
    for (int hour = 1; hour <= 24; hour++) {
        simnet_world_run(world, SIMNET_START_US + hour * SIMNET_HOUR_US);
        const struct simnet_churn_counters *counters = simnet_churn_counters(churn);
        uint64_t leaves = counters->stopped + counters->crashed - left;
        left += leaves;
        assert_in_range(simnet_churn_up(churn), HOLLOW * 98 / 100, HOLLOW * 102 / 100);
        // The mean session is 250 min: 60 of 250 leave in an hour.
        assert_in_range(leaves, 2100, 2700);
        assert_in_range(counters->crashed * 100 / left, 45, 55);
    }
    assert_in_range(left, 56000, 59200);
    assert_true(simnet_world_counters(world)->events < 150000);
    twice_end(twice, world);
    simnet_churn_free(churn);
}

static void shares_are_kept(struct twice *twice)
{
    struct simnet_world *world = make_hollow(2);
    struct simnet_churn_config config;
    simnet_churn_config_init(&config);
    config.crash_share = 0.25;
    config.fresh_share = 0.2;
    config.moved_share = 0.3;
    struct simnet_churn *churn = begin_hollow(world, &config);
    struct dht_addr before = simnet_world_machine(world, 7)->addrs[0];
    simnet_churn_exempt(churn, 7);
    simnet_world_run(world, 4 * SIMNET_HOUR_US);
    const struct simnet_churn_counters *counters = simnet_churn_counters(churn);
    uint64_t left = counters->stopped + counters->crashed;
    uint64_t returned = counters->returned + counters->moved + counters->fresh;
    assert_in_range(counters->crashed * 1000 / left, 235, 265);
    assert_in_range(counters->fresh * 1000 / returned, 185, 215);
    assert_in_range(counters->moved * 1000 / returned, 280, 320);
    assert_int_equal(1, simnet_world_machine(world, 7)->starts);
    uint32_t elsewhere = 0;
    for (uint32_t i = 0; i < HOLLOW; i++) {
        struct dht_addr was = simnet_population_ipv4(2, i);
        const struct simnet_machine *machine = simnet_world_machine(world, i);
        assert_memory_equal(was.ip, machine->addrs[0].ip, 2); // the same provider
        assert_ptr_equal(machine, simnet_world_find(world, &machine->addrs[0]));
        elsewhere += was.port != machine->addrs[0].port;
    }
    assert_in_range(elsewhere, 1000, 6000);
    assert_int_equal(before.port, simnet_world_machine(world, 7)->addrs[0].port);
    simnet_churn_calm(churn);
    uint64_t calm = counters->stopped + counters->crashed;
    simnet_world_run(world, 200 * SIMNET_HOUR_US);
    assert_int_equal(calm, counters->stopped + counters->crashed);
    assert_in_range(simnet_churn_up(churn), HOLLOW * 115 / 100, HOLLOW * 117 / 100);
    twice_end(twice, world);
    simnet_churn_free(churn);
}

struct loss_row {
    const char *name;
    struct simnet_churn_loss loss;
    bool churns;
    uint32_t at, half, after, back; // percent up: at 10 min, half a second and 2 s later, an hour
};

static const struct loss_row loss_rows[] = {
    {"a third at once", {.share = 0.33}, false, 67, 67, 67, 67},
    {"within a second", {.share = 0.33, .over_us = SIMNET_SECOND_US}, false, 100, 84, 67, 67},
    {"and back",
     {.share = 0.5, .in_order = true, .back_us = 30 * SIMNET_MINUTE_US, .back_over_us = 60000000},
     false,
     50,
     50,
     50,
     100},
    {"under churn, and back",
     {.share = 0.5, .back_us = 30 * SIMNET_MINUTE_US, .back_over_us = 60000000},
     true,
     50,
     50,
     50,
     100},
};

static void expect_up(const struct loss_row *row, const struct simnet_churn *churn,
                      uint32_t percent)
{
    double share = simnet_churn_up(churn) * 100.0 / HOLLOW;
    if (fabs(share - percent) > 2)
        fail_msg("%s: %g percent up, not %u", row->name, share, (unsigned)percent);
}

static void many_go_at_once(struct twice *twice)
{
    for (size_t i = 0; i < sizeof loss_rows / sizeof *loss_rows; i++) {
        const struct loss_row *row = &loss_rows[i];
        struct simnet_world *world = make_hollow(3);
        struct simnet_churn_config config;
        struct simnet_churn_loss loss = row->loss;
        simnet_churn_config_init(&config);
        config.session_median_us = row->churns ? config.session_median_us : 0;
        struct simnet_churn *churn = begin_hollow(world, &config);
        loss.at_us = 10 * SIMNET_MINUTE_US;
        simnet_churn_lose(churn, &loss);
        simnet_world_run(world, loss.at_us - 1);
        expect_up(row, churn, 100);
        simnet_world_run(world, loss.at_us);
        expect_up(row, churn, row->at);
        simnet_world_run(world, loss.at_us + SIMNET_SECOND_US / 2);
        expect_up(row, churn, row->half);
        simnet_world_run(world, loss.at_us + 2 * SIMNET_SECOND_US);
        expect_up(row, churn, row->after);
        simnet_world_run(world, SIMNET_HOUR_US);
        expect_up(row, churn, row->back);
        twice_end(twice, world);
        simnet_churn_free(churn);
    }
}

// ---- brains ----

#define BRAINS 100

struct outcome {
    uint64_t hash;
    uint32_t up, joined;
    uint64_t left;
};

// An hour and a half of fast churn.
static struct outcome churn_brains(struct twice *twice, uint64_t seed)
{
    struct simnet_world *world = simnet_world_new(seed);
    struct simnet_churn_config config;
    struct simnet_disk_config disk;
    simnet_profile_init(&profile);
    simnet_disk_config_init(&disk);
    profile.disk = &disk;
    profile.node.snapshot_us = 5 * SIMNET_MINUTE_US;
    simnet_world_internet(world, simnet_latency_lognormal(seed, 100000, 0.6, 1000));
    simnet_population_join(world, &profile, BRAINS, 10 * SIMNET_SECOND_US);
    simnet_world_run(world, SIMNET_MINUTE_US);
    simnet_churn_config_init(&config);
    config.session_median_us = 10.0 * (double)SIMNET_MINUTE_US;
    config.fresh_share = 0.2;
    config.moved_share = 0.2;
    config.dead_share = 0.2;
    struct simnet_churn *churn = simnet_churn_new(world, &config, 0, BRAINS);
    simnet_world_run(world, 90 * SIMNET_MINUTE_US);
    struct outcome outcome = {simnet_world_hash(world), simnet_churn_up(churn), 0, 0};
    for (uint32_t i = 0; i < simnet_world_machines(world); i++) {
        const struct simnet_machine *machine = simnet_world_machine(world, i);
        struct dht_info info;
        if (machine->node == NULL)
            continue;
        dht_info(node_engine(machine->node, 0), &info);
        outcome.joined += info.joined;
    }
    outcome.left = simnet_churn_counters(churn)->stopped + simnet_churn_counters(churn)->crashed;
    twice_end(twice, world);
    simnet_churn_free(churn);
    profile.disk = NULL;
    return outcome;
}

static void a_network_lives_through_it(struct twice *twice)
{
    struct outcome once = churn_brains(twice, 1);
    struct outcome other = churn_brains(twice, 2);
    assert_true(once.hash != other.hash);
    assert_in_range(once.up, BRAINS * 8 / 10, BRAINS * 12 / 10);
    assert_in_range(once.left, 150, 400);
    assert_true(once.joined >= once.up * 97 / 100);
    assert_true(other.joined >= other.up * 97 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_of_a_time),
        twice_scenario(a_population_keeps_its_size),
        twice_scenario(shares_are_kept),
        twice_scenario(many_go_at_once),
        twice_scenario(a_network_lives_through_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
