// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_WATCH_H
#define PNR_CORE_WATCH_H

// Watches: names whose changes clients are told of. One name is watched once, however many ask for
// it; each client has a picture of its own (node/core/watcher.h).
//
//     JOINING  --somebody to ask--> KEY (of a 40-hex authority) or RECORD
//     KEY      --found--> RECORD            --not found, or nobody answered--> JOINING, tried again
//              or, where nodes were asked to tell of it, until they do
//     RECORD   --ended: its closest nodes are asked to tell of changes--> STANDING, or PAYLOAD
//              where the record found keeps its payload apart
//              --nobody answered, or nothing found for the first time where something
//              stood--> JOINING, tried again
//     PAYLOAD  --parts found, or one not--> STANDING
//     STANDING --a newer item--> STANDING, or PAYLOAD       --entries expire--> STANDING
//              --nobody holds it any more, our network has changed, nobody tells us--> RECORD
//
// What stands is the newest item that was seen, and what it says without entries that have expired
// by the wall clock. It fires where a publisher comes or goes or says something else; the same
// content signed again does not. What this node publishes itself is taken at once. The cache learns
// what a watch hears.
//
// A watch ends with the last request for it. Bound: watches_max names, with those of
// node/core/swarm.h; clients by their requests.

#include "node/core/apart.h"
#include "node/core/lookup.h"
#include "node/core/publication.h"
#include "node/core/teller.h"
#include "node/core/watcher.h"

enum core_watch_state {
    CORE_WATCH_JOINING,
    CORE_WATCH_KEY,
    CORE_WATCH_RECORD,
    CORE_WATCH_PAYLOAD,
    CORE_WATCH_STANDING,
};

struct core_watch {
    struct core_watch *next, *prev; // of the node
    struct dht_timer timer;         // JOINING: tries again; STANDING: entries expire, or looks
    enum core_watch_state state;
    struct core_cloud *cloud;
    struct core_name name; // of kind KEY or HASH
    uint8_t key[DHT_KEY_LEN];
    bool has_key;
    struct dht_id target;
    uint8_t salt[DHT_SALT_LEN_MAX];
    size_t salt_len;
    struct core_watcher *watchers;
    struct core_lookup lookup;   // under way
    struct dht_tally tally;      // of the last one
    uint32_t misses;             // lookups in a row that have not found what stood
    uint32_t silences;           // and that nobody has answered
    bool whole;                  // all that there is was told: a lookup has ended
    int64_t look_us;             // STANDING: when to look again; INT64_MAX: when something happens
    bool look_again;             // the lookup under way may have begun too early
    struct core_lookup standing; // the item that stands, where `found`; no operations in it
    enum control_source source;  // where it came from
    bool is_confirmed;           // seen since the lookup under way began
    struct core_record record;   // what it says, where is_there
    bool is_there;
    struct core_apart payload; // of this record or the one before
    struct core_teller teller; // of the record; without the key, of the key's own record
};

// Begins, or joins, the watch of a name of any secured kind but LABEL in the request's cloud. The
// watcher's request may have failed, and be gone, afterwards.
void core_watch_start(struct node *node, struct core_watcher *watcher,
                      const struct core_name *name);
// The watcher's request ends; the watcher is freed, and a watch that nobody watches any more ends.
void core_watch_leave(struct node *node, struct core_watcher *watcher);
// The client has read some: it is told what it was too slow for.
void core_watch_catch_up(struct node *node, struct core_watcher *watcher);

// An event of one of its operations.
void core_watch_event(struct node *node, struct core_watch *watch, int engine,
                      const struct dht_out *event);
void core_watch_timer(struct node *node, struct core_watch *watch);

// A round of publishing has stored this: whoever watches it from here is told.
void core_watch_published(struct node *node, const struct core_publication *publication);
// Our address or network has changed: all of the cloud, NULL: of all clouds, look again, a little
// apart.
void core_watch_look_all(struct node *node, const struct core_cloud *cloud);
// The wall clock was set: entries expire at other times now.
void core_watch_clock_set(struct node *node);

#endif
