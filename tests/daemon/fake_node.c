// SPDX-License-Identifier: MIT
// A brain for the tests of the shell: real engines, and sessions that do what single bytes say.
//
//   'e'  answers 'E'                      'h'  answers 'H' and hangs up
//   'b'  answers BIG bytes of 'B'         'w'  writes a durable row, then answers 'W' or 'w'
//   'k'  asks for a new key "made", then answers 'K', or 'x' where that failed
//
// Any other byte is answered '?'.

#include "tests/daemon/fake_node.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SESSIONS 64

struct output {
    struct output *next;
    struct node_out out;
    uint8_t bytes[];
};

struct node {
    struct node_config config;
    struct dht_crypto crypto;
    uint8_t seed[32];
    int64_t now_us;
    struct dht *engines[NODE_ENGINES_MAX];
    int engine_count;
    struct output *first, **last;
    struct output *taken; // freed at the next call that is not node_next()
    bool open[SESSIONS];
    struct fake_node_seen seen;
};

static void enter(struct node *node, int64_t now_us)
{
    assert(now_us >= node->now_us);
    node->now_us = now_us;
    while (node->taken != NULL) {
        struct output *gone = node->taken;
        node->taken = gone->next;
        free(gone);
    }
}

static struct node_out *put(struct node *node, enum node_out_type type, const void *bytes,
                            size_t len)
{
    struct output *output = calloc(1, sizeof *output + len);
    assert(output != NULL);
    if (len > 0)
        memcpy(output->bytes, bytes, len);
    output->out.type = type;
    *node->last = output;
    node->last = &output->next;
    return &output->out;
}

void fake_node_ask(struct node *node, const struct node_out *out)
{
    *put(node, out->type, NULL, 0) = *out;
}

static void answer(struct node *node, uint32_t session, char letter, size_t len)
{
    uint8_t *bytes = malloc(len);
    assert(bytes != NULL);
    memset(bytes, letter, len);
    struct node_out *out = put(node, NODE_OUT_BYTES, bytes, len);
    struct output *output = (struct output *)((char *)out - offsetof(struct output, out));
    out->session = session;
    out->bytes = (struct dht_span){output->bytes, len};
    free(bytes);
}

void node_config_init(struct node_config *config)
{
    memset(config, 0, sizeof *config);
    config->node_count = 1;
    config->sessions_max = 256;
    config->keys_max = 8;
}

struct node *node_new(const struct node_config *config, const struct dht_crypto *crypto,
                      const uint8_t seed[32], int64_t now_us, int64_t wall_us)
{
    struct node *node = calloc(1, sizeof *node);
    assert(node != NULL);
    node->config = *config;
    node->crypto = *crypto;
    memcpy(node->seed, seed, 32);
    node->now_us = now_us;
    node->last = &node->first;
    node->seen.wall_us = wall_us;
    return node;
}

void node_free(struct node *node)
{
    if (node == NULL)
        return;
    enter(node, node->now_us);
    for (struct output *next; node->first != NULL; node->first = next) {
        next = node->first->next;
        free(node->first);
    }
    for (int i = 0; i < node->engine_count; i++)
        dht_free(node->engines[i]);
    free(node);
}

void node_cloud_config_init(struct node_cloud_config *config, const char *name)
{
    memset(config, 0, sizeof *config);
    snprintf(config->name, sizeof config->name, "%s", name);
}

int node_add_cloud(struct node *node, int64_t now_us, const struct node_cloud_config *config)
{
    enter(node, now_us);
    (void)config;
    return 0;
}

void node_remove_cloud(struct node *node, int64_t now_us, int cloud)
{
    enter(node, now_us);
    (void)cloud;
}

void node_heard(struct node *node, int64_t now_us, int engine, const struct dht_datagram *datagrams,
                size_t count)
{
    enter(node, now_us);
    (void)engine;
    (void)datagrams;
    (void)count;
}

void node_remove_engine(struct node *node, int64_t now_us, int engine)
{
    enter(node, now_us);
    (void)engine;
}

int node_add_engine(struct node *node, int64_t now_us, int cloud, const struct dht_config *config)
{
    enter(node, now_us);
    (void)cloud;
    node->seed[0] ^= 1;
    struct dht *dht = dht_new(config, &node->crypto, node->seed, node->now_us);
    assert(dht != NULL);
    node->engines[node->engine_count] = dht;
    return node->engine_count++;
}

struct dht *node_engine(struct node *node, int engine)
{
    return node->engines[engine];
}

struct fake_node_seen *fake_node_seen(struct node *node)
{
    return &node->seen;
}

struct dht_crypto fake_node_crypto(const struct node *node)
{
    return node->crypto;
}

bool node_restore(struct node *node, enum node_row_kind kind, struct dht_span key,
                  struct dht_span value)
{
    (void)key;
    (void)value;
    node->seen.restored[node->seen.restored_count++ % FAKE_NODE_RESTORED] = kind;
    return true;
}

bool node_key_added(struct node *node, const char *label, const uint8_t key[DHT_KEY_LEN],
                    const char *path)
{
    (void)key;
    (void)path;
    snprintf(node->seen.key_label, sizeof node->seen.key_label, "%s", label);
    node->seen.keys++;
    return true;
}

void node_key_removed(struct node *node, const char *label)
{
    (void)label;
    node->seen.keys--;
}

void node_start(struct node *node, int64_t now_us)
{
    enter(node, now_us);
    node->seen.is_started = true;
}

void node_wall(struct node *node, int64_t now_us, int64_t wall_us)
{
    enter(node, now_us);
    node->seen.wall_us = wall_us;
}

void node_driver_counters(struct node *node, const struct node_driver_counter *counters,
                          size_t count)
{
    (void)node;
    (void)counters;
    (void)count;
}

void node_receive(struct node *node, int64_t now_us, int engine,
                  const struct dht_datagram *datagrams, size_t count)
{
    enter(node, now_us);
    dht_receive(node->engines[engine], now_us, datagrams, count);
}

void node_unreachable(struct node *node, int64_t now_us, int engine, const struct dht_addr *addr)
{
    enter(node, now_us);
    dht_unreachable(node->engines[engine], now_us, addr);
}

void node_bootstrap(struct node *node, int64_t now_us, int engine, const struct dht_addr *addrs,
                    size_t count)
{
    enter(node, now_us);
    dht_bootstrap(node->engines[engine], now_us, addrs, count);
}

void node_set_publishing(struct node *node, uint32_t ttl_s, int64_t renew_us)
{
    (void)node;
    (void)ttl_s;
    (void)renew_us;
}

void node_stop(struct node *node, int64_t now_us)
{
    (void)node;
    (void)now_us;
}

bool node_is_parting(const struct node *node)
{
    (void)node;
    return false;
}

void node_network_changed(struct node *node, int64_t now_us)
{
    enter(node, now_us);
}

void node_tick(struct node *node, int64_t now_us)
{
    enter(node, now_us);
    for (int i = 0; i < node->engine_count; i++)
        dht_tick(node->engines[i], now_us);
}

int64_t node_deadline(const struct node *node)
{
    int64_t deadline_us = INT64_MAX;
    for (int i = 0; i < node->engine_count; i++) {
        int64_t own_us = dht_deadline(node->engines[i]);
        deadline_us = own_us < deadline_us ? own_us : deadline_us;
    }
    return deadline_us;
}

void node_written(struct node *node, int64_t now_us, uint64_t write_id, bool ok)
{
    enter(node, now_us);
    answer(node, (uint32_t)write_id, ok ? 'W' : 'w', 1);
}

// ---- sessions ----

uint32_t node_session_open(struct node *node, int64_t now_us, enum node_access access)
{
    enter(node, now_us);
    node->seen.access = access;
    for (uint32_t i = 1; i < SESSIONS && i <= node->config.sessions_max; i++) {
        if (node->open[i])
            continue;
        node->open[i] = true;
        node->seen.sessions++;
        return i;
    }
    return 0;
}

static void take_byte(struct node *node, uint32_t session, uint8_t byte)
{
    struct node_out *out;
    switch (byte) {
    case 'e':
        answer(node, session, 'E', 1);
        break;
    case 'b':
        answer(node, session, 'B', FAKE_NODE_BIG);
        break;
    case 'h':
        answer(node, session, 'H', 1);
        put(node, NODE_OUT_HANGUP, NULL, 0)->session = session;
        node->open[session] = false;
        node->seen.sessions--;
        break;
    case 'w':
        out = put(node, NODE_OUT_WRITE, NULL, 0);
        out->write.write_id = session;
        out->write.durable = true;
        out->write.kind = NODE_ROW_META;
        out->write.key = out->write.value = (struct dht_span){(const uint8_t *)"row", 3};
        break;
    case 'k':
        out = put(node, NODE_OUT_KEY, NULL, 0);
        out->key.key_request = session;
        out->key.verb = NODE_KEY_NEW;
        out->key.label = "made";
        break;
    default:
        answer(node, session, '?', 1);
    }
}

void node_session_bytes(struct node *node, int64_t now_us, uint32_t session, struct dht_span bytes)
{
    enter(node, now_us);
    node->seen.received += bytes.len;
    for (size_t i = 0; i < bytes.len && node->open[session]; i++)
        take_byte(node, session, bytes.data[i]);
}

void node_session_sent(struct node *node, int64_t now_us, uint32_t session, size_t len)
{
    enter(node, now_us);
    assert(node->open[session]);
    node->seen.sent += len;
}

void node_session_closed(struct node *node, int64_t now_us, uint32_t session)
{
    enter(node, now_us);
    assert(node->open[session]);
    node->open[session] = false;
    node->seen.sessions--;
}

void node_key_answered(struct node *node, int64_t now_us, const struct node_key_answer *said)
{
    enter(node, now_us);
    node->seen.key_code = said->code;
    answer(node, said->key_request, said->code == 0 ? 'K' : 'x', 1);
}

// ---- outputs ----

static bool next_datagram(struct node *node, struct node_out *ret_out)
{
    struct dht_out out;
    for (int i = 0; i < node->engine_count; i++) {
        while (dht_next(node->engines[i], &out)) {
            if (out.type != DHT_OUT_DATAGRAM)
                continue;
            *ret_out =
                (struct node_out){.type = NODE_OUT_DATAGRAM, .engine = i, .datagram = out.datagram};
            return true;
        }
    }
    return false;
}

bool node_next(struct node *node, struct node_out *ret_out)
{
    struct output *output = node->first;
    if (output == NULL)
        return next_datagram(node, ret_out);
    node->first = output->next;
    if (node->first == NULL)
        node->last = &node->first;
    output->next = node->taken;
    node->taken = output;
    *ret_out = output->out;
    return true;
}
