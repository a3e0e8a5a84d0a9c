// SPDX-License-Identifier: MIT
#include "simnet/ledger.h"

#include "simnet/world.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define CAPACITY_MIN 64

void simnet_ledger_init(struct simnet_ledger *ledger, size_t entry_size)
{
    *ledger = (struct simnet_ledger){.entry_size = entry_size};
}

void simnet_ledger_fini(struct simnet_ledger *ledger)
{
    free(ledger->keys);
    free(ledger->entries);
    *ledger = (struct simnet_ledger){.entry_size = ledger->entry_size};
}

uint64_t simnet_ledger_hash(uint64_t hash, const void *bytes, size_t len)
{
    return XXH3_64bits_withSeed(bytes, len, hash);
}

// Where the hash is, or would be.
static size_t place_of(const struct simnet_ledger *ledger, uint64_t hash)
{
    size_t at = hash & (ledger->capacity - 1);
    while (ledger->keys[at] != 0 && ledger->keys[at] != hash)
        at = (at + 1) & (ledger->capacity - 1);
    return at;
}

static void grow(struct simnet_ledger *ledger)
{
    struct simnet_ledger old = *ledger;
    ledger->capacity = old.capacity == 0 ? CAPACITY_MIN : 2 * old.capacity;
    ledger->keys = simnet_world_need(calloc(ledger->capacity, sizeof *ledger->keys));
    ledger->entries = simnet_world_need(calloc(ledger->capacity, ledger->entry_size));
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.keys[i] == 0)
            continue;
        size_t at = place_of(ledger, old.keys[i]);
        ledger->keys[at] = old.keys[i];
        memcpy(ledger->entries + at * ledger->entry_size, old.entries + i * ledger->entry_size,
               ledger->entry_size);
    }
    free(old.keys);
    free(old.entries);
}

void *simnet_ledger_take(struct simnet_ledger *ledger, uint64_t hash)
{
    hash += hash == 0;
    if (4 * ledger->count >= 3 * ledger->capacity)
        grow(ledger);
    size_t at = place_of(ledger, hash);
    ledger->count += ledger->keys[at] == 0;
    ledger->keys[at] = hash;
    return ledger->entries + at * ledger->entry_size;
}

void *simnet_ledger_find(const struct simnet_ledger *ledger, uint64_t hash)
{
    hash += hash == 0;
    if (ledger->capacity == 0)
        return NULL;
    size_t at = place_of(ledger, hash);
    return ledger->keys[at] == 0 ? NULL : ledger->entries + at * ledger->entry_size;
}
