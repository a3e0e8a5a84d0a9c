// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ENGINE_H
#define PNR_DHT_ENGINE_H

// The engine as its own parts see it. Every input of include/pnr/dht.h begins with
// dht_engine_enter(), which is the only place that sets now_us. From there:
//
//     datagram --krpc--> query --serve, serve_item, serve_who--> reply in the outbox
//                        reply --reply--> table, vote, and what the query was for:
//                               a lookup (search), a store (store), upkeep (maintain), a push
//                               (push), a watch of ours (keeper), who
//     timer    --> transaction: soft or hard timeout (reply); upkeep (maintain); expiry of items
//     and peers
//
// See include/pnr/dht.h for what it is and who owns what.

#include "dht/allowance.h"
#include "dht/estimate.h"
#include "dht/item_store.h"
#include "dht/krpc.h"
#include "dht/lost.h"
#include "dht/op.h"
#include "dht/outbox.h"
#include "dht/peer_store.h"
#include "dht/random.h"
#include "dht/registration.h"
#include "dht/source.h"
#include "dht/table.h"
#include "dht/timer.h"
#include "dht/token.h"
#include "dht/transaction.h"
#include "dht/vote.h"
#include "dht/watcher.h"
#include "pnr/dht.h"

#define DHT_SECOND_US INT64_C(1000000)
#define DHT_MINUTE_US (60 * DHT_SECOND_US)

enum dht_timer_kind {
    DHT_TIMER_TRANSACTION,
    DHT_TIMER_MAINTAIN,
    DHT_TIMER_ITEMS,
    DHT_TIMER_PEERS,
    DHT_TIMER_WATCHER,
    DHT_TIMER_WATCH,
};

#define DHT_BOOTSTRAP_MAX 64
#define DHT_NEWCOMERS_MAX 64

// A node that asked us something and may be worth a place in the table.
struct dht_newcomer {
    struct dht_id id;
    struct dht_addr addr;
    int64_t due_us; // when to ask it whether it is there
};

// Whether others reach us, for a node of role auto (dht/reach.h).
enum dht_reach_state {
    DHT_REACH_UNKNOWN,   // read-only, and pings its own address now and then
    DHT_REACH_PROBATION, // a server: that ping has come through, but so far nothing else
    DHT_REACH_PROVEN,    // a server: strangers have come through, or nothing stands in between
    DHT_REACH_REFUTED,   // read-only: the ping has come through, but no stranger
};

// Upkeep: joining, refreshing, checking (dht/maintain.h).
struct dht_upkeep {
    struct dht_newcomer *newcomers;
    uint32_t newcomer_count, newcomer_capacity;
    struct dht_timer timer;
    uint32_t join_op;        // the lookup of our own id under way; 0: none
    uint32_t refresh_op;     // the lookup that refreshes a bucket; 0: none
    int64_t next_join_us;    // when to look up our own id again
    int64_t join_pause_us;   // grows while nobody answers
    int64_t join_again_us;   // grows while all is well
    int64_t next_refresh_us; // when to see which bucket wants a refresh
    int64_t next_survey_us;  // when to look for a random id, to see how large the network is
    int64_t survey_pause_us; // grows
    int64_t next_check_us;   // when to see which contact wants a ping
    int64_t next_lost_us;    // when to ask one of the lost again
    int64_t next_away_us;    // when to see whether our network is back; INT64_MAX: it is there
    int64_t next_reach_us;   // when the state of reach ends
    uint64_t stranger;       // prefix of a stranger whose query came in during it; 0: none
    enum dht_reach_state reach;
    uint8_t round_left;  // contacts still to be checked in the round under way (dht/check.h)
    int64_t round_at_us; // when the round began
    bool round_failed;   // the last of it had failed before
    bool joined;
    bool join_anew; // what the lookup under way was for has changed: another follows at once
    bool alone;     // the last lookup of our own id was answered by nobody
    struct dht_addr *bootstrap;
    uint32_t bootstrap_count;
    uint32_t bootstrap_next; // whom to ask next
    uint32_t bootstrap_left; // how many were never asked
    struct dht_lost lost;
    struct dht_allowance allowance; // of queries
};

struct dht_watch_table; // dht/watch_table.h

// In the order of use: what every datagram touches comes first and lies together, since in a
// process of very many engines each is cold in the cache when its datagram comes (dht_prefetch()).
struct dht {
    int64_t now_us; // set by dht_engine_enter() alone
    int64_t birth_us;
    struct dht_outbox outbox;
    enum dht_role role; // DHT_ROLE_SERVER or DHT_ROLE_CLIENT
    struct dht_id id;
    struct dht_table table;
    struct dht_timer_heap timers;
    struct dht_transaction_table transactions;
    struct dht_op_table ops;
    struct dht_source_table *sources;
    struct dht_item_store *items;       // made at the first put
    struct dht_peer_store *peers;       // made at the first announce
    struct dht_watcher_table *watchers; // made at the first watch of another
    struct dht_watch_table *watches;    // of our own; made at the first one
    struct dht_registration_table registrations;
    struct dht *sibling;      // the engine of the other family, or NULL
    struct dht_config config; // its first fields are the ones that are asked for
    struct dht_upkeep upkeep;
    // Of replies.
    int64_t heard_us;   // when anybody last answered
    uint32_t unheard;   // queries sent since that nobody has answered,
    int64_t silent_us;  // and when they came to be suspicious
    int64_t rtt_us;     // of nodes not known before, smoothed
    int64_t rtt_dev_us; // and its mean deviation
    struct dht_addr external;
    struct dht_vote vote;
    struct dht_counters counters;
    // Of tokens and stores.
    struct dht_token token;
    int64_t token_due_us;            // when the next secret is due
    struct dht_siphash_key hash_key; // of the stores
    struct dht_timer items_timer;
    struct dht_timer peers_timer;
    int64_t verify_at_us; // up to when the budget of signature checks is spent
    // Of what happens now and then.
    struct dht_random random;
    struct dht_estimate estimate;
    struct dht_crypto crypto;
};

#define DHT_COUNT(dht, name) ((dht)->counters.name++)

// Starts an input: takes over the time and takes back what was lent out.
void dht_engine_enter(struct dht *dht, int64_t now_us);

// Whole seconds since birth, from 1 up, as the routing table keeps time: 0 there means never.
uint32_t dht_engine_now_s(const struct dht *dht);

// Queues an event; a full queue is counted.
void dht_engine_emit(struct dht *dht, const struct dht_out *event);

// Whether an address can be a node's here.
bool dht_engine_is_acceptable(const struct dht *dht, const struct dht_addr *addr);

// The source has echoed something of ours (dht/source.h).
void dht_engine_prove(struct dht *dht, const struct dht_addr *addr);

// 26 or 38: the length of a contact of our own family.
size_t dht_engine_node_len(const struct dht *dht);

// Keeps an item that has been verified. source: the prefix that sent it; 0: nobody's, it counts as
// a source of its own. False where the store has no room for it.
bool dht_engine_keep_item(struct dht *dht, uint64_t source, const struct dht_item *item);

// The stores, made when first needed; NULL where memory is short.
struct dht_item_store *dht_engine_items(struct dht *dht);
struct dht_peer_store *dht_engine_peers(struct dht *dht);

#endif
