// SPDX-License-Identifier: MIT
#include "dht/serve_watch.h"

#include "dht/push.h"
#include "dht/watch.h"

#include <string.h>

static void refuse(struct dht_serve *serve, uint64_t *counter, enum dht_krpc_error code,
                   const char *text)
{
    (*counter)++;
    dht_serve_error(serve, code, text);
}

// ---- pnr_watch ----

// How long ago a peer of the infohash was new here, or had something else to say.
static void put_news(struct dht_serve *serve, const struct dht_id *info_hash)
{
    struct dht *dht = serve->dht;
    int64_t news_us;
    if (dht->peers == NULL || !dht_peer_store_news(dht->peers, info_hash, &news_us))
        return;
    dht_bencode_pair_int(&serve->writer, "news", (dht->now_us - news_us) / 1000);
}

// The keys of r in their order: id news seq token watch.
static void answer(struct dht_serve *serve, const struct dht_id *target, int64_t granted_s)
{
    struct dht *dht = serve->dht;
    const struct dht_stored_item *stored = NULL;
    if (!serve->msg->peers && dht->items != NULL)
        stored = dht_item_store_find(dht->items, target);
    DHT_COUNT(dht, query_watch);
    dht_serve_open(serve);
    if (serve->msg->peers)
        put_news(serve, target);
    if (stored != NULL && stored->is_mutable) {
        dht_bencode_pair_int(&serve->writer, "seq", stored->seq);
    }
    dht_serve_token(serve, target);
    dht_bencode_pair_int(&serve->writer, "watch", granted_s);
    dht_serve_close(serve);
}

// The watcher, maybe a new one, its nonce taken over; NULL where there is no room for it.
static struct dht_watcher *take_watcher(struct dht_serve *serve, struct dht_watcher *watcher,
                                        const struct dht_id *target)
{
    struct dht *dht = serve->dht;
    const uint8_t *nonce = serve->msg->nonce.data;
    if (watcher == NULL) {
        struct dht_watcher_table *table = dht_push_table(dht);
        if (table == NULL)
            return NULL;
        watcher = dht_watcher_add(table, &dht->timers, serve->from, target, serve->msg->peers);
    } else if (memcmp(watcher->nonce, nonce, sizeof watcher->nonce) != 0) {
        dht_push_try_anew(dht, watcher);
    }
    if (watcher != NULL)
        memcpy(watcher->nonce, nonce, sizeof watcher->nonce);
    return watcher;
}

static int64_t grant_s(const struct dht_krpc *msg)
{
    if (!msg->has_lease || msg->lease > DHT_SERVE_WATCH_LEASE_MOST_S)
        return DHT_SERVE_WATCH_LEASE_MOST_S;
    if (msg->lease < DHT_SERVE_WATCH_LEASE_LEAST_S)
        return DHT_SERVE_WATCH_LEASE_LEAST_S;
    return msg->lease;
}

void dht_serve_watch(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    const struct dht_krpc *msg = serve->msg;
    if (msg->nonce.data == NULL || msg->target.data == NULL || msg->token.data == NULL ||
        msg->bad_args || msg->lease < 0) {
        refuse(serve, &dht->counters.reject_protocol, DHT_KRPC_ERROR_PROTOCOL, "bad arguments");
        return;
    }
    struct dht_id target = dht_serve_id(msg->target);
    if (!dht_serve_check_token(serve, &target))
        return;
    struct dht_watcher *watcher = NULL;
    if (dht->watchers != NULL)
        watcher = dht_watcher_find(dht->watchers, serve->from, &target, msg->peers);
    if (msg->has_lease && msg->lease == 0) {
        answer(serve, &target, 0);
        if (watcher != NULL)
            dht_push_forget(dht, watcher);
        return;
    }
    watcher = take_watcher(serve, watcher, &target);
    if (watcher == NULL) {
        refuse(serve, &dht->counters.reject_watch_full, DHT_KRPC_ERROR_SERVER, "no more watches");
        return;
    }
    int64_t granted_s = grant_s(msg);
    watcher->lease_end_us = dht->now_us + granted_s * DHT_SECOND_US;
    watcher->told_seq = msg->has_seq && msg->seq >= 0 ? msg->seq : DHT_SEQ_NONE;
    watcher->owes_gone = false;
    answer(serve, &target, granted_s);
    dht_push_begin(dht, watcher);
}

// ---- pnr_changed ----

void dht_serve_watch_changed(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    struct dht_watch_push push = {.from = serve->from, .msg = serve->msg};
    if (!dht_watch_expects(dht, &push)) {
        refuse(serve, &dht->counters.reject_changed, DHT_KRPC_ERROR_PROTOCOL, "no such watch");
        return;
    }
    DHT_COUNT(dht, query_changed);
    dht_serve_open(serve);
    dht_serve_close(serve);
    dht_watch_take(dht, &push);
}
