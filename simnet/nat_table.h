// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_NAT_TABLE_H
#define PNR_SIMNET_NAT_TABLE_H

// What a NAT remembers: entries under a pair of addresses, which end at some time, and may have a
// port by which they are found, too. It grows with its entries up to its limit; entries whose time
// is over are taken out when somebody comes upon them, or when there is no room. Addresses are
// packed into numbers, 32 bits of IPv4 and 16 of port.

#include <stdbool.h>
#include <stdint.h>

#define SIMNET_NAT_TABLE_NONE UINT32_MAX

struct simnet_nat_entry {
    uint64_t inside, remote; // the key; remote may be 0, which stands for all
    int64_t due_us;          // it is over at that time; may be put off, never brought forward
    uint32_t next, next_by_port;
    uint32_t host; // on whose behalf
    uint16_t port;
    bool is_used;
};

struct simnet_nat_table {
    bool has_ports; // entries are found by their ports
    uint32_t limit; // at most so many
    struct simnet_nat_entry *entries;
    uint32_t *by_key, *by_port; // firsts of chains; as many as the capacity
    uint32_t capacity;          // a power of two, or 0
    uint32_t top;               // entries in use, ever
    uint32_t spare;             // the first of those done with
    uint32_t count;
    uint32_t *host_counts; // entries of each host
    uint32_t host_capacity;
    int64_t earliest_us; // no entry is over before
};

void simnet_nat_table_init(struct simnet_nat_table *table, uint32_t limit, bool has_ports);
void simnet_nat_table_fini(struct simnet_nat_table *table);
void simnet_nat_table_clear(struct simnet_nat_table *table);

// Pointers to entries hold until the next call of simnet_nat_table_add().

// NULL where there is none, or its time was over.
struct simnet_nat_entry *simnet_nat_table_find(struct simnet_nat_table *table, int64_t now_us,
                                               uint64_t inside, uint64_t remote);
struct simnet_nat_entry *simnet_nat_table_at_port(struct simnet_nat_table *table, int64_t now_us,
                                                  uint16_t port);

// Copies the key, time, host and port of an entry that is not there. NULL where the table is full.
struct simnet_nat_entry *simnet_nat_table_add(struct simnet_nat_table *table, int64_t now_us,
                                              const struct simnet_nat_entry *entry);

// How many entries a host has; where they are enough or more, only those whose times are not over.
uint32_t simnet_nat_table_of_host(struct simnet_nat_table *table, int64_t now_us, uint32_t host,
                                  uint32_t enough);
// Takes out all the entries of a host.
void simnet_nat_table_forget(struct simnet_nat_table *table, uint32_t host);

#endif
