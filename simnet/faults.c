// SPDX-License-Identifier: MIT
#include "simnet/faults.h"

#include "simnet/churn.h"
#include "simnet/partition.h"

#include <stdlib.h>

struct simnet_faults {
    struct simnet_network *network;
    struct simnet_stream stream; // who is hit
    int64_t t0_us, heal_us;
    struct simnet_churn *churn; // NULL: there is none
    struct simnet_mishaps *mishaps;
};

// ---- machines ----

static bool can_be_hit(const struct simnet_machine *machine)
{
    return machine->state == SIMNET_MACHINE_UP && machine->is_honest;
}

// Lets the event befall that share of the machines that are up, drawn: each is taken with the
// chance that makes the number exact (Knuth's selection sampling).
static void befall_share(struct simnet_faults *faults, const struct simnet_scenario_event *event)
{
    struct simnet_network *network = faults->network;
    uint32_t left = 0;
    for (uint32_t i = 0; i < network->count; i++)
        left += can_be_hit(simnet_world_machine(network->world, network->first + i));
    uint32_t wanted = (uint32_t)(event->share * left + 0.5);
    for (uint32_t i = 0; i < network->count && wanted > 0; i++) {
        struct simnet_machine *machine = simnet_world_machine(network->world, network->first + i);
        if (!can_be_hit(machine))
            continue;
        if (simnet_stream_below(&faults->stream, left--) >= wanted)
            continue;
        wanted--;
        simnet_mishaps_befall(faults->mishaps, machine, event);
    }
}

static void bring_back(struct simnet_faults *faults, double share)
{
    struct simnet_network *network = faults->network;
    for (uint32_t i = 0; i < network->count; i++) {
        struct simnet_machine *machine = simnet_world_machine(network->world, network->first + i);
        if (machine->state == SIMNET_MACHINE_UP || !simnet_stream_chance(&faults->stream, share))
            continue;
        simnet_mishaps_bring_back(faults->mishaps, machine);
        if (faults->churn != NULL)
            simnet_churn_give(faults->churn, machine->number);
    }
}

// Churn has to know who is gone by something else.
static void lose_churning(struct simnet_faults *faults, const struct simnet_scenario_event *event)
{
    struct simnet_churn_loss loss = {.share = event->share,
                                     .at_us = simnet_world_now(faults->network->world),
                                     .in_order = event->kind == SIMNET_SCENARIO_STOP,
                                     .back_us = event->for_us};
    simnet_churn_lose(faults->churn, &loss);
}

static void begin_churn(struct simnet_faults *faults)
{
    const struct simnet_scenario *scenario = faults->network->scenario;
    struct simnet_churn_config config;
    simnet_churn_config_init(&config);
    config.session_median_us = (double)scenario->churn.session_us;
    config.session_shape = scenario->churn.shape;
    config.gap_median_us = (double)scenario->churn.gap_us;
    config.crash_share = scenario->churn.crash;
    config.fresh_share = scenario->churn.fresh;
    config.moved_share = scenario->churn.moved;
    faults->churn = simnet_churn_new(faults->network->world, &config, faults->network->first,
                                     faults->network->count);
}

static void happen(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_faults *faults = ctx;
    const struct simnet_scenario_event *event = &faults->network->scenario->events[number];
    (void)world;
    switch ((enum simnet_scenario_event_kind)event->kind) {
    case SIMNET_SCENARIO_LOSE:
    case SIMNET_SCENARIO_STOP:
        if (faults->churn != NULL)
            lose_churning(faults, event);
        else
            befall_share(faults, event);
        return;
    case SIMNET_SCENARIO_KILL:
    case SIMNET_SCENARIO_SLEEP:
    case SIMNET_SCENARIO_UNPLUG:
    case SIMNET_SCENARIO_MOVE:
    case SIMNET_SCENARIO_DISK_FAILS:
    case SIMNET_SCENARIO_DISK_FILLS:
    case SIMNET_SCENARIO_DISK_STICKS:
    case SIMNET_SCENARIO_CLOCK_JUMP:
    case SIMNET_SCENARIO_NAT_REBOOT:
        befall_share(faults, event);
        return;
    case SIMNET_SCENARIO_RETURN:
        bring_back(faults, event->share);
        return;
    case SIMNET_SCENARIO_LOSS:
        simnet_network_lose(faults->network, event->share);
        return;
    }
}

static void split(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_faults *faults = ctx;
    const struct simnet_scenario_partition *partition =
        &faults->network->scenario->partitions[number];
    (void)world;
    simnet_partition_split(faults->network->partition, partition->share,
                           partition->direction == SIMNET_SCENARIO_ONE_WAY
                               ? SIMNET_PARTITION_DOWN // from the smaller side, group 1
                               : SIMNET_PARTITION_BOTH);
}

static void join(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_faults *faults = ctx;
    (void)world;
    (void)number;
    simnet_partition_heal(faults->network->partition);
}

// ---- life ----

// That share of the machines is gone until the network heals. Of those that churn adds, which are
// away and as good as each other, the first are.
static void bury(struct simnet_faults *faults, double share)
{
    struct simnet_scenario_event lose = {.kind = SIMNET_SCENARIO_LOSE, .share = share};
    const struct simnet_network *network = faults->network;
    befall_share(faults, &lose);
    if (faults->churn == NULL)
        return;
    for (uint32_t i = 0; i < network->count; i++)
        if (simnet_world_machine(network->world, network->first + i)->state == SIMNET_MACHINE_OFF)
            simnet_churn_take(faults->churn, network->first + i);
    uint32_t first;
    uint32_t wanted = (uint32_t)(share * simnet_churn_added(faults->churn, &first) + 0.5);
    for (uint32_t i = 0; i < wanted; i++)
        simnet_churn_take(faults->churn, first + i);
}

static void begin(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_faults *faults = ctx;
    double dead = faults->network->scenario->machines.dead;
    (void)world;
    (void)number;
    simnet_network_disturb(faults->network, true);
    if (faults->network->scenario->churn.session_us > 0)
        begin_churn(faults); // while the dead are up, for churn brings back who is off
    if (dead > 0)
        bury(faults, dead);
}

static void heal(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_faults *faults = ctx;
    (void)world;
    (void)number;
    simnet_network_disturb(faults->network, false);
    if (faults->churn != NULL)
        simnet_churn_calm(faults->churn); // who is away comes back when it is time
    simnet_mishaps_heal(faults->mishaps, faults->churn == NULL);
    if (faults->churn != NULL)
        simnet_churn_recover(faults->churn);
}

struct simnet_faults *simnet_faults_new(struct simnet_network *network, int64_t t0_us,
                                        int64_t heal_us)
{
    const struct simnet_scenario *scenario = network->scenario;
    struct simnet_faults *faults = simnet_world_need(calloc(1, sizeof *faults));
    faults->network = network;
    faults->mishaps = simnet_mishaps_new(network);
    faults->t0_us = t0_us;
    faults->heal_us = heal_us;
    simnet_stream_init(&faults->stream, simnet_world_seed(network->world), "faults", 0);
    simnet_world_at(network->world, t0_us, begin, faults, 0);
    for (size_t i = 0; i < scenario->event_count; i++)
        simnet_world_at(network->world, t0_us + scenario->events[i].at_us, happen, faults, i);
    for (size_t i = 0; i < scenario->partition_count; i++) {
        int64_t at_us = t0_us + scenario->partitions[i].at_us;
        simnet_world_at(network->world, at_us, split, faults, i);
        simnet_world_at(network->world, at_us + scenario->partitions[i].for_us, join, faults, i);
    }
    if (scenario->phases.healing_us > 0)
        simnet_world_at(network->world, heal_us, heal, faults, 0);
    return faults;
}

void simnet_faults_free(struct simnet_faults *faults)
{
    if (faults == NULL)
        return;
    if (faults->churn != NULL)
        simnet_churn_free(faults->churn);
    simnet_mishaps_free(faults->mishaps);
    free(faults);
}

void simnet_faults_exempt(struct simnet_faults *faults, uint32_t machine)
{
    if (faults->churn != NULL)
        simnet_churn_exempt(faults->churn, machine);
}

const struct simnet_churn *simnet_faults_churn(const struct simnet_faults *faults)
{
    return faults->churn;
}

const struct simnet_mishaps_counters *simnet_faults_counters(const struct simnet_faults *faults)
{
    return simnet_mishaps_counters(faults->mishaps);
}
