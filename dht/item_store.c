// SPDX-License-Identifier: MIT
#include "dht/item_store.h"

#include "dht/index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NONE      UINT32_MAX
#define SLOTS_MIN 8

// Where an item lies, and its neighbours in order of refresh. The links are here and not in the
// item, so that a refresh touches this one dense array and not two more items somewhere in memory.
struct slot {
    struct dht_stored_item *item; // NULL: free
    uint32_t newer;
    uint32_t older; // of a free slot the next free one
};

struct dht_item_store {
    struct dht_item_store_limits limits;
    struct dht_siphash_key key;
    struct slot *slots;
    uint32_t slot_capacity;
    uint32_t slots_used; // slots that were ever taken
    uint32_t free_slot;
    uint32_t newest;
    uint32_t oldest;
    uint32_t count;
    size_t items_cost;
    struct dht_index targets; // target -> slot
    struct dht_index sources; // tag of a source -> how many items it has stored
};

// What an allocation really takes: 8 bytes before it, in steps of 16, at least 32.
static size_t cost_of(size_t size)
{
    size_t cost = (size + 8 + 15) / 16 * 16;
    return size == 0 ? 0 : cost < 32 ? 32 : cost;
}

static uint32_t hash_target(const struct dht_item_store *store, const struct dht_id *target)
{
    return (uint32_t)dht_siphash(&store->key, target->bytes, DHT_ID_LEN);
}

static size_t size_of(const struct dht_item *item)
{
    size_t size = sizeof(struct dht_stored_item) + item->value.len;
    return item->is_mutable ? size + DHT_KEY_LEN + DHT_SIG_LEN + item->salt.len : size;
}

static size_t size_of_stored(const struct dht_stored_item *item)
{
    size_t size = sizeof(struct dht_stored_item) + item->value_len;
    return item->is_mutable ? size + DHT_KEY_LEN + DHT_SIG_LEN + item->salt_len : size;
}

struct dht_item_store *dht_item_store_new(const struct dht_item_store_limits *limits,
                                          const struct dht_siphash_key *key)
{
    struct dht_item_store *store = calloc(1, sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    store->limits = *limits;
    store->key = *key;
    store->free_slot = NONE;
    store->newest = NONE;
    store->oldest = NONE;
    return store;
}

void dht_item_store_free(struct dht_item_store *store)
{
    if (store == NULL) {
        return;
    }
    for (uint32_t i = 0; i < store->slots_used; i++) {
        free(store->slots[i].item);
    }
    free(store->slots);
    dht_index_clear(&store->targets);
    dht_index_clear(&store->sources);
    free(store);
}

static uint32_t find_slot(const struct dht_item_store *store, const struct dht_id *target,
                          uint32_t hash)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t slot;
    while ((slot = dht_index_next(&store->targets, hash, &cursor)) != DHT_INDEX_NONE) {
        if (memcmp(store->slots[slot].item->target.bytes, target->bytes, DHT_ID_LEN) == 0) {
            return slot;
        }
    }
    return NONE;
}

const struct dht_stored_item *dht_item_store_find(const struct dht_item_store *store,
                                                  const struct dht_id *target)
{
    uint32_t slot = find_slot(store, target, hash_target(store, target));
    return slot == NONE ? NULL : store->slots[slot].item;
}

// ---- order of refresh ----

static void unlink_slot(struct dht_item_store *store, uint32_t at)
{
    struct slot *slot = &store->slots[at];
    *(slot->newer == NONE ? &store->newest : &store->slots[slot->newer].older) = slot->older;
    *(slot->older == NONE ? &store->oldest : &store->slots[slot->older].newer) = slot->newer;
}

// Links the slot where its time of refresh belongs: at the newest end as a rule, but an item of an
// earlier run is put back with the time it had.
static void link_slot(struct dht_item_store *store, uint32_t at)
{
    int64_t refreshed_us = store->slots[at].item->refreshed_us;
    uint32_t newer = NONE;
    uint32_t older = store->newest;
    if (older != NONE && store->slots[store->oldest].item->refreshed_us > refreshed_us) {
        newer = store->oldest;
        older = NONE;
    }
    while (older != NONE && store->slots[older].item->refreshed_us > refreshed_us) {
        newer = older;
        older = store->slots[older].older;
    }
    store->slots[at].newer = newer;
    store->slots[at].older = older;
    *(newer == NONE ? &store->newest : &store->slots[newer].older) = at;
    *(older == NONE ? &store->oldest : &store->slots[older].newer) = at;
}

// ---- counting by source ----

static uint32_t tag_of(const struct dht_item_store *store, uint64_t source)
{
    return (uint32_t)dht_siphash(&store->key, &source, sizeof(source));
}

static uint32_t count_of_source(const struct dht_item_store *store, uint32_t tag)
{
    uint32_t cursor = DHT_INDEX_START;
    uint32_t count = dht_index_next(&store->sources, tag, &cursor);
    return count == DHT_INDEX_NONE ? 0 : count;
}

static void count_up(struct dht_item_store *store, uint32_t tag)
{
    uint32_t count = count_of_source(store, tag);
    if (count == 0) {
        dht_index_add(&store->sources, tag, 1);
    } else {
        dht_index_replace(&store->sources, tag, count, count + 1);
    }
}

static void count_down(struct dht_item_store *store, uint32_t tag)
{
    uint32_t count = count_of_source(store, tag);
    assert(count > 0);
    if (count == 1) {
        dht_index_remove(&store->sources, tag, 1);
    } else {
        dht_index_replace(&store->sources, tag, count, count - 1);
    }
}

// ---- room ----

static uint32_t grown_slots(const struct dht_item_store *store)
{
    if (store->free_slot != NONE || store->slots_used < store->slot_capacity) {
        return store->slot_capacity;
    }
    uint32_t step = store->slot_capacity / 4 < SLOTS_MIN ? SLOTS_MIN : store->slot_capacity / 4;
    uint32_t left = store->limits.items_max - store->slot_capacity;
    return store->slot_capacity + (step < left ? step : left);
}

// What the tables cost with one more item.
static size_t tables_cost_grown(const struct dht_item_store *store)
{
    uint32_t max = store->limits.items_max;
    size_t entry = sizeof(struct dht_index_entry);
    size_t cost = cost_of(grown_slots(store) * sizeof(struct slot));
    cost += cost_of(store->targets.capacity * entry + dht_index_growth(&store->targets, max));
    if (store->limits.per_source_max > 0) {
        cost += cost_of(store->sources.capacity * entry + dht_index_growth(&store->sources, max));
    }
    return cost;
}

static bool fits(const struct dht_item_store *store, size_t item_size)
{
    return store->count < store->limits.items_max &&
           store->items_cost + cost_of(item_size) + tables_cost_grown(store) <=
               store->limits.bytes_max;
}

static bool reserve(struct dht_item_store *store)
{
    uint32_t capacity = grown_slots(store);
    if (capacity > store->slot_capacity) {
        struct slot *slots = realloc(store->slots, capacity * sizeof(*slots));
        if (slots == NULL) {
            return false;
        }
        store->slots = slots;
        store->slot_capacity = capacity;
    }
    uint32_t max = store->limits.items_max;
    return dht_index_reserve(&store->targets, max) &&
           (store->limits.per_source_max == 0 || dht_index_reserve(&store->sources, max));
}

// ---- adding and replacing ----

static uint32_t take_slot(struct dht_item_store *store)
{
    uint32_t at = store->free_slot;
    if (at == NONE) {
        return store->slots_used++;
    }
    store->free_slot = store->slots[at].older;
    return at;
}

// Writes all but slot and source_tag. item may be a view of stored itself, hence memmove.
static void fill(struct dht_stored_item *stored, int64_t now_us, const struct dht_item *item)
{
    stored->target = item->target;
    stored->is_mutable = item->is_mutable;
    stored->salt_len = item->is_mutable ? (uint8_t)item->salt.len : 0;
    stored->value_len = (uint16_t)item->value.len;
    stored->seq = item->is_mutable ? item->seq : 0;
    stored->refreshed_us = now_us;
    uint8_t *to = stored->bytes;
    if (item->is_mutable) {
        memcpy(to, item->key, DHT_KEY_LEN);
        memcpy(to + DHT_KEY_LEN, item->sig, DHT_SIG_LEN);
        to += DHT_KEY_LEN + DHT_SIG_LEN;
    }
    if (stored->salt_len > 0) {
        memmove(to, item->salt.data, stored->salt_len);
        to += stored->salt_len;
    }
    if (stored->value_len > 0) {
        memmove(to, item->value.data, stored->value_len);
    }
}

static enum dht_item_store_result add(struct dht_item_store *store, int64_t now_us, uint64_t source,
                                      const struct dht_item *item, uint32_t hash)
{
    uint32_t per_source_max = store->limits.per_source_max;
    uint32_t tag = per_source_max == 0 ? 0 : tag_of(store, source);
    if (per_source_max > 0 && count_of_source(store, tag) >= per_source_max) {
        return DHT_ITEM_STORE_SOURCE_FULL;
    }
    if (!fits(store, size_of(item)) || !reserve(store)) {
        return DHT_ITEM_STORE_FULL;
    }
    struct dht_stored_item *stored = malloc(size_of(item));
    if (stored == NULL) {
        return DHT_ITEM_STORE_FULL;
    }
    fill(stored, now_us, item);
    stored->slot = take_slot(store);
    stored->source_tag = tag;
    store->slots[stored->slot].item = stored;
    store->items_cost += cost_of(size_of(item));
    store->count++;
    link_slot(store, stored->slot);
    dht_index_add(&store->targets, hash, stored->slot);
    if (per_source_max > 0) {
        count_up(store, tag);
    }
    return DHT_ITEM_STORE_ADDED;
}

static enum dht_item_store_result replace(struct dht_item_store *store, int64_t now_us,
                                          uint32_t slot, const struct dht_item *item)
{
    struct dht_stored_item *old = store->slots[slot].item;
    struct dht_stored_item *stored = old;
    size_t old_size = size_of_stored(old);
    size_t size = size_of(item);
    if (size != old_size) {
        if (cost_of(size) > cost_of(old_size) &&
            dht_item_store_bytes(store) + cost_of(size) - cost_of(old_size) >
                store->limits.bytes_max) {
            return DHT_ITEM_STORE_FULL;
        }
        stored = malloc(size);
        if (stored == NULL) {
            return DHT_ITEM_STORE_FULL;
        }
        stored->slot = slot;
        stored->source_tag = old->source_tag;
    }
    unlink_slot(store, slot);
    fill(stored, now_us, item);
    store->slots[slot].item = stored;
    link_slot(store, slot);
    if (stored != old) {
        store->items_cost = store->items_cost + cost_of(size) - cost_of(old_size);
        free(old);
    }
    return DHT_ITEM_STORE_REPLACED;
}

enum dht_item_store_result dht_item_store_put(struct dht_item_store *store, int64_t now_us,
                                              uint64_t source, const struct dht_item *item)
{
    assert(item->value.len <= DHT_VALUE_LEN_MAX);
    assert(!item->is_mutable || item->salt.len <= DHT_SALT_LEN_MAX);
    uint32_t hash = hash_target(store, &item->target);
    uint32_t slot = find_slot(store, &item->target, hash);
    if (slot == NONE) {
        return add(store, now_us, source, item, hash);
    }
    return replace(store, now_us, slot, item);
}

void dht_item_store_refresh(struct dht_item_store *store, int64_t now_us,
                            const struct dht_stored_item *item)
{
    uint32_t slot = item->slot;
    assert(slot < store->slots_used && store->slots[slot].item == item);
    unlink_slot(store, slot);
    store->slots[slot].item->refreshed_us = now_us;
    link_slot(store, slot);
}

// ---- expiry ----

static void drop(struct dht_item_store *store, uint32_t at)
{
    struct dht_stored_item *item = store->slots[at].item;
    unlink_slot(store, at);
    dht_index_remove(&store->targets, hash_target(store, &item->target), at);
    if (store->limits.per_source_max > 0) {
        count_down(store, item->source_tag);
    }
    store->items_cost -= cost_of(size_of_stored(item));
    store->count--;
    free(item);
    store->slots[at].item = NULL;
    store->slots[at].older = store->free_slot;
    store->free_slot = at;
}

uint32_t dht_item_store_expire(struct dht_item_store *store, int64_t now_us, uint32_t most)
{
    uint32_t dropped = 0;
    while (dropped < most && dht_item_store_next_expiry(store) <= now_us) {
        if (store->oldest == NONE) {
            break; // now_us is INT64_MAX
        }
        drop(store, store->oldest);
        dropped++;
    }
    return dropped;
}

const struct dht_stored_item *dht_item_store_oldest(const struct dht_item_store *store)
{
    return store->oldest == NONE ? NULL : store->slots[store->oldest].item;
}

int64_t dht_item_store_next_expiry(const struct dht_item_store *store)
{
    if (store->oldest == NONE) {
        return INT64_MAX;
    }
    int64_t refreshed_us = store->slots[store->oldest].item->refreshed_us;
    int64_t lifetime_us = store->limits.lifetime_us;
    return refreshed_us > INT64_MAX - lifetime_us ? INT64_MAX : refreshed_us + lifetime_us;
}

// ---- looking ----

struct dht_item dht_item_store_view(const struct dht_stored_item *item)
{
    struct dht_item view = {.is_mutable = item->is_mutable, .target = item->target};
    const uint8_t *from = item->bytes;
    if (item->is_mutable) {
        memcpy(view.key, from, DHT_KEY_LEN);
        memcpy(view.sig, from + DHT_KEY_LEN, DHT_SIG_LEN);
        from += DHT_KEY_LEN + DHT_SIG_LEN;
        view.seq = item->seq;
        view.salt = (struct dht_span){from, item->salt_len};
        from += item->salt_len;
    }
    view.value = (struct dht_span){from, item->value_len};
    return view;
}

bool dht_item_store_has_room(const struct dht_item_store *store)
{
    return fits(store, sizeof(struct dht_stored_item) + DHT_KEY_LEN + DHT_SIG_LEN +
                           DHT_SALT_LEN_MAX + DHT_VALUE_LEN_MAX);
}

uint32_t dht_item_store_count(const struct dht_item_store *store)
{
    return store->count;
}

size_t dht_item_store_bytes(const struct dht_item_store *store)
{
    size_t entry = sizeof(struct dht_index_entry);
    return store->items_cost + cost_of(store->slot_capacity * sizeof(struct slot)) +
           cost_of(store->targets.capacity * entry) + cost_of(store->sources.capacity * entry);
}

uint32_t dht_item_store_walk(const struct dht_item_store *store, uint32_t cursor, int64_t since_us,
                             const struct dht_stored_item **ret_item)
{
    uint32_t at = store->newest;
    if (cursor > 0) {
        if (cursor > store->slots_used || store->slots[cursor - 1].item == NULL) {
            return 0;
        }
        at = store->slots[cursor - 1].older;
    }
    if (at == NONE || store->slots[at].item->refreshed_us < since_us) {
        return 0;
    }
    *ret_item = store->slots[at].item;
    return at + 1;
}

// ---- checking ----

static void check_slot(const struct dht_item_store *store, uint32_t at)
{
    const struct slot *slot = &store->slots[at];
    const struct dht_stored_item *item = slot->item;
    assert(item != NULL && item->slot == at);
    assert(dht_item_store_find(store, &item->target) == item);
    assert((slot->newer == NONE ? store->newest : store->slots[slot->newer].older) == at);
    assert((slot->older == NONE ? store->oldest : store->slots[slot->older].newer) == at);
    assert(slot->older == NONE ||
           store->slots[slot->older].item->refreshed_us <= item->refreshed_us);
    assert(store->limits.per_source_max == 0 || count_of_source(store, item->source_tag) > 0);
}

void dht_item_store_check(const struct dht_item_store *store)
{
    uint32_t count = 0;
    size_t cost = 0;
    for (uint32_t at = store->newest; at != NONE; at = store->slots[at].older) {
        check_slot(store, at);
        count++;
        cost += cost_of(size_of_stored(store->slots[at].item));
    }
    uint32_t free_count = 0;
    for (uint32_t at = store->free_slot; at != NONE; at = store->slots[at].older) {
        assert(store->slots[at].item == NULL);
        free_count++;
    }
    uint64_t from_sources = 0;
    for (uint32_t i = 0; i < store->sources.capacity; i++) {
        uint32_t value = store->sources.entries[i].value;
        from_sources += value == DHT_INDEX_NONE ? 0 : value;
    }
    dht_index_check(&store->targets);
    dht_index_check(&store->sources);
    assert(count == store->count && count == store->targets.count && cost == store->items_cost);
    assert(count + free_count == store->slots_used && store->slots_used <= store->slot_capacity);
    assert(store->limits.per_source_max == 0 || from_sources == count);
    assert(count <= store->limits.items_max);
    assert(dht_item_store_bytes(store) <= store->limits.bytes_max || count == 0);
}
