// SPDX-License-Identifier: MIT
#include "simnet/mishaps.h"

#include "simnet/host.h"
#include "simnet/nat.h"

#include <stdlib.h>

#define EVENT_SHIFT 32 // in the number of a task, above the machine's

struct simnet_mishaps {
    struct simnet_network *network;
    bool is_healed;
    struct simnet_mishaps_counters counters;
};

// ---- ends ----

void simnet_mishaps_bring_back(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    if (machine->state == SIMNET_MACHINE_OFF) {
        simnet_network_start(mishaps->network, machine);
        mishaps->counters.returns++;
    } else if (machine->state == SIMNET_MACHINE_ASLEEP) {
        simnet_machine_wake(machine);
        mishaps->counters.returns++;
    }
}

static void mend_disk(struct simnet_mishaps *mishaps, struct simnet_machine *machine)
{
    struct simnet_disk *disk = simnet_host_disk(machine);
    simnet_disk_configure(disk, mishaps->network->profile.disk);
    simnet_disk_stick(disk, simnet_world_now(mishaps->network->world));
    if (machine->node == NULL || machine->state != SIMNET_MACHINE_UP)
        return;
    machine->has_answers = true; // what was stuck ends now
    simnet_machine_settle(machine);
}

static void end(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_mishaps *mishaps = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, (uint32_t)number);
    const struct simnet_scenario_event *event =
        &mishaps->network->scenario->events[number >> EVENT_SHIFT];
    if (mishaps->is_healed)
        return; // it ended then
    switch ((enum simnet_scenario_event_kind)event->kind) {
    case SIMNET_SCENARIO_LOSE:
    case SIMNET_SCENARIO_STOP:
    case SIMNET_SCENARIO_KILL:
    case SIMNET_SCENARIO_SLEEP:
        simnet_mishaps_bring_back(mishaps, machine);
        return;
    case SIMNET_SCENARIO_UNPLUG:
        simnet_machine_plug(machine);
        return;
    case SIMNET_SCENARIO_DISK_FAILS:
    case SIMNET_SCENARIO_DISK_FILLS:
    case SIMNET_SCENARIO_DISK_STICKS:
        mend_disk(mishaps, machine);
        return;
    case SIMNET_SCENARIO_CLOCK_JUMP:
        simnet_host_jump(machine, -event->by_us);
        return;
    case SIMNET_SCENARIO_RETURN:
    case SIMNET_SCENARIO_LOSS:
    case SIMNET_SCENARIO_MOVE:
    case SIMNET_SCENARIO_NAT_REBOOT:
        return; // they have none
    }
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
    struct simnet_disk_config config = simnet_disk_config(disk);
    mishaps->counters.disk_faults++;
    if (event->kind == SIMNET_SCENARIO_DISK_STICKS) {
        simnet_disk_stick(disk, simnet_world_now(mishaps->network->world) + event->for_us);
        return;
    }
    if (event->kind == SIMNET_SCENARIO_DISK_FAILS)
        config.fail_share = event->writes;
    else
        config.capacity = 1 + simnet_disk_bytes(disk); // 0 would be no end
    simnet_disk_configure(disk, &config);
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

void simnet_mishaps_befall(struct simnet_mishaps *mishaps, struct simnet_machine *machine,
                           const struct simnet_scenario_event *event)
{
    struct simnet_network *network = mishaps->network;
    strike(mishaps, machine, event);
    if (event->for_us == 0)
        return;
    uint64_t place = (uint64_t)(event - network->scenario->events);
    simnet_world_at(network->world, simnet_world_now(network->world) + event->for_us, end, mishaps,
                    place << EVENT_SHIFT | machine->number);
}

// ---- healing ----

static void heal(struct simnet_mishaps *mishaps, struct simnet_machine *machine, bool starts)
{
    if (machine->has_clock)
        simnet_clock_correct(simnet_host_clock(machine), simnet_world_now(machine->world), 0);
    if (simnet_host_has_disk(machine))
        mend_disk(mishaps, machine);
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
    return mishaps;
}

void simnet_mishaps_free(struct simnet_mishaps *mishaps)
{
    free(mishaps);
}

const struct simnet_mishaps_counters *simnet_mishaps_counters(const struct simnet_mishaps *mishaps)
{
    return &mishaps->counters;
}
