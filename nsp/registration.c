// SPDX-License-Identifier: MIT
#include "nsp/registration.h"

#include "nsp/code.h"
#include "pnr/clouds.h"
#include "pnr/winsock.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

enum state {
    STATE_CHECKING,
    STATE_REGISTERING,
    STATE_STANDING,
    STATE_OVER,
};

struct nsp_registration {
    struct nsp_registration *next; // of the set, which refers to it
    struct nsp_registration_options options;
    struct nsp_offer offer;
    atomic_uint references;
    struct nsp_link_request check; // of the identity
    struct nsp_link_request put;   // lasts, from when the daemon has taken it on
    struct nsp_link_request end;
    // Under the set's lock.
    bool is_in;      // the set
    bool is_leaving; // it is being withdrawn, and is in the set so that its end can be told
    bool was_put;    // the daemon was asked to register it; the maker's alone
    // The link's thread's alone.
    bool is_storing; // the daemon has got as far: a failure after that is tried again by itself
    struct nsp_lock lock; // of what follows
    struct nsp_condition woken;
    enum state state;
    bool is_taken; // the daemon has taken it on
    bool is_lost;  // the daemon went away before it stood
    bool is_ended; // it was withdrawn, or there is nobody to withdraw it from
    int code;      // STATE_OVER: why
};

static void release(struct nsp_registration *registration)
{
    if (atomic_fetch_sub(&registration->references, 1) == 1) {
        nsp_condition_drop(&registration->woken);
        nsp_lock_drop(&registration->lock);
        nsp_memory_give(registration->options.memory, registration);
    }
}

// ---- states ----

// Goes from one state to another, where it is in that one still, and wakes who waits.
static void move(struct nsp_registration *registration, enum state from, enum state to, int code)
{
    nsp_lock_take(&registration->lock);
    if (registration->state == from) {
        registration->state = to;
        registration->code = code;
        nsp_condition_wake_all(&registration->woken);
    }
    nsp_lock_give(&registration->lock);
}

static enum state state_of(struct nsp_registration *registration)
{
    nsp_lock_take(&registration->lock);
    enum state state = registration->state;
    nsp_lock_give(&registration->lock);
    return state;
}

static void tell_end(struct nsp_registration *registration)
{
    nsp_lock_take(&registration->lock);
    registration->is_ended = true;
    nsp_condition_wake_all(&registration->woken);
    nsp_lock_give(&registration->lock);
}

// Waits until it has left a state, or the deadline has come. Returns the state.
static enum state wait_beyond(struct nsp_registration *registration, enum state state,
                              int64_t deadline_ms)
{
    nsp_lock_take(&registration->lock);
    while (registration->state == state &&
           nsp_condition_wait_until(&registration->woken, &registration->lock, deadline_ms)) {
    }
    enum state now = registration->state;
    nsp_lock_give(&registration->lock);
    return now;
}

// ---- what the daemon says; on the link's thread ----

#define REGISTRATION_OF(request, member)                                                           \
    ((struct nsp_registration *)(void *)((char *)(request)-offsetof(struct nsp_registration,       \
                                                                    member)))

static enum pnr_error send_check(struct nsp_link_request *request, struct pnr_client *client,
                                 uint32_t *ret_id)
{
    return pnr_key_show(client, REGISTRATION_OF(request, check)->offer.label, ret_id);
}

static void take_check(struct nsp_link_request *request, const struct pnr_event *event)
{
    struct nsp_registration *registration = REGISTRATION_OF(request, check);
    struct pnr_key key;
    if (event->type == PNR_EVENT_DONE) {
        bool is_own = pnr_read_key(event, &key) &&
                      nsp_offer_is_signed_by(&registration->offer, key.z32, key.hex40, key.label);
        move(registration, STATE_CHECKING, is_own ? STATE_REGISTERING : STATE_OVER,
             is_own ? 0 : WSA_PNRP_INVALID_IDENTITY);
    } else if (event->type == PNR_EVENT_ERROR) {
        int code = event->error == PNR_ERROR_NOT_FOUND ? WSA_PNRP_INVALID_IDENTITY
                                                       : nsp_code_of_error(event->error);
        move(registration, STATE_CHECKING, STATE_OVER, code);
    }
}

static void lose_check(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    move(REGISTRATION_OF(request, check), STATE_CHECKING, STATE_OVER, nsp_code_of_loss(loss));
}

static void release_check(struct nsp_link_request *request)
{
    release(REGISTRATION_OF(request, check));
}

static enum pnr_error send_put(struct nsp_link_request *request, struct pnr_client *client,
                               uint32_t *ret_id)
{
    struct nsp_registration *registration = REGISTRATION_OF(request, put);
    const struct nsp_offer *offer = &registration->offer;
    struct pnr_publish publish = {
        .name = offer->name,
        .endpoints = offer->endpoints,
        .endpoint_count = offer->endpoint_count,
        .comment = offer->comment,
        .comment_len = offer->comment_len,
        .payload = offer->payload,
        .payload_len = offer->payload_len,
        .payload_type = offer->payload_type,
        .cloud = offer->cloud[0] != '\0' ? offer->cloud : NULL,
    };
    registration->is_storing = false;
    return pnr_register(client, &publish, ret_id);
}

// Whether the daemon goes on by itself with what it could not do at once.
static bool is_kept(const struct nsp_registration *registration, const struct pnr_event *event)
{
    return event->type == PNR_EVENT_DONE || event->error == PNR_ERROR_TIMED_OUT ||
           (event->error == PNR_ERROR_FAILED && registration->is_storing);
}

// What stands already is tried again where a daemon that was restarted does not take it yet.
static enum nsp_link_state settle_put(struct nsp_link_request *request,
                                      const struct pnr_event *event)
{
    struct nsp_registration *registration = REGISTRATION_OF(request, put);
    if (is_kept(registration, event)) {
        request->lasts = true;
        return NSP_LINK_KEPT;
    }
    return state_of(registration) == STATE_STANDING ? NSP_LINK_WAITING : NSP_LINK_IDLE;
}

static int code_of_put(const struct nsp_registration *registration, const struct pnr_event *event)
{
    bool is_secured = registration->offer.is_secured;
    switch (event->error) {
    case PNR_ERROR_NOT_FOUND:
        // The key was there a moment ago.
        return registration->offer.cloud[0] != '\0' || !is_secured ? WSA_PNRP_CLOUD_NOT_FOUND
                                                                   : WSA_PNRP_INVALID_IDENTITY;
    case PNR_ERROR_FAILED:
        return WSA_PNRP_CLOUD_DISABLED;
    case PNR_ERROR_REFUSED:
        return is_secured ? WSAEINVAL : WSA_PNRP_CLOUD_IS_SEARCH_ONLY;
    case PNR_ERROR_CONFLICT:
        return WSA_PNRP_DUPLICATE_PEER_NAME;
    default:
        return nsp_code_of_error(event->error);
    }
}

static void take_put(struct nsp_link_request *request, const struct pnr_event *event)
{
    struct nsp_registration *registration = REGISTRATION_OF(request, put);
    struct pnr_progress progress;
    if (event->type == PNR_EVENT_PROGRESS) {
        bool is_step = pnr_read_step(event, &progress);
        registration->is_storing =
            registration->is_storing || (is_step && progress.step == PNR_STEP_STORING);
        request->lasts = request->lasts || is_step;
        nsp_lock_take(&registration->lock);
        registration->is_taken = registration->is_taken || is_step;
        nsp_lock_give(&registration->lock);
    } else if (event->type != PNR_EVENT_RESULT) {
        bool kept = is_kept(registration, event);
        move(registration, STATE_REGISTERING, kept ? STATE_STANDING : STATE_OVER,
             kept ? 0 : code_of_put(registration, event));
    }
}

// One that stands is made again by the link.
static void lose_put(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    struct nsp_registration *registration = REGISTRATION_OF(request, put);
    nsp_lock_take(&registration->lock);
    registration->is_lost = true;
    nsp_lock_give(&registration->lock);
    move(registration, STATE_REGISTERING, STATE_OVER, nsp_code_of_loss(loss));
}

static void release_put(struct nsp_link_request *request)
{
    release(REGISTRATION_OF(request, put));
}

static enum pnr_error send_end(struct nsp_link_request *request, struct pnr_client *client,
                               uint32_t *ret_id)
{
    const struct nsp_offer *offer = &REGISTRATION_OF(request, end)->offer;
    return pnr_unregister_in(client, offer->cloud[0] != '\0' ? offer->cloud : NULL, offer->name,
                             ret_id);
}

static void take_end(struct nsp_link_request *request, const struct pnr_event *event)
{
    if (event->type == PNR_EVENT_DONE || event->type == PNR_EVENT_ERROR) {
        tell_end(REGISTRATION_OF(request, end));
    }
}

static void lose_end(struct nsp_link_request *request, enum nsp_link_loss loss)
{
    (void)loss; // and with the daemon all that was registered
    tell_end(REGISTRATION_OF(request, end));
}

static void release_end(struct nsp_link_request *request)
{
    release(REGISTRATION_OF(request, end));
}

static const struct nsp_link_sink check_sink = {
    .send = send_check,
    .event = take_check,
    .lost = lose_check,
    .released = release_check,
};
static const struct nsp_link_sink put_sink = {
    .send = send_put,
    .event = take_put,
    .lost = lose_put,
    .released = release_put,
    .settle = settle_put,
};
static const struct nsp_link_sink end_sink = {
    .send = send_end,
    .event = take_end,
    .lost = lose_end,
    .released = release_end,
};

// Hands a request to the link, which refers to the registration from then on.
static int start(struct nsp_registration *registration, struct nsp_link_request *request)
{
    (void)atomic_fetch_add(&registration->references, 1);
    int error = nsp_link_start(registration->options.link, request);
    if (error != 0) {
        release(registration);
    }
    return error;
}

// ---- the set; with its lock held ----

static int put_in(struct nsp_registration_set *set, struct nsp_registration *registration)
{
    if (set->ends) {
        return WSA_E_CANCELLED;
    }
    if (set->count == NSP_REGISTRATIONS_MAX) {
        return WSA_PNRP_TOO_MUCH_LOAD;
    }
    (void)atomic_fetch_add(&registration->references, 1);
    registration->is_in = true;
    registration->next = set->first;
    set->first = registration;
    set->count++;
    return 0;
}

static struct nsp_registration *unhook(struct nsp_registration_set *set,
                                       struct nsp_registration **from)
{
    struct nsp_registration *one = *from;
    *from = one->next;
    one->next = NULL;
    one->is_in = false;
    set->count--;
    return one;
}

// Takes out all of a name from one place on, as a chain, whose references are the caller's.
static struct nsp_registration *take_out(struct nsp_registration_set *set,
                                         struct nsp_registration **from,
                                         const struct nsp_offer *offer)
{
    struct nsp_registration *chain = NULL;
    while (*from != NULL) {
        if ((*from)->is_leaving || !nsp_offer_is_of(&(*from)->offer, offer)) {
            from = &(*from)->next;
            continue;
        }
        struct nsp_registration *one = unhook(set, from);
        one->next = chain;
        chain = one;
    }
    return chain;
}

// Takes one out, unless it is out already. Whether the caller has its reference now.
static bool take_one_out(struct nsp_registration_set *set, struct nsp_registration *registration)
{
    struct nsp_registration **from = &set->first;
    if (!registration->is_in) {
        return false;
    }
    while (*from != registration) {
        from = &(*from)->next;
    }
    (void)unhook(set, from);
    return true;
}

static bool has(const struct nsp_registration_set *set, const struct nsp_offer *offer)
{
    const struct nsp_registration *one = set->first;
    while (one != NULL && (one->is_leaving || !nsp_offer_is_of(&one->offer, offer))) {
        one = one->next;
    }
    return one != NULL;
}

// ---- ends; without a lock ----

// The link has nothing more to do for it, and whoever waits for it returns.
static void give_up(struct nsp_registration *registration, int code)
{
    nsp_lock_take(&registration->lock);
    if (registration->state != STATE_OVER) {
        registration->state = STATE_OVER;
        registration->code = code;
    }
    nsp_condition_wake_all(&registration->woken);
    nsp_lock_give(&registration->lock);
    nsp_link_cancel(registration->options.link, &registration->check);
    nsp_link_cancel(registration->options.link, &registration->put);
}

static void give_up_chain(struct nsp_registration *chain, int code)
{
    while (chain != NULL) {
        struct nsp_registration *one = chain;
        chain = one->next;
        one->next = NULL;
        give_up(one, code);
        release(one);
    }
}

// ---- RNRSERVICE_REGISTER ----

static struct nsp_registration *make(const struct nsp_registration_options *options,
                                     const struct nsp_offer *offer)
{
    struct nsp_registration *registration = nsp_memory_take(options->memory, sizeof *registration);
    if (registration == NULL) {
        return NULL;
    }
    registration->options = *options;
    registration->offer = *offer;
    atomic_init(&registration->references, 1);
    registration->check.sink = &check_sink;
    registration->put.sink = &put_sink;
    registration->end.sink = &end_sink;
    nsp_lock_init(&registration->lock);
    nsp_condition_init(&registration->woken);
    registration->state = offer->is_secured ? STATE_CHECKING : STATE_REGISTERING;
    return registration;
}

// What the program is told; from here on it stands, where that is 0.
static int conclude(struct nsp_registration *registration)
{
    nsp_lock_take(&registration->lock);
    bool is_silent = registration->state == STATE_CHECKING ||
                     (registration->state == STATE_REGISTERING && !registration->is_taken);
    int code = registration->state == STATE_OVER ? registration->code : is_silent ? WSAENETDOWN : 0;
    if (registration->state == STATE_REGISTERING && !is_silent) {
        registration->state = STATE_STANDING;
    }
    nsp_lock_give(&registration->lock);
    return code;
}

// Has the daemon check it and take it on.
static int negotiate(struct nsp_registration *registration)
{
    int64_t deadline_ms = nsp_platform_now_ms() + registration->options.wait_ms;
    if (registration->offer.is_secured) {
        int error = start(registration, &registration->check);
        if (error != 0 ||
            wait_beyond(registration, STATE_CHECKING, deadline_ms) != STATE_REGISTERING) {
            return error != 0 ? error : conclude(registration);
        }
    }
    int error = start(registration, &registration->put);
    if (error != 0) {
        return error;
    }
    registration->was_put = true;
    (void)wait_beyond(registration, STATE_REGISTERING, deadline_ms);
    return conclude(registration);
}

// It came to nothing. What the daemon has of it all the same is withdrawn, unless another
// registration of the name stands, which the daemon has gone back to.
static void undo(struct nsp_registration *registration, int code)
{
    struct nsp_registration_set *set = registration->options.set;
    nsp_lock_take(&set->lock);
    bool was_in = take_one_out(set, registration);
    bool stands = has(set, &registration->offer);
    bool ends = set->ends;
    nsp_lock_give(&set->lock);
    give_up(registration, code);
    nsp_lock_take(&registration->lock);
    bool is_lost = registration->is_lost;
    nsp_lock_give(&registration->lock);
    if (was_in && registration->was_put && !is_lost && !stands && !ends) {
        (void)start(registration, &registration->end);
    }
    if (was_in) {
        release(registration);
    }
}

// The older ones of its name are replaced by it.
static void replace(struct nsp_registration *registration)
{
    struct nsp_registration_set *set = registration->options.set;
    struct nsp_registration *replaced = NULL;
    nsp_lock_take(&set->lock);
    if (registration->is_in) {
        replaced = take_out(set, &registration->next, &registration->offer);
    }
    nsp_lock_give(&set->lock);
    give_up_chain(replaced, 0);
}

int nsp_registration_make(const struct nsp_registration_options *options,
                          const struct nsp_offer *offer)
{
    struct nsp_registration *registration = make(options, offer);
    if (registration == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    nsp_lock_take(&options->set->lock);
    int code = put_in(options->set, registration);
    nsp_lock_give(&options->set->lock);
    if (code == 0) {
        code = negotiate(registration);
        if (code == 0) {
            replace(registration);
        } else {
            undo(registration, code);
        }
    }
    release(registration);
    return code;
}

// ---- RNRSERVICE_DELETE ----

static void wait_for_end(struct nsp_registration *registration)
{
    int64_t deadline_ms = nsp_platform_now_ms() + registration->options.wait_ms;
    nsp_lock_take(&registration->lock);
    while (!registration->is_ended &&
           nsp_condition_wait_until(&registration->woken, &registration->lock, deadline_ms)) {
    }
    nsp_lock_give(&registration->lock);
}

// One of those that are withdrawn asks the daemon to, for all of them.
static void withdraw(struct nsp_registration *registration)
{
    struct nsp_registration_set *set = registration->options.set;
    give_up(registration, WSA_E_CANCELLED);
    if (start(registration, &registration->end) == 0) {
        wait_for_end(registration);
    }
    nsp_lock_take(&set->lock);
    bool was_in = take_one_out(set, registration);
    nsp_lock_give(&set->lock);
    if (was_in) {
        release(registration);
    }
}

int nsp_registration_withdraw(const struct nsp_registration_options *options,
                              const struct nsp_offer *offer)
{
    struct nsp_registration_set *set = options->set;
    nsp_lock_take(&set->lock);
    struct nsp_registration *first = take_out(set, &set->first, offer);
    struct nsp_registration *others = first == NULL ? NULL : first->next;
    if (first != NULL) {
        first->is_leaving = true;
        (void)atomic_fetch_add(&first->references, 1);
        first->is_in = true;
        first->next = set->first;
        set->first = first;
        set->count++;
    }
    nsp_lock_give(&set->lock);
    if (first == NULL) {
        return WSASERVICE_NOT_FOUND;
    }
    give_up_chain(others, WSA_E_CANCELLED);
    withdraw(first);
    release(first);
    return 0;
}

// ---- all of them ----

void nsp_registration_end_all(struct nsp_registration_set *set)
{
    nsp_lock_take(&set->lock);
    struct nsp_registration *chain = set->first;
    for (struct nsp_registration *one = chain; one != NULL; one = one->next) {
        one->is_in = false;
    }
    set->first = NULL;
    set->count = 0;
    set->ends = true;
    nsp_lock_give(&set->lock);
    for (struct nsp_registration *one = chain; one != NULL; one = one->next) {
        tell_end(one);
    }
    give_up_chain(chain, WSA_E_CANCELLED);
}

void nsp_registration_begin_all(struct nsp_registration_set *set)
{
    nsp_lock_take(&set->lock);
    set->ends = false;
    nsp_lock_give(&set->lock);
}
