// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_WATCH_H
#define PNR_DHT_WATCH_H

// Our own watches (docs/watching.md): dht_watch() of include/pnr/dht.h, from its start to
// dht_cancel(). A lookup finds the keepers; dht/keeper.h has them push, or asks them; what they
// tell comes together here, is verified, and told on. A new lookup follows where fewer than half of
// the keepers are left, where none of them holds the item any more, and after an hour.
//
// Of several watches of one target the first leads: it has the keepers, which know one watch of a
// node and target only. The others listen: each looks up once, to be told what there is, unless it
// knows as much as the one that leads; then all are told what that hears. When it is cancelled
// another takes over its keepers, who do not notice.
//
// A keeper has to show the watch's nonce, which is compared in constant time, before anything else
// that it says is looked at. What it says is believed of items with a good signature alone. One
// that signs badly is lost.

#include "dht/engine.h"
#include "dht/watch_table.h"

// A pnr_changed that has come.
struct dht_watch_push {
    const struct dht_addr *from;
    const struct dht_krpc *msg;
};

// Whether it is for a watch of ours: from one of its keepers, with its nonce. Queues nothing.
bool dht_watch_expects(const struct dht *dht, const struct dht_watch_push *push);
// Takes in one that was expected, after it was acknowledged.
void dht_watch_take(struct dht *dht, const struct dht_watch_push *push);

// An item was stored here that was not there before: tells those who watch it, ourselves among
// them. from: who put it; NULL: nobody. Not to be called while a reply is being written.
void dht_watch_stored(struct dht *dht, const struct dht_item *item, const struct dht_addr *from);

// A verified item was found or pushed: news to those watches of its target that know an older one,
// or none. Returns whether there were any. Where our own store has an older one it is replaced.
bool dht_watch_news(struct dht *dht, const struct dht_item *item, const struct dht_addr *from);
// Peers that were found or pushed, of our own family.
struct dht_watch_heard {
    const struct dht_addr *peers;
    size_t count; // at most DHT_FOUND_PEERS_MAX
    const struct dht_addr *from;
    bool is_pushed;
};
// Tells all that share the watch's keepers.
void dht_watch_peers(struct dht *dht, const struct dht_watching *watching,
                     const struct dht_watch_heard *heard);

// A keeper, whose watch it is, has had news of the peers at that time, as far as it can be known
// here: at that time or a little later.
void dht_watch_peers_news(struct dht *dht, const struct dht_watching *watching, int64_t news_us);

// A lookup of keepers has found an item or peers, or has ended (it is closed by its caller).
void dht_watch_found_item(struct dht *dht, const struct dht_op *op, const struct dht_addr *from);
void dht_watch_found_peers(struct dht *dht, const struct dht_op *op, const struct dht_addr *peers,
                           size_t count, const struct dht_addr *from);
void dht_watch_looked(struct dht *dht, const struct dht_op *op);

// Sees whether any keeper still holds the item, as far as is known; where none does, a lookup will
// tell whether it is gone.
void dht_watch_doubt(struct dht_watching *watching);

// The watch's timer rang: does what is due.
void dht_watch_ring(struct dht *dht, struct dht_watching *watching);

// Ends a watch. Whether the id was one's.
bool dht_watch_cancel(struct dht *dht, uint32_t id);

// We have another address: the keepers are told soon.
void dht_watch_moved(struct dht *dht);

uint32_t dht_watch_count(const struct dht *dht);
// By id; NULL where there is none.
struct dht_watching *dht_watch_find(const struct dht *dht, uint32_t id);
// Where there are no watches, and no watchers, gives their tables back; returns whether there are
// none.
bool dht_watch_rest(struct dht *dht);

#endif
