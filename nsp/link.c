// SPDX-License-Identifier: MIT
#include "nsp/link.h"

#include "pnr/winsock.h"

#include <string.h>

struct list {
    struct nsp_link_request *first;
    struct nsp_link_request *last;
    uint32_t count;
    uint32_t stays; // of them, those that stay
};

struct nsp_link {
    struct nsp_link_options options;
    struct nsp_lock lock; // of what follows
    struct list waiting;
    struct list under_way;
    struct list kept;
    uint32_t cancels; // of those under way
    uint32_t window;  // how many may be under way
    bool ends;
    struct nsp_link_info info;
    struct nsp_thread thread;
    struct nsp_wake wake; // from the thread's start on
    // The thread's alone.
    struct pnr_client *client;
    bool reached;             // the client was greeted
    int64_t connect_until_ms; // of a client that is not connected; else NSP_NEVER
    int64_t retry_ms;         // not before this for requests that last
};

// ---- lists ----

static void put(struct list *list, struct nsp_link_request *request, enum nsp_link_state state)
{
    request->state = state;
    request->next = NULL;
    request->previous = list->last;
    if (list->last != NULL) {
        list->last->next = request;
    } else {
        list->first = request;
    }
    list->last = request;
    list->count++;
    list->stays += request->stays;
}

static void take(struct list *list, struct nsp_link_request *request)
{
    if (request->previous != NULL) {
        request->previous->next = request->next;
    } else {
        list->first = request->next;
    }
    if (request->next != NULL) {
        request->next->previous = request->previous;
    } else {
        list->last = request->previous;
    }
    request->previous = request->next = NULL;
    request->state = NSP_LINK_IDLE;
    list->count--;
    list->stays -= request->stays;
}

// ---- the end of a request; on the thread ----

// Takes a request off those under way, to where it goes from there: idle, waiting or kept. Says
// whether its owner still wants to hear of it; where not, it is idle.
static bool settle(struct nsp_link *link, struct nsp_link_request *request,
                   enum nsp_link_state state)
{
    nsp_lock_take(&link->lock);
    bool wanted = !request->cancelled;
    take(&link->under_way, request);
    link->cancels -= request->cancelled;
    if (link->waiting.first != NULL) {
        // It made room for another.
        nsp_wake_set(&link->wake);
    }
    if (wanted && state != NSP_LINK_IDLE) {
        put(state == NSP_LINK_WAITING ? &link->waiting : &link->kept, request, state);
    }
    nsp_lock_give(&link->lock);
    return wanted;
}

static void lose(struct nsp_link *link, struct nsp_link_request *request, enum nsp_link_loss loss)
{
    bool lasts = request->lasts;
    request->not_before_ms = 0;
    // One that goes back in line may be gone as soon as it is there, so it hears of it before.
    if (lasts) {
        request->sink->lost(request, loss);
    }
    bool wanted = settle(link, request, lasts ? NSP_LINK_WAITING : NSP_LINK_IDLE);
    if (wanted && !lasts) {
        request->sink->lost(request, loss);
    }
    if (!wanted || !lasts) {
        request->sink->released(request);
    }
}

// Whether the daemon has too much of us under way and will have room once another request ends.
static bool is_turned_away(struct nsp_link *link, const struct nsp_link_request *request,
                           const struct pnr_event *event)
{
    if (event->error != PNR_ERROR_FULL || request->answered) {
        return false;
    }
    nsp_lock_take(&link->lock);
    uint32_t others = link->under_way.count - 1;
    bool room_comes = others > link->under_way.stays - request->stays;
    if (room_comes) {
        link->window = others;
        link->info.refused++;
    }
    nsp_lock_give(&link->lock);
    return room_comes;
}

// Where a request goes after its last event, and when it is sent again.
static enum nsp_link_state state_after(struct nsp_link_request *request,
                                       const struct pnr_event *event)
{
    bool done = event->type == PNR_EVENT_DONE;
    enum nsp_link_state state = request->lasts && done ? NSP_LINK_KEPT : NSP_LINK_IDLE;
    if (request->sink->settle != NULL) {
        state = request->sink->settle(request, event);
    }
    uint32_t doublings = request->failures < 16 ? request->failures : 16;
    int64_t pause_ms = (int64_t)NSP_LINK_RETRY_MS << doublings;
    pause_ms = pause_ms < NSP_LINK_RETRY_MOST_MS ? pause_ms : NSP_LINK_RETRY_MOST_MS;
    request->failures = state == NSP_LINK_WAITING ? request->failures + 1 : 0;
    request->not_before_ms = state == NSP_LINK_WAITING ? nsp_platform_now_ms() + pause_ms : 0;
    return state;
}

// The last event of a request.
static void finish(struct nsp_link *link, struct nsp_link_request *request,
                   const struct pnr_event *event)
{
    bool again = is_turned_away(link, request, event);
    enum nsp_link_state state = again ? NSP_LINK_WAITING : state_after(request, event);
    // One that stays may be gone as soon as it is where it goes, so it hears of it before.
    if (!again && state != NSP_LINK_IDLE) {
        request->sink->event(request, event);
    }
    bool wanted = settle(link, request, state);
    if (wanted && state != NSP_LINK_IDLE) {
        return;
    }
    if (wanted) {
        request->sink->event(request, event);
    }
    request->sink->released(request);
}

// ---- what the daemon says ----

static struct nsp_link_request *find(struct nsp_link *link, uint32_t id, bool *ret_wanted)
{
    nsp_lock_take(&link->lock);
    struct nsp_link_request *request = link->under_way.first;
    while (request != NULL && request->id != id) {
        request = request->next;
    }
    *ret_wanted = request != NULL && !request->cancelled;
    nsp_lock_give(&link->lock);
    return request;
}

static enum nsp_link_loss loss_of(const struct nsp_link *link)
{
    if (pnr_client_error(link->client) == PNR_ERROR_MEMORY) {
        return NSP_LINK_MEMORY;
    }
    return link->reached ? NSP_LINK_LOST : NSP_LINK_UNREACHED;
}

// An error that libpnr itself tells has no fields.
static bool is_loss(const struct nsp_link *link, const struct pnr_event *event)
{
    return event->type == PNR_EVENT_ERROR && event->fields.len <= 2 &&
           pnr_client_error(link->client) != PNR_OK;
}

static void take_events(struct nsp_link *link)
{
    struct pnr_event event;
    bool wanted;
    while (pnr_client_next(link->client, &event)) {
        struct nsp_link_request *request = find(link, event.request, &wanted);
        if (request == NULL) {
            continue;
        }
        if (is_loss(link, &event)) {
            lose(link, request, loss_of(link));
        } else if (event.type == PNR_EVENT_DONE || event.type == PNR_EVENT_ERROR) {
            finish(link, request, &event);
        } else if (wanted) {
            request->answered = true;
            request->sink->event(request, &event);
        }
    }
}

// ---- the connection ----

// Ends the connection, and tells everybody whom it served.
static void disconnect(struct nsp_link *link, enum nsp_link_loss loss)
{
    struct nsp_link_request *request;
    pnr_client_close(link->client);
    link->client = NULL;
    link->connect_until_ms = NSP_NEVER;
    link->retry_ms = nsp_platform_now_ms() + NSP_LINK_RETRY_MS;
    nsp_lock_take(&link->lock);
    link->info.connected = false;
    link->info.lost++;
    link->window = NSP_LINK_UNDER_WAY_MAX;
    while ((request = link->kept.first) != NULL) {
        take(&link->kept, request);
        put(&link->under_way, request, NSP_LINK_UNDER_WAY);
    }
    nsp_lock_give(&link->lock);
    // Nobody else takes requests off this list, so it can be looked at without the lock.
    while ((request = link->under_way.first) != NULL) {
        lose(link, request, loss);
    }
}

static bool has_place(const struct nsp_link *link)
{
    struct pnr_options options = {.address = link->options.address};
    return pnr_client_has_place(&options);
}

// Whether somebody is in line for a connection. Those that last are so now and then only.
static bool is_wanted(struct nsp_link *link, bool and_lasting)
{
    nsp_lock_take(&link->lock);
    const struct nsp_link_request *request = link->waiting.first;
    while (request != NULL && request->lasts && !and_lasting) {
        request = request->next;
    }
    nsp_lock_give(&link->lock);
    return request != NULL;
}

static bool should_connect(struct nsp_link *link, int64_t now_ms)
{
    if (link->client != NULL) {
        return false;
    }
    if (is_wanted(link, false)) {
        return true;
    }
    if (now_ms < link->retry_ms || !is_wanted(link, true)) {
        return false;
    }
    link->retry_ms = now_ms + NSP_LINK_RETRY_MS;
    return has_place(link);
}

static bool is_up(const struct nsp_link *link)
{
    return link->client != NULL && pnr_client_error(link->client) == PNR_OK;
}

// Counts those who wait for a connection among those under way: they hear how it failed. Whoever
// comes after that has another attempt.
static void involve_waiting(struct nsp_link *link)
{
    nsp_lock_take(&link->lock);
    struct nsp_link_request *request = link->waiting.first;
    while (request != NULL) {
        struct nsp_link_request *next = request->next;
        if (!request->lasts) {
            take(&link->waiting, request);
            put(&link->under_way, request, NSP_LINK_UNDER_WAY);
        }
        request = next;
    }
    nsp_lock_give(&link->lock);
}

static void reach(struct nsp_link *link)
{
    struct pnr_options options = {.address = link->options.address};
    int64_t now_ms = nsp_platform_now_ms();
    if (!should_connect(link, now_ms)) {
        return;
    }
    link->reached = false;
    link->connect_until_ms = now_ms + NSP_LINK_CONNECT_MS;
    nsp_lock_take(&link->lock);
    link->info.connections++;
    nsp_lock_give(&link->lock);
    enum pnr_error error = pnr_client_new(&options, NSP_LINK_GREET_MS, &link->client);
    if (error != PNR_OK) {
        link->client = NULL;
    }
    if (!is_up(link)) {
        involve_waiting(link);
        disconnect(link, error == PNR_ERROR_MEMORY ? NSP_LINK_MEMORY : NSP_LINK_UNREACHED);
    }
}

static bool is_late(const struct nsp_link_request *request, int64_t now_ms)
{
    return request->until_ms != 0 && request->until_ms <= now_ms;
}

// The next request that the daemon has room for, or that is too late, and is then under way.
static struct nsp_link_request *next_in_line(struct nsp_link *link, bool *ret_late)
{
    int64_t now_ms = nsp_platform_now_ms();
    nsp_lock_take(&link->lock);
    struct nsp_link_request *request = link->waiting.first;
    bool full = link->under_way.count >= link->window;
    bool stays_full = link->under_way.stays >= link->window - link->window / 4;
    while (request != NULL && !is_late(request, now_ms) &&
           (full || (request->stays && stays_full) || request->not_before_ms > now_ms)) {
        request = request->next;
    }
    if (request != NULL) {
        take(&link->waiting, request);
        put(&link->under_way, request, NSP_LINK_UNDER_WAY);
        request->id = 0;
        request->answered = false;
        *ret_late = is_late(request, now_ms);
        link->info.requests += !*ret_late;
    }
    nsp_lock_give(&link->lock);
    return request;
}

static void send_waiting(struct nsp_link *link)
{
    struct nsp_link_request *request;
    bool late;
    while (is_up(link) && (request = next_in_line(link, &late)) != NULL) {
        struct pnr_event event = {.type = PNR_EVENT_ERROR, .text = ""};
        event.error =
            late ? PNR_ERROR_TIMED_OUT : request->sink->send(request, link->client, &request->id);
        if (event.error != PNR_OK) {
            finish(link, request, &event);
        }
    }
}

static void cancel_unwanted(struct nsp_link *link)
{
    nsp_lock_take(&link->lock);
    struct nsp_link_request *request = link->cancels > 0 ? link->under_way.first : NULL;
    while (request != NULL) {
        struct nsp_link_request *next = request->next;
        if (request->cancelled) {
            nsp_lock_give(&link->lock);
            if (link->client != NULL) {
                pnr_client_cancel(link->client, request->id);
            }
            (void)settle(link, request, NSP_LINK_IDLE);
            request->sink->released(request);
            nsp_lock_take(&link->lock);
        }
        request = next;
    }
    nsp_lock_give(&link->lock);
}

// Reads and writes what there is.
static void talk(struct nsp_link *link)
{
    if (link->client == NULL) {
        return;
    }
    enum pnr_error error = pnr_client_process(link->client);
    bool connected = pnr_client_ready(link->client);
    if (connected && !link->reached) {
        link->reached = true;
        nsp_lock_take(&link->lock);
        link->info.connected = true;
        nsp_lock_give(&link->lock);
    }
    if (connected || (pnr_client_wants(link->client) & PNR_WANTS_READ) != 0) {
        link->connect_until_ms = NSP_NEVER;
    }
    take_events(link);
    if (error != PNR_OK || nsp_platform_now_ms() >= link->connect_until_ms) {
        disconnect(link, loss_of(link));
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// When the first of those that wait for their time is sent again, or of all that wait is too late.
static int64_t waiting_ms(struct nsp_link *link, int64_t now_ms)
{
    int64_t due_ms = NSP_NEVER;
    nsp_lock_take(&link->lock);
    for (const struct nsp_link_request *request = link->waiting.first; request != NULL;
         request = request->next) {
        due_ms = request->not_before_ms > now_ms ? earlier(due_ms, request->not_before_ms) : due_ms;
        due_ms = request->until_ms != 0 ? earlier(due_ms, request->until_ms) : due_ms;
    }
    nsp_lock_give(&link->lock);
    return due_ms;
}

// How long there is nothing to do unless something happens; -1: for ever.
static int idle_ms(struct nsp_link *link)
{
    int64_t now_ms = nsp_platform_now_ms();
    int64_t due_ms = link->connect_until_ms;
    if (link->client != NULL) {
        due_ms = earlier(due_ms, waiting_ms(link, now_ms));
        int timeout_ms = pnr_client_timeout_ms(link->client);
        due_ms = timeout_ms < 0 ? due_ms : earlier(due_ms, now_ms + timeout_ms);
    } else if (is_wanted(link, false)) {
        due_ms = now_ms;
    } else if (is_wanted(link, true)) {
        due_ms = earlier(due_ms, link->retry_ms);
    }
    if (due_ms == NSP_NEVER) {
        return -1;
    }
    return due_ms <= now_ms ? 0 : (int)earlier(due_ms - now_ms, INT32_MAX);
}

static void rest(struct nsp_link *link)
{
    intptr_t socket = -1;
    unsigned wants = 0;
    int timeout_ms = idle_ms(link);
    if (link->client != NULL) {
        socket = pnr_client_fd(link->client);
        wants = pnr_client_wants(link->client);
    }
    unsigned seen = nsp_platform_wait(socket, wants, &link->wake, timeout_ms);
    if ((seen & NSP_WAIT_FAILED) != 0 && link->client != NULL) {
        // Somebody closed all sockets of the process.
        disconnect(link, loss_of(link));
    }
}

static bool goes_on(struct nsp_link *link)
{
    nsp_lock_take(&link->lock);
    bool goes_on = !link->ends;
    nsp_lock_give(&link->lock);
    return goes_on;
}

static void run(void *ctx)
{
    struct nsp_link *link = ctx;
    while (goes_on(link)) {
        cancel_unwanted(link);
        reach(link);
        send_waiting(link);
        talk(link);
        rest(link);
    }
    pnr_client_close(link->client);
    link->client = NULL;
}

// ---- life; on any thread ----

int nsp_link_new(const struct nsp_link_options *options, struct nsp_link **ret_link)
{
    struct nsp_link *link = nsp_memory_take(options->memory, sizeof *link);
    if (link == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    memset(link, 0, sizeof *link);
    link->options = *options;
    link->window = NSP_LINK_UNDER_WAY_MAX;
    link->connect_until_ms = NSP_NEVER;
    nsp_lock_init(&link->lock);
    *ret_link = link;
    return 0;
}

static void release_all(struct list *list)
{
    while (list->first != NULL) {
        struct nsp_link_request *request = list->first;
        take(list, request);
        request->sink->released(request);
    }
}

void nsp_link_close(struct nsp_link *link)
{
    if (link == NULL) {
        return;
    }
    nsp_lock_take(&link->lock);
    link->ends = true;
    bool has_thread = link->info.has_thread;
    nsp_lock_give(&link->lock);
    if (has_thread) {
        nsp_wake_set(&link->wake);
        nsp_thread_join(&link->thread);
        nsp_wake_drop(&link->wake);
    }
    release_all(&link->waiting);
    release_all(&link->under_way);
    release_all(&link->kept);
    nsp_lock_drop(&link->lock);
    nsp_memory_give(link->options.memory, link);
}

// With the lock held.
static bool start_thread(struct nsp_link *link)
{
    if (link->info.has_thread) {
        return true;
    }
    if (!nsp_wake_init(&link->wake)) {
        return false;
    }
    if (!nsp_thread_start(&link->thread, run, link)) {
        nsp_wake_drop(&link->wake);
        return false;
    }
    link->info.has_thread = true;
    return true;
}

int nsp_link_start(struct nsp_link *link, struct nsp_link_request *request)
{
    if (!nsp_link_info(link).connected && !has_place(link)) {
        return WSASYSNOTREADY;
    }
    nsp_lock_take(&link->lock);
    int error = link->ends ? WSASYSNOTREADY : !start_thread(link) ? WSA_NOT_ENOUGH_MEMORY : 0;
    if (error == 0) {
        request->cancelled = false;
        put(&link->waiting, request, NSP_LINK_WAITING);
        nsp_wake_set(&link->wake);
    }
    nsp_lock_give(&link->lock);
    return error;
}

void nsp_link_cancel(struct nsp_link *link, struct nsp_link_request *request)
{
    nsp_lock_take(&link->lock);
    enum nsp_link_state state = request->state;
    if (state == NSP_LINK_WAITING || state == NSP_LINK_KEPT) {
        take(state == NSP_LINK_WAITING ? &link->waiting : &link->kept, request);
    } else if (state == NSP_LINK_UNDER_WAY && !request->cancelled) {
        request->cancelled = true;
        link->cancels++;
        nsp_wake_set(&link->wake);
    }
    nsp_lock_give(&link->lock);
    if (state == NSP_LINK_WAITING || state == NSP_LINK_KEPT) {
        request->sink->released(request);
    }
}

struct nsp_link_info nsp_link_info(struct nsp_link *link)
{
    nsp_lock_take(&link->lock);
    struct nsp_link_info info = link->info;
    nsp_lock_give(&link->lock);
    return info;
}
