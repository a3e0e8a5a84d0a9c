// SPDX-License-Identifier: MIT
#include "dht/table.h"

#include "dht/addr.h"
#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void dht_table_init(struct dht_table *table, const struct dht_config *config,
                    const struct dht_id *own)
{
    *table = (struct dht_table){
        .own = *own,
        .bucket_size = config->bucket_size,
        .first_bucket_size = config->first_bucket_size,
        .replacements_max = config->replacements,
        .lab = config->lab,
    };
}

void dht_table_fini(struct dht_table *table)
{
    for (uint32_t i = 0; i < table->bucket_count; i++) {
        free(table->buckets[i].contacts);
        free(table->buckets[i].heads);
        free(table->buckets[i].replacements);
    }
    free(table->buckets);
    table->buckets = NULL;
    table->bucket_count = 0;
    table->count = 0;
}

uint32_t dht_table_bucket_capacity(const struct dht_table *table, uint32_t depth)
{
    uint32_t wide = depth < 32 ? table->first_bucket_size >> depth : 0;
    return wide > table->bucket_size ? wide : table->bucket_size;
}

// ---- buckets ----

// The bucket at that depth, made where it is missing; NULL where memory is short.
static struct dht_bucket *bucket_at(struct dht_table *table, uint32_t depth)
{
    if (depth >= table->bucket_count) {
        struct dht_bucket *buckets = realloc(table->buckets, (depth + 1) * sizeof *buckets);
        if (buckets == NULL)
            return NULL;
        memset(buckets + table->bucket_count, 0,
               (depth + 1 - table->bucket_count) * sizeof *buckets);
        table->buckets = buckets;
        table->bucket_count = depth + 1;
    }
    return &table->buckets[depth];
}

// The bucket where id belongs, or NULL where there is none yet (or id is our own).
static struct dht_bucket *bucket_of(const struct dht_table *table, const struct dht_id *id)
{
    uint32_t depth = dht_id_common_bits(&table->own, id);
    return depth < table->bucket_count ? &table->buckets[depth] : NULL;
}

// The capacity that follows this one: the double, up to capacity_max.
static uint32_t grown(uint16_t capacity, uint32_t capacity_max)
{
    uint32_t more = capacity == 0 ? 4 : 2u * capacity;
    return more < capacity_max ? more : capacity_max;
}

// Room for one more contact in the array. False where memory is short or it is full.
static bool grow(struct dht_contact **contacts, uint16_t count, uint16_t *capacity,
                 uint32_t capacity_max)
{
    if (count < *capacity)
        return true;
    if (count >= capacity_max)
        return false;
    uint32_t more = grown(*capacity, capacity_max);
    struct dht_contact *bigger = realloc(*contacts, more * sizeof *bigger);
    if (bigger == NULL)
        return false;
    *contacts = bigger;
    *capacity = (uint16_t)more;
    return true;
}

// Room for one more contact and its head. The heads come first: too much room for them does no
// harm.
static bool grow_contacts(struct dht_bucket *bucket, uint32_t capacity_max)
{
    if (bucket->count == bucket->capacity) {
        uint64_t *heads =
            realloc(bucket->heads, grown(bucket->capacity, capacity_max) * sizeof *heads);
        if (heads == NULL)
            return false;
        bucket->heads = heads;
    }
    return grow(&bucket->contacts, bucket->count, &bucket->capacity, capacity_max);
}

static struct dht_contact *find_contact(const struct dht_bucket *bucket, const struct dht_id *id)
{
    uint64_t head = dht_id_head(id);
    for (uint16_t i = 0; i < bucket->count; i++)
        if (bucket->heads[i] == head && dht_id_equal(&bucket->contacts[i].id, id))
            return &bucket->contacts[i];
    return NULL;
}

static struct dht_contact *find_replacement(const struct dht_bucket *bucket,
                                            const struct dht_id *id)
{
    for (uint16_t i = 0; i < bucket->replacement_count; i++)
        if (dht_id_equal(&bucket->replacements[i].id, id))
            return &bucket->replacements[i];
    return NULL;
}

static void append_contact(struct dht_table *table, struct dht_bucket *bucket,
                           const struct dht_contact *contact)
{
    assert(bucket->count < bucket->capacity);
    bucket->contacts[bucket->count] = *contact;
    bucket->heads[bucket->count] = dht_id_head(&contact->id);
    bucket->failing += contact->fails > 0;
    bucket->count++;
    table->count++;
}

static void replace_contact(struct dht_bucket *bucket, struct dht_contact *old,
                            const struct dht_contact *contact)
{
    bucket->failing = (uint16_t)(bucket->failing - (old->fails > 0) + (contact->fails > 0));
    bucket->heads[old - bucket->contacts] = dht_id_head(&contact->id);
    *old = *contact;
}

static void remove_contact(struct dht_table *table, struct dht_bucket *bucket, uint16_t index)
{
    assert(index < bucket->count && table->count > 0);
    bucket->failing -= bucket->contacts[index].fails > 0;
    uint16_t last = --bucket->count;
    bucket->contacts[index] = bucket->contacts[last];
    bucket->heads[index] = bucket->heads[last];
    table->count--;
}

static void remove_replacement(struct dht_bucket *bucket, uint16_t index)
{
    uint16_t after = (uint16_t)(--bucket->replacement_count - index);
    memmove(bucket->replacements + index, bucket->replacements + index + 1,
            after * sizeof *bucket->replacements);
}

// ---- diversity ----

struct census {
    uint32_t prefix_in_table, prefix_in_bucket;
    uint32_t wide_in_table, wide_in_bucket;
};

// Counts the contacts that share a prefix with addr.
static struct census take_census(const struct dht_table *table, const struct dht_bucket *own_bucket,
                                 const struct dht_addr *addr)
{
    struct census census = {0};
    uint64_t prefix = dht_addr_prefix(addr);
    uint64_t wide = dht_addr_wide_prefix(addr);
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        for (uint16_t i = 0; i < bucket->count; i++) {
            const struct dht_addr *other = &bucket->contacts[i].addr;
            bool same_prefix = dht_addr_prefix(other) == prefix;
            bool same_wide = dht_addr_wide_prefix(other) == wide;
            census.prefix_in_table += same_prefix;
            census.wide_in_table += same_wide;
            census.prefix_in_bucket += same_prefix && bucket == own_bucket;
            census.wide_in_bucket += same_wide && bucket == own_bucket;
        }
    }
    return census;
}

static bool diverse_enough(const struct dht_table *table, const struct dht_bucket *bucket,
                           const struct dht_addr *addr)
{
    if (table->lab)
        return true;
    struct census census = take_census(table, bucket, addr);
    if (census.prefix_in_table >= DHT_TABLE_PREFIX_TABLE ||
        census.prefix_in_bucket >= DHT_TABLE_PREFIX_BUCKET)
        return false;
    if (addr->ip_len == 4)
        return true;
    return census.wide_in_table < DHT_TABLE_WIDE_TABLE &&
           census.wide_in_bucket < DHT_TABLE_WIDE_BUCKET;
}

typedef bool (*same_addr)(const struct dht_addr *a, const struct dht_addr *b);

// What makes two contacts the same host: the address, in a lab address and port.
static same_addr same_host(const struct dht_table *table)
{
    return table->lab ? dht_addr_equal : dht_addr_equal_ip;
}

static bool evict(struct dht_table *table, const struct dht_addr *addr, same_addr same)
{
    bool evicted = false;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        struct dht_bucket *bucket = &table->buckets[depth];
        for (uint16_t i = bucket->count; i-- > 0;) {
            if (!same(&bucket->contacts[i].addr, addr))
                continue;
            remove_contact(table, bucket, i);
            evicted = true;
        }
        for (uint16_t i = bucket->replacement_count; i-- > 0;)
            if (same(&bucket->replacements[i].addr, addr))
                remove_replacement(bucket, i);
    }
    return evicted;
}

bool dht_table_evict(struct dht_table *table, const struct dht_addr *addr)
{
    return evict(table, addr, dht_addr_equal);
}

// Whether a live contact is the same host, at another port.
static bool host_is_taken(const struct dht_table *table, const struct dht_addr *addr)
{
    same_addr same = same_host(table);
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        for (uint16_t i = 0; i < bucket->count; i++) {
            const struct dht_contact *contact = &bucket->contacts[i];
            if (contact->fails == 0 && same(&contact->addr, addr) &&
                !dht_addr_equal(&contact->addr, addr))
                return true;
        }
    }
    return false;
}

// ---- who is in ----

struct dht_contact *dht_table_find(const struct dht_table *table, const struct dht_id *id,
                                   const struct dht_addr *addr)
{
    struct dht_bucket *bucket = bucket_of(table, id);
    if (bucket == NULL)
        return NULL;
    struct dht_contact *contact = find_contact(bucket, id);
    return contact != NULL && dht_addr_equal(&contact->addr, addr) ? contact : NULL;
}

bool dht_table_is_good(const struct dht_contact *contact, uint32_t now_s)
{
    // What is in the table has answered before, so hearing from it lately is enough.
    return contact->fails == 0 && (now_s - contact->answered_s < DHT_TABLE_GOOD_S ||
                                   now_s - contact->heard_s < DHT_TABLE_GOOD_S);
}

// The contact that most deserves to give way to newcomer, or NULL.
static struct dht_contact *weakest(struct dht_bucket *bucket, const struct dht_contact *newcomer)
{
    struct dht_contact *worst = NULL;
    for (uint16_t i = 0; i < bucket->count; i++) {
        struct dht_contact *contact = &bucket->contacts[i];
        if (contact->fails > 0 && (worst == NULL || contact->fails > worst->fails))
            worst = contact;
    }
    if (worst != NULL || !newcomer->is_secure)
        return worst;
    for (uint16_t i = 0; i < bucket->count; i++)
        if (!bucket->contacts[i].is_secure)
            return &bucket->contacts[i];
    return NULL;
}

static void add_replacement(struct dht_table *table, struct dht_bucket *bucket,
                            const struct dht_contact *newcomer)
{
    struct dht_contact *known = find_replacement(bucket, &newcomer->id);
    if (known != NULL)
        remove_replacement(bucket, (uint16_t)(known - bucket->replacements));
    if (bucket->replacement_count >= table->replacements_max && bucket->replacement_count > 0)
        remove_replacement(bucket, 0);
    if (grow(&bucket->replacements, bucket->replacement_count, &bucket->replacement_capacity,
             table->replacements_max))
        bucket->replacements[bucket->replacement_count++] = *newcomer;
}

static enum dht_table_result add(struct dht_table *table, const struct dht_contact *newcomer)
{
    uint32_t depth = dht_id_common_bits(&table->own, &newcomer->id);
    struct dht_bucket *bucket = bucket_at(table, depth);
    if (bucket == NULL || !diverse_enough(table, bucket, &newcomer->addr))
        return DHT_TABLE_REFUSED;
    uint32_t capacity = dht_table_bucket_capacity(table, depth);
    if (bucket->count < capacity) {
        if (!grow_contacts(bucket, capacity))
            return DHT_TABLE_REFUSED;
        append_contact(table, bucket, newcomer);
        return DHT_TABLE_ADDED;
    }
    struct dht_contact *victim = weakest(bucket, newcomer);
    if (victim != NULL) {
        replace_contact(bucket, victim, newcomer);
        return DHT_TABLE_REPLACED;
    }
    add_replacement(table, bucket, newcomer);
    return DHT_TABLE_WAITING;
}

// Smoothed like TCP's: one eighth of each new sample (RFC 6298).
static void sample_rtt(struct dht_contact *contact, uint32_t rtt_us)
{
    if (rtt_us == 0)
        return;
    if (contact->rtt_us == 0)
        contact->rtt_us = rtt_us;
    else
        contact->rtt_us = (uint32_t)(((uint64_t)contact->rtt_us * 7 + rtt_us) / 8);
}

enum dht_table_result dht_table_answered(struct dht_table *table, const struct dht_id *id,
                                         const struct dht_addr *addr, uint32_t rtt_us,
                                         uint32_t now_s)
{
    if (dht_id_equal(id, &table->own))
        return DHT_TABLE_REFUSED;
    struct dht_bucket *bucket = bucket_of(table, id);
    struct dht_contact *known = dht_table_find(table, id, addr);
    if (known != NULL) {
        known->answered_s = known->heard_s = now_s;
        bucket->failing -= known->fails > 0;
        known->fails = 0;
        sample_rtt(known, rtt_us);
        return DHT_TABLE_KNOWN;
    }
    struct dht_contact *namesake = bucket == NULL ? NULL : find_contact(bucket, id);
    // An id that a live contact holds elsewhere: the one that has been here longer is believed.
    if (namesake != NULL && namesake->fails == 0)
        return DHT_TABLE_REFUSED;
    // So is a live contact at another port of the same host: a neighbour behind the same NAT must
    // not be able to push it out.
    if (host_is_taken(table, addr))
        return DHT_TABLE_REFUSED;
    if (namesake != NULL)
        remove_contact(table, bucket, (uint16_t)(namesake - bucket->contacts));
    evict(table, addr, same_host(table));
    return add(table, &(struct dht_contact){
                          .id = *id,
                          .addr = *addr,
                          .rtt_us = rtt_us,
                          .answered_s = now_s,
                          .heard_s = now_s,
                          .asked_s = now_s,
                          .is_secure = table->lab || dht_id_fits(id, addr),
                      });
}

// Moves the newest replacement that the caps let in to the bucket's contacts. There is room for it.
static void promote(struct dht_table *table, struct dht_bucket *bucket)
{
    for (uint16_t i = bucket->replacement_count; i-- > 0;) {
        struct dht_contact *replacement = &bucket->replacements[i];
        if (!diverse_enough(table, bucket, &replacement->addr) ||
            host_is_taken(table, &replacement->addr))
            continue;
        append_contact(table, bucket, replacement);
        remove_replacement(bucket, i);
        return;
    }
}

bool dht_table_failed(struct dht_table *table, const struct dht_id *id, const struct dht_addr *addr,
                      uint32_t now_s)
{
    struct dht_contact *contact = dht_table_find(table, id, addr);
    if (contact == NULL)
        return false;
    if (contact->fails > 0 && now_s - contact->failed_s < DHT_TABLE_FAIL_GAP_S)
        return false;
    struct dht_bucket *bucket = bucket_of(table, id);
    contact->failed_s = now_s;
    bucket->failing += contact->fails == 0;
    if (contact->fails < UINT8_MAX)
        contact->fails++;
    // BEP 5: try a questionable contact once more before it is dropped.
    uint32_t fails_max = bucket->replacement_count > 0 ? 2 : DHT_TABLE_FAILS_MAX;
    if (contact->fails < fails_max)
        return false;
    remove_contact(table, bucket, (uint16_t)(contact - bucket->contacts));
    promote(table, bucket);
    return true;
}

bool dht_table_wants(const struct dht_table *table, const struct dht_id *id)
{
    if (dht_id_equal(id, &table->own))
        return false;
    uint32_t depth = dht_id_common_bits(&table->own, id);
    if (depth >= table->bucket_count)
        return true;
    const struct dht_bucket *bucket = &table->buckets[depth];
    return bucket->count < dht_table_bucket_capacity(table, depth) || bucket->failing > 0;
}

// ---- closest ----

// The closest found so far, sorted. The first 64 bits of the distance decide nearly always.
struct shortlist {
    const struct dht_id *target;
    const struct dht_contact **contacts;
    uint64_t distances[DHT_CLOSEST_MAX];
    size_t count;
    size_t max;
};

static bool is_closer(const struct shortlist *list, uint64_t distance,
                      const struct dht_contact *contact, size_t than)
{
    if (distance != list->distances[than])
        return distance < list->distances[than];
    return dht_id_compare(list->target, &contact->id, &list->contacts[than]->id) < 0;
}

static void shortlist_offer(struct shortlist *list, const struct dht_contact *contact,
                            uint64_t distance)
{
    size_t at = list->count;
    if (at == list->max) {
        if (!is_closer(list, distance, contact, at - 1))
            return;
        at--;
    } else {
        list->count++;
    }
    while (at > 0 && is_closer(list, distance, contact, at - 1)) {
        list->distances[at] = list->distances[at - 1];
        list->contacts[at] = list->contacts[at - 1];
        at--;
    }
    list->distances[at] = distance;
    list->contacts[at] = contact;
}

static void shortlist_bucket(struct shortlist *list, const struct dht_bucket *bucket)
{
    uint64_t head = dht_id_head(list->target);
    for (uint16_t i = 0; i < bucket->count; i++) {
        uint64_t distance = bucket->heads[i] ^ head;
        bool is_far = list->count == list->max && distance > list->distances[list->max - 1];
        if (!is_far && bucket->contacts[i].fails == 0)
            shortlist_offer(list, &bucket->contacts[i], distance);
    }
}

size_t dht_table_closest(const struct dht_table *table, const struct dht_id *target, size_t max,
                         const struct dht_contact **ret_contacts)
{
    assert(max <= DHT_CLOSEST_MAX);
    struct shortlist list = {.target = target, .contacts = ret_contacts, .max = max};
    if (max == 0)
        return 0;
    // With d the bits that target and we share: contacts of bucket d share more than d bits with
    // target, all deeper ones exactly d, and bucket d - 1 and so on ever fewer. So whole groups can
    // be taken in order.
    uint32_t depth = dht_id_common_bits(&table->own, target);
    if (depth < table->bucket_count)
        shortlist_bucket(&list, &table->buckets[depth]);
    if (list.count < max)
        for (uint32_t deeper = depth + 1; deeper < table->bucket_count; deeper++)
            shortlist_bucket(&list, &table->buckets[deeper]);
    uint32_t shallower = depth < table->bucket_count ? depth : table->bucket_count;
    while (list.count < max && shallower > 0)
        shortlist_bucket(&list, &table->buckets[--shallower]);
    return list.count;
}

void dht_table_touch(struct dht_table *table, const struct dht_id *target, uint32_t now_s)
{
    struct dht_bucket *bucket = bucket_of(table, target);
    if (bucket != NULL)
        bucket->touched_s = now_s;
}

struct dht_id dht_table_random_id(const struct dht_table *table, uint32_t depth,
                                  struct dht_random *random)
{
    assert(depth < DHT_ID_LEN * 8);
    struct dht_id id;
    dht_random_bytes(random, id.bytes, sizeof id.bytes);
    uint32_t whole = depth / 8;
    uint32_t bits = depth % 8;
    memcpy(id.bytes, table->own.bytes, whole);
    // In the byte where they part: `bits` bits of ours, then our next bit flipped, then random
    // ones.
    uint8_t flip = (uint8_t)(0x80 >> bits);
    uint8_t ours = (uint8_t) ~(flip - 1 + flip);
    uint8_t own = table->own.bytes[whole];
    id.bytes[whole] = (uint8_t)((own & ours) | (~own & flip) | (id.bytes[whole] & (flip - 1)));
    return id;
}

void dht_table_rekey(struct dht_table *table, const struct dht_id *own)
{
    struct dht_table old = *table;
    table->own = *own;
    table->buckets = NULL;
    table->bucket_count = 0;
    table->count = 0;
    for (uint32_t depth = 0; depth < old.bucket_count; depth++)
        for (uint16_t i = 0; i < old.buckets[depth].count; i++)
            if (!dht_id_equal(&old.buckets[depth].contacts[i].id, own))
                add(table, &old.buckets[depth].contacts[i]);
    dht_table_fini(&old);
}
