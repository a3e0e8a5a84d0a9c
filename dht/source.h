// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SOURCE_H
#define PNR_DHT_SOURCE_H

// Who sends us queries, and how much they may: a rate of queries for each address, and for each
// prefix (/24, /48) that is not proven a budget of reply bytes, so that nobody can use this node to
// send a victim much more than the forger sent (users-and-trust, row 16: at most 1.5 times what
// came in over 60 seconds, beyond a burst of 4 KiB). A source is proven for 10 minutes after it has
// echoed a token or a transaction id of ours from the same address and port: then it is really
// there, and asks for itself.
//
// Memory: two fixed tables of sources_max entries, 8 to a set, the oldest of a set forgotten for a
// newcomer (counted). A forgotten prefix starts with an empty budget, not a full one, once the
// table has been full, so that a flood of forged addresses buys nothing.

#include "dht/siphash.h"
#include "pnr/dht.h"

struct dht_source_table;

struct dht_source_limits {
    uint32_t sources_max;
    uint32_t queries_per_second; // of one address; the burst is 4 seconds' worth
};

// NULL where memory is short.
struct dht_source_table *dht_source_table_new(const struct dht_source_limits *limits,
                                              const struct dht_siphash_key *key);
void dht_source_table_free(struct dht_source_table *table);

// Counts a query of bytes_in bytes (payload). False: the address is over its rate, drop the query.
bool dht_source_query(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_in);

// The address and port has echoed something of ours.
void dht_source_prove(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr);
bool dht_source_is_proven(const struct dht_source_table *table, int64_t now_us,
                          const struct dht_addr *addr);

// How many reply bytes (payload) may go to this address now; SIZE_MAX where it is proven.
size_t dht_source_budget(struct dht_source_table *table, int64_t now_us,
                         const struct dht_addr *addr);
// So many were sent. Asserts that they were within the budget.
void dht_source_spend(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_out);

// How many sources were forgotten to make room.
uint64_t dht_source_forgotten(const struct dht_source_table *table);

#endif
