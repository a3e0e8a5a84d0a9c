// SPDX-License-Identifier: MIT
// Of a run of weather: what befalls single machines, and how it ends.
#include "simnet/weather_part.h"

#include "simnet/host.h"
#include "simnet/nat.h"
#include "simnet/population.h"

#define YEAR_US (365 * 24 * SIMNET_HOUR_US)

void simnet_weather_start(struct simnet_weather_sky *sky, struct simnet_machine *machine)
{
    uint32_t known[SIMNET_WEATHER_WELL_KNOWN];
    size_t count = 0;
    for (uint32_t i = 0; i < SIMNET_WEATHER_WELL_KNOWN; i++)
        if (i != machine->number && i < sky->weather->nodes)
            known[count++] = i;
    if (machine->state == SIMNET_MACHINE_OFF)
        simnet_machine_start(machine, known, count);
}

// ---- the ends of faults ----

static void start_again(struct simnet_world *world, void *ctx, uint64_t number)
{
    simnet_weather_start(ctx, simnet_world_machine(world, (uint32_t)number));
}

static void wake_up(struct simnet_world *world, void *ctx, uint64_t number)
{
    (void)ctx;
    simnet_machine_wake(simnet_world_machine(world, (uint32_t)number));
}

static void plug_in(struct simnet_world *world, void *ctx, uint64_t number)
{
    (void)ctx;
    simnet_machine_plug(simnet_world_machine(world, (uint32_t)number));
}

static void mend_disk(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_weather_sky *sky = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, (uint32_t)number);
    simnet_disk_configure(simnet_host_disk(machine), sky->is_healed ? NULL : &sky->disk);
}

// ---- faults ----

static void later(struct simnet_weather_sky *sky, int64_t most_us, simnet_task task,
                  const struct simnet_machine *machine)
{
    int64_t delay_us =
        SIMNET_SECOND_US / 10 + (int64_t)simnet_stream_below(&sky->stream, (uint64_t)most_us);
    simnet_world_at(sky->world, simnet_world_now(sky->world) + delay_us, task, sky,
                    machine->number);
}

static void break_disk(struct simnet_weather_sky *sky, struct simnet_machine *machine,
                       enum simnet_weather_fault fault)
{
    struct simnet_disk *disk = simnet_host_disk(machine);
    struct simnet_disk_config config = simnet_disk_config(disk);
    if (fault == SIMNET_WEATHER_STICK) {
        int64_t for_us = (int64_t)simnet_stream_below(&sky->stream, 30 * SIMNET_SECOND_US);
        simnet_disk_stick(disk, simnet_world_now(sky->world) + for_us);
        return;
    }
    if (fault == SIMNET_WEATHER_FAIL)
        config.fail_share = simnet_stream_chance(&sky->stream, 0.3) ? 1 : 0.4;
    else
        config.capacity = 1 + simnet_disk_bytes(disk);
    simnet_disk_configure(disk, &config);
    later(sky, 60 * SIMNET_SECOND_US, mend_disk, machine);
}

static void jump(struct simnet_weather_sky *sky, struct simnet_machine *machine)
{
    static const int64_t by_us[] = {SIMNET_SECOND_US, SIMNET_HOUR_US, 24 * SIMNET_HOUR_US, YEAR_US};
    int64_t far_us = by_us[simnet_stream_below(&sky->stream, 4)];
    int64_t drawn_us = 1 + (int64_t)simnet_stream_below(&sky->stream, (uint64_t)far_us);
    bool is_back = simnet_stream_chance(&sky->stream, 0.5);
    simnet_host_jump(machine, is_back ? -drawn_us : drawn_us);
}

// Ends the machine's brain in one of the ways in which that happens.
static void end(struct simnet_weather_sky *sky, struct simnet_machine *machine,
                enum simnet_weather_fault fault)
{
    switch (fault) {
    case SIMNET_WEATHER_CRASH:
        simnet_machine_crash(machine);
        break;
    case SIMNET_WEATHER_CUT:
        simnet_host_cut_after(machine, simnet_stream_below(&sky->stream, 200));
        // It is cut when it comes to it; who starts it looks again.
        for (int i = 0; i < 3; i++)
            later(sky, 90 * SIMNET_SECOND_US, start_again, machine);
        return;
    case SIMNET_WEATHER_KILL:
        simnet_machine_kill(machine);
        break;
    default:
        simnet_machine_stop(machine);
    }
    later(sky, 60 * SIMNET_SECOND_US, start_again, machine);
}

static void befall(struct simnet_weather_sky *sky, struct simnet_machine *machine,
                   enum simnet_weather_fault fault)
{
    switch (fault) {
    case SIMNET_WEATHER_SLEEP:
        simnet_machine_sleep(machine);
        later(sky, 90 * SIMNET_SECOND_US, wake_up, machine);
        return;
    case SIMNET_WEATHER_MOVE: {
        struct simnet_nat *nat = simnet_nat_of(machine);
        if (nat != NULL) {
            simnet_nat_reboot(nat);
            return;
        }
        struct dht_addr addr =
            simnet_population_ipv4(simnet_world_seed(sky->world), sky->addresses++);
        simnet_machine_move(machine, 0, &addr);
        return;
    }
    case SIMNET_WEATHER_UNPLUG:
        simnet_machine_unplug(machine);
        later(sky, 60 * SIMNET_SECOND_US, plug_in, machine);
        return;
    case SIMNET_WEATHER_STICK:
    case SIMNET_WEATHER_FAIL:
    case SIMNET_WEATHER_FULL:
        break_disk(sky, machine, fault);
        return;
    case SIMNET_WEATHER_JUMP:
        jump(sky, machine);
        return;
    default:
        end(sky, machine, fault);
    }
}

static void strike(struct simnet_world *world, void *ctx, uint64_t fault)
{
    struct simnet_weather_sky *sky = ctx;
    uint32_t number = (uint32_t)simnet_stream_below(&sky->stream, sky->weather->nodes);
    struct simnet_machine *machine = simnet_world_machine(world, number);
    // Every second one strikes where it hurts.
    if (simnet_stream_chance(&sky->stream, 0.5)) {
        uint32_t begun = simnet_application_begun(sky->application);
        uint32_t at = (uint32_t)simnet_stream_below(&sky->stream, begun);
        machine = simnet_application_publisher(sky->application, at)->machine;
    }
    if (!sky->is_healed && machine->state == SIMNET_MACHINE_UP && machine->actor == NULL)
        befall(sky, machine, (enum simnet_weather_fault)fault);
}

static bool publishes(const struct simnet_weather_sky *sky, const struct simnet_machine *machine)
{
    for (uint32_t i = 0; i < simnet_application_begun(sky->application); i++)
        if (simnet_application_publisher(sky->application, i)->machine == machine)
            return true;
    return false;
}

static void turn_some(struct simnet_weather_sky *sky)
{
    for (uint32_t i = SIMNET_WEATHER_WELL_KNOWN; i < sky->weather->nodes; i++) {
        struct simnet_machine *machine = simnet_world_machine(sky->world, i);
        if (simnet_stream_chance(&sky->stream, sky->weather->adversary_share) &&
            machine->way_out == NULL && !publishes(sky, machine))
            simnet_adversary_turn(sky->world, machine, sky->league, sky->weather->adversary);
    }
}

void simnet_weather_faults_plan(struct simnet_weather_sky *sky)
{
    turn_some(sky);
    uint64_t span_us = (uint64_t)sky->weather->faults_us;
    for (int fault = 0; fault < SIMNET_WEATHER_FAULTS; fault++)
        for (uint32_t i = 0; i < sky->weather->faults[fault]; i++)
            simnet_world_at(sky->world,
                            simnet_world_now(sky->world) +
                                (int64_t)simnet_stream_below(&sky->stream, span_us),
                            strike, sky, (uint64_t)fault);
}

// ---- healing ----

static void heal(struct simnet_weather_sky *sky, struct simnet_machine *machine)
{
    if (machine->actor != NULL) {
        simnet_machine_crash(machine); // and is not seen again
        return;
    }
    if (machine->has_clock) {
        struct simnet_clock *clock = simnet_host_clock(machine);
        simnet_clock_correct(clock, simnet_world_now(sky->world), 0);
    }
    struct simnet_disk *disk = simnet_host_disk(machine);
    simnet_host_cut_after(machine, UINT64_MAX); // not any more
    simnet_disk_configure(disk, NULL);
    simnet_disk_stick(disk, simnet_world_now(sky->world));
    simnet_machine_plug(machine);
    simnet_machine_wake(machine);
    simnet_weather_start(sky, machine);
}

void simnet_weather_faults_heal(struct simnet_weather_sky *sky)
{
    sky->is_healed = true;
    for (uint32_t i = 0; i < sky->weather->nodes; i++)
        heal(sky, simnet_world_machine(sky->world, i));
}
