// SPDX-License-Identifier: MIT
#include "node/daemon/daemon.h"

#include "dht/addr.h"
#include "node/daemon/log.h"
#include "node/daemon/notify.h"
#include "node/daemon/process.h"
#include "node/daemon/record.h"
#include "node/daemon/udp.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DESCRIPTORS      4096 // clients, sockets, state
#define NETWORK_EVERY_US INT64_C(30000000)
#define ALONE_AFTER_US   INT64_C(30000000)
#define PATH_BYTES       (DAEMON_CONFIG_TEXT_MAX + 64)
#define RECORD_PATH_MAX  4096

struct daemon {
    struct daemon_process process;
    const struct daemon_options *options;
    struct daemon_config config;
    struct daemon_notify notify;
    struct daemon_loop_alarm watchdog;
    struct daemon_loop_alarm network;
    struct daemon_loop_alarm alone; // once, some time after the start
    struct dht_addr outgoing[2];    // of IPv4 and IPv6; ip_len 0: none
};

// ---- nodes ----

// Makes the folders that path lies in, for their owner alone. What cannot be made shows later.
static void make_parents(const char *path)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(folder, 0700);
        *slash = '/';
    }
}

// The engine of one address to listen at. False where the address stands for none.
static bool fill_engine(const struct daemon *daemon, const struct daemon_config_cloud *cloud,
                        const struct dht_addr *listen, struct daemon_node_engine *ret_engine)
{
    static const uint8_t any[16];
    enum dht_family family = listen->ip_len == 4 ? DHT_IPV4 : DHT_IPV6;
    struct daemon_node_engine engine = {.socket_buffer_bytes = (size_t)cloud->socket_buffer_bytes};
    dht_config_init(&engine.config, family);
    daemon_config_cloud_apply(cloud, &engine.config);
    engine.config.unlimited = daemon->options->unlimited;
    engine.config.addr = *listen;
    // An IPv6 node has to answer from the address that it was asked at (BEP 32).
    if (family == DHT_IPV6 && memcmp(listen->ip, any, 16) == 0) {
        if (!daemon_udp_outgoing(family, &engine.config.addr)) {
            daemon_log(DAEMON_LOG_INFO, "no IPv6 here: the cloud does without cloud=%s",
                       cloud->name);
            return false;
        }
        engine.config.addr.port = listen->port;
    }
    *ret_engine = engine;
    return true;
}

static void fill_node_config(const struct daemon *daemon, uint32_t index,
                             struct node_config *ret_config)
{
    node_config_init(ret_config);
    daemon_config_node_apply(&daemon->config, ret_config);
    snprintf(ret_config->version, sizeof ret_config->version, "%s", PNR_VERSION);
    ret_config->node_index = index;
    ret_config->node_count = daemon->process.node_count;
}

// The recording of a cloud's node: "" for none. Each node has a file of its own. False where the
// path is too long.
static bool record_file_path(const struct daemon *daemon, const struct daemon_config_cloud *cloud,
                             uint32_t index, char ret_path[RECORD_PATH_MAX])
{
    const char *path = daemon->options->record_path;
    ret_path[0] = '\0';
    if (path == NULL)
        return true;
    int len = snprintf(ret_path, RECORD_PATH_MAX, index == 0 ? "%s" : "%s.%s", path, cloud->name);
    return len > 0 && len < RECORD_PATH_MAX;
}

static bool open_node(struct daemon *daemon, const struct daemon_config_cloud *cloud,
                      uint32_t index, struct daemon_error *ret_error)
{
    char state_dir[PATH_BYTES];
    char keys_dir[PATH_BYTES];
    char record_path[RECORD_PATH_MAX];
    const char *base = daemon->config.state_dir.text;
    struct daemon_node_options *options = calloc(1, sizeof *options);
    if (options == NULL) {
        daemon_error_set(ret_error, "no memory for a node");
        return false;
    }
    // The first cloud has the directory to itself; those after it have a folder in it each.
    snprintf(state_dir, sizeof state_dir, index == 0 ? "%s" : "%s/cloud-%s", base, cloud->name);
    snprintf(keys_dir, sizeof keys_dir, "%s/keys", base);
    if (!record_file_path(daemon, cloud, index, record_path)) {
        daemon_error_set(ret_error, "the path of the recording is too long");
        free(options);
        return false;
    }
    options->record_path = record_path[0] == '\0' ? NULL : record_path;
    options->state_dir = state_dir;
    options->cloud = cloud->name;
    options->keys_dir =
        daemon->config.keys_dir.text[0] != '\0' ? daemon->config.keys_dir.text : keys_dir;
    daemon_config_cloud_hosts(cloud, &options->bootstrap);
    make_parents(state_dir);
    fill_node_config(daemon, index, &options->config);
    for (size_t i = 0; i < cloud->listen.count; i++)
        options->engine_count += fill_engine(daemon, cloud, &cloud->listen.list[i],
                                             &options->engines[options->engine_count]);
    bool ok = options->engine_count > 0;
    if (!ok)
        daemon_error_set(ret_error, "the cloud %s has no address to listen at", cloud->name);
    ok = ok && daemon_process_seed(&daemon->process, daemon->options, (uint32_t[2]){index, 0},
                                   options->seed);
    if (ok)
        daemon->process.nodes[index] =
            daemon_node_open(&daemon->process.shared, options, ret_error);
    OPENSSL_cleanse(options->seed, sizeof options->seed);
    free(options);
    return daemon->process.nodes[index] != NULL;
}

static uint32_t enabled_clouds(const struct daemon_config *config)
{
    uint32_t count = 0;
    for (size_t i = 0; i < config->cloud_count; i++)
        count += config->clouds[i].enabled != 0;
    return count;
}

static bool open_nodes(struct daemon *daemon, struct daemon_error *ret_error)
{
    uint32_t index = 0;
    for (size_t i = 0; i < daemon->config.cloud_count; i++) {
        const struct daemon_config_cloud *cloud = &daemon->config.clouds[i];
        if (cloud->enabled && !open_node(daemon, cloud, index++, ret_error))
            return false;
    }
    return true;
}

// The cloud that node index is of.
static const struct daemon_config_cloud *cloud_of(const struct daemon *daemon, uint32_t index)
{
    const struct daemon_config_cloud *cloud = daemon->config.clouds;
    while (!cloud->enabled || index-- > 0)
        cloud++;
    return cloud;
}

static void start_nodes(struct daemon *daemon)
{
    for (uint32_t i = 0; i < daemon->process.node_count; i++) {
        struct daemon_node *node = daemon->process.nodes[i];
        bool is_lab = daemon_config_cloud_is_lab(cloud_of(daemon, i));
        for (size_t j = 0; j < daemon_node_engine_count(node); j++) {
            char text[DHT_ADDR_TEXT_MAX];
            struct dht_addr addr = daemon_node_addr(node, j);
            dht_addr_to_text(&addr, text);
            daemon_log(DAEMON_LOG_INFO, "listening addr=%s node=%u lab=%s", text, i,
                       is_lab ? "yes" : "no");
        }
        daemon_node_start(node);
    }
}

// ---- while it runs ----

static void on_watchdog(struct daemon_loop_alarm *alarm)
{
    struct daemon *daemon = alarm->ctx;
    daemon_notify_watchdog(&daemon->notify);
    daemon_loop_set(daemon->process.loop, alarm,
                    daemon_loop_now_us(daemon->process.loop) + daemon->notify.watchdog_us);
}

// Sees whether the machine has another address towards the internet than before. To have lost it is
// no news: there is nobody to be told.
static bool network_has_changed(struct daemon *daemon)
{
    bool changed = false;
    for (int i = 0; i < 2; i++) {
        struct dht_addr now;
        struct dht_addr *before = &daemon->outgoing[i];
        if (!daemon_udp_outgoing(i == 0 ? DHT_IPV4 : DHT_IPV6, &now))
            continue;
        bool differs = before->ip_len != 0 && !dht_addr_equal_ip(&now, before);
        // The IPv6 socket is bound to the one address that it answers from.
        if (differs && i == 1)
            daemon_log(DAEMON_LOG_WARN, "the IPv6 address has changed; remedy: restart pnrd, so "
                                        "that it listens at the new one");
        changed |= differs;
        *before = now;
    }
    return changed;
}

static void on_network(struct daemon_loop_alarm *alarm)
{
    struct daemon *daemon = alarm->ctx;
    if (network_has_changed(daemon)) {
        daemon_log(DAEMON_LOG_INFO, "this machine's address has changed");
        for (uint32_t i = 0; i < daemon->process.node_count; i++) {
            struct daemon_node *node = daemon->process.nodes[i];
            daemon_record_network_changed(daemon_node_record(node), daemon_node_enter(node));
            daemon_node_settle(node);
        }
    }
    daemon_loop_set(daemon->process.loop, alarm,
                    daemon_loop_now_us(daemon->process.loop) + NETWORK_EVERY_US);
}

// Says which families of a cloud have nobody to ask: they would wait for others without a word.
static void on_alone(struct daemon_loop_alarm *alarm)
{
    struct daemon *daemon = alarm->ctx;
    for (uint32_t i = 0; i < daemon->process.node_count; i++) {
        struct daemon_node *node = daemon->process.nodes[i];
        for (size_t j = 0; j < daemon_node_engine_count(node); j++) {
            const char *family = daemon_node_addr(node, j).ip_len == 4 ? "IPv4" : "IPv6";
            if (daemon_node_is_alone(node, j))
                daemon_log(DAEMON_LOG_WARN,
                           "nobody is known, and no bootstrap host of %s; until others ask it, "
                           "names are neither found nor published there; remedy: a host of %s in "
                           "bootstrap (or --bootstrap), or listen without %s cloud=%s",
                           family, family, family, cloud_of(daemon, i)->name);
        }
    }
}

static void report(void *ctx, const char *text)
{
    (void)ctx;
    daemon_log(DAEMON_LOG_ERROR, "%s", text);
}

static void report_changed(void *ctx, const char *name)
{
    (void)ctx;
    daemon_log(DAEMON_LOG_INFO, "configuration changed key=\"%s\"", name);
}

static void report_needs_restart(void *ctx, const char *name)
{
    (void)ctx;
    daemon_log(DAEMON_LOG_WARN, "configuration not changed before a restart key=\"%s\"", name);
}

static bool hosts_equal(const struct daemon_config_hosts *a, const struct daemon_config_hosts *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = a->list[i].port == b->list[i].port && strcmp(a->list[i].host, b->list[i].host) == 0;
    return equal;
}

// Hands what changed to those whom it concerns. before: as it was.
static void put_in_force(struct daemon *daemon, const struct daemon_config *before)
{
    uint32_t index = 0;
    daemon_log_set_level((enum daemon_log_level)daemon->config.log_level);
    daemon_session_set_clients_max(daemon->process.sessions, (uint32_t)daemon->config.clients_max);
    for (size_t i = 0; i < daemon->config.cloud_count; i++) {
        const struct daemon_config_cloud *cloud = &daemon->config.clouds[i];
        if (!cloud->enabled)
            continue;
        struct daemon_node *node = daemon->process.nodes[index++];
        struct daemon_config_hosts hosts;
        daemon_config_cloud_hosts(cloud, &hosts);
        if (!hosts_equal(&cloud->bootstrap, &before->clouds[i].bootstrap))
            daemon_node_set_bootstrap(node, &hosts);
        daemon_record_set_publishing(daemon_node_record(node),
                                     (uint32_t)(daemon->config.publish_ttl_us / 1000000),
                                     daemon->config.publish_renew_us);
        daemon_node_reload_keys(node);
    }
}

// The file is read in the loop: it is small, and this is rare and asked for by hand.
static void on_reload(void *ctx)
{
    struct daemon *daemon = ctx;
    struct daemon_config *fresh = malloc(2 * sizeof *fresh);
    struct daemon_error why;
    daemon_notify_reloading(&daemon->notify);
    if (fresh == NULL) {
        daemon_log(DAEMON_LOG_ERROR, "no memory to read the configuration again");
    } else if (!daemon_options_config(daemon->options, report, NULL, fresh, &why)) {
        daemon_log(DAEMON_LOG_ERROR, "configuration not read again: %s", why.text);
    } else {
        struct daemon_config *before = fresh + 1;
        *before = daemon->config;
        daemon_config_reload(&daemon->config, fresh, report_changed, report_needs_restart, NULL);
        put_in_force(daemon, before);
        daemon_log(DAEMON_LOG_INFO, "configuration read again");
    }
    free(fresh);
    daemon_notify_ready(&daemon->notify);
}

// ---- life ----

static bool open_all(struct daemon *daemon, struct daemon_error *ret_error)
{
    struct control_address controls[DAEMON_OPTIONS_CONTROLS_MAX];
    struct daemon_process_options process = {
        .node_count = enabled_clouds(&daemon->config),
        .clients_max = (uint32_t)daemon->config.clients_max,
        .wall_offset_us = daemon->options->wall_offset_us,
    };
    struct daemon_error ignored;
    (void)daemon_process_raise_descriptors(DESCRIPTORS, &ignored); // fewer do for most
    if (process.node_count == 0) {
        daemon_error_set(ret_error, "no cloud is enabled");
        return false;
    }
    if (!daemon_process_open(&daemon->process, &process, ret_error) ||
        !open_nodes(daemon, ret_error))
        return false;
    size_t count = daemon_options_controls(daemon->options, &daemon->config, controls);
    return daemon_process_listen(&daemon->process, controls, count,
                                 daemon->config.control_group.text, ret_error);
}

static void run(struct daemon *daemon)
{
    struct daemon_loop *loop = daemon->process.loop;
    daemon->process.reload = on_reload;
    daemon->process.ctx = daemon;
    daemon->watchdog = (struct daemon_loop_alarm){.ring = on_watchdog, .ctx = daemon};
    daemon->network = (struct daemon_loop_alarm){.ring = on_network, .ctx = daemon};
    daemon->alone = (struct daemon_loop_alarm){.ring = on_alone, .ctx = daemon};
    if (daemon->notify.watchdog_us > 0)
        daemon_loop_set(loop, &daemon->watchdog, daemon_loop_now_us(loop));
    daemon_loop_set(loop, &daemon->network, daemon_loop_now_us(loop));
    daemon_loop_set(loop, &daemon->alone, daemon_loop_now_us(loop) + ALONE_AFTER_US);
    start_nodes(daemon);
    daemon_notify_ready(&daemon->notify);
    daemon_log(DAEMON_LOG_INFO, "ready version=%s", PNR_VERSION);
    daemon_loop_run(loop);
    daemon_notify_stopping(&daemon->notify);
    daemon_loop_set(loop, &daemon->watchdog, INT64_MAX);
    daemon_loop_set(loop, &daemon->network, INT64_MAX);
    daemon_loop_set(loop, &daemon->alone, INT64_MAX);
}

enum daemon_exit daemon_run(const struct daemon_options *options,
                            const struct daemon_config *config)
{
    struct daemon_error why;
    struct daemon *daemon = calloc(1, sizeof *daemon);
    if (daemon == NULL) {
        daemon_log(DAEMON_LOG_ERROR, "no memory for the daemon");
        return DAEMON_EXIT_FAILED;
    }
    daemon->options = options;
    daemon->config = *config;
    daemon_log_set_level((enum daemon_log_level)config->log_level);
    if (!daemon_notify_open(&daemon->notify, &why))
        daemon_log(DAEMON_LOG_WARN, "%s", why.text);
    bool ok = open_all(daemon, &why);
    if (ok)
        run(daemon);
    else
        daemon_log(DAEMON_LOG_ERROR, "%s", why.text);
    if (daemon->process.loop != NULL)
        daemon_process_close(&daemon->process);
    daemon_notify_close(&daemon->notify);
    free(daemon);
    return ok ? DAEMON_EXIT_CLEAN : DAEMON_EXIT_FAILED;
}
