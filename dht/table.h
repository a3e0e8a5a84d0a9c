// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_TABLE_H
#define PNR_DHT_TABLE_H

// The routing table (BEP 5). The bucket at depth d holds contacts that share exactly d leading bits
// with our id: what BEP 5 reaches by splitting the bucket of the own id again and again. A contact
// enters only after it has answered us (quirk Q11). What finds its bucket full waits in the
// bucket's replacements.
//
// Who is let in, outside a lab: one contact an address; at most DHT_TABLE_PREFIX_BUCKET of one /24
// or /48 in a bucket and DHT_TABLE_PREFIX_TABLE in the table; of one IPv6 /32, which is what a
// cheap attacker owns (BEP 42 does not stop him there), DHT_TABLE_WIDE_BUCKET and
// DHT_TABLE_WIDE_TABLE.
//
// Who gives way in a full bucket: a contact that fails to answer; else one whose id does not fit
// its address for one whose id does (BEP 42); nobody for being slow, since the oldest contacts are
// the likeliest to stay.
//
// Nothing here walks over all contacts but dht_table_rekey(): a roster tells in which buckets a
// host may be, and the closest contacts are found bucket by bucket, in order.

#include "dht/bucket.h"
#include "dht/random.h"
#include "dht/roster.h"
#include "pnr/dht.h"

#define DHT_TABLE_PREFIX_BUCKET 2
#define DHT_TABLE_PREFIX_TABLE  8
#define DHT_TABLE_WIDE_BUCKET   2
#define DHT_TABLE_WIDE_TABLE    16
#define DHT_TABLE_SMALL         8 // fewer contacts than a reply names: we hardly know anybody
#define DHT_TABLE_FAILS_MAX     3 // in a row: a contact without a replacement is evicted

enum dht_has_get {
    DHT_HAS_GET_UNKNOWN,
    DHT_HAS_GET_YES,
    DHT_HAS_GET_NO, // answers find_node, but not BEP 44's get (quirk Q6)
};

struct dht_table {
    struct dht_bucket *buckets; // up to the deepest one used
    uint32_t bucket_count;
    uint32_t count; // contacts in all buckets
    struct dht_id own;
    uint16_t bucket_size;
    uint16_t first_bucket_size;
    uint16_t replacements_max;
    uint8_t contact_len;
    bool lab;
    struct dht_roster roster; // of contacts and replacements
};

// Contact number index of a bucket; replacements follow the contacts.
static inline struct dht_contact_ref dht_table_at(const struct dht_table *table,
                                                  const struct dht_bucket *bucket, uint32_t index)
{
    return dht_bucket_at(bucket, table->contact_len, index);
}

void dht_table_init(struct dht_table *table, const struct dht_config *config,
                    const struct dht_id *own);
void dht_table_fini(struct dht_table *table);

// What became of a node that answered.
enum dht_table_result {
    DHT_TABLE_KNOWN, // it was there
    DHT_TABLE_ADDED,
    DHT_TABLE_REPLACED, // added in place of a worse one
    DHT_TABLE_WAITING,  // among the replacements
    DHT_TABLE_REFUSED,  // by a cap, or memory is short
};

// A node answered with this id from this address; rtt_us 0: not measured. Another contact at the
// same address and port gives way: a node that changes its id is a new node. One at another port of
// the host stays, unless it has failed, and so does one that has the id elsewhere.
enum dht_table_result dht_table_answered(struct dht_table *table, const struct dht_id *id,
                                         const struct dht_addr *addr, uint32_t rtt_us,
                                         uint32_t now_s);

// The contact with that id at that address, or NULL. Good until the table is next changed.
struct dht_contact *dht_table_find(const struct dht_table *table, const struct dht_id *id,
                                   const struct dht_addr *addr);

#define DHT_TABLE_FAIL_GAP_S 8

// The contact did not answer a query. Failures within DHT_TABLE_FAIL_GAP_S count as one: the tries
// of one lookup are lost together. Returns true where it was evicted or replaced.
bool dht_table_failed(struct dht_table *table, const struct dht_id *id, const struct dht_addr *addr,
                      uint32_t now_s);

// The node at addr, port and all, has shown that its id was not worth believing: out at once.
bool dht_table_evict(struct dht_table *table, const struct dht_addr *addr);

// Whether a stranger with this id would find room, so that asking it is worth a packet.
bool dht_table_wants(const struct dht_table *table, const struct dht_id *id);

// The contacts closest to target that can be passed on or asked, closest first; returns how many.
// Contacts whose last query failed are left out.
size_t dht_table_closest(const struct dht_table *table, const struct dht_id *target, size_t max,
                         struct dht_contact_ref *ret_contacts);

// Notes that a lookup for target goes on now, which refreshes the bucket it lies in.
void dht_table_touch(struct dht_table *table, const struct dht_id *target, uint32_t now_s);

// A random id in the range of the bucket at that depth.
struct dht_id dht_table_random_id(const struct dht_table *table, uint32_t depth,
                                  struct dht_random *random);

uint32_t dht_table_bucket_capacity(const struct dht_table *table, uint32_t depth);

// Moves every contact to where it belongs under another own id.
void dht_table_rekey(struct dht_table *table, const struct dht_id *own);

#endif
