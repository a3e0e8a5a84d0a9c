// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LEDGER_H
#define PNR_SIMNET_LEDGER_H

// What a checker remembers of many things: entries of one size, each found by a hash of 64 bits of
// what it is about. Entries move when there is another: a pointer to one is valid until the next
// simnet_ledger_take(). Two things of one hash are taken for one, which no
// simulation lives to see.

#include "pnr/dht.h"

struct simnet_ledger {
    size_t entry_size;
    uint64_t *cells; // each a hash and an entry
    size_t count, capacity;
};

// entry_size: a multiple of 8 (asserted).
void simnet_ledger_init(struct simnet_ledger *ledger, size_t entry_size);
void simnet_ledger_fini(struct simnet_ledger *ledger);

// The entry of that hash, all zero where it is new.
void *simnet_ledger_take(struct simnet_ledger *ledger, uint64_t hash);
// NULL where there is none.
void *simnet_ledger_find(const struct simnet_ledger *ledger, uint64_t hash);

// Whether the next new entry makes it larger.
bool simnet_ledger_is_full(const struct simnet_ledger *ledger);
// Drops the entries that are not to be kept, if at most half of the room is taken then. Called for
// full ledgers alone, before they grow, it costs little.
typedef bool (*simnet_ledger_keep)(const void *entry);
void simnet_ledger_sweep(struct simnet_ledger *ledger, simnet_ledger_keep keep);

// A hash of bytes, chained: start with any number.
uint64_t simnet_ledger_hash(uint64_t hash, const void *bytes, size_t len);

#endif
