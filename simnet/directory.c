// SPDX-License-Identifier: MIT
#include "simnet/directory.h"

#include "dht/addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64

enum state { EMPTY, TAKEN, GONE };

struct simnet_directory_entry {
    struct dht_addr addr;
    uint32_t value;
    uint32_t state;
};

void simnet_directory_fini(struct simnet_directory *directory)
{
    free(directory->entries);
    *directory = (struct simnet_directory){0};
}

static uint32_t place_of(const struct simnet_directory *directory, const struct dht_addr *addr)
{
    uint64_t high;
    uint64_t low;
    memcpy(&high, addr->ip, 8);
    memcpy(&low, addr->ip + 8, 8);
    uint64_t hash = (high ^ (low * UINT64_C(0x9e3779b97f4a7c15))) + addr->port;
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    hash = (hash ^ (hash >> 32)) * UINT64_C(0xd6e8feb86659fd93);
    return (uint32_t)(hash >> 32) & (directory->capacity - 1);
}

// The entry of the address, or where it would go; the table is not empty and not full.
static struct simnet_directory_entry *look(const struct simnet_directory *directory,
                                           const struct dht_addr *addr)
{
    struct simnet_directory_entry *gone = NULL;
    for (uint32_t at = place_of(directory, addr);; at = (at + 1) & (directory->capacity - 1)) {
        struct simnet_directory_entry *entry = &directory->entries[at];
        if (entry->state == EMPTY)
            return gone != NULL ? gone : entry;
        if (entry->state == GONE && gone == NULL)
            gone = entry;
        if (entry->state == TAKEN && dht_addr_equal(&entry->addr, addr))
            return entry;
    }
}

static bool grow(struct simnet_directory *directory)
{
    if (2 * directory->used < directory->capacity)
        return true;
    struct simnet_directory bigger = {.any_port = directory->any_port};
    bigger.capacity = directory->capacity == 0 ? CAPACITY_FIRST : 2 * directory->capacity;
    bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
    if (bigger.entries == NULL)
        return false;
    for (uint32_t i = 0; i < directory->capacity; i++) {
        if (directory->entries[i].state != TAKEN)
            continue;
        *look(&bigger, &directory->entries[i].addr) = directory->entries[i];
        bigger.used++;
    }
    free(directory->entries);
    *directory = bigger;
    return true;
}

bool simnet_directory_set(struct simnet_directory *directory, const struct dht_addr *addr,
                          uint32_t value)
{
    assert(value != SIMNET_DIRECTORY_NOBODY);
    if (!grow(directory))
        return false;
    struct simnet_directory_entry *entry = look(directory, addr);
    if (entry->state != TAKEN)
        directory->any_port += addr->port == 0;
    directory->used += entry->state == EMPTY;
    *entry = (struct simnet_directory_entry){*addr, value, TAKEN};
    return true;
}

void simnet_directory_remove(struct simnet_directory *directory, const struct dht_addr *addr)
{
    if (directory->capacity == 0)
        return;
    struct simnet_directory_entry *entry = look(directory, addr);
    if (entry->state != TAKEN)
        return;
    directory->any_port -= addr->port == 0;
    entry->state = GONE;
}

uint32_t simnet_directory_find(const struct simnet_directory *directory,
                               const struct dht_addr *addr)
{
    if (directory->capacity == 0)
        return SIMNET_DIRECTORY_NOBODY;
    const struct simnet_directory_entry *entry = look(directory, addr);
    if (entry->state == TAKEN)
        return entry->value;
    if (directory->any_port == 0 || addr->port == 0)
        return SIMNET_DIRECTORY_NOBODY;
    struct dht_addr any = *addr;
    any.port = 0;
    entry = look(directory, &any);
    return entry->state == TAKEN ? entry->value : SIMNET_DIRECTORY_NOBODY;
}
