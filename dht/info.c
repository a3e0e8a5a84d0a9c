// SPDX-License-Identifier: MIT
// Looking into the engine, and carrying its stores over from one run to the next.
#include "dht/addr.h"
#include "dht/engine.h"
#include "dht/found.h"
#include "dht/watch.h"

#include <string.h>

static uint32_t count_good(const struct dht *dht)
{
    uint32_t count = 0;
    uint32_t now_s = dht_engine_now_s(dht);
    for (uint32_t depth = 0; depth < dht->table.bucket_count; depth++) {
        const struct dht_bucket *bucket = &dht->table.buckets[depth];
        for (uint32_t i = 0; i < bucket->count; i++)
            count += dht_contact_is_good(dht_table_at(&dht->table, bucket, i).contact, now_s);
    }
    return count;
}

void dht_info(const struct dht *dht, struct dht_info *ret_info)
{
    *ret_info = (struct dht_info){
        .id = dht->id,
        .external = dht->external,
        .role = dht->role,
        .joined = dht->upkeep.joined,
        .contacts = dht->table.count,
        .contacts_good = count_good(dht),
        .buckets = dht->table.bucket_count,
        .ops = dht->ops.count,
        .queries = dht->transactions.count,
        .items = dht->items != NULL ? dht_item_store_count(dht->items) : 0,
        .items_bytes = dht->items != NULL ? dht_item_store_bytes(dht->items) : 0,
        .swarms = dht->peers != NULL ? dht_peer_store_swarms(dht->peers) : 0,
        .peers = dht->peers != NULL ? dht_peer_store_peers(dht->peers) : 0,
        .registrations = dht->registrations.count,
        .watches = dht_watch_count(dht),
        .watchers = dht->watchers != NULL ? dht->watchers->watchers.count : 0,
        .pushes = dht->watchers != NULL ? dht->watchers->under_way : 0,
        .nodes_estimate = dht_estimate_nodes(&dht->estimate, dht_engine_now_s(dht)),
        .counters = dht->counters,
    };
    ret_info->counters.sources_forgotten = dht_source_forgotten(dht->sources);
}

size_t dht_contacts(const struct dht *dht, struct dht_contact_info *ret_contacts, size_t max)
{
    size_t count = 0;
    uint32_t now_s = dht_engine_now_s(dht);
    for (uint32_t depth = 0; depth < dht->table.bucket_count; depth++) {
        const struct dht_bucket *bucket = &dht->table.buckets[depth];
        for (uint32_t i = 0; i < bucket->count && count < max; i++) {
            struct dht_contact_ref ref = dht_table_at(&dht->table, bucket, i);
            const struct dht_contact *contact = ref.contact;
            ret_contacts[count++] = (struct dht_contact_info){
                .id = dht_contact_id(ref),
                .addr = dht_contact_addr(contact, dht->table.contact_len),
                .rtt_us = contact->rtt_us != 0 ? (int32_t)contact->rtt_us : -1,
                .answered_us = dht->birth_us + (int64_t)(contact->answered_s - 1) * DHT_SECOND_US,
                .good = dht_contact_is_good(contact, now_s),
                .secure = contact->is_secure,
                .has_get = contact->has_get == DHT_HAS_GET_YES,
            };
        }
    }
    return count;
}

uint32_t dht_export_item(const struct dht *dht, uint32_t cursor, int64_t since_us,
                         struct dht_item *ret_item, int64_t *ret_expires_us)
{
    const struct dht_stored_item *stored = NULL;
    if (dht->items == NULL)
        return 0;
    cursor = dht_item_store_walk(dht->items, cursor, since_us, &stored);
    if (cursor == 0)
        return 0;
    *ret_item = dht_item_store_view(stored);
    *ret_expires_us = stored->refreshed_us + dht->config.item_lifetime_us;
    return cursor;
}

bool dht_restore_item(struct dht *dht, int64_t now_us, const struct dht_item *item,
                      int64_t expires_us)
{
    dht_engine_enter(dht, now_us);
    if (expires_us <= now_us || !dht_found_verify(dht, item))
        return false;
    struct dht_item_store *items = dht_engine_items(dht);
    if (items == NULL)
        return false;
    // What is stored is newer, or as new: the network has been faster than the disk.
    const struct dht_stored_item *known = dht_item_store_find(items, &item->target);
    if (known != NULL && dht_item_store_view(known).seq >= item->seq)
        return true;
    // Its lifetime starts anew: a node that was away a moment is no reason to forget a record
    // sooner.
    // Who put it first is not known any more.
    if (!dht_engine_keep_item(dht, 0, item))
        return false;
    dht_watch_stored(dht, item, NULL);
    return true;
}
