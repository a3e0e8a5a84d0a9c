// SPDX-License-Identifier: MIT
// What docs/simulation.md tells of names that change, in worlds of real brains:
//
//     bench_together days [FIRST [COUNT]]     two, five and ten machines with one key for a day
//                                             each, of so many seeds; one line each
//     bench_together changes [NODES [SEED]]   how soon a change is on 8 nodes, with the latencies
//                                             of the internet and 5 % loss; one line a version
//
// The same numbers give the same figures, and the trace hash says so. A day takes a second or two,
// changes at 10,000 nodes some minutes.
#include "dht/krpc.h"
#include "simnet/crew_day.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/population.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- days ----

static int spend_days(uint64_t first, uint64_t count)
{
    static const uint32_t sizes[] = {2, 5, 10};
    uint64_t failed = 0;
    for (uint64_t seed = first; seed < first + count; seed++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            struct simnet_crew_day day;
            struct simnet_crew_day_result result;
            simnet_crew_day_init(&day, sizes[i], seed);
            day.nodes = 200;
            simnet_crew_day_run(&day, &result);
            simnet_crew_day_print(&day, &result, stdout);
            fflush(stdout);
            failed += result.failures > 0;
        }
    }
    return failed > 0;
}

// ---- changes ----

#define NAMES      300
#define VERSIONS   3 // the first is published, the others are changes
#define HOLDERS    8
#define LOSS       0.05
#define WARM_UP_US (15 * SIMNET_MINUTE_US)
#define APART_US   (SIMNET_SECOND_US / 5)  // between two that change
#define AGE_US     (20 * SIMNET_MINUTE_US) // of a version when it is changed
#define MARK       "1:q3:put"

struct change {
    int64_t asked_us;
    int64_t held_us; // by HOLDERS; 0: not yet
    uint32_t holders[HOLDERS];
    uint32_t count;
};

struct changes {
    struct simnet_world *world;
    struct simnet_publisher *publishers[NAMES];
    struct change all[NAMES][VERSIONS];
    struct simnet_tap tap;
};

// A put that a machine has just got of some name's version, as the name tells it.
static void take_put(struct changes *changes, const struct dht_krpc *msg, uint32_t machine)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        const struct simnet_publisher *publisher = changes->publishers[i];
        if (publisher == NULL || memcmp(publisher->key, msg->key.data, DHT_KEY_LEN) != 0)
            continue;
        struct change *change = &changes->all[i][publisher->version - 1];
        int64_t wall_us = SIMNET_WALL_START_US + (change->asked_us - SIMNET_START_US);
        if (change->count == HOLDERS || msg->seq < wall_us)
            return; // of an earlier version
        for (uint32_t j = 0; j < change->count; j++)
            if (change->holders[j] == machine)
                return;
        change->holders[change->count++] = machine;
        if (change->count == HOLDERS)
            change->held_us = simnet_world_now(changes->world);
        return;
    }
}

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    struct dht_krpc msg;
    struct dht_span bytes = {packet->bytes, packet->len};
    const size_t tail = 40; // t, v and y come behind q
    (void)world;
    (void)element;
    if (event != SIMNET_TAP_DELIVERED || packet->len < 200 ||
        memmem(packet->bytes + packet->len - tail, tail, MARK, strlen(MARK)) == NULL)
        return;
    if (dht_krpc_parse(bytes, &msg) && msg.method == DHT_KRPC_PUT && msg.key.data != NULL)
        take_put(ctx, &msg, machine->number);
}

static void ask(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct changes *changes = ctx;
    uint32_t name = (uint32_t)(number % NAMES);
    uint32_t version = (uint32_t)(number / NAMES);
    struct simnet_publisher_habits habits = {0};
    struct simnet_stream stream;
    changes->all[name][version].asked_us = simnet_world_now(world);
    if (version > 0) {
        simnet_publisher_change(changes->publishers[name]);
        return;
    }
    simnet_stream_init(&stream, simnet_world_seed(world), "changes", name);
    struct simnet_machine *machine =
        simnet_population_draw(world, &stream, 0, simnet_world_machines(world));
    changes->publishers[name] =
        simnet_publisher_new(machine, name, simnet_world_now(world), &habits);
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

// One line for a version: that of all names.
static void print_times(const struct changes *changes, uint32_t version)
{
    int64_t times_us[NAMES];
    size_t count = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        const struct change *change = &changes->all[i][version];
        if (change->held_us != 0)
            times_us[count++] = change->held_us - change->asked_us;
    }
    qsort(times_us, count, sizeof times_us[0], compare);
    printf("%s: %zu of %d names on %d nodes", version == 0 ? "published" : "changed", count, NAMES,
           HOLDERS);
    if (count > 0)
        printf(", p50 %.0f ms, p90 %.0f ms, p99 %.0f ms, most %.0f ms",
               (double)times_us[count / 2] / 1000, (double)times_us[count * 9 / 10] / 1000,
               (double)times_us[count * 99 / 100] / 1000, (double)times_us[count - 1] / 1000);
    printf("\n");
}

static int time_changes(uint32_t nodes, uint64_t seed)
{
    static struct changes changes;
    struct simnet_profile profile;
    struct simnet_population_config population;
    changes.world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    profile.engine.sources_max = 256; // 8,192 would be most of a node
    simnet_population_config_init(&population);
    population.count = nodes;
    population.schedule = SIMNET_POPULATION_GROWING;
    population.join_us = 5 * SIMNET_MINUTE_US;
    simnet_world_internet(changes.world, simnet_loss_new(seed, LOSS));
    simnet_world_internet(changes.world, simnet_latency_internet(seed));
    simnet_population_add(changes.world, &profile, &population);
    simnet_world_run(changes.world, WARM_UP_US);
    changes.tap = (struct simnet_tap){.see = see, .ctx = &changes};
    simnet_world_tap(changes.world, &changes.tap);
    for (uint32_t i = 0; i < NAMES * VERSIONS; i++)
        simnet_world_at(changes.world, WARM_UP_US + i / NAMES * AGE_US + (i % NAMES + 1) * APART_US,
                        ask, &changes, i);
    simnet_world_run(changes.world, WARM_UP_US + VERSIONS * AGE_US);
    printf("%" PRIu32 " nodes, seed %" PRIu64 ", hash %016" PRIx64 "\n", nodes, seed,
           simnet_world_hash(changes.world));
    for (uint32_t i = 0; i < VERSIONS; i++)
        print_times(&changes, i);
    simnet_world_free(changes.world);
    for (uint32_t i = 0; i < NAMES; i++)
        simnet_publisher_free(changes.publishers[i]);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t first = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    uint64_t second = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    if (argc > 1 && strcmp(argv[1], "days") == 0)
        return spend_days(first == 0 ? 1 : first, second);
    if (argc > 1 && strcmp(argv[1], "changes") == 0)
        return time_changes(first == 0 ? 10000 : (uint32_t)first, second);
    fprintf(stderr, "usage: bench_together days [FIRST [COUNT]]\n"
                    "       bench_together changes [NODES [SEED]]\n");
    return 2;
}
