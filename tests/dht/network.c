// SPDX-License-Identifier: MIT
#include "tests/dht/network.h"

#include "dht/addr.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/strict.h"

#include <stdlib.h>

// splitmix64.
uint64_t network_random(struct network *network)
{
    uint64_t z = network->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool is_sooner(const struct network_datagram *a, const struct network_datagram *b)
{
    return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(struct network *network, size_t a, size_t b)
{
    struct network_datagram *held = network->queue[a];
    network->queue[a] = network->queue[b];
    network->queue[b] = held;
}

static void push(struct network *network, struct network_datagram *datagram)
{
    if (network->queue_len == network->queue_capacity) {
        network->queue_capacity = network->queue_capacity == 0 ? 64 : network->queue_capacity * 2;
        network->queue = realloc(network->queue, network->queue_capacity * sizeof *network->queue);
    }
    size_t at = network->queue_len++;
    network->queue[at] = datagram;
    while (at > 0 && is_sooner(network->queue[at], network->queue[(at - 1) / 2])) {
        swap(network, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct network_datagram *pop(struct network *network)
{
    struct network_datagram *first = network->queue[0];
    network->queue[0] = network->queue[--network->queue_len];
    size_t at = 0;
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
            if (child < network->queue_len &&
                is_sooner(network->queue[child], network->queue[least]))
                least = child;
        if (least == at)
            return first;
        swap(network, at, least);
        at = least;
    }
}

void network_init(struct network *network, size_t count, uint64_t seed,
                  void (*configure)(size_t node, struct dht_config *config))
{
    static const struct dht_crypto crypto = {NULL, helper_sha1, helper_sha256, helper_verify,
                                             helper_sign};
    *network = (struct network){.count = count, .random = seed, .latency_us = 20 * 1000};
    network->now_us = 1000000;
    for (size_t i = 0; i < count; i++) {
        struct dht_config config;
        uint8_t node_seed[32];
        network->addrs[i] =
            (struct dht_addr){.ip = {127, 0, 0, 1}, .ip_len = 4, .port = (uint16_t)(10001 + i)};
        dht_config_init(&config, DHT_IPV4);
        config.lab = true;
        config.addr = network->addrs[i];
        if (configure != NULL)
            configure(i, &config);
        network->addrs[i] = config.addr;
        for (size_t j = 0; j < sizeof node_seed; j++)
            node_seed[j] = (uint8_t)network_random(network);
        network->nodes[i] = dht_new(&config, &crypto, node_seed, network->now_us);
        assert(network->nodes[i] != NULL);
        if (i > 0)
            dht_bootstrap(network->nodes[i], network->now_us, &network->addrs[0], 1);
    }
}

void network_fini(struct network *network)
{
    for (size_t i = 0; i < network->count; i++)
        dht_free(network->nodes[i]);
    while (network->queue_len > 0)
        free(pop(network));
    free(network->queue);
}

// What our own nodes say to each other is what the narrowest decoder takes.
static void check_strictly(const struct network *network, const struct dht_datagram *out)
{
    const struct strict_rules rules = {
        .family = DHT_IPV4, .any_reply_tid = network->disturbed, .any_value = network->disturbed};
    const char *fault = strict_check(out->bytes, &rules);
    if (fault != NULL)
        fprintf(stderr, "the strict decoder refuses: %s\n", fault);
    assert(fault == NULL);
}

static void send(struct network *network, size_t node, const struct dht_datagram *out)
{
    check_strictly(network, out);
    network->sent++;
    if (network_random(network) % 100 < network->loss_percent)
        return;
    struct network_datagram *datagram = malloc(sizeof *datagram);
    datagram->from = network->addrs[node];
    datagram->to = out->addr;
    datagram->len = out->bytes.len;
    datagram->order = network->sent;
    datagram->due_us = network->now_us + network->latency_us +
                       (int64_t)(network_random(network) % (uint64_t)network->latency_us);
    memcpy(datagram->bytes, out->bytes.data, out->bytes.len);
    if (network->on_datagram != NULL && !network->on_datagram(network, datagram)) {
        free(datagram);
        return;
    }
    push(network, datagram);
}

void network_drain(struct network *network, size_t node)
{
    struct dht_out out;
    while (dht_next(network->nodes[node], &out)) {
        if (out.type == DHT_OUT_DATAGRAM)
            send(network, node, &out.datagram);
        else if (network->on_event != NULL)
            network->on_event(network, node, &out);
    }
}

void network_inject(struct network *network, size_t node, const struct dht_addr *from,
                    const void *bytes, size_t len)
{
    struct dht_datagram datagram = {*from, {bytes, len}};
    dht_receive(network->nodes[node], network->now_us, &datagram, 1);
    network_drain(network, node);
}

static void deliver(struct network *network, const struct network_datagram *datagram)
{
    size_t node = (size_t)(datagram->to.port - 10001);
    if (node >= network->count || network->dead[node])
        return;
    for (size_t i = 0; i < datagram->len; i++)
        network->trace = (network->trace ^ datagram->bytes[i]) * UINT64_C(0x100000001b3);
    network->trace ^= (uint64_t)datagram->due_us;
    network_inject(network, node, &datagram->from, datagram->bytes, datagram->len);
}

// The next moment at which something happens.
static int64_t next_moment(const struct network *network)
{
    int64_t next_us = network->queue_len > 0 ? network->queue[0]->due_us : INT64_MAX;
    for (size_t i = 0; i < network->count; i++) {
        int64_t deadline_us = dht_deadline(network->nodes[i]);
        if (!network->dead[i] && deadline_us < next_us)
            next_us = deadline_us;
    }
    return next_us;
}

void network_run(struct network *network, int64_t duration_us)
{
    int64_t end_us = network->now_us + duration_us;
    for (;;) {
        int64_t next_us = next_moment(network);
        if (next_us > end_us)
            break;
        if (next_us > network->now_us)
            network->now_us = next_us;
        while (network->queue_len > 0 && network->queue[0]->due_us <= network->now_us) {
            struct network_datagram *datagram = pop(network);
            deliver(network, datagram);
            free(datagram);
        }
        for (size_t i = 0; i < network->count; i++) {
            if (network->dead[i] || dht_deadline(network->nodes[i]) > network->now_us)
                continue;
            dht_tick(network->nodes[i], network->now_us);
            network_drain(network, i);
        }
    }
    network->now_us = end_us;
}
