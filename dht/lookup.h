// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_LOOKUP_H
#define PNR_DHT_LOOKUP_H

// One iterative lookup: the candidates that were heard of, in order of distance to the target, what
// each was asked and whether it answered. It decides whom to ask next and when the lookup is over;
// it sends nothing.
//
// A candidate's life:
//
//     NEW --asked--> ASKED --answered--> ANSWERED
//                    ASKED --soft timeout, tries left--> RETRY --asked--> ASKED
//                    ASKED --soft timeout, no tries left--> SILENT --late answer--> ANSWERED
//                    ASKED --answered, but the wrong half (see below)--> RETRY
//     any of them --caught lying, unreachable--> DEAD
//
// RETRY does not count as in flight, so a slow node costs its place for one soft timeout only;
// SILENT is passed over, so a dead one never holds up the end. In a lookup that wants BEP 44's get,
// a node that answers find_node but not get (quirk Q6) is ANSWERED all the same, and passed
// through.
//
// Whoever may choose his id can stand closest to any target. A lookup whose nodes are to be written
// to therefore goes on until secure_width nodes have answered whose ids fit their addresses (BEP
// 42), and the item is stored on those in addition to the closest of any kind. A lookup that only
// reads does not: what it reads is signed.
//
// Nor does standing closest say much where anybody may make up names. So a lookup can be widened to
// a region: a distance from the target within which all candidates have to answer, however many
// stand before them (dht/region.h says how far). And each candidate remembers who named it first:
// where four whom the same node named, and three times as many as it named rightly, have turned out
// not to be there, the rest of what it named is doubtful, and is not asked unless another node
// names it too.
//
// An address may be named by several ids: one is out of date, or a slander, and nobody can tell
// which before it has answered. The nearest to the target is listed, in the place of one that was
// not asked yet and may never be; and since it may be the false one, it is disputed from then on:
// the id that it shows instead is worth a query.
//
// Bounds: candidates_max; a full list drops its farthest candidate that was not asked. Outside a
// lab at most one candidate an address, DHT_LOOKUP_PREFIX_MAX of one /24 or /48,
// DHT_LOOKUP_WIDE_MAX of one /16 of IPv4 or /32 of IPv6. Candidates keep their index for life;
// `order` sorts them.

#include "pnr/dht.h"

#define DHT_LOOKUP_TOKEN_MAX  40 // npm sends 20 bytes, everybody else fewer
#define DHT_LOOKUP_TRIES_MAX  3
#define DHT_LOOKUP_PREFIX_MAX 3
#define DHT_LOOKUP_WIDE_MAX   8
#define DHT_LOOKUP_NONE       UINT16_MAX

enum dht_candidate_state {
    DHT_CANDIDATE_NEW,
    DHT_CANDIDATE_ASKED,
    DHT_CANDIDATE_RETRY,
    DHT_CANDIDATE_ANSWERED,
    DHT_CANDIDATE_SILENT,
    DHT_CANDIDATE_DEAD,
};

// Ordering and choosing go through all of them, again and again: one takes one cache line.
struct dht_candidate {
    struct dht_id id;
    struct dht_addr addr;
    uint32_t rtt_us;   // expected, from the routing table; 0: unknown
    uint8_t state;     // enum dht_candidate_state
    uint8_t tries;     // queries sent to it
    uint8_t depth;     // 1: from our own table; one more than who named it
    uint8_t has_get;   // enum dht_has_get
    uint8_t is_secure; // its id fits its address (BEP 42)
    uint8_t spoke;     // it has answered something, be it only find_node
    uint8_t holds;     // which item it returned: a generation of the operation's best; 0: none
    uint8_t kept;      // of those that it was the first to name: that have answered,
    uint8_t broken;    // and that have not
    uint8_t explored;  // it was asked whom it knows elsewhere in the region
    uint8_t has_named; // it has named somebody, or was asked once more whom it knows here
    uint8_t disputed;  // somebody has named its address by another id
    uint8_t is_near;   // one of dht_get.storers
    uint8_t trimmed;   // its reply was made smaller; it is, or was, asked again with its token
    uint8_t has_seq;   // it returned an item: dht_candidate_reply.seq_seen
    uint8_t owes;      // it told of an item and was asked for it: dht_candidate_reply.seq_owed
    uint8_t token_len; // of dht_candidate_reply.token; 0: none
    uint16_t namer;    // who named it first: 1 + its index; 0: our own table
};

// What it has said; each is valid where the candidate says that it is there.
struct dht_candidate_reply {
    int64_t seq_seen; // of the item it returned
    int64_t seq_owed; // of the item it told of
    uint8_t token[DHT_LOOKUP_TOKEN_MAX];
};

// Each node that a reply names has to be held against those candidates that may be it, or its
// neighbours: two small hash tables over all candidates find them.
#define DHT_LOOKUP_CHAINS 64

struct dht_lookup_tag {
    uint32_t id;    // its last 4 bytes, which the candidates of one target do not share
    uint32_t crowd; // dht_addr_crowd()
    uint16_t next_id, next_crowd; // candidates, in their chains; DHT_LOOKUP_NONE: the last
};

struct dht_lookup {
    struct dht_id target;
    struct dht_candidate *candidates;
    struct dht_candidate_reply *replies; // of each candidate; NULL until one is kept
    struct dht_lookup_tag *tags;         // of each candidate
    uint16_t id_chains[DHT_LOOKUP_CHAINS];
    uint16_t crowd_chains[DHT_LOOKUP_CHAINS];
    uint16_t *order; // indices, closest first
    uint16_t count, capacity, capacity_max;
    uint16_t in_flight; // candidates in state ASKED
    uint16_t in_flight_max;
    uint16_t width;        // how many of the closest have to answer
    uint16_t secure_width; // and how many whose ids fit their addresses; 0 at first
    uint16_t fringe;       // and how many beyond the region; 0: there is no region
    uint64_t region;       // the dht_id_distance64() up to which all have to answer
    bool lab;
    uint32_t typical_us; // see dht_lookup_hurry(); 0: in no hurry
    uint64_t near;
};

void dht_lookup_init(struct dht_lookup *lookup, const struct dht_config *config,
                     const struct dht_id *target, uint32_t width);
void dht_lookup_fini(struct dht_lookup *lookup);

enum dht_lookup_offer {
    DHT_LOOKUP_ADDED,
    DHT_LOOKUP_KNOWN,
    DHT_LOOKUP_REFUSED, // too many of its prefix
    DHT_LOOKUP_DROPPED, // the list is full, or memory is short
};

// A node was heard of. It may take the place of another name for its address. depth is 1 for a
// contact of our own table; rtt_us and has_get as the table knows them. ret_index is written when
// it was added.
enum dht_lookup_offer dht_lookup_offer(struct dht_lookup *lookup,
                                       const struct dht_candidate *newcomer, uint16_t *ret_index);

// Whom to ask now: the closest candidate in NEW or RETRY among those that have to answer and are
// not SILENT, DEAD or doubtful, while fewer than in_flight_max are asked. DHT_LOOKUP_NONE: nobody
// now.
uint16_t dht_lookup_next(const struct dht_lookup *lookup);

// Something is sought that any node up to the distance `near` (a dht_id_distance64; 0: not known)
// can be expected to have, and the first that has it will do. Until dht_lookup_calm() the lookup
// asks, instead of the closest, whoever is likely to lead there soonest: by the candidates' round
// trips and distances, where typical_us is the round trip of a node that nothing is known of. And
// it keeps more queries in flight. What has to have answered in the end does not change by it.
void dht_lookup_hurry(struct dht_lookup *lookup, uint64_t near, uint32_t typical_us);
void dht_lookup_calm(struct dht_lookup *lookup);

// The only function that changes a candidate's state. By any change but to ASKED what it owes is
// forgotten.
void dht_lookup_enter(struct dht_lookup *lookup, uint16_t index, enum dht_candidate_state state);

// The sequence number of the item that it returned last; DHT_SEQ_NONE: none.
// (Where memory is short what it says is forgotten.)
int64_t dht_lookup_seq_seen(const struct dht_lookup *lookup, uint16_t index);
void dht_lookup_saw_seq(struct dht_lookup *lookup, uint16_t index, int64_t seq);
// It told of an item with that number, and is asked for it.
void dht_lookup_owes(struct dht_lookup *lookup, uint16_t index, int64_t seq);

// Its latest token; empty: none.
struct dht_span dht_lookup_token(const struct dht_lookup *lookup, uint16_t index);
// token: at most DHT_LOOKUP_TOKEN_MAX bytes (asserted).
void dht_lookup_take_token(struct dht_lookup *lookup, uint16_t index, struct dht_span token);

// A query to it was not answered in its soft timeout.
void dht_lookup_soft_timeout(struct dht_lookup *lookup, uint16_t index);

// Whether the `width` closest live candidates, the secure_width closest secure ones, those of the
// region and of its fringe have all answered, and so nothing closer can turn up.
bool dht_lookup_is_done(const struct dht_lookup *lookup);

// Whether the closest `count` candidates have answered, those aside that were late at least once:
// who wants an answer soon does not wait for a second try.
bool dht_lookup_is_settled(const struct dht_lookup *lookup, uint32_t count);

// Whether one that has to answer still owes an item with another sequence number than seq. It does
// until it has answered again, or was silent for one soft timeout: so who tells of an item that
// there is not holds up the end, and does not keep it off.
bool dht_lookup_is_owed(const struct dht_lookup *lookup, int64_t seq);

// The closest live candidates, answered or not, those aside that were late at least once; returns
// how many indices were written.
size_t dht_lookup_front(const struct dht_lookup *lookup, size_t max, uint16_t *ret_indices);

// The closest that answered, with a token where with_token is set; returns how many indices were
// written.
size_t dht_lookup_answered(const struct dht_lookup *lookup, size_t max, bool with_token,
                           uint16_t *ret_indices);

// Whom to store on: the `width` closest that answered with a token and all others of the region,
// and where fewer than secure_width of them are secure, further secure ones up to that;
// DHT_STORERS_MAX at most. Returns how many indices were written.
size_t dht_lookup_storers(const struct dht_lookup *lookup, size_t width,
                          uint16_t ret_indices[DHT_STORERS_MAX]);

// From now on all candidates up to that distance have to answer, and `fringe` beyond it, who know
// them as well as they know each other.
void dht_lookup_widen(struct dht_lookup *lookup, uint64_t region, uint32_t width, uint32_t fringe);

// How many of those that were offered from our own table lie beyond the region.
uint32_t dht_lookup_own_beyond(const struct dht_lookup *lookup);

#endif
