// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SIPHASH_H
#define PNR_DHT_SIPHASH_H

// SipHash-2-4, a keyed hash: for tokens, and for hash tables that strangers must not be able to
// fill unevenly.

#include "pnr/dht.h"

struct dht_siphash_key {
    uint64_t k0;
    uint64_t k1;
};

uint64_t dht_siphash(const struct dht_siphash_key *key, const void *data, size_t len);

#endif
