// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_LOAD_H
#define PNR_BENCH_LOAD_H

// The load generator: sends prepared datagrams from some sockets to a server and counts what comes
// back. Datagram i leaves by socket i % BENCH_LOAD_SOCKETS, always, because tokens are bound to the
// source port. Its transaction id is i.

#include "bench/message.h"

#define BENCH_LOAD_SOCKETS 16
#define BENCH_LOAD_WINDOW  512 // datagrams under way at once

// Prepared datagrams, end to end.
struct bench_batch {
    uint8_t *bytes;
    size_t *ends; // where each datagram ends
    size_t count;
    size_t capacity;
    size_t bytes_capacity;
    bool are_echoes; // what comes back is not looked at
};

void bench_batch_add(struct bench_batch *batch, const void *bytes, size_t len);
struct dht_span bench_batch_at(const struct bench_batch *batch, size_t index);
void bench_batch_clear(struct bench_batch *batch);

struct bench_load;

struct bench_load *bench_load_new(void);
void bench_load_free(struct bench_load *load);

// Whom to send to, on 127.0.0.1.
void bench_load_aim(struct bench_load *load, uint16_t port);

struct bench_load_result {
    size_t replies;
    size_t errors; // of them, those that are no good replies
    size_t lost;   // datagrams not answered
    size_t bytes;  // of all replies
    int64_t wall_ns;
};

// Closed loop: sends `count` datagrams of the batch, from number `first` on (a multiple of
// BENCH_LOAD_SOCKETS), over and over, always as many under way as the window has room for. Adds to
// the result.
void bench_load_closed(struct bench_load *load, const struct bench_batch *batch, size_t first,
                       size_t count, struct bench_load_result *result);

// Open loop: `count` datagrams at `per_second`, whatever the server does. The time of each answer
// is counted from when its datagram was due to leave. Fills in the median and the 99th percentile.
struct bench_load_latency {
    double p50_us;
    double p99_us;
    size_t lost;
};
void bench_load_open(struct bench_load *load, const struct bench_batch *batch, size_t count,
                     double per_second, struct bench_load_latency *ret_latency);

// Asks each datagram of the batch once, again where no answer comes, and hands each answer to
// `take`, with the index of its question. Returns how many were not answered.
typedef void (*bench_load_take_fn)(void *ctx, size_t index, const struct bench_reply *reply,
                                   size_t len);
size_t bench_load_ask(struct bench_load *load, const struct bench_batch *batch,
                      bench_load_take_fn take, void *ctx);

#endif
