// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_TELLER_H
#define PNR_CORE_TELLER_H

// The engines of one cloud that watch a target for us (dht_watch()), each by itself. Part of a
// watch (node/core/watch.h), which owns their events.

#include "node/core/lookup.h"

struct core_teller {
    struct core_cloud *cloud;       // set by who owns it, before the first use
    int engines[NODE_ENGINES_MAX];  // by place in the cloud: the number of the engine
    uint32_t ops[NODE_ENGINES_MAX]; // of each; 0: it does not watch
};

// Who is handed the events.
struct core_teller_owner {
    enum core_owner_kind kind;
    void *object;
};

// Has each engine that does not watch begin to, by the nodes that the lookup, which has ended,
// holds. Whether any watches now. What the lookup held is let go of.
bool core_teller_begin(struct node *node, struct core_teller *teller, struct core_lookup *lookup,
                       const struct dht_watch *asked, const struct core_teller_owner *owner);
// Ends them all.
void core_teller_end(struct node *node, struct core_teller *teller);

// Whether the operation is one of them.
bool core_teller_has(const struct core_teller *teller, int engine, uint32_t op);
// Its engine has ended it.
void core_teller_lost(struct node *node, struct core_teller *teller, int engine, uint32_t op);

#endif
