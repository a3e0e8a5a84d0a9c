// SPDX-License-Identifier: MIT
#include "simnet/site.h"

#include "dht/addr.h"
#include "simnet/loss.h"

#include <assert.h>
#include <stdlib.h>

struct simnet_site {
    struct simnet_element gate;     // without a NAT: the end of the line up
    struct simnet_element exchange; // and of the line down
    struct simnet_world *world;
    struct simnet_nat *nat;
    struct simnet_element *rate_up, *rate_down, *loss_up, *loss_down; // NULL: no such
    struct simnet_element *up, *down;                                 // the firsts of the lines
    struct simnet_machine *machines[SIMNET_SITE_MACHINES_MAX];
    uint32_t machine_count;
    uint32_t place;
};

static void pass_gate(struct simnet_element *element, struct simnet_world *world,
                      struct simnet_packet *packet)
{
    (void)element;
    struct simnet_element *core = simnet_world_core(world);
    core->class->forward(core, world, packet);
}

static bool has_addr(const struct simnet_machine *machine, const struct dht_addr *addr)
{
    for (uint8_t i = 0; i < machine->address_count; i++)
        if (dht_addr_equal(&machine->addrs[i], addr))
            return true;
    return false;
}

static void exchange(struct simnet_element *element, struct simnet_world *world,
                     struct simnet_packet *packet)
{
    const struct simnet_site *site =
        (struct simnet_site *)(void *)((char *)element - offsetof(struct simnet_site, exchange));
    for (uint32_t i = 0; i < site->machine_count; i++) {
        if (!has_addr(site->machines[i], &packet->to))
            continue;
        element->passed++;
        simnet_world_deliver(world, packet, site->machines[i]);
        return;
    }
    simnet_element_drop(element, world, packet); // its machine has moved while it was on the line
}

static void free_site(struct simnet_element *element)
{
    free(element);
}

// Puts an element at the end of a line, if there is one.
static void extend(struct simnet_element **line, struct simnet_element *element)
{
    if (element != NULL)
        simnet_element_chain(line, element);
}

static struct simnet_element *make_rate(const struct simnet_rate_config *config)
{
    return config->bits_per_s > 0 ? simnet_rate_new(config) : NULL;
}

static struct simnet_element *make_loss(const struct simnet_site *site, uint64_t number,
                                        double rate)
{
    uint64_t seed = simnet_stream_pair(simnet_world_seed(site->world), number, 0x73697465);
    return rate > 0 ? simnet_loss_new(seed, rate) : NULL;
}

static void make_lines(struct simnet_site *site, const struct simnet_site_config *config,
                       uint64_t number)
{
    site->rate_up = make_rate(&config->up);
    site->rate_down = make_rate(&config->down);
    site->loss_up = make_loss(site, 2 * number, config->loss_up);
    site->loss_down = make_loss(site, 2 * number + 1, config->loss_down);
    extend(&site->up, site->rate_up);
    extend(&site->up, site->loss_up);
    extend(&site->down, site->loss_down);
    extend(&site->down, site->rate_down);
}

struct simnet_site *simnet_site_new(struct simnet_world *world,
                                    const struct simnet_site_config *config, uint64_t number,
                                    const struct dht_addr *addr, uint32_t place)
{
    static const struct simnet_element_class gate_class = {"gate", pass_gate, free_site};
    static const struct simnet_element_class exchange_class = {"site", exchange, NULL};
    struct simnet_site *site = simnet_world_need(calloc(1, sizeof *site));
    site->gate.class = &gate_class;
    site->exchange.class = &exchange_class;
    site->world = world;
    site->place = place;
    simnet_world_own(world, &site->exchange); // before the gate, which frees the whole
    simnet_world_own(world, &site->gate);
    make_lines(site, config, number);
    if (config->nat != NULL) {
        site->nat = simnet_nat_new(world, config->nat, number, place);
        simnet_nat_line(site->nat, site->up, site->down);
        if (config->carrier != NULL)
            simnet_nat_connect_behind(site->nat, config->carrier);
        else
            simnet_nat_connect(site->nat, addr);
        return site;
    }
    for (struct simnet_element *each = site->up; each != NULL; each = each->next)
        simnet_world_own(world, each);
    for (struct simnet_element *each = site->down; each != NULL; each = each->next)
        simnet_world_own(world, each);
    extend(&site->up, &site->gate);
    extend(&site->down, &site->exchange);
    return site;
}

static void listen_for(struct simnet_site *site, const struct simnet_machine *machine)
{
    for (uint8_t i = 0; i < machine->address_count; i++)
        simnet_world_listen(site->world, &machine->addrs[i], site->down, site->place);
}

bool simnet_site_add(struct simnet_site *site, struct simnet_machine *machine)
{
    if (site->nat != NULL)
        return simnet_nat_attach(site->nat, machine);
    if (site->machine_count == SIMNET_SITE_MACHINES_MAX)
        return false;
    site->machines[site->machine_count++] = machine;
    machine->place = site->place;
    simnet_machine_rewire(machine, machine->addrs, site->up);
    listen_for(site, machine);
    return true;
}

void simnet_site_move(struct simnet_site *site, struct simnet_machine *machine,
                      const struct dht_addr *addr)
{
    if (site->nat != NULL) {
        simnet_nat_connect(site->nat, addr);
        return;
    }
    struct dht_addr addrs[NODE_ENGINES_MAX];
    for (uint8_t i = 0; i < machine->address_count; i++) {
        addrs[i] = machine->addrs[i].ip_len == addr->ip_len ? *addr : machine->addrs[i];
        simnet_world_unlisten(site->world, &machine->addrs[i]);
    }
    simnet_machine_rewire(machine, addrs, site->up);
    listen_for(site, machine);
}

void simnet_site_set_rate(struct simnet_site *site, const struct simnet_rate_config *up,
                          const struct simnet_rate_config *down)
{
    assert(site->rate_up != NULL && site->rate_down != NULL);
    simnet_rate_set(site->rate_up, up);
    simnet_rate_set(site->rate_down, down);
}

void simnet_site_set_loss(struct simnet_site *site, double up, double down)
{
    assert(site->loss_up != NULL && site->loss_down != NULL);
    simnet_loss_set(site->loss_up, up);
    simnet_loss_set(site->loss_down, down);
}

struct simnet_nat *simnet_site_nat(const struct simnet_site *site)
{
    return site->nat;
}
