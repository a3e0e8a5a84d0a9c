// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_BUCKET_H
#define PNR_DHT_BUCKET_H

// One bucket of the routing table: its contacts and, behind them, the replacements that wait,
// newest last. One block of memory, which grows by doubling while contacts come, up to what they
// can be at most, and so again for the replacements. First the heads of all, dense since every
// query scans them, then the contacts themselves (dht/contact.h), whose length the table knows.
// Who may come in is the table's business, and so is the roster. A zeroed struct is an empty bucket
// that owns no memory.

#include "dht/contact.h"

struct dht_bucket {
    uint64_t *heads;            // dht_id_head() of each
    uint32_t touched_s;         // when a lookup last went through here
    uint16_t count;             // contacts
    uint16_t replacement_count; // replacements behind them
    uint16_t capacity;          // for both together
    uint16_t failing;           // contacts with fails
};

// Number index of all: contacts, then replacements. len: dht_contact_len().
static inline struct dht_contact_ref dht_bucket_at(const struct dht_bucket *bucket, size_t len,
                                                   uint32_t index)
{
    uint8_t *first = (uint8_t *)(bucket->heads + bucket->capacity);
    return (struct dht_contact_ref){bucket->heads[index],
                                    (struct dht_contact *)(void *)(first + index * len)};
}

// How many there are, replacements and all.
static inline uint32_t dht_bucket_end(const struct dht_bucket *bucket)
{
    return (uint32_t)bucket->count + bucket->replacement_count;
}

// Room for one more, of at most contacts_max contacts and replacements_max behind them. False where
// memory is short.
bool dht_bucket_grow(struct dht_bucket *bucket, size_t len, uint32_t contacts_max,
                     uint32_t replacements_max);

// The index, from first to before end, of the contact with that id; DHT_BUCKET_NONE: there is none.
#define DHT_BUCKET_NONE UINT32_MAX
uint32_t dht_bucket_find(const struct dht_bucket *bucket, size_t len, const struct dht_id *id,
                         uint32_t first, uint32_t end);

// In and out. There has to be room (asserted); `from` may not lie in the bucket.
void dht_bucket_add(struct dht_bucket *bucket, size_t len, struct dht_contact_ref from);
void dht_bucket_add_replacement(struct dht_bucket *bucket, size_t len, struct dht_contact_ref from);
void dht_bucket_replace(struct dht_bucket *bucket, size_t len, uint32_t index,
                        struct dht_contact_ref from);
// Of a contact, or of a replacement.
void dht_bucket_remove(struct dht_bucket *bucket, size_t len, uint32_t index);

#endif
