// SPDX-License-Identifier: MIT
#include "simnet/network.h"

#include "simnet/burst.h"
#include "simnet/crypto.h"
#include "simnet/duplicate.h"
#include "simnet/host.h"
#include "simnet/jitter.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/mtu.h"
#include "simnet/partition.h"
#include "simnet/population.h"
#include "simnet/reorder.h"

#include <math.h>
#include <stdlib.h>

#define BOOTSTRAP_MAX 32
#define WALL_2020_US  INT64_C(1577836800000000)
#define MOVED_NUMBERS UINT32_C(0x40000000) // of addresses beyond everybody's first one

// ---- elements ----

static void add_element(struct simnet_network *network, struct simnet_element *element)
{
    simnet_world_internet(network->world, element);
}

// A seed of its own for each kind of element.
static uint64_t seed_of(const struct simnet_network *network, const char *purpose)
{
    struct simnet_stream stream;
    simnet_stream_init(&stream, simnet_world_seed(network->world), purpose, 0);
    return simnet_stream_next(&stream);
}

static void add_latency(struct simnet_network *network)
{
    const struct simnet_scenario *scenario = network->scenario;
    uint64_t seed = simnet_world_seed(network->world);
    switch ((enum simnet_scenario_latency)scenario->latency.model) {
    case SIMNET_SCENARIO_LATENCY_CONSTANT:
        add_element(network, simnet_latency_constant(scenario->latency.median_us / 2));
        return;
    case SIMNET_SCENARIO_LATENCY_LOGNORMAL:
        add_element(network,
                    simnet_latency_lognormal(seed, scenario->latency.median_us,
                                             scenario->latency.sigma, scenario->latency.min_us));
        return;
    case SIMNET_SCENARIO_LATENCY_INTERNET:
        add_element(network, simnet_latency_internet(seed));
        return;
    case SIMNET_SCENARIO_LATENCY_WIRED:
        add_element(network, simnet_latency_wired(seed));
        return;
    }
}

static bool changes_loss(const struct simnet_scenario *scenario)
{
    bool changes = scenario->loss.rate > 0;
    for (size_t i = 0; i < scenario->event_count; i++)
        changes |= scenario->events[i].kind == SIMNET_SCENARIO_LOSS;
    return changes;
}

static const struct simnet_burst_config no_bursts = {.mean_good_us = SIMNET_HOUR_US};

static struct simnet_burst_config bursts_of(const struct simnet_scenario *scenario)
{
    return (struct simnet_burst_config){
        .scope = SIMNET_BURST_PAIR,
        .mean_good_us = scenario->burst.good_us,
        .mean_bad_us = scenario->burst.bad_us,
        .loss_good = scenario->burst.loss_good,
        .loss_bad = scenario->burst.loss_bad,
    };
}

// What the scenario has no use for is not there, and costs nothing. What changes ways comes before
// the latency, which no element may follow that cuts them.
static void add_faulty(struct simnet_network *network)
{
    const struct simnet_scenario *scenario = network->scenario;
    if (scenario->partition_count > 0)
        add_element(network,
                    network->partition = simnet_partition_new(seed_of(network, "partition")));
    if (changes_loss(scenario))
        add_element(network, network->loss = simnet_loss_new(seed_of(network, "loss"), 0));
    if (scenario->burst.bad_us > 0 || scenario->burst.loss_good > 0)
        add_element(network,
                    network->burst = simnet_burst_new(seed_of(network, "burst"), &no_bursts));
    if (scenario->duplicate.rate > 0)
        add_element(network,
                    network->duplicate = simnet_duplicate_new(seed_of(network, "duplicate"), 0, 0));
    if (scenario->reorder.rate > 0)
        add_element(network,
                    network->reorder = simnet_reorder_new(seed_of(network, "reorder"), 0, 0));
}

static void add_elements(struct simnet_network *network)
{
    const struct simnet_scenario *scenario = network->scenario;
    struct simnet_jitter_config jitter = {.kind = SIMNET_JITTER_EXPONENTIAL,
                                          .delay_us = scenario->jitter.mean_us,
                                          .may_overtake = scenario->jitter.overtaking != 0};
    if (scenario->mtu.bytes > 0)
        add_element(network, simnet_mtu_new(seed_of(network, "mtu"), (uint32_t)scenario->mtu.bytes,
                                            scenario->mtu.fragments));
    add_faulty(network);
    if (scenario->jitter.mean_us > 0)
        add_element(network, simnet_jitter_new(seed_of(network, "jitter"), &jitter));
    add_latency(network);
    if (scenario->loss.from == SIMNET_SCENARIO_FROM_JOIN)
        simnet_network_lose(network, scenario->loss.rate);
}

void simnet_network_lose(struct simnet_network *network, double share)
{
    if (network->loss != NULL)
        simnet_loss_set(network->loss, share);
}

void simnet_network_disturb(struct simnet_network *network, bool is_on)
{
    const struct simnet_scenario *scenario = network->scenario;
    struct simnet_burst_config bursts = is_on ? bursts_of(scenario) : no_bursts;
    simnet_network_lose(network, is_on ? scenario->loss.rate : 0);
    if (network->burst != NULL)
        simnet_burst_set(network->burst, &bursts);
    if (network->duplicate != NULL)
        simnet_duplicate_set(network->duplicate, is_on ? scenario->duplicate.rate : 0,
                             SIMNET_SECOND_US / 10);
    if (network->reorder != NULL)
        simnet_reorder_set(network->reorder, is_on ? scenario->reorder.rate : 0,
                           scenario->reorder.delay_us);
    if (network->partition != NULL && !is_on)
        simnet_partition_heal(network->partition);
}

// ---- machines ----

static void set_profile(struct simnet_network *network)
{
    const struct simnet_scenario *scenario = network->scenario;
    struct simnet_profile *profile = &network->profile;
    simnet_profile_init(profile);
    profile->signature = scenario->network.signature;
    profile->bootstrap_count = (uint32_t)scenario->network.bootstrap;
    profile->node.cache_max = (uint32_t)scenario->network.cache_max;
    profile->node.renew_us = scenario->publish.renew_us;
    profile->node.snapshot_us = scenario->machines.snapshot_us;
    profile->engine.bucket_size = (uint32_t)scenario->network.bucket_size;
    profile->engine.first_bucket_size = (uint32_t)scenario->network.first_bucket_size;
    profile->engine.replacements = (uint32_t)scenario->network.replacements;
    profile->engine.lookup_width = (uint32_t)scenario->network.lookup_width;
    profile->engine.store_width = (uint32_t)scenario->network.store_width;
    profile->engine.in_flight = (uint32_t)scenario->network.queries_in_flight;
    profile->engine.sources_max = (uint32_t)scenario->network.sources_max;
    profile->engine.items_max = (uint32_t)scenario->network.items_max;
}

static void set_disk(struct simnet_network *network)
{
    if (network->scenario->machines.disk == SIMNET_SCENARIO_DISK_HONEST)
        return;
    simnet_disk_config_init(&network->disk);
    network->disk.loses_all = network->scenario->machines.disk == SIMNET_SCENARIO_DISK_LOSING;
    network->profile.disk = &network->disk;
}

// A number from -most to most.
static double either_way(struct simnet_stream *stream, double most)
{
    return (2 * simnet_stream_unit(stream) - 1) * most;
}

static void set_clocks(struct simnet_network *network)
{
    const struct simnet_scenario *scenario = network->scenario;
    uint64_t seed = simnet_world_seed(network->world);
    struct simnet_stream stream, rates, batteries;
    if (scenario->machines.clock_off_us == 0 && scenario->machines.clock_drift <= 0 &&
        scenario->machines.clock_forgets <= 0 && scenario->machines.timer_drift <= 0)
        return;
    simnet_stream_init(&stream, seed, "clocks", 0);
    simnet_stream_init(&rates, seed, "timers", 0);
    simnet_stream_init(&batteries, seed, "batteries", 0);
    for (uint32_t i = 0; i < network->count; i++) {
        struct simnet_clock_config config = {
            .offset_us = (int64_t)either_way(&stream, (double)scenario->machines.clock_off_us),
            .drift_ppm = either_way(&stream, scenario->machines.clock_drift * 1e6),
            .rate_ppm = either_way(&rates, scenario->machines.timer_drift * 1e6),
            .forgets = simnet_stream_chance(&batteries, scenario->machines.clock_forgets),
            .boot_wall_us = WALL_2020_US,
            .corrected_us = SIMNET_MINUTE_US,
        };
        simnet_host_set_clock(simnet_world_machine(network->world, network->first + i), &config);
    }
}

static void add_machine(struct simnet_network *network)
{
    uint64_t seed = simnet_world_seed(network->world);
    uint32_t number = simnet_world_machines(network->world);
    int families = network->scenario->network.families;
    struct dht_addr addrs[NODE_ENGINES_MAX];
    size_t count = 0;
    if (families != SIMNET_SCENARIO_IPV6)
        addrs[count++] = simnet_population_ipv4(seed, number);
    if (families != SIMNET_SCENARIO_IPV4)
        addrs[count++] = simnet_population_ipv6(seed, number);
    simnet_homes_add(network->homes, &network->profile, addrs, count);
}

struct dht_addr simnet_network_address(struct simnet_network *network, uint8_t ip_len)
{
    uint64_t seed = simnet_world_seed(network->world);
    uint32_t number = MOVED_NUMBERS + network->moves++;
    return ip_len == 4 ? simnet_population_ipv4(seed, number)
                       : simnet_population_ipv6(seed, number);
}

void simnet_network_start(struct simnet_network *network, struct simnet_machine *machine)
{
    uint32_t known[BOOTSTRAP_MAX];
    size_t count = 0;
    size_t wanted = (size_t)network->scenario->network.bootstrap;
    for (size_t draws = 0; network->joined > 0 && count < wanted && draws < 64 * wanted; draws++) {
        uint32_t number =
            network->first + (uint32_t)simnet_stream_below(&network->stream, network->joined);
        const struct simnet_machine *other = simnet_world_machine(network->world, number);
        if (other != machine && other->state == SIMNET_MACHINE_UP &&
            !simnet_homes_is_hidden(network->homes, other) && !simnet_machine_is_hidden(other, 0) &&
            other->node != NULL)
            known[count++] = number;
    }
    simnet_machine_start(machine, known, count);
}

// When the machine of that place is to start, from the first one's time.
static int64_t join_time(const struct simnet_network *network, uint32_t place)
{
    double join_us = (double)network->scenario->network.join_us;
    if (network->scenario->network.schedule == SIMNET_SCENARIO_GROWING)
        return (int64_t)(join_us * log2(1.0 + place) / log2(1.0 + network->count));
    return (int64_t)(join_us * place / network->count);
}

static void join_next(struct simnet_world *world, void *ctx, uint64_t place)
{
    struct simnet_network *network = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, network->first + (uint32_t)place);
    if (machine->state == SIMNET_MACHINE_OFF)
        simnet_network_start(network, machine);
    network->joined = (uint32_t)place + 1;
    if (network->joined < network->count)
        simnet_world_at(world, network->begin_us + join_time(network, network->joined), join_next,
                        network, network->joined);
}

// ---- life ----

struct simnet_network *simnet_network_new(struct simnet_world *world,
                                          const struct simnet_scenario *scenario)
{
    struct simnet_network *network = simnet_world_need(calloc(1, sizeof *network));
    network->world = world;
    network->scenario = scenario;
    network->begin_us = simnet_world_now(world);
    network->first = simnet_world_machines(world);
    network->count = (uint32_t)scenario->network.nodes;
    network->homes = simnet_homes_new(world, scenario, network->first, network->count);
    simnet_stream_init(&network->stream, simnet_world_seed(world), "join", 0);
    set_profile(network);
    set_disk(network);
    add_elements(network);
    for (uint32_t i = 0; i < network->count; i++)
        add_machine(network);
    set_clocks(network);
    simnet_world_at(world, network->begin_us, join_next, network, 0);
    return network;
}

void simnet_network_free(struct simnet_network *network)
{
    if (network == NULL)
        return;
    simnet_homes_free(network->homes);
    free(network);
}

uint32_t simnet_network_up(const struct simnet_network *network)
{
    uint32_t up = 0;
    uint32_t end = simnet_world_machines(network->world);
    for (uint32_t i = network->first; i < end; i++) {
        const struct simnet_machine *machine = simnet_world_machine(network->world, i);
        up += machine->state == SIMNET_MACHINE_UP && machine->is_honest;
    }
    return up;
}
