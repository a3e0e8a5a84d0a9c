// SPDX-License-Identifier: MIT
#include "node/core/keyring.h"

#include <stdlib.h>
#include <string.h>

void core_keyring_fini(struct core_keyring *keyring)
{
    for (uint32_t i = 0; i < keyring->count; i++)
        free(keyring->keys[i].path);
    free(keyring->keys);
    keyring->keys = NULL;
    keyring->count = keyring->capacity = 0;
}

// Where the label is, or where it goes.
static uint32_t place_of(const struct core_keyring *keyring, const char *label)
{
    uint32_t low = 0;
    uint32_t high = keyring->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (strcmp(keyring->keys[middle].label, label) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct core_key *core_keyring_by_label(const struct core_keyring *keyring, const char *label)
{
    uint32_t at = place_of(keyring, label);
    bool there = at < keyring->count && strcmp(keyring->keys[at].label, label) == 0;
    return there ? &keyring->keys[at] : NULL;
}

const struct core_key *core_keyring_by_key(const struct core_keyring *keyring,
                                           const uint8_t key[DHT_KEY_LEN])
{
    for (uint32_t i = 0; i < keyring->count; i++)
        if (memcmp(keyring->keys[i].key, key, DHT_KEY_LEN) == 0)
            return &keyring->keys[i];
    return NULL;
}

static const struct core_key *by_hash(const struct core_keyring *keyring,
                                      const uint8_t hash[DHT_ID_LEN])
{
    for (uint32_t i = 0; i < keyring->count; i++)
        if (memcmp(keyring->keys[i].hash, hash, DHT_ID_LEN) == 0)
            return &keyring->keys[i];
    return NULL;
}

const struct core_key *core_keyring_by_name(const struct core_keyring *keyring,
                                            const struct core_name *name)
{
    switch (name->kind) {
    case CORE_NAME_LABEL:
        return core_keyring_by_label(keyring, name->label);
    case CORE_NAME_KEY:
        return core_keyring_by_key(keyring, name->key);
    case CORE_NAME_HASH:
        return by_hash(keyring, name->hash);
    case CORE_NAME_UNSECURED:
        break;
    }
    return NULL;
}

static bool is_label(const char *label)
{
    struct core_name name;
    return core_name_parse(label, strlen(label), &name, NULL) == CORE_NAME_OK &&
           name.kind == CORE_NAME_LABEL && name.classifier_len == 0;
}

// Makes room for one more.
static bool grow(struct core_keyring *keyring)
{
    if (keyring->count >= keyring->count_max)
        return false;
    if (keyring->count < keyring->capacity)
        return true;
    uint32_t capacity = keyring->capacity == 0 ? 4 : keyring->capacity * 2;
    struct core_key *keys = realloc(keyring->keys, capacity * sizeof *keys);
    if (keys == NULL)
        return false;
    keyring->keys = keys;
    keyring->capacity = capacity;
    return true;
}

// The entry of the label: the one there is, without its path, or a new one.
static struct core_key *make_place(struct core_keyring *keyring, const char *label)
{
    uint32_t at = place_of(keyring, label);
    if (core_keyring_by_label(keyring, label) != NULL) {
        free(keyring->keys[at].path);
        return &keyring->keys[at];
    }
    if (!grow(keyring))
        return NULL;
    struct core_key *entry = &keyring->keys[at];
    memmove(entry + 1, entry, (keyring->count - at) * sizeof *entry);
    keyring->count++;
    return entry;
}

bool core_keyring_add(struct core_keyring *keyring, const struct dht_crypto *crypto,
                      const char *label, const uint8_t key[DHT_KEY_LEN], const char *path)
{
    size_t path_len = strlen(path) + 1;
    if (!is_label(label))
        return false;
    char *path_copy = malloc(path_len);
    struct core_key *added = path_copy != NULL ? make_place(keyring, label) : NULL;
    if (added == NULL) {
        free(path_copy);
        return false;
    }
    memcpy(path_copy, path, path_len);
    *added = (struct core_key){.path = path_copy};
    memcpy(added->label, label, strlen(label));
    memcpy(added->key, key, DHT_KEY_LEN);
    core_name_key_hash(crypto, key, added->hash);
    return true;
}

void core_keyring_remove(struct core_keyring *keyring, const char *label)
{
    uint32_t at = place_of(keyring, label);
    if (at == keyring->count || strcmp(keyring->keys[at].label, label) != 0)
        return;
    free(keyring->keys[at].path);
    keyring->count--;
    memmove(keyring->keys + at, keyring->keys + at + 1,
            (keyring->count - at) * sizeof *keyring->keys);
}
