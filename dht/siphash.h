// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SIPHASH_H
#define PNR_DHT_SIPHASH_H

// SipHash-2-4 (Aumasson and Bernstein, 2012), a keyed hash: for tokens, and for hash tables that
// strangers must not be able to fill unevenly. Words are read little endian on every machine.

#include "pnr/dht.h"

struct dht_siphash_key {
    uint64_t k0; // the key's first 8 bytes, little endian
    uint64_t k1;
};

// The hash of len bytes; data may be NULL where len is 0.
uint64_t dht_siphash(const struct dht_siphash_key *key, const void *data, size_t len);

#endif
