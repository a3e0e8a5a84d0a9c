// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_SERVE_H
#define PNR_DHT_SERVE_H

// Answers queries: ping, find_node, get_peers, announce_peer, sample_infohashes, and get and put by
// way of dht/serve_item.h, and pnr_who by way of dht/serve_who.h. A reply is written straight into
// the outgoing datagram. What would take more bytes than its source may have (dht/source.h) is made
// smaller, and if even that is too much, not sent.

#include "dht/engine.h"

// One query being answered.
struct dht_serve {
    struct dht *dht;
    const struct dht_krpc *msg;
    const struct dht_addr *from;
    size_t budget; // bytes that the reply may have
    bool proven;   // the source has shown that it is really there
    struct dht_bencode_writer writer;
    struct dht_krpc_envelope envelope;
};

void dht_serve_query(struct dht *dht, const struct dht_addr *from, size_t datagram_len,
                     const struct dht_krpc *msg);

// For dht/serve_item.c and dht/serve_who.c: how a reply is put together.
void dht_serve_open(struct dht_serve *serve);
// `nodes` and `nodes6` (BEP 32), closest to target, for the families asked for, as many as fit into
// `room` bytes.
void dht_serve_nodes(struct dht_serve *serve, const struct dht_id *target, size_t room);
// How long that is at most.
size_t dht_serve_nodes_len(const struct dht_serve *serve);
void dht_serve_token(struct dht_serve *serve, const struct dht_id *target);
void dht_serve_close(struct dht_serve *serve);
// Answers 203: arguments that the method needs are missing or make no sense.
void dht_serve_refuse_arguments(struct dht_serve *serve);
void dht_serve_error(struct dht_serve *serve, enum dht_krpc_error code, const char *text);
// Whether the query's token is ours; counts a wrong one and answers 203.
bool dht_serve_check_token(struct dht_serve *serve, const struct dht_id *target);
// A find_node, get_peers or get may bring the token of an earlier reply: then the source is proven,
// and gets all there is. A wrong one is none at all, for BEP 5 and BEP 44 know no token there.
void dht_serve_take_echo(struct dht_serve *serve, const struct dht_id *target);
// Reads a 20-byte argument that parsing has checked.
struct dht_id dht_serve_id(struct dht_span span);

#endif
