// SPDX-License-Identifier: MIT
#include "node/core/brain.h"

#include "node/core/cloud_list.h"
#include "node/core/doctor.h"
#include "node/core/link.h"
#include "node/core/publication.h"
#include "node/core/registration.h"
#include "node/core/request.h"
#include "node/core/resolve.h"
#include "node/core/session.h"
#include "node/core/snapshot.h"
#include "node/core/swarm.h"
#include "node/core/unsecured.h"
#include "node/core/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLEPT_US   (2 * CORE_MINUTE_US)
#define CACHE_LINE 64

void node_config_init(struct node_config *config)
{
    *config = (struct node_config){
        .version = "0",
        .node_count = 1,
        .sessions_max = 256,
        .session_out_max = 1u << 20,
        .requests_max = 256,
        .resolves_max = 1024,
        .watches_max = 1024,
        .publications_max = 4096,
        .publishing_max = 32,
        .keys_max = 1024,
        .cache_max = 4096,
        .negative_ttl_s = 30,
        .ttl_s = 1800,
        .renew_us = 50 * CORE_MINUTE_US,
        .lifetime_us = 180 * CORE_MINUTE_US,
        .snapshot_us = 5 * CORE_MINUTE_US,
        .keep_items = true,
    };
}

struct node *node_new(const struct node_config *config, const struct dht_crypto *crypto,
                      const uint8_t seed[32], int64_t now_us, int64_t wall_us)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL || !dht_timer_reserve(&node->timers, 2)) {
        free(node);
        return NULL;
    }
    node->config = *config;
    node->crypto = *crypto;
    node->now_us = node->birth_us = node->wall_at_us = now_us;
    node->wall_us = wall_us;
    dht_random_init(&node->random, seed);
    dht_timer_init(&node->snapshot_timer, CORE_TIMER_SNAPSHOT);
    dht_timer_init(&node->cloud_timer, CORE_TIMER_CLOUDS);
    node->keyring.count_max = config->keys_max;
    core_cache_init(&node->cache, config->cache_max);
    return node;
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    core_session_free_all(node);
    core_resolve_free_all(node);
    core_publication_free_all(node);
    core_unsecured_free_all(node);
    core_registration_free_all(node);
    core_cloud_free_all(node);
    dht_timer_heap_fini(&node->timers);
    core_outbox_fini(&node->outbox);
    core_keyring_fini(&node->keyring);
    core_cache_fini(&node->cache);
    core_seqlog_fini(&node->seqlog);
    core_owner_table_fini(&node->owners);
    core_row_set_fini(&node->item_rows);
    free(node);
}

// ---- for the parts ----

void core_brain_enter(struct node *node, int64_t now_us)
{
    assert(now_us >= node->now_us);
    node->now_us = now_us;
    core_outbox_reclaim(&node->outbox);
}

int64_t core_brain_wall_us(const struct node *node)
{
    return node->wall_us + (node->now_us - node->wall_at_us);
}

bool core_brain_timer_room(struct node *node)
{
    uint32_t owners =
        node->publications.count + node->resolve_count + node->request_count + node->watch_count;
    owners += node->registration_count + node->unsecured_count + node->swarm_count +
              (uint32_t)node->engine_count;
    return dht_timer_reserve(&node->timers, owners + 2);
}

uint64_t core_brain_write(struct node *node, enum node_row_kind kind, struct dht_span key,
                          struct dht_span value, bool durable)
{
    struct node_out out = {.type = NODE_OUT_WRITE};
    uint64_t id = durable ? ++node->next_write : 0;
    out.write.write_id = id;
    out.write.durable = durable;
    out.write.kind = kind;
    out.write.key = key;
    out.write.value = value;
    return core_outbox_write(&node->outbox, &out) ? id : 0;
}

// ---- the engines' events ----

static void pass_on(struct node *node, int engine, const struct dht_out *event)
{
    struct core_owner owner = core_owner_find(&node->owners, engine, event->op);
    switch (owner.kind) {
    case CORE_OWNER_RESOLVE:
        core_resolve_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_PUBLICATION:
        core_publication_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_WATCH:
        core_watch_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_REQUEST:
        if (event->type == DHT_OUT_DONE)
            core_request_pinged(node, owner.object, event->done.rtt_us);
        break;
    case CORE_OWNER_REGISTRATION:
        core_registration_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_UNSECURED:
        core_unsecured_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_SWARM:
        core_swarm_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_DOCTOR:
        core_doctor_event(node, owner.object, engine, event);
        break;
    case CORE_OWNER_NONE:
        break;
    }
}

void core_brain_end_ops(struct node *node, int engine)
{
    struct core_owner owner;
    while ((owner = core_owner_of_engine(&node->owners, engine)).kind != CORE_OWNER_NONE) {
        struct dht_out event = {.type = DHT_OUT_DONE, .op = owner.op, .done = {.rtt_us = -1}};
        pass_on(node, engine, &event);
        core_owner_clear(&node->owners, engine, owner.op);
    }
}

// Our address or network has changed: all that we have in the cloud, NULL: in all clouds, is looked
// after at once.
static void look_after_all(struct node *node, const struct core_cloud *cloud)
{
    core_publication_renew_all(node, cloud);
    core_registration_renew_all(node, cloud);
    core_watch_look_all(node, cloud);
    core_swarm_look_all(node, cloud);
}

// What is new of an engine itself.
static void engine_changed(struct node *node, const struct core_engine *engine,
                           const struct dht_out *event)
{
    if (event->type == DHT_OUT_ADDRESS && node->started) {
        core_outbox_event(&node->outbox, false, "the external address is settled", "");
        look_after_all(node, engine->cloud);
    } else if (event->type == DHT_OUT_RETURNED && node->started) {
        core_outbox_event(&node->outbox, false, "the network answers again", "");
        look_after_all(node, engine->cloud);
    } else if (event->type == DHT_OUT_ROLE) {
        core_outbox_event(&node->outbox, false,
                          "role: ", event->role == DHT_ROLE_SERVER ? "server" : "client");
        core_registration_renew_all(node, engine->cloud);
    }
}

void core_brain_settle(struct node *node)
{
    struct dht_out event;
    bool any;
    do {
        any = false;
        for (int i = 0; i < node->engine_count; i++) {
            const struct core_engine *engine = node->engines[i];
            while (dht_next_event(engine->dht, &event)) {
                any = true;
                if (event.op != 0)
                    pass_on(node, engine->number, &event);
                else
                    engine_changed(node, engine, &event);
            }
        }
    } while (any);
    core_session_reap(node);
}

// ---- inputs ----

void node_wall(struct node *node, int64_t now_us, int64_t wall_us)
{
    core_brain_enter(node, now_us);
    bool set_forth = wall_us - core_brain_wall_us(node) > CORE_RECORD_GRACE_S * CORE_SECOND_US;
    node->wall_us = wall_us;
    node->wall_at_us = now_us;
    // What was signed by a clock that was behind may have expired for others.
    if (node->started && set_forth)
        core_publication_renew_all(node, NULL);
    if (set_forth)
        core_watch_clock_set(node);
    core_brain_settle(node);
}

void node_receive(struct node *node, int64_t now_us, int engine,
                  const struct dht_datagram *datagrams, size_t count)
{
    core_brain_enter(node, now_us);
    dht_receive(node_engine(node, engine), now_us, datagrams, count);
    core_brain_settle(node);
}

void node_unreachable(struct node *node, int64_t now_us, int engine, const struct dht_addr *addr)
{
    core_brain_enter(node, now_us);
    dht_unreachable(node_engine(node, engine), now_us, addr);
    core_brain_settle(node);
}

void node_bootstrap(struct node *node, int64_t now_us, int engine, const struct dht_addr *addrs,
                    size_t count)
{
    core_brain_enter(node, now_us);
    dht_bootstrap(node_engine(node, engine), now_us, addrs, count);
    core_brain_settle(node);
}

void node_network_changed(struct node *node, int64_t now_us)
{
    core_brain_enter(node, now_us);
    look_after_all(node, NULL);
    core_brain_settle(node);
}

void node_set_publishing(struct node *node, uint32_t ttl_s, int64_t renew_us)
{
    node->config.ttl_s = ttl_s;
    node->config.renew_us = renew_us;
}

void node_stop(struct node *node, int64_t now_us)
{
    core_brain_enter(node, now_us);
    for (struct core_session *session = node->sessions; session != NULL; session = session->next)
        while (session->requests != NULL)
            core_request_fail(node, session->requests, CONTROL_ERROR_CANCELLED,
                              "the daemon is ending");
    if (node->started && node->config.snapshot_us > 0)
        core_snapshot_take(node);
    node->is_ending = true;
    node->is_parting = core_registration_part(node);
    core_brain_settle(node);
}

bool node_is_parting(const struct node *node)
{
    return node->is_parting;
}

static void ring(struct node *node, struct dht_timer *timer)
{
    switch ((enum core_timer_kind)timer->kind) {
    case CORE_TIMER_REQUEST: // the timer is a request's first member
        core_request_timeout(node, (struct core_request *)(void *)timer);
        break;
    case CORE_TIMER_RESOLVE:
        core_resolve_timer(node,
                           (struct core_resolve *)(void *)((uint8_t *)timer -
                                                           offsetof(struct core_resolve, timer)));
        break;
    case CORE_TIMER_PUBLICATION:
        core_publication_timer(
            node, (struct core_publication *)(void *)((uint8_t *)timer -
                                                      offsetof(struct core_publication, timer)));
        break;
    case CORE_TIMER_WATCH:
        core_watch_timer(node, (struct core_watch *)(void *)((uint8_t *)timer -
                                                             offsetof(struct core_watch, timer)));
        break;
    case CORE_TIMER_SNAPSHOT:
        core_snapshot_take(node);
        break;
    case CORE_TIMER_REGISTRATION:
        core_registration_timer(
            node, (struct core_registration *)(void *)((uint8_t *)timer -
                                                       offsetof(struct core_registration, timer)));
        break;
    case CORE_TIMER_SWARM:
        core_swarm_timer(node, (struct core_swarm *)(void *)((uint8_t *)timer -
                                                             offsetof(struct core_swarm, timer)));
        break;
    case CORE_TIMER_UNSECURED:
        core_unsecured_timer(
            node, (struct core_unsecured *)(void *)((uint8_t *)timer -
                                                    offsetof(struct core_unsecured, timer)));
        break;
    case CORE_TIMER_LINK:
        core_link_timer(node, timer);
        break;
    case CORE_TIMER_CLOUDS:
        core_cloud_list_tell(node);
        break;
    }
}

// Whether what was due has had to wait so long that the machine must have slept: what it published
// may be gone meanwhile, or its address another.
static bool has_slept(const struct node *node, int64_t now_us)
{
    int64_t due_us = node_deadline(node);
    return node->started && due_us != INT64_MAX && now_us - due_us > SLEPT_US;
}

static void tick_once(struct node *node, int64_t now_us)
{
    for (int i = 0; i < node->engine_count; i++)
        dht_tick(node->engines[i]->dht, now_us);
    core_brain_settle(node);
    struct dht_timer *timer;
    while ((timer = dht_timer_pop(&node->timers, now_us)) != NULL) {
        ring(node, timer);
        core_brain_settle(node);
    }
}

void node_tick(struct node *node, int64_t now_us)
{
    bool slept = has_slept(node, now_us);
    core_brain_enter(node, now_us);
    if (slept) {
        core_publication_renew_all(node, NULL);
        core_registration_renew_all(node, NULL);
    }
    tick_once(node, now_us);
    // What a timer begins may be due in its engine at once.
    while (node_deadline(node) <= now_us)
        tick_once(node, now_us);
}

int64_t node_deadline(const struct node *node)
{
    int64_t deadline_us = dht_timer_next(&node->timers);
    for (int i = 0; i < node->engine_count; i++) {
        int64_t engine_us = dht_deadline(node->engines[i]->dht);
        deadline_us = engine_us < deadline_us ? engine_us : deadline_us;
    }
    return deadline_us;
}

void node_written(struct node *node, int64_t now_us, uint64_t write_id, bool ok)
{
    core_brain_enter(node, now_us);
    if (!ok)
        CORE_COUNT(node, writes_failed);
    if (write_id != 0 && !core_publication_written(node, write_id, ok))
        core_registration_written(node, write_id, ok);
    core_brain_settle(node);
}

void node_key_answered(struct node *node, int64_t now_us, const struct node_key_answer *answer)
{
    core_brain_enter(node, now_us);
    bool added = answer->code == CONTROL_ERROR_OK && answer->key != NULL;
    if (added)
        node_key_added(node, answer->label, answer->key, answer->path);
    struct core_request *request = core_request_by_key(node, answer->key_request);
    if (request != NULL)
        core_request_key_answered(node, request, answer);
    core_brain_settle(node);
}

bool node_key_added(struct node *node, const char *label, const uint8_t key[DHT_KEY_LEN],
                    const char *path)
{
    return core_keyring_add(&node->keyring, &node->crypto, label, key, path);
}

void node_key_removed(struct node *node, const char *label)
{
    core_keyring_remove(&node->keyring, label);
}

// ---- outputs ----

bool node_next(struct node *node, struct node_out *ret_out)
{
    for (int i = 0; i < node->engine_count; i++) {
        struct dht_out out;
        if (!dht_next(node->engines[i]->dht, &out))
            continue;
        assert(out.type == DHT_OUT_DATAGRAM); // events were handled by the input that made them
        ret_out->type = NODE_OUT_DATAGRAM;
        ret_out->engine = node->engines[i]->number;
        ret_out->datagram = out.datagram;
        return true;
    }
    return core_outbox_next(&node->outbox, ret_out);
}

void node_prefetch(const struct node *node, int engine, int step)
{
    if (step > 0) {
        dht_prefetch(core_cloud_engine(node, engine)->dht, step - 1);
        return;
    }
    for (size_t at = 0; at < offsetof(struct node, config); at += CACHE_LINE)
        __builtin_prefetch((const uint8_t *)node + at);
}

void node_rest(struct node *node)
{
    core_outbox_reclaim(&node->outbox);
    for (int i = 0; i < node->engine_count; i++)
        dht_rest(node->engines[i]->dht);
}

void node_driver_counters(struct node *node, const struct node_driver_counter *counters,
                          size_t count)
{
    assert(count <= NODE_DRIVER_COUNTERS_MAX);
    node->driver_counters = counters;
    node->driver_counter_count = count;
}

void node_info(const struct node *node, struct node_info *ret_info)
{
    *ret_info = (struct node_info){
        .sessions = node->session_count,
        .requests = node->request_count,
        .resolves = node->resolve_count + node->unsecured_count,
        .watches = node->watch_count + node->swarm_count,
        .publications = node->publications.count,
        .registrations = node->registration_count,
        .keys = node->keyring.count,
        .cached = node->cache.count,
        .counters = node->counters,
    };
    ret_info->counters.cache_evicted = node->cache.evicted;
}
