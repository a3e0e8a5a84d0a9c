// SPDX-License-Identifier: MIT
#include "dht/reply.h"

#include "dht/addr.h"
#include "dht/away.h"
#include "dht/check.h"
#include "dht/explore.h"
#include "dht/id.h"
#include "dht/keeper.h"
#include "dht/maintain.h"
#include "dht/push.h"
#include "dht/query.h"
#include "dht/reach.h"
#include "dht/search.h"
#include "dht/store.h"
#include "dht/who.h"

#include <assert.h>
#include <string.h>

static void close_transaction(struct dht *dht, struct dht_transaction *transaction)
{
    dht_transaction_close(&dht->transactions, &dht->timers, transaction);
}

// ---- what a reply tells about its sender ----

static void note_rtt(struct dht *dht, const struct dht_transaction *transaction)
{
    int64_t rtt_us = dht->now_us - transaction->sent_us;
    const struct dht_contact *contact =
        transaction->has_id ? dht_table_find(&dht->table, &transaction->id, &transaction->addr)
                            : NULL;
    if (contact == NULL || contact->rtt_us == 0)
        dht_query_sample_rtt(dht, rtt_us);
    if (transaction->state == DHT_TRANSACTION_LATE)
        DHT_COUNT(dht, replies_late);
    else
        DHT_COUNT(dht, replies_in_time);
}

static void note_contact(struct dht *dht, const struct dht_id *id,
                         const struct dht_transaction *transaction)
{
    int64_t rtt_us = dht->now_us - transaction->sent_us;
    enum dht_table_result result =
        dht_table_answered(&dht->table, id, &transaction->addr, (uint32_t)(rtt_us > 0 ? rtt_us : 1),
                           dht_engine_now_s(dht));
    if (result == DHT_TABLE_ADDED) {
        DHT_COUNT(dht, contacts_added);
        dht_lost_remove(&dht->upkeep.lost, &transaction->addr);
        dht_maintain_gained(dht);
    }
    if (result == DHT_TABLE_REPLACED)
        DHT_COUNT(dht, contacts_replaced);
    if (result == DHT_TABLE_REFUSED || result == DHT_TABLE_WAITING)
        DHT_COUNT(dht, contacts_refused);
}

// The node has another id than the one we asked for: it lies, or somebody else has its address now,
// or who named it to us lied. In the last case the id that it shows is the one that we know it by,
// and it has done nothing wrong; else what we believed is worth nothing (quirks Q7, Q10).
static void wrong_id(struct dht *dht, const struct dht_transaction *transaction,
                     const struct dht_id *shown)
{
    DHT_COUNT(dht, drop_wrong_id);
    if (dht_table_find(&dht->table, shown, &transaction->addr) == NULL &&
        dht_table_evict(&dht->table, &transaction->addr)) {
        DHT_COUNT(dht, contacts_evicted);
    }
    if (transaction->purpose == DHT_PURPOSE_STORE)
        dht_store_unreachable(dht, transaction);
    else if (transaction->purpose == DHT_PURPOSE_EXPLORE)
        dht_explore_failed(dht, transaction);
    else if (transaction->purpose == DHT_PURPOSE_WHO)
        dht_who_failed(dht, transaction);
    else if (transaction->purpose == DHT_PURPOSE_KEEPER)
        dht_keeper_dead(dht, transaction);
    else
        dht_search_other_id(dht, transaction, shown);
}

// ---- replies ----

static void ping_done(struct dht *dht, const struct dht_transaction *transaction, int64_t rtt_us)
{
    struct dht_op *op = dht_op_find(&dht->ops, transaction->op);
    if (op == NULL)
        return;
    struct dht_out done = {.type = DHT_OUT_DONE, .op = op->id, .done = {.rtt_us = rtt_us}};
    done.done.tally.asked = 1;
    done.done.tally.answered = rtt_us >= 0;
    dht_op_close(&dht->ops, op);
    dht_engine_emit(dht, &done);
}

static void pass_on(struct dht *dht, const struct dht_transaction *transaction,
                    const struct dht_krpc *msg)
{
    switch ((enum dht_purpose)transaction->purpose) {
    case DHT_PURPOSE_LOOKUP:
        dht_search_reply(dht, transaction, msg);
        break;
    case DHT_PURPOSE_EXPLORE:
        dht_explore_reply(dht, transaction, msg);
        break;
    case DHT_PURPOSE_STORE:
        dht_store_reply(dht, transaction, msg);
        break;
    case DHT_PURPOSE_PING:
        ping_done(dht, transaction, dht->now_us - transaction->sent_us);
        break;
    case DHT_PURPOSE_WHO:
        dht_who_reply(dht, transaction, msg);
        break;
    case DHT_PURPOSE_BOOTSTRAP:
        dht_maintain_bootstrapped(dht, msg);
        break;
    case DHT_PURPOSE_CHECK:
        dht_check_named(dht, msg);
        break;
    case DHT_PURPOSE_PUSH:
        dht_push_reply(dht, transaction);
        break;
    case DHT_PURPOSE_KEEPER:
        dht_keeper_reply(dht, transaction, msg);
        break;
    case DHT_PURPOSE_SELF: // answered by another host behind our NAT: that proves nothing
        break;
    }
}

static void take_reply(struct dht *dht, const struct dht_transaction *transaction,
                       const struct dht_krpc *msg)
{
    struct dht_id id;
    memcpy(id.bytes, msg->id.data, sizeof id.bytes);
    if (transaction->has_id && !dht_id_equal(&id, &transaction->id)) {
        wrong_id(dht, transaction, &id);
        return;
    }
    // A watcher that acknowledges a push may be read-only, which replies do not say.
    bool is_push = transaction->purpose == DHT_PURPOSE_PUSH;
    if (!is_push)
        note_rtt(dht, transaction);
    dht_away_heard(dht);
    dht_engine_prove(dht, &transaction->addr);
    // Our own address answers only itself; who says that it is read-only cannot be passed on (BEP
    // 43).
    if (transaction->purpose != DHT_PURPOSE_SELF && !is_push && !msg->read_only)
        note_contact(dht, &id, transaction);
    dht_reach_vote(dht, &transaction->addr, msg);
    dht_maintain_other_family(dht, msg);
    pass_on(dht, transaction, msg);
}

static void take_error(struct dht *dht, const struct dht_transaction *transaction,
                       const struct dht_krpc *msg)
{
    DHT_COUNT(dht, errors_in);
    dht_away_heard(dht);
    dht_engine_prove(dht, &transaction->addr);
    dht_reach_vote(dht, &transaction->addr, msg);
    if (transaction->purpose == DHT_PURPOSE_LOOKUP)
        dht_search_error(dht, transaction);
    if (transaction->purpose == DHT_PURPOSE_EXPLORE)
        dht_explore_failed(dht, transaction);
    if (transaction->purpose == DHT_PURPOSE_STORE)
        dht_store_error(dht, transaction, (int32_t)msg->error_code);
    if (transaction->purpose == DHT_PURPOSE_PING)
        ping_done(dht, transaction, -1);
    if (transaction->purpose == DHT_PURPOSE_WHO)
        dht_who_refused(dht, transaction, (int32_t)msg->error_code);
    if (transaction->purpose == DHT_PURPOSE_PUSH)
        dht_push_refused(dht, transaction);
    if (transaction->purpose == DHT_PURPOSE_KEEPER)
        dht_keeper_error(dht, transaction, (int32_t)msg->error_code);
}

void dht_reply_receive(struct dht *dht, const struct dht_addr *from, const struct dht_krpc *msg)
{
    struct dht_transaction *transaction = dht_transaction_find(&dht->transactions, msg->tid);
    if (transaction == NULL) {
        DHT_COUNT(dht, drop_unknown_tid);
        return;
    }
    if (!dht_addr_equal(&transaction->addr, from)) {
        DHT_COUNT(dht, drop_wrong_addr);
        return;
    }
    if (msg->type == DHT_KRPC_REPLY && msg->id.data == NULL) {
        DHT_COUNT(dht, drop_malformed);
        return;
    }
    // Closed first: what follows may start queries of its own.
    struct dht_transaction answered = *transaction;
    close_transaction(dht, transaction);
    if (msg->type == DHT_KRPC_REPLY)
        take_reply(dht, &answered, msg);
    else
        take_error(dht, &answered, msg);
}

// ---- silence ----

// Silence counts against a contact, unless it may mean something else: that the node does not speak
// BEP 44 (quirk Q6), or that our own network is down, since nobody else has answered either.
static void note_failure(struct dht *dht, const struct dht_transaction *transaction)
{
    if (!transaction->has_id || dht->heard_us < transaction->sent_us)
        return;
    const struct dht_contact *contact =
        dht_table_find(&dht->table, &transaction->id, &transaction->addr);
    if (contact == NULL)
        return;
    uint32_t sent_s = (uint32_t)((transaction->sent_us - dht->birth_us) / DHT_SECOND_US) + 1;
    bool answered_since = contact->answered_s > sent_s;
    bool maybe_deaf = transaction->method == DHT_KRPC_GET && contact->has_get != DHT_HAS_GET_YES;
    // Nor need it know a method of ours.
    if (answered_since || maybe_deaf || transaction->method == DHT_KRPC_PNR_WATCH)
        return;
    bool lost =
        dht_table_failed(&dht->table, &transaction->id, &transaction->addr, dht_engine_now_s(dht));
    if (lost)
        DHT_COUNT(dht, contacts_evicted);
    dht_maintain_failed(dht, &transaction->addr, lost);
}

static void soft_timeout(struct dht *dht, struct dht_transaction *transaction)
{
    struct dht_transaction late = *transaction;
    transaction->state = DHT_TRANSACTION_LATE;
    dht_timer_set(&dht->timers, &transaction->timer, transaction->hard_us);
    if (late.purpose == DHT_PURPOSE_LOOKUP)
        dht_search_silent(dht, &late);
    if (late.purpose == DHT_PURPOSE_EXPLORE)
        dht_explore_failed(dht, &late);
    if (late.purpose == DHT_PURPOSE_STORE)
        dht_store_silent(dht, &late);
    if (late.purpose == DHT_PURPOSE_WHO)
        dht_who_silent(dht, &late);
    if (late.purpose == DHT_PURPOSE_KEEPER)
        dht_keeper_silent(dht, &late);
}

static void hard_timeout(struct dht *dht, struct dht_transaction *transaction)
{
    struct dht_transaction lost = *transaction;
    close_transaction(dht, transaction);
    DHT_COUNT(dht, timeouts);
    dht_away_silent(dht, lost.sent_us);
    note_failure(dht, &lost);
    if (lost.purpose == DHT_PURPOSE_PING)
        ping_done(dht, &lost, -1);
    if (lost.purpose == DHT_PURPOSE_PUSH)
        dht_push_silent(dht, &lost);
}

void dht_reply_timeout(struct dht *dht, struct dht_transaction *transaction)
{
    assert(transaction->state != DHT_TRANSACTION_FREE);
    if (transaction->state == DHT_TRANSACTION_WAITING)
        soft_timeout(dht, transaction);
    else
        hard_timeout(dht, transaction);
}

void dht_reply_unreachable(struct dht *dht, const struct dht_addr *addr)
{
    uint32_t cursor = 0;
    struct dht_transaction *transaction;
    while ((transaction = dht_transaction_walk(&dht->transactions, &cursor)) != NULL) {
        if (!dht_addr_equal(&transaction->addr, addr))
            continue;
        struct dht_transaction lost = *transaction;
        close_transaction(dht, transaction);
        DHT_COUNT(dht, timeouts);
        dht_away_silent(dht, lost.sent_us);
        note_failure(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_LOOKUP)
            dht_search_dead(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_EXPLORE)
            dht_explore_failed(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_STORE)
            dht_store_unreachable(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_PING)
            ping_done(dht, &lost, -1);
        if (lost.purpose == DHT_PURPOSE_WHO)
            dht_who_failed(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_PUSH)
            dht_push_refused(dht, &lost);
        if (lost.purpose == DHT_PURPOSE_KEEPER)
            dht_keeper_dead(dht, &lost);
    }
}
