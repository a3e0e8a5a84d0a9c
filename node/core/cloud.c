// SPDX-License-Identifier: MIT
#include "node/core/cloud.h"

#include "dht/addr.h"

#include "node/core/cloud_list.h"
#include "node/core/link.h"
#include "node/core/publication.h"
#include "node/core/registration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CONTACTS_MAX   2048                  // looked at for a round trip
#define ALONE_AFTER_US (30 * CORE_SECOND_US) // that nobody has answered for, since it has a network

void node_cloud_config_init(struct node_cloud_config *config, const char *name)
{
    *config = (struct node_cloud_config){.scope = NODE_SCOPE_GLOBAL};
    size_t len = strlen(name);
    memcpy(config->name, name, len <= NODE_CLOUD_NAME_MAX ? len : 0);
}

// ---- finding ----

struct core_cloud *core_cloud_named(const struct node *node, struct dht_span name)
{
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        const char *other = node->clouds[i]->config.name;
        if (strlen(other) == name.len && memcmp(other, name.data, name.len) == 0)
            return node->clouds[i];
    }
    return NULL;
}

struct core_cloud *core_cloud_numbered(const struct node *node, int number)
{
    for (uint32_t i = 0; i < node->cloud_count; i++)
        if (node->clouds[i]->present && node->clouds[i]->number == number)
            return node->clouds[i];
    return NULL;
}

struct core_cloud *core_cloud_default(const struct node *node)
{
    struct core_cloud *first = NULL;
    struct core_cloud *enabled = NULL;
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        struct core_cloud *cloud = node->clouds[i];
        if (!cloud->present)
            continue;
        if (!cloud->config.disabled && strcmp(cloud->config.name, NODE_CLOUD_GLOBAL) == 0)
            return cloud;
        if (enabled == NULL && !cloud->config.disabled)
            enabled = cloud;
        if (first == NULL)
            first = cloud;
    }
    return enabled != NULL ? enabled : first;
}

struct core_engine *core_cloud_engine(const struct node *node, int number)
{
    for (int i = 0; i < node->engine_count; i++)
        if (node->engines[i]->number == number)
            return node->engines[i];
    return NULL;
}

struct core_engine *core_cloud_of_family(struct core_cloud *cloud, enum dht_family family)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL && cloud->engines[i].family == family)
            return &cloud->engines[i];
    return NULL;
}

bool core_cloud_has_contacts(const struct core_cloud *cloud)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht_contact_info contact;
        if (cloud->engines[i].dht != NULL && dht_contacts(cloud->engines[i].dht, &contact, 1) > 0)
            return true;
    }
    return false;
}

bool core_cloud_is_reached(const struct core_engine *engine)
{
    struct dht_info info;
    if (engine->dht == NULL)
        return false;
    dht_info(engine->dht, &info);
    return info.role == DHT_ROLE_SERVER || engine->lab;
}

bool core_cloud_is_own(const struct core_engine *engine, const struct dht_addr *addr)
{
    struct dht_info info;
    if (engine == NULL || engine->dht == NULL)
        return false;
    dht_info(engine->dht, &info);
    return dht_addr_equal(addr, &info.external) || dht_addr_equal(addr, &engine->addr);
}

int64_t core_cloud_rtt_us(struct core_cloud *cloud, const struct control_endpoint *endpoints,
                          size_t count)
{
    struct dht_contact_info *contacts = calloc(CONTACTS_MAX, sizeof *contacts);
    int64_t best_us = -1;
    for (int i = 0; contacts != NULL && i < NODE_ENGINES_MAX; i++) {
        const struct dht *dht = cloud->engines[i].dht;
        size_t contact_count = dht != NULL ? dht_contacts(dht, contacts, CONTACTS_MAX) : 0;
        for (size_t j = 0; j < contact_count; j++) {
            bool is_there = false;
            for (size_t k = 0; k < count; k++)
                is_there = is_there ||
                           (contacts[j].addr.ip_len == endpoints[k].ip_len &&
                            memcmp(contacts[j].addr.ip, endpoints[k].ip, endpoints[k].ip_len) == 0);
            // As unsigned numbers, so that an unknown one is the longest.
            if (is_there && (uint64_t)contacts[j].rtt_us < (uint64_t)best_us)
                best_us = contacts[j].rtt_us;
        }
    }
    free(contacts);
    return best_us;
}

uint32_t core_cloud_present(const struct node *node)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->cloud_count; i++)
        count += node->clouds[i]->present;
    return count;
}

uint32_t core_cloud_store_width(const struct core_cloud *cloud)
{
    return cloud->engines[cloud->engines[0].dht != NULL ? 0 : 1].store_width;
}

void core_cloud_text(const struct core_cloud *cloud, const char *ending,
                     char ret_text[CORE_CLOUD_TEXT_MAX])
{
    static const char beginning[] = "the cloud ";
    size_t name_len = strlen(cloud->config.name);
    size_t ending_len = strlen(ending);
    assert(sizeof beginning + name_len + ending_len <= CORE_CLOUD_TEXT_MAX);
    memcpy(ret_text, beginning, sizeof beginning - 1);
    memcpy(ret_text + sizeof beginning - 1, cloud->config.name, name_len);
    memcpy(ret_text + sizeof beginning - 1 + name_len, ending, ending_len + 1);
}

// ---- state ----

// Whether the cloud has been without an answer for so long that nobody is there.
static bool is_alone(const struct node *node, const struct core_cloud *cloud, bool joined)
{
    return joined || node->now_us - cloud->since_us >= ALONE_AFTER_US;
}

enum node_cloud_state core_cloud_state(const struct node *node, const struct core_cloud *cloud)
{
    uint32_t contacts = 0;
    uint32_t good = 0;
    bool joined = false;
    bool has_engine = false;
    if (cloud->config.disabled)
        return NODE_CLOUD_DISABLED;
    if (!node->started)
        return NODE_CLOUD_VIRTUAL;
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht_info info;
        if (cloud->engines[i].dht == NULL)
            continue;
        dht_info(cloud->engines[i].dht, &info);
        has_engine = true;
        joined = joined || info.joined;
        contacts += info.contacts;
        good += info.contacts_good;
    }
    if (!has_engine)
        return NODE_CLOUD_NO_NET;
    if (contacts == 0)
        return is_alone(node, cloud, joined) ? NODE_CLOUD_ALONE : NODE_CLOUD_SYNCHRONISING;
    if (good == 0)
        return NODE_CLOUD_DEAD;
    return joined ? NODE_CLOUD_ACTIVE : NODE_CLOUD_SYNCHRONISING;
}

bool core_cloud_is_hopeless(const struct node *node, const struct core_cloud *cloud)
{
    enum node_cloud_state state = core_cloud_state(node, cloud);
    return !cloud->present || state == NODE_CLOUD_DISABLED || state == NODE_CLOUD_NO_NET ||
           state == NODE_CLOUD_ALONE;
}

void core_cloud_why_nobody(const struct node *node, const struct core_cloud *cloud,
                           const char *ending, char ret_text[CORE_CLOUD_TEXT_MAX])
{
    static const char *const why[2][2] = {
        {" has nobody to ask: no bootstrap host has answered; try pnr doctor",
         " has nobody to ask: no other node is heard on its link"},
        {" has no network: it could listen at no address; pnrd's log says why",
         " has no network: its interface is down or has no address"},
    };
    enum node_cloud_state state = core_cloud_state(node, cloud);
    const char *because = why[state == NODE_CLOUD_NO_NET][cloud->config.scope == NODE_SCOPE_LINK];
    if (state == NODE_CLOUD_DISABLED)
        because = " is disabled";
    char text[CORE_CLOUD_TEXT_MAX];
    size_t at = strlen(because);
    memcpy(text, because, at);
    memcpy(text + at, ending, strlen(ending) + 1);
    core_cloud_text(cloud, text, ret_text);
}

enum node_cloud_state node_cloud_state(const struct node *node, int cloud)
{
    const struct core_cloud *found = core_cloud_numbered(node, cloud);
    assert(found != NULL);
    return core_cloud_state(node, found);
}

// ---- life of clouds ----

// An absent cloud of that name. NULL where memory is short.
static struct core_cloud *make_cloud(struct node *node, struct dht_span name)
{
    struct core_cloud **clouds =
        realloc(node->clouds, (node->cloud_count + 1) * sizeof(struct core_cloud *));
    if (clouds == NULL)
        return NULL;
    node->clouds = clouds;
    struct core_cloud *cloud = calloc(1, sizeof *cloud);
    if (cloud == NULL)
        return NULL;
    memcpy(cloud->config.name, name.data, name.len);
    cloud->number = -1;
    cloud->since_us = INT64_MAX;
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        cloud->engines[i] = (struct core_engine){.cloud = cloud, .number = -1};
    clouds[node->cloud_count++] = cloud;
    return cloud;
}

// An absent cloud that nothing is published in is forgotten.
static void forget_unused(struct node *node, struct core_cloud *cloud)
{
    uint32_t at = 0;
    if (cloud->present || cloud->publications > 0)
        return;
    while (node->clouds[at] != cloud)
        at++;
    node->cloud_count--;
    memmove(&node->clouds[at], &node->clouds[at + 1],
            (node->cloud_count - at) * sizeof(struct core_cloud *));
    free(cloud);
}

struct core_cloud *core_cloud_keep(struct node *node, struct dht_span name)
{
    struct core_cloud *cloud = core_cloud_named(node, name);
    if (cloud != NULL || name.len == 0 || name.len > NODE_CLOUD_NAME_MAX ||
        memchr(name.data, '\0', name.len) != NULL)
        return cloud;
    return make_cloud(node, name);
}

void core_cloud_hold(struct core_cloud *cloud)
{
    cloud->publications++;
}

void core_cloud_drop(struct node *node, struct core_cloud *cloud)
{
    assert(cloud->publications > 0);
    cloud->publications--;
    forget_unused(node, cloud);
}

static uint32_t count_present(const struct node *node)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->cloud_count; i++)
        count += node->clouds[i]->present;
    return count;
}

int node_add_cloud(struct node *node, int64_t now_us, const struct node_cloud_config *config)
{
    core_brain_enter(node, now_us);
    struct dht_span name = {(const uint8_t *)config->name, strlen(config->name)};
    struct core_cloud *cloud = core_cloud_named(node, name);
    if (name.len == 0 || (cloud != NULL && cloud->present) ||
        count_present(node) == NODE_CLOUDS_MAX)
        return -1;
    if (cloud == NULL)
        cloud = make_cloud(node, name);
    if (cloud == NULL)
        return -1;
    cloud->config = *config;
    cloud->present = true;
    cloud->number = node->next_cloud++;
    cloud->is_told = false;
    if (node->started)
        core_publication_resume(node, cloud);
    core_registration_resume(node, cloud);
    core_cloud_list_tell(node);
    core_brain_settle(node);
    return cloud->number;
}

// Who waits for something in the cloud hears that it is gone.
static void fail_requests(struct node *node, struct core_cloud *cloud)
{
    char text[CORE_CLOUD_TEXT_MAX];
    core_cloud_text(cloud, " is gone", text);
    for (struct core_session *session = node->sessions; session != NULL; session = session->next) {
        struct core_request *request = session->requests;
        while (request != NULL) {
            struct core_request *next = request->next;
            if (request->cloud == cloud)
                core_request_fail(node, request, CONTROL_ERROR_FAILED, text);
            request = next;
        }
    }
}

static void remove_engine(struct node *node, struct core_engine *engine);

void node_remove_cloud(struct node *node, int64_t now_us, int number)
{
    core_brain_enter(node, now_us);
    struct core_cloud *cloud = core_cloud_numbered(node, number);
    assert(cloud != NULL);
    cloud->present = false;
    core_cloud_list_gone(node, cloud);
    fail_requests(node, cloud);
    core_publication_suspend(node, cloud);
    core_registration_suspend(node, cloud);
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht != NULL)
            remove_engine(node, &cloud->engines[i]);
    core_row_set_drop(&node->item_rows, number);
    core_cache_drop(&node->cache, number);
    forget_unused(node, cloud);
    core_brain_settle(node);
}

void core_cloud_free_all(struct node *node)
{
    for (uint32_t i = 0; i < node->cloud_count; i++) {
        for (int j = 0; j < NODE_ENGINES_MAX; j++) {
            core_link_close(node, &node->clouds[i]->engines[j]);
            dht_free(node->clouds[i]->engines[j].dht);
        }
        free(node->clouds[i]);
    }
    free(node->clouds);
    free(node->engines);
}

// ---- engines ----

// A place of the cloud for an engine of that family. NULL where there is none.
static struct core_engine *free_place(struct core_cloud *cloud, enum dht_family family)
{
    if (core_cloud_of_family(cloud, family) != NULL)
        return NULL;
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (cloud->engines[i].dht == NULL)
            return &cloud->engines[i];
    return NULL;
}

int node_add_engine(struct node *node, int64_t now_us, int cloud_number,
                    const struct dht_config *config)
{
    uint8_t seed[32];
    core_brain_enter(node, now_us);
    struct core_cloud *cloud = core_cloud_numbered(node, cloud_number);
    assert(cloud != NULL);
    struct core_engine *place = free_place(cloud, config->family);
    if (place == NULL || cloud->config.disabled)
        return -1;
    struct core_engine **engines =
        realloc(node->engines, ((size_t)node->engine_count + 1) * sizeof(struct core_engine *));
    if (engines == NULL)
        return -1;
    node->engines = engines;
    dht_random_bytes(&node->random, seed, sizeof seed);
    struct dht *dht = dht_new(config, &node->crypto, seed, node->now_us);
    if (dht == NULL)
        return -1;
    *place = (struct core_engine){.dht = dht,
                                  .cloud = cloud,
                                  .number = node->next_engine,
                                  .family = config->family,
                                  .store_width = config->store_width,
                                  .addr = config->addr,
                                  .lab = config->lab};
    node->engines[node->engine_count++] = place;
    bool is_link = cloud->config.scope == NODE_SCOPE_LINK;
    if (!core_brain_timer_room(node) || (is_link && !core_link_open(node, place))) {
        node->engine_count--;
        place->dht = NULL;
        dht_free(dht);
        return -1;
    }
    node->next_engine++;
    if (cloud->engines[0].dht != NULL && cloud->engines[1].dht != NULL)
        dht_pair(cloud->engines[0].dht, cloud->engines[1].dht);
    if (cloud->since_us == INT64_MAX)
        cloud->since_us = now_us;
    core_registration_resume(node, cloud);
    core_cloud_list_tell(node);
    return place->number;
}

static void remove_engine(struct node *node, struct core_engine *engine)
{
    struct core_cloud *cloud = engine->cloud;
    struct dht *dht = engine->dht;
    int at = 0;
    while (node->engines[at] != engine)
        at++;
    node->engine_count--;
    memmove(&node->engines[at], &node->engines[at + 1],
            (size_t)(node->engine_count - at) * sizeof(struct core_engine *));
    core_link_close(node, engine);
    // Out of reach before anybody hears of it: nobody begins something new with it.
    engine->dht = NULL;
    if (cloud->engines[0].dht == NULL && cloud->engines[1].dht == NULL)
        cloud->since_us = INT64_MAX;
    core_brain_end_ops(node, engine->number);
    dht_free(dht);
}

void node_remove_engine(struct node *node, int64_t now_us, int engine)
{
    core_brain_enter(node, now_us);
    struct core_engine *found = core_cloud_engine(node, engine);
    assert(found != NULL);
    remove_engine(node, found);
    core_cloud_list_tell(node);
    core_brain_settle(node);
}

struct dht *node_engine(struct node *node, int engine)
{
    struct core_engine *found = core_cloud_engine(node, engine);
    assert(found != NULL);
    return found->dht;
}
