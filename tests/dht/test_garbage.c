// SPDX-License-Identifier: MIT
// Engines that are told nonsense. Datagrams change on their way, strangers send noise and pieces of
// what they have heard, operations start and are cancelled at random, all tables are small. No
// assertion of the engine may fail, every bound holds, and a tick always leaves a deadline ahead.
#include "tests/dht/network.h"

#include "dht/addr.h"
#include "dht/engine.h"
#include "dht/id.h"
#include "tests/core/crypto_helper.h"

#include <stdlib.h>

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define NODES 24
#define STEPS 600
#define HEARD 64

// What went over the wire lately, to be sent again by anybody.
struct heard {
    struct network_datagram datagrams[HEARD];
    size_t count;
    uint32_t mutate_percent;
    uint32_t ops[NODES];
};

static uint32_t below(struct network *network, uint32_t bound)
{
    return (uint32_t)(network_random(network) % bound);
}

// ---- mutation ----

static void cut(struct network *network, struct network_datagram *datagram)
{
    datagram->len = below(network, (uint32_t)datagram->len + 1);
}

static void flip(struct network *network, struct network_datagram *datagram)
{
    for (uint32_t i = below(network, 4) + 1; i > 0; i--)
        datagram->bytes[below(network, (uint32_t)datagram->len)] ^=
            (uint8_t)(1 << below(network, 8));
}

// Another character of those that mean something.
static void respell(struct network *network, struct network_datagram *datagram)
{
    static const char alphabet[] = "0123456789:dileaqrtvyk-";
    for (uint32_t i = below(network, 3) + 1; i > 0; i--)
        datagram->bytes[below(network, (uint32_t)datagram->len)] =
            (uint8_t)alphabet[below(network, sizeof alphabet - 1)];
}

static void repeat(struct network *network, struct network_datagram *datagram)
{
    size_t from = below(network, (uint32_t)datagram->len);
    size_t len = below(network, (uint32_t)(datagram->len - from) + 1);
    if (datagram->len + len > sizeof datagram->bytes)
        return;
    memmove(datagram->bytes + from + len, datagram->bytes + from, datagram->len - from);
    datagram->len += len;
}

static void splice(struct network *network, struct network_datagram *datagram)
{
    const struct heard *heard = network->ctx;
    const struct network_datagram *other = &heard->datagrams[below(network, HEARD)];
    size_t at = below(network, (uint32_t)datagram->len);
    if (other->len <= at)
        return;
    memcpy(datagram->bytes + at, other->bytes + at, other->len - at);
    datagram->len = other->len;
}

// Bytes of a string, of any string, become others: the message stays well-formed.
static void scramble(struct network *network, struct network_datagram *datagram)
{
    for (size_t i = 0; i + 4 < datagram->len; i++) {
        if (memcmp(datagram->bytes + i, "20:", 3) != 0 || below(network, 3) != 0)
            continue;
        for (size_t j = i + 3; j < i + 23 && j < datagram->len; j++)
            datagram->bytes[j] = (uint8_t)network_random(network);
    }
}

static void mutate(struct network *network, struct network_datagram *datagram)
{
    static void (*const ways[])(struct network *, struct network_datagram *) = {
        cut, flip, respell, repeat, splice, scramble};
    if (datagram->len > 0)
        ways[below(network, sizeof ways / sizeof ways[0])](network, datagram);
}

static bool on_datagram(struct network *network, struct network_datagram *datagram)
{
    struct heard *heard = network->ctx;
    heard->datagrams[heard->count++ % HEARD] = *datagram;
    if (below(network, 100) < heard->mutate_percent)
        mutate(network, datagram);
    return true;
}

// ---- what strangers do ----

static void make_noise(struct network *network)
{
    struct heard *heard = network->ctx;
    size_t node = below(network, NODES);
    struct network_datagram datagram = heard->datagrams[below(network, HEARD)];
    struct dht_addr from = network->addrs[below(network, NODES)];
    if (below(network, 4) == 0)
        from.port = (uint16_t)network_random(network);
    if (below(network, 4) == 0)
        from.ip[below(network, 4)] = (uint8_t)network_random(network);
    if (below(network, 2) == 0)
        mutate(network, &datagram);
    network_inject(network, node, &from, datagram.bytes, datagram.len);
}

// ---- what the driver does ----

static struct dht_id some_id(struct network *network)
{
    struct dht_id id = {{0}};
    id.bytes[0] = (uint8_t)below(network, 4);
    return id;
}

// Immutable, or signed by the one key there is; of four sequence numbers and two values.
static struct dht_item some_item(struct network *network)
{
    static uint8_t secret[32] = {1};
    static const char *const values[] = {"5:value", "d1:ai1ee"};
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {.is_mutable = below(network, 2) == 0};
    const char *value = values[below(network, 2)];
    item.value = (struct dht_span){(const uint8_t *)value, strlen(value)};
    if (!item.is_mutable) {
        helper_sha1(NULL, &item.value, 1, item.target.bytes);
        return item;
    }
    helper_unhex("cecc1507dc1ddd7295951c290888f095adb9044d1b73d696e6df065d683bd4fc", item.key, 32);
    item.seq = below(network, 4);
    size_t len = dht_krpc_signed_text(item.salt, item.seq, item.value, text);
    assert_true(helper_sign(secret, item.key, (struct dht_span){text, len}, item.sig));
    struct dht_span key = {item.key, sizeof item.key};
    helper_sha1(NULL, &key, 1, item.target.bytes);
    return item;
}

static void start_lookup(struct network *network, size_t node)
{
    struct heard *heard = network->ctx;
    struct dht *dht = network->nodes[node];
    struct dht_id id = some_id(network);
    struct dht_item item = some_item(network);
    struct dht_get get = {.target = below(network, 4) == 0 ? id : item.target,
                          .seq_known = (int64_t)below(network, 3) - 1,
                          .settle = below(network, 4),
                          .hold = below(network, 2) == 0,
                          .trace = true};
    uint32_t op = 0;
    switch (below(network, 7)) {
    case 0:
    case 6:
        op = dht_get(dht, network->now_us, &get);
        break;
    case 1:
        op = dht_put(dht, network->now_us, &item, (int64_t)below(network, 3) - 1, heard->ops[node]);
        break;
    case 2:
        op = dht_find_node(dht, network->now_us, &id, true);
        break;
    case 3:
        op = dht_get_peers(dht, network->now_us, &id, true);
        break;
    case 4:
        op = dht_announce(dht, network->now_us, &id, (uint16_t)below(network, 2));
        break;
    default:
        op = dht_ping(dht, network->now_us, &network->addrs[below(network, NODES)]);
    }
    heard->ops[node] = op;
}

static void act(struct network *network)
{
    struct heard *heard = network->ctx;
    size_t node = below(network, NODES);
    struct dht *dht = network->nodes[node];
    const struct dht_addr *other = &network->addrs[below(network, NODES)];
    struct dht_id id = some_id(network);
    struct dht_item item = some_item(network);
    switch (below(network, 8)) {
    case 0:
        dht_cancel(dht, heard->ops[node]);
        break;
    case 1:
        dht_cancel(dht, (uint32_t)network_random(network));
        break;
    case 2:
        dht_unreachable(dht, network->now_us, other);
        break;
    case 3:
        dht_restore_contact(dht, network->now_us, &id, other);
        break;
    case 4:
        dht_bootstrap(dht, network->now_us, other, 1);
        break;
    case 5:
        dht_restore_item(dht, network->now_us, &item, network->now_us + 1000000);
        break;
    default:
        start_lookup(network, node);
    }
    network_drain(network, node);
}

// ---- what has to hold ----

static void check_table(const struct dht_table *table)
{
    uint32_t count = 0;
    for (uint32_t depth = 0; depth < table->bucket_count; depth++) {
        const struct dht_bucket *bucket = &table->buckets[depth];
        assert_true(bucket->count <= dht_table_bucket_capacity(table, depth));
        assert_true(bucket->replacement_count <= table->replacements_max);
        count += bucket->count;
        for (uint16_t i = 0; i < bucket->count; i++) {
            struct dht_id id = dht_contact_id(dht_table_at(table, bucket, i));
            assert_int_equal(dht_id_common_bits(&table->own, &id), depth);
        }
    }
    assert_int_equal(count, table->count);
}

// Each address once, and no more of a prefix than the caps say.
static void check_diversity(const struct dht *dht)
{
    struct dht_contact_info contacts[256];
    size_t count = dht_contacts(dht, contacts, 256);
    for (size_t i = 0; i < count; i++) {
        size_t same_prefix = 0;
        for (size_t j = 0; j < count; j++) {
            assert_false(i != j && dht_addr_equal_ip(&contacts[i].addr, &contacts[j].addr));
            same_prefix += dht_addr_prefix(&contacts[i].addr) == dht_addr_prefix(&contacts[j].addr);
        }
        assert_true(same_prefix <= DHT_TABLE_PREFIX_TABLE);
    }
}

static void check(struct network *network)
{
    for (size_t i = 0; i < NODES; i++) {
        const struct dht *dht = network->nodes[i];
        struct dht_info info;
        dht_info(dht, &info);
        assert_true(info.ops <= dht->config.ops_max);
        assert_true(info.queries <= dht->config.queries_max);
        assert_true(info.items <= dht->config.items_max);
        assert_true(info.peers <= dht->config.peers_max);
        assert_true(dht->outbox.capacity <= dht->config.outbox_max);
        assert_true(dht_deadline(dht) > network->now_us);
        check_table(&dht->table);
        if (!dht->config.lab)
            check_diversity(dht);
    }
}

static void make_small(size_t node, struct dht_config *config)
{
    config->ops_max = 6;
    config->queries_max = 32;
    config->candidates_max = 40;
    config->items_max = 5;
    config->peers_max = 5;
    config->sources_max = 16;
    config->outbox_max = 16384;
    config->bucket_size = 2;
    config->first_bucket_size = 4;
    config->replacements = 2;
    config->item_lifetime_us = 20 * DHT_SECOND_US;
    config->peer_lifetime_us = 20 * DHT_SECOND_US;
    if (node % 3 == 0)
        config->role = DHT_ROLE_SERVER;
}

static void make_public(size_t node, struct dht_config *config)
{
    make_small(node, config);
    config->lab = false;
    config->addr.ip[0] = 20;
    config->addr.ip[1] = (uint8_t)node;
    config->addr.ip[2] = (uint8_t)(node / 4);
}

static void rave(void (*configure)(size_t node, struct dht_config *config), uint64_t seed)
{
    struct network *network = calloc(1, sizeof *network);
    struct heard *heard = calloc(1, sizeof *heard);
    assert_true(network != NULL && heard != NULL);
    network_init(network, NODES, seed, configure);
    network->ctx = heard;
    network->on_datagram = on_datagram;
    network->loss_percent = 5;
    network->disturbed = true;
    network_run(network, 10 * DHT_SECOND_US);
    for (int step = 0; step < STEPS; step++) {
        // Quiet spells, so that there is a network to be disturbed.
        heard->mutate_percent = step % 100 < 60 ? 15 : 0;
        network->latency_us = below(network, 5) == 0 ? 700000 : 20000;
        for (uint32_t i = below(network, 8); i > 0; i--)
            act(network);
        for (uint32_t i = below(network, 8); i > 0; i--)
            make_noise(network);
        network_run(network, below(network, 40) == 0 ? 30 * DHT_SECOND_US : below(network, 300000));
        check(network);
    }
    network_fini(network);
    free(heard);
    free(network);
}

static void test_lab(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 4; seed++)
        rave(make_small, seed);
}

static void test_public(void **state)
{
    (void)state;
    for (uint64_t seed = 11; seed <= 14; seed++)
        rave(make_public, seed);
}

// Noise alone, of any length, from anywhere.
static void test_noise(void **state)
{
    struct network network;
    (void)state;
    network_init(&network, 2, 5, NULL);
    network.disturbed = true;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[200];
        struct dht_addr from = {.ip_len = below(&network, 8) == 0 ? 16 : 4};
        size_t len = below(&network, sizeof bytes);
        for (size_t j = 0; j < len; j++)
            bytes[j] =
                (uint8_t)(network_random(&network) % 3 == 0 ? "dlei0123456789:"[below(&network, 15)]
                                                            : (int)network_random(&network));
        from.port = (uint16_t)network_random(&network);
        from.ip[0] = (uint8_t)network_random(&network);
        if (len > 0)
            bytes[0] = 'd';
        network_inject(&network, 0, &from, bytes, len);
    }
    network_run(&network, 5 * DHT_SECOND_US);
    network_fini(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lab),
        cmocka_unit_test(test_public),
        cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
