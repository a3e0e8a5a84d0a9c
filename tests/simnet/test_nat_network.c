// SPDX-License-Identifier: MIT
// A network of real brains, half of them behind NATs: all join, and each finds out by itself
// whether it can be reached.
#include "dht/addr.h"
#include "simnet/client.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "simnet/site.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BRAINS    200
#define CARRIERS  4
#define JOINED_US (100 * SIMNET_SECOND_US)
// That nobody publishes.
#define NAME "47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy.x"

enum kind { PUBLIC, FULL_CONE, RESTRICTED, PORT_RESTRICTED, SYMMETRIC, CARRIER, KINDS };

struct row {
    const char *name;
    enum simnet_nat_kind nat;
    uint32_t count;
    enum dht_role role; // that they come to
};

static const struct row rows[KINDS] = {
    [PUBLIC] = {"public", 0, 100, DHT_ROLE_SERVER},
    [FULL_CONE] = {"full cone", SIMNET_NAT_FULL_CONE, 20, DHT_ROLE_SERVER},
    [RESTRICTED] = {"restricted", SIMNET_NAT_RESTRICTED, 20, DHT_ROLE_CLIENT},
    [PORT_RESTRICTED] = {"port restricted", SIMNET_NAT_PORT_RESTRICTED, 20, DHT_ROLE_CLIENT},
    [SYMMETRIC] = {"symmetric", SIMNET_NAT_SYMMETRIC, 20, DHT_ROLE_CLIENT},
    [CARRIER] = {"behind a carrier", SIMNET_NAT_PORT_RESTRICTED, 20, DHT_ROLE_CLIENT},
};

// Every second one is public, and the others are of all kinds in turn.
static enum kind kind_of(uint32_t number)
{
    return number % 2 == 0 ? PUBLIC : (enum kind)(FULL_CONE + number / 2 % (KINDS - 1));
}

static void make_carriers(struct simnet_world *world, bool hairpins,
                          struct simnet_nat *carriers[CARRIERS])
{
    struct simnet_nat_config config;
    simnet_nat_config_carrier(&config, SIMNET_NAT_PORT_RESTRICTED);
    config.hairpins = config.hairpins || hairpins;
    for (uint32_t i = 0; i < CARRIERS; i++) {
        struct dht_addr addr = simnet_population_ipv4(simnet_world_seed(world), BRAINS + i);
        carriers[i] = simnet_nat_new(world, &config, BRAINS + i, i);
        simnet_nat_connect(carriers[i], &addr);
    }
}

struct home {
    enum kind kind;
    bool hairpins;              // whatever is usual
    struct simnet_nat *carrier; // of kind CARRIER
};

// Puts the machine behind a NAT of a kind, in a home of its own.
static void move_in(struct simnet_world *world, struct simnet_machine *machine,
                    const struct home *home)
{
    struct simnet_nat_config nat;
    struct dht_addr addr =
        simnet_population_ipv4(simnet_world_seed(world), 2 * BRAINS + machine->number);
    simnet_nat_config_init(&nat, rows[home->kind].nat);
    nat.hairpins = nat.hairpins || home->hairpins;
    struct simnet_site_config config = {
        .up.bits_per_s = 10000000,
        .down.bits_per_s = 50000000,
        .nat = &nat,
        .carrier = home->kind == CARRIER ? home->carrier : NULL,
    };
    struct simnet_site *site =
        simnet_site_new(world, &config, machine->number, &addr, machine->number);
    assert_true(simnet_site_add(site, machine));
}

static struct simnet_world *make_network(uint64_t seed, bool hairpins,
                                         struct simnet_profile *profile)
{
    struct simnet_nat *carriers[CARRIERS];
    struct simnet_world *world = simnet_world_new(seed);
    simnet_profile_init(profile);
    simnet_world_internet(world, simnet_latency_internet(seed));
    uint32_t first = simnet_population_join(world, profile, BRAINS, JOINED_US);
    assert_int_equal(first, 0);
    make_carriers(world, hairpins, carriers);
    for (uint32_t i = 0; i < BRAINS; i++) {
        struct home home = {kind_of(i), hairpins, carriers[i / 2 % CARRIERS]};
        if (home.kind != PUBLIC)
            move_in(world, simnet_world_machine(world, i), &home);
    }
    return world;
}

static void info_of(struct simnet_world *world, uint32_t number, struct dht_info *ret_info)
{
    dht_info(node_engine(simnet_world_machine(world, number)->node, 0), ret_info);
}

static void check_roles(struct simnet_world *world)
{
    uint32_t counts[KINDS] = {0};
    for (uint32_t i = 0; i < BRAINS; i++) {
        enum kind kind = kind_of(i);
        struct dht_info info;
        info_of(world, i, &info);
        if (!info.joined || info.contacts < 8)
            fail_msg("%s: %u has not joined", rows[kind].name, i);
        if (info.role != rows[kind].role)
            fail_msg("%s: %u thinks it is a %s", rows[kind].name, i,
                     info.role == DHT_ROLE_SERVER ? "server" : "client");
        // What others saw is the address of its NAT, or the carrier's.
        struct simnet_machine *machine = simnet_world_machine(world, i);
        if (kind != PUBLIC && dht_addr_equal_ip(&info.external, &machine->addrs[0]))
            fail_msg("%s: %u takes its private address for its own", rows[kind].name, i);
        counts[kind]++;
    }
    for (int kind = 0; kind < KINDS; kind++)
        assert_int_equal(counts[kind], rows[kind].count);
}

static void brains_find_out(struct twice *twice)
{
    struct simnet_profile profile;
    struct simnet_world *world = make_network(11, false, &profile);
    simnet_world_run(world, SIMNET_START_US + 25 * SIMNET_MINUTE_US);
    check_roles(world);
    twice_end(twice, world);
}

// Behind a NAT that hairpins everybody's ping to his own address comes back; only whom strangers
// reach stays a server.
static void hairpins_fool_nobody_for_long(struct twice *twice)
{
    struct simnet_profile profile;
    struct simnet_world *world = make_network(13, true, &profile);
    simnet_world_run(world, SIMNET_START_US + 40 * SIMNET_MINUTE_US);
    check_roles(world);
    simnet_world_run(world, SIMNET_START_US + 100 * SIMNET_MINUTE_US);
    check_roles(world);
    twice_end(twice, world);
}

// Who can be reached need not wait for long to know it: his address was settled within a minute.
static void full_cones_serve_early(struct twice *twice)
{
    struct simnet_profile profile;
    struct simnet_world *world = make_network(14, false, &profile);
    simnet_world_run(world, SIMNET_START_US + JOINED_US + 5 * SIMNET_MINUTE_US);
    for (uint32_t i = 0; i < BRAINS; i++) {
        struct dht_info info;
        info_of(world, i, &info);
        if (kind_of(i) == FULL_CONE && info.role != DHT_ROLE_SERVER)
            fail_msg("%u is no server yet", i);
    }
    twice_end(twice, world);
}

// How many replies it gets while it looks for something.
static uint64_t count_replies(struct simnet_world *world, struct simnet_machine *machine)
{
    struct dht_info before, after;
    struct simnet_client *client = simnet_client_new(world);
    info_of(world, machine->number, &before);
    assert_true(simnet_client_open(client, machine, NODE_ACCESS_RESOLVE));
    simnet_client_resolve(client,
                          &(struct simnet_client_resolve){.name = NAME, .wait = CONTROL_WAIT_ALL});
    simnet_world_run(world, simnet_world_now(world) + 20 * SIMNET_SECOND_US);
    info_of(world, machine->number, &after);
    simnet_client_free(client);
    return after.counters.replies_in_time - before.counters.replies_in_time;
}

// Machines that move while they run stay in the network, and find out anew.
static void brains_move(struct twice *twice)
{
    struct simnet_profile profile;
    struct simnet_world *world = make_network(12, false, &profile);
    simnet_world_run(world, SIMNET_START_US + 20 * SIMNET_MINUTE_US);
    struct simnet_machine *out = simnet_world_machine(world, 1);
    struct simnet_machine *in = simnet_world_machine(world, 100);
    assert_int_equal(kind_of(1), FULL_CONE);
    struct dht_addr addr = simnet_population_ipv4(12, 1000);
    simnet_nat_detach(out, &addr);
    move_in(world, in, &(struct home){.kind = SYMMETRIC});
    simnet_world_run(world, SIMNET_START_US + 60 * SIMNET_MINUTE_US);
    struct dht_info info;
    assert_true(count_replies(world, out) >= 16);
    assert_true(count_replies(world, in) >= 16);
    info_of(world, out->number, &info);
    assert_true(dht_addr_equal_ip(&info.external, &addr));
    assert_int_equal(info.role, DHT_ROLE_SERVER);
    info_of(world, in->number, &info);
    assert_int_equal(info.role, DHT_ROLE_CLIENT);
    twice_end(twice, world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(brains_find_out), twice_scenario(hairpins_fool_nobody_for_long),
        twice_scenario(full_cones_serve_early), twice_scenario(brains_move)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
