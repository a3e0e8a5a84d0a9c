// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_LONE_KEEPER_H
#define PNR_TESTS_DHT_LONE_KEEPER_H

// One engine that keeps watches, on the internet, and the many who talk to it, as far as tests of
// pushes need them: tokens are made with the engine's own secret, so that a test begins where it is
// about something.

#include "dht/engine.h"
#include "dht/query.h"
#include "tests/core/crypto_helper.h"

#include <stdlib.h>

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define TAKEN_MAX 4096

// A datagram that the engine sent.
struct lone_taken {
    struct dht_addr to;
    struct dht_krpc msg;
    size_t len;
    uint8_t bytes[DHT_DATAGRAM_MAX];
};

struct lone_keeper {
    struct dht *dht;
    int64_t now_us;
    struct lone_taken *taken;
    size_t taken_count;
};

static uint8_t lone_secret[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                                  0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                                  0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t lone_key[32] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

// Address number n, each in a /24 of its own; port p.
static inline struct dht_addr lone_addr(uint32_t number, uint16_t port)
{
    return (struct dht_addr){
        .ip = {80, (uint8_t)(number >> 8), (uint8_t)number, 1}, .port = port, .ip_len = 4};
}

static inline struct lone_keeper lone_begin(void (*configure)(struct dht_config *config))
{
    static const struct dht_crypto crypto = {NULL, helper_sha1, helper_sha256, helper_verify,
                                             helper_sign};
    static const uint8_t seed[32] = {7};
    struct lone_keeper keeper = {.now_us = SECOND_US};
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.role = DHT_ROLE_SERVER;
    config.watchers_per_source_max = 10000;
    if (configure != NULL)
        configure(&config);
    keeper.dht = dht_new(&config, &crypto, seed, keeper.now_us);
    keeper.taken = calloc(TAKEN_MAX, sizeof *keeper.taken);
    assert_true(keeper.dht != NULL && keeper.taken != NULL);
    return keeper;
}

static inline void lone_end(struct lone_keeper *keeper)
{
    if (keeper->dht->watchers != NULL)
        dht_watcher_check(keeper->dht->watchers);
    dht_free(keeper->dht);
    free(keeper->taken);
}

// Takes over what the engine has sent.
static inline void lone_take(struct lone_keeper *keeper)
{
    struct dht_out out;
    keeper->taken_count = 0;
    while (dht_next(keeper->dht, &out)) {
        if (out.type != DHT_OUT_DATAGRAM)
            continue;
        assert_true(keeper->taken_count < TAKEN_MAX);
        struct lone_taken *taken = &keeper->taken[keeper->taken_count++];
        taken->to = out.datagram.addr;
        taken->len = out.datagram.bytes.len;
        memcpy(taken->bytes, out.datagram.bytes.data, taken->len);
        assert_true(dht_krpc_parse((struct dht_span){taken->bytes, taken->len}, &taken->msg));
    }
}

static inline void lone_receive(struct lone_keeper *keeper, const struct dht_addr *from,
                                const struct dht_bencode_writer *writer)
{
    struct dht_datagram datagram = {*from, {writer->start, dht_bencode_written(writer)}};
    assert_false(writer->full);
    dht_receive(keeper->dht, keeper->now_us, &datagram, 1);
    lone_take(keeper);
}

// Passes time in one go.
static inline void lone_wait(struct lone_keeper *keeper, int64_t duration_us)
{
    keeper->now_us += duration_us;
    dht_tick(keeper->dht, keeper->now_us);
    lone_take(keeper);
}

// A query of a read-only node, with the token that it would have, whose arguments but id and token
// are written by the caller in between: see lone_watch().
static inline void lone_close(struct lone_keeper *keeper, struct dht_bencode_writer *writer,
                              const struct dht_addr *from, const char *method)
{
    struct dht_krpc_envelope envelope = {
        .tid = {(const uint8_t *)"tttt", 4}, .version = "TT01", .read_only = true};
    dht_krpc_close_query(writer, &envelope, method);
    lone_receive(keeper, from, writer);
}

static inline void lone_token(const struct lone_keeper *keeper, struct dht_bencode_writer *writer,
                              const struct dht_addr *from, const struct dht_id *target)
{
    uint8_t token[DHT_TOKEN_LEN];
    dht_token_make(&keeper->dht->token, from, target, token);
    dht_bencode_pair_string(writer, "token", token, sizeof token);
}

static const struct dht_id lone_asker = {"llllllllllllllllllll"};

static inline void lone_number(struct dht_bencode_writer *writer, const char *key, int64_t number)
{
    dht_bencode_pair_int(writer, key, number);
}

static inline void lone_watch(struct lone_keeper *keeper, const struct dht_addr *from,
                              const struct dht_id *target, int64_t lease_s, bool peers)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    dht_krpc_open_query(&writer);
    dht_krpc_put_id(&writer, "id", &lone_asker);
    lone_number(&writer, "lease", lease_s);
    dht_bencode_pair_string(&writer, "nonce", "0123456789abcdef", 16);
    if (peers)
        lone_number(&writer, "peers", 1);
    dht_krpc_put_id(&writer, "target", target);
    lone_token(keeper, &writer, from, target);
    lone_close(keeper, &writer, from, "pnr_watch");
}

static inline struct dht_item lone_item(const char *value, int64_t seq)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {
        .is_mutable = true, .seq = seq, .value = {(const uint8_t *)value, strlen(value)}};
    memcpy(item.key, lone_key, sizeof item.key);
    struct dht_span part = {item.key, sizeof item.key};
    helper_sha1(NULL, &part, 1, item.target.bytes);
    size_t len = dht_krpc_signed_text(item.salt, item.seq, item.value, text);
    assert_true(helper_sign(lone_secret, item.key, (struct dht_span){text, len}, item.sig));
    return item;
}

static inline void lone_put(struct lone_keeper *keeper, const struct dht_addr *from,
                            const struct dht_item *item)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    dht_krpc_open_query(&writer);
    dht_krpc_put_id(&writer, "id", &lone_asker);
    dht_bencode_pair_string(&writer, "k", item->key, sizeof item->key);
    lone_number(&writer, "seq", item->seq);
    dht_bencode_pair_string(&writer, "sig", item->sig, sizeof item->sig);
    lone_token(keeper, &writer, from, &item->target);
    dht_bencode_put_text(&writer, "v");
    dht_bencode_put_raw(&writer, item->value.data, item->value.len);
    lone_close(keeper, &writer, from, "put");
}

static inline void lone_announce(struct lone_keeper *keeper, const struct dht_addr *from,
                                 const struct dht_id *info_hash, uint16_t port)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    dht_krpc_open_query(&writer);
    dht_krpc_put_id(&writer, "id", &lone_asker);
    dht_krpc_put_id(&writer, "info_hash", info_hash);
    lone_number(&writer, "port", port);
    lone_token(keeper, &writer, from, info_hash);
    lone_close(keeper, &writer, from, "announce_peer");
}

// Whether a datagram is a push.
static inline bool lone_is_push(const struct lone_taken *taken)
{
    return taken->msg.type == DHT_KRPC_QUERY && taken->msg.method == DHT_KRPC_PNR_CHANGED;
}

// Acknowledges a push. What comes of it takes the place of what was taken.
static inline void lone_acknowledge(struct lone_keeper *keeper, const struct lone_taken *push)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    struct dht_addr from = push->to;
    uint8_t tid[DHT_KRPC_TID_LEN];
    memcpy(tid, push->msg.tid.data, sizeof tid);
    struct dht_bencode_writer writer = dht_bencode_writer(bytes, sizeof bytes);
    struct dht_krpc_envelope envelope = {
        .id = &lone_asker, .tid = {tid, sizeof tid}, .version = "TT01"};
    dht_krpc_open_reply(&writer, &envelope);
    dht_krpc_close_reply(&writer, &envelope);
    lone_receive(keeper, &from, &writer);
}

// A watch that has stood its trial.
static inline void lone_accept(struct lone_keeper *keeper, const struct dht_addr *from,
                               const struct dht_id *target, bool peers)
{
    lone_watch(keeper, from, target, 1800, peers);
    assert_int_equal(keeper->taken_count, 2);
    assert_true(lone_is_push(&keeper->taken[1]));
    lone_acknowledge(keeper, &keeper->taken[1]);
}

#endif
