// SPDX-License-Identifier: MIT
#ifndef PNR_NODE_H
#define PNR_NODE_H

// The brain of a node: names, records, resolving, publishing, cache and control sessions, in one
// cloud or several, each on top of one engine (include/pnr/dht.h) for each of its address families.
// Pure like the engine: it owns no socket, clock, file or thread. A driver, pnrd or simnet, hands
// in time, datagrams and client bytes, and takes outputs from one queue.
//
// How a driver uses it: node_new(), node_add_cloud() for each cloud, node_add_engine() for each
// socket, node_restore() for each row that an earlier run made durable, node_start(). Then, for
// ever: hand in what came in; call node_next() until it returns false and do what it says; wait for
// input or for node_deadline(), and call node_tick().
//
// Time. `now_us` is monotonic and may not go back (asserted). Wall-clock time, microseconds since
// 1970, is told by node_wall() whenever the driver feels like it, at least once a minute and before
// the first input after a longer pause; it may jump, and is used for sequence numbers and for the
// lifetimes written in records alone.
//
// Ownership: a node owns all it points to; what outputs point to is valid until the next call on
// the node that is not node_next(). Bounds: struct node_config; what is over them is refused and
// counted.

#include "pnr/dht.h"

// What becomes durable: rows of a key and a value, of these kinds. The numbers are on disk.
enum node_row_kind {
    NODE_ROW_PUBLICATION = 1,
    NODE_ROW_SEQUENCE = 2, // the last sequence number used under a target
    NODE_ROW_CONTACT = 3,
    NODE_ROW_ITEM = 4, // stored for others
    NODE_ROW_META = 5, // machine id
};

#define NODE_ROW_KEY_MAX    512
#define NODE_ROW_VALUE_MAX  16384
#define NODE_ENGINES_MAX    2  // of a cloud
#define NODE_CLOUDS_MAX     32 // at once
#define NODE_CLOUD_NAME_MAX 32
#define NODE_CLOUD_GLOBAL   "Global_"

struct node_config {
    char version[32];          // of the program, as `status` tells it
    uint32_t node_index;       // of a testnet's node; 0
    uint32_t node_count;       // of the process; 1
    uint32_t sessions_max;     // 256
    uint32_t session_out_max;  // 1 MiB waiting for one client
    uint32_t requests_max;     // 256 under way on one session
    uint32_t resolves_max;     // 1024 lookups for clients at once
    uint32_t watches_max;      // 1024 names watched for clients
    uint32_t publications_max; // 4096
    uint32_t publishing_max;   // 32 rounds of publishing at once
    uint32_t keys_max;         // 1024
    uint32_t cache_max;        // 4096 records
    uint32_t negative_ttl_s;   // 30
    uint32_t ttl_s;            // 1,800: of a record whose publisher names none
    int64_t renew_us;          // 50 min between renewals, less a random tenth
    int64_t lifetime_us;       // 3 h: how long a machine's entry is signed for
    int64_t snapshot_us;       // 5 min between writes of contacts and items; 0: none
    bool keep_items;           // true: items stored for others are written with snapshots
};

void node_config_init(struct node_config *config);

struct node;

// seed: 32 bytes of entropy. NULL where memory is short.
struct node *node_new(const struct node_config *config, const struct dht_crypto *crypto,
                      const uint8_t seed[32], int64_t now_us, int64_t wall_us);
void node_free(struct node *node);

// ---- clouds ----
// At any time, before node_start() and after it. Names, cache and publications of one cloud are
// never seen in another; keys, sessions and sequence numbers are shared by all.

// How far a cloud reaches: PNRP's numbers.
enum node_scope {
    NODE_SCOPE_GLOBAL = 1,
    NODE_SCOPE_SITE = 2,
    NODE_SCOPE_LINK = 3,
};

// How a cloud is doing: PNRP's numbers.
enum node_cloud_state {
    NODE_CLOUD_VIRTUAL = 0,       // before node_start()
    NODE_CLOUD_SYNCHRONISING = 1, // joins: nobody has answered so far
    NODE_CLOUD_ACTIVE = 2,        // joined, and others are there
    NODE_CLOUD_DEAD = 3,          // others are known, but none has answered for a quarter hour
    NODE_CLOUD_DISABLED = 4,      // switched off by its configuration
    NODE_CLOUD_NO_NET = 5,        // no engine: it has no address to use
    NODE_CLOUD_ALONE = 6,         // nobody else is there, as far as one can see
};

struct node_cloud_config {
    char name[NODE_CLOUD_NAME_MAX + 1]; // 1 to 32 bytes
    enum node_scope scope;
    uint32_t scope_id; // of a link: the index of its interface; else 0
    bool disabled;     // takes no engine, and answers requests with an error
};

// Of that name, global and not disabled.
void node_cloud_config_init(struct node_cloud_config *config, const char *name);

// Adds a cloud. Returns its number, which is not used again; -1 where there are NODE_CLOUDS_MAX,
// memory is short, the name is empty, or there is one of that name. What an earlier cloud of the
// name had published, or node_restore() brought, is kept alive in it from now on.
int node_add_cloud(struct node *node, int64_t now_us, const struct node_cloud_config *config);
// Ends all that is under way in the cloud, with error 1, and its engines. What is published in it
// stays durable, and waits for a cloud of the same name.
void node_remove_cloud(struct node *node, int64_t now_us, int cloud);

// Adds the engine for one socket of a cloud, at most one of each family. Returns its number, which
// names the socket in node_receive() and NODE_OUT_DATAGRAM and is not used again: 0 for the first;
// -1 where memory is short, config makes no sense, the cloud is disabled or has one.
int node_add_engine(struct node *node, int64_t now_us, int cloud, const struct dht_config *config);
// The socket is gone: what the engine had under way has come to nothing.
void node_remove_engine(struct node *node, int64_t now_us, int engine);
struct dht *node_engine(struct node *node, int engine); // for tests and for looking in

enum node_cloud_state node_cloud_state(const struct node *node, int cloud);

// ---- what earlier runs left ----

// One row. False where it makes no sense, or is a contact or an item of a cloud that is not there;
// it is then ignored. Contacts and items of a cloud that was added after node_start() may be
// restored then.
bool node_restore(struct node *node, enum node_row_kind kind, struct dht_span key,
                  struct dht_span value);

// A key whose secret half the driver holds: node_key_added() at the start and after each new one.
// label: see node/core/name.h. False where keys_max are held, or the label is not one.
bool node_key_added(struct node *node, const char *label, const uint8_t key[DHT_KEY_LEN],
                    const char *path);
void node_key_removed(struct node *node, const char *label);

// All is restored: begins to join and to renew.
void node_start(struct node *node, int64_t now_us);

// ---- inputs ----

// At now_us the wall clock shows wall_us, microseconds since 1970. Where it was set forward by more
// than five minutes, what an earlier clock has signed is looked after at once: it may have expired
// for others.
void node_wall(struct node *node, int64_t now_us, int64_t wall_us);
void node_receive(struct node *node, int64_t now_us, int engine,
                  const struct dht_datagram *datagrams, size_t count);
// Datagrams that came to the group of that engine's link (dht/neighbours.h, docs/clouds.md).
// For other clouds than those of links it does nothing.
void node_heard(struct node *node, int64_t now_us, int engine, const struct dht_datagram *datagrams,
                size_t count);
void node_unreachable(struct node *node, int64_t now_us, int engine, const struct dht_addr *addr);
void node_bootstrap(struct node *node, int64_t now_us, int engine, const struct dht_addr *addrs,
                    size_t count);
// Our own address or network has changed, or is back: everything published or watched is looked
// after at once. A node that finds out by itself, since somebody answers after minutes in which
// nobody did, does the same.
void node_network_changed(struct node *node, int64_t now_us);
void node_tick(struct node *node, int64_t now_us);
int64_t node_deadline(const struct node *node);

// What may change while the node runs: ttl_s and renew_us of struct node_config. They count from
// the next round of each publication.
void node_set_publishing(struct node *node, uint32_t ttl_s, int64_t renew_us);

// The end is near, and orderly: every request under way is answered with error 7 (cancelled), and
// what outlives a restart is queued to be written. Requests that come now are answered so as well.
// Unsecured names are told no more, until the next run; where others have heard of any, those who
// watch it are told, which takes a few round trips. Secured names stand until their lifetimes end.
// The driver drains the outputs once more, and then calls node_free(); at once, or, while
// node_is_parting(), when it has gone on for NODE_PARTING_US.
void node_stop(struct node *node, int64_t now_us);
#define NODE_PARTING_US 1500000
bool node_is_parting(const struct node *node);

// What NODE_OUT_WRITE asked for is done, or has failed.
void node_written(struct node *node, int64_t now_us, uint64_t write_id, bool ok);

// What the driver counts itself, such as datagrams that its socket dropped: told in `status` among
// the brain's own counters, with none of their names. They stay the driver's, and have to last as
// long as the node, or until others take their place; the values are read when a client asks. At
// most NODE_DRIVER_COUNTERS_MAX (asserted).
#define NODE_DRIVER_COUNTERS_MAX 32

struct node_driver_counter {
    const char *name;
    uint64_t value;
};
void node_driver_counters(struct node *node, const struct node_driver_counter *counters,
                          size_t count);

// ---- control sessions ----
// After the handshake, which is the driver's (node/control/handshake.h).

enum node_access {
    NODE_ACCESS_RESOLVE = 1,
    NODE_ACCESS_CONTROL = 2,
};

// A client is there. Returns the session's number, never 0; 0 where sessions_max are open.
uint32_t node_session_open(struct node *node, int64_t now_us, enum node_access access);
void node_session_bytes(struct node *node, int64_t now_us, uint32_t session, struct dht_span bytes);
// So many of the bytes of NODE_OUT_BYTES have gone out to the client.
void node_session_sent(struct node *node, int64_t now_us, uint32_t session, size_t len);
// The client is gone: all it asked for is cancelled.
void node_session_closed(struct node *node, int64_t now_us, uint32_t session);

// The answer to NODE_OUT_KEY. text: for EXPORT the PEM text, else unused; where not ok, why not,
// for the client. code: of enum control_error (node/control/protocol.h); 0: ok.
struct node_key_answer {
    uint32_t key_request;
    int code;
    const char *label; // of NEW and IMPORT: as made
    const uint8_t *key;
    const char *path;
    struct dht_span text;
    struct dht_span findings; // of CHECKUP: see node/daemon/checkup.h
};
void node_key_answered(struct node *node, int64_t now_us, const struct node_key_answer *answer);

// ---- outputs ----

enum node_out_type {
    NODE_OUT_DATAGRAM, // send it by the socket of that engine; it may be to its link's group
    NODE_OUT_BYTES,    // send them to the client
    NODE_OUT_HANGUP,   // close the session once its bytes are sent; its number is void from now on
    NODE_OUT_WRITE,    // make a row durable; value_len 0 deletes it
    NODE_OUT_KEY,      // do something with a secret key
    NODE_OUT_EVENT,    // something worth a line in the log
};

enum node_key_verb {
    NODE_KEY_NEW,
    NODE_KEY_IMPORT,
    NODE_KEY_EXPORT,
    NODE_KEY_CHECKUP, // looks at the keys' files, and at all else that only the driver sees
};

struct node_out {
    enum node_out_type type;
    union {
        struct {
            int engine;
            struct dht_datagram datagram;
        };
        struct {
            uint32_t session;
            struct dht_span bytes;
        };
        struct {
            uint64_t write_id; // 0: nobody waits for node_written()
            bool durable;      // has to survive a power cut before node_written()
            enum node_row_kind kind;
            struct dht_span key;
            struct dht_span value;
        } write;
        struct {
            uint32_t key_request;
            enum node_key_verb verb;
            const char *label;
            struct dht_span pem; // of IMPORT
        } key;
        struct {
            bool warning;
            const char *text;
        } event;
    };
};

bool node_next(struct node *node, struct node_out *ret_out);

// The same as dht_prefetch(), of the node and one engine of it, in three steps: 0, 1, 2.
void node_prefetch(const struct node *node, int engine, int step);

// dht_rest() of all engines, and the same for the node's own queue: what node_next() handed out is
// void. For a driver of very many nodes.
void node_rest(struct node *node);

// ---- looking in ----

#define NODE_COUNTERS(X)                                                                           \
    X(sessions_opened, "control sessions opened")                                                  \
    X(sessions_refused, "control sessions refused, sessions_max being open")                       \
    X(sessions_broken, "control sessions hung up on for breaking the protocol")                    \
    X(sessions_slow, "control sessions hung up on for not reading")                                \
    X(progress_dropped, "progress not told to clients that do not read")                           \
    X(requests, "requests of clients")                                                             \
    X(requests_refused, "requests refused: too many, no access, no sense")                         \
    X(requests_cancelled, "requests cancelled, by cancel or by hanging up")                        \
    X(resolves, "lookups of names begun")                                                          \
    X(resolves_joined, "requests that joined a lookup under way")                                  \
    X(resolves_refused, "lookups refused, resolves_max being under way")                           \
    X(resolves_found, "lookups that found a record")                                               \
    X(resolves_not_found, "lookups that found none")                                               \
    X(watches, "names begun to be watched")                                                        \
    X(watches_joined, "requests that joined a watch")                                              \
    X(watches_refused, "watches refused, watches_max being there")                                 \
    X(watch_looks, "lookups of watched names")                                                     \
    X(watch_changes, "changes told to clients that watch")                                         \
    X(watch_untold, "publishers beyond those that one client can watch")                           \
    X(requests_timed_out, "requests whose time ran out")                                           \
    X(cache_hits, "requests answered from the cache")                                              \
    X(cache_evicted, "records dropped from a full cache")                                          \
    X(records_malformed, "verified items that are no record")                                      \
    X(publish_rounds, "rounds of publishing begun")                                                \
    X(publish_failed, "rounds of publishing that stored nothing")                                  \
    X(publish_skipped, "renewals skipped, enough copies being there")                              \
    X(neighbours_said, "announcements to links")                                                   \
    X(neighbours_heard, "datagrams heard from links' groups")                                      \
    X(neighbours_asked, "neighbours pinged for having announced themselves")                       \
    X(neighbours_limited, "neighbours not pinged, too many having announced themselves at once")   \
    X(neighbours_malformed, "datagrams from links' groups that are no announcement")               \
    X(registrations_refused, "unsecured names refused: unreachable, too many, too much to say")    \
    X(announce_rounds, "rounds of announcing an unsecured name begun")                             \
    X(announce_failed, "rounds of announcing that stored nothing")                                 \
    X(unsecured_asked, "announced nodes asked what they publish")                                  \
    X(unsecured_silent, "announced nodes that told nothing")                                       \
    X(unsecured_dropped, "announced nodes and results past the bounds of a lookup")                \
    X(unsecured_malformed, "descriptions or payloads of publishers that make no sense")            \
    X(seq_refused, "names not published, their sequence number being near its end")                \
    X(writes_failed, "rows that could not be made durable")

struct node_counters {
#define NODE_COUNTER_FIELD(name, meaning) uint64_t name;
    NODE_COUNTERS(NODE_COUNTER_FIELD)
#undef NODE_COUNTER_FIELD
};

struct node_info {
    uint32_t sessions;
    uint32_t requests;
    uint32_t resolves;
    uint32_t watches;
    uint32_t publications;
    uint32_t registrations; // of unsecured names
    uint32_t keys;
    uint32_t cached;
    struct node_counters counters;
};

void node_info(const struct node *node, struct node_info *ret_info);

#endif
