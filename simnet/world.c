// SPDX-License-Identifier: MIT
#include "simnet/world.h"

#include "simnet/directory.h"
#include "simnet/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// What an event means: two bits of kind, and a number.
#define KIND_SHIFT    30
#define NUMBER_MASK   ((UINT32_C(1) << KIND_SHIFT) - 1)
#define MACHINES_BITS 12 // machines in a slab
#define MACHINES_SLAB (UINT32_C(1) << MACHINES_BITS)
#define MACHINES_MAX  (UINT32_C(1) << 26)
#define LISTENER_FLAG (UINT32_C(1) << 31) // in the directory: an element, not a machine

enum kind { KIND_PACKET, KIND_MACHINE, KIND_TASK };

struct task {
    simnet_task run;
    void *ctx;
    uint64_t number;
    uint32_t next_spare;
};

struct listener {
    struct simnet_element *entry;
    uint32_t place;
};

struct door {
    struct simnet_element element;
    struct simnet_machine *machine;
};

struct simnet_world {
    uint64_t seed;
    int64_t now_us;
    uint64_t hash;
    struct simnet_queue *queue;
    struct simnet_packet_pool *packets;
    struct simnet_element *core; // the first of the internet's chain, or the route
    struct simnet_element route;
    struct simnet_element **owned;
    uint32_t owned_count, owned_capacity;
    struct simnet_machine **slabs;
    uint32_t slab_count;
    uint32_t machine_count;
    struct simnet_directory directory;
    struct listener *listeners;
    uint32_t listener_count, listener_capacity;
    struct task *tasks;
    uint32_t task_count, task_capacity;
    uint32_t task_spare; // the first of those done with, plus 1; 0: none
    struct simnet_tap *taps;
    struct simnet_counters counters;
};

void *simnet_world_need(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "simnet: out of memory\n");
        abort();
    }
    return memory;
}

// Room for one more in an array that doubles.
static void *grown(void *array, uint32_t count, uint32_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity == 0 ? 16 : 2 * *capacity;
    return simnet_world_need(realloc(array, *capacity * size));
}

static void route(struct simnet_element *element, struct simnet_world *world,
                  struct simnet_packet *packet);

static const struct simnet_element_class route_class = {"route", route, NULL};

struct simnet_world *simnet_world_new(uint64_t seed)
{
    struct simnet_world *world = simnet_world_need(calloc(1, sizeof *world));
    world->seed = seed;
    world->hash = seed;
    world->now_us = SIMNET_START_US;
    world->queue = simnet_queue_new(world->now_us);
    world->packets = simnet_world_need(simnet_packet_pool_new());
    world->route.class = &route_class;
    world->core = &world->route;
    return world;
}

static void free_machine(struct simnet_machine *machine)
{
    node_free(machine->node);
    if (machine->actor != NULL && machine->actor->class->free != NULL)
        machine->actor->class->free(machine->actor);
    simnet_host_free(machine->host);
}

void simnet_world_free(struct simnet_world *world)
{
    if (world == NULL)
        return;
    for (uint32_t i = 0; i < world->machine_count; i++)
        free_machine(simnet_world_machine(world, i));
    for (uint32_t i = 0; i < world->slab_count; i++)
        free(world->slabs[i]);
    for (uint32_t i = 0; i < world->owned_count; i++)
        if (world->owned[i]->class->free != NULL)
            world->owned[i]->class->free(world->owned[i]);
    free(world->slabs);
    free(world->owned);
    free(world->listeners);
    free(world->tasks);
    simnet_directory_fini(&world->directory);
    simnet_queue_free(world->queue);
    simnet_packet_pool_free(world->packets);
    free(world);
}

uint64_t simnet_world_seed(const struct simnet_world *world)
{
    return world->seed;
}

int64_t simnet_world_now(const struct simnet_world *world)
{
    return world->now_us;
}

int64_t simnet_world_wall(const struct simnet_world *world)
{
    return SIMNET_WALL_START_US + world->now_us - SIMNET_START_US;
}

uint64_t simnet_world_hash(const struct simnet_world *world)
{
    return world->hash;
}

const struct simnet_counters *simnet_world_counters(const struct simnet_world *world)
{
    return &world->counters;
}

// ---- taps ----

void simnet_world_tap(struct simnet_world *world, struct simnet_tap *tap)
{
    simnet_tap_add(&world->taps, tap);
}

void simnet_world_untap(struct simnet_world *world, struct simnet_tap *tap)
{
    simnet_tap_remove(&world->taps, tap);
}

void simnet_world_see_out(struct simnet_world *world, struct simnet_machine *machine,
                          const struct node_out *out)
{
    simnet_tap_tell_out(world->taps, world, machine, out);
}

static void tell(struct simnet_world *world, enum simnet_tap_event event,
                 const struct simnet_machine *machine, const struct simnet_element *element,
                 const struct simnet_packet *packet)
{
    simnet_tap_tell(world->taps, world,
                    &(struct simnet_tap_sight){event, machine, element, packet});
}

// ---- the network ----

void simnet_world_own(struct simnet_world *world, struct simnet_element *element)
{
    world->owned =
        grown(world->owned, world->owned_count, &world->owned_capacity, sizeof *world->owned);
    world->owned[world->owned_count++] = element;
}

size_t simnet_world_elements(const struct simnet_world *world,
                             struct simnet_element *const **ret_all)
{
    *ret_all = world->owned;
    return world->owned_count;
}

void simnet_world_internet(struct simnet_world *world, struct simnet_element *element)
{
    struct simnet_element **link = &world->core;
    while (*link != &world->route)
        link = &(*link)->next;
    *link = element;
    element->next = &world->route;
    simnet_world_own(world, element);
}

struct simnet_element *simnet_world_core(struct simnet_world *world)
{
    return world->core;
}

static void enter_door(struct simnet_element *element, struct simnet_world *world,
                       struct simnet_packet *packet)
{
    const struct door *door = (struct door *)element;
    simnet_world_deliver(world, packet, door->machine);
}

static void free_door(struct simnet_element *element)
{
    free(element);
}

struct simnet_element *simnet_world_door(struct simnet_world *world, struct simnet_machine *machine)
{
    static const struct simnet_element_class class = {"door", enter_door, free_door};
    struct door *door = simnet_world_need(calloc(1, sizeof *door));
    door->element.class = &class;
    door->machine = machine;
    simnet_world_own(world, &door->element);
    return &door->element;
}

void simnet_world_listen(struct simnet_world *world, const struct dht_addr *addr,
                         struct simnet_element *entry, uint32_t place)
{
    world->listeners = grown(world->listeners, world->listener_count, &world->listener_capacity,
                             sizeof *world->listeners);
    world->listeners[world->listener_count] = (struct listener){entry, place};
    if (!simnet_directory_set(&world->directory, addr, world->listener_count | LISTENER_FLAG))
        simnet_world_need(NULL);
    world->listener_count++;
}

void simnet_world_unlisten(struct simnet_world *world, const struct dht_addr *addr)
{
    simnet_directory_remove(&world->directory, addr);
}

struct simnet_packet *simnet_world_packet(struct simnet_world *world, size_t len)
{
    struct simnet_packet *packet = simnet_world_need(simnet_packet_take(world->packets, len));
    packet->len = (uint16_t)len;
    return packet;
}

struct simnet_packet *simnet_world_copy(struct simnet_world *world,
                                        const struct simnet_packet *packet)
{
    struct simnet_packet *copy = simnet_world_packet(world, packet->len);
    uint32_t index = copy->index;
    memcpy(copy, packet, sizeof *packet + packet->len);
    copy->index = index;
    return copy;
}

void simnet_world_delay(struct simnet_world *world, struct simnet_packet *packet,
                        struct simnet_element *element, int64_t due_us)
{
    assert(due_us >= world->now_us);
    packet->next = element;
    simnet_queue_put(world->queue, due_us, packet->index | (uint32_t)KIND_PACKET << KIND_SHIFT);
}

void simnet_world_drop(struct simnet_world *world, struct simnet_packet *packet,
                       const struct simnet_element *element)
{
    tell(world, SIMNET_TAP_DROPPED, NULL, element, packet);
    simnet_packet_give(world->packets, packet);
}

uint32_t simnet_world_place(const struct simnet_world *world, const struct dht_addr *addr)
{
    uint32_t value = simnet_directory_find(&world->directory, addr);
    if (value == SIMNET_DIRECTORY_NOBODY)
        return SIMNET_PACKET_NOBODY;
    if (value & LISTENER_FLAG)
        return world->listeners[value & ~LISTENER_FLAG].place;
    return value;
}

void simnet_world_send(struct simnet_world *world, struct simnet_machine *machine, int engine,
                       const struct dht_datagram *datagram)
{
    if (machine->is_unplugged)
        return; // its system has no way for it
    struct simnet_packet *packet = simnet_world_packet(world, datagram->bytes.len);
    packet->from = machine->addrs[engine];
    packet->to = datagram->addr;
    packet->sender = machine->number;
    packet->place_from = machine->place;
    packet->place_to = simnet_world_place(world, &datagram->addr);
    packet->sent_us = world->now_us;
    memcpy(packet->bytes, datagram->bytes.data, datagram->bytes.len);
    world->counters.sent++;
    world->counters.sent_bytes += packet->len;
    if (world->taps != NULL)
        tell(world, SIMNET_TAP_SENT, machine, NULL, packet);
    struct simnet_element *first = machine->way_out != NULL ? machine->way_out : world->core;
    first->class->forward(first, world, packet);
}

static bool is_at(const struct simnet_machine *machine, const struct dht_addr *addr)
{
    for (uint8_t i = 0; i < machine->address_count; i++)
        if (machine->addrs[i].port == addr->port && machine->addrs[i].ip_len == addr->ip_len &&
            memcmp(machine->addrs[i].ip, addr->ip, addr->ip_len) == 0)
            return true;
    return false;
}

static void route(struct simnet_element *element, struct simnet_world *world,
                  struct simnet_packet *packet)
{
    // Where it was to go when it was sent is where it goes, most often.
    uint32_t value = packet->place_to;
    if (value >= world->machine_count || simnet_world_machine(world, value)->way_out != NULL ||
        !is_at(simnet_world_machine(world, value), &packet->to))
        value = simnet_directory_find(&world->directory, &packet->to);
    if (value == SIMNET_DIRECTORY_NOBODY) {
        world->counters.nobody++;
        simnet_element_drop(element, world, packet);
        return;
    }
    element->passed++;
    if (value & LISTENER_FLAG) {
        struct simnet_element *entry = world->listeners[value & ~LISTENER_FLAG].entry;
        entry->class->forward(entry, world, packet);
        return;
    }
    simnet_world_deliver(world, packet, simnet_world_machine(world, value));
}

static void mix(struct simnet_world *world, uint64_t what, const void *bytes, size_t len)
{
    uint64_t seed = (world->hash ^ (uint64_t)world->now_us) * UINT64_C(0x9e3779b97f4a7c15) + what;
    world->hash = XXH3_64bits_withSeed(bytes, len, seed);
}

static int engine_at(const struct simnet_machine *machine, const struct dht_addr *addr)
{
    for (int i = 0; i < machine->address_count; i++)
        if (machine->addrs[i].ip_len == addr->ip_len)
            return i;
    return -1;
}

void simnet_world_deliver(struct simnet_world *world, struct simnet_packet *packet,
                          struct simnet_machine *machine)
{
    int engine = engine_at(machine, &packet->to);
    if (machine->state != SIMNET_MACHINE_UP || machine->is_unplugged || engine < 0) {
        world->counters.nobody++;
        simnet_world_drop(world, packet, &world->route);
        return;
    }
    world->counters.delivered++;
    world->counters.delivered_bytes += packet->len;
    mix(world, machine->number, packet->bytes, packet->len);
    if (world->taps != NULL)
        tell(world, SIMNET_TAP_DELIVERED, machine, NULL, packet);
    struct dht_datagram datagram = {packet->from, {packet->bytes, packet->len}};
    if (machine->actor != NULL)
        machine->actor->class->receive(machine->actor, world, machine, &datagram, engine);
    else if (machine->node != NULL) // a tap may have ended it
        node_receive(machine->node, simnet_machine_enter(machine), engine, &datagram, 1);
    simnet_packet_give(world->packets, packet);
    simnet_machine_settle(machine);
}

// ---- machines ----

struct simnet_machine *simnet_world_machine(const struct simnet_world *world, uint32_t number)
{
    assert(number < world->machine_count);
    return &world->slabs[number >> MACHINES_BITS][number & (MACHINES_SLAB - 1)];
}

uint32_t simnet_world_machines(const struct simnet_world *world)
{
    return world->machine_count;
}

static void add_slab(struct simnet_world *world)
{
    world->slabs =
        simnet_world_need(realloc(world->slabs, (world->slab_count + 1) * sizeof *world->slabs));
    size_t size = MACHINES_SLAB * sizeof(struct simnet_machine);
    struct simnet_machine *slab = simnet_world_need(aligned_alloc(64, (size + 63) / 64 * 64));
    memset(slab, 0, size);
    world->slabs[world->slab_count++] = slab;
}

struct simnet_machine *simnet_world_add(struct simnet_world *world,
                                        const struct simnet_profile *profile,
                                        const struct dht_addr *addrs, size_t addr_count,
                                        struct simnet_element *way_out)
{
    assert(world->machine_count < MACHINES_MAX && addr_count <= NODE_ENGINES_MAX);
    if (world->machine_count >> MACHINES_BITS == world->slab_count)
        add_slab(world);
    uint32_t number = world->machine_count++;
    struct simnet_machine *machine = simnet_world_machine(world, number);
    *machine = (struct simnet_machine){
        .world = world,
        .armed_us = INT64_MAX,
        .profile = profile,
        .way_out = way_out,
        .number = number,
        .place = number,
        .address_count = (uint8_t)addr_count,
        .is_honest = true,
    };
    for (size_t i = 0; i < addr_count; i++) {
        machine->addrs[i] = addrs[i];
        if (way_out == NULL && !simnet_directory_set(&world->directory, &addrs[i], number))
            simnet_world_need(NULL);
    }
    return machine;
}

struct simnet_machine *simnet_world_find(const struct simnet_world *world,
                                         const struct dht_addr *addr)
{
    uint32_t value = simnet_directory_find(&world->directory, addr);
    if (value == SIMNET_DIRECTORY_NOBODY || value & LISTENER_FLAG)
        return NULL;
    return simnet_world_machine(world, value);
}

void simnet_world_rename(struct simnet_world *world, struct simnet_machine *machine, int engine,
                         const struct dht_addr *addr)
{
    if (machine->way_out == NULL) {
        if (simnet_world_find(world, &machine->addrs[engine]) == machine)
            simnet_directory_remove(&world->directory, &machine->addrs[engine]);
        if (!simnet_directory_set(&world->directory, addr, machine->number))
            simnet_world_need(NULL);
    }
    machine->addrs[engine] = *addr;
}

// ---- time ----

void simnet_world_at(struct simnet_world *world, int64_t at_us, simnet_task run, void *ctx,
                     uint64_t number)
{
    uint32_t index = world->task_spare;
    if (index != 0) {
        index--;
        world->task_spare = world->tasks[index].next_spare;
    } else {
        world->tasks =
            grown(world->tasks, world->task_count, &world->task_capacity, sizeof *world->tasks);
        index = world->task_count++;
    }
    world->tasks[index] = (struct task){run, ctx, number, 0};
    int64_t due_us = at_us > world->now_us ? at_us : world->now_us;
    simnet_queue_put(world->queue, due_us, index | (uint32_t)KIND_TASK << KIND_SHIFT);
}

void simnet_world_wake(struct simnet_world *world, struct simnet_machine *machine, int64_t at_us)
{
    if (at_us >= machine->armed_us)
        return; // it will see for itself
    machine->armed_us = at_us > world->now_us ? at_us : world->now_us;
    simnet_queue_put(world->queue, machine->armed_us,
                     machine->number | (uint32_t)KIND_MACHINE << KIND_SHIFT);
}

static void run_task(struct simnet_world *world, uint32_t index)
{
    struct task task = world->tasks[index];
    world->tasks[index].next_spare = world->task_spare;
    world->task_spare = index + 1;
    task.run(world, task.ctx, task.number);
}

static void wake(struct simnet_world *world, struct simnet_machine *machine)
{
    if (machine->armed_us > world->now_us)
        return; // of an earlier arming
    machine->armed_us = INT64_MAX;
    if (machine->state != SIMNET_MACHINE_UP)
        return;
    int64_t now_us = simnet_machine_enter(machine);
    int64_t deadline_us = simnet_machine_deadline(machine);
    if (deadline_us <= now_us) {
        world->counters.wakings++;
        mix(world, machine->number, &deadline_us, sizeof deadline_us);
        if (machine->actor == NULL)
            node_tick(machine->node, now_us);
        else
            machine->actor->class->tick(machine->actor, world, machine);
    }
    simnet_machine_settle(machine);
}

// How far ahead of its event what a machine's brain will touch is fetched, step by step.
#define AHEAD_PACKET  16
#define AHEAD_MACHINE 12
#define AHEAD_NODE    9 // and each further step AHEAD_STEP events later
#define AHEAD_STEP    3

// The machine that the event will touch, as far as can be told; NULL: none.
static const struct simnet_machine *machine_of(const struct simnet_world *world, uint32_t what)
{
    uint32_t number = what & NUMBER_MASK;
    if (what >> KIND_SHIFT == KIND_PACKET)
        number = simnet_packet_at(world->packets, number)->place_to;
    else if (what >> KIND_SHIFT != KIND_MACHINE)
        return NULL;
    return number < world->machine_count ? simnet_world_machine(world, number) : NULL;
}

// Fetches what the events after this one will touch, step by step as they come nearer: at a million
// machines nothing of it is in the cache.
static void fetch_ahead(const struct simnet_world *world)
{
    struct simnet_event event;
    if (simnet_queue_peek(world->queue, AHEAD_PACKET, &event) &&
        event.what >> KIND_SHIFT == KIND_PACKET) {
        const char *packet = (char *)simnet_packet_at(world->packets, event.what & NUMBER_MASK);
        for (size_t line = 0; line < 4; line++)
            __builtin_prefetch(packet + line * 64);
    }
    if (simnet_queue_peek(world->queue, AHEAD_MACHINE, &event)) {
        const struct simnet_machine *machine = machine_of(world, event.what);
        __builtin_prefetch(machine);
        __builtin_prefetch((const char *)machine + 64);
    }
    for (int step = 0; step < 3; step++) {
        uint32_t ahead = (uint32_t)(AHEAD_NODE - step * AHEAD_STEP);
        if (!simnet_queue_peek(world->queue, ahead, &event))
            continue;
        const struct simnet_machine *machine = machine_of(world, event.what);
        if (machine != NULL && machine->node != NULL)
            node_prefetch(machine->node, 0, step);
    }
}

static void handle(struct simnet_world *world, uint32_t what)
{
    uint32_t number = what & NUMBER_MASK;
    switch ((enum kind)(what >> KIND_SHIFT)) {
    case KIND_PACKET: {
        struct simnet_packet *packet = simnet_packet_at(world->packets, number);
        packet->next->class->forward(packet->next, world, packet);
        return;
    }
    case KIND_MACHINE:
        wake(world, simnet_world_machine(world, number));
        return;
    case KIND_TASK:
        run_task(world, number);
        return;
    }
}

void simnet_world_run(struct simnet_world *world, int64_t until_us)
{
    struct simnet_event event;
    while (simnet_queue_take(world->queue, until_us, &event)) {
        assert(event.due_us >= world->now_us);
        world->now_us = event.due_us;
        world->counters.events++;
        fetch_ahead(world);
        handle(world, event.what);
    }
    if (until_us > world->now_us)
        world->now_us = until_us;
}
