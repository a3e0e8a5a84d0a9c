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
        .bucket_size = (uint16_t)config->bucket_size,
        .first_bucket_size = (uint16_t)config->first_bucket_size,
        .replacements_max = (uint16_t)config->replacements,
        .contact_len = (uint8_t)dht_contact_len(config->family),
        .lab = config->lab,
    };
}

void dht_table_fini(struct dht_table *table)
{
    for (uint32_t i = 0; i < table->bucket_count; i++)
        free(table->buckets[i].heads);
    free(table->buckets);
    dht_roster_clear(&table->roster);
    table->buckets = NULL;
    table->bucket_count = 0;
    table->count = 0;
}

uint32_t dht_table_bucket_capacity(const struct dht_table *table, uint32_t depth)
{
    uint32_t wide = depth < 16 ? (uint32_t)table->first_bucket_size >> depth : 0;
    return wide > table->bucket_size ? wide : table->bucket_size;
}

// ---- hosts ----

// What makes two contacts the same host: the address, in a lab address and port. In bytes of the
// compact form.
static size_t host_len(const struct dht_table *table, size_t compact_len)
{
    return table->lab ? compact_len : compact_len - 2;
}

// A host that is looked for in the table.
struct host {
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    size_t len;       // of compact
    uint32_t buckets; // that may hold it, and others of its prefix; see dht/roster.h
};

static struct host host_of(const struct dht_table *table, const struct dht_addr *addr)
{
    struct host host;
    host.len = dht_addr_to_compact(addr, host.compact);
    host.buckets =
        dht_roster_find(&table->roster, dht_addr_crowd(host.compact, host.len, table->lab));
    return host;
}

static const uint8_t *compact_of(const struct dht_contact *contact)
{
    return contact->node + DHT_CONTACT_TAIL_LEN;
}

static bool same_start(const struct dht_contact *contact, const struct host *host, size_t len)
{
    return memcmp(compact_of(contact), host->compact, len) == 0;
}

static uint32_t hash_of(const struct dht_table *table, const struct dht_contact *contact)
{
    size_t fixed_len = offsetof(struct dht_contact, node) + DHT_CONTACT_TAIL_LEN;
    return dht_addr_crowd(compact_of(contact), table->contact_len - fixed_len, table->lab);
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

static uint32_t depth_of(const struct dht_table *table, const struct dht_bucket *bucket)
{
    return (uint32_t)(bucket - table->buckets);
}

// Room for one more, in the bucket and the roster.
static bool make_room(struct dht_table *table, struct dht_bucket *bucket)
{
    uint32_t contacts_max = dht_table_bucket_capacity(table, depth_of(table, bucket));
    return dht_roster_reserve(&table->roster) &&
           dht_bucket_grow(bucket, table->contact_len, contacts_max, table->replacements_max);
}

static uint32_t find_contact(const struct dht_table *table, const struct dht_bucket *bucket,
                             const struct dht_id *id)
{
    return dht_bucket_find(bucket, table->contact_len, id, 0, bucket->count);
}

static void enlist(struct dht_table *table, const struct dht_bucket *bucket,
                   const struct dht_contact *contact)
{
    dht_roster_add(&table->roster, hash_of(table, contact), depth_of(table, bucket));
}

static void delist(struct dht_table *table, const struct dht_bucket *bucket, uint32_t index)
{
    const struct dht_contact *contact = dht_table_at(table, bucket, index).contact;
    dht_roster_remove(&table->roster, hash_of(table, contact), depth_of(table, bucket));
}

// A contact, or a replacement.
static void remove_at(struct dht_table *table, struct dht_bucket *bucket, uint32_t index)
{
    table->count -= index < bucket->count;
    delist(table, bucket, index);
    dht_bucket_remove(bucket, table->contact_len, index);
}

// ---- diversity ----

struct census {
    uint32_t prefix_in_table, prefix_in_bucket;
    uint32_t wide_in_table, wide_in_bucket;
};

// Counts the contacts that share a prefix with the host.
static struct census take_census(const struct dht_table *table, const struct dht_bucket *own_bucket,
                                 const struct host *host)
{
    struct census census = {0};
    size_t prefix_len = host->len == 6 ? 3 : 6; // see dht_addr_prefix()
    size_t wide_len = host->len == 6 ? 2 : 4;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        if (!dht_roster_names(host->buckets, depth))
            continue;
        for (uint32_t i = 0; i < bucket->count; i++) {
            const struct dht_contact *other = dht_table_at(table, bucket, i).contact;
            bool same_prefix = same_start(other, host, prefix_len);
            bool same_wide = same_start(other, host, wide_len);
            census.prefix_in_table += same_prefix;
            census.wide_in_table += same_wide;
            census.prefix_in_bucket += same_prefix && bucket == own_bucket;
            census.wide_in_bucket += same_wide && bucket == own_bucket;
        }
    }
    return census;
}

static bool diverse_enough(const struct dht_table *table, const struct dht_bucket *bucket,
                           const struct host *host)
{
    if (table->lab || host->buckets == 0)
        return true;
    struct census census = take_census(table, bucket, host);
    if (census.prefix_in_table >= DHT_TABLE_PREFIX_TABLE ||
        census.prefix_in_bucket >= DHT_TABLE_PREFIX_BUCKET)
        return false;
    return census.wide_in_table < DHT_TABLE_WIDE_TABLE &&
           census.wide_in_bucket < DHT_TABLE_WIDE_BUCKET;
}

// Drops whoever has the same first len bytes of address and port; whether a contact was among them.
static bool evict(struct dht_table *table, const struct host *host, size_t len)
{
    bool evicted = false;
    if (host->buckets == 0)
        return false;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        struct dht_bucket *bucket = &table->buckets[depth];
        if (!dht_roster_names(host->buckets, depth))
            continue;
        for (uint32_t i = dht_bucket_end(bucket); i-- > 0;) {
            if (!same_start(dht_table_at(table, bucket, i).contact, host, len))
                continue;
            evicted = evicted || i < bucket->count;
            remove_at(table, bucket, i);
        }
    }
    return evicted;
}

bool dht_table_evict(struct dht_table *table, const struct dht_addr *addr)
{
    struct host host = host_of(table, addr);
    return evict(table, &host, host.len);
}

// Whether a live contact is the same host, at another port.
static bool host_is_taken(const struct dht_table *table, const struct host *host)
{
    if (host->buckets == 0)
        return false;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        if (!dht_roster_names(host->buckets, depth))
            continue;
        for (uint32_t i = 0; i < bucket->count; i++) {
            const struct dht_contact *contact = dht_table_at(table, bucket, i).contact;
            if (contact->fails == 0 && same_start(contact, host, host_len(table, host->len)) &&
                !same_start(contact, host, host->len))
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
    uint32_t index = find_contact(table, bucket, id);
    if (index == DHT_BUCKET_NONE)
        return NULL;
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    size_t len = dht_addr_to_compact(addr, compact);
    struct dht_contact *contact = dht_table_at(table, bucket, index).contact;
    return memcmp(compact_of(contact), compact, len) == 0 ? contact : NULL;
}

// The index of the contact that most deserves to give way to newcomer, or DHT_BUCKET_NONE.
static uint32_t weakest(const struct dht_table *table, const struct dht_bucket *bucket,
                        const struct dht_contact *newcomer)
{
    uint32_t worst = DHT_BUCKET_NONE;
    uint32_t most_fails = 0;
    for (uint32_t i = 0; i < bucket->count && bucket->failing > 0; i++) {
        uint32_t fails = dht_table_at(table, bucket, i).contact->fails;
        if (fails <= most_fails)
            continue;
        most_fails = fails;
        worst = i;
    }
    if (worst != DHT_BUCKET_NONE || !newcomer->is_secure)
        return worst;
    for (uint32_t i = 0; i < bucket->count; i++)
        if (!dht_table_at(table, bucket, i).contact->is_secure)
            return i;
    return DHT_BUCKET_NONE;
}

static void add_replacement(struct dht_table *table, struct dht_bucket *bucket,
                            struct dht_contact_ref newcomer)
{
    struct dht_id id = dht_contact_id(newcomer);
    uint32_t known =
        dht_bucket_find(bucket, table->contact_len, &id, bucket->count, dht_bucket_end(bucket));
    if (known != DHT_BUCKET_NONE)
        remove_at(table, bucket, known);
    if (bucket->replacement_count >= table->replacements_max && bucket->replacement_count > 0)
        remove_at(table, bucket, bucket->count);
    if (table->replacements_max == 0 || !make_room(table, bucket))
        return;
    dht_bucket_add_replacement(bucket, table->contact_len, newcomer);
    enlist(table, bucket, newcomer.contact);
}

static enum dht_table_result add(struct dht_table *table, uint32_t depth,
                                 struct dht_contact_ref newcomer, const struct host *host)
{
    struct dht_bucket *bucket = bucket_at(table, depth);
    if (bucket == NULL || !diverse_enough(table, bucket, host))
        return DHT_TABLE_REFUSED;
    if (bucket->count < dht_table_bucket_capacity(table, depth)) {
        if (!make_room(table, bucket))
            return DHT_TABLE_REFUSED;
        dht_bucket_add(bucket, table->contact_len, newcomer);
        enlist(table, bucket, newcomer.contact);
        table->count++;
        return DHT_TABLE_ADDED;
    }
    uint32_t victim = weakest(table, bucket, newcomer.contact);
    if (victim != DHT_BUCKET_NONE) {
        delist(table, bucket, victim);
        dht_bucket_replace(bucket, table->contact_len, victim, newcomer);
        enlist(table, bucket, newcomer.contact);
        return DHT_TABLE_REPLACED;
    }
    add_replacement(table, bucket, newcomer);
    return DHT_TABLE_WAITING;
}

static uint32_t limited_rtt(uint32_t rtt_us)
{
    return rtt_us < DHT_CONTACT_RTT_MAX_US ? rtt_us : DHT_CONTACT_RTT_MAX_US;
}

// Smoothed like TCP's: one eighth of each new sample (RFC 6298).
static void sample_rtt(struct dht_contact *contact, uint32_t rtt_us)
{
    uint32_t smoothed_us = contact->rtt_us;
    rtt_us = limited_rtt(rtt_us);
    if (rtt_us != 0)
        contact->rtt_us =
            (smoothed_us == 0 ? rtt_us : (smoothed_us * 7 + rtt_us) / 8) & DHT_CONTACT_RTT_MAX_US;
}

static void answered_again(struct dht_bucket *bucket, struct dht_contact *contact, uint32_t rtt_us,
                           uint32_t now_s)
{
    contact->answered_s = now_s;
    contact->heard_after_s = 0;
    bucket->failing -= contact->fails > 0;
    contact->fails = 0;
    sample_rtt(contact, rtt_us);
}

enum dht_table_result dht_table_answered(struct dht_table *table, const struct dht_id *id,
                                         const struct dht_addr *addr, uint32_t rtt_us,
                                         uint32_t now_s)
{
    if (dht_id_equal(id, &table->own))
        return DHT_TABLE_REFUSED;
    uint32_t depth = dht_id_common_bits(&table->own, id);
    struct dht_contact *known = dht_table_find(table, id, addr);
    if (known != NULL) {
        answered_again(&table->buckets[depth], known, rtt_us, now_s);
        return DHT_TABLE_KNOWN;
    }
    struct dht_bucket *bucket = bucket_of(table, id);
    uint32_t namesake = bucket == NULL ? DHT_BUCKET_NONE : find_contact(table, bucket, id);
    // An id that a live contact holds elsewhere: the one that has been here longer is believed.
    if (namesake != DHT_BUCKET_NONE && dht_table_at(table, bucket, namesake).contact->fails == 0)
        return DHT_TABLE_REFUSED;
    // So is a live contact at another port of the same host: a neighbour behind the same NAT must
    // not be able to push it out.
    struct host host = host_of(table, addr);
    if (host_is_taken(table, &host))
        return DHT_TABLE_REFUSED;
    if (namesake != DHT_BUCKET_NONE)
        remove_at(table, bucket, namesake);
    evict(table, &host, host_len(table, host.len));
    union dht_contact_room room = {.contact = {
                                       .answered_s = now_s,
                                       .rtt_us = limited_rtt(rtt_us) & DHT_CONTACT_RTT_MAX_US,
                                       .asked_s = (uint16_t)now_s,
                                       .is_secure = table->lab || dht_id_fits(id, addr),
                                   }};
    dht_contact_name(&room.contact, id, addr);
    return add(table, depth, (struct dht_contact_ref){dht_id_head(id), &room.contact}, &host);
}

// Moves the newest replacement that the caps let in to the bucket's contacts. There is room for it.
static void promote(struct dht_table *table, struct dht_bucket *bucket)
{
    for (uint32_t i = dht_bucket_end(bucket); i-- > bucket->count;) {
        struct dht_contact_ref replacement = dht_table_at(table, bucket, i);
        struct dht_addr addr = dht_contact_addr(replacement.contact, table->contact_len);
        struct host host = host_of(table, &addr);
        if (!diverse_enough(table, bucket, &host) || host_is_taken(table, &host))
            continue;
        union dht_contact_room room;
        memcpy(room.bytes, replacement.contact, table->contact_len);
        dht_bucket_remove(bucket, table->contact_len, i);
        dht_bucket_add(bucket, table->contact_len,
                       (struct dht_contact_ref){replacement.head, &room.contact});
        table->count++;
        return;
    }
}

bool dht_table_failed(struct dht_table *table, const struct dht_id *id, const struct dht_addr *addr,
                      uint32_t now_s)
{
    struct dht_contact *contact = dht_table_find(table, id, addr);
    if (contact == NULL)
        return false;
    uint32_t failed_s = dht_contact_time_s(contact->failed_s, now_s);
    if (contact->fails > 0 && now_s - failed_s < DHT_TABLE_FAIL_GAP_S)
        return false;
    struct dht_bucket *bucket = bucket_of(table, id);
    contact->failed_s = (uint16_t)now_s;
    bucket->failing += contact->fails == 0;
    if (contact->fails < DHT_CONTACT_FAILS_MAX)
        contact->fails++;
    // BEP 5: try a questionable contact once more before it is dropped.
    uint32_t fails_max = bucket->replacement_count > 0 ? 2 : DHT_TABLE_FAILS_MAX;
    if (contact->fails < fails_max)
        return false;
    remove_at(table, bucket, find_contact(table, bucket, id));
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
    uint64_t head; // of target
    size_t count;
    size_t max;
    uint64_t distances[DHT_CLOSEST_MAX];
    struct dht_contact *contacts[DHT_CLOSEST_MAX];
};

static struct dht_contact_ref shortlisted(const struct shortlist *list, size_t index)
{
    return (struct dht_contact_ref){list->distances[index] ^ list->head, list->contacts[index]};
}

// Of two contacts that are as far away by the first 64 bits.
static bool is_closer(const struct shortlist *list, struct dht_contact *contact, size_t than)
{
    struct dht_contact_ref other = shortlisted(list, than);
    struct dht_id id = dht_contact_id((struct dht_contact_ref){other.head, contact});
    struct dht_id other_id = dht_contact_id(other);
    return dht_id_compare(list->target, &id, &other_id) < 0;
}

static void shortlist_offer(struct shortlist *list, struct dht_contact *contact, uint64_t distance)
{
    size_t at = list->count;
    if (at < list->max)
        list->count++;
    else if (distance == list->distances[at - 1] && !is_closer(list, contact, at - 1))
        return;
    else
        at--;
    for (; at > 0 && distance <= list->distances[at - 1]; at--) {
        if (distance == list->distances[at - 1] && !is_closer(list, contact, at - 1))
            break;
        list->distances[at] = list->distances[at - 1];
        list->contacts[at] = list->contacts[at - 1];
    }
    list->distances[at] = distance;
    list->contacts[at] = contact;
}

static void shortlist_bucket(struct shortlist *list, const struct dht_table *table, uint32_t depth)
{
    const struct dht_bucket *bucket = &table->buckets[depth];
    for (uint32_t i = 0; i < bucket->count; i++) {
        uint64_t distance = bucket->heads[i] ^ list->head;
        if (list->count == list->max && distance > list->distances[list->max - 1])
            continue;
        struct dht_contact *contact = dht_table_at(table, bucket, i).contact;
        // A contact is most likely not in the cache: it is not looked at where nobody has failed.
        if (bucket->failing == 0 || contact->fails == 0)
            shortlist_offer(list, contact, distance);
    }
}

static bool bit_is_ours(const struct dht_table *table, const struct dht_id *id, uint32_t depth)
{
    uint8_t differs = table->own.bytes[depth / 8] ^ id->bytes[depth / 8];
    return (differs & 0x80 >> depth % 8) == 0;
}

size_t dht_table_closest(const struct dht_table *table, const struct dht_id *target, size_t max,
                         struct dht_contact_ref *ret_contacts)
{
    assert(max <= DHT_CLOSEST_MAX);
    struct shortlist list;
    list.target = target;
    list.head = dht_id_head(target);
    list.count = 0;
    list.max = max;
    // The contacts of bucket d differ from us in bit d and in none before it. Where target differs
    // from us there too, they are closer to it than all of deeper buckets; where it does not, they
    // are farther away than those. So buckets can be taken in order, and few have to be: first
    // those where target differs, from the shallowest on, then the others, from the deepest on.
    uint32_t first = dht_id_common_bits(&table->own, target);
    for (uint32_t depth = first; depth < table->bucket_count && list.count < max; depth++)
        if (!bit_is_ours(table, target, depth))
            shortlist_bucket(&list, table, depth);
    for (uint32_t depth = table->bucket_count; depth-- > 0 && list.count < max;)
        if (bit_is_ours(table, target, depth))
            shortlist_bucket(&list, table, depth);
    for (size_t i = 0; i < list.count; i++)
        ret_contacts[i] = shortlisted(&list, i);
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
    table->roster = (struct dht_roster){0};
    table->bucket_count = 0;
    table->count = 0;
    for (uint32_t depth = 0; depth < old.bucket_count; depth++)
        for (uint32_t i = 0; i < old.buckets[depth].count; i++) {
            struct dht_contact_ref ref = dht_table_at(&old, &old.buckets[depth], i);
            struct dht_id id = dht_contact_id(ref);
            struct dht_addr addr = dht_contact_addr(ref.contact, old.contact_len);
            struct host host = host_of(table, &addr);
            if (!dht_id_equal(&id, own))
                add(table, dht_id_common_bits(own, &id), ref, &host);
        }
    dht_table_fini(&old);
}
