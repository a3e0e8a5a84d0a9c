// SPDX-License-Identifier: MIT
#ifndef PNR_CLIENT_H
#define PNR_CLIENT_H

// libpnr: talks to pnrd, the daemon that resolves and publishes peer names. A whole program:
//
//     #include <pnr/client.h>
//     #include <stdio.h>
//
//     int main(int argc, char **argv)
//     {
//         struct pnr_client *client;
//         struct pnr_event event;
//         struct pnr_result result;
//         uint32_t request;
//         enum pnr_error error = pnr_client_open(NULL, 2000, &client);
//         if (error == PNR_OK) {
//             struct pnr_resolve resolve = {.name = argc > 1 ? argv[1] : "0.printer"};
//             error = pnr_resolve(client, &resolve, &request);
//             while (error == PNR_OK) {
//                 error = pnr_client_wait(client, request, -1, &event);
//                 if (error != PNR_OK || event.type == PNR_EVENT_DONE) {
//                     break;
//                 }
//                 if (event.type == PNR_EVENT_ERROR) {
//                     error = event.error;
//                 } else if (pnr_read_result(&event, &result) && result.endpoint_count > 0) {
//                     printf("%s: port %u\n", result.name, result.endpoints[0].port);
//                 }
//             }
//             pnr_client_close(client);
//         }
//         if (error != PNR_OK) {
//             fprintf(stderr, "%s\n", pnr_error_text(error));
//         }
//         return error;
//     }
//
// A client is one connection. Requests run on it side by side: each is named by a number, never 0,
// and its answers come as events: any number of results and progress, then exactly one "done" or
// "error", also where the daemon goes away or the deadline passes. Whoever cannot wait uses the
// client's descriptor with his own loop: pnr_client_new(), pnr_client_fd(), pnr_client_wants(),
// pnr_client_timeout_ms(), pnr_client_process(), pnr_client_next(). Both ways may be mixed.
//
// A client is not safe to use from two threads at once; different clients are. The library has no
// globals, starts no thread, raises no signal, prints nothing and never ends the process. On
// Windows the caller has called WSAStartup.
//
// Ownership: strings and bytes handed in are copied. What an event points to belongs to the client
// and is valid until the next call on it that is not a pnr_read_*() or pnr_field_*().
//
// Bounds: 256 requests under way; 1 MiB of answers not yet fetched, past which the daemon is not
// read from; 256 KiB of requests not yet sent. The protocol itself is docs/control.md. Until
// version 1 of the library, structures may grow from one version to the next (SOVERSION 0).

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(PNR_CLIENT_DLL)
#define PNR_API __declspec(dllimport)
#elif defined(_WIN32) && defined(PNR_CLIENT_BUILDS_DLL)
#define PNR_API __declspec(dllexport)
#elif defined(__GNUC__)
#define PNR_API __attribute__((visibility("default")))
#else
#define PNR_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define PNR_NAME_MAX       641 // bytes of a peer name's buffer; each of these counts the NUL
#define PNR_AUTHORITY_MAX  64
#define PNR_CLASSIFIER_MAX 512
#define PNR_LABEL_MAX      65
#define PNR_ADDR_MAX       64 // "[2001:db8::1]:6881"
#define PNR_WORD_MAX       64 // names of clouds and counters, versions
#define PNR_TEXT_MAX       1025
#define PNR_PEM_MAX        4097
#define PNR_ENDPOINTS_MAX  10
#define PNR_COMMENT_MAX    78 // bytes, no NUL
#define PNR_PAYLOAD_MAX    4096
#define PNR_MACHINE_MAX    32
#define PNR_PUBLISHER_LEN  16
#define PNR_MARK_LEN       8
#define PNR_KNOWN_MAX      256
#define PNR_NODE_ID_LEN    20

// ---- errors ----

// The command line exits with the same numbers.
enum pnr_error {
    PNR_OK = 0,
    PNR_ERROR_FAILED = 1,      // it failed; the event's text says why
    PNR_ERROR_USAGE = 2,       // a request or arguments that make no sense
    PNR_ERROR_NOT_FOUND = 3,   // no such name, key or publication
    PNR_ERROR_TIMED_OUT = 4,   // not in time
    PNR_ERROR_UNREACHABLE = 5, // the daemon cannot be reached, or went away
    PNR_ERROR_REFUSED = 6,     // not allowed at this level of access
    PNR_ERROR_CANCELLED = 7,   // the daemon ended it
    PNR_ERROR_CONFLICT = 8,    // a newer record stands in the way and could not be merged
    PNR_ERROR_FULL = 9,        // a bound of the daemon or the client is reached
    PNR_ERROR_PROTOCOL = 10,   // the daemon broke the protocol
    PNR_ERROR_MEMORY = 11,     // out of memory
};

// A short text in English, never NULL, also for numbers that are none of these.
PNR_API const char *pnr_error_text(enum pnr_error error);

// ---- life ----

struct pnr_client;

enum pnr_access {
    PNR_ACCESS_ANY,     // control where it is permitted, resolve where not
    PNR_ACCESS_RESOLVE, // read-only requests, and pnr_register()
    PNR_ACCESS_CONTROL, // everything, or PNR_ERROR_REFUSED
};

struct pnr_options {
    const char *address; // "unix:PATH", a path, "tcp:RENDEZVOUS-FILE" or "tcp:127.0.0.1:PORT";
                         // NULL: the default
    enum pnr_access access;
    uint32_t node; // of a process that runs many: which one; 0 the first
};

// Connects and waits until the daemon has greeted us, at most timeout_ms. options may be NULL.
// PNR_ERROR_USAGE: the address cannot be read; UNREACHABLE: nobody listens; TIMED_OUT; REFUSED: not
// permitted, or the other side does not know the rendezvous file's secret, or that file is writable
// by others; NOT_FOUND: no such node; PROTOCOL; MEMORY.
PNR_API enum pnr_error pnr_client_open(const struct pnr_options *options, uint32_t timeout_ms,
                                       struct pnr_client **ret_client);

// Begins to connect and returns at once; the daemon has timeout_ms to greet us. Requests may be
// made before the daemon has greeted us; they are sent then. Fails only with USAGE and MEMORY: a
// daemon that cannot be reached is told by pnr_client_error() and by the requests' events.
PNR_API enum pnr_error pnr_client_new(const struct pnr_options *options, uint32_t timeout_ms,
                                      struct pnr_client **ret_client);

// Whether there is a socket or a rendezvous file where pnr_client_new() would look for a daemon; it
// may be left over from one that was killed. Opens neither. options may be NULL.
PNR_API bool pnr_client_has_place(const struct pnr_options *options);

// Waits until the daemon has greeted us or the connection has failed, which it returns.
PNR_API enum pnr_error pnr_client_wait_ready(struct pnr_client *client);

// Closes the connection and frees all of it. The daemon cancels what was under way and withdraws
// what was registered on this connection. client may be NULL.
PNR_API void pnr_client_close(struct pnr_client *client);

PNR_API bool pnr_client_ready(const struct pnr_client *client);             // has been greeted
PNR_API enum pnr_access pnr_client_access(const struct pnr_client *client); // granted, once ready

// Why the connection has failed; PNR_OK as long as it has not. It stays failed: close it.
PNR_API enum pnr_error pnr_client_error(const struct pnr_client *client);
// The same as a sentence; "" as long as it has not.
PNR_API const char *pnr_client_error_text(const struct pnr_client *client);

// ---- with a loop of one's own ----

#define PNR_WANTS_READ  1u
#define PNR_WANTS_WRITE 2u

// The socket: a file descriptor, on Windows a SOCKET. -1 where there is none now. It may change
// until the client is ready, so ask again after each pnr_client_process().
PNR_API intptr_t pnr_client_fd(const struct pnr_client *client);
// What to wait for: PNR_WANTS_*. Not PNR_WANTS_READ while the room for answers is full: fetch some.
PNR_API unsigned pnr_client_wants(const struct pnr_client *client);

// In how many milliseconds pnr_client_process() has to be called at the latest; -1: never.
PNR_API int pnr_client_timeout_ms(const struct pnr_client *client);

// Reads, writes and does what is due, without waiting. Returns pnr_client_error().
PNR_API enum pnr_error pnr_client_process(struct pnr_client *client);

// ---- events ----

// A borrowed bencoded dictionary, checked through.
struct pnr_fields {
    const uint8_t *data;
    size_t len;
};

enum pnr_event_type {
    PNR_EVENT_RESULT,
    PNR_EVENT_PROGRESS,
    PNR_EVENT_DONE,  // the last of its request
    PNR_EVENT_ERROR, // likewise
};

struct pnr_event {
    enum pnr_event_type type;
    uint32_t request;
    enum pnr_error error; // of PNR_EVENT_ERROR; else PNR_OK
    const char *text;     // of PNR_EVENT_ERROR: a sentence; else ""
    struct pnr_fields fields;
};

// Fetches the next event of any request. False where none has come in. Does not read the socket.
PNR_API bool pnr_client_next(struct pnr_client *client, struct pnr_event *ret_event);

// Waits for the next event of one request, or of any (0), at most timeout_ms; -1: for ever. Events
// of other requests are kept. PNR_ERROR_TIMED_OUT: none came, the request goes on; USAGE: no such
// request is under way, its last event was fetched or it was cancelled; FULL: the room for answers
// is full of other requests' events, fetch those; for any request also why the connection failed,
// once every event was fetched.
PNR_API enum pnr_error pnr_client_wait(struct pnr_client *client, uint32_t request, int timeout_ms,
                                       struct pnr_event *ret_event);

// Waits for the last event of one request, and drops its others. PNR_OK where it is "done"; its
// error where it is "error"; ret_event is written in both cases. Else as pnr_client_wait(), and the
// request goes on.
PNR_API enum pnr_error pnr_client_finish(struct pnr_client *client, uint32_t request,
                                         int timeout_ms, struct pnr_event *ret_event);

// Ends a request at once: no more events of it come. A number that is not under way is no error.
PNR_API void pnr_client_cancel(struct pnr_client *client, uint32_t request);

// Sets when a request ends with PNR_ERROR_TIMED_OUT if the daemon has not ended it by then, from
// now; the daemon is then told to cancel it. 0: never. pnr_resolve() and pnr_ping() set it to their
// timeout and 2 s; other requests begin without.
PNR_API void pnr_client_limit(struct pnr_client *client, uint32_t request, uint32_t timeout_ms);

// ---- requests ----
// Each queues a request, writes its number and returns at once; it is sent by
// pnr_client_process() or while waiting. PNR_ERROR_USAGE: arguments that cannot be sent (a missing
// name, too many endpoints, too long a text); FULL: too many under way; MEMORY; or why the
// connection failed. What they lead to is read from their events by pnr_read_*().

struct pnr_endpoint {
    uint8_t ip[16];    // of IPv4 the first 4
    uint8_t ip_len;    // 4 or 16
    uint8_t proto;     // IP protocol number: 6 TCP, 17 UDP; 0: any
    uint16_t port;     // host byte order
    uint32_t scope_id; // in results: the interface that a link-local IPv6 address is of; else 0
};

enum pnr_wait {
    PNR_WAIT_SETTLED, // until the closest nodes agree
    PNR_WAIT_CACHE,   // what the daemon knows, no network
    PNR_WAIT_FIRST,   // the first verified answer
    PNR_WAIT_ALL,     // the whole lookup
};

// Which publishers of a name are wanted. Remote: not the daemon's own; non-current: not what this
// connection has registered; nearest: sorted, once the lookup has ended.
enum pnr_criteria {
    PNR_CRITERIA_ANY,
    PNR_CRITERIA_DEFAULT, // non-current
    PNR_CRITERIA_REMOTE,
    PNR_CRITERIA_NEAREST_REMOTE,
    PNR_CRITERIA_NON_CURRENT,
    PNR_CRITERIA_NEAREST_NON_CURRENT,
    PNR_CRITERIA_NEAREST,
};

struct pnr_resolve {
    const char *name;
    enum pnr_wait wait;
    uint32_t timeout_ms; // at most 600,000; 0: 30,000
    const char *cloud;   // NULL: Global_, or the first that is enabled
    bool trace;          // a progress for every query: pnr_read_hop()
    enum pnr_criteria criteria;
    uint8_t hint[16]; // an address: nearest is who has one with the longest prefix in common;
    size_t hint_len;  // 4 or 16; 0: none, the round trip tells
    uint32_t max;     // results at most; 0: all
    bool cached;      // begins with what the daemon knows and is fresh (docs/control.md)
};
// Results: pnr_read_result(), pnr_read_change(). Done, the error NOT_FOUND: pnr_read_tally().
PNR_API enum pnr_error pnr_resolve(struct pnr_client *client, const struct pnr_resolve *resolve,
                                   uint32_t *ret_request);

// What the caller knows already: publisher and mark of a result (struct pnr_result).
struct pnr_known {
    uint8_t publisher[PNR_PUBLISHER_LEN];
    uint8_t mark[PNR_MARK_LEN];
};

struct pnr_watch {
    const char *name;
    const struct pnr_known *known; // only what differs is told
    size_t known_count;            // at most 256
    const char *cloud;             // NULL: Global_, or the first that is enabled
    enum pnr_criteria criteria;    // who is wanted; those that sort as those that do not
};

// Tells what a name resolves to and then each change, until pnr_client_cancel(). Results, one for
// each publisher that something has happened to: pnr_read_change(). One progress, PNR_STEP_WATCHING
// (pnr_read_step()), when all that there is at first was told. It has no "done": it ends with an
// error, PNR_ERROR_UNREACHABLE where the daemon goes away. Then open a new client, and watch with
// what is known by then: nothing that has happened in between is lost or told twice.
PNR_API enum pnr_error pnr_watch(struct pnr_client *client, const struct pnr_watch *watch,
                                 uint32_t *ret_request);

enum pnr_payload {
    PNR_PAYLOAD_NONE,
    PNR_PAYLOAD_BINARY,
    PNR_PAYLOAD_STRING, // UTF-16LE
};

struct pnr_publish {
    const char *name;
    const struct pnr_endpoint *endpoints;
    size_t endpoint_count;  // at most 10
    const uint8_t *comment; // raw UTF-16LE
    size_t comment_len;     // bytes, even, at most 78
    const uint8_t *payload;
    size_t payload_len; // at most 4096
    enum pnr_payload payload_type;
    uint32_t ttl_s;    // 0: the daemon's default
    const char *cloud; // NULL: Global_, or the first that is enabled
};

// Publishes a name until it is unpublished. Progress: pnr_read_step(). Done: pnr_read_report().
PNR_API enum pnr_error pnr_publish(struct pnr_client *client, const struct pnr_publish *publish,
                                   uint32_t *ret_request);
PNR_API enum pnr_error pnr_unpublish(struct pnr_client *client, const char *name,
                                     uint32_t *ret_request);

// The same for as long as this connection lives. A secured name needs PNR_ACCESS_CONTROL, and is a
// PNR_ERROR_CONFLICT where it is published already, or registered by another connection.
PNR_API enum pnr_error pnr_register(struct pnr_client *client, const struct pnr_publish *publish,
                                    uint32_t *ret_request);
PNR_API enum pnr_error pnr_unregister(struct pnr_client *client, const char *name,
                                      uint32_t *ret_request);

// Results: pnr_read_publication().
PNR_API enum pnr_error pnr_publications(struct pnr_client *client, uint32_t *ret_request);

// Done (pnr_key_list(): results): pnr_read_key().
PNR_API enum pnr_error pnr_key_new(struct pnr_client *client, const char *label,
                                   uint32_t *ret_request);
PNR_API enum pnr_error pnr_key_import(struct pnr_client *client, const char *label, const char *pem,
                                      uint32_t *ret_request);
PNR_API enum pnr_error pnr_key_show(struct pnr_client *client, const char *label,
                                    uint32_t *ret_request);
PNR_API enum pnr_error pnr_key_list(struct pnr_client *client, uint32_t *ret_request);
// Done: pnr_field_text() of "pem", into PNR_PEM_MAX bytes, which the caller wipes.
PNR_API enum pnr_error pnr_key_export(struct pnr_client *client, const char *label,
                                      uint32_t *ret_request);

// Done: pnr_read_status().
PNR_API enum pnr_error pnr_status(struct pnr_client *client, uint32_t *ret_request);

// Results: pnr_read_peer(). cloud may be NULL: of every cloud.
PNR_API enum pnr_error pnr_peers(struct pnr_client *client, const char *cloud,
                                 uint32_t *ret_request);

// addr: "192.0.2.1:6881" or "[2001:db8::1]:6881". timeout_ms 0: 30,000. Done: pnr_read_peer().
PNR_API enum pnr_error pnr_ping(struct pnr_client *client, const char *addr, uint32_t timeout_ms,
                                uint32_t *ret_request);

// Results: pnr_read_finding(). Done: the fields "warnings" and "failures", how many there were.
PNR_API enum pnr_error pnr_doctor(struct pnr_client *client, uint32_t *ret_request);

// Any request: its word, and its arguments as a bencoded dictionary (len 0: none).
PNR_API enum pnr_error pnr_request(struct pnr_client *client, const char *word,
                                   struct pnr_fields arguments, uint32_t *ret_request);

// ---- reading events ----
// Each reads what its comment says and returns whether the event has it whole and in bounds. Of
// numbers that were left out, those of int64_t and rtt_us become -1, the others 0.
enum pnr_source {
    PNR_SOURCE_CACHE,
    PNR_SOURCE_DHT,
    PNR_SOURCE_LOCAL, // a publication of this daemon
};

// What was done for a request.
struct pnr_tally {
    uint32_t count;          // results sent; of done
    uint32_t nodes_asked;    // nodes queried
    uint32_t nodes_answered; // nodes that replied
    uint32_t copies;         // nodes that returned the newest item
    uint32_t hops;           // longest chain of nodes that answered
    int64_t elapsed_us;
    // How dense the network is around the name, in percent of what is expected, 0: unknown; and
    // whether it was packed with nodes: "not found" may be a lie then, and there may be newer.
    uint32_t density;
    bool suspect;
};

// One publisher of a name.
struct pnr_result {
    char name[PNR_NAME_MAX]; // canonical
    char authority[PNR_AUTHORITY_MAX];
    char classifier[PNR_CLASSIFIER_MAX];
    struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
    size_t endpoint_count;
    uint8_t comment[PNR_COMMENT_MAX]; // raw UTF-16LE
    size_t comment_len;               // bytes
    const uint8_t *payload;           // borrowed, as the event is
    size_t payload_len;
    enum pnr_payload payload_type;
    uint8_t machine[PNR_MACHINE_MAX];
    size_t machine_len;
    // Who says it, and a mark of what he says, for pnr_watch(): the one is the same in all results
    // of one publisher of the name, the other changes when endpoints, comment or payload do.
    uint8_t publisher[PNR_PUBLISHER_LEN];
    size_t publisher_len; // 16; 0 where unknown
    uint8_t mark[PNR_MARK_LEN];
    size_t mark_len; // 8; 0 where unknown
    int64_t seq;
    int64_t ttl_s;  // seconds that it may be kept
    int64_t age_s;  // seconds since it was verified
    int64_t rtt_us; // round trip to the publisher; of an unsecured name
    enum pnr_source source;
    bool final; // nothing newer of this publisher follows
    struct pnr_tally tally;
    char cloud[PNR_WORD_MAX]; // where it was found; "": the daemon has none but Global_
};
PNR_API bool pnr_read_result(const struct pnr_event *event, struct pnr_result *ret_result);

enum pnr_change {
    PNR_CHANGE_ADDED,   // a publisher that was not told before
    PNR_CHANGE_CHANGED, // one that says something else now
    PNR_CHANGE_GONE,    // one that is there no more: name, publisher, mark and cloud alone
};
// A result of pnr_watch().
PNR_API bool pnr_read_change(const struct pnr_event *event, enum pnr_change *ret_change,
                             struct pnr_result *ret_result);

PNR_API bool pnr_read_tally(const struct pnr_event *event, struct pnr_tally *ret_tally);

enum pnr_outcome {
    PNR_OUTCOME_ANSWERED,
    PNR_OUTCOME_FOUND, // answered with an item or with peers
    PNR_OUTCOME_ERROR,
    PNR_OUTCOME_SILENT,
};

// One query of a traced lookup.
struct pnr_hop {
    char addr[PNR_ADDR_MAX];
    uint8_t id[PNR_NODE_ID_LEN];
    size_t id_len; // 20, or 0 where unknown
    enum pnr_outcome outcome;
    uint32_t depth; // 1 for a node of the daemon's own table
    uint32_t named; // contacts in its reply
    int64_t rtt_us;
    uint8_t target[PNR_NODE_ID_LEN]; // what was looked for; another one begins another lookup
    size_t target_len;               // 20, or 0 where unknown
    bool is_publisher; // asked what it publishes: `named` is of how many publishers it told
};
PNR_API bool pnr_read_hop(const struct pnr_event *event, struct pnr_hop *ret_hop);
enum pnr_step {
    PNR_STEP_READING,      // the record that stands
    PNR_STEP_SAVING,       // publication and sequence number
    PNR_STEP_STORING,      // on the closest nodes
    PNR_STEP_WATCHING = 4, // of pnr_watch(): all that there is at first was told
};

struct pnr_progress {
    enum pnr_step step;
    uint32_t stored; // so far
    uint32_t targets;
};
PNR_API bool pnr_read_step(const struct pnr_event *event, struct pnr_progress *ret_progress);

// What a publish or unpublish has done: "stored on N of M".
struct pnr_report {
    char name[PNR_NAME_MAX];
    char authority[PNR_AUTHORITY_MAX];
    int64_t seq;
    uint32_t stored;      // N
    uint32_t targets;     // M
    size_t refused_count; // pnr_read_refusal()
    int64_t renew_s;      // seconds until the next renewal; -1: there is nobody in its cloud
    struct pnr_tally tally;
};
PNR_API bool pnr_read_report(const struct pnr_event *event, struct pnr_report *ret_report);

struct pnr_refusal {
    char addr[PNR_ADDR_MAX];
    int64_t code; // KRPC error code; 0: it was silent
};
PNR_API bool pnr_read_refusal(const struct pnr_event *event, size_t index,
                              struct pnr_refusal *ret_refusal);

enum pnr_state {
    PNR_STATE_READING,
    PNR_STATE_SAVING,
    PNR_STATE_STORING,
    PNR_STATE_KEPT,        // stored; waits for its renewal
    PNR_STATE_FAILED,      // the last round failed; tried again in renew_s
    PNR_STATE_WITHDRAWING, // its tombstone is renewed
    PNR_STATE_CHECKING,    // stored; is read back in a moment, to see whether it is there
};

struct pnr_publication {
    char name[PNR_NAME_MAX];
    struct pnr_endpoint endpoints[PNR_ENDPOINTS_MAX];
    size_t endpoint_count;
    uint8_t comment[PNR_COMMENT_MAX];
    size_t comment_len;
    int64_t seq;
    uint32_t stored;
    uint32_t targets;
    uint32_t copies; // nodes that held it when last checked, before it was stored again
    int64_t renew_s; // -1: there is nobody in its cloud
    enum pnr_state state;
    char last_error[PNR_TEXT_MAX]; // "" where none
    bool session;                  // registered; ends with its connection
    char cloud[PNR_WORD_MAX];
};
PNR_API bool pnr_read_publication(const struct pnr_event *event,
                                  struct pnr_publication *ret_publication);

struct pnr_key {
    char label[PNR_LABEL_MAX];
    char z32[PNR_AUTHORITY_MAX];   // the authority of its names
    char hex40[PNR_AUTHORITY_MAX]; // its short form
    char path[PNR_TEXT_MAX];
};
PNR_API bool pnr_read_key(const struct pnr_event *event, struct pnr_key *ret_key);

struct pnr_status {
    char version[PNR_WORD_MAX];
    uint32_t node;
    uint32_t nodes; // of the process
    int64_t uptime_s;
    size_t cloud_count; // pnr_read_cloud()
    uint32_t publications;
    uint32_t keys;
    uint32_t sessions;          // clients connected
    uint32_t requests;          // under way, of all clients
    struct pnr_fields counters; // pnr_read_counter()
};
PNR_API bool pnr_read_status(const struct pnr_event *event, struct pnr_status *ret_status);

enum pnr_role { PNR_ROLE_CLIENT, PNR_ROLE_SERVER };

struct pnr_cloud {
    char name[PNR_WORD_MAX];
    uint32_t family; // 4 or 6
    uint8_t id[PNR_NODE_ID_LEN];
    size_t id_len; // 20
    char listen[PNR_ADDR_MAX];
    char external[PNR_ADDR_MAX]; // "" where not known
    enum pnr_role role;
    bool joined;
    uint32_t contacts;
    uint32_t contacts_good;
    int64_t nodes_estimate; // 0: unknown
    uint32_t ops;
    uint32_t items;
    int64_t items_bytes;
    struct pnr_fields counters;
};
PNR_API bool pnr_read_cloud(const struct pnr_event *event, size_t index,
                            struct pnr_cloud *ret_cloud);

struct pnr_counter {
    char name[PNR_WORD_MAX];
    int64_t value;
};
// The counter at index; false past the last.
PNR_API bool pnr_read_counter(struct pnr_fields counters, size_t index,
                              struct pnr_counter *ret_counter);

// A contact (pnr_peers()), or who answered a ping, of which only id and rtt_us are set.
struct pnr_peer {
    uint8_t id[PNR_NODE_ID_LEN];
    size_t id_len; // 20, or 0 where unknown
    char addr[PNR_ADDR_MAX];
    char cloud[PNR_WORD_MAX];
    int64_t rtt_us;
    bool good;   // BEP 5
    bool secure; // BEP 42
    uint32_t family;
};
PNR_API bool pnr_read_peer(const struct pnr_event *event, struct pnr_peer *ret_peer);

enum pnr_finding_state { PNR_FINDING_OK, PNR_FINDING_WARN, PNR_FINDING_FAIL };

// One thing that the daemon's doctor looked at.
struct pnr_finding {
    char check[PNR_WORD_MAX]; // "keys", "state", "clock", "bootstrap", "udp-out", ...
    enum pnr_finding_state state;
    char text[PNR_TEXT_MAX];
    char remedy[PNR_TEXT_MAX]; // what to do about it; "": nothing
};
PNR_API bool pnr_read_finding(const struct pnr_event *event, struct pnr_finding *ret_finding);

// Any field by its key. False where it is left out or of another type; pnr_field_text() also where
// it has a NUL inside or does not fit buf with one behind it.
PNR_API bool pnr_field_int(struct pnr_fields fields, const char *key, int64_t *ret_value);
PNR_API bool pnr_field_bytes(struct pnr_fields fields, const char *key, const uint8_t **ret_data,
                             size_t *ret_len);
PNR_API bool pnr_field_text(struct pnr_fields fields, const char *key, char *buf, size_t buf_len);
PNR_API bool pnr_field_dict(struct pnr_fields fields, const char *key,
                            struct pnr_fields *ret_fields);

#ifdef __cplusplus
}
#endif

#endif
