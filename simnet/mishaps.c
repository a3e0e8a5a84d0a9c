// SPDX-License-Identifier: MIT
#include "simnet/mishaps.h"

#include "simnet/host.h"
#include "simnet/nat.h"

#include <assert.h>
#include <stdlib.h>

#define EVENT_SHIFT 32 // in the number of a task, above the machine's

static_assert(SIMNET_SCENARIO_REPEATS_MAX <= 32, "each event has a bit");

struct simnet_mishaps {
    struct simnet_network *network;
    bool is_healed;
    uint32_t *strikes; // of each machine, the events that have befallen it and not ended: bits
    struct simnet_mishaps_counters counters;
};

// ---- strikes ----

// What of a machine an event befalls: events of one part come to an end together.
enum part { POWER, CABLE, DISK_WRITES, DISK_ROOM, DISK_TIME, WALL_CLOCK, NONE };

static enum part part_of(int kind)
{
    switch ((enum simnet_scenario_event_kind)kind) {
    case SIMNET_SCENARIO_LOSE:
    case SIMNET_SCENARIO_STOP:
    case SIMNET_SCENARIO_KILL:
    case SIMNET_SCENARIO_SLEEP:
        return POWER;
    case SIMNET_SCENARIO_UNPLUG:
        return CABLE;
    case SIMNET_SCENARIO_DISK_FAILS:
        return DISK_WRITES;
    case SIMNET_SCENARIO_DISK_FILLS:
        return DISK_ROOM;
    case SIMNET_SCENARIO_DISK_STICKS:
        return DISK_TIME;
    case SIMNET_SCENARIO_CLOCK_JUMP:
        return WALL_CLOCK;
    case SIMNET_SCENARIO_RETURN:
    case SIMNET_SCENARIO_LOSS:
    case SIMNET_SCENARIO_MOVE:
    case SIMNET_SCENARIO_NAT_REBOOT:
        break;
    }
    return NONE; // they have no end
}

static uint32_t *strikes_of(const struct simnet_mishaps *mishaps,
                            const struct simnet_machine *machine)
{
    return &mishaps->strikes[machine->number - mishaps->network->first];
}

// Those of a machine's strikes that are of the part.
static uint32_t strikes_at(const struct simnet_mishaps *mishaps,
                           const struct simnet_machine *machine, enum part part)
{
    const struct simnet_scenario *scenario = mishaps->network->scenario;
    uint32_t strikes = *strikes_of(mishaps, machine);
    for (size_t i = 0; i < scenario->event_count; i++)
        if (part_of(scenario->events[i].kind) != part)
            strikes &= ~(UINT32_C(1) << i);
    return strikes;
}

// ---- ends ----

void simnet_mishaps_bring_back(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    *strikes_of(mishaps, machine) &= ~strikes_at(mishaps, machine, POWER);
    if (machine->state == SIMNET_MACHINE_OFF) {
        simnet_network_start(mishaps->network, machine);
        mishaps->counters.returns++;
    } else if (machine->state == SIMNET_MACHINE_ASLEEP) {
        simnet_machine_wake(machine);
        mishaps->counters.returns++;
    }
}

// What was stuck ends now.
static void release_disk(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    simnet_disk_stick(simnet_host_disk(machine), simnet_world_now(mishaps->network->world));
    if (machine->node == NULL || machine->state != SIMNET_MACHINE_UP)
        return;
    machine->has_answers = true;
    simnet_machine_settle(machine);
}

// As it is to be while those strikes last.
static void set_disk(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    const struct simnet_network *network = mishaps->network;
    struct simnet_disk *disk = simnet_host_disk(machine);
    struct simnet_disk_config config = simnet_disk_config(disk);
    uint32_t failing = strikes_at(mishaps, machine, DISK_WRITES);
    const struct simnet_disk_config none = {0};
    const struct simnet_disk_config *first =
        network->profile.disk != NULL ? network->profile.disk : &none;
    uint64_t capacity =
        strikes_at(mishaps, machine, DISK_ROOM) != 0 ? config.capacity : first->capacity;
    config = *first;
    config.capacity = capacity;
    for (size_t i = 0; i < network->scenario->event_count; i++)
        if ((failing & UINT32_C(1) << i) != 0 &&
            network->scenario->events[i].writes > config.fail_share)
            config.fail_share = network->scenario->events[i].writes;
    simnet_disk_configure(disk, &config);
}

static void end_last(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                     const struct simnet_scenario_event *event)
{
    switch (part_of(event->kind)) {
    case POWER:
        // Churn may have taken who slept.
        if (event->kind != SIMNET_SCENARIO_SLEEP || machine->state == SIMNET_MACHINE_ASLEEP)
            simnet_mishaps_bring_back(mishaps, machine);
        return;
    case CABLE:
        simnet_machine_plug(machine);
        return;
    case DISK_WRITES:
    case DISK_ROOM:
        set_disk(mishaps, machine);
        return;
    case DISK_TIME:
        release_disk(mishaps, machine);
        return;
    case WALL_CLOCK:
    case NONE:
        return;
    }
}

static void end(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_mishaps *mishaps = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, (uint32_t)number);
    uint64_t place = number >> EVENT_SHIFT;
    const struct simnet_scenario_event *event = &mishaps->network->scenario->events[place];
    uint32_t *strikes = strikes_of(mishaps, machine);
    if (mishaps->is_healed || (*strikes & UINT32_C(1) << place) == 0)
        return; // it has ended before
    *strikes &= ~(UINT32_C(1) << place);
    if (event->kind == SIMNET_SCENARIO_CLOCK_JUMP)
        simnet_host_jump(machine, -event->by_us);
    else if (event->kind == SIMNET_SCENARIO_DISK_FAILS ||
             strikes_at(mishaps, machine, part_of(event->kind)) == 0)
        end_last(mishaps, machine, event);
}

// ---- what befalls ----

static void move(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    bool has_moved = false;
    for (int i = 0; i < machine->address_count; i++) {
        struct dht_addr addr = simnet_network_address(mishaps->network, machine->addrs[i].ip_len);
        has_moved |= simnet_homes_move(mishaps->network->homes, machine, &addr);
    }
    mishaps->counters.moves += has_moved;
}

static void break_disk(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                       const struct simnet_scenario_event *event)
{
    struct simnet_disk *disk = simnet_host_disk(machine);
    mishaps->counters.disk_faults++;
    if (event->kind == SIMNET_SCENARIO_DISK_STICKS) {
        simnet_disk_stick(disk, INT64_MAX); // until the end of the last of them
    } else if (event->kind == SIMNET_SCENARIO_DISK_FAILS) {
        set_disk(mishaps, machine);
    } else {
        struct simnet_disk_config config = simnet_disk_config(disk);
        config.capacity = 1 + simnet_disk_bytes(disk); // 0 would be no end
        simnet_disk_configure(disk, &config);
    }
}

static void reboot_nat(struct simnet_mishaps *mishaps, const struct simnet_machine *machine)
{
    struct simnet_nat *nat = simnet_nat_of(machine);
    if (nat == NULL)
        return;
    simnet_nat_reboot(nat);
    mishaps->counters.nat_reboots++;
}

static void strike(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                   const struct simnet_scenario_event *event)
{
    switch ((enum simnet_scenario_event_kind)event->kind) {
    case SIMNET_SCENARIO_LOSE:
        simnet_machine_crash(machine);
        mishaps->counters.crashes++;
        return;
    case SIMNET_SCENARIO_KILL:
        simnet_machine_kill(machine);
        mishaps->counters.kills++;
        return;
    case SIMNET_SCENARIO_STOP:
        simnet_machine_stop(machine);
        mishaps->counters.stops++;
        return;
    case SIMNET_SCENARIO_SLEEP:
        simnet_machine_sleep(machine);
        mishaps->counters.sleeps++;
        return;
    case SIMNET_SCENARIO_UNPLUG:
        simnet_machine_unplug(machine);
        mishaps->counters.unplugs++;
        return;
    case SIMNET_SCENARIO_MOVE:
        move(mishaps, machine);
        return;
    case SIMNET_SCENARIO_DISK_FAILS:
    case SIMNET_SCENARIO_DISK_FILLS:
    case SIMNET_SCENARIO_DISK_STICKS:
        break_disk(mishaps, machine, event);
        return;
    case SIMNET_SCENARIO_CLOCK_JUMP:
        simnet_host_jump(machine, event->by_us);
        mishaps->counters.clock_jumps++;
        return;
    case SIMNET_SCENARIO_NAT_REBOOT:
        reboot_nat(mishaps, machine);
        return;
    case SIMNET_SCENARIO_RETURN:
    case SIMNET_SCENARIO_LOSS:
        return; // of no single machine
    }
}

// The event, one of the scenario's own, has begun for the machine.
static void note(struct simnet_mishaps *mishaps, const struct simnet_machine *machine,
                 const struct simnet_scenario_event *event)
{
    struct simnet_network *network = mishaps->network;
    uint64_t place = (uint64_t)(event - network->scenario->events);
    *strikes_of(mishaps, machine) |= UINT32_C(1) << place;
    if (event->for_us > 0)
        simnet_world_at(network->world, simnet_world_now(network->world) + event->for_us, end,
                        mishaps, place << EVENT_SHIFT | machine->number);
}

static bool is_own(const struct simnet_mishaps *mishaps, const struct simnet_scenario_event *event)
{
    const struct simnet_scenario *scenario = mishaps->network->scenario;
    for (size_t i = 0; i < scenario->event_count; i++)
        if (event == &scenario->events[i])
            return true;
    return false;
}

void simnet_mishaps_befall(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                           const struct simnet_scenario_event *event)
{
    if (part_of(event->kind) == POWER) // what took it before is over, for it was up
        *strikes_of(mishaps, machine) &= ~strikes_at(mishaps, machine, POWER);
    if (is_own(mishaps, event))
        note(mishaps, machine, event);
    strike(mishaps, machine, event);
}

// ---- healing ----

static void heal(struct simnet_mishaps *mishaps, struct simnet_machine *machine, bool starts)
{
    if (machine->has_clock)
        simnet_clock_correct(simnet_host_clock(machine), simnet_world_now(machine->world), 0);
    *strikes_of(mishaps, machine) = 0;
    if (simnet_host_has_disk(machine)) {
        set_disk(mishaps, machine);
        release_disk(mishaps, machine);
    }
    simnet_machine_plug(machine);
    if (starts || machine->state == SIMNET_MACHINE_ASLEEP)
        simnet_mishaps_bring_back(mishaps, machine);
}

void simnet_mishaps_heal(struct simnet_mishaps *mishaps, bool starts)
{
    const struct simnet_network *network = mishaps->network;
    mishaps->is_healed = true;
    for (uint32_t i = 0; i < network->count; i++) {
        struct simnet_machine *machine = simnet_world_machine(network->world, network->first + i);
        if (machine->is_honest)
            heal(mishaps, machine, starts);
    }
}

// ---- life ----

struct simnet_mishaps *simnet_mishaps_new(struct simnet_network *network)
{
    struct simnet_mishaps *mishaps = simnet_world_need(calloc(1, sizeof *mishaps));
    mishaps->network = network;
    mishaps->strikes = simnet_world_need(calloc(network->count + 1, sizeof *mishaps->strikes));
    return mishaps;
}

void simnet_mishaps_free(struct simnet_mishaps *mishaps)
{
    free(mishaps->strikes);
    free(mishaps);
}

const struct simnet_mishaps_counters *simnet_mishaps_counters(const struct simnet_mishaps *mishaps)
{
    return &mishaps->counters;
}
