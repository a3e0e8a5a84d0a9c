// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_WORKLOAD_H
#define PNR_BENCH_WORKLOAD_H

// What is asked: the methods measured, the items and infohashes that the node stores, and the
// datagrams made of them. The same in each run, from a fixed seed.

#include "bench/load.h"
#include "dht/random.h"

enum bench_method_id {
    BENCH_PING,
    BENCH_FIND_NODE,
    BENCH_GET_PEERS,     // of infohashes with a peer
    BENCH_ANNOUNCE_PEER, // of peers that are there
    BENCH_GET_IMMUTABLE, // that finds
    BENCH_GET_MUTABLE,   // that finds
    BENCH_PUT_IMMUTABLE_AGAIN,
    BENCH_PUT_MUTABLE_AGAIN,
    BENCH_PUT_IMMUTABLE,
    BENCH_PUT_MUTABLE,
    BENCH_METHODS
};

struct bench_method {
    const char *name;
    double floor;   // the ratio to the yardstick that is wanted; 0: none
    size_t count;   // datagrams of one measurement
    size_t latency; // datagrams of one measurement of latency
    bool is_fresh;  // each datagram counts once only
};
extern const struct bench_method bench_methods[BENCH_METHODS];

#define BENCH_VALUE_LEN 104 // 100 bytes, bencoded

struct bench_workload {
    size_t stored_max; // items, half of them mutable; as many infohashes
    struct dht_id *info_hashes;
    struct dht_item *immutable; // stored_max / 2, and then the fresh ones
    struct dht_item *mutable;   // likewise
    uint8_t *values;            // what the items' spans point to
    struct dht_id ids[BENCH_LOAD_SOCKETS];
    struct dht_random random;
};

// Makes it all; signing takes some seconds.
struct bench_workload *bench_workload_new(size_t stored_max);
void bench_workload_free(struct bench_workload *workload);

// The datagrams of a method, for a node with `stored` items.
struct bench_workload_part {
    enum bench_method_id id;
    size_t stored;
    bool for_latency; // of a fresh method: others than for the throughput
};

// Makes them. Where tokens are needed the node is asked for them, by `ask`, which has to hand each
// answer to `take`.
typedef void (*bench_workload_ask_fn)(void *ctx, const struct bench_batch *batch,
                                      bench_load_take_fn take, void *take_ctx);
void bench_workload_make(struct bench_workload *workload, const struct bench_workload_part *part,
                         bench_workload_ask_fn ask, void *ctx, struct bench_batch *ret_batch);
// The same by way of the load generator.
void bench_workload_batch(struct bench_workload *workload, struct bench_load *load,
                          const struct bench_workload_part *part, struct bench_batch *ret_batch);

// Stores `stored` items and as many infohashes with a peer each. Ends the program where it fails.
void bench_workload_store(struct bench_workload *workload, struct bench_load *load, size_t stored);

#endif
