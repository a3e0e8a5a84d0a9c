// SPDX-License-Identifier: MIT
#include "simnet/nat_table.h"

#include "simnet/stream.h"
#include "simnet/world.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 4
#define NONE           SIMNET_NAT_TABLE_NONE

void simnet_nat_table_init(struct simnet_nat_table *table, uint32_t limit, bool has_ports)
{
    *table = (struct simnet_nat_table){
        .has_ports = has_ports, .limit = limit, .spare = NONE, .earliest_us = INT64_MAX};
}

void simnet_nat_table_fini(struct simnet_nat_table *table)
{
    free(table->entries);
    free(table->by_key);
    free(table->by_port);
    free(table->host_counts);
}

void simnet_nat_table_clear(struct simnet_nat_table *table)
{
    simnet_nat_table_fini(table);
    simnet_nat_table_init(table, table->limit, table->has_ports);
}

static uint32_t *chain_of(const struct simnet_nat_table *table, uint64_t inside, uint64_t remote)
{
    return &table->by_key[simnet_stream_pair(0, inside, remote) & (table->capacity - 1)];
}

static uint32_t *port_chain_of(const struct simnet_nat_table *table, uint16_t port)
{
    return &table->by_port[port & (table->capacity - 1)];
}

static void link_in(struct simnet_nat_table *table, uint32_t index)
{
    struct simnet_nat_entry *entry = &table->entries[index];
    uint32_t *first = chain_of(table, entry->inside, entry->remote);
    entry->next = *first;
    *first = index;
    if (!table->has_ports)
        return;
    first = port_chain_of(table, entry->port);
    entry->next_by_port = *first;
    *first = index;
}

static void take_out(struct simnet_nat_table *table, uint32_t index)
{
    struct simnet_nat_entry *entry = &table->entries[index];
    uint32_t *link = chain_of(table, entry->inside, entry->remote);
    while (*link != index)
        link = &table->entries[*link].next;
    *link = entry->next;
    if (table->has_ports) {
        link = port_chain_of(table, entry->port);
        while (*link != index)
            link = &table->entries[*link].next_by_port;
        *link = entry->next_by_port;
    }
    table->host_counts[entry->host]--;
    entry->is_used = false;
    entry->next = table->spare;
    table->spare = index;
    table->count--;
}

// Takes out what is over, if anything can be.
static void sweep(struct simnet_nat_table *table, int64_t now_us)
{
    if (now_us < table->earliest_us)
        return;
    table->earliest_us = INT64_MAX;
    for (uint32_t i = 0; i < table->top; i++) {
        if (!table->entries[i].is_used)
            continue;
        if (table->entries[i].due_us <= now_us)
            take_out(table, i);
        else if (table->entries[i].due_us < table->earliest_us)
            table->earliest_us = table->entries[i].due_us;
    }
}

// The mapping at index, if any, unless its time is over: then it goes.
static struct simnet_nat_entry *living(struct simnet_nat_table *table, uint32_t index,
                                       int64_t now_us)
{
    if (index == NONE)
        return NULL;
    if (table->entries[index].due_us > now_us)
        return &table->entries[index];
    take_out(table, index);
    return NULL;
}

struct simnet_nat_entry *simnet_nat_table_find(struct simnet_nat_table *table, int64_t now_us,
                                               uint64_t inside, uint64_t remote)
{
    if (table->capacity == 0)
        return NULL;
    uint32_t index = *chain_of(table, inside, remote);
    while (index != NONE &&
           (table->entries[index].inside != inside || table->entries[index].remote != remote))
        index = table->entries[index].next;
    return living(table, index, now_us);
}

struct simnet_nat_entry *simnet_nat_table_at_port(struct simnet_nat_table *table, int64_t now_us,
                                                  uint16_t port)
{
    if (table->capacity == 0)
        return NULL;
    uint32_t index = *port_chain_of(table, port);
    while (index != NONE && table->entries[index].port != port)
        index = table->entries[index].next_by_port;
    return living(table, index, now_us);
}

static void resize(struct simnet_nat_table *table, uint32_t capacity)
{
    size_t chains = capacity * sizeof *table->by_key;
    table->entries = simnet_world_need(realloc(table->entries, capacity * sizeof *table->entries));
    table->by_key = simnet_world_need(realloc(table->by_key, chains));
    memset(table->by_key, 0xff, chains);
    if (table->has_ports) {
        table->by_port = simnet_world_need(realloc(table->by_port, chains));
        memset(table->by_port, 0xff, chains);
    }
    table->capacity = capacity;
    for (uint32_t i = 0; i < table->top; i++)
        if (table->entries[i].is_used)
            link_in(table, i);
}

// An entry that is free; SIMNET_NAT_TABLE_NONE where the table is full.
static uint32_t take_spare(struct simnet_nat_table *table, int64_t now_us)
{
    if (table->count == table->limit || (table->spare == NONE && table->top == table->capacity))
        sweep(table, now_us);
    if (table->count == table->limit)
        return NONE;
    if (table->spare != NONE) {
        uint32_t index = table->spare;
        table->spare = table->entries[index].next;
        return index;
    }
    if (table->top == table->capacity)
        resize(table, table->capacity == 0 ? CAPACITY_FIRST : 2 * table->capacity);
    return table->top++;
}

static void count_host(struct simnet_nat_table *table, uint32_t host)
{
    if (host >= table->host_capacity) {
        uint32_t capacity = 2 * host + 1;
        table->host_counts =
            simnet_world_need(realloc(table->host_counts, capacity * sizeof *table->host_counts));
        memset(table->host_counts + table->host_capacity, 0,
               (capacity - table->host_capacity) * sizeof *table->host_counts);
        table->host_capacity = capacity;
    }
    table->host_counts[host]++;
}

struct simnet_nat_entry *simnet_nat_table_add(struct simnet_nat_table *table, int64_t now_us,
                                              const struct simnet_nat_entry *entry)
{
    uint32_t index = take_spare(table, now_us);
    if (index == NONE)
        return NULL;
    table->entries[index] = *entry;
    table->entries[index].is_used = true;
    link_in(table, index);
    count_host(table, entry->host);
    table->count++;
    if (entry->due_us < table->earliest_us)
        table->earliest_us = entry->due_us;
    return &table->entries[index];
}

uint32_t simnet_nat_table_of_host(struct simnet_nat_table *table, int64_t now_us, uint32_t host,
                                  uint32_t enough)
{
    if (host >= table->host_capacity)
        return 0;
    // Only where it matters are those counted out whose time is over.
    if (table->host_counts[host] >= enough)
        sweep(table, now_us);
    return table->host_counts[host];
}

void simnet_nat_table_forget(struct simnet_nat_table *table, uint32_t host)
{
    for (uint32_t i = 0; i < table->top; i++)
        if (table->entries[i].is_used && table->entries[i].host == host)
            take_out(table, i);
}
