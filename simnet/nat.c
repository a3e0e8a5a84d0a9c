// SPDX-License-Identifier: MIT
#include "simnet/nat.h"

#include "simnet/nat_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define TURN_US      500 // through the box and back inside
#define RANDOM_DRAWS 64  // of a port, before the next free one is taken

struct host {
    struct simnet_element *entry; // what leads to it; NULL: nobody has that address
    const void *who;              // the machine or NAT
};

struct simnet_nat {
    struct simnet_element inner; // takes what comes from inside
    struct simnet_element outer; // takes what comes from outside
    struct simnet_element gate;  // takes what has passed the line up
    struct simnet_world *world;
    struct simnet_nat_config config;
    struct simnet_element *down; // the first of the line down, or the outer face
    struct simnet_nat *carrier;  // NULL: it is on the internet
    struct dht_addr addr;        // ip_len 0: not connected
    uint32_t place;
    uint16_t next_port;
    struct simnet_stream stream;
    struct simnet_nat_table mappings;
    struct simnet_nat_table permits; // under the mapping's port and the address outside
    struct host *hosts;
    uint32_t host_count, host_capacity;
    struct simnet_nat_counters counters;
};

// ---- addresses as numbers ----

static uint32_t ip_of(const uint8_t ip[4])
{
    return (uint32_t)ip[0] << 24 | (uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3];
}

static uint64_t pack(const struct dht_addr *addr)
{
    return (uint64_t)ip_of(addr->ip) << 16 | addr->port;
}

static struct dht_addr unpack(uint64_t packed)
{
    struct dht_addr addr = {.port = (uint16_t)packed, .ip_len = 4};
    for (int i = 0; i < 4; i++)
        addr.ip[i] = (uint8_t)(packed >> (40 - 8 * i));
    return addr;
}

// ---- mappings ----

// It was used. Never sooner than before, also where the NAT's time has become shorter.
static void refresh(struct simnet_nat_entry *entry, int64_t due_us)
{
    if (due_us > entry->due_us)
        entry->due_us = due_us;
}

static bool is_free(struct simnet_nat *nat, int64_t now_us, uint16_t port)
{
    return simnet_nat_table_at_port(&nat->mappings, now_us, port) == NULL;
}

static uint16_t next_port(struct simnet_nat *nat)
{
    uint16_t port = nat->next_port;
    nat->next_port = port == nat->config.port_last ? nat->config.port_first : (uint16_t)(port + 1);
    return port;
}

// A free port; 0 where there is none.
static uint16_t choose_port(struct simnet_nat *nat, int64_t now_us, uint16_t inside)
{
    const struct simnet_nat_config *config = &nat->config;
    uint32_t count = (uint32_t)config->port_last - config->port_first + 1;
    if (config->ports == SIMNET_NAT_PORTS_PRESERVED && inside >= config->port_first &&
        inside <= config->port_last && is_free(nat, now_us, inside))
        return inside;
    for (int i = 0; config->ports == SIMNET_NAT_PORTS_RANDOM && i < RANDOM_DRAWS; i++) {
        uint32_t drawn = (uint32_t)simnet_stream_below(&nat->stream, count);
        if (is_free(nat, now_us, (uint16_t)(config->port_first + drawn)))
            return (uint16_t)(config->port_first + drawn);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint16_t port = next_port(nat);
        if (is_free(nat, now_us, port))
            return port;
    }
    return 0;
}

// NULL where the host may have no more, or there is no room; counted.
static struct simnet_nat_entry *make_mapping(struct simnet_nat *nat, int64_t now_us,
                                             uint64_t inside, uint64_t remote, uint32_t host)
{
    uint32_t quota = nat->config.ports_per_host;
    if (quota > 0 && simnet_nat_table_of_host(&nat->mappings, now_us, host, quota) >= quota) {
        nat->counters.over_quota++;
        return NULL;
    }
    struct simnet_nat_entry entry = {.inside = inside,
                                     .remote = remote,
                                     .host = host,
                                     .due_us = now_us + nat->config.timeout_us,
                                     .port = choose_port(nat, now_us, (uint16_t)inside)};
    struct simnet_nat_entry *made =
        entry.port == 0 ? NULL : simnet_nat_table_add(&nat->mappings, now_us, &entry);
    if (made == NULL)
        nat->counters.mappings_full++;
    else
        nat->counters.mappings_made++;
    return made;
}

// ---- who may come in ----

// The part of an address outside that a leave is for.
static uint64_t permit_of(const struct simnet_nat *nat, uint64_t remote)
{
    return nat->config.kind == SIMNET_NAT_RESTRICTED ? remote & ~UINT64_C(0xffff) : remote;
}

static bool has_permits(const struct simnet_nat *nat)
{
    return nat->config.kind == SIMNET_NAT_RESTRICTED ||
           nat->config.kind == SIMNET_NAT_PORT_RESTRICTED;
}

static void permit(struct simnet_nat *nat, int64_t now_us, const struct simnet_nat_entry *mapping,
                   uint64_t remote)
{
    if (!has_permits(nat))
        return;
    struct simnet_nat_entry entry = {.inside = mapping->port,
                                     .remote = permit_of(nat, remote),
                                     .host = mapping->host,
                                     .due_us = now_us + nat->config.timeout_us};
    struct simnet_nat_entry *found =
        simnet_nat_table_find(&nat->permits, now_us, entry.inside, entry.remote);
    if (found != NULL)
        refresh(found, entry.due_us);
    else if (simnet_nat_table_add(&nat->permits, now_us, &entry) == NULL)
        nat->counters.permits_full++;
}

// Whether the sender may come in by the mapping; if that counts as use, it is one.
static bool lets_in(struct simnet_nat *nat, int64_t now_us, struct simnet_nat_entry *mapping,
                    uint64_t remote)
{
    struct simnet_nat_entry *found = NULL;
    if (nat->config.kind == SIMNET_NAT_SYMMETRIC && mapping->remote != remote)
        return false;
    if (has_permits(nat)) {
        found = simnet_nat_table_find(&nat->permits, now_us, mapping->port, permit_of(nat, remote));
        if (found == NULL || found->host != mapping->host)
            return false;
    }
    if (!nat->config.inbound_refreshes)
        return true;
    refresh(mapping, now_us + nat->config.timeout_us);
    if (found != NULL)
        refresh(found, now_us + nat->config.timeout_us);
    return true;
}

// ---- packets ----

static void drop(struct simnet_element *element, struct simnet_world *world,
                 struct simnet_packet *packet, uint64_t *counter)
{
    (*counter)++;
    simnet_element_drop(element, world, packet);
}

static struct simnet_nat *of_outer(struct simnet_element *element)
{
    return (struct simnet_nat *)(void *)((char *)element - offsetof(struct simnet_nat, outer));
}

static void come_in(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    struct simnet_nat *nat = of_outer(element);
    int64_t now_us = simnet_world_now(world);
    struct simnet_nat_entry *mapping =
        packet->to.ip_len == 4 ? simnet_nat_table_at_port(&nat->mappings, now_us, packet->to.port)
                               : NULL;
    if (mapping == NULL) {
        drop(element, world, packet, &nat->counters.unmapped);
        return;
    }
    if (!lets_in(nat, now_us, mapping, pack(&packet->from))) {
        drop(element, world, packet, &nat->counters.filtered);
        return;
    }
    packet->to = unpack(mapping->inside);
    nat->counters.in++;
    element->passed++;
    element->bytes_passed += packet->len;
    struct simnet_element *entry = nat->hosts[mapping->host].entry;
    entry->class->forward(entry, world, packet);
}

// The number of the host with that address; UINT32_MAX: nobody.
static uint32_t host_at(const struct simnet_nat *nat, const struct dht_addr *addr)
{
    uint32_t index = ip_of(addr->ip) - ip_of(nat->config.inside);
    return index < nat->host_count && nat->hosts[index].entry != NULL ? index : UINT32_MAX;
}

// The mapping of what goes out, made or refreshed; NULL: it may not, and is counted.
static struct simnet_nat_entry *map(struct simnet_nat *nat, int64_t now_us,
                                    const struct simnet_packet *packet, uint32_t host)
{
    uint64_t inside = pack(&packet->from);
    uint64_t remote = nat->config.kind == SIMNET_NAT_SYMMETRIC ? pack(&packet->to) : 0;
    struct simnet_nat_entry *mapping =
        simnet_nat_table_find(&nat->mappings, now_us, inside, remote);
    if (mapping == NULL)
        return make_mapping(nat, now_us, inside, remote, host);
    refresh(mapping, now_us + nat->config.timeout_us);
    return mapping;
}

static void go_out(struct simnet_element *element, struct simnet_world *world,
                   struct simnet_packet *packet)
{
    struct simnet_nat *nat = (struct simnet_nat *)element;
    int64_t now_us = simnet_world_now(world);
    if (packet->to.ip_len != 4) {
        simnet_element_pass(element, world, packet);
        return;
    }
    uint32_t host = host_at(nat, &packet->from);
    uint32_t neighbour = host_at(nat, &packet->to);
    bool turns = memcmp(packet->to.ip, nat->addr.ip, 4) == 0;
    if (host == UINT32_MAX) {
        drop(element, world, packet, &nat->counters.stray);
    } else if (neighbour != UINT32_MAX) {
        simnet_world_delay(world, packet, nat->hosts[neighbour].entry, now_us + TURN_US);
    } else if (turns && !nat->config.hairpins) {
        drop(element, world, packet, &nat->counters.no_hairpin);
    } else {
        struct simnet_nat_entry *mapping = map(nat, now_us, packet, host);
        if (mapping == NULL) {
            simnet_element_drop(element, world, packet);
            return;
        }
        permit(nat, now_us, mapping, pack(&packet->to));
        packet->from = nat->addr;
        packet->from.port = mapping->port;
        nat->counters.out++;
        nat->counters.hairpinned += turns;
        if (turns)
            simnet_world_delay(world, packet, &nat->outer, now_us + TURN_US);
        else
            simnet_element_pass(element, world, packet);
    }
}

static void pass_gate(struct simnet_element *element, struct simnet_world *world,
                      struct simnet_packet *packet)
{
    const struct simnet_nat *nat =
        (struct simnet_nat *)(void *)((char *)element - offsetof(struct simnet_nat, gate));
    struct simnet_element *next =
        nat->carrier != NULL ? &nat->carrier->inner : simnet_world_core(world);
    next->class->forward(next, world, packet);
}

// ---- life ----

static void free_nat(struct simnet_element *element)
{
    struct simnet_nat *nat = (struct simnet_nat *)element;
    simnet_nat_table_fini(&nat->mappings);
    simnet_nat_table_fini(&nat->permits);
    free(nat->hosts);
    free(nat);
}

static const struct simnet_element_class inner_class = {"nat", go_out, free_nat};
static const struct simnet_element_class outer_class = {"nat", come_in, NULL};
static const struct simnet_element_class gate_class = {"gate", pass_gate, NULL};

void simnet_nat_config_init(struct simnet_nat_config *config, enum simnet_nat_kind kind)
{
    *config = (struct simnet_nat_config){
        .kind = kind,
        .ports =
            kind == SIMNET_NAT_SYMMETRIC ? SIMNET_NAT_PORTS_RANDOM : SIMNET_NAT_PORTS_PRESERVED,
        .timeout_us = 2 * SIMNET_MINUTE_US,
        .hairpins = kind == SIMNET_NAT_FULL_CONE,
        .port_first = 1024,
        .port_last = UINT16_MAX,
        .mappings_max = 4096,
        .permits_max = 16384,
        .hosts_max = 250,
        .inside = {192, 168, 1, 2},
    };
}

void simnet_nat_config_carrier(struct simnet_nat_config *config, enum simnet_nat_kind kind)
{
    static const uint8_t inside[4] = {100, 64, 0, 2};
    simnet_nat_config_init(config, kind);
    config->mappings_max = 64512;
    config->permits_max = 65536;
    config->hosts_max = 16384;
    config->ports_per_host = 1024;
    memcpy(config->inside, inside, sizeof inside);
}

struct simnet_nat *simnet_nat_new(struct simnet_world *world,
                                  const struct simnet_nat_config *config, uint64_t number,
                                  uint32_t place)
{
    assert(config->port_first > 0 && config->port_first <= config->port_last);
    struct simnet_nat *nat = simnet_world_need(calloc(1, sizeof *nat));
    nat->inner.class = &inner_class;
    nat->outer.class = &outer_class;
    nat->gate.class = &gate_class;
    nat->inner.next = &nat->gate;
    nat->down = &nat->outer;
    nat->world = world;
    nat->config = *config;
    nat->place = place;
    nat->next_port = config->port_first;
    simnet_stream_init(&nat->stream, simnet_world_seed(world), "nat", number);
    simnet_nat_table_init(&nat->mappings, config->mappings_max, true);
    simnet_nat_table_init(&nat->permits, config->permits_max, false);
    simnet_world_own(world, &nat->outer); // before the inner one, which frees the whole
    simnet_world_own(world, &nat->inner);
    return nat;
}

// Gives a chain to the world, and lets it end at the element. Returns its first.
static struct simnet_element *own_chain(struct simnet_world *world, struct simnet_element *first,
                                        struct simnet_element *end)
{
    for (struct simnet_element *each = first; each != NULL; each = each->next)
        simnet_world_own(world, each);
    simnet_element_chain(&first, end);
    return first;
}

void simnet_nat_line(struct simnet_nat *nat, struct simnet_element *up, struct simnet_element *down)
{
    assert(nat->addr.ip_len == 0);
    nat->inner.next = own_chain(nat->world, up, &nat->gate);
    nat->down = own_chain(nat->world, down, &nat->outer);
}

// ---- hosts ----

static uint32_t find_host(const struct simnet_nat *nat, const void *who)
{
    uint32_t at = 0;
    while (at < nat->host_count && nat->hosts[at].who != who)
        at++;
    return at;
}

// Gives somebody an address. The host's number, or UINT32_MAX: there are too many.
static uint32_t admit(struct simnet_nat *nat, struct simnet_element *entry, const void *who)
{
    uint32_t at = find_host(nat, NULL);
    if (at == nat->config.hosts_max)
        return UINT32_MAX;
    if (at == nat->host_capacity) {
        nat->host_capacity = nat->host_capacity == 0 ? 1 : 2 * nat->host_capacity;
        nat->hosts =
            simnet_world_need(realloc(nat->hosts, nat->host_capacity * sizeof *nat->hosts));
    }
    nat->hosts[at] = (struct host){entry, who};
    nat->host_count += at == nat->host_count;
    return at;
}

static void dismiss(struct simnet_nat *nat, const void *who)
{
    uint32_t at = find_host(nat, who);
    if (at == nat->host_count)
        return;
    simnet_nat_table_forget(&nat->mappings, at);
    simnet_nat_table_forget(&nat->permits, at);
    nat->hosts[at] = (struct host){0};
}

static struct dht_addr host_addr(const struct simnet_nat *nat, uint32_t host)
{
    return unpack((uint64_t)(ip_of(nat->config.inside) + host) << 16);
}

// ---- connections ----

static void disconnect(struct simnet_nat *nat)
{
    if (nat->carrier != NULL)
        dismiss(nat->carrier, nat);
    else if (nat->addr.ip_len != 0)
        simnet_world_unlisten(nat->world, &nat->addr);
    nat->carrier = NULL;
    simnet_nat_reboot(nat);
}

void simnet_nat_connect(struct simnet_nat *nat, const struct dht_addr *addr)
{
    assert(addr->ip_len == 4);
    disconnect(nat);
    nat->addr = *addr;
    nat->addr.port = 0;
    simnet_world_listen(nat->world, &nat->addr, nat->down, nat->place);
}

// Whoever is inside is where the NAT is.
static void move_to(struct simnet_nat *nat, uint32_t place)
{
    nat->place = place;
    for (uint32_t i = 0; i < simnet_world_machines(nat->world); i++) {
        struct simnet_machine *machine = simnet_world_machine(nat->world, i);
        if (simnet_nat_of(machine) == nat)
            machine->place = place;
    }
}

void simnet_nat_connect_behind(struct simnet_nat *nat, struct simnet_nat *carrier)
{
    disconnect(nat);
    uint32_t host = admit(carrier, nat->down, nat);
    assert(host != UINT32_MAX);
    nat->carrier = carrier;
    nat->addr = host_addr(carrier, host);
    if (nat->host_count > 0)
        move_to(nat, carrier->place);
    nat->place = carrier->place;
}

void simnet_nat_reboot(struct simnet_nat *nat)
{
    simnet_nat_table_clear(&nat->mappings);
    simnet_nat_table_clear(&nat->permits);
}

void simnet_nat_set(struct simnet_nat *nat, const struct simnet_nat_config *config)
{
    struct simnet_nat_config old = nat->config;
    nat->config = *config;
    nat->config.mappings_max = old.mappings_max;
    nat->config.permits_max = old.permits_max;
    nat->config.hosts_max = old.hosts_max;
    memcpy(nat->config.inside, old.inside, sizeof old.inside);
    if (nat->next_port < config->port_first || nat->next_port > config->port_last)
        nat->next_port = config->port_first;
    // A mapping of one kind means nothing to another.
    if (config->kind != old.kind)
        simnet_nat_reboot(nat);
}

// ---- machines ----

struct simnet_nat *simnet_nat_of(const struct simnet_machine *machine)
{
    struct simnet_element *element = machine->way_out;
    while (element != NULL && element->class != &inner_class)
        element = element->next;
    return (struct simnet_nat *)element;
}

bool simnet_nat_attach(struct simnet_nat *nat, struct simnet_machine *machine)
{
    struct simnet_element *door = simnet_world_door(nat->world, machine);
    struct simnet_nat *before = simnet_nat_of(machine);
    if (before == nat)
        dismiss(nat, machine);
    uint32_t host = admit(nat, door, machine);
    if (host == UINT32_MAX)
        return false;
    if (before != NULL && before != nat)
        dismiss(before, machine);
    struct dht_addr addrs[NODE_ENGINES_MAX];
    for (uint8_t i = 0; i < machine->address_count; i++) {
        addrs[i] = machine->addrs[i];
        if (addrs[i].ip_len != 4)
            continue;
        addrs[i] = host_addr(nat, host);
        addrs[i].port = machine->addrs[i].port;
    }
    machine->place = nat->place;
    simnet_machine_rewire(machine, addrs, &nat->inner);
    for (uint8_t i = 0; i < machine->address_count; i++)
        if (addrs[i].ip_len != 4)
            simnet_world_listen(nat->world, &addrs[i], door, nat->place);
    return true;
}

void simnet_nat_detach(struct simnet_machine *machine, const struct dht_addr *addr)
{
    struct simnet_nat *nat = simnet_nat_of(machine);
    if (nat != NULL)
        dismiss(nat, machine);
    struct dht_addr addrs[NODE_ENGINES_MAX];
    for (uint8_t i = 0; i < machine->address_count; i++)
        addrs[i] = machine->addrs[i].ip_len == addr->ip_len ? *addr : machine->addrs[i];
    machine->place = machine->number;
    simnet_machine_rewire(machine, addrs, NULL);
}

struct dht_addr simnet_nat_addr(const struct simnet_nat *nat)
{
    return nat->addr;
}

const struct simnet_nat_counters *simnet_nat_counters(const struct simnet_nat *nat)
{
    return &nat->counters;
}

uint32_t simnet_nat_mappings(const struct simnet_nat *nat)
{
    return nat->mappings.count;
}
