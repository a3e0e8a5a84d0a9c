// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_RESOLVE_H
#define PNR_CORE_RESOLVE_H

// Resolving secured names: a lookup of the record, before it, for a 40-hex authority, one of the
// key, and after it, for a payload that is kept apart, one for each of its parts.
//
//     JOINING --somebody to ask--> KEY or RECORD          (nobody known yet: waits until there is,
//     or for the deadline) KEY     --unsalted record found, K hashes to the authority--> RECORD
//     RECORD  --ended early with nothing to resolve to--> RECORD, to the end this time
//     RECORD  --found, payload apart--> PAYLOAD           RECORD --found or not--> answered, gone
//     PAYLOAD --all parts found, or one not--> answered, gone
//
// Equal requests (same cloud, target and wait) share one lookup. It is cancelled when the last of
// them leaves. Bound: resolves_max.

#include "node/core/lookup.h"
#include "node/core/session.h"

enum core_resolve_state {
    CORE_RESOLVE_JOINING,
    CORE_RESOLVE_KEY,
    CORE_RESOLVE_RECORD,
    CORE_RESOLVE_PAYLOAD,
};

struct core_resolve {
    struct core_resolve *next, *prev; // of the node
    struct dht_timer timer;           // while JOINING
    struct core_cloud *cloud;
    enum core_resolve_state state;
    enum control_wait wait;
    bool trace;
    bool ending;   // being answered: nobody cancels it for having no waiters
    bool early;    // an engine has ended the lookup before it was done
    bool thorough; // looks once more, to the end: "not found" is never said early
    int64_t started_us;
    struct core_name name; // of kind KEY or HASH
    uint8_t key[DHT_KEY_LEN];
    bool has_key;
    struct dht_id target;
    uint8_t salt[DHT_SALT_LEN_MAX];
    size_t salt_len;
    struct core_request *waiters;
    struct core_lookup lookup;
    struct dht_tally tally; // of the record's lookup
    // The record found, and its payload's parts.
    struct core_record *record;
    int64_t seq;
    uint8_t *payload;
    uint32_t part; // the part looked for
};

// Answers the request from here or from the cache, or starts or joins a lookup in its cloud. name
// is of any secured kind but LABEL.
void core_resolve_start(struct node *node, struct core_request *request,
                        const struct core_name *name, enum control_wait wait);

// The request ends; a lookup without waiters is cancelled.
void core_resolve_leave(struct node *node, struct core_resolve *resolve,
                        struct core_request *request);

// The request's time is up while it waits for a lookup. Whether that was told something, and is
// done with it: it is gone then.
bool core_resolve_timeout(struct node *node, struct core_request *request);

// An event of one of its operations.
void core_resolve_event(struct node *node, struct core_resolve *resolve, int engine,
                        const struct dht_out *event);

// Its timer rang: tries again whether there is somebody to ask.
void core_resolve_timer(struct node *node, struct core_resolve *resolve);

void core_resolve_free_all(struct node *node);

#endif
