// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_OUTBOX_H
#define PNR_DHT_OUTBOX_H

// The engine's one queue of outputs: datagrams, written in place, and events, in the order they
// came about. One buffer that grows on demand up to outbox_max; what does not fit is dropped and
// counted by the caller. Entries stay where they are from one input of the engine to the next, so
// that what dht_next() hands out may be sent without a copy.

#include "pnr/dht.h"

struct dht_outbox {
    uint8_t *bytes;
    size_t head;     // the oldest entry
    size_t tail;     // where the next one goes
    size_t event_at; // no event waits before this; at least head
    uint32_t events; // that wait
    size_t capacity;
    size_t capacity_max;
    size_t keep; // memory kept while the queue is empty
};

void dht_outbox_init(struct dht_outbox *outbox, size_t capacity_max, size_t keep);
void dht_outbox_fini(struct dht_outbox *outbox);

// Called at the start of every input: what was handed out is no longer borrowed, so its room is
// taken back.
void dht_outbox_reclaim(struct dht_outbox *outbox);

// What was handed out is no longer borrowed, and if nothing is left the memory goes too.
void dht_outbox_rest(struct dht_outbox *outbox);

// Room for a datagram of up to DHT_DATAGRAM_MAX bytes, or NULL where the queue is full. It counts
// only once dht_outbox_commit() says how long it became and where it goes; op is 0 for a reply.
uint8_t *dht_outbox_open(struct dht_outbox *outbox);
void dht_outbox_commit(struct dht_outbox *outbox, const struct dht_addr *to, size_t len,
                       uint32_t op);

// Queues an event. What its spans and arrays point to is copied. False where the queue is full.
bool dht_outbox_event(struct dht_outbox *outbox, const struct dht_out *event);

// Takes the oldest entry.
bool dht_outbox_next(struct dht_outbox *outbox, struct dht_out *ret_out);

// Takes the oldest event, passing over datagrams, which stay.
bool dht_outbox_next_event(struct dht_outbox *outbox, struct dht_out *ret_out);

// Drops what is queued for the operation.
void dht_outbox_forget(struct dht_outbox *outbox, uint32_t op);

#endif
