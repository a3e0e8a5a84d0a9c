// SPDX-License-Identifier: MIT
// Who is in a network: addresses, reachability, and how it grows.
#include "dht/addr.h"
#include "simnet/latency.h"
#include "simnet/nat.h"
#include "simnet/population.h"
#include "simnet/shield.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 4000

static struct simnet_profile profile;

// Adds COUNT machines that are never run.
static struct simnet_world *make(const struct simnet_population_config *config)
{
    struct simnet_world *world = simnet_world_new(1);
    simnet_profile_init(&profile);
    simnet_population_add(world, &profile, config);
    return world;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, 18);
}

// How many different values the first `len` bytes of the addresses of a family have; ret_most: the
// most machines with one value.
static uint32_t networks(const struct simnet_world *world, uint8_t ip_len, uint8_t len,
                         uint32_t *ret_most)
{
    static uint8_t prefixes[COUNT][18];
    uint32_t count = 0;
    uint32_t different = 0;
    uint32_t same = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        for (uint8_t j = 0; j < simnet_world_machine(world, i)->address_count; j++) {
            const struct dht_addr *addr = &simnet_world_machine(world, i)->addrs[j];
            if (addr->ip_len != ip_len)
                continue;
            memset(prefixes[count], 0, 18);
            memcpy(prefixes[count], addr->ip, len < 16 ? len : 16);
            if (len == 18)
                memcpy(prefixes[count] + 16, &addr->port, 2);
            count++;
        }
    qsort(prefixes, count, 18, compare);
    *ret_most = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_new = i == 0 || memcmp(prefixes[i], prefixes[i - 1], 18) != 0;
        different += is_new;
        same = is_new ? 1 : same + 1;
        *ret_most = same > *ret_most ? same : *ret_most;
    }
    return different;
}

struct address_row {
    const char *name;
    struct simnet_population_config config;
    uint8_t ip_len, prefix;
    uint32_t least, most;      // different values of the prefix,
    uint32_t crowd, crowd_max; // and machines in the largest
};

static const struct address_row address_rows[] = {
    {"spread", {.has_ipv4 = true}, 4, 2, 3500, 4000, 1, 6},
    {"spread, no two the same", {.has_ipv4 = true}, 4, 18, COUNT, COUNT, 1, 1},
    {"providers", {.has_ipv4 = true, .per_provider = 100, .per_net = 4}, 4, 2, 38, 41, 400, 800},
    {"and their nets",
     {.has_ipv4 = true, .per_provider = 100, .per_net = 4},
     4,
     3,
     700,
     1070,
     10,
     60},
    {"where no two are the same",
     {.has_ipv4 = true, .per_provider = 100, .per_net = 4},
     4,
     18,
     COUNT,
     COUNT,
     1,
     1},
    {"IPv6 providers",
     {.has_ipv6 = true, .per_provider = 100, .per_net = 4},
     16,
     4,
     38,
     41,
     400,
     800},
    {"half share an address",
     {.has_ipv4 = true, .shared_share = 0.5, .sharing = 10},
     4,
     4,
     2100,
     2300,
     10,
     10},
    {"a third has both: IPv4",
     {.has_ipv4 = true, .has_ipv6 = true, .dual_share = 1.0 / 3},
     4,
     18,
     2550,
     2800,
     1,
     1},
    {"a third has both: IPv6",
     {.has_ipv4 = true, .has_ipv6 = true, .dual_share = 1.0 / 3},
     16,
     18,
     2550,
     2800,
     1,
     1},
};

static void addresses_are_as_configured(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof address_rows / sizeof *address_rows; i++) {
        const struct address_row *row = &address_rows[i];
        struct simnet_population_config config = row->config;
        uint32_t crowd;
        config.count = COUNT;
        struct simnet_world *world = make(&config);
        uint32_t different = networks(world, row->ip_len, row->prefix, &crowd);
        if (different < row->least || different > row->most || crowd < row->crowd ||
            crowd > row->crowd_max)
            fail_msg("%s: %u, at most %u together", row->name, different, crowd);
        for (uint32_t m = 0; m < COUNT; m++) {
            const struct simnet_machine *machine = simnet_world_machine(world, m);
            for (uint8_t j = 0; j < machine->address_count; j++) {
                assert_false(dht_addr_is_martian(&machine->addrs[j]));
                assert_ptr_equal(machine, simnet_world_find(world, &machine->addrs[j]));
            }
        }
        simnet_world_free(world);
    }
}

// ---- schedules ----

struct schedule_row {
    const char *name;
    enum simnet_population_schedule schedule;
    uint32_t begun, half, ended; // up at once, after half of the time, and after all of it
};

static const struct schedule_row schedule_rows[] = {
    {"evenly", SIMNET_POPULATION_EVEN, 1, 101, 200},
    {"at once", SIMNET_POPULATION_AT_ONCE, 200, 200, 200},
    // From 32 on: 200 / 32 + 1 is 7.25, whose root is 2.69; so many times 32, less 32.
    {"growing", SIMNET_POPULATION_GROWING, 1, 55, 200},
};

static uint32_t count_up(const struct simnet_world *world, uint32_t *ret_joined)
{
    uint32_t up = 0;
    *ret_joined = 0;
    for (uint32_t i = 0; i < simnet_world_machines(world); i++) {
        const struct simnet_machine *machine = simnet_world_machine(world, i);
        struct dht_info info;
        if (machine->node == NULL)
            continue;
        up++;
        dht_info(node_engine(machine->node, 0), &info);
        *ret_joined += info.joined;
    }
    return up;
}

static void they_join_by_schedule(struct twice *twice)
{
    for (size_t i = 0; i < sizeof schedule_rows / sizeof *schedule_rows; i++) {
        const struct schedule_row *row = &schedule_rows[i];
        struct simnet_population_config config;
        uint32_t joined;
        simnet_population_config_init(&config);
        config.count = 200;
        config.schedule = row->schedule;
        config.dead_share = 0.3;
        struct simnet_world *world = make(&config);
        simnet_world_internet(world, simnet_latency_constant(20000));
        simnet_world_run(world, SIMNET_START_US);
        uint32_t begun = count_up(world, &joined);
        simnet_world_run(world, SIMNET_START_US + config.join_us / 2);
        uint32_t half = count_up(world, &joined);
        simnet_world_run(world, SIMNET_START_US + 2 * config.join_us);
        uint32_t ended = count_up(world, &joined);
        if (begun != row->begun || half != row->half || ended != row->ended || joined < 198)
            fail_msg("%s: %u, %u, %u, of whom %u joined", row->name, begun, half, ended, joined);
        assert_true(simnet_world_counters(world)->nobody > 20); // the dead were asked
        twice_end(twice, world);
    }
}

// ---- reachability ----

static struct simnet_packet *packet_of(struct simnet_world *world, const struct dht_addr *from,
                                       const struct dht_addr *to)
{
    struct simnet_packet *packet = simnet_world_packet(world, 4);
    packet->from = *from;
    packet->to = *to;
    packet->sender = packet->place_from = 0;
    packet->place_to = SIMNET_PACKET_NOBODY;
    packet->sent_us = simnet_world_now(world);
    memcpy(packet->bytes, "junk", 4);
    return packet;
}

static void hear(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    (void)actor;
    (void)world;
    (void)machine;
    (void)datagram;
    (void)engine;
}

// Whether a packet from there gets through to the machine.
static bool gets_in(struct simnet_world *world, const struct dht_addr *from,
                    const struct simnet_machine *machine)
{
    uint64_t delivered = simnet_world_counters(world)->delivered;
    struct simnet_element *core = simnet_world_core(world);
    core->class->forward(core, world, packet_of(world, from, &machine->addrs[0]));
    return simnet_world_counters(world)->delivered > delivered;
}

static void a_shield_lets_answers_in(struct twice *twice)
{
    static const struct simnet_actor_class class = {"idle", hear, NULL, NULL, NULL};
    struct simnet_actor idle = {&class};
    struct simnet_world *world = simnet_world_new(1);
    struct dht_addr own = simnet_population_ipv4(1, 1);
    struct dht_addr other = simnet_population_ipv4(1, 2);
    struct dht_addr third = simnet_population_ipv4(1, 3);
    simnet_profile_init(&profile);
    struct simnet_machine *machine =
        simnet_shield_add(world, &profile, &own, 1, SIMNET_SHIELD_TIMEOUT_US);
    machine->actor = &idle;
    simnet_machine_start(machine, NULL, 0);
    assert_true(simnet_shield_has(machine));
    assert_false(gets_in(world, &other, machine));
    simnet_machine_send(machine, 0, &other, (struct dht_span){(const uint8_t *)"junk", 4});
    assert_true(gets_in(world, &other, machine));
    assert_false(gets_in(world, &third, machine));
    struct dht_addr port = other;
    port.port++;
    assert_false(gets_in(world, &port, machine));
    // Many are remembered.
    for (uint32_t i = 10; i < 2000; i++) {
        struct dht_addr addr = simnet_population_ipv4(1, i);
        simnet_machine_send(machine, 0, &addr, (struct dht_span){(const uint8_t *)"junk", 4});
    }
    for (uint32_t i = 10; i < 2000; i++) {
        struct dht_addr addr = simnet_population_ipv4(1, i);
        assert_true(gets_in(world, &addr, machine));
    }
    simnet_world_run(world, simnet_world_now(world) + SIMNET_SHIELD_TIMEOUT_US);
    assert_true(gets_in(world, &other, machine));
    simnet_world_run(world, simnet_world_now(world) + 1);
    assert_false(gets_in(world, &other, machine));
    twice_end(twice, world);
}

// Who cannot be asked still joins, and is in nobody's table for long.
static void the_unreachable_join(struct twice *twice)
{
    struct simnet_population_config config;
    uint32_t joined;
    uint32_t shielded = 0;
    simnet_population_config_init(&config);
    config.count = 200;
    config.unreachable_share = 0.3;
    struct simnet_world *world = make(&config);
    simnet_world_internet(world, simnet_latency_constant(20000));
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    for (uint32_t i = 0; i < 200; i++)
        shielded += simnet_shield_has(simnet_world_machine(world, i));
    assert_in_range(shielded, 45, 75);
    assert_int_equal(200, count_up(world, &joined));
    assert_true(joined >= 195);
    twice_end(twice, world);
}

static void spares_are_like_others(void **state)
{
    (void)state;
    struct simnet_world *world = simnet_world_new(1);
    struct simnet_stream stream;
    struct simnet_nat_config config;
    struct dht_addr addrs[3];
    simnet_profile_init(&profile);
    simnet_stream_init(&stream, 1, "test", 0);
    simnet_nat_config_init(&config, SIMNET_NAT_SYMMETRIC);
    for (uint32_t i = 0; i < 3; i++)
        addrs[i] = simnet_population_ipv4(1, i);
    struct simnet_machine *open = simnet_world_add(world, &profile, &addrs[0], 1, NULL);
    struct simnet_machine *shielded = simnet_shield_add(world, &profile, &addrs[1], 1, 1000);
    struct simnet_machine *inside = simnet_world_add(world, &profile, &addrs[2], 1, NULL);
    struct simnet_nat *nat = simnet_nat_new(world, &config, 1, 0);
    struct dht_addr outside = simnet_population_ipv4(1, 9);
    simnet_nat_connect(nat, &outside);
    assert_true(simnet_nat_attach(nat, inside));
    const struct simnet_machine *like = simnet_population_add_like(world, &stream, open);
    assert_memory_equal(like->addrs[0].ip, addrs[0].ip, 2);
    assert_ptr_equal(like, simnet_world_find(world, &like->addrs[0]));
    like = simnet_population_add_like(world, &stream, shielded);
    assert_true(simnet_shield_has(like));
    assert_memory_equal(like->addrs[0].ip, addrs[1].ip, 2);
    like = simnet_population_add_like(world, &stream, inside);
    assert_ptr_equal(nat, simnet_nat_of(like));
    simnet_world_free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_as_configured), twice_scenario(they_join_by_schedule),
        twice_scenario(a_shield_lets_answers_in),      twice_scenario(the_unreachable_join),
        cmocka_unit_test(spares_are_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
