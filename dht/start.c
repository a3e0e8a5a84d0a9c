// SPDX-License-Identifier: MIT
// Where operations start, and are cancelled: the functions of include/pnr/dht.h that return an
// operation's id.
#include "dht/engine.h"
#include "dht/id.h"
#include "dht/query.h"
#include "dht/search.h"
#include "dht/store.h"
#include "dht/watch.h"
#include "dht/who.h"

#include <assert.h>
#include <string.h>

static struct dht_op *open_op(struct dht *dht, int64_t now_us, enum dht_op_kind kind)
{
    dht_engine_enter(dht, now_us);
    struct dht_op *op = dht_op_open(&dht->ops, kind);
    if (op == NULL)
        DHT_COUNT(dht, ops_refused);
    else
        DHT_COUNT(dht, ops_started);
    return op;
}

// Those who have stored the item last are asked at once, all of them: there is no nearer one to
// find.
static void offer_near(struct dht *dht, struct dht_op *op, const struct dht_get *get)
{
    for (uint32_t i = 0; i < get->storer_count; i++) {
        struct dht_krpc_node node = {get->storers[i].id, get->storers[i].addr};
        uint16_t count = op->lookup.count;
        if (node.addr.ip_len == (dht->config.family == DHT_IPV4 ? 4 : 16))
            dht_search_offer(dht, op, &node, 1);
        if (op->lookup.count == count)
            continue;
        op->lookup.candidates[count].is_near = 1;
        op->lookup.candidates[count].has_get = DHT_HAS_GET_YES;
        op->lookup.in_flight_max++;
    }
}

uint32_t dht_get(struct dht *dht, int64_t now_us, const struct dht_get *get)
{
    assert(get->salt.len <= DHT_SALT_LEN_MAX && get->width <= DHT_CLOSEST_MAX);
    struct dht_op *op = open_op(dht, now_us, DHT_OP_GET);
    if (op == NULL)
        return 0;
    uint32_t id = op->id;
    op->trace = get->trace;
    op->hold = get->hold;
    op->each = get->each;
    op->settle = (uint8_t)get->settle;
    op->seq_known = get->seq_known;
    op->best_generation = 1;
    op->salt_len = (uint8_t)get->salt.len;
    if (get->salt.len > 0)
        memcpy(op->salt, get->salt.data, get->salt.len);
    if (get->own != NULL)
        op->own = dht_op_copy_item(get->own); // where memory is short, it is as anybody's
    dht_search_begin(dht, op, &get->target,
                     get->width != 0 ? get->width : dht->config.lookup_width);
    if (get->storer_count > 0)
        offer_near(dht, op, get);
    dht_search_go(dht, op);
    return id;
}

// The operation that the put goes on with, its lookup done, or a new one.
static struct dht_op *op_for_put(struct dht *dht, int64_t now_us, const struct dht_id *target,
                                 uint32_t held_op)
{
    struct dht_op *held = dht_op_find(&dht->ops, held_op);
    if (held == NULL || held->state != DHT_OP_HELD || !dht_id_equal(&held->lookup.target, target))
        return open_op(dht, now_us, DHT_OP_PUT);
    dht_engine_enter(dht, now_us);
    held->kind = DHT_OP_PUT;
    return held;
}

uint32_t dht_put(struct dht *dht, int64_t now_us, const struct dht_item *item, int64_t cas,
                 uint32_t held_op)
{
    assert(item->value.len <= DHT_VALUE_LEN_MAX && item->salt.len <= DHT_SALT_LEN_MAX);
    struct dht_op *op = op_for_put(dht, now_us, &item->target, held_op);
    if (op == NULL)
        return 0;
    uint32_t id = op->id;
    if (!dht_store_take(dht, op, item)) {
        dht_search_abandon(dht, op->id);
        dht_op_close(&dht->ops, op);
        DHT_COUNT(dht, ops_refused);
        return 0;
    }
    op->cas = cas;
    op->salt_len = (uint8_t)item->salt.len;
    if (item->salt.len > 0)
        memcpy(op->salt, item->salt.data, item->salt.len);
    if (op->state == DHT_OP_HELD) {
        dht_store_start(dht, op);
    } else {
        op->best_generation = 1;
        dht_search_start(dht, op, &item->target, dht->config.store_width);
    }
    return id;
}

bool dht_put_early(struct dht *dht, int64_t now_us, const struct dht_item *item, int64_t cas,
                   uint32_t get_op)
{
    struct dht_op *op = dht_op_find(&dht->ops, get_op);
    if (op == NULL || op->kind != DHT_OP_GET || op->state != DHT_OP_LOOKUP || op->early ||
        !dht_id_equal(&op->lookup.target, &item->target))
        return false;
    dht_engine_enter(dht, now_us);
    if (!dht_store_take(dht, op, item))
        return false;
    op->cas = cas;
    op->early = true;
    for (uint16_t i = 0; i < op->lookup.count; i++)
        if (op->lookup.candidates[i].is_near &&
            op->lookup.candidates[i].state == DHT_CANDIDATE_ANSWERED)
            dht_store_early(dht, op, i);
    return true;
}

static uint32_t search_for(struct dht *dht, int64_t now_us, enum dht_op_kind kind,
                           const struct dht_id *target, bool trace)
{
    struct dht_op *op = open_op(dht, now_us, kind);
    if (op == NULL)
        return 0;
    uint32_t id = op->id;
    op->trace = trace;
    dht_search_start(dht, op, target, dht->config.lookup_width);
    return id;
}

uint32_t dht_find_node(struct dht *dht, int64_t now_us, const struct dht_id *target, bool trace)
{
    return search_for(dht, now_us, DHT_OP_FIND_NODE, target, trace);
}

uint32_t dht_get_peers(struct dht *dht, int64_t now_us, const struct dht_id *info_hash, bool trace)
{
    return search_for(dht, now_us, DHT_OP_GET_PEERS, info_hash, trace);
}

static uint32_t announce(struct dht *dht, struct dht_op *op, const struct dht_id *info_hash,
                         uint16_t port)
{
    if (op == NULL)
        return 0;
    uint32_t id = op->id;
    op->port = port;
    dht_search_start(dht, op, info_hash, dht->config.store_width);
    return id;
}

uint32_t dht_announce(struct dht *dht, int64_t now_us, const struct dht_id *info_hash,
                      uint16_t port)
{
    return announce(dht, open_op(dht, now_us, DHT_OP_ANNOUNCE), info_hash, port);
}

uint32_t dht_announce_changed(struct dht *dht, int64_t now_us, const struct dht_id *info_hash,
                              uint16_t port)
{
    struct dht_op *op = open_op(dht, now_us, DHT_OP_ANNOUNCE);
    if (op != NULL)
        op->changed = true;
    return announce(dht, op, info_hash, port);
}

uint32_t dht_ping(struct dht *dht, int64_t now_us, const struct dht_addr *addr)
{
    struct dht_op *op = open_op(dht, now_us, DHT_OP_PING);
    if (op == NULL)
        return 0;
    op->state = DHT_OP_PINGING;
    struct dht_query query = {
        .method = DHT_KRPC_PING,
        .purpose = DHT_PURPOSE_PING,
        .addr = addr,
        .op = op->id,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    if (dht_query_send(dht, &query) == NULL) {
        dht_op_close(&dht->ops, op);
        DHT_COUNT(dht, ops_refused);
        return 0;
    }
    return op->id;
}

uint32_t dht_who(struct dht *dht, int64_t now_us, const struct dht_addr *addr,
                 const struct dht_id *info_hash)
{
    struct dht_op *op = open_op(dht, now_us, DHT_OP_WHO);
    if (op == NULL)
        return 0;
    uint32_t id = op->id;
    if (dht_who_start(dht, op, addr, info_hash))
        return id;
    dht_op_close(&dht->ops, op);
    DHT_COUNT(dht, ops_refused);
    return 0;
}

void dht_cancel(struct dht *dht, uint32_t id)
{
    struct dht_op *op = dht_op_find(&dht->ops, id);
    if (id == 0 || (op != NULL && op->internal))
        return;
    // Also of one that has ended: its end may still wait in the queue.
    dht_outbox_forget(&dht->outbox, id);
    if (dht_watch_cancel(dht, id) || op == NULL)
        return;
    dht_search_abandon(dht, id);
    dht_op_close(&dht->ops, op);
    DHT_COUNT(dht, ops_cancelled);
}
