// SPDX-License-Identifier: MIT
#include "dht/found.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/search.h"
#include "dht/watch.h"

#include <stdlib.h>
#include <string.h>

// dht_candidate.holds of who returned an item that is neither the best nor equal to it.
#define HOLDS_ANOTHER UINT8_MAX

struct dht_id dht_found_target(const struct dht *dht, const struct dht_item *item)
{
    struct dht_id target;
    struct dht_span parts[2] = {item->value};
    if (item->is_mutable) {
        parts[0] = (struct dht_span){item->key, sizeof item->key};
        parts[1] = item->salt;
    }
    dht->crypto.sha1(dht->crypto.ctx, parts, item->is_mutable ? 2 : 1, target.bytes);
    return target;
}

bool dht_found_verify(const struct dht *dht, const struct dht_item *item)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    if (item->value.len == 0 || item->value.len > DHT_VALUE_LEN_MAX ||
        item->salt.len > DHT_SALT_LEN_MAX)
        return false;
    struct dht_id target = dht_found_target(dht, item);
    if (!dht_id_equal(&target, &item->target))
        return false;
    if (!item->is_mutable)
        return true;
    size_t text_len = dht_krpc_signed_text(item->salt, item->seq, item->value, text);
    return item->seq >= 0 && dht->crypto.verify(dht->crypto.ctx, item->key, item->sig,
                                                (struct dht_span){text, text_len});
}

// ---- items ----

bool dht_found_read(const struct dht_krpc *msg, const struct dht_id *target, struct dht_span salt,
                    struct dht_item *ret_item)
{
    if (msg->value.data == NULL)
        return false;
    struct dht_item item = {.target = *target, .value = msg->value};
    if (msg->key.data != NULL || msg->sig.data != NULL) {
        if (msg->key.data == NULL || msg->sig.data == NULL || !msg->has_seq)
            return false;
        item.is_mutable = true;
        item.seq = msg->seq;
        item.salt = salt;
        memcpy(item.key, msg->key.data, sizeof item.key);
        memcpy(item.sig, msg->sig.data, sizeof item.sig);
    }
    *ret_item = item;
    return true;
}

static bool same_value(const struct dht_item *a, const struct dht_item *b)
{
    return a->value.len == b->value.len && memcmp(a->value.data, b->value.data, a->value.len) == 0;
}

// Whether a is better than b: newer, or as new with larger bytes, which is pkarr's rule (quirk
// Q21).
static bool is_better(const struct dht_item *a, const struct dht_item *b)
{
    if (a->seq != b->seq)
        return a->seq > b->seq;
    size_t common = a->value.len < b->value.len ? a->value.len : b->value.len;
    int order = memcmp(a->value.data, b->value.data, common);
    return order != 0 ? order > 0 : a->value.len > b->value.len;
}

static bool is_copy(const struct dht_op_item *own, const struct dht_item *item)
{
    return own != NULL && item->is_mutable && item->seq == own->item.seq &&
           same_value(item, &own->item) && memcmp(item->sig, own->item.sig, DHT_SIG_LEN) == 0;
}

// What the caller has put there before, or puts there now.
static bool is_own(const struct dht_op *op, const struct dht_item *item)
{
    return is_copy(op->own, item) || (op->early && is_copy(op->item, item));
}

static void adopt(struct dht_op *op, const struct dht_item *item)
{
    struct dht_op_item *copy = dht_op_copy_item(item);
    if (copy == NULL)
        return;
    free(op->best);
    op->best = copy;
    // Generations run from 1 to 253; a lookup that meets more better items than that is being
    // played with.
    if (op->best_generation < DHT_FOUND_HOLDS_OWN - 1)
        op->best_generation++;
}

static void tell(struct dht *dht, const struct dht_op *op, const struct dht_item *item,
                 const struct dht_addr *from)
{
    if (op->watch != 0)
        dht_watch_found_item(dht, op, from);
    if (op->internal || op->kind != DHT_OP_GET)
        return;
    dht_engine_emit(dht, &(struct dht_out){
                             .type = DHT_OUT_ITEM,
                             .op = op->id,
                             .found = {.item = *item, .from = *from, .tally = dht_search_tally(op)},
                         });
}

// One that is not better than the best so far.
static void take_another(struct dht *dht, struct dht_op *op, uint16_t index,
                         const struct dht_item *item)
{
    struct dht_candidate *candidate = &op->lookup.candidates[index];
    bool same = item->seq == op->best->item.seq && same_value(item, &op->best->item);
    dht_lookup_saw_seq(&op->lookup, index, item->seq);
    candidate->holds = same ? op->best_generation : HOLDS_ANOTHER;
    if (op->each && (same || dht_found_verify(dht, item)))
        tell(dht, op, item, &candidate->addr);
}

// A reply that tells of a sequence number and brings no news.
static bool note_seq(struct dht_op *op, uint16_t index, int64_t seq)
{
    int64_t best_seq = op->best != NULL ? op->best->item.seq : op->seq_known;
    dht_lookup_saw_seq(&op->lookup, index, seq);
    op->lookup.candidates[index].holds = seq == best_seq ? op->best_generation : HOLDS_ANOTHER;
    return true;
}

static void own_item(struct dht *dht, struct dht_op *op)
{
    if ((op->kind != DHT_OP_GET && op->kind != DHT_OP_PUT) || dht->items == NULL)
        return;
    const struct dht_stored_item *stored = dht_item_store_find(dht->items, &op->lookup.target);
    if (stored == NULL)
        return;
    struct dht_item item = dht_item_store_view(stored);
    if (item.is_mutable && op->seq_known != DHT_SEQ_NONE && item.seq <= op->seq_known)
        return;
    if (is_own(op, &item)) {
        op->own_holds = DHT_FOUND_HOLDS_OWN;
        return;
    }
    adopt(op, &item); // verified when it was stored
    op->own_holds = op->best_generation;
    tell(dht, op, &item, &dht->config.addr);
}

bool dht_found_item(struct dht *dht, struct dht_op *op, uint16_t index, const struct dht_krpc *msg,
                    const struct dht_addr *from)
{
    struct dht_candidate *candidate = &op->lookup.candidates[index];
    struct dht_item item;
    struct dht_span salt = {op->salt, op->salt_len};
    if (!dht_found_read(msg, &op->lookup.target, salt, &item)) {
        bool seq_alone = msg->value.data == NULL && msg->has_seq && op->seq_known != DHT_SEQ_NONE;
        return seq_alone && note_seq(op, index, msg->seq);
    }
    // Who ignores our `seq` sends what the asker has, or older: no news, and no other value either.
    if (item.is_mutable && op->seq_known != DHT_SEQ_NONE && item.seq <= op->seq_known)
        return note_seq(op, index, item.seq);
    if (is_own(op, &item)) {
        dht_lookup_saw_seq(&op->lookup, index, item.seq);
        candidate->holds = DHT_FOUND_HOLDS_OWN;
        return true;
    }
    if (op->best != NULL && !is_better(&item, &op->best->item)) {
        take_another(dht, op, index, &item);
        return true;
    }
    if (!dht_found_verify(dht, &item)) {
        DHT_COUNT(dht, found_invalid);
        return false;
    }
    adopt(op, &item);
    dht_lookup_saw_seq(&op->lookup, index, item.seq);
    candidate->holds = op->best_generation;
    tell(dht, op, &item, from);
    return true;
}

// ---- peers ----

size_t dht_found_read_peers(const struct dht *dht, const struct dht_krpc *msg,
                            struct dht_addr ret_peers[DHT_FOUND_PEERS_MAX])
{
    size_t count = 0;
    struct dht_addr peer;
    if (msg->values.data == NULL)
        return 0;
    struct dht_bencode_cursor cursor = dht_krpc_peers(msg);
    while (count < DHT_FOUND_PEERS_MAX && dht_krpc_next_peer(&cursor, &peer)) {
        bool family = peer.ip_len == (dht->config.family == DHT_IPV4 ? 4 : 16);
        if (family && dht_engine_is_acceptable(dht, &peer))
            ret_peers[count++] = peer;
    }
    return count;
}

// Tells those that the lookup has not heard of yet.
static void tell_peers(struct dht *dht, struct dht_op *op,
                       struct dht_addr peers[DHT_FOUND_PEERS_MAX], size_t read,
                       const struct dht_addr *from)
{
    size_t count = 0;
    for (size_t i = 0; i < read; i++)
        if (dht_op_note_peer(op, &peers[i]))
            peers[count++] = peers[i];
    if (count > 0 && op->watch != 0)
        dht_watch_found_peers(dht, op, peers, count, from);
    else if (count > 0 && op->kind == DHT_OP_GET_PEERS)
        dht_engine_emit(dht, &(struct dht_out){
                                 .type = DHT_OUT_PEERS,
                                 .op = op->id,
                                 .peers = {.addrs = peers, .count = count, .from = *from},
                             });
}

static void own_peers(struct dht *dht, struct dht_op *op)
{
    uint8_t compact[DHT_FOUND_PEERS_MAX * DHT_ADDR_COMPACT_MAX];
    struct dht_addr peers[DHT_FOUND_PEERS_MAX];
    size_t len = dht->config.family == DHT_IPV4 ? 6 : 18;
    size_t count = 0;
    if (op->kind != DHT_OP_GET_PEERS || op->watch != 0 || dht->peers == NULL)
        return;
    size_t kept =
        dht_peer_store_sample(dht->peers, &op->lookup.target, false, DHT_FOUND_PEERS_MAX, compact);
    for (size_t i = 0; i < kept; i++)
        if (dht_addr_from_compact(compact + i * len, len, &peers[count]) &&
            dht_engine_is_acceptable(dht, &peers[count]))
            count++;
    tell_peers(dht, op, peers, count, &dht->config.addr);
}

bool dht_found_peers(struct dht *dht, struct dht_op *op, const struct dht_krpc *msg,
                     const struct dht_addr *from)
{
    if (msg->values.data == NULL)
        return false;
    struct dht_addr peers[DHT_FOUND_PEERS_MAX];
    tell_peers(dht, op, peers, dht_found_read_peers(dht, msg, peers), from);
    return true;
}

// ---- our own store ----

void dht_found_own(struct dht *dht, struct dht_op *op)
{
    own_item(dht, op);
    own_peers(dht, op);
}
