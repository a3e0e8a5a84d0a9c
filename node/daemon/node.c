// SPDX-License-Identifier: MIT
#include "node/daemon/node.h"

#include "node/daemon/cloud.h"
#include "node/daemon/log.h"
#include "node/daemon/record.h"
#include "node/daemon/restore.h"
#include "node/daemon/state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WALL_EVERY_US 1000000 // the brain is told wall time at least this often

// A write that needs no disk, or could not be queued; told to the brain after the drain.
struct written {
    uint64_t id;
    bool ok;
};

struct daemon_node {
    struct daemon_node_shared shared;
    struct daemon_record record; // the brain, and what writes down what it is told
    uint32_t index;
    struct daemon_cloud *clouds[NODE_CLOUDS_MAX]; // owned
    size_t cloud_count;
    bool is_started;
    struct daemon_state *state; // NULL: nothing is kept on disk
    struct event *state_event;
    struct daemon_secrets *secrets;
    struct daemon_loop_alarm alarm;
    struct written *written;
    size_t written_count;
    size_t written_capacity;
    int64_t wall_told_us;                                          // in the loop's time
    struct node_driver_counter counters[NODE_DRIVER_COUNTERS_MAX]; // as the brain sees them
    bool is_settling;
};

// ---- outputs ----

// NULL where there is none of that number.
static struct daemon_cloud_engine *engine_numbered(struct daemon_node *node, int number)
{
    for (size_t i = 0; i < node->cloud_count; i++) {
        for (int j = 0; j < NODE_ENGINES_MAX; j++) {
            if (node->clouds[i]->engines[j].number == number)
                return &node->clouds[i]->engines[j];
        }
    }
    return NULL;
}

static void take_datagram(struct daemon_node *node, const struct node_out *out)
{
    struct daemon_cloud_engine *engine = engine_numbered(node, out->engine);
    if (engine != NULL) // an announcement may have waited while its engine went
        daemon_cloud_take(engine, &out->datagram);
}

// Remembers to tell the brain, which may not be called before all its outputs are taken.
static void put_written(struct daemon_node *node, uint64_t id, bool ok)
{
    if (id == 0)
        return;
    if (node->written_count == node->written_capacity) {
        size_t capacity = node->written_capacity == 0 ? 16 : 2 * node->written_capacity;
        struct written *written = realloc(node->written, capacity * sizeof(*written));
        if (written == NULL) {
            daemon_log(DAEMON_LOG_ERROR, "no memory to acknowledge a write node=%u", node->index);
            return;
        }
        node->written = written;
        node->written_capacity = capacity;
    }
    node->written[node->written_count++] = (struct written){id, ok};
}

static void take_write(struct daemon_node *node, const struct node_out *out)
{
    if (node->state == NULL) {
        put_written(node, out->write.write_id, true);
        return;
    }
    struct daemon_state_row row = {
        .kind = (enum daemon_state_kind)out->write.kind, // the numbers are the same
        .key = out->write.key,
        .value = out->write.value,
        .is_delete = out->write.value.len == 0,
    };
    enum daemon_state_taken taken =
        daemon_state_write(node->state, out->write.write_id, out->write.durable, &row);
    if (taken != DAEMON_STATE_TAKEN)
        put_written(node, out->write.write_id, false);
}

static void take_event(const struct daemon_node *node, const struct node_out *out)
{
    enum daemon_log_level level = out->event.warning ? DAEMON_LOG_WARN : DAEMON_LOG_INFO;
    if (node->index == 0)
        daemon_log(level, "%s", out->event.text);
    else
        daemon_log(level, "%s node=%u", out->event.text, node->index);
}

static void take_outputs(struct daemon_node *node)
{
    struct node_out out;
    while (daemon_record_next(&node->record, &out)) {
        switch (out.type) {
        case NODE_OUT_DATAGRAM:
            take_datagram(node, &out);
            break;
        case NODE_OUT_BYTES:
            node->shared.bytes(node->shared.ctx, node, out.session, out.bytes);
            break;
        case NODE_OUT_HANGUP:
            node->shared.hangup(node->shared.ctx, node, out.session);
            break;
        case NODE_OUT_WRITE:
            take_write(node, &out);
            break;
        case NODE_OUT_KEY:
            daemon_secrets_do(node->secrets, &out);
            break;
        case NODE_OUT_EVENT:
            take_event(node, &out);
            break;
        }
    }
    for (size_t i = 0; i < node->cloud_count; i++)
        daemon_cloud_send(node->clouds[i]);
}

// Tells the brain of writes that are done. Returns whether there were any.
static bool tell_written(struct daemon_node *node)
{
    size_t count = node->written_count;
    int64_t now_us = daemon_loop_now_us(node->shared.loop);
    for (size_t i = 0; i < count; i++)
        daemon_record_written(&node->record, now_us, node->written[i].id, node->written[i].ok);
    node->written_count = 0;
    return count > 0;
}

void daemon_node_settle(struct daemon_node *node)
{
    bool more = true;
    assert(!node->is_settling);
    node->is_settling = true;
    while (more) {
        take_outputs(node);
        more = tell_written(node);
        more |= node->shared.flush(node->shared.ctx, node);
    }
    node->is_settling = false;
    if (!daemon_loop_set(node->shared.loop, &node->alarm, node_deadline(node->record.brain)))
        daemon_log(DAEMON_LOG_ERROR, "no memory for a node's timer node=%u", node->index);
}

// ---- inputs ----

int64_t daemon_node_enter(struct daemon_node *node)
{
    int64_t now_us = daemon_loop_now_us(node->shared.loop);
    if (now_us - node->wall_told_us >= WALL_EVERY_US) {
        node->wall_told_us = now_us;
        daemon_record_wall(&node->record, now_us, daemon_loop_wall_us(node->shared.loop));
    }
    return now_us;
}

#define UDP_SUM(counter_name, meaning)   udp.counter_name += info.counters.counter_name;
#define UDP_ROW(counter_name, meaning)   {"udp_" #counter_name, udp.counter_name},
#define STATE_ROW(counter_name, meaning) {"state_" #counter_name, state.counter_name},

void daemon_node_tell_counters(struct daemon_node *node, uint64_t clients_refused)
{
    struct daemon_udp_counters udp = {0};
    struct daemon_state_counters state = {0};
    for (size_t i = 0; i < node->cloud_count; i++) {
        for (int j = 0; j < NODE_ENGINES_MAX; j++) {
            struct daemon_udp_info info;
            if (node->clouds[i]->engines[j].udp == NULL)
                continue;
            daemon_udp_info(node->clouds[i]->engines[j].udp, &info);
            DAEMON_UDP_COUNTERS(UDP_SUM)
        }
    }
    if (node->state != NULL)
        daemon_state_counters(node->state, &state);
    const struct node_driver_counter counters[] = {{"clients_refused", clients_refused},
                                                   DAEMON_UDP_COUNTERS(UDP_ROW)
                                                       DAEMON_STATE_COUNTERS(STATE_ROW)};
    static_assert(sizeof counters <= sizeof node->counters, "the brain takes no more");
    memcpy(node->counters, counters, sizeof counters);
    daemon_record_counters(&node->record, node->counters, sizeof counters / sizeof counters[0]);
}

static void on_alarm(struct daemon_loop_alarm *alarm)
{
    struct daemon_node *node = alarm->ctx;
    daemon_record_tick(&node->record, daemon_node_enter(node));
    daemon_node_settle(node);
}

static void on_state(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_node *node = ctx;
    struct daemon_state_done done;
    (void)fd;
    (void)what;
    while (daemon_state_next(node->state, &done))
        put_written(node, done.id, done.ok);
    daemon_node_enter(node);
    daemon_node_settle(node);
}

void daemon_node_bootstrap(struct daemon_node *node, const struct dht_addr *addrs, size_t count)
{
    daemon_cloud_bootstrap(node->clouds[0], addrs, count);
}

// ---- keys ----

static void on_key_added(void *ctx, const struct daemon_keys_entry *entry, const char *path)
{
    struct daemon_node *node = ctx;
    if (!daemon_record_key_added(&node->record, entry->label, entry->key, path))
        daemon_log(DAEMON_LOG_WARN, "key not used: too many keys label=%s", entry->label);
}

static void on_key_removed(void *ctx, const char *label)
{
    struct daemon_node *node = ctx;
    daemon_record_key_removed(&node->record, label);
}

static void on_key_answered(void *ctx, const struct node_key_answer *answer)
{
    struct daemon_node *node = ctx;
    daemon_record_key_answered(&node->record, daemon_node_enter(node), answer);
    daemon_node_settle(node);
}

static void on_keys_reloaded(void *ctx, const struct daemon_error *why)
{
    struct daemon_node *node = ctx;
    if (why != NULL)
        daemon_log(DAEMON_LOG_WARN, "keys not read again: %s", why->text);
    daemon_node_enter(node);
    daemon_node_settle(node);
}

static bool sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                 uint8_t ret_sig[DHT_SIG_LEN])
{
    struct daemon_node *node = ctx;
    bool ok = daemon_secrets_sign(node->secrets, key, msg, ret_sig);
    daemon_record_signed(&node->record, key, msg, ok ? ret_sig : NULL);
    return ok;
}

static void sha1(void *ctx, const struct dht_span *parts, size_t part_count, uint8_t ret_digest[20])
{
    const struct dht_crypto *shared = &((const struct daemon_node *)ctx)->shared.crypto;
    shared->sha1(shared->ctx, parts, part_count, ret_digest);
}

static void sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                   uint8_t ret_digest[32])
{
    const struct dht_crypto *shared = &((const struct daemon_node *)ctx)->shared.crypto;
    shared->sha256(shared->ctx, parts, part_count, ret_digest);
}

static bool verify(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                   struct dht_span msg)
{
    struct daemon_node *node = ctx;
    const struct dht_crypto *shared = &node->shared.crypto;
    bool good = shared->verify(shared->ctx, key, sig, msg);
    daemon_record_verified(&node->record, key, sig, msg, good);
    return good;
}

// ---- opening ----

static bool open_secrets(struct daemon_node *node, const struct daemon_node_options *options,
                         struct daemon_error *ret_error)
{
    struct daemon_secrets_options secrets = {
        .dir = options->keys_dir,
        .key_max = options->config.keys_max,
        .state_dir = options->state_dir,
        .wall_offset_us = daemon_loop_wall_shift_us(node->shared.loop),
        .lazy = options->keys_lazy,
    };
    struct daemon_secrets_calls calls = {.ctx = node,
                                         .added = on_key_added,
                                         .removed = on_key_removed,
                                         .answered = on_key_answered,
                                         .reloaded = on_keys_reloaded};
    node->secrets = daemon_secrets_open(node->shared.worker, &secrets, &calls, ret_error);
    return node->secrets != NULL;
}

static bool open_brain(struct daemon_node *node, const struct daemon_node_options *options,
                       struct daemon_error *ret_error)
{
    struct dht_crypto crypto = {
        .ctx = node, .sha1 = sha1, .sha256 = sha256, .verify = verify, .sign = sign};
    node->wall_told_us = daemon_loop_now_us(node->shared.loop);
    struct daemon_record_birth birth = {.path = options->record_path,
                                        .config = &options->config,
                                        .crypto = &crypto,
                                        .seed = options->seed,
                                        .now_us = node->wall_told_us,
                                        .wall_us = daemon_loop_wall_us(node->shared.loop)};
    return daemon_record_open(&node->record, &birth, ret_error);
}

// Adds the cloud and opens its sockets; those that can be where not all can.
static bool open_cloud(struct daemon_node *node, const struct daemon_node_cloud *options,
                       struct daemon_error *ret_error)
{
    struct daemon_node_cloud *named = malloc(sizeof *named);
    bool ok = named != NULL && node->cloud_count < NODE_CLOUDS_MAX;
    if (ok) {
        *named = *options;
        if (named->config.name[0] == '\0')
            node_cloud_config_init(&named->config, NODE_CLOUD_GLOBAL);
        node->clouds[node->cloud_count] = daemon_cloud_open(node, named, ret_error);
        ok = node->clouds[node->cloud_count] != NULL;
    } else {
        daemon_error_set(ret_error, "no place for another cloud");
    }
    node->cloud_count += ok;
    for (size_t i = 0; i < options->engine_count && node->cloud_count > 0; i++)
        ok = ok && daemon_cloud_open_engine(node->clouds[node->cloud_count - 1],
                                            &options->engines[i], ret_error);
    free(named);
    return ok;
}

static bool open_state(struct daemon_node *node, const char *dir, struct daemon_error *ret_error)
{
    if (dir == NULL)
        return true;
    node->state = daemon_state_open(&(struct daemon_state_options){.dir = dir}, ret_error);
    if (node->state == NULL)
        return false;
    node->state_event = event_new(daemon_loop_base(node->shared.loop), daemon_state_fd(node->state),
                                  EV_READ | EV_PERSIST, on_state, node);
    if (node->state_event == NULL || event_add(node->state_event, NULL) != 0) {
        daemon_error_set(ret_error, "no memory for the state");
        return false;
    }
    return daemon_restore(node->state, &node->record, NULL, ret_error);
}

static bool open_parts(struct daemon_node *node, const struct daemon_node_options *options,
                       struct daemon_error *ret_error)
{
    // State before keys: it holds the lock of the directory that the keys usually lie in.
    return open_brain(node, options, ret_error) && open_cloud(node, &options->cloud, ret_error) &&
           open_state(node, options->state_dir, ret_error) &&
           open_secrets(node, options, ret_error);
}

struct daemon_node *daemon_node_open(const struct daemon_node_shared *shared,
                                     const struct daemon_node_options *options,
                                     struct daemon_error *ret_error)
{
    struct daemon_node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        daemon_error_set(ret_error, "no memory for a node");
        return NULL;
    }
    node->shared = *shared;
    node->index = options->config.node_index;
    node->alarm = (struct daemon_loop_alarm){.ring = on_alarm, .ctx = node};
    if (!open_parts(node, options, ret_error)) {
        daemon_node_close(node);
        return NULL;
    }
    return node;
}

void daemon_node_start(struct daemon_node *node)
{
    daemon_secrets_tell(node->secrets);
    daemon_record_start(&node->record, daemon_node_enter(node));
    node->is_started = true;
    daemon_node_settle(node);
    for (size_t i = 0; i < node->cloud_count; i++)
        daemon_bootstrap_start(node->clouds[i]->bootstrap, &node->clouds[i]->hosts);
}

void daemon_node_stop(struct daemon_node *node)
{
    daemon_record_stop(&node->record, daemon_loop_now_us(node->shared.loop));
    daemon_node_settle(node);
}

void daemon_node_close(struct daemon_node *node)
{
    if (node == NULL)
        return;
    daemon_loop_set(node->shared.loop, &node->alarm, INT64_MAX);
    for (size_t i = 0; i < node->cloud_count; i++)
        daemon_cloud_close(node->clouds[i], false);
    daemon_record_close(&node->record);
    if (node->state_event != NULL)
        event_free(node->state_event);
    if (node->state != NULL)
        daemon_state_close(node->state);
    daemon_secrets_close(node->secrets);
    free(node->written);
    free(node);
}

// ---- looking in ----

struct node *daemon_node_brain(struct daemon_node *node)
{
    return node->record.brain;
}

struct daemon_record *daemon_node_record(struct daemon_node *node)
{
    return &node->record;
}

struct daemon_state *daemon_node_state(struct daemon_node *node)
{
    return node->state;
}

uint32_t daemon_node_index(const struct daemon_node *node)
{
    return node->index;
}

struct daemon_loop *daemon_node_loop(struct daemon_node *node)
{
    return node->shared.loop;
}

// The engine at a place; NULL past the last.
static struct daemon_cloud_engine *engine_at(const struct daemon_node *node, size_t place)
{
    for (size_t i = 0; i < node->cloud_count; i++) {
        for (int j = 0; j < NODE_ENGINES_MAX; j++) {
            if (node->clouds[i]->engines[j].udp != NULL && place-- == 0)
                return &node->clouds[i]->engines[j];
        }
    }
    return NULL;
}

size_t daemon_node_engine_count(const struct daemon_node *node)
{
    size_t count = 0;
    while (engine_at(node, count) != NULL)
        count++;
    return count;
}

const char *daemon_node_engine_cloud(const struct daemon_node *node, size_t engine)
{
    return engine_at(node, engine)->cloud->config.name;
}

struct dht_addr daemon_node_addr(const struct daemon_node *node, size_t engine)
{
    return engine_at(node, engine)->addr;
}

bool daemon_node_is_alone(struct daemon_node *node, size_t place)
{
    const struct daemon_cloud_engine *engine = engine_at(node, place);
    struct dht_info info;
    dht_info(node_engine(node->record.brain, engine->number), &info);
    return info.contacts == 0 && !engine->has_bootstrap;
}

bool daemon_node_is_joined(struct daemon_node *node)
{
    for (size_t i = 0; i < node->cloud_count; i++) {
        if (daemon_cloud_is_joined(node->clouds[i]))
            return true;
    }
    return false;
}

void daemon_node_reload_keys(struct daemon_node *node)
{
    daemon_secrets_reload(node->secrets);
}

// ---- clouds ----

static struct daemon_cloud *cloud_named(const struct daemon_node *node, const char *name)
{
    for (size_t i = 0; i < node->cloud_count; i++) {
        if (strcmp(node->clouds[i]->config.name, name) == 0)
            return node->clouds[i];
    }
    return NULL;
}

bool daemon_node_has_cloud(const struct daemon_node *node, const char *cloud)
{
    return cloud_named(node, cloud) != NULL;
}

const char *daemon_node_cloud_at(const struct daemon_node *node, size_t place)
{
    return place < node->cloud_count ? node->clouds[place]->config.name : NULL;
}

bool daemon_node_add_cloud(struct daemon_node *node, const struct daemon_node_cloud *options,
                           struct daemon_error *ret_error)
{
    bool ok = open_cloud(node, options, ret_error);
    struct daemon_cloud *cloud = cloud_named(node, options->config.name);
    struct daemon_error ignored;
    if (cloud == NULL)
        return false;
    // Without what an earlier run knew it only takes longer.
    if (node->state != NULL)
        (void)daemon_restore(node->state, &node->record, cloud->config.name, &ignored);
    if (node->is_started)
        daemon_bootstrap_start(cloud->bootstrap, &cloud->hosts);
    daemon_node_settle(node);
    return ok;
}

void daemon_node_remove_cloud(struct daemon_node *node, const char *name)
{
    for (size_t i = 0; i < node->cloud_count; i++) {
        if (strcmp(node->clouds[i]->config.name, name) != 0)
            continue;
        daemon_cloud_close(node->clouds[i], true);
        node->cloud_count--;
        memmove(&node->clouds[i], &node->clouds[i + 1],
                (node->cloud_count - i) * sizeof(struct daemon_cloud *));
        daemon_node_settle(node);
        return;
    }
}

void daemon_node_set_bootstrap(struct daemon_node *node, const char *name,
                               const struct daemon_config_hosts *hosts)
{
    struct daemon_cloud *cloud = cloud_named(node, name);
    if (cloud != NULL)
        daemon_bootstrap_start(cloud->bootstrap, hosts);
}

bool daemon_node_open_engine(struct daemon_node *node, const char *name,
                             const struct daemon_node_engine *options,
                             struct daemon_error *ret_error)
{
    struct daemon_cloud *cloud = cloud_named(node, name);
    struct daemon_error ignored;
    bool ok = cloud != NULL && daemon_cloud_open_engine(cloud, options, ret_error);
    if (ok && node->state != NULL)
        (void)daemon_restore(node->state, &node->record, cloud->config.name, &ignored);
    daemon_node_settle(node);
    return ok;
}

void daemon_node_close_engine(struct daemon_node *node, const char *name, enum dht_family family)
{
    struct daemon_cloud *cloud = cloud_named(node, name);
    if (cloud != NULL)
        daemon_cloud_close_engine(cloud, family);
}

uint32_t daemon_node_cloud_scope_id(const struct daemon_node *node, const char *name)
{
    const struct daemon_cloud *cloud = cloud_named(node, name);
    return cloud != NULL ? cloud->config.scope_id : 0;
}

struct dht_addr daemon_node_cloud_addr(const struct daemon_node *node, const char *name,
                                       enum dht_family family)
{
    struct daemon_cloud *cloud = cloud_named(node, name);
    const struct daemon_cloud_engine *engine =
        cloud != NULL ? daemon_cloud_engine(cloud, family) : NULL;
    return engine != NULL ? engine->addr : (struct dht_addr){0};
}
