// SPDX-License-Identifier: MIT
#include "dht/op.h"

#include "dht/addr.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS 16
#define SLOT_MASK ((UINT32_C(1) << SLOT_BITS) - 1)

void dht_op_table_init(struct dht_op_table *table, uint32_t slots_max)
{
    assert(slots_max > 0 && slots_max <= SLOT_MASK);
    *table = (struct dht_op_table){.slots_max = slots_max};
}

void dht_op_table_fini(struct dht_op_table *table)
{
    for (uint32_t slot = 0; slot < table->slot_count; slot++)
        if (table->slots[slot] != NULL)
            dht_op_close(table, table->slots[slot]);
    free(table->slots);
    *table = (struct dht_op_table){0};
}

// An empty slot, made where there is none; UINT32_MAX where ops_max are used or memory is short.
static uint32_t empty_slot(struct dht_op_table *table)
{
    if (table->count < table->slot_count)
        for (uint32_t slot = 0; slot < table->slot_count; slot++)
            if (table->slots[slot] == NULL)
                return slot;
    if (table->slot_count == table->slots_max)
        return UINT32_MAX;
    uint32_t more = table->slot_count == 0 ? 4 : table->slot_count * 2;
    if (more > table->slots_max)
        more = table->slots_max;
    struct dht_op **slots = realloc(table->slots, more * sizeof *slots);
    if (slots == NULL)
        return UINT32_MAX;
    table->slots = slots;
    uint32_t first = table->slot_count;
    memset(slots + first, 0, (more - first) * sizeof *slots);
    table->slot_count = more;
    return first;
}

struct dht_op *dht_op_open(struct dht_op_table *table, enum dht_op_kind kind)
{
    uint32_t slot = empty_slot(table);
    if (slot == UINT32_MAX)
        return NULL;
    struct dht_op *op = calloc(1, sizeof *op);
    if (op == NULL)
        return NULL;
    op->id = (uint32_t)++table->generation << SLOT_BITS | (slot + 1);
    op->kind = (uint8_t)kind;
    op->seq_known = DHT_SEQ_NONE;
    op->cas = DHT_SEQ_NONE;
    table->slots[slot] = op;
    table->count++;
    return op;
}

struct dht_op *dht_op_find(const struct dht_op_table *table, uint32_t id)
{
    uint32_t slot = (id & SLOT_MASK) - 1; // wraps for 0, and finds nothing
    if (slot >= table->slot_count)
        return NULL;
    struct dht_op *op = table->slots[slot];
    return op != NULL && op->id == id ? op : NULL;
}

void dht_op_close(struct dht_op_table *table, struct dht_op *op)
{
    uint32_t slot = (op->id & SLOT_MASK) - 1;
    assert(table->slots[slot] == op);
    table->slots[slot] = NULL;
    table->count--;
    dht_lookup_fini(&op->lookup);
    free(op->best);
    free(op->item);
    free(op->own);
    free(op->peers);
    free(op->who);
    free(op);
}

void dht_op_rest(struct dht_op_table *table)
{
    if (table->count > 0)
        return;
    free(table->slots);
    table->slots = NULL;
    table->slot_count = 0;
}

struct dht_op_item *dht_op_copy_item(const struct dht_item *item)
{
    struct dht_op_item *copy = malloc(sizeof *copy + item->salt.len + item->value.len);
    if (copy == NULL)
        return NULL;
    copy->item = *item;
    copy->item.salt.data = copy->bytes;
    copy->item.value.data = copy->bytes + item->salt.len;
    if (item->salt.len > 0)
        memcpy(copy->bytes, item->salt.data, item->salt.len);
    if (item->value.len > 0)
        memcpy(copy->bytes + item->salt.len, item->value.data, item->value.len);
    return copy;
}

// ---- peers told ----

// FNV-1a: who could fill this table unevenly could as well fill it; it is bounded.
static uint32_t hash_peer(const struct dht_addr *peer)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    size_t len = dht_addr_to_compact(peer, compact);
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ compact[i]) * 16777619u;
    return hash;
}

// Where peer is, or the empty place where it goes.
static struct dht_addr *place_of(struct dht_op *op, const struct dht_addr *peer)
{
    uint32_t at = hash_peer(peer) & (op->peer_capacity - 1);
    while (op->peers[at].ip_len != 0 && !dht_addr_equal(&op->peers[at], peer))
        at = (at + 1) & (op->peer_capacity - 1);
    return &op->peers[at];
}

static bool grow_peers(struct dht_op *op)
{
    if (op->peer_count * 2 < op->peer_capacity)
        return true;
    struct dht_addr *old = op->peers;
    uint32_t old_capacity = op->peer_capacity;
    uint32_t capacity = old_capacity == 0 ? 64 : old_capacity * 2;
    struct dht_addr *peers = calloc(capacity, sizeof *peers);
    if (peers == NULL)
        return false;
    op->peers = peers;
    op->peer_capacity = capacity;
    for (uint32_t i = 0; i < old_capacity; i++)
        if (old[i].ip_len != 0)
            *place_of(op, &old[i]) = old[i];
    free(old);
    return true;
}

bool dht_op_note_peer(struct dht_op *op, const struct dht_addr *peer)
{
    if (op->peer_count >= DHT_OP_PEERS_MAX || !grow_peers(op))
        return false;
    struct dht_addr *place = place_of(op, peer);
    if (place->ip_len != 0)
        return false;
    *place = *peer;
    op->peer_count++;
    return true;
}
