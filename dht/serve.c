// SPDX-License-Identifier: MIT
#include "dht/serve.h"

#include "dht/addr.h"
#include "dht/maintain.h"
#include "dht/push.h"
#include "dht/reach.h"
#include "dht/serve_item.h"
#include "dht/serve_watch.h"
#include "dht/serve_who.h"

#include <string.h>

#define NODES_MAX         8   // BEP 5's k; never more than 16 (quirk Q5)
#define PEERS_BYTES_MAX   480 // keeps a get_peers reply within BEP 32's 1,024 bytes;
#define PEERS_BYTES_LESS  240 // so does this, beside the contacts of both families
#define SAMPLES_MAX       20
#define KEY_LEN           13 // of "6:nodes6" and the length of what follows, at most
#define SAMPLE_INTERVAL_S 60

struct dht_id dht_serve_id(struct dht_span span)
{
    struct dht_id id;
    memcpy(id.bytes, span.data, sizeof id.bytes);
    return id;
}

// ---- putting a reply together ----

void dht_serve_open(struct dht_serve *serve)
{
    dht_krpc_open_reply(&serve->writer, &serve->envelope);
}

// Writes what fits into *room, and takes that off it.
static void write_nodes(struct dht_serve *serve, const struct dht *dht, const struct dht_id *target,
                        size_t *room)
{
    struct dht_contact_ref contacts[NODES_MAX];
    const char *key = dht->config.family == DHT_IPV4 ? "nodes" : "nodes6";
    size_t node_len = dht_engine_node_len(dht);
    if (*room < KEY_LEN)
        return;
    size_t most = (*room - KEY_LEN) / node_len;
    size_t count =
        dht_table_closest(&dht->table, target, most < NODES_MAX ? most : NODES_MAX, contacts);
    dht_bencode_put_text(&serve->writer, key);
    uint8_t *at = dht_bencode_put_hole(&serve->writer, count * node_len);
    for (size_t i = 0; at != NULL && i < count; i++)
        at += dht_contact_write(contacts[i], dht->table.contact_len, at);
    *room -= KEY_LEN + count * node_len;
}

// What is wanted, or else the family of the transport (BEP 32).
static uint32_t wanted(const struct dht_serve *serve)
{
    if (serve->msg->has_want)
        return serve->msg->want;
    return serve->dht->config.family == DHT_IPV4 ? DHT_KRPC_WANT_NODES : DHT_KRPC_WANT_NODES6;
}

void dht_serve_nodes(struct dht_serve *serve, const struct dht_id *target, size_t room)
{
    const struct dht *dht = serve->dht;
    bool is_ipv4 = dht->config.family == DHT_IPV4;
    const struct dht *ipv4 = is_ipv4 ? dht : dht->sibling;
    const struct dht *ipv6 = is_ipv4 ? dht->sibling : dht;
    if (ipv4 != NULL && (wanted(serve) & DHT_KRPC_WANT_NODES) != 0)
        write_nodes(serve, ipv4, target, &room);
    if (ipv6 != NULL && (wanted(serve) & DHT_KRPC_WANT_NODES6) != 0)
        write_nodes(serve, ipv6, target, &room);
}

size_t dht_serve_nodes_len(const struct dht_serve *serve)
{
    size_t len = 0;
    if ((wanted(serve) & DHT_KRPC_WANT_NODES) != 0)
        len += KEY_LEN + NODES_MAX * 26;
    if ((wanted(serve) & DHT_KRPC_WANT_NODES6) != 0)
        len += KEY_LEN + NODES_MAX * 38;
    return len;
}

void dht_serve_token(struct dht_serve *serve, const struct dht_id *target)
{
    struct dht *dht = serve->dht;
    if (dht->now_us >= dht->token_due_us)
        dht->token_due_us = dht_token_rotate(&dht->token, &dht->random, dht->now_us);
    dht_bencode_put_text(&serve->writer, "token");
    uint8_t *token = dht_bencode_put_hole(&serve->writer, DHT_TOKEN_LEN);
    if (token != NULL)
        dht_token_make(&dht->token, serve->from, target, token);
}

static bool is_our_token(struct dht_serve *serve, const struct dht_id *target)
{
    struct dht *dht = serve->dht;
    if (dht->now_us >= dht->token_due_us)
        dht->token_due_us = dht_token_rotate(&dht->token, &dht->random, dht->now_us);
    if (!dht_token_check(&dht->token, serve->from, target, serve->msg->token))
        return false;
    dht_engine_prove(dht, serve->from);
    serve->budget = SIZE_MAX;
    serve->proven = true;
    return true;
}

void dht_serve_take_echo(struct dht_serve *serve, const struct dht_id *target)
{
    if (!serve->proven && serve->msg->token.data != NULL && is_our_token(serve, target))
        DHT_COUNT(serve->dht, token_echoes);
}

bool dht_serve_check_token(struct dht_serve *serve, const struct dht_id *target)
{
    if (is_our_token(serve, target))
        return true;
    DHT_COUNT(serve->dht, reject_token);
    dht_serve_error(serve, DHT_KRPC_ERROR_PROTOCOL, "bad token");
    return false;
}

static void commit(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    size_t len = dht_bencode_written(&serve->writer);
    if (serve->writer.full || len > serve->budget) {
        DHT_COUNT(dht, drop_budget);
        return;
    }
    dht_outbox_commit(&dht->outbox, serve->from, len, 0);
    DHT_COUNT(dht, datagrams_out);
    dht->counters.bytes_out += len;
    if (serve->budget != SIZE_MAX)
        dht_source_spend(dht->sources, dht->now_us, serve->from, len);
}

void dht_serve_close(struct dht_serve *serve)
{
    dht_krpc_close_reply(&serve->writer, &serve->envelope);
    commit(serve);
}

void dht_serve_error(struct dht_serve *serve, enum dht_krpc_error code, const char *text)
{
    dht_krpc_error(&serve->writer, &serve->envelope, code, text);
    commit(serve);
}

void dht_serve_refuse_arguments(struct dht_serve *serve)
{
    DHT_COUNT(serve->dht, reject_protocol);
    dht_serve_error(serve, DHT_KRPC_ERROR_PROTOCOL, "bad arguments");
}

// ---- methods ----

static void serve_ping(struct dht_serve *serve)
{
    DHT_COUNT(serve->dht, query_ping);
    dht_serve_open(serve);
    dht_serve_close(serve);
}

// The bytes that a reply needs besides its lists, at most: envelope with a transaction id of 32
// bytes, id, token, the numbers of BEP 51.
#define REPLY_BASE_LEN 150

// Whether so many more bytes fit the budget; counts what has to be left out.
static bool affords(struct dht_serve *serve, size_t len)
{
    if (serve->budget >= REPLY_BASE_LEN + len)
        return true;
    DHT_COUNT(serve->dht, trim_budget);
    return false;
}

static void serve_nodes_for(struct dht_serve *serve, struct dht_span target_span)
{
    if (target_span.data == NULL) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    struct dht_id target = dht_serve_id(target_span);
    dht_serve_take_echo(serve, &target);
    dht_serve_open(serve);
    if (affords(serve, dht_serve_nodes_len(serve)))
        dht_serve_nodes(serve, &target, SIZE_MAX);
    else
        dht_serve_token(serve, &target);
    dht_serve_close(serve);
}

static void write_peers(struct dht_serve *serve, const struct dht_id *info_hash)
{
    struct dht *dht = serve->dht;
    size_t compact_len = dht_engine_node_len(dht) - DHT_ID_LEN;
    uint8_t compact[PEERS_BYTES_MAX];
    if (dht->peers == NULL)
        return;
    bool both =
        dht->sibling != NULL && wanted(serve) == (DHT_KRPC_WANT_NODES | DHT_KRPC_WANT_NODES6);
    size_t room = both ? PEERS_BYTES_LESS : PEERS_BYTES_MAX;
    size_t count = dht_peer_store_sample(dht->peers, info_hash, serve->msg->noseed,
                                         room / compact_len, compact);
    if (count == 0)
        return;
    dht_bencode_put_text(&serve->writer, "values");
    dht_bencode_open_list(&serve->writer);
    for (size_t i = 0; i < count; i++)
        dht_bencode_put_string(&serve->writer, compact + i * compact_len, compact_len);
    dht_bencode_end(&serve->writer);
}

// BEP 33. The keys sort before `id`, so they go between the opening of the reply and its id:
// open_reply writes the id, hence a scrape writes its reply's head itself.
static bool scrape(struct dht_serve *serve, const struct dht_id *info_hash, uint8_t seeds[256],
                   uint8_t peers[256])
{
    const struct dht *dht = serve->dht;
    return serve->msg->scrape && dht->peers != NULL && serve->proven &&
           dht_peer_store_scrape(dht->peers, info_hash, &dht->crypto, seeds, peers);
}

// Whether there are peers that the budget does not stretch to. Contacts without them would deny
// them, so then there are none of these either.
static bool hides_peers(struct dht_serve *serve, const struct dht_id *info_hash)
{
    struct dht *dht = serve->dht;
    uint8_t compact[18];
    if (dht->peers == NULL || serve->budget >= REPLY_BASE_LEN + PEERS_BYTES_MAX * 2 ||
        dht_peer_store_sample(dht->peers, info_hash, serve->msg->noseed, 1, compact) == 0)
        return false;
    DHT_COUNT(dht, trim_budget);
    return true;
}

static void serve_get_peers(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    if (serve->msg->info_hash.data == NULL) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    DHT_COUNT(dht, query_get_peers);
    struct dht_id info_hash = dht_serve_id(serve->msg->info_hash);
    dht_serve_take_echo(serve, &info_hash);
    uint8_t seeds[256];
    uint8_t peers[256];
    bool scraped = scrape(serve, &info_hash, seeds, peers);
    if (scraped)
        dht_krpc_open_scrape_reply(&serve->writer, &serve->envelope, seeds, peers);
    else
        dht_serve_open(serve);
    bool whole = !hides_peers(serve, &info_hash) && affords(serve, dht_serve_nodes_len(serve));
    if (whole)
        dht_serve_nodes(serve, &info_hash, SIZE_MAX);
    // No token says "full" (BEP 33, quirk Q12), except where the asker needs one for the rest.
    if (!whole || dht->peers == NULL || dht_peer_store_has_room(dht->peers, &info_hash))
        dht_serve_token(serve, &info_hash);
    if (whole && !scraped)
        write_peers(serve, &info_hash);
    dht_serve_close(serve);
}

static void serve_announce_peer(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    const struct dht_krpc *msg = serve->msg;
    struct dht_addr peer = *serve->from;
    bool port_ok = msg->implied_port || (msg->has_port && msg->port > 0 && msg->port <= UINT16_MAX);
    if (msg->info_hash.data == NULL || msg->token.data == NULL || !port_ok) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    struct dht_id info_hash = dht_serve_id(msg->info_hash);
    if (!dht_serve_check_token(serve, &info_hash))
        return;
    if (!msg->implied_port)
        peer.port = (uint16_t)msg->port;
    struct dht_peer_store *peers = dht_engine_peers(dht);
    enum dht_peer_store_result result = DHT_PEER_STORE_FULL;
    if (peers != NULL)
        result = dht_peer_store_put(peers, dht->now_us, &info_hash, &peer, msg->seed);
    if (result == DHT_PEER_STORE_FULL) {
        DHT_COUNT(dht, reject_full);
        dht_serve_error(serve, DHT_KRPC_ERROR_SERVER, "full");
        return;
    }
    if (dht->peers_timer.position == DHT_TIMER_IDLE)
        dht_timer_set(&dht->timers, &dht->peers_timer, dht_peer_store_next_expiry(peers));
    DHT_COUNT(dht, query_announce_peer);
    dht_serve_open(serve);
    dht_serve_close(serve);
    if (result == DHT_PEER_STORE_REFRESHED && !msg->changed)
        return;
    dht_peer_store_note_news(peers, dht->now_us, &info_hash);
    dht_push_peer(dht, &info_hash, &peer, serve->from);
}

// BEP 51: samples always, be they none.
static void serve_sample_infohashes(struct dht_serve *serve)
{
    struct dht *dht = serve->dht;
    struct dht_id samples[SAMPLES_MAX];
    if (serve->msg->target.data == NULL) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    struct dht_id target = dht_serve_id(serve->msg->target);
    bool rich = affords(serve, dht_serve_nodes_len(serve) + sizeof samples);
    size_t count = 0;
    if (rich && dht->peers != NULL)
        count = dht_peer_store_infohashes(dht->peers, SAMPLES_MAX, samples);
    dht_serve_open(serve);
    dht_bencode_pair_int(&serve->writer, "interval", SAMPLE_INTERVAL_S);
    if (rich)
        dht_serve_nodes(serve, &target, SIZE_MAX);
    dht_bencode_pair_int(&serve->writer, "num",
                         dht->peers != NULL ? dht_peer_store_swarms(dht->peers) : 0);
    dht_bencode_pair_string(&serve->writer, "samples", samples, count * sizeof samples[0]);
    dht_serve_close(serve);
}

// A method of tomorrow that looks for something is answered like find_node (quirk Q14).
static void serve_unknown(struct dht_serve *serve)
{
    DHT_COUNT(serve->dht, query_unknown);
    const struct dht_krpc *msg = serve->msg;
    struct dht_span target = msg->target.data != NULL ? msg->target : msg->info_hash;
    if (target.data != NULL) {
        serve_nodes_for(serve, target);
        return;
    }
    DHT_COUNT(serve->dht, reject_method);
    dht_serve_error(serve, DHT_KRPC_ERROR_METHOD, "method unknown");
}

static void dispatch(struct dht_serve *serve)
{
    if (serve->msg->id.data == NULL) {
        dht_serve_refuse_arguments(serve);
        return;
    }
    switch (serve->msg->method) {
    case DHT_KRPC_PING:
        serve_ping(serve);
        break;
    case DHT_KRPC_FIND_NODE:
        DHT_COUNT(serve->dht, query_find_node);
        serve_nodes_for(serve, serve->msg->target);
        break;
    case DHT_KRPC_GET_PEERS:
        serve_get_peers(serve);
        break;
    case DHT_KRPC_ANNOUNCE_PEER:
        serve_announce_peer(serve);
        break;
    case DHT_KRPC_GET:
        dht_serve_item_get(serve);
        break;
    case DHT_KRPC_PUT:
        dht_serve_item_put(serve);
        break;
    case DHT_KRPC_SAMPLE_INFOHASHES:
        serve_sample_infohashes(serve);
        break;
    case DHT_KRPC_WHO:
        dht_serve_who(serve);
        break;
    case DHT_KRPC_PNR_WATCH:
        dht_serve_watch(serve);
        break;
    case DHT_KRPC_PNR_CHANGED:
        dht_serve_watch_changed(serve);
        break;
    case DHT_KRPC_UNKNOWN:
        serve_unknown(serve);
        break;
    }
}

void dht_serve_query(struct dht *dht, const struct dht_addr *from, size_t datagram_len,
                     const struct dht_krpc *msg)
{
    if (dht->upkeep.reach == DHT_REACH_UNKNOWN && dht_reach_own_ping(dht, msg))
        return;
    bool limited = !dht->config.lab && !dht->config.unlimited;
    if (limited && !dht_source_query(dht->sources, dht->now_us, from, datagram_len)) {
        DHT_COUNT(dht, drop_rate);
        return;
    }
    // A push comes because we asked for it: its sender is no stranger, and who is read-only answers
    // it too.
    bool is_push = msg->method == DHT_KRPC_PNR_CHANGED;
    if (!is_push)
        dht_maintain_newcomer(dht, from, msg);
    if (dht->role == DHT_ROLE_CLIENT && !is_push && !dht_serve_who_is_ours(dht, msg)) {
        DHT_COUNT(dht, drop_read_only);
        return;
    }
    uint8_t *out = dht_outbox_open(&dht->outbox);
    if (out == NULL) {
        DHT_COUNT(dht, drop_outbox_full);
        return;
    }
    struct dht_serve serve = {
        .dht = dht,
        .msg = msg,
        .from = from,
        .budget = limited ? dht_source_budget(dht->sources, dht->now_us, from) : SIZE_MAX,
        .proven = !limited || dht_source_is_proven(dht->sources, dht->now_us, from),
        .writer = dht_bencode_writer(out, DHT_DATAGRAM_MAX),
        .envelope = {.id = &dht->id,
                     .tid = msg->tid,
                     .your = from,
                     .version = dht->config.version,
                     .read_only = dht->role == DHT_ROLE_CLIENT},
    };
    dispatch(&serve);
}
