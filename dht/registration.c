// SPDX-License-Identifier: MIT
#include "dht/registration.h"

#include "dht/engine.h"
#include "dht/id.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 4

// A registration and the bytes that it points to.
struct dht_registration_entry {
    struct dht_registration registration;
    uint32_t hash;
    uint8_t bytes[];
};

void dht_registration_table_fini(struct dht_registration_table *table)
{
    for (uint32_t i = 0; i < table->count; i++)
        free(table->entries[i]);
    free(table->entries);
    dht_index_clear(&table->index);
    *table = (struct dht_registration_table){0};
}

static uint32_t hash_of(const struct dht_siphash_key *key, const struct dht_id *info_hash)
{
    return (uint32_t)dht_siphash(key, info_hash->bytes, sizeof info_hash->bytes);
}

// Where it stands, or DHT_INDEX_NONE.
static uint32_t find(const struct dht_registration_table *table, uint32_t hash,
                     const struct dht_id *info_hash)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t at;
    while ((at = dht_index_next(&table->index, hash, &cursor)) != DHT_INDEX_NONE)
        if (dht_id_equal(&table->entries[at]->registration.info_hash, info_hash))
            break;
    return at;
}

static struct dht_registration_entry *copy_of(const struct dht_registration *registration,
                                              uint32_t hash)
{
    size_t description_len = registration->description.len;
    size_t payload_len = registration->payload.len;
    struct dht_registration_entry *entry = malloc(sizeof *entry + description_len + payload_len);
    if (entry == NULL)
        return NULL;
    entry->hash = hash;
    entry->registration = *registration;
    entry->registration.description.data = entry->bytes;
    entry->registration.payload.data = entry->bytes + description_len;
    if (description_len > 0)
        memcpy(entry->bytes, registration->description.data, description_len);
    if (payload_len > 0)
        memcpy(entry->bytes + description_len, registration->payload.data, payload_len);
    return entry;
}

// Makes room for one more.
static bool grow(struct dht_registration_table *table, uint32_t count_max)
{
    if (table->count >= count_max || !dht_index_reserve(&table->index, count_max))
        return false;
    if (table->count < table->capacity)
        return true;
    uint32_t capacity = table->capacity == 0 ? CAPACITY_FIRST : table->capacity * 2;
    struct dht_registration_entry **entries = realloc(table->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    table->entries = entries;
    table->capacity = capacity;
    return true;
}

bool dht_registration_put(struct dht_registration_table *table,
                          const struct dht_registration_limits *limits,
                          const struct dht_registration *registration)
{
    uint32_t hash = hash_of(limits->key, &registration->info_hash);
    uint32_t at = find(table, hash, &registration->info_hash);
    if (registration->description.len > DHT_DESCRIPTION_LEN_MAX ||
        registration->payload.len > DHT_PAYLOAD_LEN_MAX)
        return false;
    if (at == DHT_INDEX_NONE && !grow(table, limits->count_max))
        return false;
    struct dht_registration_entry *entry = copy_of(registration, hash);
    if (entry == NULL)
        return false;
    if (at != DHT_INDEX_NONE) {
        free(table->entries[at]);
        table->entries[at] = entry;
        return true;
    }
    dht_index_add(&table->index, hash, table->count);
    table->entries[table->count++] = entry;
    return true;
}

bool dht_registration_remove(struct dht_registration_table *table,
                             const struct dht_siphash_key *key, const struct dht_id *info_hash)
{
    uint32_t hash = hash_of(key, info_hash);
    uint32_t at = find(table, hash, info_hash);
    if (at == DHT_INDEX_NONE)
        return false;
    uint32_t last = table->count - 1;
    dht_index_remove(&table->index, hash, at);
    free(table->entries[at]);
    if (at != last) {
        dht_index_replace(&table->index, table->entries[last]->hash, last, at);
        table->entries[at] = table->entries[last];
    }
    table->count--;
    if (table->count == 0)
        dht_registration_table_fini(table);
    return true;
}

const struct dht_registration *dht_registration_find(const struct dht_registration_table *table,
                                                     const struct dht_siphash_key *key,
                                                     const struct dht_id *info_hash)
{
    if (table->count == 0)
        return NULL;
    uint32_t at = find(table, hash_of(key, info_hash), info_hash);
    return at == DHT_INDEX_NONE ? NULL : &table->entries[at]->registration;
}

bool dht_register(struct dht *dht, const struct dht_registration *registration)
{
    struct dht_registration_limits limits = {&dht->hash_key, dht->config.registrations_max};
    return dht_registration_put(&dht->registrations, &limits, registration);
}

bool dht_unregister(struct dht *dht, const struct dht_id *info_hash)
{
    return dht_registration_remove(&dht->registrations, &dht->hash_key, info_hash);
}
