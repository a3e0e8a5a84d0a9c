// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_CROWD_H
#define PNR_BENCH_CROWD_H

// Some hundred contacts for the node under measurement, of one thread and one socket: each has an
// address of its own in 127/8, and an id that fits one of the node's buckets. They answer ping and
// find_node, so the node takes them into its table and keeps them there.

#include "pnr/dht.h"

struct bench_crowd;

// As many buckets are filled as the table of a node in a network of so many nodes has: 20 is about
// ten millions.
#define BENCH_CROWD_DEPTHS 20

// Makes contacts for a node with this id and address, as many as its default buckets hold: 128, 64,
// 32, 16, and then 8 for each depth.
struct bench_crowd *bench_crowd_start(const struct dht_id *node_id, const struct dht_addr *node);
void bench_crowd_stop(struct bench_crowd *crowd);

// How many contacts there are, and the id of one of them.
size_t bench_crowd_count(const struct bench_crowd *crowd);
const struct dht_id *bench_crowd_id(const struct bench_crowd *crowd, size_t index);

// Lets each of the contacts in [first, first + count) ping the node, which then asks it back.
void bench_crowd_knock(struct bench_crowd *crowd, size_t first, size_t count);

#endif
