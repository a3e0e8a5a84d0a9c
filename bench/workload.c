// SPDX-License-Identifier: MIT
#include "bench/workload.h"

#include "bench/process.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINGS       4096
#define TARGETS     16384 // of find_node
#define FRESH       40000 // immutable items
#define FRESH_LATE  10000
#define SIGNED      5000 // fresh mutable items
#define SIGNED_LATE 2000
#define TOKEN_MAX   32

// The floors are those that docs/performance.md explains.
const struct bench_method bench_methods[BENCH_METHODS] = {
    [BENCH_PING] = {"ping", 0.65, 100000, 20000, false},
    [BENCH_FIND_NODE] = {"find_node", 0.55, 100000, 20000, false},
    [BENCH_GET_PEERS] = {"get_peers", 0.50, 100000, 20000, false},
    [BENCH_ANNOUNCE_PEER] = {"announce_peer", 0.55, 100000, 20000, false},
    [BENCH_GET_IMMUTABLE] = {"get immutable", 0.50, 100000, 20000, false},
    [BENCH_GET_MUTABLE] = {"get mutable", 0.50, 100000, 20000, false},
    [BENCH_PUT_IMMUTABLE_AGAIN] = {"put immutable again", 0.40, 80000, 16000, false},
    [BENCH_PUT_MUTABLE_AGAIN] = {"put mutable again", 0.40, 80000, 16000, false},
    [BENCH_PUT_IMMUTABLE] = {"put immutable", 0.40, FRESH, FRESH_LATE, true},
    [BENCH_PUT_MUTABLE] = {"put mutable", 0, SIGNED, SIGNED_LATE, true},
};

// ---- items ----

static void *take(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        bench_die("workload", "no memory");
    return memory;
}

static void make_value(struct bench_workload *workload, size_t number, struct dht_item *item)
{
    uint8_t *value = workload->values + number * BENCH_VALUE_LEN;
    memcpy(value, "100:", 4);
    dht_random_bytes(&workload->random, value + 4, BENCH_VALUE_LEN - 4);
    item->value = (struct dht_span){value, BENCH_VALUE_LEN};
}

static void make_mutable(struct bench_workload *workload, struct dht_item *item)
{
    uint8_t secret[32];
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    size_t key_len = sizeof item->key;
    size_t sig_len = sizeof item->sig;
    dht_random_bytes(&workload->random, secret, sizeof secret);
    item->is_mutable = true;
    item->seq = 1700000000000000;
    size_t text_len = dht_krpc_signed_text(item->salt, item->seq, item->value, text);
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (key == NULL || ctx == NULL || EVP_PKEY_get_raw_public_key(key, item->key, &key_len) != 1 ||
        EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(ctx, item->sig, &sig_len, text, text_len) != 1)
        bench_die("workload", "cannot sign");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    SHA1(item->key, sizeof item->key, item->target.bytes);
}

static void make_items(struct bench_workload *workload)
{
    size_t half = workload->stored_max / 2;
    size_t immutable = half + FRESH + FRESH_LATE;
    size_t mutable = half + SIGNED + SIGNED_LATE;
    workload->immutable = take(immutable, sizeof *workload->immutable);
    workload->mutable = take(mutable, sizeof *workload->mutable);
    workload->values = take(immutable + mutable, BENCH_VALUE_LEN);
    for (size_t i = 0; i < immutable; i++) {
        struct dht_item *item = &workload->immutable[i];
        make_value(workload, i, item);
        SHA1(item->value.data, item->value.len, item->target.bytes);
    }
    for (size_t i = 0; i < mutable; i++) {
        make_value(workload, immutable + i, &workload->mutable[i]);
        make_mutable(workload, &workload->mutable[i]);
    }
}

struct bench_workload *bench_workload_new(size_t stored_max)
{
    static const uint8_t seed[32] = "pnr, bench/workload.c";
    struct bench_workload *workload = take(1, sizeof *workload);
    workload->stored_max = stored_max;
    dht_random_init(&workload->random, seed);
    workload->info_hashes = take(stored_max, sizeof *workload->info_hashes);
    dht_random_bytes(&workload->random, workload->info_hashes,
                     stored_max * sizeof *workload->info_hashes);
    dht_random_bytes(&workload->random, workload->ids, sizeof workload->ids);
    make_items(workload);
    return workload;
}

void bench_workload_free(struct bench_workload *workload)
{
    free(workload->info_hashes);
    free(workload->immutable);
    free(workload->mutable);
    free(workload->values);
    free(workload);
}

// ---- what each datagram of a method asks ----

struct source {
    struct bench_workload *workload;
    enum bench_method_id id;
    size_t count;           // datagrams
    size_t first;           // of the items used
    struct dht_id *targets; // of find_node
};

// Not in the order in which they were stored, so that memory is met as in life.
static size_t shuffled(size_t i, size_t count)
{
    return (size_t)((uint64_t)i * 2654435761U % count);
}

static const struct dht_item *item_of(const struct source *source, size_t i)
{
    const struct bench_workload *workload = source->workload;
    switch (source->id) {
    case BENCH_GET_IMMUTABLE:
    case BENCH_PUT_IMMUTABLE_AGAIN:
        return &workload->immutable[shuffled(i, source->count)];
    case BENCH_GET_MUTABLE:
    case BENCH_PUT_MUTABLE_AGAIN:
        return &workload->mutable[shuffled(i, source->count)];
    case BENCH_PUT_IMMUTABLE:
        return &workload->immutable[source->first + i];
    case BENCH_PUT_MUTABLE:
        return &workload->mutable[source->first + i];
    default:
        return NULL;
    }
}

// An infohash is always announced by the same socket, so that its peer stays the same one.
static struct bench_query query_of(const struct source *source, size_t i)
{
    struct bench_query query = {.tid = (uint32_t)i,
                                .id = &source->workload->ids[i % BENCH_LOAD_SOCKETS],
                                .item = item_of(source, i)};
    query.method = source->id == BENCH_PING            ? DHT_KRPC_PING
                   : source->id == BENCH_FIND_NODE     ? DHT_KRPC_FIND_NODE
                   : source->id == BENCH_GET_PEERS     ? DHT_KRPC_GET_PEERS
                   : source->id == BENCH_ANNOUNCE_PEER ? DHT_KRPC_ANNOUNCE_PEER
                   : source->id <= BENCH_GET_MUTABLE   ? DHT_KRPC_GET
                                                       : DHT_KRPC_PUT;
    if (query.item != NULL)
        query.target = &query.item->target;
    else if (source->id == BENCH_FIND_NODE)
        query.target = &source->targets[i];
    else if (source->id != BENCH_PING)
        query.target = &source->workload->info_hashes[i];
    return query;
}

static void add(struct bench_batch *batch, const struct bench_query *query)
{
    uint8_t bytes[DHT_DATAGRAM_MAX];
    bench_batch_add(batch, bytes, bench_message_write(query, bytes));
}

// ---- tokens ----

struct tokens {
    uint8_t (*bytes)[TOKEN_MAX];
    uint8_t *lens;
};

static void take_token(void *ctx, size_t index, const struct bench_reply *reply, size_t len)
{
    struct tokens *tokens = ctx;
    (void)len;
    if (reply->token.len == 0 || reply->token.len > TOKEN_MAX)
        return;
    memcpy(tokens->bytes[index], reply->token.data, reply->token.len);
    tokens->lens[index] = (uint8_t)reply->token.len;
}

// Asks for a token for each datagram that the source will make.
static struct tokens fetch_tokens(const struct source *source, bench_workload_ask_fn ask, void *ctx)
{
    struct bench_batch asks = {0};
    struct tokens tokens = {take(source->count, TOKEN_MAX), take(source->count, 1)};
    for (size_t i = 0; i < source->count; i++) {
        struct bench_query query = query_of(source, i);
        query.method = query.item == NULL ? DHT_KRPC_GET_PEERS : DHT_KRPC_GET;
        add(&asks, &query);
    }
    size_t missing = 0;
    ask(ctx, &asks, take_token, &tokens);
    bench_batch_clear(&asks);
    for (size_t i = 0; i < source->count; i++)
        missing += tokens.lens[i] == 0;
    if (missing > 0)
        bench_die("workload", "the node hands out no token; its stores may be full");
    return tokens;
}

// ---- batches ----

static void fill(const struct source *source, bench_workload_ask_fn ask, void *ctx,
                 struct bench_batch *batch)
{
    struct tokens tokens = {NULL, NULL};
    bool with_token = source->id == BENCH_ANNOUNCE_PEER || source->id >= BENCH_PUT_IMMUTABLE_AGAIN;
    if (with_token)
        tokens = fetch_tokens(source, ask, ctx);
    for (size_t i = 0; i < source->count; i++) {
        struct bench_query query = query_of(source, i);
        if (with_token)
            query.token = (struct dht_span){tokens.bytes[i], tokens.lens[i]};
        add(batch, &query);
    }
    free(tokens.bytes);
    free(tokens.lens);
}

void bench_workload_make(struct bench_workload *workload, const struct bench_workload_part *part,
                         bench_workload_ask_fn ask, void *ctx, struct bench_batch *ret_batch)
{
    const struct bench_method *method = &bench_methods[part->id];
    struct source source = {.workload = workload, .id = part->id, .count = part->stored / 2};
    struct bench_batch batch = {0};
    if (part->id == BENCH_PING)
        source.count = PINGS;
    if (part->id == BENCH_GET_PEERS || part->id == BENCH_ANNOUNCE_PEER)
        source.count = part->stored;
    if (method->is_fresh) {
        source.count = part->for_latency ? method->latency : method->count;
        source.first = workload->stored_max / 2 + (part->for_latency ? method->count : 0);
    }
    if (part->id == BENCH_FIND_NODE) {
        source.count = TARGETS;
        source.targets = take(TARGETS, sizeof *source.targets);
        dht_random_bytes(&workload->random, source.targets, TARGETS * sizeof *source.targets);
    }
    fill(&source, ask, ctx, &batch);
    free(source.targets);
    *ret_batch = batch;
}

static void ask_node(void *ctx, const struct bench_batch *batch, bench_load_take_fn take_answer,
                     void *take_ctx)
{
    (void)bench_load_ask(ctx, batch, take_answer, take_ctx); // a missing token tells too
}

void bench_workload_batch(struct bench_workload *workload, struct bench_load *load,
                          const struct bench_workload_part *part, struct bench_batch *ret_batch)
{
    bench_workload_make(workload, part, ask_node, load, ret_batch);
}

// ---- storing ----

static void store(struct bench_workload *workload, struct bench_load *load, enum bench_method_id id,
                  size_t stored)
{
    struct bench_batch batch;
    struct bench_load_result result = {0};
    struct bench_workload_part part = {.id = id, .stored = stored};
    bench_workload_batch(workload, load, &part, &batch);
    bench_load_closed(load, &batch, 0, batch.count, &result);
    if (result.lost + result.errors > 0) {
        fprintf(stderr, "bench: %s: %zu lost, %zu refused of %zu\n", bench_methods[id].name,
                result.lost, result.errors, batch.count);
        exit(1);
    }
    bench_batch_clear(&batch);
}

void bench_workload_store(struct bench_workload *workload, struct bench_load *load, size_t stored)
{
    store(workload, load, BENCH_ANNOUNCE_PEER, stored);
    store(workload, load, BENCH_PUT_IMMUTABLE_AGAIN, stored);
    store(workload, load, BENCH_PUT_MUTABLE_AGAIN, stored);
}
