// SPDX-License-Identifier: MIT
#include "node/daemon/clouds.h"

#include "dht/addr.h"
#include "node/daemon/log.h"
#include "node/daemon/restore.h"
#include "node/daemon/udp.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_EVERY_US INT64_C(10000000) // also where there is word of changes: none may get lost
#define TRY_AGAIN_US  INT64_C(1000000)  // an address may not be ready yet

// ---- as a node wants it ----

static void fill_config(const struct daemon_config_cloud *cloud, bool unlimited,
                        enum dht_family family, struct daemon_node_engine *ret_engine)
{
    memset(ret_engine, 0, sizeof *ret_engine);
    dht_config_init(&ret_engine->config, family);
    daemon_config_cloud_apply(cloud, &ret_engine->config);
    ret_engine->config.unlimited = unlimited;
    ret_engine->socket_buffer_bytes = (size_t)cloud->socket_buffer_bytes;
}

// The engine of one address to listen at. False where the address stands for none.
static bool fill_engine(const struct daemon_config_cloud *cloud, bool unlimited,
                        const struct dht_addr *listen, struct daemon_node_engine *ret_engine)
{
    static const uint8_t any[16];
    enum dht_family family = listen->ip_len == 4 ? DHT_IPV4 : DHT_IPV6;
    struct daemon_node_engine engine;
    fill_config(cloud, unlimited, family, &engine);
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

static enum node_scope scope_of(const struct daemon_config_cloud *cloud)
{
    if (cloud->scope == DAEMON_CONFIG_SCOPE_LINK)
        return NODE_SCOPE_LINK;
    return cloud->scope == DAEMON_CONFIG_SCOPE_SITE ? NODE_SCOPE_SITE : NODE_SCOPE_GLOBAL;
}

bool daemon_clouds_fill(const struct daemon_config_cloud *cloud, bool unlimited,
                        struct daemon_node_cloud *ret_options, struct daemon_error *ret_error)
{
    struct daemon_config_addrs listen;
    memset(ret_options, 0, sizeof *ret_options);
    node_cloud_config_init(&ret_options->config, cloud->name);
    ret_options->config.scope = scope_of(cloud);
    ret_options->config.disabled = !cloud->enabled;
    if (!cloud->enabled || cloud->scope == DAEMON_CONFIG_SCOPE_LINK)
        return true;
    daemon_config_cloud_hosts(cloud, &ret_options->bootstrap);
    daemon_config_cloud_listen(cloud, &listen);
    for (size_t i = 0; i < listen.count; i++)
        ret_options->engine_count += fill_engine(cloud, unlimited, &listen.list[i],
                                                 &ret_options->engines[ret_options->engine_count]);
    if (ret_options->engine_count == 0)
        daemon_error_set(ret_error, "the cloud %s has no address to listen at", cloud->name);
    return ret_options->engine_count > 0;
}

static bool add(struct daemon_clouds *clouds, const struct daemon_config_cloud *cloud,
                struct daemon_error *ret_error)
{
    struct daemon_node_cloud *options = malloc(sizeof *options);
    if (options == NULL) {
        daemon_error_set(ret_error, "no memory for the cloud %s", cloud->name);
        return false;
    }
    bool ok = daemon_clouds_fill(cloud, clouds->unlimited, options, ret_error);
    // Without an address it is there all the same, as one that has no net.
    struct daemon_error why;
    ok = daemon_node_add_cloud(clouds->node, options, ok ? ret_error : &why) && ok;
    free(options);
    return ok;
}

// ---- links ----

static bool is_of_each_link(const struct daemon_config_cloud *cloud)
{
    return cloud->scope == DAEMON_CONFIG_SCOPE_LINK && cloud->interface.text[0] == '\0' &&
           cloud->enabled;
}

// The cloud of a configuration's section on one link. False where the name would be too long.
static bool name_on(const struct daemon_config_cloud *cloud, const char *link,
                    char ret_name[NODE_CLOUD_NAME_MAX + 1])
{
    int len = snprintf(ret_name, NODE_CLOUD_NAME_MAX + 1, "%s%%%s", cloud->name, link);
    return len > 0 && len <= NODE_CLOUD_NAME_MAX;
}

// Sees that the cloud has a socket at that address of the link, or none where ip_len is 0. False
// where it should be tried again.
static bool agree(struct daemon_clouds *clouds, const struct daemon_config_cloud *cloud,
                  const char *name, const struct daemon_udp_link *link,
                  const struct dht_addr *wanted, enum dht_family family)
{
    struct dht_addr now = daemon_node_cloud_addr(clouds->node, name, family);
    struct daemon_node_engine engine;
    struct daemon_error why;
    if (now.ip_len != 0 && (wanted->ip_len == 0 || !dht_addr_equal_ip(&now, wanted))) {
        daemon_log(DAEMON_LOG_INFO, "the link has lost its address cloud=%s family=%d", name,
                   (int)family);
        daemon_node_close_engine(clouds->node, name, family);
        now.ip_len = 0;
    }
    if (wanted->ip_len == 0 || now.ip_len != 0)
        return true;
    fill_config(cloud, clouds->unlimited, family, &engine);
    engine.link = *link;
    engine.config.addr = *wanted;
    engine.config.addr.port = (uint16_t)cloud->port;
    bool ok = daemon_node_open_engine(clouds->node, name, &engine, &why);
    if (ok) {
        char text[DHT_ADDR_TEXT_MAX];
        now = daemon_node_cloud_addr(clouds->node, name, family);
        dht_addr_to_text(&now, text);
        daemon_log(DAEMON_LOG_INFO, "listening addr=%s cloud=%s lab=yes", text, name);
    } else {
        daemon_log(DAEMON_LOG_DEBUG, "link not used so far: %s", why.text);
    }
    return ok;
}

// link NULL: there is no such interface. False where it should be tried again.
static bool agree_all(struct daemon_clouds *clouds, const struct daemon_config_cloud *cloud,
                      const char *name, const struct daemon_links_one *link)
{
    static const struct daemon_links_one none;
    const struct daemon_links_one *one = link != NULL ? link : &none;
    struct dht_addr addr4 = one->addr4;
    struct dht_addr addr6 = one->addr6;
    uint32_t index = one->link.index;
    if (!one->is_up || cloud->families == DAEMON_CONFIG_FAMILIES_IPV6)
        addr4.ip_len = 0;
    if (!one->is_up || cloud->families == DAEMON_CONFIG_FAMILIES_IPV4)
        addr6.ip_len = 0;
    // An interface that has come anew is another one, whatever its name.
    if (daemon_node_has_cloud(clouds->node, name) && index != 0 &&
        daemon_node_cloud_scope_id(clouds->node, name) != index)
        daemon_node_remove_cloud(clouds->node, name);
    if (!daemon_node_has_cloud(clouds->node, name)) {
        struct daemon_node_cloud *options = calloc(1, sizeof *options);
        struct daemon_error why;
        if (options == NULL)
            return false;
        node_cloud_config_init(&options->config, name);
        options->config.scope = NODE_SCOPE_LINK;
        options->config.scope_id = index;
        bool added = daemon_node_add_cloud(clouds->node, options, &why);
        free(options);
        if (!added)
            return true; // there are too many
    }
    bool done4 = agree(clouds, cloud, name, &one->link, &addr4, DHT_IPV4);
    bool done6 = agree(clouds, cloud, name, &one->link, &addr6, DHT_IPV6);
    return done4 && done6;
}

// Removes what is left of links that are gone.
static void remove_gone(struct daemon_clouds *clouds, const struct daemon_links_one *links,
                        size_t count)
{
    const char *name;
    for (size_t place = 0; (name = daemon_node_cloud_at(clouds->node, place)) != NULL; place++) {
        const char *percent = strrchr(name, '%');
        char section[NODE_CLOUD_NAME_MAX + 1];
        if (percent == NULL)
            continue;
        snprintf(section, sizeof section, "%.*s", (int)(percent - name), name);
        const struct daemon_config_cloud *cloud =
            daemon_config_cloud_named(clouds->config, section);
        bool wanted = false;
        for (size_t i = 0; cloud != NULL && is_of_each_link(cloud) && i < count; i++)
            wanted = wanted || strcmp(links[i].link.name, percent + 1) == 0;
        if (wanted)
            continue;
        snprintf(section, sizeof section, "%s", name);
        daemon_node_remove_cloud(clouds->node, section);
        place--;
    }
}

static void look(struct daemon_clouds *clouds)
{
    struct daemon_links_one links[DAEMON_LINKS_MAX];
    char name[NODE_CLOUD_NAME_MAX + 1];
    size_t count = daemon_links_list(links);
    bool any = false;
    bool done = true;
    remove_gone(clouds, links, count);
    for (size_t i = 0; i < clouds->config->cloud_count; i++) {
        const struct daemon_config_cloud *cloud = &clouds->config->clouds[i];
        const struct daemon_links_one *named = NULL;
        if (cloud->scope != DAEMON_CONFIG_SCOPE_LINK || !cloud->enabled)
            continue;
        any = true;
        for (size_t j = 0; j < count; j++) {
            if (strcmp(links[j].link.name, cloud->interface.text) == 0)
                named = &links[j];
            if (is_of_each_link(cloud) && name_on(cloud, links[j].link.name, name))
                done &= agree_all(clouds, cloud, name, &links[j]);
        }
        if (!is_of_each_link(cloud))
            done &= agree_all(clouds, cloud, cloud->name, named);
    }
    struct daemon_loop *loop = daemon_node_loop(clouds->node);
    int64_t pause_us = done ? LOOK_EVERY_US : TRY_AGAIN_US;
    daemon_loop_set(loop, &clouds->alarm, any ? daemon_loop_now_us(loop) + pause_us : INT64_MAX);
}

static void on_look(struct daemon_loop_alarm *alarm)
{
    look(alarm->ctx);
}

static void on_links(void *ctx)
{
    look(ctx);
}

// ---- what is left of clouds ----

// Whether the cloud is one of the configuration's, or one that a section of it has on a link, be
// that there or not.
static bool is_configured(void *ctx, struct dht_span cloud)
{
    const struct daemon_clouds *clouds = ctx;
    char name[NODE_CLOUD_NAME_MAX + 1];
    snprintf(name, sizeof name, "%.*s", (int)cloud.len, (const char *)cloud.data);
    bool known = daemon_config_cloud_named(clouds->config, name) != NULL;
    char *percent = strrchr(name, '%');
    if (!known && percent != NULL) {
        *percent = '\0';
        known = daemon_config_cloud_named(clouds->config, name) != NULL;
    }
    return known;
}

// Contacts and items of clouds that were taken out of the configuration go from the disk.
static void forget_removed(struct daemon_clouds *clouds)
{
    struct daemon_state *state = daemon_node_state(clouds->node);
    struct daemon_error why;
    uint64_t count = 0;
    if (state == NULL)
        return;
    if (!daemon_restore_forget(state, is_configured, clouds, &count, &why))
        daemon_log(DAEMON_LOG_WARN, "what is left of removed clouds stays: %s", why.text);
    else if (count > 0)
        daemon_log(
            DAEMON_LOG_INFO,
            "contacts and items of clouds that are configured no more are forgotten rows=%llu",
            (unsigned long long)count);
}

// ---- life ----

bool daemon_clouds_open(struct daemon_clouds *clouds, struct daemon_error *ret_error)
{
    clouds->alarm = (struct daemon_loop_alarm){.ring = on_look, .ctx = clouds};
    for (size_t i = 1; i < clouds->config->cloud_count; i++) {
        const struct daemon_config_cloud *cloud = &clouds->config->clouds[i];
        if (!is_of_each_link(cloud) && !add(clouds, cloud, ret_error))
            return false;
    }
    clouds->links = daemon_links_new(daemon_node_loop(clouds->node), on_links, clouds);
    look(clouds);
    forget_removed(clouds);
    return true;
}

void daemon_clouds_close(struct daemon_clouds *clouds)
{
    if (clouds->node == NULL)
        return;
    daemon_links_free(clouds->links);
    daemon_loop_set(daemon_node_loop(clouds->node), &clouds->alarm, INT64_MAX);
    clouds->node = NULL;
}

static bool hosts_equal(const struct daemon_config_hosts *a, const struct daemon_config_hosts *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = a->list[i].port == b->list[i].port && strcmp(a->list[i].host, b->list[i].host) == 0;
    return equal;
}

void daemon_clouds_follow(struct daemon_clouds *clouds, const struct daemon_config *before)
{
    bool removed = false;
    // What goes gives way first: another may want its port.
    for (size_t i = 0; i < before->cloud_count; i++) {
        const struct daemon_config_cloud *old = &before->clouds[i];
        const struct daemon_config_cloud *now =
            daemon_config_cloud_named(clouds->config, old->name);
        char name[NODE_CLOUD_NAME_MAX + 1];
        const char *other;
        if (now != NULL && daemon_config_cloud_equal(old, now))
            continue;
        removed = removed || now == NULL;
        daemon_node_remove_cloud(clouds->node, old->name);
        for (size_t place = 0; (other = daemon_node_cloud_at(clouds->node, place)) != NULL;
             place++) {
            if (strncmp(other, old->name, strlen(old->name)) != 0 ||
                other[strlen(old->name)] != '%')
                continue;
            snprintf(name, sizeof name, "%s", other);
            daemon_node_remove_cloud(clouds->node, name);
            place--;
        }
    }
    for (size_t i = 0; i < clouds->config->cloud_count; i++) {
        const struct daemon_config_cloud *now = &clouds->config->clouds[i];
        const struct daemon_config_cloud *old = daemon_config_cloud_named(before, now->name);
        struct daemon_config_hosts hosts;
        struct daemon_error why;
        if (!daemon_node_has_cloud(clouds->node, now->name)) {
            if (!is_of_each_link(now) && !add(clouds, now, &why))
                daemon_log(DAEMON_LOG_ERROR, "cloud not opened: %s", why.text);
        } else if (old != NULL && !hosts_equal(&now->bootstrap, &old->bootstrap)) {
            daemon_config_cloud_hosts(now, &hosts);
            daemon_node_set_bootstrap(clouds->node, now->name, &hosts);
        }
    }
    look(clouds);
    if (removed)
        forget_removed(clouds);
}
