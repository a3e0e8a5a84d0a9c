// SPDX-License-Identifier: MIT

// What the brain alone costs: batches of 64 queries go in and their replies come out, without a
// socket. For finding out what a change to dht/ or node/core is worth; the figures that count are
// bench_speed's.
//
//   bench_engine [METHOD...]

#include "dht/engine.h"
#include "bench/crowd.h"
#include "bench/process.h"
#include "bench/workload.h"
#include "node/daemon/crypto.h"
#include "pnr/node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 64

struct bench {
    struct node *node;
    int64_t now_us;
    struct dht_addr from; // the sockets' ports follow its own
    struct bench_workload *workload;
};

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct bench open_bench(struct bench_workload *workload)
{
    static const uint8_t seed[32] = "pnr, bench/engine.c";
    struct daemon_error error;
    struct node_config config;
    struct node_cloud_config cloud;
    struct dht_config engine;
    struct bench bench = {.from = {.ip = {127, 0, 0, 1}, .ip_len = 4, .port = 20000},
                          .workload = workload};
    struct daemon_crypto *crypto = daemon_crypto_open(NULL, &error);
    if (crypto == NULL)
        bench_die("crypto", error.text);
    struct dht_crypto table = daemon_crypto_table(crypto);
    node_config_init(&config);
    dht_config_init(&engine, DHT_IPV4);
    engine.lab = engine.unlimited = true;
    engine.items_max = 400000;
    engine.items_bytes_max = SIZE_MAX / 2;
    engine.swarms_max = engine.peers_max = 400000;
    bench.node = node_new(&config, &table, seed, 0, 0);
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    if (bench.node == NULL || node_add_cloud(bench.node, 0, &cloud) != 0 ||
        node_add_engine(bench.node, 0, 0, &engine) != 0)
        bench_die("engine", "no memory");
    return bench;
}

static void fill_table(struct bench *bench)
{
    struct dht *dht = node_engine(bench->node, 0);
    for (uint32_t depth = 0; depth < BENCH_CROWD_DEPTHS; depth++) {
        for (uint32_t i = 0; i < dht_table_bucket_capacity(&dht->table, depth); i++) {
            struct dht_id id = dht_table_random_id(&dht->table, depth, &bench->workload->random);
            struct dht_addr addr = {
                .ip = {127, 1, (uint8_t)depth, (uint8_t)i}, .ip_len = 4, .port = 6881};
            dht_table_answered(&dht->table, &id, &addr, 1000, 1);
        }
    }
}

// Hands in the datagrams [first, first + count) of the batch; take gets each reply.
static void pass(struct bench *bench, const struct bench_batch *batch, size_t first, size_t count,
                 bench_load_take_fn take, void *ctx)
{
    struct dht_datagram datagrams[BATCH];
    struct node_out out;
    for (size_t i = 0; i < count; i++) {
        size_t index = (first + i) % batch->count;
        datagrams[i] = (struct dht_datagram){bench->from, bench_batch_at(batch, index)};
        datagrams[i].addr.port = (uint16_t)(bench->from.port + index % BENCH_LOAD_SOCKETS);
    }
    bench->now_us += 100;
    node_receive(bench->node, bench->now_us, 0, datagrams, count);
    while (node_next(bench->node, &out)) {
        struct bench_reply reply;
        if (take != NULL && out.type == NODE_OUT_DATAGRAM &&
            bench_message_read(out.datagram.bytes, &reply))
            take(ctx, reply.tid, &reply, out.datagram.bytes.len);
    }
}

static void ask(void *ctx, const struct bench_batch *batch, bench_load_take_fn take, void *take_ctx)
{
    for (size_t first = 0; first < batch->count; first += BATCH)
        pass(ctx, batch, first, batch->count - first < BATCH ? batch->count - first : BATCH, take,
             take_ctx);
}

static void count_good(void *ctx, size_t index, const struct bench_reply *reply, size_t len)
{
    (void)index;
    (void)len;
    *(size_t *)ctx += reply->is_good;
}

static void store(struct bench *bench, enum bench_method_id id, size_t stored)
{
    struct bench_batch batch;
    size_t good = 0;
    struct bench_workload_part part = {.id = id, .stored = stored};
    bench_workload_make(bench->workload, &part, ask, bench, &batch);
    ask(bench, &batch, count_good, &good);
    if (good != batch.count)
        bench_die(bench_methods[id].name, "not all was stored");
    bench_batch_clear(&batch);
}

static double measure(struct bench *bench, enum bench_method_id id, size_t stored)
{
    struct bench_batch batch;
    size_t count = bench_methods[id].count / BATCH * BATCH;
    struct bench_workload_part part = {.id = id, .stored = stored};
    bench_workload_make(bench->workload, &part, ask, bench, &batch);
    double best_ns = 1e18;
    for (int i = 0; i < (bench_methods[id].is_fresh ? 1 : 5); i++) {
        double start_ns = cpu_ns();
        for (size_t first = 0; first < count; first += BATCH)
            pass(bench, &batch, first, BATCH, NULL, NULL);
        double each_ns = (cpu_ns() - start_ns) / (double)count;
        best_ns = each_ns < best_ns ? each_ns : best_ns;
    }
    bench_batch_clear(&batch);
    return best_ns;
}

static bool is_wanted(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    static const size_t sizes[2] = {1000, 100000};
    double each_ns[2][BENCH_METHODS] = {{0}};
    struct bench_workload *workload = bench_workload_new(sizes[1]);
    for (int size = 0; size < 2; size++) {
        struct bench bench = open_bench(workload);
        fill_table(&bench);
        store(&bench, BENCH_ANNOUNCE_PEER, sizes[size]);
        store(&bench, BENCH_PUT_IMMUTABLE_AGAIN, sizes[size]);
        store(&bench, BENCH_PUT_MUTABLE_AGAIN, sizes[size]);
        for (int id = 0; id < BENCH_METHODS; id++)
            if (is_wanted(argc, argv, bench_methods[id].name))
                each_ns[size][id] = measure(&bench, (enum bench_method_id)id, sizes[size]);
        node_free(bench.node);
    }
    printf("ns of the brain for one query, the best of 5; with 1,000 and 100,000 stored\n");
    for (int id = 0; id < BENCH_METHODS; id++)
        if (is_wanted(argc, argv, bench_methods[id].name))
            printf("%-20s %7.0f %7.0f\n", bench_methods[id].name, each_ns[0][id], each_ns[1][id]);
    bench_workload_free(workload);
    return 0;
}
