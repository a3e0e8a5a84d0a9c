// SPDX-License-Identifier: MIT
#include "node/daemon/daemon.h"

#include "dht/addr.h"
#include "node/daemon/clouds.h"
#include "node/daemon/file.h"
#include "node/daemon/links.h"
#include "node/daemon/log.h"
#include "node/daemon/notify.h"
#include "node/daemon/paths.h"
#include "node/daemon/process.h"
#include "node/daemon/record.h"
#include "node/daemon/state_dir.h"
#include "node/daemon/udp.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTORS      4096 // clients, sockets, state
#define NETWORK_EVERY_US INT64_C(30000000)
#define NETWORK_SOON_US  INT64_C(2000000) // routes follow their interface
#define ALONE_AFTER_US   INT64_C(30000000)
#define WAKES_APART_US   INT64_C(10000000) // what comes sooner is word of the same one
#define PATH_BYTES       (DAEMON_CONFIG_TEXT_MAX + 64)

struct daemon {
    struct daemon_process process;
    const struct daemon_options *options;
    struct daemon_config config;
    struct daemon_clouds clouds;
    struct daemon_notify notify;
    struct daemon_loop_alarm watchdog;
    struct daemon_loop_alarm network;
    struct daemon_loop_alarm alone; // once, some time after the start
    struct daemon_links *links;     // NULL: no word of changes
    struct dht_addr outgoing[2];    // of IPv4 and IPv6, the last there was; ip_len 0: none yet
    bool is_away[2];                // there is none now
    int64_t woken_us;               // when the machine was last seen to wake; 0: never
};

// ---- nodes ----

// Makes the folders that path lies in, for their owner alone. What cannot be made shows later.
static void make_parents(const char *path)
{
    char folder[PATH_BYTES];
    snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = daemon_paths_next_slash(folder + 1); slash != NULL;
         slash = daemon_paths_next_slash(slash + 1)) {
        char was = *slash;
        *slash = '\0';
        (void)daemon_file_make_folder(folder, DAEMON_FILE_OWNER, NULL);
        *slash = was;
    }
}

static void fill_node_config(const struct daemon *daemon, struct node_config *ret_config)
{
    node_config_init(ret_config);
    daemon_config_node_apply(&daemon->config, ret_config);
    snprintf(ret_config->version, sizeof ret_config->version, "%s", PNR_VERSION);
}

static bool fill_options(struct daemon *daemon, struct daemon_node_options *options,
                         struct daemon_error *ret_error)
{
    fill_node_config(daemon, &options->config);
    options->record_path = daemon->options->record_path;
    return daemon_clouds_fill(&daemon->config.clouds[0], daemon->options->unlimited,
                              &options->cloud, ret_error) &&
           daemon_process_seed(&daemon->process, daemon->options, (uint32_t[2]){0, 0},
                               options->seed);
}

static bool open_node(struct daemon *daemon, struct daemon_error *ret_error)
{
    char keys_dir[PATH_BYTES];
    const char *base = daemon->config.state_dir.text;
    struct daemon_node_options *options = calloc(1, sizeof *options);
    if (options == NULL) {
        daemon_error_set(ret_error, "no memory for a node");
        return false;
    }
    snprintf(keys_dir, sizeof keys_dir, "%s/keys", base);
    options->state_dir = base;
    options->keys_dir =
        daemon->config.keys_dir.text[0] != '\0' ? daemon->config.keys_dir.text : keys_dir;
    make_parents(base);
    if (fill_options(daemon, options, ret_error))
        daemon->process.nodes[0] = daemon_node_open(&daemon->process.shared, options, ret_error);
    OPENSSL_cleanse(options->seed, sizeof options->seed);
    free(options);
    if (daemon->process.nodes[0] == NULL)
        return false;
    daemon_state_dir_warn(base);
    daemon->clouds = (struct daemon_clouds){.node = daemon->process.nodes[0],
                                            .config = &daemon->config,
                                            .unlimited = daemon->options->unlimited};
    return daemon_clouds_open(&daemon->clouds, ret_error);
}

static bool any_enabled(const struct daemon_config *config)
{
    bool any = false;
    for (size_t i = 0; i < config->cloud_count; i++)
        any = any || config->clouds[i].enabled;
    return any;
}

static void start_node(struct daemon *daemon)
{
    struct daemon_node *node = daemon->process.nodes[0];
    for (size_t i = 0; i < daemon_node_engine_count(node); i++) {
        char text[DHT_ADDR_TEXT_MAX];
        struct dht_addr addr = daemon_node_addr(node, i);
        const char *name = daemon_node_engine_cloud(node, i);
        const struct daemon_config_cloud *cloud = daemon_config_cloud_named(&daemon->config, name);
        dht_addr_to_text(&addr, text);
        if (cloud != NULL && cloud->scope != DAEMON_CONFIG_SCOPE_LINK)
            daemon_log(DAEMON_LOG_INFO, "listening addr=%s cloud=%s lab=%s", text, name,
                       daemon_config_cloud_is_lab(cloud) ? "yes" : "no");
    }
    daemon_node_start(node);
}

// ---- while it runs ----

static void on_watchdog(struct daemon_loop_alarm *alarm)
{
    struct daemon *daemon = alarm->ctx;
    daemon_notify_watchdog(&daemon->notify);
    daemon_loop_set(daemon->process.loop, alarm,
                    daemon_loop_now_us(daemon->process.loop) + daemon->notify.watchdog_us);
}

// Sees whether the machine has another address towards the internet than before, or has one again.
// To have lost it is no news: there is nobody to be told.
static bool network_has_changed(struct daemon *daemon)
{
    bool changed = false;
    for (int i = 0; i < 2; i++) {
        struct dht_addr now;
        struct dht_addr *before = &daemon->outgoing[i];
        bool was_away = daemon->is_away[i];
        daemon->is_away[i] = !daemon_udp_outgoing(i == 0 ? DHT_IPV4 : DHT_IPV6, &now);
        if (daemon->is_away[i] && !was_away && before->ip_len != 0)
            daemon_log(DAEMON_LOG_INFO, "there is no way to the internet any more family=%s",
                       i == 0 ? "IPv4" : "IPv6");
        if (daemon->is_away[i])
            continue;
        bool differs = before->ip_len != 0 && !dht_addr_equal_ip(&now, before);
        // The IPv6 socket is bound to the one address that it answers from.
        if (differs && i == 1)
            daemon_log(DAEMON_LOG_WARN, "the IPv6 address has changed; remedy: restart pnrd, so "
                                        "that it listens at the new one");
        changed |= differs || (was_away && before->ip_len != 0);
        *before = now;
    }
    return changed;
}

// Has all that is kept alive renewed now: other addresses, or those who knew us have given us up.
static void renew(struct daemon *daemon)
{
    struct daemon_node *node = daemon->process.nodes[0];
    daemon_record_network_changed(daemon_node_record(node), daemon_node_enter(node));
    daemon_node_settle(node);
}

// Looks at the network now, and again after pause_us.
static void look_at_network(struct daemon *daemon, int64_t pause_us)
{
    if (network_has_changed(daemon)) {
        daemon_log(DAEMON_LOG_INFO, "this machine's address has changed, or its network is back");
        renew(daemon);
    }
    daemon_loop_set(daemon->process.loop, &daemon->network,
                    daemon_loop_now_us(daemon->process.loop) + pause_us);
}

// The system says so, more than once, and the clock does. The network may come back a moment later,
// and is looked at again then.
static void on_resumed(void *ctx)
{
    struct daemon *daemon = ctx;
    struct daemon_loop *loop = daemon->process.loop;
    int64_t now_us = daemon_loop_now_us(loop);
    if (daemon->woken_us != 0 && now_us - daemon->woken_us < WAKES_APART_US)
        return;
    daemon->woken_us = now_us;
    daemon_log(DAEMON_LOG_INFO, "this machine was asleep");
    (void)network_has_changed(daemon);
    renew(daemon);
    daemon_loop_set(loop, &daemon->network, now_us + NETWORK_SOON_US);
}

static void on_network(struct daemon_loop_alarm *alarm)
{
    look_at_network(alarm->ctx, NETWORK_EVERY_US);
}

static void on_links(void *ctx)
{
    look_at_network(ctx, NETWORK_SOON_US);
}

// Says which families of a cloud have nobody to ask: they would wait for others without a word.
static void on_alone(struct daemon_loop_alarm *alarm)
{
    struct daemon *daemon = alarm->ctx;
    struct daemon_node *node = daemon->process.nodes[0];
    for (size_t i = 0; i < daemon_node_engine_count(node); i++) {
        const char *family = daemon_node_addr(node, i).ip_len == 4 ? "IPv4" : "IPv6";
        const char *name = daemon_node_engine_cloud(node, i);
        // A link's neighbours announce themselves.
        if (daemon_node_is_alone(node, i) && daemon_node_cloud_scope_id(node, name) == 0)
            daemon_log(DAEMON_LOG_WARN,
                       "nobody is known, and no bootstrap host of %s; until others ask it, "
                       "names are neither found nor published there; remedy: a host of %s in "
                       "bootstrap (or --bootstrap), or listen without %s cloud=%s",
                       family, family, family, name);
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

// Hands what changed to those whom it concerns. before: as it was.
static void put_in_force(struct daemon *daemon, const struct daemon_config *before)
{
    struct daemon_node *node = daemon->process.nodes[0];
    daemon_log_set_level((enum daemon_log_level)daemon->config.log_level);
    daemon_session_set_clients_max(daemon->process.sessions, (uint32_t)daemon->config.clients_max);
    daemon_record_set_publishing(daemon_node_record(node),
                                 (uint32_t)(daemon->config.publish_ttl_us / 1000000),
                                 daemon->config.publish_renew_us);
    daemon_node_reload_keys(node);
    daemon_clouds_follow(&daemon->clouds, before);
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
        .node_count = 1,
        .clients_max = (uint32_t)daemon->config.clients_max,
        .wall_offset_us = daemon->options->wall_offset_us,
    };
    struct daemon_error ignored;
    (void)daemon_process_raise_descriptors(DESCRIPTORS, &ignored); // fewer do for most
    if (!any_enabled(&daemon->config)) {
        daemon_error_set(ret_error, "no cloud is enabled");
        return false;
    }
    if (!daemon_process_open(&daemon->process, &process, ret_error))
        return false;
    daemon_notify_status(&daemon->notify, "reads its state");
    if (!open_node(daemon, ret_error))
        return false;
    daemon_notify_status(&daemon->notify, "begins to listen");
    size_t count = daemon_options_controls(daemon->options, &daemon->config, controls);
    return daemon_process_listen(&daemon->process, controls, count,
                                 daemon->config.control_group.text, ret_error);
}

static void run(struct daemon *daemon)
{
    struct daemon_loop *loop = daemon->process.loop;
    daemon->process.reload = on_reload;
    daemon->process.resumed = on_resumed;
    daemon->process.ctx = daemon;
    daemon->watchdog = (struct daemon_loop_alarm){.ring = on_watchdog, .ctx = daemon};
    daemon->network = (struct daemon_loop_alarm){.ring = on_network, .ctx = daemon};
    daemon->alone = (struct daemon_loop_alarm){.ring = on_alone, .ctx = daemon};
    if (daemon->notify.watchdog_us > 0)
        daemon_loop_set(loop, &daemon->watchdog, daemon_loop_now_us(loop));
    daemon_loop_set(loop, &daemon->network, daemon_loop_now_us(loop));
    daemon->links = daemon_links_new(loop, on_links, daemon);
    daemon_loop_set(loop, &daemon->alone, daemon_loop_now_us(loop) + ALONE_AFTER_US);
    start_node(daemon);
    daemon_notify_status(&daemon->notify, "runs");
    daemon_notify_ready(&daemon->notify);
    daemon_log(DAEMON_LOG_INFO, "ready version=%s", PNR_VERSION);
    daemon_loop_run(loop);
    daemon_notify_stopping(&daemon->notify);
    daemon_links_free(daemon->links);
    daemon_loop_set(loop, &daemon->watchdog, INT64_MAX);
    daemon_loop_set(loop, &daemon->network, INT64_MAX);
    daemon_loop_set(loop, &daemon->alone, INT64_MAX);
    daemon_notify_status(&daemon->notify, "writes its state");
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
    daemon_clouds_close(&daemon->clouds);
    if (daemon->process.loop != NULL)
        daemon_process_close(&daemon->process);
    daemon_notify_close(&daemon->notify);
    free(daemon);
    return ok ? DAEMON_EXIT_CLEAN : DAEMON_EXIT_FAILED;
}
