// SPDX-License-Identifier: MIT
#include "node/core/unsecured.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/krpc.h"
#include "node/core/result.h"
#include "node/core/swarm.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JOINING_PAUSE_US (200 * 1000)
#define TRIES_MAX        2

// ---- life ----

static struct core_unsecured *find_equal(const struct node *node, const struct core_cloud *cloud,
                                         const struct core_name *name, enum control_wait wait)
{
    for (struct core_unsecured *other = node->unsecured; other != NULL; other = other->next)
        if (other->swarm == NULL && !other->trace && !other->ending && other->wait == wait &&
            other->cloud == cloud && core_name_equal(&other->name, name) &&
            // `all` is authoritative: its lookup may not have begun before it was asked for.
            (wait != CONTROL_WAIT_ALL || other->started_us == node->now_us))
            return other;
    return NULL;
}

static struct core_unsecured *open_unsecured(struct node *node, struct core_cloud *cloud,
                                             const struct core_name *name, enum control_wait wait)
{
    struct core_unsecured *unsecured = NULL;
    uint32_t under_way = node->resolve_count + node->unsecured_count;
    if (under_way < node->config.resolves_max && core_brain_timer_room(node))
        unsecured = calloc(1, sizeof *unsecured);
    if (unsecured == NULL)
        return NULL;
    dht_timer_init(&unsecured->timer, CORE_TIMER_UNSECURED);
    unsecured->cloud = unsecured->lookup.cloud = cloud;
    unsecured->name = *name;
    unsecured->wait = wait;
    unsecured->started_us = node->now_us;
    unsecured->results_end = &unsecured->results;
    core_name_infohash(&node->crypto, name, &unsecured->info_hash);
    unsecured->next = node->unsecured;
    if (unsecured->next != NULL)
        unsecured->next->prev = unsecured;
    node->unsecured = unsecured;
    node->unsecured_count++;
    return unsecured;
}

static void stop_asking(struct node *node, struct core_unsecured *unsecured)
{
    for (size_t i = 0; i < CORE_UNSECURED_ASKING_MAX; i++) {
        uint32_t op = unsecured->asking[i].op;
        int number = unsecured->asking[i].engine;
        const struct core_engine *engine = core_cloud_engine(node, number);
        if (op == 0)
            continue;
        core_owner_clear(&node->owners, number, op);
        if (engine != NULL)
            dht_cancel(engine->dht, op);
        unsecured->asking[i].op = 0;
    }
    unsecured->asking_count = 0;
}

// Ends all that is under way.
static void detach(struct node *node, struct core_unsecured *unsecured)
{
    assert(unsecured->waiters == NULL);
    core_lookup_cancel(node, &unsecured->lookup);
    stop_asking(node, unsecured);
    dht_timer_clear(&node->timers, &unsecured->timer);
    if (unsecured->next != NULL)
        unsecured->next->prev = unsecured->prev;
    if (unsecured->prev != NULL)
        unsecured->prev->next = unsecured->next;
    else
        node->unsecured = unsecured->next;
    node->unsecured_count--;
}

void core_unsecured_free(struct core_unsecured *unsecured)
{
    if (unsecured == NULL)
        return;
    while (unsecured->results != NULL) {
        struct core_unsecured_result *result = unsecured->results;
        unsecured->results = result->next;
        free(result);
    }
    free(unsecured->peers);
    free(unsecured);
}

static void close_unsecured(struct node *node, struct core_unsecured *unsecured)
{
    detach(node, unsecured);
    core_unsecured_free(unsecured);
}

void core_unsecured_cancel(struct node *node, struct core_unsecured *unsecured)
{
    close_unsecured(node, unsecured);
}

void core_unsecured_free_all(struct node *node)
{
    while (node->unsecured != NULL)
        close_unsecured(node, node->unsecured);
}

void core_unsecured_leave(struct node *node, struct core_unsecured *unsecured,
                          struct core_request *request)
{
    struct core_request **link = &unsecured->waiters;
    while (*link != request)
        link = &(*link)->next_waiter;
    *link = request->next_waiter;
    request->unsecured = NULL;
    if (unsecured->waiters == NULL && !unsecured->ending)
        close_unsecured(node, unsecured);
}

// ---- results, and the end ----

// Whether a request has all that it wants.
static bool has_enough(const struct core_unsecured *unsecured, const struct core_request *request)
{
    if (core_criteria_sorts(&request->criteria))
        return false;
    bool first = unsecured->wait == CONTROL_WAIT_FIRST && request->results > 0;
    return first || core_criteria_is_enough(&request->criteria, request->results);
}

// Tells the request results from one on, unless they are to be sorted first. It may be gone
// afterwards: whether it is there still.
static bool tell_from(struct node *node, struct core_unsecured *unsecured,
                      struct core_request *request, const struct core_unsecured_result *result)
{
    bool sorts = core_criteria_sorts(&request->criteria);
    for (; result != NULL && !sorts && !has_enough(unsecured, request); result = result->next)
        if (core_unsecured_is_wanted(request, result))
            core_unsecured_tell(node, unsecured, request, result, NULL);
    if (!has_enough(unsecured, request))
        return true;
    core_unsecured_answer(node, unsecured, request);
    return false;
}

// Tells everybody what is new. The lookup may be gone afterwards.
static void tell_all(struct node *node, struct core_unsecured *unsecured,
                     const struct core_unsecured_result *result)
{
    struct core_request *request = unsecured->waiters;
    if (unsecured->swarm != NULL) {
        core_swarm_found(node, unsecured->swarm, result);
        return;
    }
    unsecured->ending = true; // until all have been told
    while (result != NULL && request != NULL) {
        struct core_request *next = request->next_waiter;
        tell_from(node, unsecured, request, result);
        request = next;
    }
    unsecured->ending = false;
    if (unsecured->waiters != NULL)
        return;
    CORE_COUNT(node, resolves_found);
    close_unsecured(node, unsecured);
}

static void end_request(struct node *node, const struct core_unsecured *unsecured,
                        struct core_request *request)
{
    if (core_criteria_sorts(&request->criteria))
        core_unsecured_tell_sorted(node, unsecured, request);
    core_unsecured_answer(node, unsecured, request);
}

static void end(struct node *node, struct core_unsecured *unsecured)
{
    if (unsecured->result_count > 0)
        CORE_COUNT(node, resolves_found);
    else
        CORE_COUNT(node, resolves_not_found);
    if (unsecured->swarm != NULL) {
        detach(node, unsecured);
        core_swarm_looked(node, unsecured->swarm, unsecured);
        return;
    }
    unsecured->ending = true;
    while (unsecured->waiters != NULL)
        end_request(node, unsecured, unsecured->waiters);
    close_unsecured(node, unsecured);
}

bool core_unsecured_timeout(struct node *node, struct core_request *request)
{
    struct core_unsecured *unsecured = request->unsecured;
    if (core_criteria_sorts(&request->criteria))
        core_unsecured_tell_sorted(node, unsecured, request);
    if (request->results == 0)
        return false;
    core_unsecured_answer(node, unsecured, request);
    return true;
}

// ---- asking ----

static size_t free_place(const struct core_unsecured *unsecured)
{
    size_t place = 0;
    while (unsecured->asking[place].op != 0)
        place++;
    assert(place < CORE_UNSECURED_ASKING_MAX);
    return place;
}

// Asks the place's node. False where it cannot be asked.
static bool ask(struct node *node, struct core_unsecured *unsecured, size_t place)
{
    const struct core_unsecured_peer *peer = &unsecured->peers[unsecured->asking[place].peer];
    unsecured->asking[place].torn = false;
    unsecured->asking[place].tries++;
    const struct core_engine *engine = core_cloud_engine(node, peer->engine);
    if (engine == NULL)
        return false;
    uint32_t op = dht_who(engine->dht, node->now_us, &peer->addr, &unsecured->info_hash);
    CORE_COUNT(node, unsecured_asked);
    if (op == 0 ||
        !core_owner_set(&node->owners, peer->engine, op, CORE_OWNER_UNSECURED, unsecured)) {
        dht_cancel(engine->dht, op);
        CORE_COUNT(node, unsecured_dropped);
        return false;
    }
    unsecured->asking[place].op = op;
    unsecured->asking[place].engine = peer->engine;
    unsecured->asking_count++;
    return true;
}

// Asks whom there is room for, and ends where nobody is left.
static void go_on(struct node *node, struct core_unsecured *unsecured)
{
    while (unsecured->peer_next < unsecured->peer_count &&
           unsecured->asking_count < CORE_UNSECURED_ASKING_MAX) {
        size_t place = free_place(unsecured);
        unsecured->asking[place].peer = unsecured->peer_next++;
        unsecured->asking[place].id = (struct dht_id){{0}};
        unsecured->asking[place].publishers = 0;
        unsecured->asking[place].tries = 0;
        unsecured->asking[place].told = false;
        ask(node, unsecured, place);
    }
    if (unsecured->lookup.running == 0 && unsecured->asking_count == 0)
        end(node, unsecured);
}

// ---- starting ----

static void look(struct node *node, struct core_unsecured *unsecured)
{
    if (!core_cloud_has_contacts(unsecured->cloud)) {
        unsecured->state = CORE_UNSECURED_JOINING;
        dht_timer_set(&node->timers, &unsecured->timer, node->now_us + JOINING_PAUSE_US);
        return;
    }
    unsecured->state = CORE_UNSECURED_ASKING;
    if (!core_lookup_peers(node, &unsecured->lookup, CORE_OWNER_UNSECURED, unsecured,
                           &unsecured->info_hash, unsecured->trace))
        end(node, unsecured);
}

void core_unsecured_timer(struct node *node, struct core_unsecured *unsecured)
{
    look(node, unsecured);
}

// Joins the request to the lookup and tells it what was found so far. Whether it waits now.
static bool join(struct node *node, struct core_unsecured *unsecured, struct core_request *request)
{
    request->unsecured = unsecured;
    request->next_waiter = unsecured->waiters;
    unsecured->waiters = request;
    return tell_from(node, unsecured, request, unsecured->results);
}

void core_unsecured_start(struct node *node, struct core_request *request,
                          const struct core_name *name, enum control_wait wait)
{
    struct core_unsecured *equal =
        request->trace ? NULL : find_equal(node, request->cloud, name, wait);
    if (equal != NULL) {
        CORE_COUNT(node, resolves_joined);
        join(node, equal, request);
        return;
    }
    struct core_unsecured *unsecured = open_unsecured(node, request->cloud, name, wait);
    if (unsecured == NULL) {
        CORE_COUNT(node, resolves_refused);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many lookups are under way");
        return;
    }
    CORE_COUNT(node, resolves);
    unsecured->trace = request->trace;
    core_unsecured_take_own(node, unsecured);
    if (!join(node, unsecured, request))
        return;
    if (wait == CONTROL_WAIT_CACHE)
        end(node, unsecured);
    else
        look(node, unsecured);
}

// The lookup itself begins with the next tick: it may end before this has returned otherwise.
struct core_unsecured *core_unsecured_begin(struct node *node, struct core_swarm *swarm)
{
    struct core_unsecured *unsecured =
        open_unsecured(node, swarm->cloud, &swarm->name, CONTROL_WAIT_ALL);
    if (unsecured == NULL)
        return NULL;
    unsecured->swarm = swarm;
    core_unsecured_take_own(node, unsecured);
    dht_timer_set(&node->timers, &unsecured->timer, node->now_us);
    return unsecured;
}

// ---- events ----

bool core_unsecured_has_asked(const struct core_unsecured *unsecured, const struct dht_addr *addr)
{
    for (uint32_t i = 0; i < unsecured->peer_count; i++)
        if (dht_addr_equal(&unsecured->peers[i].addr, addr))
            return true;
    return false;
}

static bool grow_peers(struct core_unsecured *unsecured)
{
    if (unsecured->peer_count == CORE_UNSECURED_PEERS_MAX)
        return false;
    if (unsecured->peer_count < unsecured->peer_capacity)
        return true;
    uint32_t capacity = unsecured->peer_capacity == 0 ? 16 : unsecured->peer_capacity * 2;
    struct core_unsecured_peer *peers =
        realloc(unsecured->peers, capacity * sizeof *unsecured->peers);
    if (peers == NULL)
        return false;
    unsecured->peers = peers;
    unsecured->peer_capacity = capacity;
    return true;
}

static void take_peers(struct node *node, struct core_unsecured *unsecured, int engine,
                       const struct dht_out *event)
{
    for (size_t i = 0; i < event->peers.count; i++) {
        const struct dht_addr *addr = &event->peers.addrs[i];
        if (core_unsecured_has_asked(unsecured, addr) ||
            core_cloud_is_own(core_cloud_engine(node, engine), addr))
            continue;
        if (!grow_peers(unsecured)) {
            CORE_COUNT(node, unsecured_dropped);
            continue;
        }
        unsecured->peers[unsecured->peer_count++] =
            (struct core_unsecured_peer){.addr = *addr, .engine = engine};
    }
    go_on(node, unsecured);
}

// The place of the operation; CORE_UNSECURED_ASKING_MAX where it is none of asking.
static size_t place_of(const struct core_unsecured *unsecured, int engine, uint32_t op)
{
    size_t place = 0;
    while (place < CORE_UNSECURED_ASKING_MAX &&
           (unsecured->asking[place].op != op || unsecured->asking[place].engine != engine))
        place++;
    return place;
}

// A node has told.
static void take_who(struct node *node, struct core_unsecured *unsecured, size_t place,
                     const struct dht_out *event)
{
    struct core_unsecured_result **end_before = unsecured->results_end;
    struct dht_info info;
    const struct core_engine *engine = core_cloud_engine(node, unsecured->asking[place].engine);
    assert(engine != NULL);
    dht_info(engine->dht, &info);
    if (dht_id_equal(&info.id, &event->who.id)) // ourselves, by an address that we do not know
        return;
    unsecured->asking[place].id = event->who.id;
    unsecured->asking[place].torn =
        !core_unsecured_take(node, unsecured, event, &unsecured->asking[place].publishers);
    if (unsecured->asking[place].torn)
        return;
    unsecured->answered++;
    unsecured->asking[place].told = true;
    tell_all(node, unsecured, *end_before);
}

// What one node has come to, as a hop. Who has registered nothing has answered so.
static void tell_asked(struct node *node, struct core_unsecured *unsecured, size_t place,
                       const struct dht_out *done)
{
    bool is_error = done->done.code != 0 && done->done.code != DHT_KRPC_ERROR_GENERIC;
    bool has_answered = done->done.code != 0 || done->done.rtt_us >= 0;
    struct dht_out hop = {.type = DHT_OUT_HOP};
    hop.hop.addr = unsecured->peers[unsecured->asking[place].peer].addr;
    hop.hop.id = unsecured->asking[place].id;
    hop.hop.named = unsecured->asking[place].publishers;
    hop.hop.rtt_us = (int32_t)(done->done.rtt_us < INT32_MAX ? done->done.rtt_us : INT32_MAX);
    hop.hop.result = unsecured->asking[place].told ? DHT_HOP_FOUND
                     : is_error                    ? DHT_HOP_ERROR
                     : has_answered                ? DHT_HOP_ANSWERED
                                                   : DHT_HOP_SILENT;
    for (struct core_request *request = unsecured->waiters; request != NULL;
         request = request->next_waiter)
        core_result_hop(node, request, &unsecured->info_hash, &hop, CONTROL_STEP_WHO);
}

// One node has been asked. A torn payload is asked for once more, from the beginning.
static void who_ended(struct node *node, struct core_unsecured *unsecured, size_t place,
                      const struct dht_out *done)
{
    bool torn = unsecured->asking[place].torn;
    core_owner_clear(&node->owners, unsecured->asking[place].engine, unsecured->asking[place].op);
    unsecured->asking[place].op = 0;
    unsecured->asking_count--;
    if (torn && unsecured->asking[place].tries < TRIES_MAX && ask(node, unsecured, place))
        return;
    unsecured->peers[unsecured->asking[place].peer].is_plain =
        unsecured->asking[place].told || done->done.code == DHT_KRPC_ERROR_GENERIC;
    if (torn)
        CORE_COUNT(node, unsecured_malformed);
    else if (!unsecured->asking[place].told)
        CORE_COUNT(node, unsecured_silent);
    if (unsecured->trace)
        tell_asked(node, unsecured, place, done);
    go_on(node, unsecured);
}

static void tell_hop(struct node *node, struct core_unsecured *unsecured,
                     const struct dht_out *event)
{
    for (struct core_request *request = unsecured->waiters; request != NULL;
         request = request->next_waiter)
        core_result_hop(node, request, &unsecured->info_hash, event, CONTROL_STEP_HOP);
}

static void done(struct node *node, struct core_unsecured *unsecured, int engine,
                 const struct dht_out *event)
{
    size_t place = place_of(unsecured, engine, event->op);
    if (place < CORE_UNSECURED_ASKING_MAX) {
        who_ended(node, unsecured, place, event);
        return;
    }
    core_lookup_done(node, &unsecured->lookup, engine, &event->done.tally, false);
    go_on(node, unsecured);
}

void core_unsecured_event(struct node *node, struct core_unsecured *unsecured, int engine,
                          const struct dht_out *event)
{
    switch (event->type) {
    case DHT_OUT_PEERS:
        take_peers(node, unsecured, engine, event);
        break;
    case DHT_OUT_WHO:
        take_who(node, unsecured, place_of(unsecured, engine, event->op), event);
        break;
    case DHT_OUT_HOP:
        tell_hop(node, unsecured, event);
        break;
    case DHT_OUT_DONE:
        done(node, unsecured, engine, event);
        break;
    default:
        break;
    }
}
