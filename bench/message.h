// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_MESSAGE_H
#define PNR_BENCH_MESSAGE_H

// The queries that the load generator sends.

#include "dht/krpc.h"
#include "pnr/dht.h"

struct bench_query {
    enum dht_krpc_method method;
    const struct dht_id *id; // of the asker
    const struct dht_id *target;
    const struct dht_item *item; // of a put
    struct dht_span token;       // of a put or an announce
    uint32_t tid;
    bool read_only; // the asker is no node to be remembered (BEP 43)
};

// Writes the query; returns its length.
size_t bench_message_write(const struct bench_query *query, uint8_t ret_bytes[DHT_DATAGRAM_MAX]);

struct bench_reply {
    uint32_t tid;          // as bench_message_write() wrote it
    bool is_good;          // a reply, and no error
    bool has_value;        // an item, or peers
    struct dht_span token; // a view of the datagram; empty where there is none
    struct dht_span nodes; // likewise
};
// Reads a reply. False where it is none, or its transaction id is not of 4 bytes.
bool bench_message_read(struct dht_span datagram, struct bench_reply *ret_reply);

#endif
