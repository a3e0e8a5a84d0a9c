// SPDX-License-Identifier: MIT
#include "dht/bucket.h"

#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

bool dht_bucket_grow(struct dht_bucket *bucket, size_t len, uint32_t contacts_max,
                     uint32_t replacements_max)
{
    uint32_t used = dht_bucket_end(bucket);
    if (used < bucket->capacity)
        return true;
    uint32_t all_max = contacts_max + replacements_max;
    uint32_t capacity = used < 2 ? 2 : 2 * used;
    if (used < contacts_max && capacity > contacts_max)
        capacity = contacts_max;
    if (capacity > all_max)
        capacity = all_max;
    assert(capacity > used);
    uint64_t *heads = realloc(bucket->heads, capacity * (sizeof *heads + len));
    if (heads == NULL)
        return false;
    // The contacts move up, behind the longer heads.
    memmove(heads + capacity, heads + bucket->capacity, used * len);
    bucket->heads = heads;
    bucket->capacity = (uint16_t)capacity;
    return true;
}

uint32_t dht_bucket_find(const struct dht_bucket *bucket, size_t len, const struct dht_id *id,
                         uint32_t first, uint32_t end)
{
    uint64_t head = dht_id_head(id);
    for (uint32_t i = first; i < end; i++)
        if (bucket->heads[i] == head &&
            memcmp(dht_bucket_at(bucket, len, i).contact->node, id->bytes + DHT_CONTACT_HEAD_LEN,
                   DHT_CONTACT_TAIL_LEN) == 0)
            return i;
    return DHT_BUCKET_NONE;
}

static void write_at(const struct dht_bucket *bucket, size_t len, uint32_t index,
                     struct dht_contact_ref from)
{
    bucket->heads[index] = from.head;
    memcpy(dht_bucket_at(bucket, len, index).contact, from.contact, len);
}

// Moves all that stand at `from` or behind it by one, to `to`.
static void shift(const struct dht_bucket *bucket, size_t len, uint32_t to, uint32_t from)
{
    uint32_t end = dht_bucket_end(bucket);
    if (from == end)
        return;
    memmove(bucket->heads + to, bucket->heads + from, (end - from) * sizeof *bucket->heads);
    memmove(dht_bucket_at(bucket, len, to).contact, dht_bucket_at(bucket, len, from).contact,
            (end - from) * len);
}

void dht_bucket_add(struct dht_bucket *bucket, size_t len, struct dht_contact_ref from)
{
    assert(dht_bucket_end(bucket) < bucket->capacity);
    shift(bucket, len, bucket->count + 1u, bucket->count);
    write_at(bucket, len, bucket->count, from);
    bucket->failing += from.contact->fails > 0;
    bucket->count++;
}

void dht_bucket_add_replacement(struct dht_bucket *bucket, size_t len, struct dht_contact_ref from)
{
    assert(dht_bucket_end(bucket) < bucket->capacity);
    write_at(bucket, len, dht_bucket_end(bucket), from);
    bucket->replacement_count++;
}

void dht_bucket_replace(struct dht_bucket *bucket, size_t len, uint32_t index,
                        struct dht_contact_ref from)
{
    assert(index < bucket->count);
    bucket->failing -= dht_bucket_at(bucket, len, index).contact->fails > 0;
    bucket->failing += from.contact->fails > 0;
    write_at(bucket, len, index, from);
}

void dht_bucket_remove(struct dht_bucket *bucket, size_t len, uint32_t index)
{
    assert(index < dht_bucket_end(bucket));
    if (index >= bucket->count) {
        shift(bucket, len, index, index + 1);
        bucket->replacement_count--;
        return;
    }
    uint32_t last = bucket->count - 1u;
    bucket->failing -= dht_bucket_at(bucket, len, index).contact->fails > 0;
    if (index != last)
        write_at(bucket, len, index, dht_bucket_at(bucket, len, last));
    shift(bucket, len, last, bucket->count);
    bucket->count--;
}
