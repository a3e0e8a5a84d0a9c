// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SOURCE_H
#define PNR_DHT_SOURCE_H

// Who sends us queries, and how much they may: a rate of queries for each address, and for each
// prefix (/24, /48) that is not proven a budget of reply bytes, so that nobody can use this node to
// send a victim much more than the forger sent (users-and-trust, row 16: in any 60 seconds at most
// 1.5 times what came in, beyond a burst of 4 KiB; source.c shows how). A source is proven for 10
// minutes after it has echoed a token or a transaction id of ours from the same address and port:
// then it is really there, and asks for itself. Up to 4 ports of an address are proven at once; a
// fifth takes the place of the one that would end first.
//
// Memory: two fixed tables, of sources_max addresses and four times as many prefixes, 8 to a set,
// of which one is forgotten for a newcomer (counted): of addresses the oldest, first among those
// with no proof; of prefixes the one that has spent least. They are allocated when the first source
// is seen: about 200 bytes for each of sources_max. A prefix starts with a full budget of 2 KiB,
// or, where its set has forgotten others, with what the worst of them would have by now: so a flood
// of forged addresses buys nothing, and is over 60 seconds after it ends.

#include "dht/siphash.h"
#include "pnr/dht.h"

struct dht_source_table;

struct dht_source_limits {
    uint32_t sources_max;        // in steps of 8, and at least 8
    uint32_t queries_per_second; // of one address; the burst is 4 seconds' worth; 0: no such limit
};

// NULL where memory is short.
struct dht_source_table *dht_source_table_new(const struct dht_source_limits *limits,
                                              const struct dht_siphash_key *key);
void dht_source_table_free(struct dht_source_table *table);

// Counts a query of bytes_in bytes (payload). False: the address is over its rate, or memory is
// short; drop the query.
bool dht_source_query(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_in);

// The address and port has echoed something of ours. Where memory is short it stays unproven.
void dht_source_prove(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr);
bool dht_source_is_proven(const struct dht_source_table *table, int64_t now_us,
                          const struct dht_addr *addr);

// We ask this address something, which makes a hole for it in a NAT before us: for the next 5
// minutes what comes from there, from any port, says nothing about who else could reach us.
void dht_source_asked(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr);
bool dht_source_was_asked(const struct dht_source_table *table, int64_t now_us,
                          const struct dht_addr *addr);

// Bytes are to go to this address that no query of just now has asked for: its prefix gets a budget
// if it has none yet. Where memory is short it gets none.
void dht_source_meet(struct dht_source_table *table, const struct dht_addr *addr);

// How many reply bytes (payload) may go to this address now; SIZE_MAX where it is proven; 0 where
// nothing is known of its prefix: there is a budget only after dht_source_query() or
// dht_source_meet().
size_t dht_source_budget(struct dht_source_table *table, int64_t now_us,
                         const struct dht_addr *addr);
// So many were sent, at the time of that budget. Asserts that they were within it.
void dht_source_spend(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                      size_t bytes_out);

// How many sources were forgotten to make room.
uint64_t dht_source_forgotten(const struct dht_source_table *table);

#endif
