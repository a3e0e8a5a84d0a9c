// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_INBOX_H
#define PNR_NSP_INBOX_H

// What a lookup was told and Next has not returned yet, and what Next has returned, so that news
// can be told from repetition: the program's picture of a name (or of the clouds), against which
// everything that comes in is held. Pure: no lock, no time; its owner has a lock around it.
//
// Each publisher (or cloud) is known by its key. What is heard of him becomes a result in the
// queue:
//
//   not in the picture    found by the search: without flags; by the watch: RESULT_IS_ADDED
//   another mark          RESULT_IS_CHANGED, behind what waits of him. A change that waits already
//                         is replaced: the queue holds what he says now, not his history
//   the same mark         nothing
//   gone                  RESULT_IS_DELETED, with what he said last; he leaves the picture with it
//
// What the watch adds while the search goes on is set aside until nsp_inbox_settle(), since the
// search is about to tell it too, and in its own order.
//
// It counts as changed what Next has returned and what is not so any more; that Next has taken note
// of it makes it unchanged again.
//
// Bounds: `max` publishers in the picture, at most NSP_INBOX_PUBLISHERS_MAX; further ones are
// turned away and counted. Of each there is at most one result returned, one found, one change, and
// one change that Next has measured (nsp_inbox_hold()), so memory is bounded too.

#include "nsp/memory.h"
#include "nsp/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSP_INBOX_PUBLISHERS_MAX 1024

enum nsp_inbox_what {
    NSP_INBOX_FOUND,   // by the search
    NSP_INBOX_ADDED,   // by the watch, as is what follows
    NSP_INBOX_CHANGED, // another mark; or another publisher, where he is not in the picture
    NSP_INBOX_GONE,
};

struct nsp_inbox_publisher {
    struct nsp_inbox_publisher *next;
    struct pnr_known heard;      // his key, and the mark of what was heard last
    struct nsp_result *returned; // what Next has returned last, or NULL; not in the queue
    struct nsp_result *change;   // in the queue, and may be replaced; or NULL
    uint32_t changes;            // of his in the queue
    bool is_returned;            // Next has returned something of him
    bool is_gone;                // said of him last
};

struct nsp_inbox {
    const struct nsp_memory *memory;
    struct nsp_inbox_publisher *publishers;
    uint32_t publisher_count;
    uint32_t max; // of publishers
    struct nsp_result *first;
    struct nsp_result **end;  // where the next one is hung
    struct nsp_result *aside; // what was set aside, in its order
    uint32_t aside_count;
    uint32_t changed; // changes in the queue of what was returned
    bool is_held;     // Next has measured the first
    bool settled;     // the search has ended
    uint64_t turned_away;
    uint64_t repeated; // of no news
};

void nsp_inbox_init(struct nsp_inbox *inbox, const struct nsp_memory *memory, uint32_t max);
void nsp_inbox_drop(struct nsp_inbox *inbox);

// Takes a result, whose key and mark are in result->known, and which is the inbox's from then on,
// also where it comes to nothing. 0, or WSA_NOT_ENOUGH_MEMORY: it is lost.
int nsp_inbox_hear(struct nsp_inbox *inbox, enum nsp_inbox_what what, struct nsp_result *result);
// A publisher is gone.
void nsp_inbox_forget(struct nsp_inbox *inbox, const uint8_t key[PNR_PUBLISHER_LEN]);

// The search has ended: what was set aside is heard. As nsp_inbox_hear().
int nsp_inbox_settle(struct nsp_inbox *inbox);

// What Next returns next; NULL: nothing waits. It stays the first until it is taken.
const struct nsp_result *nsp_inbox_first(const struct nsp_inbox *inbox);
// The program was told the first one's length and will come back for it: nothing replaces it.
void nsp_inbox_hold(struct nsp_inbox *inbox);
// Next has returned the first, or has dropped it.
void nsp_inbox_take(struct nsp_inbox *inbox);
// Drops the first where it is held (LUP_FLUSHPREVIOUS).
void nsp_inbox_flush(struct nsp_inbox *inbox);

// Whether something waits that changes what Next has returned.
bool nsp_inbox_changed(const struct nsp_inbox *inbox);

// Who is in the picture, with what was heard of them last, at most max of them. Returns how many
// were written.
size_t nsp_inbox_known(const struct nsp_inbox *inbox, struct pnr_known *ret_known, size_t max);

#endif
