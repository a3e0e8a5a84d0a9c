// SPDX-License-Identifier: MIT
#include "node/core/swarm.h"

#include "dht/addr.h"
#include "dht/id.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define POLL_PAUSE_US  (60 * CORE_SECOND_US)
#define DOUBT_PAUSE_US (5 * CORE_SECOND_US) // where somebody was not found, or nobody answered
#define NEWS_PAUSE_US  (2 * CORE_SECOND_US) // between two lookups, whatever the news; at least
#define MISSES_MAX     3                    // lookups that do not find somebody who is gone

// ---- life ----

static struct core_swarm *find_equal(const struct node *node, const struct core_cloud *cloud,
                                     const struct core_name *name)
{
    struct core_swarm *swarm = node->swarms;
    while (swarm != NULL && (swarm->cloud != cloud || !core_name_equal(&swarm->name, name)))
        swarm = swarm->next;
    return swarm;
}

static struct core_swarm *open_swarm(struct node *node, struct core_cloud *cloud,
                                     const struct core_name *name)
{
    struct core_swarm *swarm = NULL;
    uint32_t count = node->watch_count + node->swarm_count;
    if (count < node->config.watches_max && core_brain_timer_room(node))
        swarm = calloc(1, sizeof *swarm);
    if (swarm == NULL)
        return NULL;
    dht_timer_init(&swarm->timer, CORE_TIMER_SWARM);
    swarm->cloud = swarm->teller.cloud = cloud;
    swarm->name = *name;
    swarm->again_us = INT64_MAX;
    swarm->named_pause_us = NEWS_PAUSE_US;
    core_name_infohash(&node->crypto, name, &swarm->info_hash);
    swarm->next = node->swarms;
    if (swarm->next != NULL)
        swarm->next->prev = swarm;
    node->swarms = swarm;
    node->swarm_count++;
    return swarm;
}

static void close_swarm(struct node *node, struct core_swarm *swarm)
{
    assert(swarm->watchers == NULL);
    if (swarm->lookup != NULL)
        core_unsecured_cancel(node, swarm->lookup);
    core_unsecured_free(swarm->found);
    core_teller_end(node, &swarm->teller);
    dht_timer_clear(&node->timers, &swarm->timer);
    if (swarm->next != NULL)
        swarm->next->prev = swarm->prev;
    if (swarm->prev != NULL)
        swarm->prev->next = swarm->next;
    else
        node->swarms = swarm->next;
    node->swarm_count--;
    free(swarm);
}

void core_swarm_leave(struct node *node, struct core_watcher *watcher)
{
    struct core_swarm *swarm = watcher->swarm;
    struct core_watcher **link = &swarm->watchers;
    while (*link != watcher)
        link = &(*link)->next;
    *link = watcher->next;
    watcher->request->watcher = NULL;
    core_watcher_free(watcher);
    if (swarm->watchers == NULL)
        close_swarm(node, swarm);
}

// ---- telling ----

// Results, as core_watcher_show() takes them.
struct view {
    const struct core_unsecured *of; // whose counts are told with them
    const struct core_unsecured_result **results;
};

static void identify(struct node *node, const void *what, uint32_t at,
                     struct core_mark_identity *ret_identity)
{
    const struct core_unsecured_result *result = ((const struct view *)what)->results[at];
    (void)node;
    memcpy(ret_identity->publisher, result->publisher, CORE_PUBLISHER_LEN);
    memcpy(ret_identity->mark, result->mark, CORE_MARK_LEN);
}

static bool is_wanted(struct node *node, const void *what, uint32_t at,
                      const struct core_request *request)
{
    (void)node;
    return core_unsecured_is_wanted(request, ((const struct view *)what)->results[at]);
}

static void tell(struct node *node, const void *what, uint32_t at,
                 const struct core_watcher_news *news)
{
    const struct view *view = what;
    core_unsecured_tell(node, view->of, news->request, view->results[at], news->event);
}

// All that is there, as far as it is known: what the lookup under way has found, and what the last
// one had found and this one has not, or not yet. results: room for all of it. Returns how many.
static uint32_t lay_out(const struct core_swarm *swarm,
                        const struct core_unsecured_result **ret_results)
{
    uint32_t count = 0;
    const struct core_unsecured *lookup = swarm->lookup;
    const struct core_unsecured_result *result = lookup != NULL ? lookup->results : NULL;
    for (; result != NULL; result = result->next)
        ret_results[count++] = result;
    result = swarm->found != NULL ? swarm->found->results : NULL;
    for (; result != NULL; result = result->next)
        if (lookup == NULL || !core_unsecured_has_result(lookup, result->publisher))
            ret_results[count++] = result;
    return count;
}

// Shows results to a watcher, or to all of them where it is NULL. whole: there are no others.
static void show(struct node *node, const struct core_swarm *swarm, struct core_watcher *watcher,
                 const struct core_watcher_view *view, bool whole)
{
    struct core_watcher *at = watcher != NULL ? watcher : swarm->watchers;
    for (; at != NULL; at = watcher == NULL ? at->next : NULL)
        if (whole || !at->behind) // it is shown all when it has read
            core_watcher_show(node, at, view, whole && swarm->whole);
}

static struct core_watcher_view view_of(const struct core_swarm *swarm, const struct view *what)
{
    return (struct core_watcher_view){.name = &swarm->name,
                                      .what = what,
                                      .identify = identify,
                                      .is_wanted = is_wanted,
                                      .tell = tell};
}

static void show_all(struct node *node, const struct core_swarm *swarm,
                     struct core_watcher *watcher)
{
    uint32_t count = (swarm->lookup != NULL ? swarm->lookup->result_count : 0) +
                     (swarm->found != NULL ? swarm->found->result_count : 0);
    struct view what = {.of = swarm->lookup != NULL ? swarm->lookup : swarm->found};
    struct core_watcher_view view = view_of(swarm, &what);
    what.results = malloc((count + 1) * sizeof(const struct core_unsecured_result *));
    if (what.results == NULL)
        return; // the next lookup shows it
    view.count = lay_out(swarm, what.results);
    show(node, swarm, watcher, &view, true);
    free((void *)what.results);
}

void core_swarm_catch_up(struct node *node, struct core_watcher *watcher)
{
    if (watcher->behind)
        show_all(node, watcher->swarm, watcher);
}

void core_swarm_found(struct node *node, struct core_swarm *swarm,
                      const struct core_unsecured_result *first)
{
    struct view what = {.of = swarm->lookup, .results = &first};
    struct core_watcher_view view = view_of(swarm, &what);
    view.count = 1;
    for (; first != NULL; first = first->next)
        show(node, swarm, NULL, &view, false);
}

// ---- states ----

// Stands for so long, or until news have it look.
static void stand(struct node *node, struct core_swarm *swarm, int64_t pause_us)
{
    int64_t due_us = node->now_us + pause_us;
    swarm->state = CORE_SWARM_STANDING;
    due_us = swarm->again_us < due_us ? swarm->again_us : due_us;
    dht_timer_set(&node->timers, &swarm->timer, due_us > node->now_us ? due_us : node->now_us);
}

static void look(struct node *node, struct core_swarm *swarm)
{
    dht_timer_clear(&node->timers, &swarm->timer);
    swarm->again_us = INT64_MAX;
    swarm->looked_us = node->now_us;
    swarm->was_named = swarm->is_named;
    swarm->is_named = false;
    swarm->lookup = core_unsecured_begin(node, swarm);
    if (swarm->lookup == NULL) {
        stand(node, swarm, DOUBT_PAUSE_US);
        return;
    }
    CORE_COUNT(node, watch_looks);
    swarm->state = CORE_SWARM_LOOKING;
    core_swarm_found(node, swarm, swarm->lookup->results); // what is registered here
}

// Looks so long after the last lookup began, if not sooner.
static void look_after(struct node *node, struct core_swarm *swarm, int64_t pause_us)
{
    if (swarm->again_us > swarm->looked_us + pause_us)
        swarm->again_us = swarm->looked_us + pause_us;
    if (swarm->state == CORE_SWARM_STANDING)
        stand(node, swarm, swarm->timer.due_us - node->now_us);
}

// Looks as soon as may be.
static void look_soon(struct node *node, struct core_swarm *swarm)
{
    look_after(node, swarm, NEWS_PAUSE_US);
}

// What the lookup for strangers that were named has come to.
static void judge_names(struct core_swarm *swarm, const struct core_unsecured *unsecured)
{
    bool in_vain = swarm->was_named && !core_unsecured_has_news(unsecured, swarm->found);
    swarm->named_pause_us = in_vain ? 2 * swarm->named_pause_us : NEWS_PAUSE_US;
    if (swarm->named_pause_us > POLL_PAUSE_US)
        swarm->named_pause_us = POLL_PAUSE_US;
}

void core_swarm_timer(struct node *node, struct core_swarm *swarm)
{
    look(node, swarm);
}

// Has the engines tell who is new.
static void have_it_told(struct node *node, struct core_swarm *swarm,
                         struct core_unsecured *unsecured)
{
    struct dht_watch asked = {
        .kind = DHT_WATCH_PEERS,
        .target = swarm->info_hash,
        .seq_known = DHT_SEQ_NONE,
        .since_us = swarm->looked_us,
    };
    struct core_teller_owner owner = {CORE_OWNER_SWARM, swarm};
    core_teller_begin(node, &swarm->teller, &unsecured->lookup, &asked, &owner);
}

void core_swarm_looked(struct node *node, struct core_swarm *swarm,
                       struct core_unsecured *unsecured)
{
    bool is_deaf = unsecured->lookup.tally.answered == 0;
    uint64_t tenth_us = POLL_PAUSE_US / 10;
    int64_t pause_us = POLL_PAUSE_US - (int64_t)dht_random_below(&node->random, tenth_us);
    swarm->lookup = NULL;
    judge_names(swarm, unsecured);
    // Where nobody has answered, nobody has gone.
    bool in_doubt = core_unsecured_carry(node, unsecured, swarm->found, is_deaf ? 0 : MISSES_MAX);
    core_unsecured_free(swarm->found);
    swarm->found = unsecured;
    swarm->whole = swarm->whole || !is_deaf;
    have_it_told(node, swarm, unsecured);
    stand(node, swarm, in_doubt || is_deaf ? DOUBT_PAUSE_US : pause_us);
    show_all(node, swarm, NULL);
}

// ---- news ----

// Whether one of the peers was not asked by the last lookup.
static bool has_stranger(const struct core_swarm *swarm, const struct dht_out *event)
{
    bool any = swarm->found == NULL;
    for (size_t i = 0; !any && i < event->peers.count; i++)
        any = !core_unsecured_has_asked(swarm->found, &event->peers.addrs[i]);
    return any;
}

void core_swarm_event(struct node *node, struct core_swarm *swarm, int engine,
                      const struct dht_out *event)
{
    if (event->type == DHT_OUT_PEERS && (event->peers.pushed || has_stranger(swarm, event))) {
        swarm->is_named = true;
        look_after(node, swarm, swarm->named_pause_us);
    }
    if (event->type == DHT_OUT_DONE) { // the engine is going
        core_teller_lost(node, &swarm->teller, engine, event->op);
        look_soon(node, swarm);
    }
}

void core_swarm_changed(struct node *node, const struct core_cloud *cloud,
                        const struct dht_id *info_hash)
{
    for (struct core_swarm *swarm = node->swarms; swarm != NULL; swarm = swarm->next)
        if (swarm->cloud == cloud && dht_id_equal(&swarm->info_hash, info_hash))
            look_soon(node, swarm);
}

void core_swarm_look_all(struct node *node, const struct core_cloud *cloud)
{
    for (struct core_swarm *swarm = node->swarms; swarm != NULL; swarm = swarm->next)
        if (cloud == NULL || swarm->cloud == cloud)
            look_soon(node, swarm);
}

// ---- starting ----

void core_swarm_start(struct node *node, struct core_watcher *watcher, const struct core_name *name)
{
    struct core_cloud *cloud = watcher->request->cloud;
    struct core_swarm *swarm = find_equal(node, cloud, name);
    bool is_new = swarm == NULL;
    if (is_new)
        swarm = open_swarm(node, cloud, name);
    if (swarm == NULL) {
        CORE_COUNT(node, watches_refused);
        core_request_fail(node, watcher->request, CONTROL_ERROR_FULL, "too many names are watched");
        return;
    }
    watcher->swarm = swarm;
    watcher->next = swarm->watchers;
    swarm->watchers = watcher;
    if (is_new) {
        CORE_COUNT(node, watches);
        look(node, swarm);
    } else {
        CORE_COUNT(node, watches_joined);
        show_all(node, swarm, watcher);
    }
}
