// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_LINK_H
#define PNR_NSP_LINK_H

// The one connection of this process to pnrd, over libpnr (include/pnr/client.h), and the one
// thread that speaks on it. Making a link opens nothing: the thread and the socket come with the
// first request that has a place to go to, and stay until the link is closed. A connection that
// breaks is made again by the next request; one that nobody takes is given up after
// NSP_LINK_CONNECT_MS.
//
// A request lies in the memory of its owner, who keeps it until the link has released it. The
// owner hears of it by its sink:
//
//     start -> send -> event, event ... the last event -> released
//                   -> lost                            -> released     (the daemon went away)
//     cancel, at any time                              -> released
//
// One that `lasts`, as a registration does, is kept after its PNR_EVENT_DONE, and after it was lost
// it waits until there is a daemon again: send is then called once more. Its end is a cancel, or
// PNR_EVENT_ERROR, unless its owner settles otherwise.
//
// All but `released` are called on the link's thread, one after the other; no lock of the link is
// held during any of them, so that they may start and cancel. They may come until the moment of
// release, also after cancel has returned: the owner has a state of its own.
//
// Bounds: NSP_LINK_UNDER_WAY_MAX requests are with the daemon at once, or as many fewer as it
// grants; of those that stay (watches and the like) three quarters of that, so that lookups never
// starve. The others wait in line; one that is too late to be sent is told PNR_ERROR_TIMED_OUT.
// Nothing is allocated for a request.
//
// Locking: the link's own lock is taken last of all. Any function here may be called on any thread.

#include "nsp/memory.h"
#include "nsp/platform.h"
#include "pnr/client.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NSP_LINK_CONNECT_MS    250  // to be connected; a stale rendezvous file costs this much
#define NSP_LINK_GREET_MS      2000 // to be greeted by whoever took the connection
#define NSP_LINK_RETRY_MS      1000 // between attempts for the sake of requests that last
#define NSP_LINK_RETRY_MOST_MS 60000
#define NSP_LINK_UNDER_WAY_MAX 240 // pnrd grants 256 unless it is configured otherwise

struct nsp_link_request;

enum nsp_link_loss {
    NSP_LINK_UNREACHED, // there was no daemon, or none that greeted us
    NSP_LINK_LOST,      // it went away, or broke the protocol
    NSP_LINK_MEMORY,    // out of memory
};

enum nsp_link_state {
    NSP_LINK_IDLE,      // the link does not know it
    NSP_LINK_WAITING,   // in line
    NSP_LINK_UNDER_WAY, // with the daemon
    NSP_LINK_KEPT,      // done, and lasts
};

struct nsp_link_sink {
    // Makes the request by pnr_resolve() and the like and writes its number. What it returns
    // instead is told as an event of type PNR_EVENT_ERROR without fields.
    enum pnr_error (*send)(struct nsp_link_request *request, struct pnr_client *client,
                           uint32_t *ret_id);
    // The event is borrowed.
    void (*event)(struct nsp_link_request *request, const struct pnr_event *event);
    void (*lost)(struct nsp_link_request *request, enum nsp_link_loss loss);
    // The link knows the request no more.
    void (*released)(struct nsp_link_request *request);
    // May be NULL. Where a request goes after its last event, which it is told after this:
    // NSP_LINK_IDLE: nowhere; NSP_LINK_KEPT; NSP_LINK_WAITING: it is sent again, after a second and
    // then after twice as long each time, up to a minute. It may set `lasts`, as may `event`.
    enum nsp_link_state (*settle)(struct nsp_link_request *request, const struct pnr_event *event);
};

struct nsp_link_request {
    const struct nsp_link_sink *sink; // set by the owner, who zeroes the rest
    bool stays;                       // has no end of its own
    bool lasts;                       // made again when there is a daemon again
    int64_t until_ms;                 // nsp_platform_now_ms() when it is too late; 0: never
    // The link's own.
    enum nsp_link_state state;
    bool cancelled;
    bool answered;
    uint32_t id;
    uint32_t failures;     // in a row, after which it is sent again
    int64_t not_before_ms; // WAITING: not sent again before that
    struct nsp_link_request *previous;
    struct nsp_link_request *next;
};

struct nsp_link_options {
    const struct nsp_memory *memory;
    const char *address; // of the daemon, kept by pointer; NULL: the default
};

// What has happened so far.
struct nsp_link_info {
    uint64_t connections; // made, or tried
    uint64_t requests;    // sent to the daemon
    uint64_t lost;        // connections that ended before they were closed
    uint64_t refused;     // requests that the daemon was too full for and that went back in line
    bool has_thread;
    bool connected;
};

struct nsp_link;

// Opens nothing. 0 or WSA_NOT_ENOUGH_MEMORY.
int nsp_link_new(const struct nsp_link_options *options, struct nsp_link **ret_link);

// Ends the thread, waits for it, closes the connection and releases every request. Not on the
// link's own thread. link may be NULL.
void nsp_link_close(struct nsp_link *link);

// Hands a request over and returns at once. WSASYSNOTREADY: there is neither a connection nor a
// place where a daemon could be, and no socket was opened to find that out;
// WSA_NOT_ENOUGH_MEMORY: no thread could be started. The request is then not known to the link and
// nothing is called.
int nsp_link_start(struct nsp_link *link, struct nsp_link_request *request);

// Ends a request, also at the daemon. One that is not known to the link is no error.
void nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request);

struct nsp_link_info nsp_link_info(struct nsp_link *link);

#endif
