// SPDX-License-Identifier: MIT
#include "node/core/publication_table.h"

#include "node/core/publication.h"

#include <stdlib.h>
#include <string.h>

void core_publication_table_fini(struct core_publication_table *table)
{
    free(table->slots);
    dht_index_clear(&table->index);
    *table = (struct core_publication_table){0};
}

// FNV-1a, of all clouds alike. It need not be keyed: who may publish here has no need to slow us
// down.
static uint32_t hash_of(const uint8_t key[DHT_KEY_LEN], struct dht_span classifier)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < DHT_KEY_LEN; i++)
        hash = (hash ^ key[i]) * UINT32_C(16777619);
    for (size_t i = 0; i < classifier.len; i++)
        hash = (hash ^ classifier.data[i]) * UINT32_C(16777619);
    return hash;
}

static uint32_t hash_of_publication(const struct core_publication *publication)
{
    struct dht_span classifier = {publication->classifier, publication->classifier_len};
    return hash_of(publication->key, classifier);
}

static bool is_named(const struct core_publication *publication, const struct core_cloud *cloud,
                     const uint8_t key[DHT_KEY_LEN], struct dht_span classifier)
{
    return publication->cloud == cloud && publication->classifier_len == classifier.len &&
           memcmp(publication->key, key, DHT_KEY_LEN) == 0 &&
           (classifier.len == 0 ||
            memcmp(publication->classifier, classifier.data, classifier.len) == 0);
}

struct core_publication *core_publication_table_find(const struct core_publication_table *table,
                                                     const struct core_cloud *cloud,
                                                     const uint8_t key[DHT_KEY_LEN],
                                                     struct dht_span classifier)
{
    uint32_t hash = hash_of(key, classifier);
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&table->index, hash, &cursor)) != DHT_INDEX_NONE)
        if (is_named(table->slots[slot], cloud, key, classifier))
            return table->slots[slot];
    return NULL;
}

bool core_publication_table_add(struct core_publication_table *table,
                                struct core_publication *publication)
{
    if (!dht_index_reserve(&table->index, UINT32_MAX / 4))
        return false;
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity == 0 ? 8 : table->capacity * 2;
        struct core_publication **slots = realloc(table->slots, capacity * sizeof *slots);
        if (slots == NULL)
            return false;
        table->slots = slots;
        table->capacity = capacity;
    }
    publication->slot = table->count++;
    table->slots[publication->slot] = publication;
    dht_index_add(&table->index, hash_of_publication(publication), publication->slot);
    return true;
}

void core_publication_table_remove(struct core_publication_table *table,
                                   struct core_publication *publication)
{
    uint32_t slot = publication->slot;
    dht_index_remove(&table->index, hash_of_publication(publication), slot);
    uint32_t last = --table->count;
    if (slot == last)
        return;
    struct core_publication *moved = table->slots[last];
    dht_index_replace(&table->index, hash_of_publication(moved), last, slot);
    table->slots[slot] = moved;
    moved->slot = slot;
}
