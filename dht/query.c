// SPDX-License-Identifier: MIT
#include "dht/query.h"

#include "dht/addr.h"
#include "dht/reach.h"

#include <assert.h>
#include <string.h>

// A soft timeout frees a place in flight, and a late answer still counts. So it can be short, about
// what nine of ten answers keep: one query too many is the price, where another wait was the
// alternative. The least wait: below it a busy node is taken for a dead one. The most: what a
// person notices.
#define SOFT_TIMEOUT_LEAST_US (100 * 1000)
#define SOFT_TIMEOUT_MOST_US  (1500 * 1000)
#define SOFT_TIMEOUT_FIRST_US (1000 * 1000) // before anything was measured
#define HARD_TIMEOUT_US       (6 * DHT_SECOND_US)

int64_t dht_query_soft_timeout_us(const struct dht *dht, uint32_t rtt_us)
{
    int64_t timeout_us = SOFT_TIMEOUT_FIRST_US;
    if (rtt_us > 0)
        timeout_us = (int64_t)rtt_us * 3 / 2;
    else if (dht->rtt_us > 0)
        timeout_us = dht->rtt_us + 2 * dht->rtt_dev_us;
    if (timeout_us < SOFT_TIMEOUT_LEAST_US)
        return SOFT_TIMEOUT_LEAST_US;
    return timeout_us > SOFT_TIMEOUT_MOST_US ? SOFT_TIMEOUT_MOST_US : timeout_us;
}

void dht_query_sample_rtt(struct dht *dht, int64_t rtt_us)
{
    if (dht->rtt_us == 0) {
        dht->rtt_us = rtt_us > 0 ? rtt_us : 1;
        dht->rtt_dev_us = rtt_us / 2;
        return;
    }
    int64_t error_us = rtt_us - dht->rtt_us;
    int64_t size_us = error_us < 0 ? -error_us : error_us;
    dht->rtt_us += error_us / 8;
    dht->rtt_dev_us += (size_us - dht->rtt_dev_us) / 4;
    if (dht->rtt_us < 1)
        dht->rtt_us = 1;
}

// ---- the arguments of each method, in the order of their keys ----

static void put_want(struct dht_bencode_writer *writer, const struct dht_query *query)
{
    if (!query->want_both)
        return;
    dht_bencode_put_text(writer, "want");
    dht_bencode_open_list(writer);
    dht_bencode_put_text(writer, "n4");
    dht_bencode_put_text(writer, "n6");
    dht_bencode_end(writer);
}

static void write_announce(struct dht_bencode_writer *writer, const struct dht *dht,
                           const struct dht_query *query)
{
    if (query->changed)
        dht_bencode_pair_int(writer, "changed", 1);
    dht_krpc_put_id(writer, "id", &dht->id);
    if (query->port == 0)
        dht_bencode_pair_int(writer, "implied_port", 1);
    dht_krpc_put_id(writer, "info_hash", query->target);
    dht_bencode_pair_int(writer, "port", query->port != 0 ? query->port : dht->config.addr.port);
    dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
}

// With a `target`, which BEP 44 does not ask for and Rust's mainline cannot do without (quirk Q3).
static void write_put(struct dht_bencode_writer *writer, const struct dht *dht,
                      const struct dht_query *query)
{
    const struct dht_item *item = query->item;
    if (item->is_mutable && query->cas != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, "cas", query->cas);
    dht_krpc_put_id(writer, "id", &dht->id);
    if (item->is_mutable) {
        dht_bencode_pair_string(writer, "k", item->key, sizeof item->key);
        if (item->salt.len > 0)
            dht_bencode_pair_string(writer, "salt", item->salt.data, item->salt.len);
        dht_bencode_pair_int(writer, "seq", item->seq);
        dht_bencode_pair_string(writer, "sig", item->sig, sizeof item->sig);
    }
    dht_krpc_put_id(writer, "target", query->target);
    dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
    dht_bencode_put_text(writer, "v");
    dht_bencode_put_raw(writer, item->value.data, item->value.len);
}

// An echo of the token of an earlier reply proves that we are where that went (dht/source.h). Nodes
// that do not know of this read nothing from it.
static void put_echo(struct dht_bencode_writer *writer, const struct dht_query *query)
{
    if (query->token.len > 0)
        dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
}

static void write_get(struct dht_bencode_writer *writer, const struct dht *dht,
                      const struct dht_query *query)
{
    dht_krpc_put_id(writer, "id", &dht->id);
    if (query->seq_known != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, "seq", query->seq_known);
    dht_krpc_put_id(writer, "target", query->target);
    put_echo(writer, query);
    put_want(writer, query);
}

static void write_who(struct dht_bencode_writer *writer, const struct dht *dht,
                      const struct dht_query *query)
{
    dht_krpc_put_id(writer, "id", &dht->id);
    if (query->offset > 0)
        dht_bencode_pair_int(writer, "offset", query->offset);
    dht_krpc_put_id(writer, "target", query->target);
    put_echo(writer, query);
}

static void put_peers(struct dht_bencode_writer *writer, const struct dht *dht,
                      struct dht_span values)
{
    size_t compact_len = dht_engine_node_len(dht) - DHT_ID_LEN;
    dht_bencode_put_text(writer, "values");
    dht_bencode_open_list(writer);
    for (size_t at = 0; at < values.len; at += compact_len)
        dht_bencode_put_string(writer, values.data + at, compact_len);
    dht_bencode_end(writer);
}

static void write_watch(struct dht_bencode_writer *writer, const struct dht *dht,
                        const struct dht_query *query)
{
    dht_krpc_put_id(writer, "id", &dht->id);
    dht_bencode_pair_int(writer, "lease", query->lease_s);
    dht_bencode_pair_string(writer, "nonce", query->nonce, DHT_KRPC_NONCE_LEN);
    if (query->peers)
        dht_bencode_pair_int(writer, "peers", 1);
    if (query->seq_known != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, "seq", query->seq_known);
    dht_krpc_put_id(writer, "target", query->target);
    dht_bencode_pair_string(writer, "token", query->token.data, query->token.len);
}

// With an item, or with the seq of one, or neither.
static void write_changed(struct dht_bencode_writer *writer, const struct dht *dht,
                          const struct dht_query *query)
{
    const struct dht_item *item = query->item;
    if (query->gone)
        dht_bencode_pair_int(writer, "gone", 1);
    dht_krpc_put_id(writer, "id", &dht->id);
    if (item != NULL)
        dht_bencode_pair_string(writer, "k", item->key, sizeof item->key);
    dht_bencode_pair_string(writer, "nonce", query->nonce, DHT_KRPC_NONCE_LEN);
    if (item != NULL || query->seq_known != DHT_SEQ_NONE)
        dht_bencode_pair_int(writer, "seq", item != NULL ? item->seq : query->seq_known);
    if (item != NULL)
        dht_bencode_pair_string(writer, "sig", item->sig, sizeof item->sig);
    dht_krpc_put_id(writer, "target", query->target);
    if (item != NULL) {
        dht_bencode_put_text(writer, "v");
        dht_bencode_put_raw(writer, item->value.data, item->value.len);
    }
    if (query->values.len > 0)
        put_peers(writer, dht, query->values);
}

static const char *write_arguments(struct dht_bencode_writer *writer, const struct dht *dht,
                                   const struct dht_query *query)
{
    switch (query->method) {
    case DHT_KRPC_FIND_NODE:
        dht_krpc_put_id(writer, "id", &dht->id);
        dht_krpc_put_id(writer, "target", query->target);
        put_echo(writer, query);
        put_want(writer, query);
        return "find_node";
    case DHT_KRPC_GET_PEERS:
        dht_krpc_put_id(writer, "id", &dht->id);
        dht_krpc_put_id(writer, "info_hash", query->target);
        put_echo(writer, query);
        put_want(writer, query);
        return "get_peers";
    case DHT_KRPC_ANNOUNCE_PEER:
        write_announce(writer, dht, query);
        return "announce_peer";
    case DHT_KRPC_GET:
        write_get(writer, dht, query);
        return "get";
    case DHT_KRPC_PUT:
        write_put(writer, dht, query);
        return "put";
    case DHT_KRPC_WHO:
        write_who(writer, dht, query);
        return "pnr_who";
    case DHT_KRPC_PNR_WATCH:
        write_watch(writer, dht, query);
        return "pnr_watch";
    case DHT_KRPC_PNR_CHANGED:
        write_changed(writer, dht, query);
        return "pnr_changed";
    default:
        assert(query->method == DHT_KRPC_PING);
        dht_krpc_put_id(writer, "id", &dht->id);
        return "ping";
    }
}

size_t dht_query_write(const struct dht *dht, const struct dht_query *query, uint32_t tid,
                       uint8_t ret_bytes[DHT_DATAGRAM_MAX])
{
    struct dht_krpc_envelope envelope = {
        .id = &dht->id,
        .tid = {(const uint8_t *)&tid, sizeof tid},
        .version = dht->config.version,
        .read_only = dht->role == DHT_ROLE_CLIENT,
    };
    struct dht_bencode_writer writer = dht_bencode_writer(ret_bytes, DHT_DATAGRAM_MAX);
    dht_krpc_open_query(&writer);
    const char *method = write_arguments(&writer, dht, query);
    dht_krpc_close_query(&writer, &envelope, method);
    assert(!writer.full); // the longest put is 1,400 bytes
    return dht_bencode_written(&writer);
}

static void start_waiting(struct dht *dht, struct dht_transaction *transaction,
                          const struct dht_query *query)
{
    transaction->op = query->op;
    transaction->candidate = query->candidate;
    transaction->purpose = (uint8_t)query->purpose;
    transaction->method = (uint8_t)query->method;
    transaction->addr = *query->addr;
    transaction->has_id = query->id != NULL;
    if (query->id != NULL)
        transaction->id = *query->id;
    transaction->sent_us = dht->now_us;
    transaction->hard_us = dht->now_us + HARD_TIMEOUT_US;
    if (query->timeout_us != 0) {
        transaction->state = DHT_TRANSACTION_LATE;
        transaction->hard_us = dht->now_us + query->timeout_us;
        dht_timer_set(&dht->timers, &transaction->timer, transaction->hard_us);
        return;
    }
    dht_timer_set(&dht->timers, &transaction->timer,
                  dht->now_us + dht_query_soft_timeout_us(dht, query->rtt_us));
}

// Takes the query's bytes from the budget of who gets them. False where they are too many.
static bool pay(struct dht *dht, const struct dht_query *query, size_t len)
{
    if (!query->pays || dht->config.lab || dht->config.unlimited)
        return true;
    dht_source_meet(dht->sources, query->addr);
    if (len > dht_source_budget(dht->sources, dht->now_us, query->addr))
        return false;
    dht_source_spend(dht->sources, dht->now_us, query->addr, len);
    return true;
}

struct dht_transaction *dht_query_send(struct dht *dht, const struct dht_query *query)
{
    uint8_t *out = dht_outbox_open(&dht->outbox);
    if (out == NULL) {
        DHT_COUNT(dht, drop_outbox_full);
        return NULL;
    }
    struct dht_transaction *transaction =
        dht_transaction_open(&dht->transactions, &dht->timers, &dht->random);
    if (transaction == NULL) {
        DHT_COUNT(dht, queries_refused);
        return NULL;
    }
    size_t len = dht_query_write(dht, query, transaction->tid, out);
    if (!pay(dht, query, len)) {
        dht_transaction_close(&dht->transactions, &dht->timers, transaction);
        DHT_COUNT(dht, pushes_put_off);
        return NULL;
    }
    dht_outbox_commit(&dht->outbox, query->addr, len, query->op);
    start_waiting(dht, transaction, query);
    if (dht_reach_is_open(dht))
        dht_source_asked(dht->sources, dht->now_us, query->addr);
    DHT_COUNT(dht, queries_sent);
    DHT_COUNT(dht, datagrams_out);
    dht->counters.bytes_out += len;
    return transaction;
}
