// SPDX-License-Identifier: MIT
#include "simnet/homes.h"

#include "simnet/population.h"
#include "simnet/shield.h"

#include <stdlib.h>

#define OPEN_MACHINES   8                    // the first ones
#define CARRIER_NUMBERS UINT32_C(0x60000000) // of addresses, beyond everybody else's

struct home {
    struct simnet_site *site; // NULL: the open internet
    bool is_hidden, is_carried, is_shielded;
};

struct simnet_homes {
    struct simnet_world *world;
    const struct simnet_scenario *scenario;
    struct simnet_stream stream; // who lives how
    uint32_t first, count;
    struct home *homes;
    struct simnet_nat *carrier; // that the next machine is behind
    uint32_t carried;           // machines behind it
    uint32_t carriers;
};

// Draws a kind of NAT; -1: none. ret_carried: behind a carrier's as well.
static int draw_nat(struct simnet_homes *homes, bool *ret_carried)
{
    const struct simnet_scenario *scenario = homes->scenario;
    const double shares[] = {scenario->nat.full_cone, scenario->nat.restricted,
                             scenario->nat.port_restricted, scenario->nat.symmetric,
                             scenario->nat.cgnat};
    double drawn = simnet_stream_unit(&homes->stream);
    *ret_carried = false;
    for (int kind = 0; kind < 5; kind++) {
        if (drawn < shares[kind]) {
            *ret_carried = kind == 4;
            return kind == 4 ? SIMNET_NAT_PORT_RESTRICTED : kind;
        }
        drawn -= shares[kind];
    }
    return -1;
}

static struct simnet_nat *carrier_of(struct simnet_homes *homes, uint32_t place)
{
    struct simnet_nat_config config;
    if (homes->carrier != NULL && homes->carried < (uint32_t)homes->scenario->nat.sharing) {
        homes->carried++;
        return homes->carrier;
    }
    simnet_nat_config_carrier(&config, SIMNET_NAT_PORT_RESTRICTED);
    config.timeout_us = homes->scenario->nat.mapping_us;
    uint32_t number = CARRIER_NUMBERS + homes->carriers++;
    struct dht_addr addr = simnet_population_ipv4(simnet_world_seed(homes->world), number);
    homes->carrier = simnet_nat_new(homes->world, &config, number, place);
    simnet_nat_connect(homes->carrier, &addr);
    homes->carried = 1;
    return homes->carrier;
}

static struct simnet_rate_config line_of(int64_t bits_per_s, int64_t queue)
{
    return (struct simnet_rate_config){.bits_per_s = (uint64_t)bits_per_s,
                                       .queue_bytes = (uint32_t)queue};
}

static void move_in(struct simnet_homes *homes, struct home *home, struct simnet_machine *machine,
                    int kind)
{
    const struct simnet_scenario *scenario = homes->scenario;
    struct simnet_nat_config nat;
    struct simnet_site_config config = {
        .up = line_of(scenario->rate.up, scenario->rate.queue),
        .down = line_of(scenario->rate.down, scenario->rate.queue),
    };
    struct dht_addr outside = machine->addrs[0]; // it changes as the machine moves in
    if (kind >= 0) {
        simnet_nat_config_init(&nat, (enum simnet_nat_kind)kind);
        nat.timeout_us = scenario->nat.mapping_us;
        config.nat = &nat;
        config.carrier = home->is_carried ? carrier_of(homes, machine->place) : NULL;
        home->is_hidden = kind != SIMNET_NAT_FULL_CONE || home->is_carried;
    }
    bool is_boxed = kind >= 0 && !home->is_carried;
    home->site = simnet_site_new(homes->world, &config, machine->number, is_boxed ? &outside : NULL,
                                 machine->place);
    simnet_site_add(home->site, machine);
}

void simnet_homes_add(struct simnet_homes *homes, const struct simnet_profile *profile,
                      const struct dht_addr *addrs, size_t addr_count)
{
    const struct simnet_scenario *scenario = homes->scenario;
    uint32_t place = simnet_world_machines(homes->world) - homes->first;
    struct home *home = &homes->homes[place];
    bool is_carried = false;
    int kind = draw_nat(homes, &is_carried);
    bool is_shielded =
        kind < 0 && simnet_stream_chance(&homes->stream, scenario->machines.unreachable);
    if (place < OPEN_MACHINES)
        kind = -1;
    if (place >= OPEN_MACHINES && is_shielded) {
        home->is_hidden = home->is_shielded = true;
        simnet_shield_add(homes->world, profile, addrs, addr_count, scenario->nat.mapping_us);
        return;
    }
    struct simnet_machine *machine =
        simnet_world_add(homes->world, profile, addrs, addr_count, NULL);
    home->is_carried = is_carried && kind >= 0;
    if (kind >= 0 || scenario->rate.up > 0 || scenario->rate.down > 0)
        move_in(homes, home, machine, kind);
}

bool simnet_homes_is_hidden(const struct simnet_homes *homes, const struct simnet_machine *machine)
{
    uint32_t place = machine->number - homes->first;
    return place < homes->count && homes->homes[place].is_hidden;
}

bool simnet_homes_move(struct simnet_homes *homes, struct simnet_machine *machine,
                       const struct dht_addr *addr)
{
    uint32_t place = machine->number - homes->first;
    if (place < homes->count && (homes->homes[place].is_carried || homes->homes[place].is_shielded))
        return false;
    if (place < homes->count && homes->homes[place].site != NULL)
        simnet_site_move(homes->homes[place].site, machine, addr);
    else
        simnet_machine_move(machine, addr->ip_len == machine->addrs[0].ip_len ? 0 : 1, addr);
    return true;
}

uint64_t simnet_homes_filtered(const struct simnet_homes *homes)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < homes->count; i++) {
        const struct simnet_site *site = homes->homes[i].site;
        const struct simnet_nat *nat = site != NULL ? simnet_site_nat(site) : NULL;
        if (nat != NULL)
            sum += simnet_nat_counters(nat)->filtered + simnet_nat_counters(nat)->unmapped;
    }
    return sum;
}

struct simnet_homes *simnet_homes_new(struct simnet_world *world,
                                      const struct simnet_scenario *scenario, uint32_t first,
                                      uint32_t count)
{
    struct simnet_homes *homes = simnet_world_need(calloc(1, sizeof *homes));
    homes->world = world;
    homes->scenario = scenario;
    homes->first = first;
    homes->count = count;
    homes->homes = simnet_world_need(calloc(count, sizeof *homes->homes));
    simnet_stream_init(&homes->stream, simnet_world_seed(world), "homes", 0);
    return homes;
}

void simnet_homes_free(struct simnet_homes *homes)
{
    if (homes == NULL)
        return;
    free(homes->homes);
    free(homes);
}
