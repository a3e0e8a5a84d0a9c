// SPDX-License-Identifier: MIT
#include "simnet/weather.h"

#define NODES_MIN 8
#define NODES_MAX 120
// A node that has moved stays read-only until it is up for 15 minutes, and others then wait for 90
// seconds before they ask it back.
#define HEALING_US (20 * SIMNET_MINUTE_US)

static int64_t between(struct simnet_stream *stream, int64_t low, int64_t high)
{
    return low + (int64_t)simnet_stream_below(stream, (uint64_t)(high - low + 1));
}

// From 0 to most, small ones more often; often none at all.
static double share(struct simnet_stream *stream, double chance, double most)
{
    if (!simnet_stream_chance(stream, chance))
        return 0;
    double unit = simnet_stream_unit(stream);
    return most * unit * unit;
}

// ---- deriving ----

static void derive_network(struct simnet_stream *stream, struct simnet_weather *weather)
{
    // Small ones more often: they are quicker, and stranger.
    double unit = simnet_stream_unit(stream);
    weather->nodes = NODES_MIN + (uint32_t)(unit * unit * (NODES_MAX - NODES_MIN + 0.999));
    weather->latency = (enum simnet_weather_latency)simnet_stream_below(stream, 3);
    weather->rtt_us = between(stream, 2000, 300000);
    weather->loss = share(stream, 0.6, 0.4);
    weather->duplicate = share(stream, 0.4, 0.3);
    weather->reorder = share(stream, 0.4, 0.3);
    weather->burst_bad_us = simnet_stream_chance(stream, 0.3) ? between(stream, 50000, 3000000) : 0;
    weather->burst_loss = 0.5 + simnet_stream_unit(stream) / 2;
    weather->jitter_us = simnet_stream_chance(stream, 0.5) ? between(stream, 1000, 200000) : 0;
    weather->may_overtake = simnet_stream_chance(stream, 0.5);
    weather->mtu = simnet_stream_chance(stream, 0.2) ? (uint32_t)between(stream, 576, 1500) : 0;
}

static void derive_partitions(struct simnet_stream *stream, struct simnet_weather *weather)
{
    if (!simnet_stream_chance(stream, 0.4))
        return;
    weather->partition_count = 1 + (uint32_t)simnet_stream_below(stream, 2);
    int64_t slot_us = weather->faults_us / weather->partition_count;
    for (uint32_t i = 0; i < weather->partition_count; i++) {
        struct simnet_weather_partition *partition = &weather->partitions[i];
        partition->share = 0.05 + 0.9 * simnet_stream_unit(stream);
        partition->way = (enum simnet_partition_way)simnet_stream_below(stream, 3);
        partition->at_us = (int64_t)i * slot_us + between(stream, 0, slot_us / 2);
        partition->for_us = between(stream, SIMNET_SECOND_US, slot_us / 2 - 1);
    }
}

static void derive_machines(struct simnet_stream *stream, struct simnet_weather *weather)
{
    for (int i = 0; i < SIMNET_WEATHER_FAULTS; i++)
        if (simnet_stream_chance(stream, 0.4))
            weather->faults[i] = 1 + (uint32_t)simnet_stream_below(stream, weather->nodes / 3 + 1);
    weather->nat_share = simnet_stream_chance(stream, 0.4) ? 0.6 * simnet_stream_unit(stream) : 0;
    weather->homes = 1 + (uint32_t)simnet_stream_below(stream, 4);
    weather->adversary_share =
        simnet_stream_chance(stream, 0.3) ? 0.3 * simnet_stream_unit(stream) : 0;
    weather->adversary =
        (enum simnet_adversary_kind)simnet_stream_below(stream, SIMNET_ADVERSARY_KINDS);
    weather->has_clocks = simnet_stream_chance(stream, 0.4);
    weather->has_slow_disks = simnet_stream_chance(stream, 0.5);
    weather->snapshot_us =
        simnet_stream_chance(stream, 0.5) ? between(stream, 20, 120) * SIMNET_SECOND_US : 0;
}

static void derive_people(struct simnet_stream *stream, struct simnet_weather *weather)
{
    weather->publishers = 1 + (uint32_t)simnet_stream_below(stream, 6);
    weather->habits.change_us = between(stream, 10, 200) * SIMNET_SECOND_US;
    weather->habits.withdraw_share = share(stream, 0.5, 0.5);
    weather->habits.rude_share = share(stream, 0.5, 0.6);
    weather->resolves_per_second = 0.1 + 1.4 * simnet_stream_unit(stream);
    weather->rude_share = share(stream, 0.5, 0.6);
    weather->cut_share = share(stream, 0.5, 1);
}

void simnet_weather_derive(uint64_t seed, struct simnet_weather *ret_weather)
{
    struct simnet_stream stream;
    simnet_stream_init(&stream, seed, "weather", 0);
    *ret_weather = (struct simnet_weather){.seed = seed};
    ret_weather->faults_us = between(&stream, 90, 360) * SIMNET_SECOND_US;
    ret_weather->healing_us = HEALING_US;
    derive_network(&stream, ret_weather);
    derive_partitions(&stream, ret_weather);
    derive_machines(&stream, ret_weather);
    derive_people(&stream, ret_weather);
}

// ---- printing ----

static double seconds(int64_t time_us)
{
    return (double)time_us / 1e6;
}

static void print_network(const struct simnet_weather *weather, FILE *out)
{
    static const char *const latencies[] = {"constant", "lognormal", "internet"};
    static const char *const ways[] = {"both ways", "upwards", "downwards"};
    fprintf(out, "  nodes %u, latency %s", weather->nodes, latencies[weather->latency]);
    if (weather->latency != SIMNET_WEATHER_INTERNET)
        fprintf(out, " %.1f ms", 1000 * seconds(weather->rtt_us));
    fprintf(out, ", loss %.1f %%, duplicate %.1f %%, reorder %.1f %%\n", 100 * weather->loss,
            100 * weather->duplicate, 100 * weather->reorder);
    fprintf(out, "  bursts %.2f s of %.0f %%, jitter %.1f ms%s, mtu %u\n",
            seconds(weather->burst_bad_us), 100 * weather->burst_loss,
            1000 * seconds(weather->jitter_us), weather->may_overtake ? " overtaking" : "",
            weather->mtu);
    for (uint32_t i = 0; i < weather->partition_count; i++) {
        const struct simnet_weather_partition *partition = &weather->partitions[i];
        fprintf(out, "  partition of %.0f %%, %s, at %.1f s for %.1f s\n", 100 * partition->share,
                ways[partition->way], seconds(partition->at_us), seconds(partition->for_us));
    }
}

void simnet_weather_print(const struct simnet_weather *weather, FILE *out)
{
    static const char *const faults[SIMNET_WEATHER_FAULTS] = {
        "crashes", "cuts",  "kills",   "stops",      "sleeps", "moves",
        "unplugs", "stuck", "failing", "full disks", "jumps"};
    fprintf(out, "weather of seed %llu\n", (unsigned long long)weather->seed);
    print_network(weather, out);
    fprintf(out, "  faults:");
    for (int i = 0; i < SIMNET_WEATHER_FAULTS; i++)
        fprintf(out, " %s %u", faults[i], weather->faults[i]);
    fprintf(out, "\n  clocks %s, disks %s, snapshots every %.0f s\n",
            weather->has_clocks ? "of their own" : "true",
            weather->has_slow_disks ? "slow" : "fast", seconds(weather->snapshot_us));
    fprintf(out, "  behind NATs %.0f %%, up to %u each, adversaries %.0f %% %s\n",
            100 * weather->nat_share, weather->homes, 100 * weather->adversary_share,
            simnet_adversary_name(weather->adversary));
    fprintf(out, "  publishers %u, change every %.0f s, withdraw %.0f %%, rude %.0f %%\n",
            weather->publishers, seconds(weather->habits.change_us),
            100 * weather->habits.withdraw_share, 100 * weather->habits.rude_share);
    fprintf(out, "  resolves %.2f a second, rude %.0f %%, in pieces %.0f %%\n",
            weather->resolves_per_second, 100 * weather->rude_share, 100 * weather->cut_share);
    fprintf(out, "  faults for %.0f s, healing for %.0f s\n", seconds(weather->faults_us),
            seconds(weather->healing_us));
}
