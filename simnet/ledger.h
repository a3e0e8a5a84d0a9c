// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_LEDGER_H
#define PNR_SIMNET_LEDGER_H

// What a checker remembers of many things: entries of one size, each found by a hash of 64 bits of
// what it is about. Entries are never removed, and move when there is another: a pointer to one is
// valid until the next simnet_ledger_take(). Two things of one hash are taken for one, which no
// simulation lives to see.

#include "pnr/dht.h"

struct simnet_ledger {
    size_t entry_size;
    uint64_t *keys; // 0: free
    uint8_t *entries;
    size_t count, capacity;
};

void simnet_ledger_init(struct simnet_ledger *ledger, size_t entry_size);
void simnet_ledger_fini(struct simnet_ledger *ledger);

// The entry of that hash, all zero where it is new.
void *simnet_ledger_take(struct simnet_ledger *ledger, uint64_t hash);
// NULL where there is none.
void *simnet_ledger_find(const struct simnet_ledger *ledger, uint64_t hash);

// A hash of bytes, chained: start with any number.
uint64_t simnet_ledger_hash(uint64_t hash, const void *bytes, size_t len);

#endif
