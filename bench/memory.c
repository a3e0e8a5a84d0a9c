// SPDX-License-Identifier: MIT

// What memory it takes: bytes per contact, item and peer, as malloc() gives them, and pnrd's
// resident size: fresh, with 100,000 items of others, and after a flood of 1,000,000 datagrams of
// which no two are the same. docs/performance.md says more.
//
//   bench_memory [--json FILE] PNRD

#include "bench/flood.h"
#include "bench/node.h"
#include "bench/process.h"
#include "bench/workload.h"
#include "dht/item_store.h"
#include "dht/peer_store.h"
#include "dht/table.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ITEMS       100000
#define FLOOD       1000000
#define TABLES      200
#define IDLE_WAIT_S 3

enum figure {
    FIGURE_CONTACT,
    FIGURE_ITEM_IMMUTABLE,
    FIGURE_ITEM_MUTABLE,
    FIGURE_PEER,
    FIGURE_IDLE,
    FIGURE_IDLE_OWN,
    FIGURE_FULL_TABLE,
    FIGURE_STORED,
    FIGURE_STORED_EACH,
    FIGURE_FLOODED,
    FIGURES
};

struct row {
    const char *name;
    const char *text;
    double most; // what is wanted; 0: nothing
};
static const struct row rows[FIGURES] = {
    [FIGURE_CONTACT] = {"contact", "bytes per contact of a full table", 0},
    [FIGURE_ITEM_IMMUTABLE] = {"item_immutable", "bytes per immutable item of 100 bytes", 0},
    [FIGURE_ITEM_MUTABLE] = {"item_mutable", "bytes per mutable item of 100 bytes", 320},
    [FIGURE_PEER] = {"peer", "bytes per peer, one to an infohash", 0},
    [FIGURE_IDLE] = {"idle", "resident, fresh", 10 << 20},
    [FIGURE_IDLE_OWN] = {"idle_own", "  of it its own, the rest being code", 0},
    [FIGURE_FULL_TABLE] = {"full_table", "resident, with a full table", 0},
    [FIGURE_STORED] = {"stored", "resident, with 100,000 mutable items too", 0},
    [FIGURE_STORED_EACH] = {"stored_each", "  bytes for each of them", 320},
    [FIGURE_FLOODED] = {"flooded", "resident, after 1,000,000 distinct datagrams", 0},
};

// ---- in this process ----

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

// A whole table, as a node near the middle of a large network has it.
static void fill_table(struct dht_table *table, struct dht_random *random)
{
    for (uint32_t depth = 0; depth < BENCH_CROWD_DEPTHS; depth++) {
        for (uint32_t i = 0; i < dht_table_bucket_capacity(table, depth); i++) {
            struct dht_id id = dht_table_random_id(table, depth, random);
            struct dht_addr addr = {.ip_len = 4, .port = 6881};
            dht_random_bytes(random, addr.ip, 4);
            dht_table_answered(table, &id, &addr, 1000, 1);
        }
    }
}

// Of many tables, so that what malloc() holds back for itself counts little.
static double measure_contact(struct dht_random *random)
{
    static struct dht_table tables[TABLES];
    struct dht_config config;
    struct dht_id own = {{0x5a}};
    size_t count = 0;
    size_t before = allocated();
    dht_config_init(&config, DHT_IPV4);
    config.lab = true;
    for (size_t i = 0; i < TABLES; i++) {
        dht_table_init(&tables[i], &config, &own);
        fill_table(&tables[i], random);
        count += tables[i].count;
    }
    double each = (double)(allocated() - before) / (double)count;
    for (size_t i = 0; i < TABLES; i++)
        dht_table_fini(&tables[i]);
    return each;
}

static double measure_item(struct dht_random *random, bool is_mutable)
{
    struct dht_item_store_limits limits = {ITEMS, SIZE_MAX / 2, 2000, INT64_MAX};
    struct dht_siphash_key key = {1, 2};
    uint8_t value[BENCH_VALUE_LEN];
    size_t before = allocated();
    struct dht_item_store *store = dht_item_store_new(&limits, &key);
    if (store == NULL)
        bench_die("memory", "no memory");
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct dht_item item = {.is_mutable = is_mutable, .value = {value, sizeof value}};
        dht_random_bytes(random, item.target.bytes, sizeof item.target.bytes);
        dht_item_store_put(store, 0, i / 100, &item);
    }
    double each = (double)(allocated() - before) / dht_item_store_count(store);
    dht_item_store_free(store);
    return each;
}

static double measure_peer(struct dht_random *random)
{
    struct dht_peer_store_limits limits = {ITEMS, ITEMS, 2000, INT64_MAX};
    struct dht_siphash_key key = {1, 2};
    size_t before = allocated();
    struct dht_peer_store *store = dht_peer_store_new(&limits, &key, random);
    if (store == NULL)
        bench_die("memory", "no memory");
    for (uint32_t i = 0; i < ITEMS; i++) {
        struct dht_id info_hash;
        struct dht_addr peer = {.ip = {10, 0, 0, 1}, .ip_len = 4, .port = 6881};
        dht_random_bytes(random, info_hash.bytes, sizeof info_hash.bytes);
        dht_peer_store_put(store, 0, &info_hash, &peer, false);
    }
    double each = (double)(allocated() - before) / dht_peer_store_peers(store);
    dht_peer_store_free(store);
    return each;
}

// ---- of pnrd ----

// All mutable, unlike those of the measurement of speed.
static void store_items(struct bench_workload *workload, struct bench_load *load)
{
    struct bench_batch batch;
    struct bench_load_result result = {0};
    struct bench_workload_part part = {.id = BENCH_PUT_MUTABLE_AGAIN, .stored = 2 * ITEMS};
    bench_workload_batch(workload, load, &part, &batch);
    bench_load_closed(load, &batch, 0, batch.count, &result);
    if (result.errors + result.lost > 0)
        fprintf(stderr, "bench: %zu items were refused or lost\n", result.errors + result.lost);
    bench_batch_clear(&batch);
}

static void measure_pnrd(const char *pnrd, double figures[FIGURES])
{
    struct bench_node node;
    struct bench_load *load = bench_load_new();
    struct bench_workload *workload = bench_workload_new(2 * ITEMS);
    struct timespec pause = {.tv_sec = IDLE_WAIT_S};
    bench_node_start(&node, pnrd, -1, BENCH_NODE_UNLIMITED);
    nanosleep(&pause, NULL);
    struct bench_process_memory memory = bench_process_memory(node.pid);
    figures[FIGURE_IDLE] = (double)memory.resident_bytes;
    figures[FIGURE_IDLE_OWN] = (double)memory.own_bytes;
    bench_node_fill(&node, load);
    figures[FIGURE_FULL_TABLE] = (double)bench_process_memory(node.pid).resident_bytes;
    store_items(workload, load);
    figures[FIGURE_STORED] = (double)bench_process_memory(node.pid).resident_bytes;
    figures[FIGURE_STORED_EACH] = (figures[FIGURE_STORED] - figures[FIGURE_FULL_TABLE]) / ITEMS;
    bench_node_stop(&node);
    bench_workload_free(workload);
    bench_load_free(load);
}

// A node of its own, which has all its limits if there is a network in which it can have them.
static void measure_flood(const char *pnrd, struct dht_random *random, double figures[FIGURES])
{
    struct bench_node node;
    enum bench_node_kind kind =
        bench_flood_enter_network() ? BENCH_NODE_LIMITED : BENCH_NODE_UNLIMITED;
    bench_node_start(&node, pnrd, -1, kind);
    size_t dropped = bench_flood(&node.addr, FLOOD, random);
    figures[FIGURE_FLOODED] = (double)bench_process_memory(node.pid).resident_bytes;
    bench_node_stop(&node);
    if (dropped > 0)
        fprintf(stderr, "bench: %zu datagrams of the flood did not reach pnrd\n", dropped);
    if (kind == BENCH_NODE_UNLIMITED)
        fprintf(stderr, "bench: the flood met a node without limits: there is no network here in "
                        "which it has them\n");
}

// ---- report ----

static void print(const double figures[FIGURES])
{
    for (int i = 0; i < FIGURES; i++) {
        bool is_large = figures[i] >= 10000;
        double unit = is_large ? 1 << 20 : 1;
        printf("%-46s %8.*f %s", rows[i].text, is_large ? 2 : 1, figures[i] / unit,
               is_large ? "MiB" : "B  ");
        if (rows[i].most > 0)
            printf("  (at most %.0f wanted)%s", rows[i].most / unit,
                   figures[i] > rows[i].most ? "!" : "");
        putchar('\n');
    }
}

static void write_json(const char *path, const double figures[FIGURES])
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        bench_die(path, "cannot be written");
    for (int i = 0; i < FIGURES; i++)
        fprintf(file, "%s\"%s\": %.1f", i == 0 ? "{" : ", ", rows[i].name, figures[i]);
    fputs("}\n", file);
    fclose(file);
}

int main(int argc, char **argv)
{
    static const uint8_t seed[32] = "pnr, bench/memory.c";
    struct dht_random random;
    double figures[FIGURES];
    bool with_json = argc == 4 && strcmp(argv[1], "--json") == 0;
    if (argc != 2 && !with_json) {
        fputs("usage: bench_memory [--json FILE] PNRD\n", stderr);
        return 2;
    }
    dht_random_init(&random, seed);
    figures[FIGURE_CONTACT] = measure_contact(&random);
    figures[FIGURE_ITEM_IMMUTABLE] = measure_item(&random, false);
    figures[FIGURE_ITEM_MUTABLE] = measure_item(&random, true);
    figures[FIGURE_PEER] = measure_peer(&random);
    measure_pnrd(argv[argc - 1], figures);
    measure_flood(argv[argc - 1], &random, figures);
    print(figures);
    if (with_json)
        write_json(argv[2], figures);
    return 0;
}
