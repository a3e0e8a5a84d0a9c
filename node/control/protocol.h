// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_PROTOCOL_H
#define PNR_CONTROL_PROTOCOL_H

// Every word that pnrd and its clients exchange: requests, kinds of answers, keys of dictionaries,
// error codes and bounds. docs/control.md tells the whole protocol, with examples; this file is its
// vocabulary, and nothing else spells these words.
//
// In short: frames of a 4-byte length (big endian, of what follows) and one bencoded dictionary.
//   request  {"a": {arguments}, "i": id, "q": "resolve"}
//   answer   {"i": id, "o": "result", "r": {fields}}
// Kinds of answers: result and progress (any number), then exactly one done or error. Keys that a
// reader does not know are skipped, so both sides may add keys. Booleans are the integers 0 and 1.
// Where a key is said to be "left out", it is left out only where the value is not known.

#include "dht/bencode.h"

#define CONTROL_VERSION 1 // the protocol version spoken here (hello)

// ---- bounds ----

#define CONTROL_FRAME_MAX     65536      // bytes of a frame, its 4 bytes of length included
#define CONTROL_FRAME_HEAD    4          // bytes of the length
#define CONTROL_HELLO_MAX     512        // bytes of a frame of the handshake
#define CONTROL_ID_MAX        2147483647 // request ids: 1 to this; 0 speaks of the connection
#define CONTROL_REQUESTS_MAX  256        // requests under way on one connection; more: error 9
#define CONTROL_NAME_LEN_MAX  640        // bytes of a peer name: authority, '.', 149 UTF-16 units
#define CONTROL_ENDPOINTS_MAX 10         // of a publisher
#define CONTROL_COMMENT_MAX   78         // bytes of a comment: 39 UTF-16 units
#define CONTROL_PAYLOAD_MAX   4096       // bytes of a payload
#define CONTROL_MACHINE_MAX   32         // bytes of a machine id
#define CONTROL_PUBLISHER_LEN 16         // bytes that tell a name's publishers apart
#define CONTROL_MARK_LEN      8          // bytes of the mark of what a publisher says
#define CONTROL_KNOWN_MAX     256        // publishers that a watch may name
#define CONTROL_LABEL_LEN_MAX                                                                      \
    32 // bytes of a key's label: a-z 0-9 '-'; not 0, nor what reads as a key
#define CONTROL_PEM_LEN_MAX        4096 // bytes of a PEM file
#define CONTROL_TEXT_LEN_MAX       1024 // bytes of any other text
#define CONTROL_REFUSED_MAX        64   // entries of `refused`; more are left out
#define CONTROL_CLOUDS_MAX         16   // entries of `clouds` in status; more are left out
#define CONTROL_TIMEOUT_MS_MAX     600000
#define CONTROL_TIMEOUT_MS_DEFAULT 30000

// ---- access ----

enum control_access {
    CONTROL_ACCESS_NONE,
    CONTROL_ACCESS_RESOLVE, // every local user: read-only requests, and `register`
    CONTROL_ACCESS_CONTROL, // the owner and his group: everything
};

#define CONTROL_ACCESS_TEXT_RESOLVE "resolve"
#define CONTROL_ACCESS_TEXT_CONTROL "control"

// ---- requests: enum name, word, least access, meaning ----

#define CONTROL_REQUESTS(X)                                                                        \
    X(CANCEL, "cancel", RESOLVE, "ends another request of this connection at once")                \
    X(RESOLVE, "resolve", RESOLVE, "looks a name up")                                              \
    X(WATCH, "watch", RESOLVE, "tells what a name resolves to, and each change of it")             \
    X(STATUS, "status", RESOLVE, "what the daemon is and does")                                    \
    X(CLOUDS, "clouds", RESOLVE, "what clouds there are, and each change of them")                 \
    X(PEERS, "peers", RESOLVE, "the contacts of the routing tables")                               \
    X(REGISTER, "register", RESOLVE, "publishes an unsecured name until this connection ends")     \
    X(UNREGISTER, "unregister", RESOLVE, "withdraws what this connection registered")              \
    X(PUBLISH, "publish", CONTROL, "publishes a name until it is unpublished")                     \
    X(UNPUBLISH, "unpublish", CONTROL, "withdraws a publication")                                  \
    X(PUBLICATIONS, "publications", CONTROL, "lists the publications")                             \
    X(DOCTOR, "doctor", CONTROL, "checks what can go wrong")                                       \
    X(KEY_NEW, "key_new", CONTROL, "makes a key")                                                  \
    X(KEY_IMPORT, "key_import", CONTROL, "takes a key over from a PEM file's text")                \
    X(KEY_EXPORT, "key_export", CONTROL, "gives a key's PEM text")                                 \
    X(KEY_LIST, "key_list", CONTROL, "lists the keys")                                             \
    X(KEY_SHOW, "key_show", CONTROL, "one key")                                                    \
    X(PING, "ping", CONTROL, "one round trip to a DHT node")

enum control_request {
    CONTROL_REQUEST_UNKNOWN, // any other word: error 2
#define CONTROL_REQUEST_ENUM(name, word, access, meaning) CONTROL_REQUEST_##name,
    CONTROL_REQUESTS(CONTROL_REQUEST_ENUM)
#undef CONTROL_REQUEST_ENUM
        CONTROL_REQUEST_COUNT,
};

// Which request a word names; CONTROL_REQUEST_UNKNOWN where none.
enum control_request control_protocol_request(struct dht_span word);
// The word of a request; "" for CONTROL_REQUEST_UNKNOWN and what is no request.
const char *control_protocol_request_word(enum control_request request);
// The least access that a request needs; CONTROL_ACCESS_RESOLVE for CONTROL_REQUEST_UNKNOWN, which
// is then answered with error 2, not 6.
enum control_access control_protocol_request_access(enum control_request request);

// ---- answers ----

enum control_answer {
    CONTROL_ANSWER_RESULT,
    CONTROL_ANSWER_PROGRESS,
    CONTROL_ANSWER_DONE,  // final
    CONTROL_ANSWER_ERROR, // final
    CONTROL_ANSWER_UNKNOWN,
};

#define CONTROL_ANSWER_TEXT_RESULT   "result"
#define CONTROL_ANSWER_TEXT_PROGRESS "progress"
#define CONTROL_ANSWER_TEXT_DONE     "done"
#define CONTROL_ANSWER_TEXT_ERROR    "error"

enum control_answer control_protocol_answer(struct dht_span word);
const char *control_protocol_answer_word(enum control_answer answer); // "" where unknown

// ---- errors: enum name, code on the wire (and exit code of the command line), meaning ----
// The same numbers as enum pnr_error in include/pnr/client.h. Clients say UNREACHABLE and MEMORY of
// themselves; they are never on the wire. With FAILED the text of the answer says why.

#define CONTROL_ERRORS(X)                                                                          \
    X(OK, 0, "done")                                                                               \
    X(FAILED, 1, "it failed")                                                                      \
    X(USAGE, 2, "unknown request, or arguments that make no sense")                                \
    X(NOT_FOUND, 3, "no such name, key or publication")                                            \
    X(TIMED_OUT, 4, "not answered in time")                                                        \
    X(UNREACHABLE, 5, "the daemon cannot be reached")                                              \
    X(REFUSED, 6, "not allowed at this level of access")                                           \
    X(CANCELLED, 7, "ended by cancel, or by the daemon's end")                                     \
    X(CONFLICT, 8, "a newer record stands in the way and could not be merged")                     \
    X(FULL, 9, "a bound is reached; try again later")                                              \
    X(PROTOCOL, 10, "the other side broke the protocol")                                           \
    X(MEMORY, 11, "out of memory")

enum control_error {
#define CONTROL_ERROR_ENUM(name, code, meaning) CONTROL_ERROR_##name = code,
    CONTROL_ERRORS(CONTROL_ERROR_ENUM)
#undef CONTROL_ERROR_ENUM
};

// ---- keys ----

// The envelope.
#define CONTROL_KEY_ARGUMENTS "a" // dict; left out: no arguments
#define CONTROL_KEY_ID        "i" // int, 1..CONTROL_ID_MAX, not in use on this connection
#define CONTROL_KEY_ANSWER    "o" // text: the kind of answer
#define CONTROL_KEY_REQUEST   "q" // text: the request
#define CONTROL_KEY_FIELDS    "r" // dict; left out: no fields

// The handshake (node/control/handshake.h).
#define CONTROL_KEY_ACCESS        "access"  // text: resolve or control
#define CONTROL_KEY_HELLO_NODE    "node"    // int: which node of the daemon is meant, 0 the first
#define CONTROL_KEY_HELLO_NONCE   "nonce"   // 32 bytes
#define CONTROL_KEY_HELLO_PROOF   "proof"   // 32 bytes
#define CONTROL_KEY_HELLO_VERSION "version" // int: the protocol version

// Errors.
#define CONTROL_KEY_CODE "code" // int: enum control_error; in `refused`: the KRPC error code
#define CONTROL_KEY_TEXT "text" // text for people, one sentence

// Arguments.
#define CONTROL_KEY_CANCEL_ID  "id"         // int: the request to end
#define CONTROL_KEY_CACHED     "cached"     // bool: what is known and fresh will do, or comes first
#define CONTROL_KEY_CLOUD      "cloud"      // text: the cloud's name; left out: docs/control.md
#define CONTROL_KEY_KNOWN      "known"      // list of dicts {mark, publisher}
#define CONTROL_KEY_CRITERIA   "criteria"   // text: enum control_criteria; left out: any-peer-name
#define CONTROL_KEY_HINT       "hint"       // 4 or 16 bytes: an address to be near to
#define CONTROL_KEY_MAX        "max"        // int: results at most; left out: all
#define CONTROL_KEY_TIMEOUT_MS "timeout_ms" // int, 1..CONTROL_TIMEOUT_MS_MAX; left out: 30000
#define CONTROL_KEY_TRACE      "trace"      // bool: a progress for every query that ended
#define CONTROL_KEY_WATCH      "watch"      // bool: of clouds: go on with the changes
#define CONTROL_KEY_WAIT       "wait"       // text: enum control_wait; left out: settled

// Names and what they resolve to.
#define CONTROL_KEY_NAME         "name"         // text: the peer name; in answers canonical
#define CONTROL_KEY_AUTHORITY    "authority"    // text: "0", or z-base-32 of the key
#define CONTROL_KEY_CLASSIFIER   "classifier"   // text, UTF-8; "" where there is none
#define CONTROL_KEY_ENDPOINTS    "endpoints"    // list of endpoint dicts, at most 10
#define CONTROL_KEY_IP           "ip"           // 4 or 16 bytes
#define CONTROL_KEY_PORT         "port"         // int, 0..65535
#define CONTROL_KEY_PROTO        "proto"        // int, 0..255: IP protocol number; 0: any
#define CONTROL_KEY_COMMENT      "comment"      // raw UTF-16LE bytes, even, at most 78
#define CONTROL_KEY_PAYLOAD      "payload"      // bytes, at most 4096
#define CONTROL_KEY_PAYLOAD_TYPE "payload_type" // int: enum control_payload
#define CONTROL_KEY_MACHINE      "machine"      // bytes: id of the publishing machine
#define CONTROL_KEY_PUBLISHER    "publisher" // 16 bytes: the same for all that one publisher says
#define CONTROL_KEY_MARK         "mark"      // 8 bytes: changes when what it says changes
#define CONTROL_KEY_EVENT        "event"     // text: enum control_event; of a watch
#define CONTROL_KEY_SEQ          "seq"       // int; left out for unsecured names
#define CONTROL_KEY_TTL_S        "ttl_s"     // int: seconds that the answer may be kept
#define CONTROL_KEY_AGE_S        "age_s"     // int: seconds since it was verified; 0 from the DHT
#define CONTROL_KEY_SOURCE       "source"    // text: enum control_source
#define CONTROL_KEY_FINAL        "final"     // bool: nothing newer of this publisher follows

// Counts of the work done.
#define CONTROL_KEY_COUNT          "count"          // int: results sent
#define CONTROL_KEY_NODES_ASKED    "nodes_asked"    // int: nodes queried
#define CONTROL_KEY_NODES_ANSWERED "nodes_answered" // int: nodes that replied
#define CONTROL_KEY_COPIES         "copies"         // int: nodes that returned the newest item
#define CONTROL_KEY_DENSITY        "density"        // int: percent; left out where unknown
#define CONTROL_KEY_SUSPECT        "suspect"        // bool: nodes are packed around the name
#define CONTROL_KEY_HOPS           "hops"           // int: longest chain of nodes that answered
#define CONTROL_KEY_ELAPSED_US     "elapsed_us"     // int: since the request came in

// Publishing.
#define CONTROL_KEY_STEP       "step"       // text: enum control_step
#define CONTROL_KEY_STORED     "stored"     // int: nodes that hold it now (the N of N of M)
#define CONTROL_KEY_TARGETS    "targets"    // int: nodes asked to store (the M)
#define CONTROL_KEY_REFUSED    "refused"    // list of dicts {addr, code}; code 0: silent
#define CONTROL_KEY_RENEW_S    "renew_s"    // int: seconds until the next renewal
#define CONTROL_KEY_STATE      "state"      // text: enum control_state
#define CONTROL_KEY_LAST_ERROR "last_error" // text; "" where none
#define CONTROL_KEY_SESSION    "session"    // bool: lives as long as a connection (register)

// Keys.
#define CONTROL_KEY_LABEL "label" // text: see CONTROL_LABEL_LEN_MAX
#define CONTROL_KEY_PEM   "pem"   // text: PKCS#8 PEM of the private key
#define CONTROL_KEY_Z32   "z32"   // text: 52 characters
#define CONTROL_KEY_HEX40 "hex40" // text: 40 hex digits, SHA-1 of the raw key
#define CONTROL_KEY_PATH  "path"  // text: the key's file

// Status, peers, ping and hops.
#define CONTROL_KEY_ADDR           "addr"          // text: "192.0.2.1:6881" or "[2001:db8::1]:6881"
#define CONTROL_KEY_CHECK          "check"         // text: what a finding is about
#define CONTROL_KEY_CLOUDS         "clouds"        // list of cloud dicts, one for each engine
#define CONTROL_KEY_FAMILIES       "families"      // list of ints: 4, 6
#define CONTROL_KEY_SCOPE          "scope"         // text: enum control_scope
#define CONTROL_KEY_SCOPE_ID       "scope_id"      // int: of a link: its interface's index; else 0
#define CONTROL_KEY_CONTACTS       "contacts"      // int
#define CONTROL_KEY_CONTACTS_GOOD  "contacts_good" // int
#define CONTROL_KEY_COUNTERS       "counters"      // dict: name to int
#define CONTROL_KEY_DEPTH          "depth"         // int: 1 for a node of our own table
#define CONTROL_KEY_EXTERNAL       "external"      // text: address as others see it; or left out
#define CONTROL_KEY_FAMILY         "family"        // int: 4 or 6
#define CONTROL_KEY_FAILURES       "failures"      // int: findings that are `fail`
#define CONTROL_KEY_FINDINGS       "findings"      // list, from the driver to the brain
#define CONTROL_KEY_GOOD           "good"          // bool: BEP 5
#define CONTROL_KEY_NODE_ID        "id"            // 20 bytes
#define CONTROL_KEY_ITEMS          "items"         // int: stored for others
#define CONTROL_KEY_ITEMS_BYTES    "items_bytes"   // int
#define CONTROL_KEY_JOINED         "joined"        // bool
#define CONTROL_KEY_KEYS           "keys"          // int: keys held
#define CONTROL_KEY_LISTEN         "listen"        // text: address bound to
#define CONTROL_KEY_NAMED          "named"         // int: contacts in the reply
#define CONTROL_KEY_NODE           "node"          // int: index of this node in its process
#define CONTROL_KEY_NODES          "nodes"         // int: nodes of the process
#define CONTROL_KEY_NODES_ESTIMATE "nodes_estimate" // int: of the whole network; 0: unknown
#define CONTROL_KEY_OPS            "ops"            // int: operations under way
#define CONTROL_KEY_OUTCOME        "outcome"        // text: answered, found, error or silent
#define CONTROL_KEY_PUBLICATIONS   "publications"   // int
#define CONTROL_KEY_REMEDY         "remedy"         // text: what to do about a finding
#define CONTROL_KEY_REQUESTS       "requests"       // int: requests under way, of all clients
#define CONTROL_KEY_ROLE           "role"           // text: CONTROL_ROLE_TEXT_*
#define CONTROL_KEY_RTT_US         "rtt_us"         // int; left out where not known
#define CONTROL_KEY_SECURE         "secure"         // bool: BEP 42
#define CONTROL_KEY_SESSIONS       "sessions"       // int: clients connected
#define CONTROL_KEY_TARGET         "target"         // 20 bytes: what a traced lookup looks for
#define CONTROL_KEY_UPTIME_S       "uptime_s"       // int
#define CONTROL_KEY_VERSION        "version"        // text: the daemon's version
#define CONTROL_KEY_WARNINGS       "warnings"       // int: findings that are `warn`

#define CONTROL_ROLE_TEXT_CLIENT "client"
#define CONTROL_ROLE_TEXT_SERVER "server"

// ---- words for enums ----
// The tables behind control_protocol_word_*() are in the order of the enums.

// How long resolve looks (docs/design.md, "Cache").
#define CONTROL_WAITS(X)                                                                           \
    X(CACHE, "cache")     /* what is known, no network */                                          \
    X(FIRST, "first")     /* the first verified answer */                                          \
    X(SETTLED, "settled") /* until the closest nodes agree; the default */                         \
    X(ALL, "all")         /* the whole lookup, authoritative */

// Where an answer came from.
#define CONTROL_SOURCES(X)                                                                         \
    X(CACHE, "cache") X(DHT, "dht") X(LOCAL, "local") /* a publication of this daemon */

// What a publish is doing now.
#define CONTROL_STEPS(X)                                                                           \
    X(READING, "reading")   /* reads the record that stands */                                     \
    X(SAVING, "saving")     /* makes publication and sequence number durable */                    \
    X(STORING, "storing")   /* stores on the closest nodes */                                      \
    X(HOP, "hop")           /* a query of a traced lookup ended: addr, outcome, depth, ... */      \
    X(WATCHING, "watching") /* of a watch: all that there is now has been told */                  \
    X(WHO, "who")           /* of a trace: a node was asked what it publishes; as of HOP */

// What a watch tells of a publisher.
#define CONTROL_EVENTS(X)                                                                          \
    X(ADDED, "added") X(CHANGED, "changed") /* says something else */ X(GONE, "gone")

// What state a publication is in.
#define CONTROL_STATES(X)                                                                          \
    X(READING, "reading")                                                                          \
    X(SAVING, "saving")                                                                            \
    X(STORING, "storing")                                                                          \
    X(KEPT, "kept")               /* stored; waits for its renewal */                              \
    X(FAILED, "failed")           /* the last round failed; tried again in renew_s */              \
    X(WITHDRAWING, "withdrawing") /* its tombstone is renewed */                                   \
    X(CHECKING, "checking")       /* stored; is read back in a moment */

// How far a cloud reaches.
#define CONTROL_SCOPES(X) X(GLOBAL, "global") X(SITE, "site") X(LINK, "link")

// How a cloud is doing: PNRP's states and numbers.
#define CONTROL_CLOUD_STATES(X)                                                                    \
    X(VIRTUAL, "virtual")             /* not begun */                                              \
    X(SYNCHRONISING, "synchronising") /* joins */                                                  \
    X(ACTIVE, "active")               /* joined, and others are there */                           \
    X(DEAD, "dead")                   /* none of the others answers any more */                    \
    X(DISABLED, "disabled")           /* switched off by the configuration */                      \
    X(NO_NET, "no-net")               /* there is no address to use */                             \
    X(ALONE, "alone")                 /* nobody else is there */

// How a query of a traced lookup ended.
#define CONTROL_OUTCOMES(X)                                                                        \
    X(ANSWERED, "answered") X(FOUND, "found") X(ERROR, "error") X(SILENT, "silent")

// Which publishers of a name a resolve, or a watch, wants: PNRP's criteria.
#define CONTROL_CRITERIA(X)                                                                        \
    X(ANY, "any-peer-name")                       /* all of them; also where it is left out */     \
    X(DEFAULT, "default")                         /* PNRP's: non-current-process */                \
    X(REMOTE, "remote-peer-name")                 /* not this daemon's */                          \
    X(NEAREST_REMOTE, "nearest-remote-peer-name") /* nearest: sorted by hint or round trip */      \
    X(NON_CURRENT, "non-current-process")         /* not what this connection registered */        \
    X(NEAREST_NON_CURRENT, "nearest-non-current-process")                                          \
    X(NEAREST, "nearest-peer-name")

// How a thing is that the doctor looked at.
#define CONTROL_FINDINGS(X) X(OK, "ok") X(WARN, "warn") X(FAIL, "fail")

#define CONTROL_FINDING_ENUM(name, word)  CONTROL_FINDING_##name,
#define CONTROL_CRITERIA_ENUM(name, word) CONTROL_CRITERIA_##name,
#define CONTROL_WAIT_ENUM(name, word)     CONTROL_WAIT_##name,
#define CONTROL_SOURCE_ENUM(name, word)   CONTROL_SOURCE_##name,
#define CONTROL_STEP_ENUM(name, word)     CONTROL_STEP_##name,
#define CONTROL_STATE_ENUM(name, word)    CONTROL_STATE_##name,
#define CONTROL_OUTCOME_ENUM(name, word)  CONTROL_OUTCOME_##name,
#define CONTROL_EVENT_ENUM(name, word)    CONTROL_EVENT_##name,
enum control_finding { CONTROL_FINDINGS(CONTROL_FINDING_ENUM) CONTROL_FINDING_COUNT };
#define CONTROL_SCOPE_ENUM(name, word)       CONTROL_SCOPE_##name,
#define CONTROL_CLOUD_STATE_ENUM(name, word) CONTROL_CLOUD_STATE_##name,
enum control_scope { CONTROL_SCOPES(CONTROL_SCOPE_ENUM) CONTROL_SCOPE_COUNT };
enum control_cloud_state {
    CONTROL_CLOUD_STATES(CONTROL_CLOUD_STATE_ENUM) CONTROL_CLOUD_STATE_COUNT
};
#undef CONTROL_SCOPE_ENUM
#undef CONTROL_CLOUD_STATE_ENUM
enum control_wait { CONTROL_WAITS(CONTROL_WAIT_ENUM) CONTROL_WAIT_COUNT };
enum control_source { CONTROL_SOURCES(CONTROL_SOURCE_ENUM) CONTROL_SOURCE_COUNT };
enum control_step { CONTROL_STEPS(CONTROL_STEP_ENUM) CONTROL_STEP_COUNT };
enum control_state { CONTROL_STATES(CONTROL_STATE_ENUM) CONTROL_STATE_COUNT };
enum control_outcome { CONTROL_OUTCOMES(CONTROL_OUTCOME_ENUM) CONTROL_OUTCOME_COUNT };
enum control_criteria { CONTROL_CRITERIA(CONTROL_CRITERIA_ENUM) CONTROL_CRITERIA_COUNT };
enum control_event { CONTROL_EVENTS(CONTROL_EVENT_ENUM) CONTROL_EVENT_COUNT };
#undef CONTROL_FINDING_ENUM
#undef CONTROL_WAIT_ENUM
#undef CONTROL_SOURCE_ENUM
#undef CONTROL_STEP_ENUM
#undef CONTROL_STATE_ENUM
#undef CONTROL_OUTCOME_ENUM
#undef CONTROL_EVENT_ENUM
#undef CONTROL_CRITERIA_ENUM

// The kinds of payload, PNRP's numbers.
enum control_payload {
    CONTROL_PAYLOAD_NONE,
    CONTROL_PAYLOAD_BINARY,
    CONTROL_PAYLOAD_STRING, // UTF-16LE
};

enum control_vocabulary {
    CONTROL_VOCABULARY_WAIT,
    CONTROL_VOCABULARY_SOURCE,
    CONTROL_VOCABULARY_STEP,
    CONTROL_VOCABULARY_STATE,
    CONTROL_VOCABULARY_OUTCOME,
    CONTROL_VOCABULARY_FINDING,
    CONTROL_VOCABULARY_EVENT,
    CONTROL_VOCABULARY_CRITERIA,
    CONTROL_VOCABULARY_SCOPE,
    CONTROL_VOCABULARY_CLOUD_STATE,
};

// The word for a value of the enum behind a vocabulary; "" where it is none.
const char *control_protocol_word(enum control_vocabulary vocabulary, int value);
// The value of a word; -1 where the vocabulary does not have it.
int control_protocol_value(enum control_vocabulary vocabulary, struct dht_span word);

#endif
