// SPDX-License-Identifier: MIT
#include "dht/serve_item.h"

#include "dht/addr.h"
#include "dht/found.h"
#include "dht/id.h"
#include "dht/watch.h"

#include <string.h>

// ---- get ----

// Room that a reply needs besides the value, at most: envelope with a transaction id of 32 bytes,
// id, token, key, signature, seq.
#define HIT_BASE_LEN 280

static void write_key(struct dht_serve *serve, const char *key, const void *data, size_t len)
{
    dht_bencode_pair_string(&serve->writer, key, data, len);
}

// Whether the item itself goes into the reply: not where the asker has it (BEP 44's seq), nor where
// its budget does not stretch so far.
static bool sends_value(struct dht_serve *serve, const struct dht_item *item)
{
    const struct dht_krpc *msg = serve->msg;
    if (item->is_mutable && msg->has_seq && item->seq <= msg->seq)
        return false;
    if (serve->budget >= HIT_BASE_LEN + item->value.len)
        return true;
    DHT_COUNT(serve->dht, trim_budget);
    return false;
}

// How many bytes of contacts go along. The value comes first: with a large one there is not room
// for all contacts in a datagram (quirk Q16). A hit that goes to an unproven source carries none:
// docs/security.md says why that departs from BEP 44. Without a value, the budget has to do for all
// contacts, or there are none: a few would look like all that we know, while a reply that has
// neither tells the asker to come back with its token.
static size_t nodes_room(const struct dht_serve *serve, size_t value_len)
{
    if (value_len == 0 && serve->budget < HIT_BASE_LEN + dht_serve_nodes_len(serve)) {
        DHT_COUNT(serve->dht, trim_budget);
        return 0;
    }
    size_t room = serve->budget < DHT_DATAGRAM_MAX ? serve->budget : DHT_DATAGRAM_MAX;
    size_t used = HIT_BASE_LEN + value_len;
    if ((!serve->proven && value_len > 0) || room <= used)
        return 0;
    return room - used;
}

// The keys of r in their order: id k nodes nodes6 seq sig token v.
static void write_hit(struct dht_serve *serve, const struct dht_id *target,
                      const struct dht_item *item, bool has_room)
{
    bool with_value = item != NULL && sends_value(serve, item);
    bool is_mutable = item != NULL && item->is_mutable;
    // An immutable item has no `seq` to show that there is more than was sent.
    bool hidden = item != NULL && !is_mutable && !with_value;
    size_t room = hidden ? 0 : nodes_room(serve, with_value ? item->value.len : 0);
    dht_serve_open(serve);
    if (with_value && is_mutable)
        write_key(serve, "k", item->key, sizeof item->key);
    dht_serve_nodes(serve, target, room);
    if (is_mutable) {
        dht_bencode_pair_int(&serve->writer, "seq", item->seq);
    }
    if (with_value && is_mutable)
        write_key(serve, "sig", item->sig, sizeof item->sig);
    // No token says "full" (quirk Q12), except where the asker needs one for the rest.
    if (has_room || room == 0)
        dht_serve_token(serve, target);
    if (with_value) {
        dht_bencode_put_text(&serve->writer, "v");
        dht_bencode_put_raw(&serve->writer, item->value.data, item->value.len);
    }
    dht_serve_close(serve);
}

void dht_serve_item_get(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    if (serve->msg->target.data == NULL) {
        DHT_COUNT(dht, reject_protocol);
        dht_serve_error(serve, DHT_KRPC_ERROR_PROTOCOL, "bad arguments");
        return;
    }
    DHT_COUNT(dht, query_get);
    struct dht_id target = dht_serve_id(serve->msg->target);
    dht_serve_take_echo(serve, &target);
    const struct dht_stored_item *stored =
        dht->items != NULL ? dht_item_store_find(dht->items, &target) : NULL;
    if (stored == NULL) {
        bool has_room = dht->items == NULL || dht_item_store_has_room(dht->items);
        write_hit(serve, &target, NULL, has_room);
        return;
    }
    struct dht_item item = dht_item_store_view(stored);
    write_hit(serve, &target, &item, true);
}

// ---- put ----

static bool refuse(struct dht_serve *serve, uint64_t *counter, enum dht_krpc_error code,
                   const char *text)
{
    (*counter)++;
    dht_serve_error(serve, code, text);
    return false;
}

// Shape and sizes; ret_item is then complete but for its target.
static bool read_item(struct dht_serve *serve, struct dht_item *ret_item)
{
    struct dht_counters *counters = &serve->dht->counters;
    const struct dht_krpc *msg = serve->msg;
    struct dht_item item = {.value = msg->value};
    bool half = (msg->key.data == NULL) != (msg->sig.data == NULL);
    item.is_mutable = msg->key.data != NULL;
    if (msg->value.data == NULL || msg->token.data == NULL || msg->bad_args || half)
        return refuse(serve, &counters->reject_protocol, DHT_KRPC_ERROR_PROTOCOL, "bad arguments");
    if (item.is_mutable && (!msg->has_seq || msg->seq < 0))
        return refuse(serve, &counters->reject_protocol, DHT_KRPC_ERROR_PROTOCOL, "bad seq");
    if (msg->value.len > DHT_VALUE_LEN_MAX)
        return refuse(serve, &counters->reject_value_size, DHT_KRPC_ERROR_VALUE_SIZE,
                      "value too big");
    if (msg->salt.len > DHT_SALT_LEN_MAX)
        return refuse(serve, &counters->reject_salt_size, DHT_KRPC_ERROR_SALT_SIZE, "salt too big");
    if (!dht_bencode_canonical(msg->value))
        return refuse(serve, &counters->reject_protocol, DHT_KRPC_ERROR_PROTOCOL,
                      "value is not canonical bencode");
    if (item.is_mutable) {
        memcpy(item.key, msg->key.data, sizeof item.key);
        memcpy(item.sig, msg->sig.data, sizeof item.sig);
        item.seq = msg->seq;
        item.salt = msg->salt;
    }
    *ret_item = item;
    return true;
}

static bool same_signed(const struct dht_item *a, const struct dht_item *b)
{
    return a->seq == b->seq && a->value.len == b->value.len &&
           memcmp(a->value.data, b->value.data, a->value.len) == 0 &&
           memcmp(a->sig, b->sig, sizeof a->sig) == 0;
}

// The rules for cas and seq (BEP 44), for an item that is not the stored one. A storing node keeps
// what it has where seq is equal and the value is not.
static bool check_order(struct dht_serve *serve, const struct dht_item *item,
                        const struct dht_item *stored)
{
    struct dht_counters *counters = &serve->dht->counters;
    const struct dht_krpc *msg = serve->msg;
    if (msg->has_cas && msg->cas != stored->seq)
        return refuse(serve, &counters->reject_cas, DHT_KRPC_ERROR_CAS, "cas mismatch");
    bool same_value = item->value.len == stored->value.len &&
                      memcmp(item->value.data, stored->value.data, item->value.len) == 0;
    if (item->seq < stored->seq || (item->seq == stored->seq && !same_value))
        return refuse(serve, &counters->reject_seq, DHT_KRPC_ERROR_SEQ, "seq is not newer");
    return true;
}

// A budget of verifications in all: whoever floods us with puts gets no more of our time than this.
// It is kept as the moment up to which it is spent.
static bool take_verify_budget(struct dht *dht)
{
    if (dht->config.lab || dht->config.unlimited)
        return true;
    int64_t each_us = DHT_SECOND_US / dht->config.verifies_per_second;
    if (dht->verify_at_us < dht->now_us - DHT_SECOND_US)
        dht->verify_at_us = dht->now_us - DHT_SECOND_US;
    if (dht->verify_at_us + each_us > dht->now_us)
        return false;
    dht->verify_at_us += each_us;
    return true;
}

static bool check_signature(struct dht_serve *serve, const struct dht_item *item)
{
    struct dht *dht = serve->dht;
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    if (!take_verify_budget(dht))
        return refuse(serve, &dht->counters.reject_verify_budget, DHT_KRPC_ERROR_SERVER, "busy");
    size_t text_len = dht_krpc_signed_text(item->salt, item->seq, item->value, text);
    if (!dht->crypto.verify(dht->crypto.ctx, item->key, item->sig,
                            (struct dht_span){text, text_len}))
        return refuse(serve, &dht->counters.reject_signature, DHT_KRPC_ERROR_SIGNATURE,
                      "bad signature");
    return true;
}

static bool store(struct dht_serve *serve, const struct dht_item *item)
{
    struct dht *dht = serve->dht;
    if (dht_engine_keep_item(dht, dht_addr_prefix(serve->from), item))
        return true;
    return refuse(serve, &dht->counters.reject_full, DHT_KRPC_ERROR_SERVER, "full");
}

// Stores the item, or refreshes the one that is there. False where it was refused, and answered.
static bool take_item(struct dht_serve *serve, const struct dht_item *item, bool *ret_is_news)
{
    struct dht *dht = serve->dht;
    const struct dht_stored_item *known =
        dht->items != NULL ? dht_item_store_find(dht->items, &item->target) : NULL;
    if (known != NULL) {
        struct dht_item stored = dht_item_store_view(known);
        // What is there already is announced again, cas or not: our reply to the put that brought
        // it may have been lost, and the cas of its repetition is that of before.
        if (!item->is_mutable || same_signed(item, &stored)) {
            dht_item_store_refresh(dht->items, dht->now_us, known);
            DHT_COUNT(dht, items_refreshed);
            *ret_is_news = false;
            return true;
        }
        if (!check_order(serve, item, &stored))
            return false;
    }
    if (item->is_mutable && !check_signature(serve, item))
        return false;
    *ret_is_news = true;
    return store(serve, item);
}

void dht_serve_item_put(struct dht_serve *serve)
{
    struct dht_item item;
    bool is_news;
    if (!read_item(serve, &item))
        return;
    item.target = dht_found_target(serve->dht, &item);
    if (!dht_serve_check_token(serve, &item.target) || !take_item(serve, &item, &is_news))
        return;
    DHT_COUNT(serve->dht, query_put);
    dht_serve_open(serve);
    dht_serve_close(serve);
    if (is_news)
        dht_watch_stored(serve->dht, &item, serve->from);
}
