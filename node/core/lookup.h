// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_LOOKUP_H
#define PNR_CORE_LOOKUP_H

// One look for an item in one cloud: the same get on each of its engines, their answers merged. The
// best item is kept; ended when every engine has. Part of a resolve or of a publication, which owns
// the engines' events.

#include "node/core/cloud.h"

struct core_lookup {
    struct core_cloud *cloud;        // set by who owns it, before the first get or put
    int engines[NODE_ENGINES_MAX];   // by place in the cloud: the number of the engine asked
    uint32_t ops[NODE_ENGINES_MAX];  // of each; 0: none under way (or held, see held)
    uint32_t held[NODE_ENGINES_MAX]; // ended, and kept for a put
    uint32_t running;                // engines that have not ended
    bool has_changed;                // set by who owns it, before an announce: see there
    struct dht_id target;            // of the get
    bool found;
    bool is_mutable;
    uint8_t key[DHT_KEY_LEN];
    uint8_t sig[DHT_SIG_LEN];
    int64_t seq;
    uint16_t value_len;
    uint8_t value[DHT_VALUE_LEN_MAX]; // bencoded
    struct dht_tally tally;           // of all engines that have ended, and of puts
};

// Starts get on every engine of its cloud. False where no engine would take it; nothing is under
// way then.
bool core_lookup_get(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_get *get);

// Starts to store item on every engine, going on from the held gets where there are any.
bool core_lookup_put(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_item *item, int64_t cas);

// Starts to look for the peers of an infohash on every engine. False as core_lookup_get().
bool core_lookup_peers(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                       void *object, const struct dht_id *info_hash, bool trace);

// Starts to announce the node itself on every engine that others can reach; where has_changed is
// set those who watch the infohash are told, though they know the node. False where no engine would
// take it, or none can be reached.
bool core_lookup_announce(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                          void *object, const struct dht_id *info_hash);

// Announces the node itself once more, as one that has something else to say, on every engine that
// others can reach. Nobody is told what comes of it; where an engine has no room it is left out.
void core_lookup_announce_changed(struct node *node, const struct core_cloud *cloud,
                                  const struct dht_id *info_hash);

// dht_put_early() on every engine whose get still goes on.
void core_lookup_put_early(struct node *node, struct core_lookup *lookup,
                           const struct dht_item *item, int64_t cas);

// Takes in an item of one of its operations. Whether it is the best so far.
bool core_lookup_item(struct core_lookup *lookup, const struct dht_item *item);

// One of its operations has ended; keep: as held. Whether that was the last one.
bool core_lookup_done(struct node *node, struct core_lookup *lookup, int engine,
                      const struct dht_tally *tally, bool keep);

// Cancels what is under way, and lets go of what is held.
void core_lookup_cancel(struct node *node, struct core_lookup *lookup);

// The byte string that a value is, without its length; ret is an empty span where it is no byte
// string.
struct dht_span core_lookup_string(const struct core_lookup *lookup);

#endif
