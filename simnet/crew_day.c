// SPDX-License-Identifier: MIT
#include "simnet/crew_day.h"

#include "simnet/disk.h"
#include "simnet/host.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/partition.h"
#include "simnet/population.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define OBSERVERS    6
#define JOIN_US      (20 * SIMNET_SECOND_US)
#define BEGIN_US     SIMNET_MINUTE_US
#define CALM_US      (90 * SIMNET_MINUTE_US) // at the end
#define LOOK_US      (3 * SIMNET_MINUTE_US)
#define SPLIT_US     (4 * SIMNET_HOUR_US) // between two, in the mean
#define SPLIT_MIN_US (10 * SIMNET_MINUTE_US)
#define SPLIT_MAX_US (5 * SIMNET_HOUR_US)
#define OFF_MIN_US   (5 * SIMNET_SECOND_US)
#define OFF_MAX_US   (5 * SIMNET_HOUR_US)
#define OTHERS_US    (10 * SIMNET_MINUTE_US) // between two ends of other machines, in the mean
#define ROUND_US     (2 * SIMNET_MINUTE_US)  // that a renewal may take, with what it tries again
// What clocks may be off: with two machines that are off in opposite ways, an entry that was
// renewed in time still counts for both.
#define CLOCK_US      (50 * SIMNET_MINUTE_US)
#define MEDIAN_RTT_US 100000

struct day {
    const struct simnet_crew_day *plan;
    struct simnet_world *world;
    struct simnet_profile profile;
    struct simnet_disk_config disk;
    struct simnet_stream stream;
    struct simnet_element *partition;
    struct simnet_crew *crew;
    int64_t calm_us;                           // when all ends
    int64_t offsets[SIMNET_PUBLISHER_WRITERS]; // of their clocks
    struct simnet_crew_day_result *result;
};

static int64_t draw_pause(struct day *day, int64_t mean_us)
{
    return 1 + (int64_t)simnet_stream_exponential(&day->stream, (double)mean_us);
}

// Short ones as often as long ones.
static int64_t draw_span(struct day *day, int64_t least_us, int64_t most_us)
{
    double share = simnet_stream_unit(&day->stream);
    return (int64_t)((double)least_us * pow((double)most_us / (double)least_us, share));
}

static bool is_calm(const struct day *day)
{
    return simnet_world_now(day->world) >= day->calm_us;
}

static void later(struct day *day, int64_t pause_us, simnet_task task, uint64_t number)
{
    int64_t at_us = simnet_world_now(day->world) + pause_us;
    simnet_world_at(day->world, at_us < day->calm_us ? at_us : day->calm_us, task, day, number);
}

// ---- the network ----

static void heal(struct simnet_world *world, void *ctx, uint64_t number);

static void split(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct day *day = ctx;
    (void)world;
    (void)number;
    if (is_calm(day))
        return;
    simnet_crew_note(day->crew);
    day->result->splits++;
    simnet_partition_split(day->partition, 0.25 + 0.25 * simnet_stream_unit(&day->stream),
                           SIMNET_PARTITION_BOTH);
    simnet_crew_note(day->crew);
    later(day, draw_span(day, SPLIT_MIN_US, SPLIT_MAX_US), heal, 0);
}

static void heal(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct day *day = ctx;
    (void)world;
    (void)number;
    simnet_crew_note(day->crew);
    simnet_partition_heal(day->partition);
    simnet_crew_note(day->crew);
    later(day, draw_pause(day, SPLIT_US), split, 0);
}

// ---- machines ----

static void bring_back(struct simnet_world *world, void *ctx, uint64_t number)
{
    static const uint32_t known[3] = {0, 1, 2};
    struct simnet_machine *machine = simnet_world_machine(world, (uint32_t)number);
    struct day *day = ctx;
    simnet_crew_note(day->crew);
    if (machine->state == SIMNET_MACHINE_ASLEEP)
        simnet_machine_wake(machine);
    if (machine->state == SIMNET_MACHINE_OFF)
        simnet_machine_start(machine, known, 3);
    simnet_crew_note(day->crew);
}

static void end(struct day *day, struct simnet_machine *machine)
{
    if (machine->state != SIMNET_MACHINE_UP)
        return;
    day->result->ends++;
    simnet_crew_note(day->crew);
    switch (simnet_stream_below(&day->stream, 4)) {
    case 0:
        simnet_machine_crash(machine);
        break;
    case 1:
        simnet_machine_kill(machine);
        break;
    case 2:
        simnet_machine_sleep(machine);
        break;
    default:
        simnet_machine_stop(machine);
    }
    simnet_crew_note(day->crew);
    later(day, draw_span(day, OFF_MIN_US, OFF_MAX_US), bring_back, machine->number);
}

static void set_clock(struct day *day, uint32_t writer, int64_t offset_us)
{
    uint32_t number = day->crew->config.machines[writer];
    simnet_crew_note(day->crew);
    day->result->jumps++;
    simnet_host_jump(simnet_world_machine(day->world, number), offset_us - day->offsets[writer]);
    day->offsets[writer] = offset_us;
    simnet_crew_note(day->crew);
}

static void befall(struct simnet_world *world, void *ctx, uint64_t writer)
{
    struct day *day = ctx;
    if (is_calm(day))
        return;
    if (simnet_stream_chance(&day->stream, 0.3)) {
        uint64_t drawn = simnet_stream_below(&day->stream, 2 * CLOCK_US);
        set_clock(day, (uint32_t)writer, (int64_t)drawn - CLOCK_US);
    } else {
        end(day, simnet_world_machine(world, day->crew->config.machines[writer]));
    }
    later(day, draw_pause(day, day->plan->fault_us), befall, writer);
}

static void befall_another(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct day *day = ctx;
    (void)number;
    if (is_calm(day))
        return;
    uint32_t first = OBSERVERS + day->plan->size;
    uint64_t drawn = simnet_stream_below(&day->stream, day->plan->nodes - first);
    end(day, simnet_world_machine(world, first + (uint32_t)drawn));
    later(day, draw_pause(day, OTHERS_US), befall_another, 0);
}

static void become_calm(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct day *day = ctx;
    (void)world;
    (void)number;
    for (uint32_t i = 0; i < day->plan->size; i++)
        if (day->offsets[i] != 0)
            set_clock(day, i, 0);
}

// ---- making ----

static void make_network(struct day *day)
{
    const struct simnet_crew_day *plan = day->plan;
    day->partition = simnet_partition_new(plan->seed);
    simnet_world_internet(day->world, day->partition);
    simnet_world_internet(day->world, simnet_loss_new(plan->seed, plan->loss));
    simnet_world_internet(day->world,
                          simnet_latency_lognormal(plan->seed, MEDIAN_RTT_US, 0.6, 1000));
    simnet_profile_init(&day->profile);
    simnet_disk_config_init(&day->disk);
    day->profile.disk = &day->disk;
    simnet_population_join(day->world, &day->profile, plan->nodes, JOIN_US);
    simnet_world_run(day->world, BEGIN_US);
}

static void make_crew(struct day *day)
{
    const struct simnet_crew_day *plan = day->plan;
    struct simnet_crew_config config = {
        .number = 1,
        .size = plan->size,
        .habits = {.change_us = plan->change_us, .withdraw_share = 0.3},
        .observer_count = OBSERVERS,
        .look_us = LOOK_US,
        .missing_us = day->profile.node.renew_us + ROUND_US,
        .lifetime_us = day->profile.node.lifetime_us,
        .partition = day->partition,
    };
    for (uint32_t i = 0; i < OBSERVERS; i++)
        config.observers[i] = i;
    for (uint32_t i = 0; i < plan->size; i++) {
        config.machines[i] = OBSERVERS + i;
        // The first two at the same moment.
        config.at_us[i] = BEGIN_US + SIMNET_SECOND_US * (i < 2 ? 1 : 10 * (int64_t)i);
    }
    day->crew = simnet_crew_new(day->world, &config);
}

static void plan_faults(struct day *day)
{
    simnet_world_at(day->world, day->calm_us, become_calm, day, 0);
    if (day->plan->fault_us == 0)
        return;
    later(day, draw_pause(day, SPLIT_US), split, 0);
    later(day, draw_pause(day, OTHERS_US), befall_another, 0);
    for (uint32_t i = 0; i < day->plan->size; i++)
        later(day, draw_pause(day, day->plan->fault_us), befall, i);
}

void simnet_crew_day_init(struct simnet_crew_day *day, uint32_t size, uint64_t seed)
{
    *day = (struct simnet_crew_day){
        .seed = seed,
        .nodes = 60,
        .size = size,
        .for_us = 24 * SIMNET_HOUR_US,
        .change_us = size * 15 * SIMNET_MINUTE_US,
        .fault_us = 3 * SIMNET_HOUR_US,
        .loss = 0.02,
    };
}

void simnet_crew_day_run(const struct simnet_crew_day *plan,
                         struct simnet_crew_day_result *ret_result)
{
    struct simnet_crew_day_result result = {.hash = 0};
    struct day day = {.plan = plan, .world = simnet_world_new(plan->seed), .result = &result};
    day.calm_us = BEGIN_US + plan->for_us - CALM_US;
    simnet_stream_init(&day.stream, plan->seed, "crew day", 0);
    make_network(&day);
    make_crew(&day);
    plan_faults(&day);
    simnet_world_run(day.world, BEGIN_US + plan->for_us);
    const struct simnet_crew *crew = day.crew;
    result.failures = crew->failures;
    memcpy(result.line, crew->line, sizeof result.line);
    result.changes = simnet_crew_changes(crew);
    result.looks = crew->looks;
    result.looks_failed = crew->looks_failed;
    result.entries = crew->entries;
    result.longest_missing_us = crew->longest_missing_us;
    result.longest_ghost_us = crew->longest_ghost_us;
    result.hash = simnet_world_hash(day.world);
    result.events = simnet_world_counters(day.world)->events;
    *ret_result = result;
    simnet_crew_free(day.crew);
    simnet_world_free(day.world);
}

void simnet_crew_day_print(const struct simnet_crew_day *day,
                           const struct simnet_crew_day_result *result, FILE *out)
{
    fprintf(out,
            "%" PRIu32 " machines of %" PRIu32 ", seed %" PRIu64 ": %" PRIu64 " changes, %" PRIu64
            " looks (%" PRIu64 " unanswered), %" PRIu64 " entries; %" PRIu32 " splits, %" PRIu32
            " ends, %" PRIu32 " clocks set; longest lost %" PRId64 " s, longest ghost %" PRId64
            " s; hash %016" PRIx64 "; %" PRIu64 " failures%s%s\n",
            day->size, day->nodes, day->seed, result->changes, result->looks, result->looks_failed,
            result->entries, result->splits, result->ends, result->jumps,
            result->longest_missing_us / SIMNET_SECOND_US,
            result->longest_ghost_us / SIMNET_SECOND_US, result->hash, result->failures,
            result->failures > 0 ? ": " : "", result->line);
}
