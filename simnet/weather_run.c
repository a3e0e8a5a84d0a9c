// SPDX-License-Identifier: MIT
// A run of weather: makes the network, lets the faults come and go, and asks the checkers.
#include "simnet/weather_part.h"

#include "simnet/burst.h"
#include "simnet/duplicate.h"
#include "simnet/figures.h"
#include "simnet/host.h"
#include "simnet/jitter.h"
#include "simnet/latency.h"
#include "simnet/league.h"
#include "simnet/loss.h"
#include "simnet/mtu.h"
#include "simnet/nat.h"
#include "simnet/population.h"
#include "simnet/reorder.h"

#include <string.h>

#define JOIN_US       (5 * SIMNET_SECOND_US)
#define WARM_UP_US    (20 * SIMNET_SECOND_US)
#define PUBLISH_US    (15 * SIMNET_SECOND_US)
#define RENEW_US      (4 * SIMNET_MINUTE_US)
#define LAST_US       SIMNET_MINUTE_US // of the healed lookups
#define PROBES        3                // of each name
#define NOBODYS       6                // lookups of keys that nobody uses
#define FRAGMENT_LOSS 0.2
#define LATER_US      50000
#define HELD_US       150000
#define BURST_GOOD_US (20 * SIMNET_SECOND_US)
#define SLOW_SYNC_US  30000
#define NAT_KINDS     4
#define CLOCK_SHARE   2 // every so many-th machine has a clock of its own

// ---- making ----

static struct simnet_element *latency(const struct simnet_weather *weather)
{
    switch (weather->latency) {
    case SIMNET_WEATHER_CONSTANT:
        return simnet_latency_constant(weather->rtt_us / 2);
    case SIMNET_WEATHER_LOGNORMAL:
        return simnet_latency_lognormal(weather->seed, weather->rtt_us, 0.6, 1000);
    default:
        return simnet_latency_internet(weather->seed);
    }
}

static void make_network(struct simnet_weather_sky *sky)
{
    const struct simnet_weather *weather = sky->weather;
    struct simnet_world *world = sky->world;
    uint64_t seed = weather->seed;
    struct simnet_jitter_config still = {.delay_us = 0};
    struct simnet_burst_config calm = {.mean_good_us = BURST_GOOD_US};
    sky->mtu = simnet_mtu_new(seed, 0, FRAGMENT_LOSS);
    sky->loss = simnet_loss_new(seed, 0);
    sky->burst = simnet_burst_new(seed, &calm);
    sky->duplicate = simnet_duplicate_new(seed, 0, LATER_US);
    sky->reorder = simnet_reorder_new(seed, 0, HELD_US);
    sky->jitter = simnet_jitter_new(seed, &still);
    sky->partition = simnet_partition_new(seed);
    simnet_world_internet(world, sky->mtu);
    simnet_world_internet(world, sky->partition);
    simnet_world_internet(world, sky->loss);
    simnet_world_internet(world, sky->burst);
    simnet_world_internet(world, sky->duplicate);
    simnet_world_internet(world, sky->reorder);
    simnet_world_internet(world, sky->jitter);
    simnet_world_internet(world, latency(weather));
}

// Puts some of the machines behind NATs, a few behind each.
static void build_homes(struct simnet_weather_sky *sky)
{
    const struct simnet_weather *weather = sky->weather;
    struct simnet_nat *nat = NULL;
    uint32_t inside = 0;
    for (uint32_t i = SIMNET_WEATHER_WELL_KNOWN; i < weather->nodes; i++) {
        if (!simnet_stream_chance(&sky->stream, weather->nat_share))
            continue;
        if (nat == NULL || inside == weather->homes) {
            struct simnet_nat_config config;
            struct dht_addr addr = simnet_population_ipv4(weather->seed, sky->addresses++);
            simnet_nat_config_init(
                &config, (enum simnet_nat_kind)simnet_stream_below(&sky->stream, NAT_KINDS));
            nat = simnet_nat_new(sky->world, &config, i, i);
            simnet_nat_connect(nat, &addr);
            inside = 0;
        }
        inside += simnet_nat_attach(nat, simnet_world_machine(sky->world, i));
    }
}

static void start_one(struct simnet_world *world, void *ctx, uint64_t number)
{
    simnet_weather_start(ctx, simnet_world_machine(world, (uint32_t)number));
}

static void make_machines(struct simnet_weather_sky *sky)
{
    const struct simnet_weather *weather = sky->weather;
    simnet_profile_init(&sky->profile);
    sky->profile.node.snapshot_us = weather->snapshot_us;
    sky->profile.node.renew_us = RENEW_US;
    if (weather->has_slow_disks) {
        simnet_disk_config_init(&sky->disk);
        sky->disk.sync_median_us = SLOW_SYNC_US;
    }
    sky->profile.disk = &sky->disk;
    sky->addresses = weather->nodes;
    for (uint32_t i = 0; i < weather->nodes; i++) {
        struct dht_addr addr = simnet_population_ipv4(weather->seed, i);
        simnet_world_add(sky->world, &sky->profile, &addr, 1, NULL);
        simnet_world_at(sky->world, SIMNET_START_US + JOIN_US * i / weather->nodes, start_one, sky,
                        i);
    }
    build_homes(sky);
    for (uint32_t i = 0; weather->has_clocks && i < weather->nodes; i += CLOCK_SHARE) {
        struct simnet_clock_config clock;
        simnet_clock_config_draw(&clock, &sky->stream);
        simnet_host_set_clock(simnet_world_machine(sky->world, i), &clock);
    }
}

static void make_people(struct simnet_weather_sky *sky)
{
    const struct simnet_weather *weather = sky->weather;
    struct simnet_application_config config;
    simnet_application_config_init(&config);
    config.count = weather->nodes;
    config.publishers = weather->publishers;
    config.publish_us = SIMNET_START_US + 2 * JOIN_US;
    config.publish_over_us = PUBLISH_US; // all have begun when the faults do
    config.habits = weather->habits;
    config.resolve_us = SIMNET_START_US + 3 * JOIN_US;
    config.resolve_over_us =
        SIMNET_START_US + JOIN_US + WARM_UP_US + weather->faults_us - config.resolve_us;
    config.lookups =
        (uint32_t)(weather->resolves_per_second * (double)config.resolve_over_us / 1e6);
    config.at_random = true;
    config.any_wait = true;
    config.trace = true;
    config.rude_share = weather->rude_share;
    config.cut_share = weather->cut_share;
    sky->application = simnet_application_new(sky->world, &config);
}

// ---- the faults of the network ----

static void begin_faults(struct simnet_weather_sky *sky)
{
    const struct simnet_weather *weather = sky->weather;
    int64_t now_us = simnet_world_now(sky->world);
    simnet_mtu_set(sky->mtu, weather->mtu, FRAGMENT_LOSS);
    simnet_loss_set(sky->loss, weather->loss);
    simnet_burst_set(sky->burst, &(struct simnet_burst_config){.mean_good_us = BURST_GOOD_US,
                                                               .mean_bad_us = weather->burst_bad_us,
                                                               .loss_bad = weather->burst_loss});
    simnet_duplicate_set(sky->duplicate, weather->duplicate, LATER_US);
    simnet_reorder_set(sky->reorder, weather->reorder, HELD_US);
    simnet_jitter_set(sky->jitter,
                      &(struct simnet_jitter_config){.delay_us = weather->jitter_us,
                                                     .may_overtake = weather->may_overtake});
    for (uint32_t i = 0; i < weather->partition_count; i++) {
        const struct simnet_weather_partition *partition = &weather->partitions[i];
        int64_t at_us = now_us + partition->at_us;
        simnet_partition_plan(sky->partition, sky->world, partition->share, partition->way, at_us,
                              at_us + partition->for_us);
    }
    simnet_weather_faults_plan(sky);
}

static void end_faults(struct simnet_weather_sky *sky)
{
    simnet_mtu_set(sky->mtu, 0, FRAGMENT_LOSS);
    simnet_loss_set(sky->loss, 0);
    simnet_burst_set(sky->burst, &(struct simnet_burst_config){.mean_good_us = BURST_GOOD_US});
    simnet_duplicate_set(sky->duplicate, 0, LATER_US);
    simnet_reorder_set(sky->reorder, 0, HELD_US);
    simnet_jitter_set(sky->jitter, &(struct simnet_jitter_config){.delay_us = 0});
    simnet_partition_heal(sky->partition);
    simnet_weather_faults_heal(sky);
    simnet_application_calm(sky->application);
}

// ---- the end ----

// Looks up every name, and keys of nobody's.
static void plan_last_lookups(struct simnet_weather_sky *sky)
{
    uint32_t names = PROBES * sky->weather->publishers;
    for (uint32_t i = 0; i < names + NOBODYS; i++) {
        struct simnet_application_plan plan = {
            .name = SIMNET_APPLICATION_NONE, .phase = 1, .wait = CONTROL_WAIT_ALL, .trace = true};
        do // the well-known ones are there at least
            plan.machine = simnet_world_machine(
                sky->world, (uint32_t)simnet_stream_below(&sky->stream, sky->weather->nodes));
        while (plan.machine->node == NULL);
        if (i < names)
            plan.name = i / PROBES;
        else
            simnet_stream_bytes(&sky->stream, plan.key, sizeof plan.key);
        plan.at_us = simnet_world_now(sky->world) + LAST_US / 2 * (int64_t)i / (names + NOBODYS);
        simnet_application_plan(sky->application, &plan);
    }
}

static void look_at_publishers(struct simnet_weather_sky *sky)
{
    for (uint32_t i = 0; i < simnet_application_begun(sky->application); i++) {
        const struct simnet_publisher *publisher =
            simnet_application_publisher(sky->application, i);
        if (!publisher->is_settled)
            simnet_checker_fail(sky->checker, publisher->machine,
                                "publisher %u has no answer: it wants version %u %s, and is "
                                "acknowledged version %u",
                                i, publisher->version,
                                publisher->is_wanted ? "published" : "withdrawn", publisher->acked);
    }
}

static void report(const struct simnet_weather_sky *sky, struct simnet_weather_result *ret_result)
{
    *ret_result = (struct simnet_weather_result){
        .hash = simnet_world_hash(sky->world),
        .events = simnet_world_counters(sky->world)->events,
        .failures = simnet_checker_failures(sky->checker),
    };
    if (ret_result->failures > 0)
        snprintf(ret_result->line, sizeof ret_result->line, "%s",
                 simnet_checker_line(sky->checker, 0));
    for (uint8_t i = 0; i < 2; i++) {
        struct simnet_figures figures;
        const struct simnet_tally *recall = simnet_checker_recall(sky->checker, i == 1);
        simnet_figures_init(&figures, sky->application, i);
        ret_result->right[i] = figures.right;
        ret_result->counted[i] = figures.counted;
        simnet_figures_fini(&figures);
        ret_result->recall_count[i] = recall->count;
        ret_result->recall[i] = simnet_tally_mean(recall) / 10000;
    }
}

static void run_for(struct simnet_weather_sky *sky, int64_t duration_us)
{
    simnet_world_run(sky->world, simnet_world_now(sky->world) + duration_us);
}

void simnet_weather_run(const struct simnet_weather *weather,
                        const char *(*judge)(struct dht_span datagram, enum dht_family family),
                        FILE *out, struct simnet_weather_result *ret_result)
{
    struct simnet_checker_config checks;
    struct simnet_weather_sky sky = {.weather = weather,
                                     .world = simnet_world_new(weather->seed),
                                     .league = simnet_league_new()};
    simnet_stream_init(&sky.stream, weather->seed, "sky", 0);
    simnet_checker_config_init(&checks);
    checks.judge = judge;
    checks.parts |= judge != NULL ? SIMNET_CHECKER_DATAGRAMS : 0;
    sky.checker = simnet_checker_new(sky.world, &checks);
    make_network(&sky);
    make_machines(&sky);
    make_people(&sky);
    simnet_checker_application(sky.checker, sky.application);
    run_for(&sky, JOIN_US + WARM_UP_US);
    begin_faults(&sky);
    run_for(&sky, weather->faults_us);
    end_faults(&sky);
    run_for(&sky, weather->healing_us);
    look_at_publishers(&sky);
    simnet_checker_heal(sky.checker);
    plan_last_lookups(&sky);
    run_for(&sky, LAST_US);
    simnet_checker_finish(sky.checker);
    for (uint64_t i = 0; out != NULL && simnet_checker_line(sky.checker, i) != NULL; i++)
        fprintf(out, "%s\n", simnet_checker_line(sky.checker, i));
    report(&sky, ret_result);
    simnet_world_free(sky.world);
    simnet_league_drop(sky.league);
    simnet_application_free(sky.application);
    simnet_checker_free(sky.checker);
}
