// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_H
#define PNR_DHT_H

// The engine: one node of a BitTorrent Mainline DHT, for one address family on one socket.
// It speaks BEP 5, 32, 42, 43 and 44. It is pure: it owns no socket, clock, file or thread. Inputs
// are calls that carry `now_us` and bytes; outputs wait in one bounded queue that dht_next()
// drains. The same seed, configuration and inputs give the same outputs, bit for bit.
//
// The story of one lookup. dht_get() starts an operation: the closest contacts of the routing table
// become its candidates, and the first few are asked; the queries wait in the queue as
// DHT_OUT_DATAGRAM. The caller sends them. Replies come in through dht_receive(): each names closer
// candidates, which are asked next, and may carry the item, which is verified and, if it is new,
// queued as DHT_OUT_ITEM at once. A candidate that is silent for its soft timeout frees its place
// in flight, but may still answer later. When the closest candidates have all answered,
// DHT_OUT_DONE ends the operation. dht_cancel() ends it earlier and silently.
//
// Ownership: a dht owns all it points to. Spans in outputs are borrowed: they are valid until the
// next call on the same dht that is not dht_next(). An operation is named by a 32-bit id that is
// never 0 and is not soon used again; a stale id is not an error, it finds nothing.
//
// Bounds: every table has its capacity in struct dht_config and a counter in struct dht_counters
// for what it turned away. Memory grows on demand up to those capacities. Times are int64_t
// microseconds of a monotonic clock; `now_us` may not go back between calls (asserted).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHT_ID_LEN              20
#define DHT_KEY_LEN             32   // Ed25519 public key
#define DHT_SIG_LEN             64   // Ed25519 signature
#define DHT_SALT_LEN_MAX        64   // BEP 44
#define DHT_VALUE_LEN_MAX       1000 // BEP 44: the bencoded value; 996 bytes of a byte string
#define DHT_DATAGRAM_MAX        1500 // the longest datagram that the engine writes
#define DHT_SEQ_NONE            (-1) // "no sequence number" where one may be missing
#define DHT_CLOSEST_MAX         32   // the most contacts an operation can be asked to settle on
#define DHT_DESCRIPTION_LEN_MAX 700  // of a registration: what it says of its publisher
#define DHT_PAYLOAD_LEN_MAX     4096
#define DHT_STORERS_MAX         96 // the most nodes that a put stores on, however crowded the region

// A node id, a target or an infohash: 160 bits, big endian.
struct dht_id {
    uint8_t bytes[DHT_ID_LEN];
};

// A UDP address. For IPv4 the first 4 bytes of ip count and the rest are zero.
struct dht_addr {
    uint8_t ip[16];
    uint16_t port;  // host byte order
    uint8_t ip_len; // 4 or 16; 0 in an address that is not set
};

// A borrowed view of bytes.
struct dht_span {
    const uint8_t *data;
    size_t len;
};

struct dht_datagram {
    struct dht_addr addr; // where it came from, or where it goes
    struct dht_span bytes;
};

// The cryptography that the brain needs, lent by its driver. The functions may not block.
struct dht_crypto {
    void *ctx; // handed back to each function
    // SHA-1 and SHA-256 of the parts laid end to end.
    void (*sha1)(void *ctx, const struct dht_span *parts, size_t part_count,
                 uint8_t ret_digest[20]);
    void (*sha256)(void *ctx, const struct dht_span *parts, size_t part_count,
                   uint8_t ret_digest[32]);
    // Whether sig is key's Ed25519 signature of msg (RFC 8032).
    bool (*verify)(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                   struct dht_span msg);
    // Signs msg with the secret half of key. False where the driver does not hold it.
    bool (*sign)(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                 uint8_t ret_sig[DHT_SIG_LEN]);
};

// ---- configuration ----

enum dht_family {
    DHT_IPV4 = 4,
    DHT_IPV6 = 6,
};

enum dht_role {
    DHT_ROLE_AUTO,   // read-only (BEP 43) until seen to be reachable, then a server; at once in a
                     // lab, or where the address bound to is a public one
    DHT_ROLE_SERVER, // answers queries from the start
    DHT_ROLE_CLIENT, // stays read-only
};

// dht_config_init() fills in the defaults named here.
struct dht_config {
    enum dht_family family;
    enum dht_role role; // DHT_ROLE_AUTO
    // A lab: a network whose own address is not public. Off are then the martian filter, BEP 42,
    // the diversity caps and the per-source limits, and contacts are distinct by port.
    bool lab;             // false
    bool unlimited;       // false; true lifts the rate limits and byte budgets alone (for bench/)
    struct dht_id id;     // own id; all zero: one is made from the seed
    struct dht_addr addr; // the address bound to, as far as known; ip_len 0: unknown
    char version[4];      // the `v` of our messages: "PN" and two version bytes
    // Routing table. The bucket at depth d holds max(bucket_size, first_bucket_size >> d) contacts:
    // wide first buckets save a hop or two.
    uint32_t bucket_size;       // 16; BEP 5's k is 8, and it is 8 contacts that a reply names
    uint32_t first_bucket_size; // 128: some 390 contacts among 100,000 nodes
    uint32_t replacements;      // 8 a bucket
    // Lookups.
    uint32_t lookup_width;   // 8: how many of the closest have to answer
    uint32_t store_width;    // 20: on how many of the closest a put stores at least: on all of the
                             // region that is expected to hold so many (dht/region.h)
    uint32_t in_flight;      // 5: queries kept in flight at the head of the list
    uint32_t ops_max;        // 1024 operations at once
    uint32_t candidates_max; // 128 a lookup
    uint32_t queries_max;    // 8192 outstanding queries
    // Stores.
    uint32_t items_max;            // 100,000 items of BEP 44
    size_t items_bytes_max;        // 64 MiB, all told
    uint32_t items_per_source_max; // 2,000 from one /24 or /48
    uint32_t swarms_max;           // 16,384 infohashes
    uint32_t peers_max;            // 200,000 peers in all
    uint32_t peers_per_swarm_max;  // 2,000
    uint32_t registrations_max;    // 256 names of our own
    int64_t item_lifetime_us;      // 2 h, BEP 44
    int64_t peer_lifetime_us;      // 45 min
    // Watching (docs/watching.md).
    uint32_t watches_max;             // 1,024 of our own
    uint32_t watchers_max;            // 4,096 that others keep here; below 65,535
    uint32_t watchers_per_target_max; // 1,024
    uint32_t watchers_per_source_max; // 64 from one /24 or /48
    uint32_t pushes_max;              // 64 to watchers under way; the rest wait
    // Limits.
    uint32_t sources_max;         // 8,192 sources remembered
    uint32_t queries_per_source;  // 50 a second from one address
    uint32_t verifies_per_second; // 2,000 signatures checked for strangers' puts, in all
    size_t outbox_max;            // 4 MiB of waiting outputs
    size_t outbox_keep;           // 256 KiB kept when the queue is empty; 0 gives it all back
};

void dht_config_init(struct dht_config *config, enum dht_family family);

// ---- life ----

struct dht;

// Makes an engine. seed: 32 bytes of entropy, the only randomness there will ever be. crypto is
// copied; what its ctx points to has to outlive the engine. Returns NULL where memory is short or
// config makes no sense.
struct dht *dht_new(const struct dht_config *config, const struct dht_crypto *crypto,
                    const uint8_t seed[32], int64_t now_us);
void dht_free(struct dht *dht);

// Makes two engines of one cloud, of the two families, know each other: each then hands out
// contacts of the other (BEP 32's `want`), and hands on what it hears. An input of one may then
// queue outputs in the other.
void dht_pair(struct dht *a, struct dht *b);

// ---- inputs ----

// Takes a batch of received datagrams.
void dht_receive(struct dht *dht, int64_t now_us, const struct dht_datagram *datagrams,
                 size_t count);

// The address could not be reached (ICMP, quirk Q28): fails what waits for it at once.
void dht_unreachable(struct dht *dht, int64_t now_us, const struct dht_addr *addr);

// Does what is due. After it, dht_deadline() is later than now_us.
void dht_tick(struct dht *dht, int64_t now_us);

// When dht_tick() has to be called again, in the time of now_us; INT64_MAX: never.
int64_t dht_deadline(const struct dht *dht);

// Starts to join, or hurries joining, by way of these nodes, which need not be known by id. Keeps
// the list (at most 64) and retries it, with growing pauses, whenever the table is empty.
void dht_bootstrap(struct dht *dht, int64_t now_us, const struct dht_addr *addrs, size_t count);

// Copies up to max of that list; returns how many.
size_t dht_bootstrap_nodes(const struct dht *dht, struct dht_addr *ret_addrs, size_t max);

// A contact from an earlier run. It enters the table only after it has answered.
void dht_restore_contact(struct dht *dht, int64_t now_us, const struct dht_id *id,
                         const struct dht_addr *addr);

// ---- operations ----
// Each returns the operation's id, or 0 where ops_max are under way (counted in ops_refused).

// BEP 44. An item as it is stored and sent: value is bencoded.
struct dht_item {
    bool is_mutable;
    struct dht_id target;
    uint8_t key[DHT_KEY_LEN]; // of a mutable item, as are salt, seq and sig
    uint8_t sig[DHT_SIG_LEN];
    int64_t seq;
    struct dht_span salt;
    struct dht_span value;
};

// A node as it is remembered.
struct dht_node {
    struct dht_id id;
    struct dht_addr addr;
};

#define DHT_NEAR_MAX    24 // nodes remembered of a put
#define DHT_NEAR_ENOUGH 8  // of them, that make an early put safe

struct dht_get {
    struct dht_id target;
    struct dht_span salt; // needed to check a mutable item against the target; at most 64 bytes
    int64_t
        seq_known; // a mutable item that the asker has; only newer ones are sent. Or DHT_SEQ_NONE
    // Ends early once an item was found, the `settle` closest live nodes have answered and no other
    // sequence number was seen; 0: never early.
    uint32_t settle;
    uint32_t width; // how many of the closest have to answer; 0: lookup_width
    bool hold;      // keep the closest nodes and their tokens after DHT_OUT_DONE, for dht_put()
    bool trace;     // queue a DHT_OUT_HOP for every query that ended
    bool each;      // queue a DHT_OUT_ITEM for each node that returned one, be it no better
    // What the caller has put there itself, NULL: nothing. It is never told and never the newest:
    // who merges with what others have written must not miss that behind his own. Copied.
    const struct dht_item *own;
    // Nodes that have stored the item last (DHT_OUT_STORED), NULL: none known. Those of this
    // engine's family are asked first and all at once; once DHT_NEAR_ENOUGH have answered,
    // DHT_OUT_NEAR says so, and the lookup goes on as any.
    const struct dht_node *storers;
    uint32_t storer_count;
};

uint32_t dht_get(struct dht *dht, int64_t now_us, const struct dht_get *get);

// Stores item on the store_width closest nodes and all others of their region (dht/region.h).
// held_op: a dht_get() of the same target with hold set, whose lookup has ended: its nodes and
// tokens are used, and it is let go; 0: looks up first. cas: the sequence number that has to be
// stored now, BEP 44; DHT_SEQ_NONE: whatever is. The item is copied. Its signature is trusted: it
// is the caller's own.
uint32_t dht_put(struct dht *dht, int64_t now_us, const struct dht_item *item, int64_t cas,
                 uint32_t held_op);

// While a get of the same target with `near` and `hold` goes on, puts item on those of `near` that
// have answered, and on each of the others as it does: soon, but on few. The put that follows with
// the held get stores the same item, or another, on all. False where there is no such operation.
bool dht_put_early(struct dht *dht, int64_t now_us, const struct dht_item *item, int64_t cas,
                   uint32_t get_op);

uint32_t dht_find_node(struct dht *dht, int64_t now_us, const struct dht_id *target, bool trace);
// Those that this node keeps itself come first, from its own address.
uint32_t dht_get_peers(struct dht *dht, int64_t now_us, const struct dht_id *info_hash, bool trace);

// Announces a peer on the store_width closest nodes. port 0: the port we send from (implied_port).
uint32_t dht_announce(struct dht *dht, int64_t now_us, const struct dht_id *info_hash,
                      uint16_t port);
// The same of a peer that has something else to say than before: who watches the infohash is told
// of it though he knows it (docs/watching.md).
uint32_t dht_announce_changed(struct dht *dht, int64_t now_us, const struct dht_id *info_hash,
                              uint16_t port);

uint32_t dht_ping(struct dht *dht, int64_t now_us, const struct dht_addr *addr);

// Asks the node at addr, which is announced as a peer of info_hash, what it has registered there
// (`pnr_who`, docs/unsecured.md): one DHT_OUT_WHO if it answers, then DHT_OUT_DONE. A few round
// trips; at most 4.5 seconds for each of a silent one.
uint32_t dht_who(struct dht *dht, int64_t now_us, const struct dht_addr *addr,
                 const struct dht_id *info_hash);
enum dht_watch_kind {
    DHT_WATCH_ITEM,  // a mutable item of BEP 44
    DHT_WATCH_PEERS, // the peers of an infohash
};

struct dht_watch {
    enum dht_watch_kind kind;
    struct dht_id target; // of the item, or the infohash
    struct dht_span salt; // of the item; at most 64 bytes
    int64_t seq_known;    // the newest item that the caller has, or DHT_SEQ_NONE
    // PEERS: when the caller began to ask those that he knows. What keepers have heard since,
    // though it was before they were asked to tell, is news too; 0: now.
    int64_t since_us;
    // A dht_get() of the target with hold set, whose lookup has ended: its nodes and tokens are
    // used, and it is let go; 0: looks up first.
    uint32_t held_op;
    bool poll_only; // asks nobody to push: for tests and figures
};

// Watches a target (docs/watching.md): a few of the nodes that store it are asked to push what is
// new, and those that do not push are asked now and then. Lasts until dht_cancel(): there is no
// DHT_OUT_DONE. What it puts out:
// - DHT_OUT_ITEM, a verified item with a sequence number above that of all before; its tally is
//   empty;
// - DHT_OUT_PEERS, peers that were announced: hints, for anybody may announce anything. The first
//   lookup tells all that there are; one told again was silent for ten minutes at least, or has
//   something else to say (pushed). None of them, pushed: somebody has come or has something else
//   to say, and the keeper who knows of it had not been asked yet to tell who;
// - DHT_OUT_GONE where no keeper that answers holds the item any more; the same item may come
//   again after it.
// Several watches of one target share what is asked of others, and each is told.
// The id is that of an operation, though it takes no place of ops_max. Returns 0 where watches_max
// are under way or memory is short (counted in watches_refused); held_op is as it was then.
uint32_t dht_watch(struct dht *dht, int64_t now_us, const struct dht_watch *watch);

// Ends an operation at once, from any state. Nothing of it is queued any more and nothing is left
// behind. (A watch then still sends its keepers a word of parting, once.)
void dht_cancel(struct dht *dht, uint32_t op);

// ---- what this node registers ----
// A registration is told to whoever asks for it with `pnr_who` and has shown that he is at the
// address he asks from; also by a read-only node. To be found, a node announces itself besides:
// dht_announce() with port 0.

struct dht_registration {
    struct dht_id info_hash;
    // A bencoded dictionary, which the engine hands on and does not read: at most
    // DHT_DESCRIPTION_LEN_MAX bytes.
    struct dht_span description;
    struct dht_span payload; // at most DHT_PAYLOAD_LEN_MAX bytes
};

// Registers, in place of what was registered under the info_hash; what it points to is copied.
// False where registrations_max are there, memory is short, or something is too long; what was
// there stays.
bool dht_register(struct dht *dht, const struct dht_registration *registration);
// Whether anything was registered.
bool dht_unregister(struct dht *dht, const struct dht_id *info_hash);

// ---- outputs ----

enum dht_out_type {
    DHT_OUT_DATAGRAM, // send it
    DHT_OUT_ITEM,     // a verified item, the first or a better one (dht_get.each: any)
    DHT_OUT_PEERS,    // peers not told before by this operation
    DHT_OUT_HOP,      // one query of a traced operation ended
    DHT_OUT_WHO,      // what the node asked has registered
    DHT_OUT_REFUSED,  // one node refused a put or an announce
    DHT_OUT_STORED,   // a put after a get with `each` has ended: one of the closest that hold it
    DHT_OUT_NEAR,     // enough of dht_get.storers have answered
    DHT_OUT_DONE,     // the operation ended
    DHT_OUT_ADDRESS,  // our external address was settled by vote, or changed
    DHT_OUT_ROLE,     // read-only became server, or back
    DHT_OUT_ID,       // our id changed, to fit the external address (BEP 42)
    DHT_OUT_GONE,     // of a watch: nobody holds the item any more
    DHT_OUT_RETURNED, // somebody has answered after minutes in which nobody did: we were cut off
};

enum dht_hop_result {
    DHT_HOP_ANSWERED,
    DHT_HOP_FOUND, // answered with an item or with peers
    DHT_HOP_ERROR, // an error message
    DHT_HOP_SILENT,
};

// The counts of an operation.
struct dht_tally {
    uint32_t asked;    // nodes queried
    uint32_t answered; // nodes that replied
    uint32_t hops;    // the longest chain of nodes, each learnt from the one before, to a node that
                      // answered
    uint32_t copies;  // nodes that returned the newest item, ourselves included
    uint32_t others;  // nodes that returned an item with another sequence number or value
    uint32_t own;     // nodes that returned the caller's own (struct dht_get), ourselves included
    uint32_t targets; // of a put: nodes asked to store (the M of "stored on N of M")
    uint32_t stored;  // of a put: nodes that hold it now (the N)
    uint32_t refused; // of a put: nodes that answered with an error
    // Nodes that answered next to the target, in percent of those that are expected there by the
    // estimate of the network's size; 0: unknown. And whether chance does not do that: then
    // somebody has packed nodes around the target.
    uint32_t density;
    bool suspect;
};

struct dht_out {
    enum dht_out_type type;
    uint32_t op; // of ITEM, PEERS, HOP, WHO, REFUSED, DONE and GONE
    union {
        struct dht_datagram datagram;
        struct {
            struct dht_item item;
            struct dht_addr from;
            struct dht_tally tally; // the counts so far
        } found;
        struct {
            const struct dht_addr *addrs;
            size_t count;
            struct dht_addr from;
            bool pushed; // of a watch: they are new, or have something else to say
        } peers;
        struct {
            struct dht_addr addr;
            struct dht_id id; // all zero where unknown
            enum dht_hop_result result;
            int32_t rtt_us; // -1 where silent
            uint32_t depth; // 1 for a node of our own table
            uint32_t named; // contacts in its reply
        } hop;
        struct {
            struct dht_addr from;
            struct dht_id id;            // of the node
            struct dht_span description; // begins with a 'd' and is sound bencode; no more is sure
            struct dht_span payload;     // whole; but it may have been changed while it was fetched
            int64_t rtt_us;              // the shortest round trip
        } who;
        struct {
            struct dht_addr addr;
            int32_t code; // KRPC error code; 0 where it was silent
        } refused;
        struct dht_node stored;
        struct {
            struct dht_tally tally;
            int64_t rtt_us;   // of a ping: round trip; -1 where it failed
            bool ended_early; // settled before the whole lookup was done
            // Of dht_who(): the KRPC error code that ended it, 201 where nothing is registered
            // there; 0: there was none, but an answer, silence or nonsense.
            int32_t code;
        } done;
        struct dht_addr addr;
        enum dht_role role; // DHT_ROLE_SERVER or DHT_ROLE_CLIENT
        struct dht_id id;
    };
};

// Takes the oldest output. False where there is none.
bool dht_next(struct dht *dht, struct dht_out *ret_out);

// Takes the oldest output that is no datagram; the datagrams stay queued, in their order. For a
// caller that acts on events with inputs of its own, before it sends what has come about: its
// datagrams then need no copy.
bool dht_next_event(struct dht *dht, struct dht_out *ret_out);

// Asks the processor to fetch what the next datagram will touch, for a driver of very many engines
// that knows a while ahead which one it will hand something to. In two steps, the second of which
// reads what the first has fetched: 0 and, somewhat later, 1. Changes nothing.
void dht_prefetch(const struct dht *dht, int step);

// Gives back memory that only what is under way needs: that of the queue once it is drained, and,
// where none are outstanding, of queries, operations and newcomers. For a driver of very many
// engines, after it has sent what dht_next() handed out, which is void then; a single one is faster
// where it keeps what it will want again.
void dht_rest(struct dht *dht);

// ---- looking in ----

// A contact of the routing table, as dht_contacts() and `pnr peers` show it.
struct dht_contact_info {
    struct dht_id id;
    struct dht_addr addr;
    int32_t rtt_us;      // smoothed; -1 where unknown
    int64_t answered_us; // when it last answered
    bool good;           // BEP 5
    bool secure;         // its id fits its address (BEP 42)
    bool has_get;        // known to answer BEP 44's get
};

// Copies up to max contacts, closest buckets last; returns how many.
size_t dht_contacts(const struct dht *dht, struct dht_contact_info *ret_contacts, size_t max);

// Everything countable that happened. X-macro: name, meaning.
#define DHT_COUNTERS(X)                                                                            \
    X(datagrams_in, "datagrams received")                                                          \
    X(bytes_in, "bytes received")                                                                  \
    X(datagrams_out, "datagrams queued")                                                           \
    X(bytes_out, "bytes queued")                                                                   \
    X(drop_malformed, "datagrams that are no KRPC message")                                        \
    X(drop_martian, "datagrams from an impossible address")                                        \
    X(drop_rate, "queries over the rate of their source")                                          \
    X(drop_budget, "replies not sent, over the byte budget of their source")                       \
    X(trim_budget, "replies made smaller to fit the byte budget of their source")                  \
    X(token_echoes, "queries for something that brought a token, which proved their source")       \
    X(trimmed_asks, "nodes asked again with their token, for their reply had been made smaller")   \
    X(drop_read_only, "queries ignored while read-only")                                           \
    X(drop_unknown_tid, "replies that match no query of ours")                                     \
    X(drop_wrong_addr, "replies with a known id from another address")                             \
    X(drop_wrong_id, "replies from a node with another id than expected")                          \
    X(drop_outbox_full, "outputs dropped, the queue being full")                                   \
    X(query_ping, "ping queries answered")                                                         \
    X(query_find_node, "find_node queries answered")                                               \
    X(query_get_peers, "get_peers queries answered")                                               \
    X(query_announce_peer, "announce_peer queries accepted")                                       \
    X(query_get, "get queries answered")                                                           \
    X(query_put, "put queries accepted")                                                           \
    X(query_who, "pnr_who queries answered")                                                       \
    X(query_unknown, "queries of an unknown method")                                               \
    X(reject_protocol, "queries refused with 203: bad arguments")                                  \
    X(reject_token, "queries refused with 203: bad token")                                         \
    X(reject_method, "queries refused with 204")                                                   \
    X(reject_value_size, "puts refused with 205")                                                  \
    X(reject_signature, "puts refused with 206")                                                   \
    X(reject_salt_size, "puts refused with 207")                                                   \
    X(reject_cas, "puts refused with 301")                                                         \
    X(reject_seq, "puts refused with 302")                                                         \
    X(reject_full, "puts and announces refused with 202: store full")                              \
    X(reject_unregistered, "pnr_who queries for what is not registered here")                      \
    X(reject_verify_budget, "puts refused with 202: too many signatures to check")                 \
    X(items_refreshed, "puts of an item already stored")                                           \
    X(items_expired, "stored items that ran out")                                                  \
    X(peers_expired, "announced peers that ran out")                                               \
    X(found_invalid, "items in replies with a wrong signature, key or hash")                       \
    X(queries_sent, "queries sent")                                                                \
    X(queries_refused, "queries not sent, queries_max being outstanding")                          \
    X(replies_in_time, "replies before the soft timeout")                                          \
    X(replies_late, "replies after the soft timeout")                                              \
    X(timeouts, "queries that nobody answered")                                                    \
    X(errors_in, "error messages in answer to a query of ours")                                    \
    X(ops_started, "operations started")                                                           \
    X(ops_refused, "operations refused, ops_max being under way")                                  \
    X(ops_cancelled, "operations cancelled")                                                       \
    X(candidates_dropped, "candidates dropped, a lookup's list being full")                        \
    X(candidates_refused, "candidates refused: martian, own, or too many of one prefix")           \
    X(contacts_added, "contacts that entered the table")                                           \
    X(contacts_replaced, "contacts replaced by another")                                           \
    X(contacts_evicted, "contacts evicted")                                                        \
    X(contacts_refused, "contacts refused by a full bucket or a diversity cap")                    \
    X(sources_forgotten, "sources forgotten to make room for others")                              \
    X(query_watch, "pnr_watch queries granted, or taken away")                                     \
    X(reject_watch_full, "pnr_watch queries refused with 202: no more watches")                    \
    X(watchers_expired, "watches of others whose lease ran out")                                   \
    X(watchers_lost, "watches of others forgotten, for pushes were not acknowledged")              \
    X(pushes_sent, "pnr_changed sent, repetitions among them")                                     \
    X(pushes_repeated, "of them, repetitions")                                                     \
    X(pushes_acked, "pnr_changed acknowledged")                                                    \
    X(pushes_put_off, "pushes put off, over the byte budget of their source")                      \
    X(query_changed, "pnr_changed queries taken")                                                  \
    X(reject_changed, "pnr_changed queries refused with 203: no such watch")                       \
    X(watches_started, "watches of our own started")                                               \
    X(watches_refused, "watches refused, watches_max being under way")                             \
    X(watch_missed, "times peers had news before a keeper was asked to tell")                      \
    X(watch_news, "newer items that keepers pushed")                                               \
    X(watch_polls, "keepers asked whether there is news")                                          \
    X(watch_renewals, "leases asked for, the first ones among them")                               \
    X(address_changes, "times the external address changed")

struct dht_counters {
#define DHT_COUNTER_FIELD(name, meaning) uint64_t name;
    DHT_COUNTERS(DHT_COUNTER_FIELD)
#undef DHT_COUNTER_FIELD
};

struct dht_info {
    struct dht_id id;
    struct dht_addr external; // ip_len 0 where not settled
    enum dht_role role;       // DHT_ROLE_SERVER or DHT_ROLE_CLIENT
    bool joined;              // the first lookup of our own id has ended and somebody answered it
    uint32_t contacts;        // in the routing table
    uint32_t contacts_good;
    uint32_t buckets;
    uint32_t ops;       // operations under way
    uint32_t queries;   // queries outstanding
    uint32_t items;     // stored
    size_t items_bytes; // memory they cost
    uint32_t swarms;    // infohashes with peers
    uint32_t peers;
    uint32_t registrations; // our own
    uint32_t watches;       // of our own
    uint32_t watchers;      // that others keep here
    uint32_t pushes;        // to them, under way
    double nodes_estimate;  // of the whole network; 0 where unknown
    struct dht_counters counters;
};

void dht_info(const struct dht *dht, struct dht_info *ret_info);

// ---- durable state of the stores ----

// Walks the stored items. cursor 0 starts; returns the next cursor, or 0 at the end. ret_expires_us
// is in the time of now_us. Only items stored or refreshed at or after since_us are returned.
uint32_t dht_export_item(const struct dht *dht, uint32_t cursor, int64_t since_us,
                         struct dht_item *ret_item, int64_t *ret_expires_us);

// Puts back an item exported by an earlier run. It is checked like a stranger's.
// False where it is not valid or there is no room.
bool dht_restore_item(struct dht *dht, int64_t now_us, const struct dht_item *item,
                      int64_t expires_us);

#endif
