// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_UNSECURED_H
#define PNR_CORE_UNSECURED_H

// Resolving unsecured names (docs/unsecured.md, section 4): the nodes that are announced under the
// name are looked for, and each is asked live, as it is found, what it publishes. Each publisher
// that answers is a result at once.
//
//     JOINING  --somebody to ask--> ASKING           (nobody known yet: waits, or for the deadline)
//     ASKING   --the lookup has ended, and every node found has answered or been silent--> gone
//
// Equal requests (same cloud, name and wait) share one lookup, whatever their criteria; one that
// joins is told what was found so far. Who wants the nearest is told at the end, in order; who has
// all that he wants leaves. The lookup is cancelled when the last of them leaves. Bounds:
// resolves_max lookups; of each, CORE_UNSECURED_PEERS_MAX nodes asked, CORE_UNSECURED_ASKING_MAX at
// a time, and CORE_UNSECURED_BYTES_MAX of results kept.

#include "node/core/description.h"
#include "node/core/lookup.h"
#include "node/core/mark.h"
#include "node/core/session.h"

#define CORE_UNSECURED_ASKING_MAX 32
#define CORE_UNSECURED_PEERS_MAX  1024
#define CORE_UNSECURED_BYTES_MAX  (2u << 20)

enum core_unsecured_state {
    CORE_UNSECURED_JOINING,
    CORE_UNSECURED_ASKING,
};

// One publisher that was found.
struct core_unsecured_result {
    struct core_unsecured_result *next; // in the order in which they came
    struct core_description description;
    uint8_t publisher[CORE_PUBLISHER_LEN];
    uint8_t mark[CORE_MARK_LEN];
    struct dht_addr from; // who told it; of this node's own none
    uint8_t misses;       // lookups in a row that have not found it, of a watch
    bool is_local;
    uint32_t session; // that has registered it here; 0: none
    int64_t rtt_us;
    uint8_t payload[]; // description.payload_len bytes
};

// A node that is announced.
struct core_unsecured_peer {
    struct dht_addr addr;
    int engine;
    bool is_plain; // it has told what it publishes, or that it is nothing
};

struct core_unsecured {
    struct core_unsecured *next, *prev; // of the node
    struct dht_timer timer;             // while JOINING
    enum core_unsecured_state state;
    enum control_wait wait;
    bool trace;
    bool ending; // being answered: nobody cancels it for having no waiters
    int64_t started_us;
    struct core_cloud *cloud;
    struct core_name name;
    struct dht_id info_hash;
    struct core_request *waiters;
    struct core_swarm *swarm;  // that it looks for, and for nobody else; NULL: for requests
    struct core_lookup lookup; // of the peers
    struct core_unsecured_peer *peers;
    uint32_t peer_count, peer_capacity;
    uint32_t peer_next; // whom to ask next
    struct {
        uint32_t op;   // 0: free
        uint32_t peer; // its place in peers
        int engine;
        struct dht_id id;    // that it told with
        uint32_t publishers; // of which it told
        uint8_t tries;
        bool told; // something that can be used
        bool torn; // a payload that was replaced while it was fetched
    } asking[CORE_UNSECURED_ASKING_MAX];
    uint32_t asking_count;
    uint32_t answered; // nodes that told what they publish
    struct core_unsecured_result *results;
    struct core_unsecured_result **results_end;
    uint32_t result_count;
    size_t result_bytes;
    bool is_full; // something that was told found no room
};

// Answers the request from here, or starts or joins a lookup. name is of kind UNSECURED.
void core_unsecured_start(struct node *node, struct core_request *request,
                          const struct core_name *name, enum control_wait wait);

// The request ends; a lookup without waiters is cancelled.
void core_unsecured_leave(struct node *node, struct core_unsecured *unsecured,
                          struct core_request *request);

// The request's time is up: it is told what was found. False where that is nothing.
bool core_unsecured_timeout(struct node *node, struct core_request *request);

void core_unsecured_event(struct node *node, struct core_unsecured *unsecured, int engine,
                          const struct dht_out *event);
// Its timer rang: tries again whether there is somebody to ask.
void core_unsecured_timer(struct node *node, struct core_unsecured *unsecured);

void core_unsecured_free_all(struct node *node);

// ---- for watches (node/core/swarm.h) ----

struct core_swarm;

// Begins a whole lookup for a watch; what is registered here is found at once. It tells the watch
// by core_swarm_found() and core_swarm_looked(), which hands it over: then it has no operations
// and belongs to the watch. NULL where resolves_max are under way.
struct core_unsecured *core_unsecured_begin(struct node *node, struct core_swarm *swarm);
void core_unsecured_cancel(struct node *node, struct core_unsecured *unsecured);
// Frees one that was handed over. NULL does nothing.
void core_unsecured_free(struct core_unsecured *unsecured);

// Whether it has asked that node.
bool core_unsecured_has_asked(const struct core_unsecured *unsecured, const struct dht_addr *addr);
// Whether it has found that publisher.
bool core_unsecured_has_result(const struct core_unsecured *unsecured,
                               const uint8_t publisher[CORE_PUBLISHER_LEN]);
// Whether it has found a publisher that an earlier one (NULL: none) had not, or one who says
// something else, or that he is gone.
bool core_unsecured_has_news(const struct core_unsecured *unsecured,
                             const struct core_unsecured *earlier);
// Moves the results of an earlier one that were not found again, less those that were missed as
// often as that (0: none is missed for it), those whose publisher's node has told that it publishes
// them no more, those of this node, and those that there is no room for (unsecured_dropped counts
// them). Whether there are any.
bool core_unsecured_carry(struct node *node, struct core_unsecured *unsecured,
                          struct core_unsecured *earlier, uint8_t misses_max);

// ---- unsecured_result.c ----

// Makes results of what one node has told and keeps those that are new, at the end of the list;
// ret_publishers is of how many it told. False where a payload is not what its digest says, it
// having been replaced while it was fetched.
bool core_unsecured_take(struct node *node, struct core_unsecured *unsecured,
                         const struct dht_out *who, uint32_t *ret_publishers);
// Makes results of what is registered here.
void core_unsecured_take_own(struct node *node, struct core_unsecured *unsecured);

// Whether the request wants it.
bool core_unsecured_is_wanted(const struct core_request *request,
                              const struct core_unsecured_result *result);
// Tells it; event: of a watch, else NULL.
void core_unsecured_tell(struct node *node, const struct core_unsecured *unsecured,
                         struct core_request *request, const struct core_unsecured_result *result,
                         const char *event);
// Tells the request all that it wants of what was found, the nearest first, at most as many as it
// asked for.
void core_unsecured_tell_sorted(struct node *node, const struct core_unsecured *unsecured,
                                struct core_request *request);
// Ends the request: `done`, or an error where it was told nothing.
void core_unsecured_answer(struct node *node, const struct core_unsecured *unsecured,
                           struct core_request *request);

#endif
