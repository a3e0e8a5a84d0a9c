// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DHT_NETWORK_H
#define PNR_TESTS_DHT_NETWORK_H

// A handful of real engines in one process, in virtual time: every datagram takes a while, and some
// are lost. For tests of the engine; simnet is the real simulator. Everything follows from the
// seed.

#include "pnr/dht.h"

#define NETWORK_NODES_MAX 512

struct network_datagram {
    int64_t due_us;
    uint64_t order; // of two due at once, the first sent comes first
    struct dht_addr from, to;
    size_t len;
    uint8_t bytes[DHT_DATAGRAM_MAX];
};

struct network {
    struct dht *nodes[NETWORK_NODES_MAX];
    struct dht_addr addrs[NETWORK_NODES_MAX];
    bool dead[NETWORK_NODES_MAX];
    size_t count;
    int64_t now_us;
    uint64_t random; // state of a small generator
    uint32_t loss_percent;
    int64_t latency_us;              // one way, plus up to as much again
    struct network_datagram **queue; // binary heap
    size_t queue_len, queue_capacity;
    bool disturbed; // strangers talk too, with other transaction ids and values
    uint64_t sent;
    uint64_t trace; // hash over all that was delivered
    // Called for every output of a node that is no datagram. May start operations.
    void (*on_event)(struct network *network, size_t node, const struct dht_out *event);
    // May change or drop (return false) a datagram on its way.
    bool (*on_datagram)(struct network *network, struct network_datagram *datagram);
    void *ctx;
};

// count nodes at 127.0.0.1, ports from 10001, all of them bootstrapped by node 0. configure (or
// NULL) may change the configuration of each, its address too as long as the port stays.
void network_init(struct network *network, size_t count, uint64_t seed,
                  void (*configure)(size_t node, struct dht_config *config));
void network_fini(struct network *network);

// Sends what the node has queued, and passes its events on.
void network_drain(struct network *network, size_t node);

// Lets the time pass.
void network_run(struct network *network, int64_t duration_us);

// Hands bytes to a node as if from `from`.
void network_inject(struct network *network, size_t node, const struct dht_addr *from,
                    const void *bytes, size_t len);

uint64_t network_random(struct network *network);

#endif
