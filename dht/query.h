// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_QUERY_H
#define PNR_DHT_QUERY_H

// Our own queries: written into the outbox, with a transaction that waits for the reply.

#include "dht/engine.h"

struct dht_query {
    enum dht_krpc_method method;
    enum dht_purpose purpose;
    const struct dht_addr *addr;
    const struct dht_id *id;     // expected of who answers; NULL: unknown
    const struct dht_id *target; // of all but ping
    uint32_t op;                 // 0: of no operation
    uint16_t candidate;          // of op's lookup
    uint32_t rtt_us;             // expected; 0: unknown
    int64_t seq_known;           // of get; DHT_SEQ_NONE: leave it out
    const struct dht_item *item; // of put
    int64_t cas;                 // of put; DHT_SEQ_NONE: leave it out
    uint16_t port;               // of announce_peer; 0: implied_port
    bool changed;                // likewise
    // Of announce_peer, put, pnr_who and pnr_watch; of find_node, get_peers and get: to echo.
    struct dht_span token;
    int64_t offset;         // of pnr_who
    bool want_both;         // ask for contacts of both families (BEP 32)
    const uint8_t *nonce;   // of pnr_watch and pnr_changed
    int64_t lease_s;        // of pnr_watch
    bool peers;             // of pnr_watch: the peers of an infohash are meant
    bool gone;              // of pnr_changed
    struct dht_span values; // of pnr_changed: compact peers, end to end; none: len 0
    // Given up after this and not before, with no soft timeout; 0: as others are.
    int64_t timeout_us;
    bool pays; // its bytes count against the budget of who gets them (dht/source.h)
};

// Writes the query with that transaction id; returns its length.
size_t dht_query_write(const struct dht *dht, const struct dht_query *query, uint32_t tid,
                       uint8_t ret_bytes[DHT_DATAGRAM_MAX]);

// Sends the query. NULL where queries_max are outstanding or the outbox is full, and of one that
// pays also where its budget does not stretch so far; each is counted.
struct dht_transaction *dht_query_send(struct dht *dht, const struct dht_query *query);

// How long to wait for an answer before the place in flight is given to another: from the
// round-trip time that is known of the node, else from what nodes of unknown round-trip time take.
int64_t dht_query_soft_timeout_us(const struct dht *dht, uint32_t rtt_us);

// A node of unknown round-trip time took so long.
void dht_query_sample_rtt(struct dht *dht, int64_t rtt_us);

#endif
