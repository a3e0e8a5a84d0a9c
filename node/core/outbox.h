// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_OUTBOX_H
#define PNR_CORE_OUTBOX_H

// The brain's outputs besides the engines' datagrams, which stay in queues of their own: bytes for
// clients, announcements, rows to be made durable, work for the keeper of keys, lines for the log.
// First in, first out. Each is copied into memory of its own, which lives until the next input
// after it was handed out. What each kind may take up is bounded by who queues it: sessions by
// session_out_max, rows by publications, keys by requests.

#include "pnr/node.h"

struct core_outbox_entry;

struct core_outbox {
    struct core_outbox_entry *first;
    struct core_outbox_entry *last;
    struct core_outbox_entry *lent; // handed out since the last input
};

void core_outbox_fini(struct core_outbox *outbox);
// Called at the start of every input.
void core_outbox_reclaim(struct core_outbox *outbox);

// Each is false where memory is short.
bool core_outbox_bytes(struct core_outbox *outbox, uint32_t session, struct dht_span bytes);
// An announcement: to be sent by that engine's socket.
bool core_outbox_datagram(struct core_outbox *outbox, int engine,
                          const struct dht_datagram *datagram);
bool core_outbox_hangup(struct core_outbox *outbox, uint32_t session);
bool core_outbox_write(struct core_outbox *outbox, const struct node_out *write);
bool core_outbox_key(struct core_outbox *outbox, const struct node_out *key);
// A line for the log: text, then detail.
bool core_outbox_event(struct core_outbox *outbox, bool warning, const char *text,
                       const char *detail);

bool core_outbox_next(struct core_outbox *outbox, struct node_out *ret_out);

#endif
