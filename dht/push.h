// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_PUSH_H
#define PNR_DHT_PUSH_H

// Pushes to those who watch something here (docs/watching.md): what each is told, when, and what
// follows from its answer, or from none.
//
// One push at a time is under way to a watcher, repeated after 2, 4 and 8 seconds; then the watcher
// is forgotten. Only the newest state is ever sent: what changes meanwhile is what the next one
// says. At most pushes_max are under way in all, and the others wait in their order. Nobody is
// pushed an item more often than once a second, or peers more often than every five. Bytes to an
// address that is not proven are paid from its prefix's budget (dht/source.h); there an item is
// announced by a short notice first, whose acknowledgement proves the address. What cannot be paid
// for, or does not fit the queue, is tried again two seconds later.
//
// These functions queue datagrams: none of them is called while a reply is being written.

#include "dht/engine.h"

// A watcher was added, or has renewed: sees what it is to be told. Its lease is set.
void dht_push_begin(struct dht *dht, struct dht_watcher *watcher);
// Its nonce is another one: from now on it is on trial, whatever was under way.
void dht_push_try_anew(struct dht *dht, struct dht_watcher *watcher);
// Takes a watcher away, and what is under way to it.
void dht_push_forget(struct dht *dht, struct dht_watcher *watcher);

// An item was stored here that was not there before. from: who put it, and knows it; NULL: nobody.
void dht_push_item(struct dht *dht, const struct dht_item *item, const struct dht_addr *from);
// The item that was stored here has expired.
void dht_push_gone(struct dht *dht, const struct dht_id *target);
// A peer was announced that was not there before, or says that it has changed. from: likewise.
void dht_push_peer(struct dht *dht, const struct dht_id *info_hash, const struct dht_addr *peer,
                   const struct dht_addr *from);

// A watcher's timer rang.
void dht_push_ring(struct dht *dht, struct dht_watcher *watcher);
// The watcher has acknowledged.
void dht_push_reply(struct dht *dht, const struct dht_transaction *transaction);
// It knows of no such watch, or is not there at all.
void dht_push_refused(struct dht *dht, const struct dht_transaction *transaction);
// It is silent.
void dht_push_silent(struct dht *dht, const struct dht_transaction *transaction);

// The table, made when first needed; NULL where memory is short.
struct dht_watcher_table *dht_push_table(struct dht *dht);

#endif
