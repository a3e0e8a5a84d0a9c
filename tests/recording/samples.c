// SPDX-License-Identifier: MIT
#include "tests/recording/samples.h"

#include <assert.h>
#include <string.h>

static const uint8_t seed[RECORDING_SEED_LEN] = {1, 2, 3};
static const uint8_t key[DHT_KEY_LEN] = {9, 8, 7};
static const struct dht_span bytes = {(const uint8_t *)"d1:ade1:ii1e1:q4:pinge", 22};
static const struct dht_addr address = {{127, 0, 0, 1}, 6881, 4};
static const struct dht_addr address6 = {{0x20, 1}, 6882, 16};
static const struct node_driver_counter counters[] = {{"udp_sent", 7}, {"udp_dropped", UINT64_MAX}};

static const struct dht_datagram announcement = {
    {{10, 0, 0, 1}, 3540, 4},
    {(const uint8_t *)"d2:id20:abcdefghij01234567893:pnri1e1:q5:helloe", 47}};

struct list {
    struct sample *samples;
    size_t count;
    int64_t now_us;
};

static struct recording_entry *add(struct list *list, const char *name, enum recording_kind kind)
{
    assert(list->count < SAMPLES_MAX);
    struct sample *sample = &list->samples[list->count++];
    sample->name = name;
    sample->entry.kind = kind;
    if (recording_entry_has_time(kind))
        sample->entry.now_us = list->now_us += 1000;
    return &sample->entry;
}

static void add_birth(struct list *list)
{
    struct recording_entry *entry = add(list, "new", RECORDING_NEW);
    entry->birth.wall_us = INT64_C(1700000000000000);
    entry->birth.seed = seed;
    strcpy(entry->birth.config.version, "0.1.0");
    entry->birth.config.sessions_max = 3;
    entry->birth.config.session_out_max = 100000;
    entry->birth.config.requests_max = 4;
    entry->birth.config.keys_max = 4;
    entry->birth.config.renew_us = 1000000;
    entry->birth.config.keep_items = true;
    entry = add(list, "add_cloud", RECORDING_ADD_CLOUD);
    entry->cloud = (struct node_cloud_config){.name = "Global_", .scope = NODE_SCOPE_GLOBAL};
    add(list, "result of a cloud", RECORDING_RESULT)->result = 0;
    entry = add(list, "add_engine", RECORDING_ADD_ENGINE);
    entry->engine.config = (struct dht_config){.family = DHT_IPV4,
                                               .lab = true,
                                               .addr = address,
                                               .version = "PN",
                                               .bucket_size = 8,
                                               .first_bucket_size = 16,
                                               .replacements = 8,
                                               .lookup_width = 8,
                                               .store_width = 20,
                                               .in_flight = 5,
                                               .ops_max = 64,
                                               .candidates_max = 128,
                                               .queries_max = 64,
                                               .items_max = 64,
                                               .items_bytes_max = 100000,
                                               .items_per_source_max = 64,
                                               .swarms_max = 64,
                                               .peers_max = 64,
                                               .peers_per_swarm_max = 64,
                                               .registrations_max = 16,
                                               .item_lifetime_us = 7200000000,
                                               .sources_max = 64,
                                               .peer_lifetime_us = 2700000000,
                                               .watches_max = 64,
                                               .watchers_max = 64,
                                               .watchers_per_target_max = 64,
                                               .watchers_per_source_max = 64,
                                               .pushes_max = 64,
                                               .queries_per_source = 50,
                                               .verifies_per_second = 200,
                                               .outbox_max = 100000,
                                               .outbox_keep = 1000};
    add(list, "result of an engine", RECORDING_RESULT)->result = 0;
}

static void add_start(struct list *list)
{
    struct recording_entry *entry = add(list, "restore", RECORDING_RESTORE);
    entry->row.kind = NODE_ROW_CONTACT;
    entry->row.key = (struct dht_span){key, 20};
    entry->row.value = (struct dht_span){key, 6};
    add(list, "result false", RECORDING_RESULT)->result = 0;
    entry = add(list, "key_added", RECORDING_KEY_ADDED);
    entry->key.label = "default";
    entry->key.key = key;
    entry->key.path = "/var/lib/pnr/keys/default.pem";
    add(list, "result true", RECORDING_RESULT)->result = 1;
    add(list, "start", RECORDING_START);
    struct recording_output *output = &add(list, "an event", RECORDING_OUTPUT)->output;
    *output = (struct recording_output){.type = NODE_OUT_EVENT, .len = 12, .digest = 5};
    add(list, "drained", RECORDING_DRAINED)->drained = 1;
    add(list, "wall", RECORDING_WALL)->wall_us = INT64_C(1700000000000001);
}

static void add_network(struct list *list)
{
    static struct dht_datagram datagrams[2];
    datagrams[0] = (struct dht_datagram){address, bytes};
    datagrams[1] = (struct dht_datagram){address, {bytes.data, 0}};
    struct recording_entry *entry = add(list, "receive", RECORDING_RECEIVE);
    entry->receive.datagrams = datagrams;
    entry->receive.count = 2;
    entry = add(list, "unreachable", RECORDING_UNREACHABLE);
    entry->addrs.addrs = &address;
    entry->addrs.count = 1;
    entry = add(list, "bootstrap of IPv6", RECORDING_BOOTSTRAP);
    entry->addrs.engine = 1;
    entry->addrs.addrs = &address6;
    entry->addrs.count = 1;
    add(list, "network_changed", RECORDING_NETWORK_CHANGED);
    add(list, "tick", RECORDING_TICK);
    struct recording_output *output = &add(list, "a datagram", RECORDING_OUTPUT)->output;
    *output = (struct recording_output){
        .type = NODE_OUT_DATAGRAM, .detail = 1, .addr = address6, .len = 100, .digest = UINT64_MAX};
    entry = add(list, "set_publishing", RECORDING_SET_PUBLISHING);
    entry->publishing.ttl_s = 1800;
    entry->publishing.renew_us = 3000000000;
}

static void add_clients(struct list *list)
{
    struct recording_entry *entry = add(list, "session_open", RECORDING_SESSION_OPEN);
    entry->session.access = NODE_ACCESS_CONTROL;
    add(list, "result of a session", RECORDING_RESULT)->result = 1;
    entry = add(list, "driver_counters", RECORDING_COUNTERS);
    entry->counters.list = counters;
    entry->counters.count = 2;
    entry = add(list, "session_bytes", RECORDING_SESSION_BYTES);
    entry->session.number = 1;
    entry->session.bytes = bytes;
    entry = add(list, "session_sent", RECORDING_SESSION_SENT);
    entry->session.number = 1;
    entry->session.sent = 100;
    add(list, "session_closed", RECORDING_SESSION_CLOSED)->session.number = 1;
    entry = add(list, "key_answered", RECORDING_KEY_ANSWERED);
    entry->key_answered.answer = (struct node_key_answer){.key_request = 1,
                                                          .label = "new",
                                                          .key = key,
                                                          .path = "/new.pem",
                                                          .text = {(const uint8_t *)"xxx", 3}};
    entry = add(list, "key refused", RECORDING_KEY_ANSWERED);
    entry->key_answered.answer = (struct node_key_answer){
        .key_request = 2, .code = 5, .text = {(const uint8_t *)"there is none", 13}};
    add(list, "key_removed", RECORDING_KEY_REMOVED)->key.label = "new";
}

static void add_rest(struct list *list)
{
    struct recording_entry *entry = add(list, "written", RECORDING_WRITTEN);
    entry->written.id = 5;
    entry->written.ok = true;
    entry = add(list, "sign", RECORDING_SIGN);
    entry->crypto.digest = 77;
    entry->crypto.ok = true;
    memset(entry->crypto.sig, 3, sizeof entry->crypto.sig);
    add(list, "sign refused", RECORDING_SIGN)->crypto.digest = 78;
    add(list, "verify", RECORDING_VERIFY)->crypto.ok = true;
    struct recording_entry *heard = add(list, "heard", RECORDING_HEARD);
    heard->receive.engine = 1;
    heard->receive.datagrams = &announcement;
    heard->receive.count = 1;
    add(list, "remove_engine", RECORDING_REMOVE_ENGINE)->number = 0;
    add(list, "remove_cloud", RECORDING_REMOVE_CLOUD)->number = 0;
    add(list, "stop", RECORDING_STOP);
    add(list, "end", RECORDING_END)->end = RECORDING_END_CLOSED;
}

size_t samples_make(struct sample ret_samples[SAMPLES_MAX])
{
    struct list list = {.samples = ret_samples};
    memset(ret_samples, 0, SAMPLES_MAX * sizeof *ret_samples);
    add_birth(&list);
    add_start(&list);
    add_network(&list);
    add_clients(&list);
    add_rest(&list);
    return list.count;
}
