// SPDX-License-Identifier: MIT

// What many brains in one process cost, as simnet runs them: a network of nodes in memory, with
// public addresses, joined by the real protocol. It tells the heap bytes of a node that is fresh,
// joined and idle, or in the middle of a lookup, what an idle node costs in a second of its own
// time, and what one message costs from its delivery to the queueing of the reply.
//
//   bench_brain [NODES] [FIRST_BUCKET_SIZE] [IDLE_SECONDS]

#include "bench/process.h"
#include "dht/random.h"
#include "node/daemon/crypto.h"
#include "pnr/node.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_US   INT64_C(1000000)
#define LATENCY_US  (50 * 1000) // one way, the same for all: so the wire is a plain ring
#define WIRE_SLOTS  (1u << 16)
#define MESSAGE_MAX 600
#define LOOK_AHEAD  3  // messages between two steps of fetching ahead
#define LOOKUPS     20 // a node, while messages are timed

struct message {
    int64_t due_us;
    uint32_t from, to;
    uint32_t len;
    uint8_t bytes[MESSAGE_MAX];
};

struct bench {
    struct node **nodes;
    uint32_t count;
    int64_t now_us;
    struct dht_random random;
    struct message *wire; // oldest first, a ring
    uint32_t head, tail;  // count on for ever
    // Who is due when: a binary heap of nodes, and where each of them is in it.
    uint32_t *heap, *position;
    int64_t *due_us;
    uint64_t delivered, ticks;
};

static double cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

// ---- addresses: the first 65,536 nodes live in a /24 each ----

static struct dht_addr addr_of(uint32_t node)
{
    return (struct dht_addr){
        .ip = {20, (uint8_t)node, (uint8_t)(node >> 8), (uint8_t)((node >> 16) + 1)},
        .ip_len = 4,
        .port = 6881};
}

static uint32_t node_of(const struct dht_addr *addr)
{
    return (uint32_t)(addr->ip[3] - 1) << 16 | (uint32_t)addr->ip[2] << 8 | addr->ip[1];
}

// ---- deadlines ----

static void place(struct bench *bench, uint32_t node, uint32_t at)
{
    bench->heap[at] = node;
    bench->position[node] = at;
}

static void set_deadline(struct bench *bench, uint32_t node)
{
    int64_t due_us = node_deadline(bench->nodes[node]);
    if (due_us == bench->due_us[node])
        return;
    bench->due_us[node] = due_us;
    uint32_t at = bench->position[node];
    while (at > 0 && bench->due_us[bench->heap[(at - 1) / 2]] > due_us) {
        place(bench, bench->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    for (uint32_t child; (child = 2 * at + 1) < bench->count; at = child) {
        if (child + 1 < bench->count &&
            bench->due_us[bench->heap[child + 1]] < bench->due_us[bench->heap[child]])
            child++;
        if (bench->due_us[bench->heap[child]] >= due_us)
            break;
        place(bench, bench->heap[child], at);
    }
    place(bench, node, at);
}

// ---- the network ----

static void drain(struct bench *bench, uint32_t from)
{
    struct node_out out;
    while (node_next(bench->nodes[from], &out)) {
        uint32_t to = out.type == NODE_OUT_DATAGRAM ? node_of(&out.datagram.addr) : UINT32_MAX;
        if (to >= bench->count)
            continue;
        if (bench->tail - bench->head == WIRE_SLOTS || out.datagram.bytes.len > MESSAGE_MAX)
            bench_die("wire", "too much at once");
        struct message *message = &bench->wire[bench->tail++ % WIRE_SLOTS];
        message->due_us = bench->now_us + LATENCY_US;
        message->from = from;
        message->to = to;
        message->len = (uint32_t)out.datagram.bytes.len;
        memcpy(message->bytes, out.datagram.bytes.data, message->len);
    }
    node_rest(bench->nodes[from]);
    set_deadline(bench, from);
}

// Lets the processor fetch what the messages to come will touch.
static void look_ahead(const struct bench *bench)
{
    for (int step = 0; step < 3; step++) {
        uint32_t at = bench->head + LOOK_AHEAD * (3 - (uint32_t)step);
        if (bench->tail - bench->head > at - bench->head)
            node_prefetch(bench->nodes[bench->wire[at % WIRE_SLOTS].to], 0, step);
    }
}

static void deliver(struct bench *bench)
{
    look_ahead(bench);
    const struct message *message = &bench->wire[bench->head % WIRE_SLOTS];
    struct dht_datagram datagram = {addr_of(message->from), {message->bytes, message->len}};
    bench->now_us = message->due_us;
    node_receive(bench->nodes[message->to], bench->now_us, 0, &datagram, 1);
    bench->delivered++;
    bench->head++;
    drain(bench, message->to);
}

static void run_until(struct bench *bench, int64_t until_us)
{
    for (;;) {
        bool any = bench->head != bench->tail;
        int64_t message_us = any ? bench->wire[bench->head % WIRE_SLOTS].due_us : INT64_MAX;
        int64_t tick_us = bench->due_us[bench->heap[0]];
        if (message_us > until_us && tick_us > until_us)
            break;
        if (message_us <= tick_us) {
            deliver(bench);
            continue;
        }
        uint32_t node = bench->heap[0];
        bench->now_us = tick_us > bench->now_us ? tick_us : bench->now_us;
        node_tick(bench->nodes[node], bench->now_us);
        bench->ticks++;
        drain(bench, node);
    }
    bench->now_us = until_us;
}

// ---- the stages ----

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks;
}

static void make_node(struct bench *bench, uint32_t node, const struct dht_crypto *crypto,
                      uint32_t first_bucket_size)
{
    struct node_config config;
    struct node_cloud_config cloud;
    struct dht_config engine;
    uint8_t seed[32];
    node_config_init(&config);
    config.snapshot_us = 0;
    dht_config_init(&engine, DHT_IPV4);
    engine.addr = addr_of(node);
    engine.unlimited = true;
    engine.first_bucket_size = first_bucket_size;
    engine.replacements = 2;
    engine.outbox_keep = 0;
    engine.sources_max = 8;
    dht_random_bytes(&bench->random, seed, sizeof seed);
    bench->nodes[node] = node_new(&config, crypto, seed, 0, 0);
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    if (bench->nodes[node] == NULL || node_add_cloud(bench->nodes[node], 0, &cloud) != 0 ||
        node_add_engine(bench->nodes[node], 0, 0, &engine) != 0)
        bench_die("node", "no memory");
    place(bench, node, node);
    bench->due_us[node] = INT64_MAX;
}

static void join(struct bench *bench)
{
    for (uint32_t node = 0; node < bench->count; node++) {
        struct dht_addr bootstrap = addr_of((uint32_t)dht_random_below(&bench->random, node + 1));
        run_until(bench, bench->now_us + 10 * 1000);
        node_start(bench->nodes[node], bench->now_us);
        if (node > 0)
            node_bootstrap(bench->nodes[node], bench->now_us, 0, &bootstrap, 1);
        drain(bench, node);
    }
}

static void look_up(struct bench *bench, uint32_t node)
{
    struct dht_get get = {.seq_known = DHT_SEQ_NONE};
    dht_random_bytes(&bench->random, get.target.bytes, sizeof get.target.bytes);
    if (dht_get(node_engine(bench->nodes[node], 0), bench->now_us, &get) == 0)
        bench_die("get", "refused");
    // One that knows nobody has ended it already, and nobody else asks for that.
    struct dht_out event;
    while (dht_next_event(node_engine(bench->nodes[node], 0), &event)) {
    }
    drain(bench, node);
}

static double mean_contacts(const struct bench *bench)
{
    double sum = 0;
    for (uint32_t node = 0; node < bench->count; node++) {
        struct dht_info info;
        dht_info(node_engine(bench->nodes[node], 0), &info);
        sum += info.contacts;
    }
    return sum / bench->count;
}

static void tell_bytes(const struct bench *bench, const char *state, size_t before)
{
    printf("%-28s %7.0f bytes a node, %5.1f contacts\n", state,
           (double)(heap_bytes() - before) / bench->count, mean_contacts(bench));
}

static void measure_idle(struct bench *bench, int64_t seconds)
{
    double start_ns = cpu_ns();
    uint64_t delivered = bench->delivered;
    uint64_t ticks = bench->ticks;
    run_until(bench, bench->now_us + seconds * SECOND_US);
    double node_seconds = (double)bench->count * (double)seconds;
    printf("idle: %.0f ns a node and second; %.3f messages, %.3f ticks\n",
           (cpu_ns() - start_ns) / node_seconds,
           (double)(bench->delivered - delivered) / node_seconds,
           (double)(bench->ticks - ticks) / node_seconds);
}

static void measure_lookups(struct bench *bench, size_t before)
{
    for (uint32_t node = 0; node < bench->count && node < 1000; node++)
        look_up(bench, node);
    run_until(bench, bench->now_us + 3 * LATENCY_US);
    tell_bytes(bench, "in a lookup (the first 1000)", before);
    run_until(bench, bench->now_us + 10 * SECOND_US);
    double start_ns = cpu_ns();
    uint64_t delivered = bench->delivered;
    uint64_t lookups = LOOKUPS * (uint64_t)bench->count;
    if (lookups > 100000)
        lookups = 100000;
    for (uint64_t i = 0; i < lookups; i++) {
        look_up(bench, (uint32_t)dht_random_below(&bench->random, bench->count));
        run_until(bench, bench->now_us + 5000);
    }
    run_until(bench, bench->now_us + 10 * SECOND_US);
    double messages = (double)(bench->delivered - delivered);
    printf("lookups: %.0f ns a message, %.1f messages a lookup\n", (cpu_ns() - start_ns) / messages,
           messages / (double)lookups);
}

static uint32_t argument(int argc, char **argv, int index, uint32_t otherwise)
{
    return argc > index ? (uint32_t)strtoul(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    static const uint8_t seed[32] = "pnr, bench/brain.c";
    struct bench bench = {.count = argument(argc, argv, 1, 1000)};
    struct daemon_error error;
    struct daemon_crypto *keys = daemon_crypto_open(NULL, &error);
    if (keys == NULL)
        bench_die("crypto", error.text);
    struct dht_crypto crypto = daemon_crypto_table(keys);
    dht_random_init(&bench.random, seed);
    bench.nodes = calloc(bench.count, sizeof *bench.nodes);
    bench.wire = calloc(WIRE_SLOTS, sizeof *bench.wire);
    bench.heap = calloc(bench.count, sizeof *bench.heap);
    bench.position = calloc(bench.count, sizeof *bench.position);
    bench.due_us = calloc(bench.count, sizeof *bench.due_us);
    if (bench.nodes == NULL || bench.wire == NULL || bench.heap == NULL || bench.position == NULL ||
        bench.due_us == NULL)
        bench_die("bench", "no memory");
    size_t before = heap_bytes();
    for (uint32_t node = 0; node < bench.count; node++)
        make_node(&bench, node, &crypto, argument(argc, argv, 2, 8));
    tell_bytes(&bench, "fresh", before);
    double start_ns = cpu_ns();
    join(&bench);
    run_until(&bench, bench.now_us + 30 * SECOND_US);
    printf("joining: %.0f ns a message, %.1f messages a node\n",
           (cpu_ns() - start_ns) / (double)bench.delivered, (double)bench.delivered / bench.count);
    tell_bytes(&bench, "joined, 30 s later", before);
    measure_idle(&bench, argument(argc, argv, 3, 1800));
    tell_bytes(&bench, "joined, and idle", before);
    measure_lookups(&bench, before);
    return 0;
}
