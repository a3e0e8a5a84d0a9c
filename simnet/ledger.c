// SPDX-License-Identifier: MIT
#include "simnet/ledger.h"

#include "simnet/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define CAPACITY_MIN 64

void simnet_ledger_init(struct simnet_ledger *ledger, size_t entry_size)
{
    assert(entry_size % sizeof *ledger->cells == 0);
    *ledger = (struct simnet_ledger){.entry_size = entry_size};
}

void simnet_ledger_fini(struct simnet_ledger *ledger)
{
    free(ledger->cells);
    *ledger = (struct simnet_ledger){.entry_size = ledger->entry_size};
}

uint64_t simnet_ledger_hash(uint64_t hash, const void *bytes, size_t len)
{
    return XXH3_64bits_withSeed(bytes, len, hash);
}

// A cell is a hash, 0: free, and its entry.
static uint64_t *cell_at(const struct simnet_ledger *ledger, size_t at)
{
    return ledger->cells + at * (1 + ledger->entry_size / sizeof *ledger->cells);
}

// The cell of the hash, or where it would be.
static uint64_t *cell_of(const struct simnet_ledger *ledger, uint64_t hash)
{
    size_t at = hash & (ledger->capacity - 1);
    for (uint64_t *cell; *(cell = cell_at(ledger, at)) != 0 && *cell != hash;)
        at = (at + 1) & (ledger->capacity - 1);
    return cell_at(ledger, at);
}

// Moves the entries that are kept, NULL: all, to as many cells.
static void move(struct simnet_ledger *ledger, size_t capacity, simnet_ledger_keep keep)
{
    struct simnet_ledger old = *ledger;
    size_t cell_size = sizeof *ledger->cells + ledger->entry_size;
    ledger->capacity = capacity;
    ledger->count = 0;
    ledger->cells = simnet_world_need(calloc(capacity, cell_size));
    for (size_t i = 0; i < old.capacity; i++) {
        const uint64_t *cell = cell_at(&old, i);
        if (*cell == 0 || (keep != NULL && !keep(cell + 1)))
            continue;
        memcpy(cell_of(ledger, *cell), cell, cell_size);
        ledger->count++;
    }
    free(old.cells);
}

bool simnet_ledger_is_full(const struct simnet_ledger *ledger)
{
    return 4 * ledger->count >= 3 * ledger->capacity;
}

void simnet_ledger_sweep(struct simnet_ledger *ledger, simnet_ledger_keep keep)
{
    size_t kept = 0;
    for (size_t i = 0; i < ledger->capacity; i++) {
        const uint64_t *cell = cell_at(ledger, i);
        kept += *cell != 0 && keep(cell + 1);
    }
    if (2 * kept < ledger->capacity)
        move(ledger, ledger->capacity, keep);
}

void *simnet_ledger_take(struct simnet_ledger *ledger, uint64_t hash)
{
    hash += hash == 0;
    if (simnet_ledger_is_full(ledger))
        move(ledger, ledger->capacity == 0 ? CAPACITY_MIN : 2 * ledger->capacity, NULL);
    uint64_t *cell = cell_of(ledger, hash);
    ledger->count += *cell == 0;
    *cell = hash;
    return cell + 1;
}

void *simnet_ledger_find(const struct simnet_ledger *ledger, uint64_t hash)
{
    hash += hash == 0;
    if (ledger->capacity == 0)
        return NULL;
    uint64_t *cell = cell_of(ledger, hash);
    return *cell == 0 ? NULL : cell + 1;
}
