// SPDX-License-Identifier: MIT
#include "simnet/shield.h"

#include "simnet/world.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

// An address that was sent to, by its hash: chance meetings of 64 bits do not happen.
struct peer {
    uint64_t hash;
    int64_t sent_us;
};

// Sees what leaves. What arrives is seen by an element of its own, which has it by its address.
struct shield {
    struct simnet_element element;
    struct peer *peers; // a table of hashes; hash 0: free
    uint32_t count, capacity;
    int64_t timeout_us;
};

struct gate {
    struct simnet_element element;
    struct shield *shield;
};

static uint64_t hash_of(const struct dht_addr *addr)
{
    uint64_t hash = XXH3_64bits_withSeed(addr->ip, addr->ip_len, addr->port);
    return hash == 0 ? 1 : hash;
}

static struct peer *find(const struct shield *shield, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (shield->capacity - 1);
    while (shield->peers[at].hash != 0 && shield->peers[at].hash != hash)
        at = (at + 1) & (shield->capacity - 1);
    return &shield->peers[at];
}

// Forgets those who may not answer any more, and makes room.
static void grow(struct shield *shield, int64_t now_us)
{
    struct shield old = *shield;
    uint32_t live = 0;
    for (uint32_t i = 0; i < old.capacity; i++)
        live += old.peers[i].hash != 0 && now_us - old.peers[i].sent_us <= shield->timeout_us;
    if (old.capacity == 0)
        shield->capacity = 16;
    else if (live > old.capacity / 2 && old.capacity < 2 * SIMNET_SHIELD_PEERS)
        shield->capacity *= 2;
    else if (live > old.capacity / 2)
        live = 0; // a flood: all are forgotten
    shield->count = live;
    shield->peers = simnet_world_need(calloc(shield->capacity, sizeof *shield->peers));
    for (uint32_t i = 0; i < old.capacity && live > 0; i++)
        if (old.peers[i].hash != 0 && now_us - old.peers[i].sent_us <= shield->timeout_us)
            *find(shield, old.peers[i].hash) = old.peers[i];
    free(old.peers);
}

static void leave(struct simnet_element *element, struct simnet_world *world,
                  struct simnet_packet *packet)
{
    struct shield *shield = (struct shield *)element;
    uint64_t hash = hash_of(&packet->to);
    int64_t now_us = simnet_world_now(world);
    if (shield->count + 1 > shield->capacity / 4 * 3)
        grow(shield, now_us);
    struct peer *peer = find(shield, hash);
    shield->count += peer->hash == 0;
    *peer = (struct peer){hash, now_us};
    element->next = simnet_world_core(world);
    simnet_element_pass(element, world, packet);
}

static void enter(struct simnet_element *element, struct simnet_world *world,
                  struct simnet_packet *packet)
{
    const struct shield *shield = ((struct gate *)element)->shield;
    uint64_t hash = hash_of(&packet->from);
    const struct peer *peer = shield->capacity == 0 ? NULL : find(shield, hash);
    if (peer != NULL && peer->hash == hash &&
        simnet_world_now(world) - peer->sent_us <= shield->timeout_us)
        simnet_element_pass(element, world, packet);
    else
        simnet_element_drop(element, world, packet);
}

static void free_shield(struct simnet_element *element)
{
    free(((struct shield *)element)->peers);
    free(element);
}

static void free_gate(struct simnet_element *element)
{
    free(element);
}

static const struct simnet_element_class shield_class = {"firewall", leave, free_shield};
static const struct simnet_element_class gate_class = {"firewall", enter, free_gate};

struct simnet_machine *simnet_shield_add(struct simnet_world *world,
                                         const struct simnet_profile *profile,
                                         const struct dht_addr *addrs, size_t addr_count,
                                         int64_t timeout_us)
{
    struct shield *shield = simnet_world_need(calloc(1, sizeof *shield));
    struct gate *gate = simnet_world_need(calloc(1, sizeof *gate));
    shield->element.class = &shield_class;
    shield->timeout_us = timeout_us;
    gate->element.class = &gate_class;
    gate->shield = shield;
    simnet_world_own(world, &shield->element);
    simnet_world_own(world, &gate->element);
    struct simnet_machine *machine =
        simnet_world_add(world, profile, addrs, addr_count, &shield->element);
    gate->element.next = simnet_world_door(world, machine);
    for (size_t i = 0; i < addr_count; i++)
        simnet_world_listen(world, &addrs[i], &gate->element, machine->place);
    return machine;
}

bool simnet_shield_has(const struct simnet_machine *machine)
{
    return machine->way_out != NULL && machine->way_out->class == &shield_class;
}
