// SPDX-License-Identifier: MIT
#include "simnet/population.h"

#include "dht/addr.h"
#include "simnet/nat.h"
#include "simnet/shield.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS_MAX     64
#define DEAD_MACHINES 64 // whose addresses newcomers are told

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

// ---- addresses of providers ----

static bool is_public(const struct dht_addr *addr)
{
    return !dht_addr_is_martian(addr) && !dht_addr_is_local(addr);
}

static bool is_taken(const struct simnet_world *world, const struct dht_addr *addr)
{
    return simnet_world_place(world, addr) != SIMNET_PACKET_NOBODY;
}

// The rest of an address whose first bytes are given, and its port: drawn.
static void draw_rest(struct simnet_stream *stream, struct dht_addr *addr, uint8_t from)
{
    simnet_stream_bytes(stream, addr->ip + from, (uint32_t)addr->ip_len - from);
    addr->port = (uint16_t)(1024 + simnet_stream_below(stream, 64000));
}

struct dht_addr simnet_population_near(struct simnet_world *world, struct simnet_stream *stream,
                                       const struct dht_addr *addr)
{
    struct dht_addr near = *addr;
    bool is_anywhere = !is_public(addr);
    do {
        draw_rest(stream, &near, is_anywhere ? 0 : addr->ip_len == 4 ? 2 : 4);
        if (is_anywhere && near.ip_len == 16)
            near.ip[0] = 0x24 + (near.ip[0] & 7); // 2400::/6
    } while (!is_public(&near) || is_taken(world, &near));
    return near;
}

// ---- populations ----

// A population while it joins. No packet passes it: it is an element so that the world frees it,
// however far it has come.
struct join {
    struct simnet_element element;
    struct simnet_population_config config;
    struct simnet_stream stream;      // whom newcomers are told of
    struct simnet_stream address;     // addresses and kinds
    struct dht_addr shared[2];        // the address that the next of shared_share lives at
    uint32_t shared_left[2];          // and for how many more; by family, IPv4 first
    uint32_t first, dead_first, dead; // machines
    int64_t begin_us;
};

// The network of a provider: large ones, which have low numbers, are drawn more often. Half of all
// machines are in a quarter of the networks.
static void draw_provider(struct join *join, struct dht_addr *addr)
{
    const struct simnet_population_config *config = &join->config;
    uint32_t providers = config->count / config->per_provider + 1;
    double unit = simnet_stream_unit(&join->address);
    uint32_t provider = (uint32_t)(unit * unit * providers);
    uint32_t nets = config->per_net == 0 ? 0 : config->per_provider / config->per_net + 1;
    uint64_t net = simnet_stream_below(&join->address, nets == 0 ? UINT64_MAX : nets);
    uint8_t whole = addr->ip_len == 4 ? 3 : 6; // bytes of the net
    for (uint64_t salt = 0;; salt++) {
        uint64_t seed = simnet_stream_pair(join->first, provider, salt << 8 | addr->ip_len);
        uint64_t low = simnet_stream_pair(seed, net, 1);
        memcpy(addr->ip, &seed, 4);
        if (addr->ip_len == 16)
            addr->ip[0] = 0x24 + (addr->ip[0] & 7); // 2400::/6
        memcpy(addr->ip + (addr->ip_len == 4 ? 2 : 4), &low, 2);
        draw_rest(&join->address, addr, whole);
        if (is_public(addr))
            return;
    }
}

// An address for the machine with that number.
static struct dht_addr draw_address(struct simnet_world *world, struct join *join, uint32_t number,
                                    bool ipv6)
{
    const struct simnet_population_config *config = &join->config;
    bool is_shared = simnet_stream_chance(&join->address, config->shared_share);
    struct dht_addr addr = {.ip_len = ipv6 ? 16 : 4};
    if (is_shared && join->shared_left[ipv6] > 0) {
        addr = join->shared[ipv6];
        do
            addr.port = (uint16_t)(1024 + simnet_stream_below(&join->address, 64000));
        while (is_taken(world, &addr));
        join->shared_left[ipv6]--;
        return addr;
    }
    if (config->per_provider == 0)
        addr = ipv6 ? simnet_population_ipv6(simnet_world_seed(world), number)
                    : simnet_population_ipv4(simnet_world_seed(world), number);
    else
        do
            draw_provider(join, &addr);
        while (is_taken(world, &addr));
    if (is_shared) {
        join->shared[ipv6] = addr;
        join->shared_left[ipv6] = config->sharing > 0 ? config->sharing - 1 : 0;
    }
    return addr;
}

static void add_one(struct simnet_world *world, const struct simnet_profile *profile,
                    struct join *join)
{
    const struct simnet_population_config *config = &join->config;
    struct dht_addr addrs[2];
    size_t count = 0;
    uint32_t number = simnet_world_machines(world);
    bool both = config->has_ipv4 && config->has_ipv6;
    bool only_ipv6 = false;
    if (both && !simnet_stream_chance(&join->address, config->dual_share)) {
        both = false;
        only_ipv6 = simnet_stream_chance(&join->address, 0.5);
    }
    if (both || (config->has_ipv4 && !only_ipv6))
        addrs[count++] = draw_address(world, join, number, false);
    if (both || only_ipv6 || !config->has_ipv4)
        addrs[count++] = draw_address(world, join, number, true);
    if (simnet_stream_chance(&join->address, config->unreachable_share))
        simnet_shield_add(world, profile, addrs, count, SIMNET_SHIELD_TIMEOUT_US);
    else
        simnet_world_add(world, profile, addrs, count, NULL);
}

// When the machine with that place in the row starts, after the beginning.
static int64_t start_of(const struct join *join, uint32_t number)
{
    const struct simnet_population_config *config = &join->config;
    double share = 0;
    if (config->schedule == SIMNET_POPULATION_EVEN)
        share = (double)number / config->count;
    else if (config->schedule == SIMNET_POPULATION_GROWING)
        share = log1p((double)number / SIMNET_POPULATION_SEEDS) /
                log1p((double)config->count / SIMNET_POPULATION_SEEDS);
    return (int64_t)((double)config->join_us * share);
}

// One of those that were started before the machine of that number. Who is behind a NAT is no good
// to be told about.
static uint32_t draw_known(struct simnet_world *world, struct join *join, uint64_t number)
{
    uint32_t other = 0;
    for (int i = 0; i < DRAWS_MAX; i++) {
        other = join->first + (uint32_t)simnet_stream_below(&join->stream, number);
        if (!simnet_machine_is_hidden(simnet_world_machine(world, other), 0))
            break;
    }
    return other;
}

static void join_next(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct join *join = ctx;
    struct simnet_machine *machine = simnet_world_machine(world, join->first + (uint32_t)number);
    uint32_t known[64];
    size_t count = 0;
    uint32_t wanted = machine->profile->bootstrap_count;
    for (uint32_t i = 0; i < wanted && i < 64 && number > 0; i++) {
        uint32_t other = draw_known(world, join, number);
        if (join->dead > 0 && simnet_stream_chance(&join->stream, join->config.dead_share))
            known[count++] =
                join->dead_first + (uint32_t)simnet_stream_below(&join->stream, join->dead);
        else if (simnet_world_machine(world, other)->state == SIMNET_MACHINE_UP)
            known[count++] = other;
    }
    if (machine->state == SIMNET_MACHINE_OFF)
        simnet_machine_start(machine, known, count);
    if (++number < join->config.count)
        simnet_world_at(world, join->begin_us + start_of(join, (uint32_t)number), join_next, join,
                        number);
}

static void free_join(struct simnet_element *element)
{
    free(element);
}

void simnet_population_config_init(struct simnet_population_config *config)
{
    *config = (struct simnet_population_config){
        .join_us = SIMNET_MINUTE_US, .has_ipv4 = true, .dual_share = 1, .sharing = 4, .per_net = 4};
}

uint32_t simnet_population_add(struct simnet_world *world, const struct simnet_profile *profile,
                               const struct simnet_population_config *config)
{
    uint32_t first = simnet_world_machines(world);
    assert(config->has_ipv4 || config->has_ipv6);
    if (config->count == 0)
        return first;
    static const struct simnet_element_class class = {"population", NULL, free_join};
    struct join *join = simnet_world_need(malloc(sizeof *join));
    *join = (struct join){.element = {.class = &class},
                          .config = *config,
                          .first = first,
                          .begin_us = simnet_world_now(world)};
    simnet_world_own(world, &join->element);
    simnet_stream_init(&join->stream, simnet_world_seed(world), "join", first);
    simnet_stream_init(&join->address, simnet_world_seed(world), "address", first);
    for (uint32_t i = 0; i < config->count; i++)
        add_one(world, profile, join);
    join->dead_first = simnet_world_machines(world);
    join->dead = config->dead_share > 0 ? DEAD_MACHINES : 0;
    for (uint32_t i = 0; i < join->dead; i++)
        add_one(world, profile, join);
    simnet_world_at(world, join->begin_us, join_next, join, 0);
    return first;
}

uint32_t simnet_population_join(struct simnet_world *world, const struct simnet_profile *profile,
                                uint32_t count, int64_t join_us)
{
    struct simnet_population_config config;
    simnet_population_config_init(&config);
    config.count = count;
    config.join_us = join_us;
    return simnet_population_add(world, profile, &config);
}

struct simnet_machine *simnet_population_add_like(struct simnet_world *world,
                                                  struct simnet_stream *stream,
                                                  const struct simnet_machine *like)
{
    struct dht_addr addrs[NODE_ENGINES_MAX];
    struct simnet_nat *nat = simnet_nat_of(like);
    for (uint8_t i = 0; i < like->address_count; i++)
        addrs[i] = simnet_population_near(world, stream, &like->addrs[i]);
    if (simnet_shield_has(like))
        return simnet_shield_add(world, like->profile, addrs, like->address_count,
                                 SIMNET_SHIELD_TIMEOUT_US);
    struct simnet_machine *machine =
        simnet_world_add(world, like->profile, addrs, like->address_count, NULL);
    if (nat != NULL)
        simnet_nat_attach(nat, machine); // where it is full, outside
    return machine;
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
