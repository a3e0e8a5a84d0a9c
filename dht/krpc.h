// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_KRPC_H
#define PNR_DHT_KRPC_H

// KRPC messages (BEP 5, 32, 33, 42, 43, 44, 51, and docs/watching.md): parsed without copying,
// replies and queries written in place.
//
// dht_krpc_parse() walks a datagram once. All keys that the engine knows, of `a` and of `r` alike,
// land in one flat struct as views into the datagram; what is missing has data NULL (a present but
// empty string has len 0). Unknown keys are skipped. A known key of `a` or `r` of the wrong type or
// size, and an `a`, `r` or `e` of the wrong type, count as missing and set bad_args; another key of
// the top level of the wrong type counts as missing. Keys may come unsorted, as some deployed nodes
// send them; a known key that comes twice makes the message malformed, also once in `a` and once in
// `r`. Bencode in the message nests as deep as dht/bencode.h allows.

#include "dht/bencode.h"
#include "pnr/dht.h"

#define DHT_KRPC_TID_LEN     4  // of our own transaction ids (quirk Q1)
#define DHT_KRPC_TID_LEN_MAX 32 // of others'; a longer one is malformed
#define DHT_KRPC_NONCE_LEN   16 // of a watch

enum dht_krpc_type {
    DHT_KRPC_QUERY,
    DHT_KRPC_REPLY,
    DHT_KRPC_ERROR,
};

enum dht_krpc_method {
    DHT_KRPC_PING,
    DHT_KRPC_FIND_NODE,
    DHT_KRPC_GET_PEERS,
    DHT_KRPC_ANNOUNCE_PEER,
    DHT_KRPC_GET,
    DHT_KRPC_PUT,
    DHT_KRPC_SAMPLE_INFOHASHES,
    DHT_KRPC_WHO, // `pnr_who`, docs/unsecured.md
    DHT_KRPC_PNR_WATCH,
    DHT_KRPC_PNR_CHANGED,
    DHT_KRPC_UNKNOWN, // see method_name
};

// Error codes of BEP 5 and BEP 44.
enum dht_krpc_error {
    DHT_KRPC_ERROR_GENERIC = 201,
    DHT_KRPC_ERROR_SERVER = 202,
    DHT_KRPC_ERROR_PROTOCOL = 203,
    DHT_KRPC_ERROR_METHOD = 204,
    DHT_KRPC_ERROR_VALUE_SIZE = 205,
    DHT_KRPC_ERROR_SIGNATURE = 206,
    DHT_KRPC_ERROR_SALT_SIZE = 207,
    DHT_KRPC_ERROR_CAS = 301,
    DHT_KRPC_ERROR_SEQ = 302,
};

enum dht_krpc_want {
    DHT_KRPC_WANT_NODES = 1,  // "n4"
    DHT_KRPC_WANT_NODES6 = 2, // "n6"
};

struct dht_krpc {
    enum dht_krpc_type type;
    enum dht_krpc_method method; // of a query; else DHT_KRPC_UNKNOWN or what `q` says
    struct dht_span tid;         // 0 to DHT_KRPC_TID_LEN_MAX bytes
    struct dht_span method_name;
    struct dht_span version; // `v` at top level; any length
    struct dht_span ip;      // BEP 42, top level; any length (quirk Q19)
    bool read_only;          // `ro` is an integer other than 0 (BEP 43)
    // From `a` or `r`. A 20-byte field of another length counts as missing (data NULL), with
    // bad_args set.
    struct dht_span id;
    struct dht_span target;
    struct dht_span info_hash;
    struct dht_span token;
    struct dht_span nodes;   // a multiple of 26, else missing with bad_args set
    struct dht_span nodes6;  // a multiple of 38, likewise
    struct dht_span values;  // raw bencoded list; walk it with dht_krpc_next_peer()
    struct dht_span key;     // `k`, 32 bytes
    struct dht_span sig;     // 64 bytes
    struct dht_span salt;    // any length: the caller answers 207
    struct dht_span value;   // `v` in a or r: raw bencoded, checked for well-formedness only
    struct dht_span samples; // a multiple of 20, else missing with bad_args set
    struct dht_span name;    // `n` of get_peers and announce_peer
    struct dht_span nonce;   // of pnr_watch and pnr_changed, 16 bytes
    uint32_t want;           // flags of enum dht_krpc_want; 0 where there is no `want`
    bool has_want;           // a `want` list was there, known words in it or not
    bool has_port;
    bool has_seq;
    bool has_cas;
    bool implied_port; // integer other than 0
    bool seed;
    bool noseed;
    bool scrape;
    bool changed; // of announce_peer
    bool gone;    // of pnr_changed
    bool peers;   // of pnr_watch
    bool has_lease;
    bool has_news;
    bool has_watch;
    int64_t port;
    int64_t seq;
    int64_t cas;
    int64_t observed_port; // `p` in r (quirk Q18); 0 where missing
    int64_t interval;      // BEP 51
    int64_t num;
    // Of pnr_who (docs/unsecured.md); 0 where missing.
    int64_t offset;       // in the payload, of the part wanted
    int64_t size;         // of the whole payload
    struct dht_span part; // any length
    int64_t lease;        // seconds, of pnr_watch
    int64_t watch;        // seconds, of its reply
    int64_t news;         // milliseconds, likewise
    // Of an error.
    int64_t error_code;
    struct dht_span error_text;
    bool bad_args; // a known argument had the wrong type or size
};

// Parses a datagram. False where it is not a KRPC message: no dict, no or unknown `y`, no or
// oversized `t`, a query without `q`, broken bencode, bytes left over, a known key twice. ret_msg
// is written only on success; its views point into the datagram.
bool dht_krpc_parse(struct dht_span datagram, struct dht_krpc *ret_msg);

// Walks `values`: start with a cursor of dht_krpc_peers(); entries of other types, and of other
// lengths than 6 and 18, are passed over. False at the end, and at once where there is no `values`.
struct dht_bencode_cursor dht_krpc_peers(const struct dht_krpc *msg);
bool dht_krpc_next_peer(struct dht_bencode_cursor *cursor, struct dht_addr *ret_peer);

// One contact of `nodes` or `nodes6`: id, then compact address.
struct dht_krpc_node {
    struct dht_id id;
    struct dht_addr addr;
};
// Reads contact number index (below nodes.len / entry_len, asserted) of a span whose entries are
// entry_len (26 or 38) bytes long. Nothing is judged: the address may be a martian.
void dht_krpc_node(struct dht_span nodes, size_t entry_len, size_t index,
                   struct dht_krpc_node *ret_node);

// The bytes that are signed for a mutable item: [4:salt<salt>]3:seqi<seq>e1:v<value> (BEP 44).
// value is bencoded. ret_text has room for DHT_KRPC_SIGNED_MAX bytes, which is enough for the
// greatest salt and value (asserted: check their lengths first); returns how many were written.
#define DHT_KRPC_SIGNED_MAX (DHT_VALUE_LEN_MAX + DHT_SALT_LEN_MAX + 48)
size_t dht_krpc_signed_text(struct dht_span salt, int64_t seq, struct dht_span value,
                            uint8_t ret_text[DHT_KRPC_SIGNED_MAX]);

// ---- writing ----
// Keys have to be sorted. A reply is written as
//     dht_krpc_open_reply(w, id)   "d" "2:ip" ip "1:r" "d" "2:id" id
//     ... the other keys of r, in order ...
//     dht_krpc_close_reply(...)    "e" ["2:ro" i1e] "1:t" tid "1:v" version "1:y" "1:r" "e"
// and a query likewise. What does not fit sets the writer's `full`: look at it once, at the end.

struct dht_krpc_envelope {
    const struct dht_id *id;     // ours; read by dht_krpc_open_reply() alone
    struct dht_span tid;         // echoed, or ours
    const struct dht_addr *your; // requester, for `ip` in replies and errors; NULL: leave it out
    const char *version;         // 4 bytes
    bool read_only;              // `ro` in queries and replies
};

void dht_krpc_open_reply(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env);
void dht_krpc_close_reply(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env);
// The same for a reply to a scrape: BEP 33's two Bloom filters sort before `id`.
void dht_krpc_open_scrape_reply(struct dht_bencode_writer *writer,
                                const struct dht_krpc_envelope *env, const uint8_t seeds[256],
                                const uint8_t peers[256]);
// A whole error message: "d" "1:e" [code, text] "2:ip" ip "1:t" tid "1:v" version "1:y" "1:e" "e".
void dht_krpc_error(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env,
                    enum dht_krpc_error code, const char *text);

// "d" "1:a" "d"; the caller then writes all keys of a in order, `id` among them (dht_krpc_put_id):
// `cas` and nothing else sorts before it.
void dht_krpc_open_query(struct dht_bencode_writer *writer);
// A key and a 20-byte value: `id`, `target` or `info_hash`.
void dht_krpc_put_id(struct dht_bencode_writer *writer, const char *key, const struct dht_id *id);
// "e" "1:q" method ["2:ro" i1e] "1:t" tid "1:v" version "1:y" "1:q" "e"
void dht_krpc_close_query(struct dht_bencode_writer *writer, const struct dht_krpc_envelope *env,
                          const char *method);

#endif
