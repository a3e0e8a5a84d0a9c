// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_DIRECTORY_H
#define PNR_SIMNET_DIRECTORY_H

// Who listens at which address: a hash table from addresses to numbers. It grows with its entries;
// at most a half of it is used.

#include "pnr/dht.h"

#define SIMNET_DIRECTORY_NOBODY UINT32_MAX

struct simnet_directory {
    struct simnet_directory_entry *entries;
    uint32_t capacity; // a power of two, or 0
    uint32_t used;     // entries, and places of such as were taken out
    uint32_t any_port; // entries with port 0
};

void simnet_directory_fini(struct simnet_directory *directory);

// value may not be SIMNET_DIRECTORY_NOBODY. False where memory is short.
bool simnet_directory_set(struct simnet_directory *directory, const struct dht_addr *addr,
                          uint32_t value);
void simnet_directory_remove(struct simnet_directory *directory, const struct dht_addr *addr);

// Who listens at the address and port, else who does at port 0 of it, which stands for all.
uint32_t simnet_directory_find(const struct simnet_directory *directory,
                               const struct dht_addr *addr);

#endif
