// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DAEMON_FAKE_NODE_H
#define PNR_TESTS_DAEMON_FAKE_NODE_H

// What a test can ask the fake brain of fake_node.c.

#include "pnr/node.h"

#include <stdio.h>

#define FAKE_NODE_BIG      20000000
#define FAKE_NODE_RESTORED 16

struct fake_node_seen {
    int64_t wall_us;
    enum node_row_kind restored[FAKE_NODE_RESTORED];
    size_t restored_count;
    int keys;
    char key_label[64];
    int key_code;
    int sessions; // open now
    enum node_access access;
    size_t received; // bytes of clients
    size_t sent;
    bool is_started;
};

struct fake_node_seen *fake_node_seen(struct node *node);
// What it was lent.
struct dht_crypto fake_node_crypto(const struct node *node);
// Queues an output; what it points to has to last.
void fake_node_ask(struct node *node, const struct node_out *out);

#endif
