// SPDX-License-Identifier: MIT
// What docs/simulation.md tells of watching, in worlds of real brains with the latencies of the
// internet and 5 % loss: from the request that changes a name to the bytes that tell a watcher's
// client of it.
//
//     bench_watching pushed [NODES [SEED]]    300 names with 4 watchers each
//     bench_watching polled [NODES [SEED]]    the same, where no node takes a watch
//     bench_watching crowd [NODES [SEED]]     1,000 watchers of one name
//     bench_watching names [NODES [SEED]]     1,000 names, watched by one node
//     bench_watching left [NODES [SEED]]      what is left of 300 watchers that crash, move or
//                                             vanish, and of those who kept their watches
//
// A line for each round of changes. The checker of bounds (simnet/checker.h) looks on: its failures
// are told, and the program ends with 1 where there were any, or where something was left. The same
// numbers give the same figures, and the trace hash says so.
#include "simnet/audience.h"
#include "simnet/checker.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/population.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOSS        0.05
#define WARM_UP_US  (15 * SIMNET_MINUTE_US)
#define PUBLISH_US  (2 * SIMNET_MINUTE_US) // all names, within
#define FOLLOW_US   (2 * SIMNET_MINUTE_US)
#define ROUND_US    (20 * SIMNET_MINUTE_US)
#define ROUNDS      2
#define SOURCES_MAX 256 // 8,192 would be most of a node
#define CHECK_US    (15 * SIMNET_SECOND_US)
#define STRUCK      4                       // of the nodes closest to a name
#define LEASE_US    (31 * SIMNET_MINUTE_US) // the longest there is, and a bit

struct kind {
    const char *word;
    struct simnet_audience_config audience; // but for the machines
    int64_t apart_us;                       // between changes
    uint32_t sources_max;
    bool is_polled;
};

static const struct kind kinds[] = {
    {"pushed", {.names = 300, .watchers = 4}, SIMNET_SECOND_US / 5, SOURCES_MAX, false},
    {"polled", {.names = 300, .watchers = 4}, SIMNET_SECOND_US / 5, SOURCES_MAX, true},
    {"crowd", {.names = 1, .watchers = 1000}, 0, 2048, false},
    {"names",
     {.names = 1000, .watchers = 1, .is_one = true},
     SIMNET_SECOND_US / 20,
     SOURCES_MAX,
     false},
    {"left", {.names = 10, .watchers = 30}, SIMNET_SECOND_US / 5, SOURCES_MAX, false},
};

struct bench {
    const struct kind *kind;
    struct simnet_profile profile;
    struct simnet_world *world;
    struct simnet_checker *checker;
    struct simnet_audience *audience;
};

static void run(struct bench *bench, int64_t duration_us)
{
    simnet_world_run(bench->world, simnet_world_now(bench->world) + duration_us);
}

static void begin(struct bench *bench, const struct kind *kind, uint32_t nodes, uint64_t seed)
{
    struct simnet_population_config population;
    struct simnet_checker_config checks;
    struct simnet_audience_config audience = kind->audience;
    bench->kind = kind;
    bench->world = simnet_world_new(seed);
    simnet_profile_init(&bench->profile);
    bench->profile.engine.sources_max = kind->sources_max;
    if (kind->is_polled)
        bench->profile.engine.watchers_max = 0; // each pnr_watch is refused
    simnet_population_config_init(&population);
    population.count = nodes;
    population.schedule = SIMNET_POPULATION_GROWING;
    population.join_us = 5 * SIMNET_MINUTE_US;
    simnet_world_internet(bench->world, simnet_loss_new(seed, LOSS));
    simnet_world_internet(bench->world, simnet_latency_internet(seed));
    audience.first = simnet_population_add(bench->world, &bench->profile, &population);
    audience.count = nodes;
    run(bench, WARM_UP_US);
    simnet_checker_config_init(&checks);
    checks.parts = SIMNET_CHECKER_BOUNDS;
    checks.sample_us = CHECK_US;
    checks.sample = 0;
    bench->checker = simnet_checker_new(bench->world, &checks);
    bench->audience = simnet_audience_new(bench->world, &audience, PUBLISH_US);
    run(bench, PUBLISH_US + SIMNET_MINUTE_US);
    simnet_audience_follow(bench->audience, FOLLOW_US);
    run(bench, FOLLOW_US + SIMNET_MINUTE_US);
}

static double milliseconds(const struct simnet_tally *tally, double share)
{
    return (double)simnet_tally_percentile(tally, share) / 1000;
}

static void print_told(const struct bench *bench, const char *what)
{
    struct simnet_audience_told told;
    simnet_audience_told(bench->audience, &told);
    printf("%s: %" PRIu32 " of %" PRIu32 " told", what, told.told, told.watches);
    if (told.told > 0)
        printf(", p50 %.0f ms, p90 %.0f ms, p99 %.0f ms, most %.0f ms", milliseconds(&told.us, 0.5),
               milliseconds(&told.us, 0.9), milliseconds(&told.us, 0.99),
               milliseconds(&told.us, 1));
    printf("\n");
    simnet_tally_free(&told.us);
    fflush(stdout);
}

static struct simnet_audience_left print_left(const struct bench *bench, const char *what)
{
    struct simnet_audience_left left;
    simnet_audience_left(bench->audience, &left);
    printf("%s: %" PRIu32 " names watched, %" PRIu32 " watchers kept, at most %" PRIu32
           " by one node, %" PRIu32 " of them ghosts; %" PRIu64 " pushes so far, %" PRIu64
           " repeated\n",
           what, left.watches, left.watchers, left.most, left.ghosts, left.pushes_sent,
           left.pushes_repeated);
    fflush(stdout);
    return left;
}

static void change(struct bench *bench, const char *what, int64_t wait_us)
{
    simnet_audience_change(bench->audience, bench->kind->apart_us);
    run(bench, wait_us);
    print_told(bench, what);
}

// Watchers, then keepers, meet with mishaps; nothing of them is kept for longer than a lease.
// Returns whether something was left.
static bool see_left(struct bench *bench)
{
    simnet_audience_strike_watchers(bench->audience);
    print_left(bench, "watchers struck");
    run(bench, 2 * SIMNET_MINUTE_US);
    change(bench, "changed", SIMNET_MINUTE_US);
    print_left(bench, "3 minutes later");
    uint32_t struck = simnet_audience_strike_keepers(bench->audience, STRUCK);
    printf("%" PRIu32 " keepers struck\n", struck);
    print_left(bench, "keepers struck");
    change(bench, "changed", 10 * SIMNET_MINUTE_US); // who has no keeper left hears when he renews
    run(bench, LEASE_US);
    struct simnet_audience_left after = print_left(bench, "a lease later");
    change(bench, "changed", SIMNET_MINUTE_US);
    simnet_audience_leave(bench->audience);
    run(bench, SIMNET_MINUTE_US);
    print_left(bench, "a minute after the last left");
    run(bench, LEASE_US);
    struct simnet_audience_left end = print_left(bench, "a lease later");
    return after.ghosts > 0 || end.watches > 0 || end.watchers > 0 || end.pushes > 0;
}

static bool end(struct bench *bench)
{
    simnet_checker_finish(bench->checker);
    uint64_t failures = simnet_checker_failures(bench->checker);
    for (uint64_t i = 0; i < failures && i < SIMNET_CHECKER_LINES_MAX; i++)
        printf("%s\n", simnet_checker_line(bench->checker, i));
    printf("%" PRIu64 " failures of bounds, hash %016" PRIx64 "\n", failures,
           simnet_world_hash(bench->world));
    simnet_world_free(bench->world);
    simnet_audience_free(bench->audience);
    simnet_checker_free(bench->checker);
    return failures > 0;
}

static bool see(const struct kind *kind, uint32_t nodes, uint64_t seed)
{
    struct bench bench;
    bool has_failed = false;
    printf("%s: %" PRIu32 " nodes, seed %" PRIu64 "\n", kind->word, nodes, seed);
    begin(&bench, kind, nodes, seed);
    print_left(&bench, "all watch");
    if (strcmp(kind->word, "left") == 0)
        has_failed = see_left(&bench);
    for (int i = 0; i < ROUNDS && strcmp(kind->word, "left") != 0; i++) {
        change(&bench, "changed", ROUND_US);
        print_left(&bench, "then");
    }
    return end(&bench) || has_failed;
}

int main(int argc, char **argv)
{
    uint32_t nodes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 10000;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    for (size_t i = 0; argc > 1 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].word) == 0)
            return see(&kinds[i], nodes, seed);
    fprintf(stderr, "usage: bench_watching pushed|polled|crowd|names|left [NODES [SEED]]\n");
    return 2;
}
