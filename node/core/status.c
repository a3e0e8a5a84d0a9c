// SPDX-License-Identifier: MIT
#include "node/core/status.h"

#include "dht/addr.h"
#include "node/core/cloud.h"
#include "node/core/publication.h"
#include "node/core/result.h"

#include <stdlib.h>
#include <string.h>

// ---- counters: a dictionary's keys have to be sorted ----

struct counter {
    const char *name;
    uint64_t value;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct counter *)a)->name, ((const struct counter *)b)->name);
}

static void put_counters(struct dht_bencode_writer *writer, struct counter *counters, size_t count)
{
    qsort(counters, count, sizeof *counters, by_name);
    dht_bencode_put_text(writer, CONTROL_KEY_COUNTERS);
    dht_bencode_open_dict(writer);
    for (size_t i = 0; i < count; i++)
        dht_bencode_pair_int(writer, counters[i].name, (int64_t)counters[i].value);
    dht_bencode_end(writer);
}

#define COUNTER_ROW(counter_name, meaning) {#counter_name, counted->counter_name},

static void put_engine_counters(struct dht_bencode_writer *writer,
                                const struct dht_counters *counted)
{
    struct counter counters[] = {DHT_COUNTERS(COUNTER_ROW)};
    put_counters(writer, counters, sizeof counters / sizeof counters[0]);
}

#define COUNTER_ONE(counter_name, meaning) +1
#define NODE_COUNTERS_COUNT                (0 NODE_COUNTERS(COUNTER_ONE))

// The brain's own, and those of its driver.
static void put_node_counters(struct dht_bencode_writer *writer, const struct node *node,
                              const struct node_counters *counted)
{
    struct counter counters[NODE_COUNTERS_COUNT + NODE_DRIVER_COUNTERS_MAX] = {
        NODE_COUNTERS(COUNTER_ROW)};
    size_t count = NODE_COUNTERS_COUNT;
    for (size_t i = 0; i < node->driver_counter_count; i++)
        counters[count++] =
            (struct counter){node->driver_counters[i].name, node->driver_counters[i].value};
    put_counters(writer, counters, count);
}

// ---- status ----

static void put_addr(struct dht_bencode_writer *writer, const char *key,
                     const struct dht_addr *addr)
{
    char text[DHT_ADDR_TEXT_MAX];
    dht_addr_to_text(addr, text);
    dht_bencode_pair_text(writer, key, text);
}

// contacts contacts_good counters external family id items items_bytes joined listen name
// nodes_estimate ops role
static void put_cloud(struct dht_bencode_writer *writer, const struct core_engine *engine)
{
    struct dht_info info;
    dht_info(engine->dht, &info);
    dht_bencode_open_dict(writer);
    dht_bencode_pair_int(writer, CONTROL_KEY_CONTACTS, info.contacts);
    dht_bencode_pair_int(writer, CONTROL_KEY_CONTACTS_GOOD, info.contacts_good);
    put_engine_counters(writer, &info.counters);
    if (info.external.ip_len != 0)
        put_addr(writer, CONTROL_KEY_EXTERNAL, &info.external);
    dht_bencode_pair_int(writer, CONTROL_KEY_FAMILY, (int64_t)engine->family);
    dht_bencode_pair_string(writer, CONTROL_KEY_NODE_ID, info.id.bytes, DHT_ID_LEN);
    dht_bencode_pair_int(writer, CONTROL_KEY_ITEMS, info.items);
    dht_bencode_pair_int(writer, CONTROL_KEY_ITEMS_BYTES, (int64_t)info.items_bytes);
    dht_bencode_pair_int(writer, CONTROL_KEY_JOINED, info.joined);
    put_addr(writer, CONTROL_KEY_LISTEN, &engine->addr);
    dht_bencode_pair_text(writer, CONTROL_KEY_NAME, engine->cloud->config.name);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES_ESTIMATE, (int64_t)(info.nodes_estimate + 0.5));
    dht_bencode_pair_int(writer, CONTROL_KEY_OPS, info.ops);
    dht_bencode_pair_text(writer, CONTROL_KEY_ROLE,
                          info.role == DHT_ROLE_SERVER ? "server" : "client");
    dht_bencode_end(writer);
}

// clouds counters keys node nodes publications requests sessions uptime_s version
void core_status_answer(struct node *node, struct core_request *request)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_put_text(writer, CONTROL_KEY_CLOUDS);
    dht_bencode_open_list(writer);
    int listed = 0;
    for (int i = 0; i < node->engine_count && listed < CONTROL_CLOUDS_MAX; i++) {
        if (request->cloud != NULL && node->engines[i]->cloud != request->cloud)
            continue;
        put_cloud(writer, node->engines[i]);
        listed++;
    }
    dht_bencode_end(writer);
    struct node_info info;
    node_info(node, &info);
    put_node_counters(writer, node, &info.counters);
    dht_bencode_pair_int(writer, CONTROL_KEY_KEYS, info.keys);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODE, node->config.node_index);
    dht_bencode_pair_int(writer, CONTROL_KEY_NODES, node->config.node_count);
    dht_bencode_pair_int(writer, CONTROL_KEY_PUBLICATIONS, core_publication_list_count(node));
    dht_bencode_pair_int(writer, CONTROL_KEY_REQUESTS, info.requests);
    dht_bencode_pair_int(writer, CONTROL_KEY_SESSIONS, info.sessions);
    dht_bencode_pair_int(writer, CONTROL_KEY_UPTIME_S,
                         (node->now_us - node->birth_us) / CORE_SECOND_US);
    dht_bencode_pair_text(writer, CONTROL_KEY_VERSION, node->config.version);
    core_answer_end(node, &answer);
}

// ---- peers ----

// addr cloud family good id rtt_us secure
static void answer_peer(struct node *node, struct core_request *request,
                        const struct core_engine *engine, const struct dht_contact_info *contact)
{
    struct core_answer answer;
    struct dht_bencode_writer *writer = &answer.writer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_RESULT);
    put_addr(writer, CONTROL_KEY_ADDR, &contact->addr);
    dht_bencode_pair_text(writer, CONTROL_KEY_CLOUD, engine->cloud->config.name);
    dht_bencode_pair_int(writer, CONTROL_KEY_FAMILY, (int64_t)engine->family);
    dht_bencode_pair_int(writer, CONTROL_KEY_GOOD, contact->good);
    dht_bencode_pair_string(writer, CONTROL_KEY_NODE_ID, contact->id.bytes, DHT_ID_LEN);
    if (contact->rtt_us >= 0)
        dht_bencode_pair_int(writer, CONTROL_KEY_RTT_US, contact->rtt_us);
    dht_bencode_pair_int(writer, CONTROL_KEY_SECURE, contact->secure);
    core_answer_end(node, &answer);
}

#define PEERS_MAX 2048

void core_status_peers(struct node *node, struct core_request *request)
{
    struct dht_contact_info *contacts = calloc(PEERS_MAX, sizeof *contacts);
    if (contacts == NULL) {
        core_request_fail(node, request, CONTROL_ERROR_FULL, "out of memory");
        return;
    }
    for (int i = 0; i < node->engine_count; i++) {
        const struct core_engine *engine = node->engines[i];
        if (request->cloud != NULL && engine->cloud != request->cloud)
            continue;
        size_t count = dht_contacts(engine->dht, contacts, PEERS_MAX);
        for (size_t j = 0; j < count; j++)
            answer_peer(node, request, engine, &contacts[j]);
    }
    free(contacts);
    struct core_answer answer;
    core_answer_begin(&answer, request, CONTROL_ANSWER_DONE);
    dht_bencode_pair_int(&answer.writer, CONTROL_KEY_COUNT, request->results);
    core_answer_end(node, &answer);
}
