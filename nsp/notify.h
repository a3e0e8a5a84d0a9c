// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_NOTIFY_H
#define PNR_NSP_NOTIFY_H

// The notifications that are armed on one lookup. Pure lists: whoever owns one holds his own lock
// around it, takes completions out under that lock, and delivers them after it. What was taken out
// is delivered once, by whom it was taken. Bound: NSP_NOTIFY_MAX completions.

#include "nsp/completion.h"

#define NSP_NOTIFY_MAX 64

struct nsp_notify {
    struct nsp_completion *first; // in the order in which they were armed
    uint32_t count;
    uint64_t refused; // that did not fit
};

// Begins a completion and keeps it. False where there is no room: it is the caller's still.
bool nsp_notify_add(struct nsp_notify *notify, struct nsp_completion *completion);

// Takes all of them out: a chain by `next`, in their order; NULL: none.
struct nsp_completion *nsp_notify_take(struct nsp_notify *notify);
// The same of those that one thread has armed (nsp_platform_thread_id()).
struct nsp_completion *nsp_notify_take_of(struct nsp_notify *notify, uint64_t thread_id);

// Delivers a chain, without any lock.
void nsp_notify_deliver(struct nsp_completion *chain, DWORD error);
// The same for a thread that ends and thus runs no routine any more.
void nsp_notify_abandon(struct nsp_completion *chain);

#endif
