// SPDX-License-Identifier: MIT
#include "dht/push.h"

#include "dht/addr.h"
#include "dht/query.h"
#include "dht/random.h"

#include <assert.h>
#include <string.h>

#define RETRY_US       (2 * DHT_SECOND_US) // doubles
#define TRIES_MAX      3
#define ITEM_PAUSE_US  DHT_SECOND_US // between two pushes
#define PEERS_PAUSE_US (5 * DHT_SECOND_US)
#define PUT_OFF_US     (2 * DHT_SECOND_US) // what could not be sent is tried again

struct dht_watcher_table *dht_push_table(struct dht *dht)
{
    if (dht->watchers != NULL)
        return dht->watchers;
    struct dht_watcher_limits limits = {
        .watchers_max = dht->config.watchers_max,
        .per_target_max = dht->config.watchers_per_target_max,
        .per_source_max = dht->config.lab ? 0 : dht->config.watchers_per_source_max,
    };
    dht->watchers = dht_watcher_table_new(&limits, &dht->hash_key);
    return dht->watchers;
}

// ---- what there is to tell ----

static bool is_proven(const struct dht *dht, const struct dht_watcher *watcher)
{
    return dht->config.lab || dht->config.unlimited ||
           dht_source_is_proven(dht->sources, dht->now_us, &watcher->addr);
}

static const struct dht_stored_item *stored_item(const struct dht *dht, const struct dht_id *target)
{
    return dht->items != NULL ? dht_item_store_find(dht->items, target) : NULL;
}

static enum dht_push_kind due_push(const struct dht *dht, const struct dht_watcher *watcher)
{
    const struct dht_watched *watched = dht_watcher_watched(dht->watchers, watcher);
    if (watcher->state == DHT_WATCHER_TRIAL)
        return DHT_PUSH_TEST;
    if (watched->peers)
        return watcher->told_peers != watched->announced ? DHT_PUSH_PEERS : DHT_PUSH_NOTHING;
    const struct dht_stored_item *stored = stored_item(dht, &watched->target);
    if (stored == NULL)
        return watcher->owes_gone ? DHT_PUSH_GONE : DHT_PUSH_NOTHING;
    if (!stored->is_mutable || stored->seq <= watcher->told_seq)
        return DHT_PUSH_NOTHING;
    return is_proven(dht, watcher) ? DHT_PUSH_ITEM : DHT_PUSH_NOTICE;
}

// Copies the peers that the watcher has not been told, oldest first, as far as they are remembered.
static struct dht_span untold_peers(const struct dht *dht, const struct dht_watcher *watcher,
                                    uint8_t buf[DHT_WATCHER_RECENT * DHT_ADDR_COMPACT_MAX])
{
    const struct dht_watched *watched = dht_watcher_watched(dht->watchers, watcher);
    size_t compact_len = dht_engine_node_len(dht) - DHT_ID_LEN;
    uint32_t count = watched->announced - watcher->told_peers;
    if (count > DHT_WATCHER_RECENT)
        count = DHT_WATCHER_RECENT;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t number = watched->announced - count + i;
        memcpy(buf + i * compact_len, watched->recent + number % DHT_WATCHER_RECENT * compact_len,
               compact_len);
    }
    return (struct dht_span){buf, count * compact_len};
}

// ---- sending ----

static bool send(struct dht *dht, struct dht_watcher *watcher, enum dht_push_kind kind)
{
    const struct dht_watched *watched = dht_watcher_watched(dht->watchers, watcher);
    const struct dht_stored_item *stored = stored_item(dht, &watched->target);
    uint8_t peers[DHT_WATCHER_RECENT * DHT_ADDR_COMPACT_MAX];
    struct dht_item item;
    struct dht_query query = {
        .method = DHT_KRPC_PNR_CHANGED,
        .purpose = DHT_PURPOSE_PUSH,
        .addr = &watcher->addr,
        .target = &watched->target,
        .candidate = (uint16_t)watcher->slot,
        .seq_known = kind == DHT_PUSH_NOTICE ? stored->seq : DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .nonce = watcher->nonce,
        .gone = kind == DHT_PUSH_GONE,
        .timeout_us = RETRY_US << watcher->tries,
        .pays = true,
    };
    if (kind == DHT_PUSH_ITEM) {
        item = dht_item_store_view(stored);
        query.item = &item;
    }
    if (kind == DHT_PUSH_PEERS)
        query.values = untold_peers(dht, watcher, peers);
    struct dht_transaction *transaction = dht_query_send(dht, &query);
    if (transaction == NULL)
        return false;
    watcher->tid = transaction->tid;
    watcher->pushed = (uint8_t)kind;
    watcher->pushed_seq = kind == DHT_PUSH_ITEM ? stored->seq : watcher->told_seq;
    watcher->pushed_peers = watched->announced;
    watcher->tries++;
    if (kind == DHT_PUSH_ITEM || kind == DHT_PUSH_GONE)
        watcher->quiet_until_us = dht->now_us + ITEM_PAUSE_US;
    if (kind == DHT_PUSH_PEERS)
        watcher->quiet_until_us = dht->now_us + PEERS_PAUSE_US;
    DHT_COUNT(dht, pushes_sent);
    return true;
}

static void wake_at(struct dht *dht, struct dht_watcher *watcher, int64_t at_us)
{
    int64_t due_us = at_us < watcher->lease_end_us ? at_us : watcher->lease_end_us;
    dht_timer_set(&dht->timers, &watcher->timer, due_us);
}

// Sees whether the watcher is to be told something, and tells it as soon as may be.
static void look(struct dht *dht, struct dht_watcher *watcher)
{
    struct dht_watcher_table *table = dht->watchers;
    if (watcher->pushed != DHT_PUSH_NOTHING || watcher->is_waiting)
        return;
    enum dht_push_kind kind = due_push(dht, watcher);
    if (kind == DHT_PUSH_NOTHING)
        return;
    if (dht->now_us < watcher->quiet_until_us) {
        wake_at(dht, watcher, watcher->quiet_until_us);
    } else if (table->under_way >= dht->config.pushes_max) {
        dht_watcher_wait(table, watcher);
    } else if (send(dht, watcher, kind)) {
        table->under_way++;
    } else {
        watcher->quiet_until_us = dht->now_us + PUT_OFF_US;
        wake_at(dht, watcher, watcher->quiet_until_us);
    }
}

// Those who wait take the places that are free.
static void serve_queue(struct dht *dht)
{
    struct dht_watcher_table *table = dht->watchers;
    struct dht_watcher *watcher;
    while (table->under_way < dht->config.pushes_max &&
           (watcher = dht_watcher_next_waiting(table)) != NULL)
        look(dht, watcher);
}

// The push under way has come to its end.
static void end_push(struct dht *dht, struct dht_watcher *watcher)
{
    if (watcher->pushed == DHT_PUSH_NOTHING)
        return;
    struct dht_span tid = {(const uint8_t *)&watcher->tid, sizeof watcher->tid};
    struct dht_transaction *transaction = dht_transaction_find(&dht->transactions, tid);
    if (transaction != NULL)
        dht_transaction_close(&dht->transactions, &dht->timers, transaction);
    watcher->pushed = DHT_PUSH_NOTHING;
    dht->watchers->under_way--;
}

void dht_push_begin(struct dht *dht, struct dht_watcher *watcher)
{
    wake_at(dht, watcher, watcher->lease_end_us);
    look(dht, watcher);
    serve_queue(dht); // a place may have become free
}

void dht_push_try_anew(struct dht *dht, struct dht_watcher *watcher)
{
    end_push(dht, watcher);
    watcher->state = DHT_WATCHER_TRIAL;
    watcher->tries = 0;
    watcher->quiet_until_us = 0;
}

void dht_push_forget(struct dht *dht, struct dht_watcher *watcher)
{
    end_push(dht, watcher);
    dht_watcher_remove(dht->watchers, &dht->timers, watcher);
    serve_queue(dht);
}

void dht_push_ring(struct dht *dht, struct dht_watcher *watcher)
{
    if (dht->now_us >= watcher->lease_end_us) {
        DHT_COUNT(dht, watchers_expired);
        dht_push_forget(dht, watcher);
        return;
    }
    dht_push_begin(dht, watcher);
}

// ---- what has changed ----

// The next of the same target; NULL at the end.
static struct dht_watcher *next_of(const struct dht *dht, const struct dht_watcher *watcher)
{
    return dht_watcher_at(dht->watchers, watcher->next);
}

// One of them, drawn: who is told first differs from one change to the next, and from one keeper to
// the next. So, where there are more than can be told at a time, the last of one keeper's queue are
// among the first of another's.
static struct dht_watcher *any_of(struct dht *dht, const struct dht_watched *watched)
{
    uint64_t skip = dht_random_below(&dht->random, watched->count);
    struct dht_watcher *watcher = dht_watcher_at(dht->watchers, watched->first);
    while (skip-- > 0)
        watcher = next_of(dht, watcher);
    return watcher;
}

static struct dht_watcher *next_in_turn(const struct dht *dht, const struct dht_watched *watched,
                                        const struct dht_watcher *watcher)
{
    return dht_watcher_at(dht->watchers,
                          watcher->next != DHT_SLOTS_NONE ? watcher->next : watched->first);
}

static struct dht_watched *find_target(const struct dht *dht, const struct dht_id *target,
                                       bool peers)
{
    return dht->watchers != NULL ? dht_watcher_target(dht->watchers, target, peers) : NULL;
}

void dht_push_item(struct dht *dht, const struct dht_item *item, const struct dht_addr *from)
{
    const struct dht_watched *watched = find_target(dht, &item->target, false);
    if (watched == NULL || !item->is_mutable)
        return;
    struct dht_watcher *watcher = any_of(dht, watched);
    for (uint32_t i = 0; i < watched->count; i++, watcher = next_in_turn(dht, watched, watcher)) {
        watcher->owes_gone = false;
        if (from != NULL && dht_addr_equal(&watcher->addr, from))
            watcher->told_seq = item->seq;
        look(dht, watcher);
    }
}

void dht_push_gone(struct dht *dht, const struct dht_id *target)
{
    const struct dht_watched *watched = find_target(dht, target, false);
    if (watched == NULL)
        return;
    struct dht_watcher *watcher = dht_watcher_at(dht->watchers, watched->first);
    for (; watcher != NULL; watcher = next_of(dht, watcher)) {
        watcher->owes_gone = watcher->told_seq != DHT_SEQ_NONE;
        look(dht, watcher);
    }
}

void dht_push_peer(struct dht *dht, const struct dht_id *info_hash, const struct dht_addr *peer,
                   const struct dht_addr *from)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    struct dht_watched *watched = find_target(dht, info_hash, true);
    if (watched == NULL)
        return;
    uint32_t before = watched->announced;
    dht_watcher_announce(watched, compact, dht_addr_to_compact(peer, compact));
    struct dht_watcher *watcher = dht_watcher_at(dht->watchers, watched->first);
    for (; watcher != NULL; watcher = next_of(dht, watcher)) {
        if (watcher->told_peers == before && dht_addr_equal(&watcher->addr, from))
            watcher->told_peers = watched->announced;
        look(dht, watcher);
    }
}

// ---- what comes back ----

// The watcher that the transaction's push is under way to.
static struct dht_watcher *pushed_watcher(const struct dht *dht,
                                          const struct dht_transaction *transaction)
{
    // A push that ends takes its transaction with it, so there is always one.
    struct dht_watcher *watcher = dht_watcher_at(dht->watchers, transaction->candidate);
    assert(watcher != NULL && watcher->pushed != DHT_PUSH_NOTHING);
    assert(watcher->tid == transaction->tid);
    return watcher;
}

static void acknowledged(struct dht_watcher *watcher)
{
    switch ((enum dht_push_kind)watcher->pushed) {
    case DHT_PUSH_TEST:
        watcher->state = DHT_WATCHER_ACCEPTED;
        break;
    case DHT_PUSH_ITEM:
        if (watcher->told_seq < watcher->pushed_seq)
            watcher->told_seq = watcher->pushed_seq;
        break;
    case DHT_PUSH_GONE:
        // Should the same item come again, that is news.
        if (watcher->owes_gone)
            watcher->told_seq = DHT_SEQ_NONE;
        watcher->owes_gone = false;
        break;
    case DHT_PUSH_PEERS:
        watcher->told_peers = watcher->pushed_peers;
        break;
    case DHT_PUSH_NOTICE: // the address is proven now, and the item follows
    case DHT_PUSH_NOTHING:
        break;
    }
}

void dht_push_reply(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_watcher *watcher = pushed_watcher(dht, transaction);
    DHT_COUNT(dht, pushes_acked);
    acknowledged(watcher);
    end_push(dht, watcher);
    watcher->tries = 0;
    look(dht, watcher);
    serve_queue(dht);
}

void dht_push_refused(struct dht *dht, const struct dht_transaction *transaction)
{
    DHT_COUNT(dht, watchers_lost);
    dht_push_forget(dht, pushed_watcher(dht, transaction));
}

// The place under way is kept: it is said again, as it stands by now.
void dht_push_silent(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_watcher *watcher = pushed_watcher(dht, transaction);
    if (watcher->tries >= TRIES_MAX) {
        dht_push_refused(dht, transaction);
        return;
    }
    end_push(dht, watcher);
    uint64_t sent = dht->counters.pushes_sent;
    watcher->quiet_until_us = 0;
    look(dht, watcher);
    dht->counters.pushes_repeated += dht->counters.pushes_sent - sent;
    serve_queue(dht);
}
