// SPDX-License-Identifier: MIT
#include "nsp/lookup.h"

#include "nsp/code.h"
#include "nsp/packer.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

// What a poll looks at.
#define SIGN_CHANGED 1u // something that was returned is not so any more
#define SIGN_LOST    2u // nobody tells us of changes
#define SIGN_WATCHED 4u // the watch was started

struct nsp_lookup {
    struct nsp_lookup_options options;
    struct nsp_lookup *previous, *next; // of the set
    atomic_uint references;
    atomic_uint signs; // written with the lock held
    struct nsp_query query;
    int64_t deadline_ms; // of the search
    struct nsp_link_request search;
    struct nsp_link_request watch;
    struct nsp_lock lock; // of what follows
    struct nsp_condition woken;
    enum nsp_lookup_state state;
    struct nsp_inbox inbox;
    struct nsp_notify notify;
    int end;         // what Next says after the last result
    bool end_told;   // Next has said it
    bool is_short;   // a result was lost, there being no memory for it
    bool has_watch;  // it was started
    bool is_watched; // and goes on
};

// ---- the set ----

static void enter(struct nsp_lookup *lookup)
{
    struct nsp_lookup_set *set = lookup->options.set;
    nsp_lock_take(&set->lock);
    lookup->next = set->first;
    if (set->first != NULL) {
        set->first->previous = lookup;
    }
    set->first = lookup;
    nsp_lock_give(&set->lock);
}

static void leave(struct nsp_lookup *lookup)
{
    struct nsp_lookup_set *set = lookup->options.set;
    nsp_lock_take(&set->lock);
    if (lookup->previous != NULL) {
        lookup->previous->next = lookup->next;
    } else {
        set->first = lookup->next;
    }
    if (lookup->next != NULL) {
        lookup->next->previous = lookup->previous;
    }
    nsp_lock_give(&set->lock);
}

void nsp_lookup_thread_left(struct nsp_lookup_set *set, uint64_t thread_id)
{
    struct nsp_completion *chain = NULL;
    struct nsp_completion **end = &chain;
    nsp_lock_take(&set->lock);
    for (struct nsp_lookup *lookup = set->first; lookup != NULL; lookup = lookup->next) {
        nsp_lock_take(&lookup->lock);
        *end = nsp_notify_take_of(&lookup->notify, thread_id);
        nsp_lock_give(&lookup->lock);
        while (*end != NULL) {
            end = &(*end)->next;
        }
    }
    nsp_lock_give(&set->lock);
    nsp_notify_abandon(chain);
}

// ---- what has happened; with the lock held ----

// Whether Next has something to say without waiting, other than that it has said all.
static bool has_news(const struct nsp_lookup *lookup)
{
    return nsp_inbox_first(&lookup->inbox) != NULL || lookup->is_short ||
           (lookup->state != NSP_LOOKUP_SEARCHING && !lookup->end_told);
}

static bool has_changed(const struct nsp_lookup *lookup)
{
    const struct nsp_result *first = nsp_inbox_first(&lookup->inbox);
    // Of clouds, one that was added changes what was returned: the set.
    bool has_more = lookup->options.source->is_watch && first != NULL && first->output_flags != 0;
    return has_more || nsp_inbox_changed(&lookup->inbox);
}

static void sign(struct nsp_lookup *lookup, unsigned signs)
{
    unsigned stay = atomic_load_explicit(&lookup->signs, memory_order_relaxed) & ~SIGN_CHANGED;
    signs |= stay | (has_changed(lookup) ? SIGN_CHANGED : 0);
    atomic_store_explicit(&lookup->signs, signs, memory_order_release);
}

// The search is over; code is what Next says when it has returned all.
static void end_search(struct nsp_lookup *lookup, int code)
{
    if (lookup->state == NSP_LOOKUP_SEARCHING) {
        lookup->state = lookup->is_watched ? NSP_LOOKUP_WATCHING : NSP_LOOKUP_ENDED;
        lookup->end = code;
        if (nsp_inbox_settle(&lookup->inbox) != 0) {
            lookup->is_short = true;
        }
    }
}

// The daemon has gone away; code is what Next says where it was searching.
static void lose(struct nsp_lookup *lookup, int code)
{
    end_search(lookup, code);
    lookup->state = NSP_LOOKUP_LOST;
    sign(lookup, SIGN_LOST);
}

// Wakes those who wait, and returns the notifications that this fires.
static struct nsp_completion *wake(struct nsp_lookup *lookup)
{
    sign(lookup, 0);
    nsp_condition_wake_all(&lookup->woken);
    bool lost = (atomic_load_explicit(&lookup->signs, memory_order_relaxed) & SIGN_LOST) != 0;
    return lost || has_news(lookup) ? nsp_notify_take(&lookup->notify) : NULL;
}

// ---- what the link tells; on its thread ----

static struct nsp_lookup *searcher(struct nsp_link_request *request)
{
    return (struct nsp_lookup *)(void *)((char *)request - offsetof(struct nsp_lookup, search));
}

static struct nsp_lookup *watcher(struct nsp_link_request *request)
{
    return (struct nsp_lookup *)(void *)((char *)request - offsetof(struct nsp_lookup, watch));
}

static enum pnr_error send_search(struct nsp_link_request *request, struct pnr_client *client,
                                  uint32_t *ret_id)
{
    struct nsp_lookup *lookup = searcher(request);
    int64_t left_ms = lookup->deadline_ms - nsp_platform_now_ms();
    uint32_t timeout_ms = left_ms > 0 ? (uint32_t)left_ms : 1;
    return lookup->options.source->search(&lookup->query, client, timeout_ms, ret_id);
}

static enum pnr_error send_watch(struct nsp_link_request *request, struct pnr_client *client,
                                 uint32_t *ret_id)
{
    struct nsp_lookup *lookup = watcher(request);
    struct pnr_known known[PNR_KNOWN_MAX];
    nsp_lock_take(&lookup->lock);
    size_t count = nsp_inbox_known(&lookup->inbox, known, PNR_KNOWN_MAX);
    nsp_lock_give(&lookup->lock);
    return lookup->options.source->watch(&lookup->query, client, known, count, ret_id);
}

static void take_result(struct nsp_lookup *lookup, const struct pnr_event *event)
{
    struct nsp_source_news news;
    const struct nsp_source *source = lookup->options.source;
    int error = source->read(event, &lookup->query, lookup->options.memory, &news);
    if (error == WSANO_RECOVERY) {
        return;
    }
    nsp_lock_take(&lookup->lock);
    if (lookup->state == NSP_LOOKUP_CLOSED) {
        nsp_lock_give(&lookup->lock);
        if (error == 0) {
            nsp_result_drop(news.result, lookup->options.memory);
        }
        return;
    }
    if (error == 0 && news.what == NSP_INBOX_GONE) {
        nsp_inbox_forget(&lookup->inbox, news.key);
    } else if (error == 0 && news.result != NULL) {
        error = nsp_inbox_hear(&lookup->inbox, news.what, news.result);
    }
    if (error != 0) {
        lookup->is_short = true;
        // It may have been a change.
        sign(lookup, lookup->has_watch ? SIGN_LOST : 0);
    }
    struct nsp_completion *chain = wake(lookup);
    nsp_lock_give(&lookup->lock);
    nsp_notify_deliver(chain, error == 0 ? 0 : WSAENETDOWN);
}

// What is no result.
static void take_search_event(struct nsp_link_request *request, const struct pnr_event *event)
{
    struct nsp_lookup *lookup = searcher(request);
    const struct nsp_source *source = lookup->options.source;
    struct pnr_progress progress;
    DWORD told = 0;
    if (event->type == PNR_EVENT_RESULT) {
        take_result(lookup, event);
        return;
    }
    nsp_lock_take(&lookup->lock);
    if (lookup->state != NSP_LOOKUP_CLOSED) {
        int code =
            event->type == PNR_EVENT_ERROR ? source->error(event, &lookup->query) : WSA_E_NO_MORE;
        if (code == WSAENETDOWN || (source->is_watch && event->type == PNR_EVENT_ERROR)) {
            lose(lookup, code);
            told = WSAENETDOWN;
        } else if (event->type != PNR_EVENT_PROGRESS ||
                   (source->is_watch && pnr_read_step(event, &progress) &&
                    progress.step == PNR_STEP_WATCHING)) {
            end_search(lookup, code);
        }
    }
    struct nsp_completion *chain = wake(lookup);
    nsp_lock_give(&lookup->lock);
    nsp_notify_deliver(chain, told);
}

static void take_watch_event(struct nsp_link_request *request, const struct pnr_event *event)
{
    struct nsp_lookup *lookup = watcher(request);
    if (event->type == PNR_EVENT_RESULT) {
        take_result(lookup, event);
        return;
    }
    if (event->type == PNR_EVENT_PROGRESS) {
        return;
    }
    // The daemon does not watch, or not any more. The search, if it goes on, is not concerned.
    nsp_lock_take(&lookup->lock);
    if (lookup->state == NSP_LOOKUP_WATCHING) {
        lookup->state = NSP_LOOKUP_ENDED;
    }
    lookup->is_watched = false;
    sign(lookup, SIGN_LOST);
    struct nsp_completion *chain = wake(lookup);
    nsp_lock_give(&lookup->lock);
    nsp_notify_deliver(chain, WSAENETDOWN);
}

static void take_loss(struct nsp_lookup *lookup, enum nsp_link_loss loss)
{
    struct nsp_completion *chain = NULL;
    nsp_lock_take(&lookup->lock);
    if (lookup->state != NSP_LOOKUP_CLOSED) {
        lose(lookup, nsp_code_of_loss(loss));
        chain = wake(lookup);
    }
    nsp_lock_give(&lookup->lock);
    nsp_notify_deliver(chain, WSAENETDOWN);
}

static void take_search_loss(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    take_loss(searcher(request), loss);
}

static void take_watch_loss(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    take_loss(watcher(request), loss);
}

static void release_search(struct nsp_link_request *request)
{
    nsp_lookup_release(searcher(request));
}

static void release_watch(struct nsp_link_request *request)
{
    nsp_lookup_release(watcher(request));
}

static const struct nsp_link_sink search_sink = {
    .send = send_search,
    .event = take_search_event,
    .lost = take_search_loss,
    .released = release_search,
};
static const struct nsp_link_sink watch_sink = {
    .send = send_watch,
    .event = take_watch_event,
    .lost = take_watch_loss,
    .released = release_watch,
};

// ---- life ----

int nsp_lookup_new(const struct nsp_lookup_options *options, struct nsp_query *query,
                   struct nsp_lookup **ret_lookup)
{
    struct nsp_lookup *lookup = nsp_memory_take(options->memory, sizeof *lookup);
    if (lookup == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    lookup->options = *options;
    lookup->query = *query;
    memset(query, 0, sizeof *query);
    atomic_init(&lookup->references, 1);
    atomic_init(&lookup->signs, options->source->is_watch ? SIGN_WATCHED : 0);
    lookup->has_watch = lookup->is_watched = options->source->is_watch;
    lookup->deadline_ms = nsp_platform_now_ms() + (int64_t)lookup->query.timeout_s * 1000;
    lookup->search.sink = &search_sink;
    lookup->search.stays = options->source->is_watch;
    lookup->search.until_ms = options->source->is_watch ? 0 : lookup->deadline_ms;
    lookup->watch.sink = &watch_sink;
    lookup->watch.stays = true;
    nsp_lock_init(&lookup->lock);
    nsp_condition_init(&lookup->woken);
    nsp_inbox_init(&lookup->inbox, options->memory, lookup->query.max_resolve);
    enter(lookup);
    *ret_lookup = lookup;
    return 0;
}

void nsp_lookup_release(struct nsp_lookup *lookup)
{
    if (atomic_fetch_sub(&lookup->references, 1) != 1) {
        return;
    }
    leave(lookup);
    nsp_inbox_drop(&lookup->inbox);
    nsp_query_drop(&lookup->query, lookup->options.memory);
    nsp_condition_drop(&lookup->woken);
    nsp_lock_drop(&lookup->lock);
    nsp_memory_give(lookup->options.memory, lookup);
}

// Hands a request to the link, which refers to the lookup from then on.
static int start(struct nsp_lookup *lookup, struct nsp_link_request *request)
{
    (void)atomic_fetch_add(&lookup->references, 1);
    int error = nsp_link_start(lookup->options.link, request);
    if (error != 0) {
        (void)atomic_fetch_sub(&lookup->references, 1);
    }
    return error;
}

int nsp_lookup_begin(struct nsp_lookup *lookup)
{
    return start(lookup, &lookup->search);
}

void nsp_lookup_end(struct nsp_lookup *lookup)
{
    nsp_lock_take(&lookup->lock);
    lookup->state = NSP_LOOKUP_CLOSED;
    struct nsp_completion *chain = nsp_notify_take(&lookup->notify);
    nsp_condition_wake_all(&lookup->woken);
    nsp_lock_give(&lookup->lock);
    nsp_link_cancel(lookup->options.link, &lookup->search);
    nsp_link_cancel(lookup->options.link, &lookup->watch);
    nsp_notify_deliver(chain, WSA_OPERATION_ABORTED);
}

enum nsp_lookup_state nsp_lookup_state(struct nsp_lookup *lookup)
{
    nsp_lock_take(&lookup->lock);
    enum nsp_lookup_state state = lookup->state;
    nsp_lock_give(&lookup->lock);
    return state;
}

// ---- Next; with the lock held ----

// Returns the first result.
static int deliver(struct nsp_lookup *lookup, DWORD flags, DWORD *len, void *buf)
{
    int error = nsp_packer_pack(nsp_inbox_first(&lookup->inbox), &lookup->query,
                                nsp_query_mask(&lookup->query, flags), buf, len);
    if (error == 0) {
        nsp_inbox_take(&lookup->inbox);
        sign(lookup, 0);
    } else {
        nsp_inbox_hold(&lookup->inbox);
    }
    return error;
}

// What Next says where nothing waits; 0: it has to wait.
static int code_of(struct nsp_lookup *lookup)
{
    if (lookup->state == NSP_LOOKUP_CLOSED) {
        return WSA_E_CANCELLED;
    }
    if (lookup->is_short) {
        lookup->is_short = false;
        return WSA_NOT_ENOUGH_MEMORY;
    }
    if (lookup->state == NSP_LOOKUP_SEARCHING) {
        return 0;
    }
    bool waits = lookup->options.source->is_watch && lookup->end_told;
    lookup->end_told = true;
    if (waits) {
        return lookup->state == NSP_LOOKUP_LOST ? WSAENETDOWN : 0;
    }
    return lookup->end;
}

// Waits until something happens, or the time for the search is over, and returns the notifications
// that this end fires.
static struct nsp_completion *await(struct nsp_lookup *lookup)
{
    int64_t deadline_ms = lookup->state == NSP_LOOKUP_SEARCHING ? lookup->deadline_ms : NSP_NEVER;
    if (nsp_condition_wait_until(&lookup->woken, &lookup->lock, deadline_ms) ||
        lookup->state != NSP_LOOKUP_SEARCHING) {
        return NULL;
    }
    end_search(lookup, WSA_E_NO_MORE);
    if (!lookup->options.source->is_watch) {
        nsp_link_cancel(lookup->options.link, &lookup->search);
    }
    return wake(lookup);
}

int nsp_lookup_next(struct nsp_lookup *lookup, DWORD flags, DWORD *len, void *buf)
{
    nsp_lock_take(&lookup->lock);
    if ((flags & LUP_FLUSHPREVIOUS) != 0) {
        nsp_inbox_flush(&lookup->inbox);
        sign(lookup, 0);
    }
    int code = 0;
    bool delivered = false;
    struct nsp_completion *fired = NULL;
    while (code == 0 && !delivered) {
        if (lookup->state != NSP_LOOKUP_CLOSED && nsp_inbox_first(&lookup->inbox) != NULL) {
            code = deliver(lookup, flags, len, buf);
            delivered = true;
        } else {
            code = code_of(lookup);
        }
        if (code == 0 && !delivered) {
            // It fires something where the search ends, and then there is a code to say.
            fired = await(lookup);
        }
    }
    nsp_lock_give(&lookup->lock);
    nsp_notify_deliver(fired, 0);
    return code;
}

// ---- Ioctl ----

// Starts the watch where it was not started yet; with the lock held.
static int start_watch(struct nsp_lookup *lookup)
{
    if (lookup->state == NSP_LOOKUP_CLOSED) {
        return WSA_INVALID_HANDLE;
    }
    if (lookup->has_watch || lookup->state == NSP_LOOKUP_LOST) {
        return 0;
    }
    int error = start(lookup, &lookup->watch);
    if (error != 0) {
        return error == WSASYSNOTREADY ? WSAENETDOWN : error;
    }
    lookup->has_watch = lookup->is_watched = true;
    if (lookup->state == NSP_LOOKUP_ENDED) {
        lookup->state = NSP_LOOKUP_WATCHING;
    }
    sign(lookup, SIGN_WATCHED);
    return 0;
}

static int read_signs(unsigned signs)
{
    if ((signs & SIGN_CHANGED) != 0) {
        return 0;
    }
    return (signs & SIGN_LOST) != 0 ? WSAENETDOWN : WSAEWOULDBLOCK;
}

int nsp_lookup_poll(struct nsp_lookup *lookup)
{
    unsigned signs = atomic_load_explicit(&lookup->signs, memory_order_acquire);
    if ((signs & (SIGN_WATCHED | SIGN_LOST)) != 0) {
        return read_signs(signs);
    }
    nsp_lock_take(&lookup->lock);
    int error = start_watch(lookup);
    signs = atomic_load_explicit(&lookup->signs, memory_order_relaxed);
    nsp_lock_give(&lookup->lock);
    return error != 0 && (signs & SIGN_CHANGED) == 0 ? error : read_signs(signs);
}

// Keeps a completion, or says why not: 0 where there is something to fetch already. With the lock
// held.
static int keep(struct nsp_lookup *lookup, struct nsp_completion *completion)
{
    int error = start_watch(lookup);
    unsigned signs = atomic_load_explicit(&lookup->signs, memory_order_relaxed);
    if (error == WSA_INVALID_HANDLE) {
        return error;
    }
    if (nsp_inbox_first(&lookup->inbox) != NULL || lookup->is_short) {
        return 0;
    }
    if (error != 0 || (signs & SIGN_LOST) != 0) {
        return error != 0 ? error : WSAENETDOWN;
    }
    if (has_news(lookup)) {
        return 0;
    }
    return nsp_notify_add(&lookup->notify, completion) ? WSA_IO_PENDING : WSA_NOT_ENOUGH_MEMORY;
}

int nsp_lookup_arm(struct nsp_lookup *lookup, const WSACOMPLETION *how, const WSATHREADID *thread)
{
    struct nsp_completion *completion;
    int error = nsp_completion_new(how, thread, lookup->options.memory, &completion);
    if (error != 0) {
        return error;
    }
    nsp_lock_take(&lookup->lock);
    error = keep(lookup, completion);
    nsp_lock_give(&lookup->lock);
    if (error == 0) {
        nsp_completion_begin(completion);
        nsp_completion_deliver(completion, 0);
    } else if (error != WSA_IO_PENDING) {
        nsp_completion_discard(completion);
    }
    return error;
}
