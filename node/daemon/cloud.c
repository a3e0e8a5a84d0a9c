// SPDX-License-Identifier: MIT
#include "node/daemon/cloud.h"

#include "node/daemon/log.h"
#include "node/daemon/record.h"

#include <stdlib.h>

#define BATCHES_PER_TURN 4 // of a socket, so that the others have their turn too

static struct daemon_loop *loop_of(const struct daemon_cloud *cloud)
{
    return daemon_node_loop(cloud->node);
}

// ---- datagrams out ----

static void send_waiting(struct daemon_cloud_engine *engine)
{
    if (engine->waiting_count > 0)
        daemon_udp_send(engine->udp, engine->waiting, engine->waiting_count);
    engine->waiting_count = 0;
}

void daemon_cloud_take(struct daemon_cloud_engine *engine, const struct dht_datagram *datagram)
{
    engine->waiting[engine->waiting_count++] = *datagram;
    if (engine->waiting_count == DAEMON_UDP_BATCH)
        send_waiting(engine);
}

void daemon_cloud_send(struct daemon_cloud *cloud)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        send_waiting(&cloud->engines[i]);
}

// ---- datagrams in ----

static void on_datagrams(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_cloud_engine *engine = ctx;
    struct daemon_node *node = engine->cloud->node;
    struct daemon_record *record = daemon_node_record(node);
    const struct dht_datagram *datagrams;
    struct dht_addr unreachable[16];
    size_t count = DAEMON_UDP_BATCH;
    (void)fd;
    (void)what;
    for (int i = 0; i < BATCHES_PER_TURN && count == DAEMON_UDP_BATCH; i++) {
        count = daemon_udp_receive(engine->udp, &datagrams);
        if (count == 0)
            break;
        daemon_record_receive(record, daemon_node_enter(node), engine->number, datagrams, count);
        daemon_node_settle(node);
    }
    while ((count = daemon_udp_unreachable(engine->udp, unreachable, 16)) > 0) {
        for (size_t i = 0; i < count; i++) {
            daemon_record_unreachable(record, daemon_node_enter(node), engine->number,
                                      &unreachable[i]);
        }
        daemon_node_settle(node);
    }
}

static void on_multicast(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_cloud_engine *engine = ctx;
    struct daemon_node *node = engine->cloud->node;
    const struct dht_datagram *datagrams;
    (void)fd;
    (void)what;
    // One batch a turn: a neighbour who floods us waits in the system's buffer, and is dropped.
    size_t count = daemon_multicast_receive(engine->multicast, &datagrams);
    if (count == 0)
        return;
    daemon_record_heard(daemon_node_record(node), daemon_node_enter(node), engine->number,
                        datagrams, count);
    daemon_node_settle(node);
}

// ---- sockets ----

struct daemon_cloud_engine *daemon_cloud_engine(struct daemon_cloud *cloud, enum dht_family family)
{
    uint8_t ip_len = family == DHT_IPV4 ? 4 : 16;
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        if (cloud->engines[i].udp != NULL && cloud->engines[i].addr.ip_len == ip_len)
            return &cloud->engines[i];
    }
    return NULL;
}

// Closes what there is of an engine that the brain does not have, or not any more.
static void close_sockets(struct daemon_cloud_engine *engine)
{
    if (engine->event != NULL)
        event_free(engine->event);
    if (engine->multicast_event != NULL)
        event_free(engine->multicast_event);
    daemon_udp_close(engine->udp);
    daemon_multicast_close(engine->multicast);
    *engine = (struct daemon_cloud_engine){.cloud = engine->cloud, .number = -1};
}

static struct event *listen_at(struct daemon_cloud_engine *engine, int fd, event_callback_fn fn)
{
    struct event *event =
        event_new(daemon_loop_base(loop_of(engine->cloud)), fd, EV_READ | EV_PERSIST, fn, engine);
    if (event != NULL && event_add(event, NULL) != 0) {
        event_free(event);
        event = NULL;
    }
    return event;
}

// Binds the socket first, since the engine is told its address.
static bool open_sockets(struct daemon_cloud_engine *engine,
                         const struct daemon_node_engine *options, struct daemon_error *ret_error)
{
    struct daemon_udp_info info;
    const struct daemon_udp_link *link = options->link.index != 0 ? &options->link : NULL;
    engine->udp =
        daemon_udp_open(&options->config.addr, link, options->socket_buffer_bytes, ret_error);
    if (engine->udp == NULL)
        return false;
    daemon_udp_info(engine->udp, &info);
    engine->addr = info.addr;
    if (link != NULL) {
        engine->multicast = daemon_multicast_open(options->config.family, link, ret_error);
        if (engine->multicast == NULL)
            return false;
        engine->multicast_event =
            listen_at(engine, daemon_multicast_fd(engine->multicast), on_multicast);
    }
    engine->event = listen_at(engine, daemon_udp_fd(engine->udp), on_datagrams);
    bool ok = engine->event != NULL && (link == NULL || engine->multicast_event != NULL);
    if (!ok)
        daemon_error_set(ret_error, "no memory for a socket's events");
    return ok;
}

bool daemon_cloud_open_engine(struct daemon_cloud *cloud, const struct daemon_node_engine *options,
                              struct daemon_error *ret_error)
{
    struct daemon_cloud_engine *engine = &cloud->engines[cloud->engines[0].udp == NULL ? 0 : 1];
    struct dht_config config = options->config;
    if (engine->udp != NULL) {
        daemon_error_set(ret_error, "a cloud has at most one address of each family");
        return false;
    }
    if (!open_sockets(engine, options, ret_error)) {
        close_sockets(engine);
        return false;
    }
    config.addr = engine->addr;
    engine->number =
        daemon_record_add_engine(daemon_node_record(cloud->node),
                                 daemon_loop_now_us(loop_of(cloud)), cloud->number, &config);
    if (engine->number < 0) {
        daemon_error_set(ret_error, "cannot make the engine of a cloud: no memory, or limits that "
                                    "make no sense");
        close_sockets(engine);
        return false;
    }
    return true;
}

void daemon_cloud_close_engine(struct daemon_cloud *cloud, enum dht_family family)
{
    struct daemon_cloud_engine *engine = daemon_cloud_engine(cloud, family);
    if (engine == NULL)
        return;
    daemon_record_remove_engine(daemon_node_record(cloud->node), daemon_node_enter(cloud->node),
                                engine->number);
    close_sockets(engine);
    daemon_node_settle(cloud->node);
}

// ---- joining ----

void daemon_cloud_bootstrap(struct daemon_cloud *cloud, const struct dht_addr *addrs, size_t count)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct daemon_cloud_engine *engine = &cloud->engines[i];
        struct dht_addr own[DAEMON_BOOTSTRAP_ADDRS_MAX];
        size_t own_count = 0;
        for (size_t j = 0; j < count && own_count < DAEMON_BOOTSTRAP_ADDRS_MAX; j++) {
            if (engine->udp != NULL && addrs[j].ip_len == engine->addr.ip_len)
                own[own_count++] = addrs[j];
        }
        engine->has_bootstrap |= own_count > 0;
        if (own_count > 0)
            daemon_record_bootstrap(daemon_node_record(cloud->node), daemon_node_enter(cloud->node),
                                    engine->number, own, own_count);
    }
    daemon_node_settle(cloud->node);
}

static void on_bootstrap(void *ctx, const struct dht_addr *addrs, size_t count)
{
    daemon_cloud_bootstrap(ctx, addrs, count);
}

bool daemon_cloud_is_joined(struct daemon_cloud *cloud)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht_info info;
        if (cloud->engines[i].number < 0)
            continue;
        dht_info(node_engine(daemon_node_brain(cloud->node), cloud->engines[i].number), &info);
        if (info.joined)
            return true;
    }
    return false;
}

static bool on_joined(void *ctx)
{
    return daemon_cloud_is_joined(ctx);
}

// ---- life ----

struct daemon_cloud *daemon_cloud_open(struct daemon_node *node,
                                       const struct daemon_node_cloud *options,
                                       struct daemon_error *ret_error)
{
    struct daemon_cloud *cloud = calloc(1, sizeof *cloud);
    if (cloud != NULL) {
        struct daemon_bootstrap_calls calls = {
            .ctx = cloud, .found = on_bootstrap, .joined = on_joined};
        cloud->node = node;
        cloud->config = options->config;
        cloud->hosts = options->bootstrap;
        for (int i = 0; i < NODE_ENGINES_MAX; i++)
            cloud->engines[i] = (struct daemon_cloud_engine){.cloud = cloud, .number = -1};
        cloud->number = -1;
        cloud->bootstrap = daemon_bootstrap_new(loop_of(cloud), &calls);
    }
    if (cloud != NULL && cloud->bootstrap != NULL)
        cloud->number = daemon_record_add_cloud(daemon_node_record(node),
                                                daemon_loop_now_us(loop_of(cloud)), &cloud->config);
    if (cloud != NULL && cloud->number >= 0)
        return cloud;
    daemon_error_set(ret_error, "no place for the cloud %s: no memory, or too many clouds",
                     options->config.name);
    if (cloud != NULL)
        daemon_cloud_close(cloud, false);
    return NULL;
}

void daemon_cloud_close(struct daemon_cloud *cloud, bool remove)
{
    daemon_bootstrap_free(cloud->bootstrap);
    if (remove)
        daemon_record_remove_cloud(daemon_node_record(cloud->node), daemon_node_enter(cloud->node),
                                   cloud->number);
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        close_sockets(&cloud->engines[i]);
    free(cloud);
}
