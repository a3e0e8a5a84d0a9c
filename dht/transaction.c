// SPDX-License-Identifier: MIT
#include "dht/transaction.h"

#include "dht/engine.h"
#include "dht/krpc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_SLOTS 4 // mostly one contact is checked
#define NO_SLOT     UINT32_MAX

void dht_transaction_table_init(struct dht_transaction_table *table, uint32_t slots_max)
{
    *table = (struct dht_transaction_table){.slots_max = slots_max, .free = NO_SLOT};
}

void dht_transaction_table_fini(struct dht_transaction_table *table)
{
    for (uint32_t i = 0; i < table->slots / CHUNK_SLOTS; i++)
        free(table->chunks[i]);
    free(table->chunks);
    free(table->buckets);
    *table = (struct dht_transaction_table){.free = NO_SLOT};
}

void dht_transaction_rest(struct dht_transaction_table *table)
{
    uint32_t slots_max = table->slots_max;
    if (table->count > 0 || table->slots == 0)
        return;
    dht_transaction_table_fini(table);
    dht_transaction_table_init(table, slots_max);
}

static struct dht_transaction *at(const struct dht_transaction_table *table, uint32_t slot)
{
    assert(slot < table->slots);
    return &table->chunks[slot / CHUNK_SLOTS][slot % CHUNK_SLOTS];
}

static uint32_t *chain_of(const struct dht_transaction_table *table, uint32_t tid)
{
    return &table->buckets[tid & (table->bucket_count - 1)];
}

// Makes the hash at least as wide as there are slots.
static bool widen(struct dht_transaction_table *table, uint32_t slots)
{
    if (table->bucket_count >= slots)
        return true;
    uint32_t bucket_count = table->bucket_count == 0 ? CHUNK_SLOTS : table->bucket_count * 2;
    uint32_t *buckets = malloc(bucket_count * sizeof *buckets);
    if (buckets == NULL)
        return false;
    memset(buckets, 0xff, bucket_count * sizeof *buckets); // NO_SLOT everywhere
    free(table->buckets);
    table->buckets = buckets;
    table->bucket_count = bucket_count;
    for (uint32_t slot = 0; slot < table->slots; slot++) {
        struct dht_transaction *transaction = at(table, slot);
        if (transaction->state == DHT_TRANSACTION_FREE)
            continue;
        uint32_t *chain = chain_of(table, transaction->tid);
        transaction->next = *chain;
        *chain = slot;
    }
    return true;
}

static bool add_chunk(struct dht_transaction_table *table)
{
    if (table->slots + CHUNK_SLOTS > table->slots_max)
        return false;
    uint32_t chunk_count = table->slots / CHUNK_SLOTS;
    struct dht_transaction **chunks = realloc(table->chunks, (chunk_count + 1) * sizeof *chunks);
    if (chunks == NULL)
        return false;
    table->chunks = chunks;
    if (!widen(table, table->slots + CHUNK_SLOTS))
        return false;
    struct dht_transaction *chunk = calloc(CHUNK_SLOTS, sizeof *chunk);
    if (chunk == NULL)
        return false;
    chunks[chunk_count] = chunk;
    table->slots += CHUNK_SLOTS;
    for (uint32_t slot = table->slots; slot-- > table->slots - CHUNK_SLOTS;) {
        at(table, slot)->next = table->free;
        table->free = slot;
    }
    return true;
}

static struct dht_transaction *find(const struct dht_transaction_table *table, uint32_t tid)
{
    if (table->bucket_count == 0)
        return NULL;
    for (uint32_t slot = *chain_of(table, tid); slot != NO_SLOT; slot = at(table, slot)->next)
        if (at(table, slot)->tid == tid)
            return at(table, slot);
    return NULL;
}

struct dht_transaction *dht_transaction_open(struct dht_transaction_table *table,
                                             struct dht_timer_heap *heap, struct dht_random *random)
{
    if (table->free == NO_SLOT && !add_chunk(table))
        return NULL;
    if (!dht_timer_reserve(heap, 1))
        return NULL;
    uint32_t tid = dht_random_u32(random);
    while (find(table, tid) != NULL)
        tid = dht_random_u32(random);
    uint32_t slot = table->free;
    struct dht_transaction *transaction = at(table, slot);
    table->free = transaction->next;
    uint32_t *chain = chain_of(table, tid);
    *transaction = (struct dht_transaction){
        .tid = tid,
        .next = *chain,
        .state = DHT_TRANSACTION_WAITING,
    };
    dht_timer_init(&transaction->timer, DHT_TIMER_TRANSACTION);
    *chain = slot;
    table->count++;
    return transaction;
}

void dht_transaction_close(struct dht_transaction_table *table, struct dht_timer_heap *heap,
                           struct dht_transaction *transaction)
{
    assert(transaction->state != DHT_TRANSACTION_FREE);
    dht_timer_clear(heap, &transaction->timer);
    uint32_t *link = chain_of(table, transaction->tid);
    while (at(table, *link) != transaction)
        link = &at(table, *link)->next;
    uint32_t slot = *link;
    *link = transaction->next;
    transaction->state = DHT_TRANSACTION_FREE;
    transaction->next = table->free;
    table->free = slot;
    table->count--;
}

struct dht_transaction *dht_transaction_find(const struct dht_transaction_table *table,
                                             struct dht_span tid)
{
    uint32_t number;
    if (tid.len != DHT_KRPC_TID_LEN)
        return NULL;
    memcpy(&number, tid.data, sizeof number);
    return find(table, number);
}

struct dht_transaction *dht_transaction_walk(const struct dht_transaction_table *table,
                                             uint32_t *cursor)
{
    while (*cursor < table->slots) {
        struct dht_transaction *transaction = at(table, (*cursor)++);
        if (transaction->state != DHT_TRANSACTION_FREE)
            return transaction;
    }
    return NULL;
}
