// SPDX-License-Identifier: MIT
// Small networks of real engines in virtual time: they find each other, store and find items and
// peers, and do so the same way twice.
#include "tests/dht/network.h"

#include "dht/addr.h"
#include "dht/found.h"
#include "dht/id.h"
#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#include "tests/dht/item_helper.h"

#define SECOND INT64_C(1000000)

// What the operations of a test have come to.
struct outcome {
    uint32_t op;
    bool done;
    bool found;
    int64_t seq;
    uint8_t value[DHT_VALUE_LEN_MAX];
    size_t value_len;
    struct dht_tally tally;
    size_t peers;
    int64_t ended_us;
};

static void on_event(struct network *network, size_t node, const struct dht_out *event)
{
    struct outcome *outcome = network->ctx;
    (void)node;
    if (outcome == NULL || event->op != outcome->op)
        return;
    if (event->type == DHT_OUT_ITEM) {
        outcome->found = true;
        outcome->seq = event->found.item.seq;
        outcome->value_len = event->found.item.value.len;
        memcpy(outcome->value, event->found.item.value.data, outcome->value_len);
    } else if (event->type == DHT_OUT_PEERS) {
        outcome->peers += event->peers.count;
    } else if (event->type == DHT_OUT_DONE) {
        outcome->done = true;
        outcome->tally = event->done.tally;
        outcome->ended_us = network->now_us;
    }
}

static void start(struct network *network, size_t count, uint64_t seed)
{
    network_init(network, count, seed, NULL);
    network->on_event = on_event;
    network_run(network, 30 * SECOND);
}

static const char hello[] = "5:hello";

static struct dht_item immutable_item(void)
{
    struct dht_item item = {.value = {(const uint8_t *)hello, sizeof hello - 1}};
    helper_sha1(NULL, &item.value, 1, item.target.bytes);
    return item;
}

static void test_all_join(void **state)
{
    struct network network;
    (void)state;
    start(&network, 64, 1);
    for (size_t i = 0; i < network.count; i++) {
        struct dht_info info;
        dht_info(network.nodes[i], &info);
        assert_true(info.joined);
        assert_in_range(info.contacts, 30, 63);
        assert_int_equal(info.ops, 0);
        assert_int_equal(info.counters.drop_malformed, 0);
        assert_int_equal(info.counters.drop_wrong_id, 0);
    }
    network_fini(&network);
}

static void put_and_get(struct network *network, const struct dht_item *item, size_t from,
                        size_t to)
{
    struct outcome put = {0};
    network->ctx = &put;
    put.op = dht_put(network->nodes[from], network->now_us, item, DHT_SEQ_NONE, 0);
    network_drain(network, from);
    network_run(network, 20 * SECOND);
    assert_true(put.done);
    assert_int_equal(put.tally.stored, put.tally.targets);
    assert_true(put.tally.targets >= 20 && put.tally.targets < 40); // the region holds more

    struct outcome get = {0};
    network->ctx = &get;
    struct dht_get request = {
        .target = item->target, .salt = item->salt, .seq_known = DHT_SEQ_NONE, .settle = 3};
    int64_t begun_us = network->now_us;
    get.op = dht_get(network->nodes[to], network->now_us, &request);
    network_drain(network, to);
    network_run(network, 20 * SECOND);
    assert_true(get.done);
    assert_true(get.found);
    assert_int_equal(get.seq, item->seq);
    assert_int_equal(get.value_len, item->value.len);
    assert_memory_equal(get.value, item->value.data, get.value_len);
    assert_in_range(get.ended_us - begun_us, 0, SECOND);
    network->ctx = NULL;
}

static void test_immutable(void **state)
{
    struct network network;
    (void)state;
    start(&network, 64, 2);
    struct dht_item item = immutable_item();
    put_and_get(&network, &item, 5, 40);
    network_fini(&network);
}

// On the internet: addresses that have nothing in common.
static void on_internet(size_t node, struct dht_config *config)
{
    const uint8_t ip[4] = {(uint8_t)(20 + node), (uint8_t)(7 * node), 1, 1};
    memcpy(config->addr.ip, ip, sizeof ip);
    config->lab = false;
}

// Counts the queries of node 40 for the neighbours of the item, in the outcome's peers.
static bool count_find_node(struct network *network, struct network_datagram *datagram)
{
    struct outcome *outcome = network->ctx;
    struct dht_krpc msg;
    bool is_find_node = dht_krpc_parse((struct dht_span){datagram->bytes, datagram->len}, &msg) &&
                        msg.type == DHT_KRPC_QUERY && msg.method == DHT_KRPC_FIND_NODE &&
                        memcmp(msg.target.data, outcome->value, DHT_ID_LEN) == 0;
    outcome->peers += is_find_node && dht_addr_equal(&datagram->from, &network->addrs[40]);
    return true;
}

// Who returns the item names nobody to a stranger: who wants more than one answer asks the closest
// for their neighbours.
static void test_neighbours(void **state)
{
    static const struct row {
        const char *name;
        uint32_t settle;
        size_t least, most;
    } rows[] = {{"at once", 1, 0, 0}, {"settled", 3, 1, 6}, {"to the end", 0, 1, 6}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network network;
        struct dht_item item = immutable_item();
        struct outcome outcome = {0};
        network_init(&network, 64, 31, on_internet);
        network_run(&network, 30 * SECOND);
        dht_put(network.nodes[5], network.now_us, &item, DHT_SEQ_NONE, 0);
        network_drain(&network, 5);
        network_run(&network, 3600 * SECOND); // nobody is proven any more
        memcpy(outcome.value, item.target.bytes, DHT_ID_LEN);
        network.ctx = &outcome;
        network.on_datagram = count_find_node;
        struct dht_get get = {
            .target = item.target, .seq_known = DHT_SEQ_NONE, .settle = rows[i].settle};
        outcome.op = dht_get(network.nodes[40], network.now_us, &get);
        network_drain(&network, 40);
        network_run(&network, 20 * SECOND);
        if (outcome.peers < rows[i].least || outcome.peers > rows[i].most)
            fail_msg("%s: %zu", rows[i].name, outcome.peers);
        network_fini(&network);
    }
}

// The network is the others and ourselves: what only we hold, we find.
static void test_two_nodes(void **state)
{
    struct network network;
    (void)state;
    start(&network, 2, 21);
    struct dht_item item = immutable_item();
    struct outcome put = {0};
    network.ctx = &put;
    put.op = dht_put(network.nodes[0], network.now_us, &item, DHT_SEQ_NONE, 0);
    network_drain(&network, 0);
    network_run(&network, 20 * SECOND);
    assert_int_equal(put.tally.stored, 1);
    assert_int_equal(put.tally.targets, 1);
    for (size_t node = 0; node < 2; node++) {
        struct outcome get = {0};
        struct dht_get request = {.target = item.target, .seq_known = DHT_SEQ_NONE};
        network.ctx = &get;
        get.op = dht_get(network.nodes[node], network.now_us, &request);
        network_drain(&network, node);
        network_run(&network, 20 * SECOND);
        assert_true(get.found);
        assert_int_equal(get.tally.copies, 2);
    }
    network_fini(&network);
}

static void test_mutable(void **state)
{
    struct network network;
    (void)state;
    start(&network, 64, 3);
    struct dht_item item = helper_signed_item("3:one", "web", 7);
    put_and_get(&network, &item, 1, 2);
    item = helper_signed_item("3:two", "web", 8);
    put_and_get(&network, &item, 3, 2);
    network_fini(&network);
}

static void test_same_trace_twice(void **state)
{
    uint64_t traces[2];
    (void)state;
    for (int run = 0; run < 2; run++) {
        struct network network;
        network_init(&network, 50, 99, NULL);
        network.loss_percent = 10;
        network_run(&network, 120 * SECOND);
        struct dht_item item = immutable_item();
        dht_put(network.nodes[7], network.now_us, &item, DHT_SEQ_NONE, 0);
        network_drain(&network, 7);
        network_run(&network, 120 * SECOND);
        traces[run] = network.trace;
        network_fini(&network);
    }
    assert_int_equal(traces[0], traces[1]);
}

static void test_under_loss(void **state)
{
    struct network network;
    (void)state;
    start(&network, 64, 4);
    struct dht_item item = helper_signed_item("4:lost", "", 1);
    struct outcome put = {0};
    network.ctx = &put;
    network.loss_percent = 30;
    put.op = dht_put(network.nodes[9], network.now_us, &item, DHT_SEQ_NONE, 0);
    network_drain(&network, 9);
    network_run(&network, 30 * SECOND);
    assert_true(put.done);
    assert_in_range(put.tally.stored, 12, 20);
    for (size_t i = 10; i < 60; i++) {
        struct outcome get = {0};
        struct dht_get request = {.target = item.target, .seq_known = DHT_SEQ_NONE, .settle = 3};
        network.ctx = &get;
        get.op = dht_get(network.nodes[i], network.now_us, &request);
        network_drain(&network, i);
        network_run(&network, 30 * SECOND);
        assert_true(get.done);
        assert_true(get.found);
    }
    network_fini(&network);
}

static void test_cancel_leaves_nothing(void **state)
{
    struct network network;
    (void)state;
    start(&network, 32, 5);
    for (int64_t after_us = 0; after_us < 200 * 1000; after_us += 7 * 1000) {
        struct outcome get = {0};
        struct dht_info info;
        struct dht_get request = {.target = {{1, 2, 3}}, .seq_known = DHT_SEQ_NONE};
        network.ctx = &get;
        get.op = dht_get(network.nodes[3], network.now_us, &request);
        network_drain(&network, 3);
        network_run(&network, after_us);
        dht_cancel(network.nodes[3], get.op);
        dht_cancel(network.nodes[3], get.op);
        dht_info(network.nodes[3], &info);
        assert_int_equal(info.ops, 0);
        uint64_t sent = info.counters.queries_sent;
        bool done = get.done;
        network_run(&network, SECOND);
        dht_info(network.nodes[3], &info);
        assert_int_equal(info.counters.queries_sent, sent);
        assert_int_equal(get.done, done);
    }
    network_fini(&network);
}

static void test_announce_and_get_peers(void **state)
{
    struct network network;
    (void)state;
    start(&network, 64, 6);
    struct dht_id info_hash = {{9, 9, 9}};
    for (size_t i = 20; i < 30; i++) {
        struct outcome announce = {0};
        network.ctx = &announce;
        announce.op = dht_announce(network.nodes[i], network.now_us, &info_hash, 0);
        network_drain(&network, i);
        network_run(&network, 5 * SECOND);
        assert_true(announce.done);
        assert_true(announce.tally.stored >= 20 && announce.tally.stored < 40);
    }
    struct outcome get = {0};
    network.ctx = &get;
    get.op = dht_get_peers(network.nodes[50], network.now_us, &info_hash, false);
    network_drain(&network, 50);
    network_run(&network, 5 * SECOND);
    assert_true(get.done);
    assert_int_equal(get.peers, 10);
    network_fini(&network);
}

static void test_a_third_dies(void **state)
{
    struct network network;
    (void)state;
    start(&network, 90, 7);
    struct dht_item item = immutable_item();
    put_and_get(&network, &item, 1, 2);
    for (size_t i = 3; i < network.count; i += 3)
        network.dead[i] = true;
    for (size_t i = 4; i < network.count; i += 3) {
        struct outcome get = {0};
        struct dht_get request = {.target = item.target, .seq_known = DHT_SEQ_NONE, .settle = 3};
        network.ctx = &get;
        get.op = dht_get(network.nodes[i], network.now_us, &request);
        network_drain(&network, i);
        network_run(&network, 10 * SECOND);
        assert_true(get.found);
    }
    // Some hours later nobody passes the dead on any more: with one query a minute for upkeep each
    // of thirty has to be silent three times.
    network.ctx = NULL;
    network_run(&network, 10 * 3600 * SECOND);
    struct dht_contact_info contacts[128];
    size_t count = dht_contacts(network.nodes[1], contacts, 128);
    for (size_t i = 0; i < count; i++)
        assert_false(network.dead[contacts[i].addr.port - 10001]);
    network_fini(&network);
}

// With nothing to look up, nodes keep to the allowance of their upkeep: less than one query a
// minute.
static void test_idle(void **state)
{
    struct network network;
    uint64_t before[60];
    struct dht_info info;
    (void)state;
    start(&network, 60, 11);
    network_run(&network, 8 * 3600 * SECOND); // the first allowance is spent
    for (size_t i = 0; i < network.count; i++) {
        dht_info(network.nodes[i], &info);
        before[i] = info.counters.queries_sent;
    }
    network_run(&network, 4 * 3600 * SECOND);
    for (size_t i = 0; i < network.count; i++) {
        dht_info(network.nodes[i], &info);
        assert_in_range(info.counters.queries_sent - before[i], 60, 240);
    }
    network_fini(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_join),
        cmocka_unit_test(test_immutable),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_two_nodes),
        cmocka_unit_test(test_mutable),
        cmocka_unit_test(test_same_trace_twice),
        cmocka_unit_test(test_under_loss),
        cmocka_unit_test(test_cancel_leaves_nothing),
        cmocka_unit_test(test_announce_and_get_peers),
        cmocka_unit_test(test_a_third_dies),
        cmocka_unit_test(test_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
