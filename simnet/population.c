// SPDX-License-Identifier: MIT
#include "simnet/population.h"

#include "dht/addr.h"

#include <stdlib.h>
#include <string.h>

#define DRAWS_MAX 64

// A permutation of 32 bits: four rounds of Feistel's network, so that no two numbers meet.
static uint32_t permute(uint64_t seed, uint32_t number)
{
    uint32_t left = number >> 16;
    uint32_t right = number & 0xffff;
    for (uint64_t round = 0; round < 4; round++) {
        uint32_t mixed = (uint32_t)simnet_stream_pair(seed, round, right) & 0xffff;
        uint32_t next = left ^ mixed;
        left = right;
        right = next;
    }
    return left << 16 | right;
}

struct dht_addr simnet_population_ipv4(uint64_t seed, uint32_t number)
{
    struct dht_addr addr = {.ip_len = 4};
    // Walking the permutation until it leads to a public address keeps it one to one.
    uint32_t ip = number;
    do {
        ip = permute(seed, ip);
        for (int i = 0; i < 4; i++)
            addr.ip[i] = (uint8_t)(ip >> (24 - 8 * i));
        addr.port = (uint16_t)(1024 + simnet_stream_pair(seed, 4, ip) % 64000);
    } while (dht_addr_is_martian(&addr) || dht_addr_is_local(&addr));
    return addr;
}

struct dht_addr simnet_population_ipv6(uint64_t seed, uint32_t number)
{
    struct dht_addr addr = {.ip = {0x20, 0x01}, .ip_len = 16};
    uint64_t high = simnet_stream_pair(seed, 6, number);
    addr.ip[0] = 0x24 + (uint8_t)(high & 7); // 2400::/6: what the registries give out
    memcpy(addr.ip + 1, (const uint8_t *)&high + 1, 5);
    memcpy(addr.ip + 12, &number, 4);
    addr.port = (uint16_t)(1024 + simnet_stream_pair(seed, 7, number) % 64000);
    return addr;
}

struct join {
    struct simnet_stream stream;
    uint32_t first, count;
    int64_t begin_us, join_us;
};

static void join_next(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct join *join = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, join->first + (uint32_t)number);
    uint32_t known[64];
    size_t count = 0;
    uint32_t wanted = machine->profile->bootstrap_count;
    for (uint32_t i = 0; i < wanted && i < 64 && number > 0; i++) {
        uint32_t other = join->first + (uint32_t)simnet_stream_below(&join->stream, number);
        if (simnet_world_machine(world, other)->state == SIMNET_MACHINE_UP)
            known[count++] = other;
    }
    if (machine->state == SIMNET_MACHINE_OFF)
        simnet_machine_start(machine, known, count);
    if (++number == join->count) {
        free(join);
        return;
    }
    int64_t at_us =
        join->begin_us + (int64_t)((double)join->join_us * (double)number / join->count);
    simnet_world_at(world, at_us, join_next, join, number);
}

uint32_t simnet_population_join(struct simnet_world *world, const struct simnet_profile *profile,
                                uint32_t count, int64_t join_us)
{
    uint32_t first = simnet_world_machines(world);
    for (uint32_t i = 0; i < count; i++) {
        struct dht_addr addr = simnet_population_ipv4(simnet_world_seed(world), first + i);
        simnet_world_add(world, profile, &addr, 1, NULL);
    }
    if (count == 0)
        return first;
    struct join *join = simnet_world_need(malloc(sizeof *join));
    *join = (struct join){
        .first = first, .count = count, .begin_us = simnet_world_now(world), .join_us = join_us};
    simnet_stream_init(&join->stream, simnet_world_seed(world), "join", first);
    simnet_world_at(world, join->begin_us, join_next, join, 0);
    return first;
}

struct simnet_machine *simnet_population_draw(struct simnet_world *world,
                                              struct simnet_stream *stream, uint32_t first,
                                              uint32_t count)
{
    for (int i = 0; i < DRAWS_MAX; i++) {
        uint32_t number = first + (uint32_t)simnet_stream_below(stream, count);
        struct simnet_machine *machine = simnet_world_machine(world, number);
        if (machine->state == SIMNET_MACHINE_UP)
            return machine;
    }
    return NULL;
}
