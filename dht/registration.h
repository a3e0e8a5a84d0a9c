// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_REGISTRATION_H
#define PNR_DHT_REGISTRATION_H

// What this node registers: by infohash, what it says of itself there when it is asked with
// `pnr_who` (dht/serve_who.h). The table owns copies of it all, one piece of memory for each.
// Bound: count_max registrations of at most DHT_DESCRIPTION_LEN_MAX + DHT_PAYLOAD_LEN_MAX bytes. A
// zeroed struct is an empty table that owns no memory.
//
// dht_register() and dht_unregister() of include/pnr/dht.h are here too.

#include "dht/index.h"
#include "dht/siphash.h"
#include "pnr/dht.h"

struct dht_registration_entry;

struct dht_registration_table {
    struct dht_registration_entry **entries; // in no order
    uint32_t count, capacity;
    struct dht_index index; // from a keyed hash of the infohash to where it stands
};

void dht_registration_table_fini(struct dht_registration_table *table);

// What dht_registration_put() needs to know besides the registration.
struct dht_registration_limits {
    const struct dht_siphash_key *key; // the same for every call
    uint32_t count_max;
};

// Copies a registration, in place of the one with its infohash. False where count_max are there,
// memory is short, or description or payload is too long; the table is as it was then.
bool dht_registration_put(struct dht_registration_table *table,
                          const struct dht_registration_limits *limits,
                          const struct dht_registration *registration);
// Whether there was one.
bool dht_registration_remove(struct dht_registration_table *table,
                             const struct dht_siphash_key *key, const struct dht_id *info_hash);
// NULL where there is none; good until the table is next changed.
const struct dht_registration *dht_registration_find(const struct dht_registration_table *table,
                                                     const struct dht_siphash_key *key,
                                                     const struct dht_id *info_hash);

#endif
