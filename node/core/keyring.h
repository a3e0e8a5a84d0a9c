// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_KEYRING_H
#define PNR_CORE_KEYRING_H

// The keys whose secret halves the driver holds: label, public key, its SHA-1 (the 40-hex
// authority), and where the file is. No secret ever comes here. Bound: keys_max.

#include "node/core/name.h"
#include "pnr/dht.h"

struct core_key {
    char label[CORE_NAME_LABEL_LEN_MAX + 1];
    uint8_t key[DHT_KEY_LEN];
    uint8_t hash[DHT_ID_LEN];
    char *path;
};

struct core_keyring {
    struct core_key *keys; // by label, sorted
    uint32_t count;
    uint32_t capacity;
    uint32_t count_max;
};

void core_keyring_fini(struct core_keyring *keyring);

// Adds a key, or puts it in the place of the one with its label. False where keys_max are held,
// memory is short, or the label is none.
bool core_keyring_add(struct core_keyring *keyring, const struct dht_crypto *crypto,
                      const char *label, const uint8_t key[DHT_KEY_LEN], const char *path);
void core_keyring_remove(struct core_keyring *keyring, const char *label);

// Each is NULL where there is none, and good until the keyring is next changed.
const struct core_key *core_keyring_by_label(const struct core_keyring *keyring, const char *label);
const struct core_key *core_keyring_by_key(const struct core_keyring *keyring,
                                           const uint8_t key[DHT_KEY_LEN]);
// By the authority of a name, whichever kind it is.
const struct core_key *core_keyring_by_name(const struct core_keyring *keyring,
                                            const struct core_name *name);

#endif
