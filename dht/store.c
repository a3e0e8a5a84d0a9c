// SPDX-License-Identifier: MIT
#include "dht/store.h"

#include "dht/found.h"
#include "dht/id.h"
#include "dht/query.h"
#include "dht/search.h"
#include "dht/watch.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3

// The cas that a node is told: none for who returned no value, there is nothing to compare with
// (BEP 44). Who returned an older item than the one to be replaced is compared with that: it was
// left behind, and catches up.
static int64_t cas_for(const struct dht_op *op, uint16_t candidate)
{
    if (op->cas == DHT_SEQ_NONE || op->lookup.candidates[candidate].holds == 0)
        return DHT_SEQ_NONE;
    int64_t seq_seen = dht_lookup_seq_seen(&op->lookup, candidate);
    if (op->lookup.candidates[candidate].holds == DHT_FOUND_HOLDS_OWN)
        return seq_seen;
    return seq_seen < op->cas ? seq_seen : op->cas;
}

// What every query to a target has, whatever it asks.
static struct dht_query query_to(const struct dht_op *op, const struct dht_store_target *target)
{
    const struct dht_candidate *candidate = &op->lookup.candidates[target->candidate];
    return (struct dht_query){
        .purpose = DHT_PURPOSE_STORE,
        .addr = &candidate->addr,
        .id = &candidate->id,
        .target = &op->lookup.target,
        .op = op->id,
        .candidate = target->candidate,
        .rtt_us = candidate->rtt_us,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
}

// Sends the put or the announce to one target.
static bool ask(struct dht *dht, struct dht_op *op, const struct dht_store_target *target)
{
    struct dht_query query = query_to(op, target);
    query.method = op->item != NULL ? DHT_KRPC_PUT : DHT_KRPC_ANNOUNCE_PEER;
    query.item = op->item != NULL ? &op->item->item : NULL;
    query.cas = cas_for(op, target->candidate);
    query.port = op->port;
    query.changed = op->changed;
    query.token = dht_lookup_token(&op->lookup, target->candidate);
    return dht_query_send(dht, &query) != NULL;
}

static bool is_final(const struct dht_store_target *target)
{
    return target->state == DHT_STORE_STORED || target->state == DHT_STORE_REFUSED ||
           target->state == DHT_STORE_SILENT;
}

static void emit_refused(struct dht *dht, const struct dht_op *op,
                         const struct dht_store_target *target, int32_t code)
{
    if (op->internal || op->state != DHT_OP_STORING)
        return;
    const struct dht_addr *addr = &op->lookup.candidates[target->candidate].addr;
    dht_engine_emit(dht, &(struct dht_out){
                             .type = DHT_OUT_REFUSED,
                             .op = op->id,
                             .refused = {.addr = *addr, .code = code},
                         });
}

static struct dht_store_target *target_of(struct dht_op *op, uint16_t candidate)
{
    for (uint8_t i = 0; i < op->target_count; i++)
        if (op->targets[i].candidate == candidate)
            return &op->targets[i];
    return NULL;
}

// Tells the closest of those that hold the item.
static void tell_stored(struct dht *dht, struct dht_op *op)
{
    uint32_t told = 0;
    for (uint16_t i = 0; i < op->lookup.count && told < DHT_NEAR_MAX; i++) {
        uint16_t index = op->lookup.order[i];
        const struct dht_candidate *candidate = &op->lookup.candidates[index];
        const struct dht_store_target *target = target_of(op, index);
        if (target == NULL || target->state != DHT_STORE_STORED)
            continue;
        dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_STORED,
                                               .op = op->id,
                                               .stored = {candidate->id, candidate->addr}});
        told++;
    }
}

// Who was silent to the end is told only now.
static void finish(struct dht *dht, struct dht_op *op)
{
    if (op->each)
        tell_stored(dht, op);
    for (uint8_t i = 0; i < op->target_count; i++)
        if (op->targets[i].state == DHT_STORE_SILENT)
            emit_refused(dht, op, &op->targets[i], 0);
    dht_search_finish(dht, op, false);
}

// Asks who waits to be asked; ends the operation where all have come to their end.
static void step(struct dht *dht, struct dht_op *op)
{
    bool is_last = op->state == DHT_OP_STORING; // or the lookup goes on: nobody is asked twice
    bool all_final = is_last;
    for (uint8_t i = 0; i < op->target_count; i++) {
        struct dht_store_target *target = &op->targets[i];
        if (target->state == DHT_STORE_NEW || (is_last && target->state == DHT_STORE_RETRY)) {
            bool asked = ask(dht, op, target);
            target->tries++;
            target->state = asked ? DHT_STORE_ASKED : DHT_STORE_SILENT;
        }
        all_final = all_final && is_final(target);
    }
    if (all_final)
        finish(dht, op);
}

// Whether we are among the closest ourselves, so that others will ask us for the item.
static bool is_ours_to_keep(const struct dht *dht, const struct dht_op *op, const uint16_t *closest,
                            size_t count)
{
    if (op->kind != DHT_OP_PUT || dht->role != DHT_ROLE_SERVER)
        return false;
    if (count < dht->config.store_width)
        return true;
    const struct dht_id *farthest = &op->lookup.candidates[closest[count - 1]].id;
    return dht_id_compare(&op->lookup.target, &dht->id, farthest) < 0;
}

static void keep_news(struct dht *dht, const struct dht_item *item)
{
    if (dht_engine_keep_item(dht, 0, item))
        dht_watch_stored(dht, item, NULL);
}

// Keeps the item in our own store, unless that holds a newer one. It is no part of "stored on N of
// M".
static void keep(struct dht *dht, const struct dht_item *item)
{
    const struct dht_stored_item *stored =
        dht->items != NULL ? dht_item_store_find(dht->items, &item->target) : NULL;
    if (stored == NULL || !item->is_mutable || dht_item_store_view(stored).seq < item->seq)
        keep_news(dht, item);
    else if (dht_item_store_view(stored).seq == item->seq)
        dht_item_store_refresh(dht->items, dht->now_us, stored);
}

void dht_store_start(struct dht *dht, struct dht_op *op)
{
    uint16_t closest[DHT_STORERS_MAX];
    size_t count = dht_lookup_storers(&op->lookup, dht->config.store_width, closest);
    if (is_ours_to_keep(dht, op, closest, count))
        keep(dht, &op->item->item);
    op->state = DHT_OP_STORING;
    for (uint8_t i = 0; i < op->target_count; i++)
        if (op->targets[i].state == DHT_STORE_REFUSED) // early: asked again, and told then
            op->targets[i] = (struct dht_store_target){.candidate = op->targets[i].candidate};
    for (size_t i = 0; i < count && op->target_count < DHT_STORERS_MAX; i++)
        if (target_of(op, closest[i]) == NULL)
            op->targets[op->target_count++] = (struct dht_store_target){.candidate = closest[i]};
    step(dht, op);
}

static bool same_value(struct dht_span a, struct dht_span b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

bool dht_store_take(struct dht *dht, struct dht_op *op, const struct dht_item *item)
{
    const struct dht_item *before = op->item != NULL ? &op->item->item : NULL;
    if (before != NULL && before->seq == item->seq && same_value(before->value, item->value))
        return true;
    struct dht_op_item *copy = dht_op_copy_item(item);
    if (copy == NULL)
        return false;
    for (uint8_t i = 0; i < op->target_count; i++) {
        if (op->targets[i].state != DHT_STORE_STORED)
            continue;
        struct dht_candidate *candidate = &op->lookup.candidates[op->targets[i].candidate];
        candidate->holds = DHT_FOUND_HOLDS_OWN;
        dht_lookup_saw_seq(&op->lookup, op->targets[i].candidate, before->seq);
    }
    if (op->target_count > 0) // what they still answer is about the item before
        dht_search_abandon(dht, op->id);
    op->target_count = 0;
    free(op->item);
    op->item = copy;
    return true;
}

void dht_store_early(struct dht *dht, struct dht_op *op, uint16_t candidate)
{
    if (op->lookup.candidates[candidate].token_len == 0 || target_of(op, candidate) != NULL ||
        op->target_count == DHT_STORERS_MAX)
        return;
    op->targets[op->target_count++] = (struct dht_store_target){.candidate = candidate};
    step(dht, op);
}

void dht_store_near(struct dht *dht, struct dht_op *op, uint16_t candidate)
{
    if (op->early)
        dht_store_early(dht, op, candidate);
    if (++op->near == DHT_NEAR_ENOUGH)
        dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_NEAR, .op = op->id});
}

// The target that waits for this transaction; NULL where there is none any more.
static struct dht_store_target *waiting_target(const struct dht *dht,
                                               const struct dht_transaction *transaction,
                                               struct dht_op **ret_op)
{
    struct dht_op *op = dht_op_find(&dht->ops, transaction->op);
    bool stores = op != NULL && (op->state == DHT_OP_STORING || op->early);
    if (!stores)
        return NULL;
    for (uint8_t i = 0; i < op->target_count; i++) {
        if (op->targets[i].candidate != transaction->candidate)
            continue;
        *ret_op = op;
        return &op->targets[i];
    }
    return NULL;
}

static void refuse(struct dht *dht, const struct dht_op *op, struct dht_store_target *target,
                   int32_t code)
{
    target->state = DHT_STORE_REFUSED;
    emit_refused(dht, op, target, code);
}

// Whether a node's reply to our get shows the item that we put. Asked with its sequence number,
// most nodes tell theirs and leave the value out (BEP 44).
static bool shows_ours(const struct dht_op *op, const struct dht_krpc *msg)
{
    const struct dht_item *item = &op->item->item;
    if (!msg->has_seq || msg->seq != item->seq)
        return false;
    return msg->value.data == NULL || same_value(msg->value, item->value);
}

void dht_store_reply(struct dht *dht, const struct dht_transaction *transaction,
                     const struct dht_krpc *msg)
{
    struct dht_op *op;
    struct dht_store_target *target = waiting_target(dht, transaction, &op);
    if (target == NULL || target->state == DHT_STORE_STORED || target->state == DHT_STORE_REFUSED)
        return;
    bool answers_doubt = transaction->method == DHT_KRPC_GET;
    if (answers_doubt && target->state != DHT_STORE_DOUBTED)
        return;
    if (answers_doubt && !shows_ours(op, msg))
        refuse(dht, op, target, target->code);
    else
        target->state = DHT_STORE_STORED;
    step(dht, op);
}

// Whether 302 means that the node holds what we put (quirk Q20): it returned this sequence number
// in the lookup, and not with another value.
static bool is_already_there(const struct dht_op *op, const struct dht_store_target *target)
{
    const struct dht_candidate *candidate = &op->lookup.candidates[target->candidate];
    const struct dht_item *item = &op->item->item;
    if (dht_lookup_seq_seen(&op->lookup, target->candidate) != item->seq)
        return false;
    if (op->best == NULL || op->best->item.seq != item->seq)
        return true;
    bool best_is_ours = same_value(op->best->item.value, item->value);
    return best_is_ours == (candidate->holds == op->best_generation);
}

// Whether the error may come of an earlier try of ours that arrived and whose reply was lost.
static bool is_ambiguous(const struct dht_op *op, const struct dht_store_target *target,
                         int32_t code)
{
    return target->tries > 1 && op->item != NULL && op->item->item.is_mutable &&
           (code == DHT_KRPC_ERROR_CAS || code == DHT_KRPC_ERROR_SEQ);
}

// Asks a node that has refused a repeated put what it holds. Once: who does not answer has refused.
static void doubt(struct dht *dht, const struct dht_op *op, struct dht_store_target *target,
                  int32_t code)
{
    struct dht_query query = query_to(op, target);
    query.method = DHT_KRPC_GET;
    query.seq_known = op->item->item.seq;
    target->state = DHT_STORE_DOUBTED;
    target->code = code;
    if (dht_query_send(dht, &query) == NULL)
        refuse(dht, op, target, code);
}

void dht_store_error(struct dht *dht, const struct dht_transaction *transaction, int32_t code)
{
    struct dht_op *op;
    struct dht_store_target *target = waiting_target(dht, transaction, &op);
    if (target == NULL || target->state == DHT_STORE_STORED || target->state == DHT_STORE_REFUSED)
        return;
    bool in_doubt = target->state == DHT_STORE_DOUBTED;
    if (in_doubt && transaction->method != DHT_KRPC_GET)
        return; // another try of the put; the get will tell
    if (in_doubt)
        refuse(dht, op, target, target->code);
    else if (op->item != NULL && code == DHT_KRPC_ERROR_SEQ && is_already_there(op, target))
        target->state = DHT_STORE_STORED;
    else if (is_ambiguous(op, target, code))
        doubt(dht, op, target, code);
    else
        refuse(dht, op, target, code);
    step(dht, op);
}

void dht_store_silent(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op;
    struct dht_store_target *target = waiting_target(dht, transaction, &op);
    if (target == NULL)
        return;
    bool answers_doubt = transaction->method == DHT_KRPC_GET;
    if (target->state != (answers_doubt ? DHT_STORE_DOUBTED : DHT_STORE_ASKED))
        return;
    if (answers_doubt)
        refuse(dht, op, target, target->code);
    else
        target->state = target->tries < TRIES_MAX ? DHT_STORE_RETRY : DHT_STORE_SILENT;
    step(dht, op);
}

void dht_store_unreachable(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op;
    struct dht_store_target *target = waiting_target(dht, transaction, &op);
    if (target == NULL || is_final(target))
        return;
    if (target->state == DHT_STORE_DOUBTED)
        refuse(dht, op, target, target->code);
    else
        target->state = DHT_STORE_SILENT;
    step(dht, op);
}
