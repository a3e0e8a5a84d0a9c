// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_SWARM_H
#define PNR_CORE_SWARM_H

// Watches of unsecured names. Nobody keeps a record of those: who publishes a name is who answers
// when he is asked (node/core/unsecured.h). So all of them are asked again now and then, which is
// how one notices that one has gone; and at once where the engines, which watch the swarm, hear of
// somebody new, or of who says something else, where something is registered here, or where our
// network has changed.
//
//     LOOKING  --the lookup has ended--> STANDING        (nobody answered: tried again soon)
//     STANDING --a minute is over, or there is news--> LOOKING
//
// Anybody can announce anybody: where somebody new was named, and the lookup finds nobody who says
// anything new, the next such lookup waits longer, twice as long each time, up to the minute.
// Somebody who is really there, or a minute in which nobody is named, ends that.
//
// Who answers is told at once; that somebody is gone, when his node says so, or when three lookups
// have not found him: that may have been bad luck, and the second and third follow soon. Each
// client has a picture of its own (node/core/watcher.h). Bound: watches_max, together with those of
// secured names.

#include "node/core/teller.h"
#include "node/core/unsecured.h"
#include "node/core/watcher.h"

enum core_swarm_state {
    CORE_SWARM_LOOKING,
    CORE_SWARM_STANDING,
};

struct core_swarm {
    struct core_swarm *next, *prev; // of the node
    struct dht_timer timer;         // STANDING: looks
    enum core_swarm_state state;
    struct core_cloud *cloud;
    struct core_name name; // of kind UNSECURED
    struct dht_id info_hash;
    struct core_watcher *watchers;
    struct core_unsecured *lookup; // LOOKING: under way
    struct core_unsecured *found;  // the last that ended, owned: what there is; NULL: none yet
    int64_t looked_us;             // when the last one began
    int64_t again_us;              // when to look because of news; INT64_MAX: there is none
    int64_t named_pause_us;        // between two lookups for strangers that were named
    bool is_named;                 // a stranger was, since the last lookup began
    bool was_named;                // and before it
    bool whole;                    // a lookup has ended
    struct core_teller teller;
};

// Begins, or joins, the watch of an unsecured name in the request's cloud. The watcher's request
// may have failed, and be gone, afterwards.
void core_swarm_start(struct node *node, struct core_watcher *watcher,
                      const struct core_name *name);
void core_swarm_leave(struct node *node, struct core_watcher *watcher);
void core_swarm_catch_up(struct node *node, struct core_watcher *watcher);

void core_swarm_event(struct node *node, struct core_swarm *swarm, int engine,
                      const struct dht_out *event);
void core_swarm_timer(struct node *node, struct core_swarm *swarm);

// Its lookup has found somebody, from `first` on, or has ended, which hands it over.
void core_swarm_found(struct node *node, struct core_swarm *swarm,
                      const struct core_unsecured_result *first);
void core_swarm_looked(struct node *node, struct core_swarm *swarm,
                       struct core_unsecured *unsecured);

// What is registered here under the infohash has changed.
void core_swarm_changed(struct node *node, const struct core_cloud *cloud,
                        const struct dht_id *info_hash);
// Our address or network has changed: all of the cloud, NULL: of all clouds, look again.
void core_swarm_look_all(struct node *node, const struct core_cloud *cloud);

#endif
