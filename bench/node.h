// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_NODE_H
#define PNR_BENCH_NODE_H

// The node under measurement: a pnrd of its own, in a directory of its own that goes with it.

#include "bench/crowd.h"
#include "bench/load.h"

#include <sys/types.h>

struct bench_node {
    pid_t pid;
    struct dht_addr addr;
    char dir[128];
    struct bench_crowd *crowd; // NULL before bench_node_fill()
};

enum bench_node_kind {
    BENCH_NODE_UNLIMITED, // a lab at 127.0.0.1, without limits and with raised capacities
    BENCH_NODE_LIMITED,   // at 10.0.0.1 (bench/flood.h), with all its defaults, but that it serves
};

// Starts pnrd and waits until it answers. processor: see bench/process.h.
void bench_node_start(struct bench_node *node, const char *pnrd, int processor,
                      enum bench_node_kind kind);
void bench_node_stop(struct bench_node *node);

// Fills its table. Returns how many of the contacts it then hands out when asked for them, of
// bench_crowd_count().
size_t bench_node_fill(struct bench_node *node, struct bench_load *load);

// A UDP port that is free now.
uint16_t bench_node_free_port(void);

#endif
