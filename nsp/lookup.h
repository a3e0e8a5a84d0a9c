// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_LOOKUP_H
#define PNR_NSP_LOOKUP_H

// One lookup, from NSPLookupServiceBegin to NSPLookupServiceEnd: what the program asks of it on any
// threads, and what the link tells it on its own, meet here under the lookup's lock.
//
//   SEARCHING  the daemon looks; each result becomes one Next as it comes in
//   ENDED      the search is over: what waits is returned, then WSA_E_NO_MORE at once
//   WATCHING   likewise, and the daemon tells changes
//   LOST       the daemon has gone away: what waits is returned, and nothing more will come
//   CLOSED     the program has ended it, and nobody is told anything any more
//
// The watch starts with the first poll or the first notification that is armed, in any state, and
// knows what was told until then; of a source that is a watch itself it is there from the start.
//
// It owns its query. It lives until its last reference is dropped: its maker has one, and so has
// the link for each request that it knows.
//
// Locking: the lookup's lock is taken before the link's, and after that of the set. Programs are
// told of completions, and no other code of theirs is called, with no lock held.

#include "nsp/inbox.h"
#include "nsp/link.h"
#include "nsp/notify.h"
#include "nsp/query.h"
#include "nsp/source.h"
#include "pnr/winsock.h"

enum nsp_lookup_state {
    NSP_LOOKUP_SEARCHING,
    NSP_LOOKUP_ENDED,
    NSP_LOOKUP_WATCHING,
    NSP_LOOKUP_LOST,
    NSP_LOOKUP_CLOSED,
};

// All the lookups of a process, so that a thread that ends can be found in them. Set up by
// NSP_LOOKUP_SET_INIT alone.
struct nsp_lookup_set {
    struct nsp_lock lock;
    struct nsp_lookup *first;
};
#define NSP_LOOKUP_SET_INIT                                                                        \
    {                                                                                              \
        .lock = NSP_LOCK_INIT                                                                      \
    }

struct nsp_lookup_options {
    const struct nsp_source *source;
    struct nsp_link *link;
    struct nsp_lookup_set *set;
    const struct nsp_memory *memory;
};

struct nsp_lookup;

// A lookup that has not begun. It takes the query over, which is zeros then. 0, or
// WSA_NOT_ENOUGH_MEMORY: the query is the caller's still.
int nsp_lookup_new(const struct nsp_lookup_options *options, struct nsp_query *query,
                   struct nsp_lookup **ret_lookup);

// Drops a reference. Whoever has its last one calls nsp_lookup_end() before.
void nsp_lookup_release(struct nsp_lookup *lookup);

// Hands the search to the link. As nsp_link_start().
int nsp_lookup_begin(struct nsp_lookup *lookup);

// Waits for the next result and writes it to buf, by nsp_packer_pack(); flags are those of
// NSPLookupServiceNext. 0, or a code: WSAEFAULT: buf is too small, *len is what it needs, and the
// result stays; WSA_E_NO_MORE; WSA_E_CANCELLED: nsp_lookup_end() was called; WSAENETDOWN: the
// daemon went away before the search was over; WSASYSNOTREADY: there was none;
// WSA_NOT_ENOUGH_MEMORY: a result was lost, the next ones are not; what nsp_source's error says.
int nsp_lookup_next(struct nsp_lookup *lookup, DWORD flags, DWORD *len, void *buf);

// Whether something that was returned is not so any more: 0, as long as Next has not returned what
// has come of it; WSAEWOULDBLOCK: it is so still; WSAENETDOWN: that is not known. After the first
// call one atomic load.
int nsp_lookup_poll(struct nsp_lookup *lookup);

// Arms a notification of the next thing to fetch: a result, the end, a change. WSA_IO_PENDING: it
// will be told; 0: there is something already, and it was told; else a code, and it never will be:
// those of nsp_completion_new(), WSAENETDOWN, WSA_INVALID_HANDLE: the lookup was ended.
int nsp_lookup_arm(struct nsp_lookup *lookup, const WSACOMPLETION *how, const WSATHREADID *thread);

// Ends it: the daemon's requests are cancelled, whoever waits in Next returns, what is armed is
// aborted. A second time does nothing.
void nsp_lookup_end(struct nsp_lookup *lookup);

// A thread ends: what it has armed in any lookup of the set is aborted (nsp_notify_abandon()).
void nsp_lookup_thread_left(struct nsp_lookup_set *set, uint64_t thread_id);

enum nsp_lookup_state nsp_lookup_state(struct nsp_lookup *lookup);

#endif
