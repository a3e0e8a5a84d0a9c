// SPDX-License-Identifier: MIT
// Watches in small networks of real engines: what is put, announced or expires reaches those who
// watch it, whoever lies, crashes or does not know the method.
#include "tests/dht/network.h"

#include "dht/engine.h"
#include "dht/keeper.h"
#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#include "tests/dht/find.h"
#include "tests/dht/item_helper.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

// What the watches of a test have told, in all.
struct told {
    uint32_t ops[8]; // of nodes 40 to 47; 0: watches nothing
    uint32_t items, peers, gone;
    int64_t seq;
    int64_t at_us; // of the latest
    char value[16];
};

static void on_event(struct network *network, size_t node, const struct dht_out *event)
{
    struct told *told = network->ctx;
    if (told == NULL || node < 40 || node > 47 || event->op != told->ops[node - 40])
        return;
    told->at_us = network->now_us;
    if (event->type == DHT_OUT_ITEM) {
        assert_true(event->found.item.seq > told->seq || node != 40);
        told->items++;
        told->seq = event->found.item.seq;
        memcpy(told->value, event->found.item.value.data, event->found.item.value.len);
        told->value[event->found.item.value.len] = '\0';
        assert_int_equal(event->found.item.salt.len, 3);
    } else if (event->type == DHT_OUT_PEERS) {
        told->peers += (uint32_t)event->peers.count;
    } else if (event->type == DHT_OUT_GONE) {
        told->gone++;
    } else {
        fail_msg("an event of type %d", (int)event->type);
    }
}

// configure: as of network_init().
static void begin_as(struct network *network, struct told *told, size_t count, uint64_t seed,
                     void (*configure)(size_t node, struct dht_config *config))
{
    *told = (struct told){.seq = DHT_SEQ_NONE};
    network_init(network, count, seed, configure);
    network->on_event = on_event;
    network_run(network, 30 * SECOND);
    network->ctx = told; // what was before is no watch's
}

static void begin(struct network *network, struct told *told, size_t count, uint64_t seed)
{
    begin_as(network, told, count, seed, NULL);
}

static void put(struct network *network, size_t node, const char *value, int64_t seq)
{
    struct dht_item item = helper_signed_item(value, "web", seq);
    assert_true(dht_put(network->nodes[node], network->now_us, &item, DHT_SEQ_NONE, 0) != 0);
    network_drain(network, node);
    network_run(network, 10 * SECOND);
}

static void watch(struct network *network, size_t node, struct dht_watch watch)
{
    struct told *told = network->ctx;
    struct dht_item item = helper_signed_item("1:x", "web", 1);
    watch.target = item.target;
    watch.salt = item.salt;
    told->ops[node - 40] = dht_watch(network->nodes[node], network->now_us, &watch);
    assert_true(told->ops[node - 40] != 0);
    network_drain(network, node);
}

// One is published, and node 40 watches it; seq_known: what it knows of it.
static void publish_and_watch(struct network *network, int64_t seq_known)
{
    put(network, 3, "3:one", 1);
    watch(network, 40, (struct dht_watch){.seq_known = seq_known});
}

static void announce(struct network *network, size_t node, const struct dht_id *info_hash)
{
    dht_announce(network->nodes[node], network->now_us, info_hash, 0);
    network_drain(network, node);
}

// Node 20 is announced, and node 40 watches who is.
static void announce_and_watch(struct network *network, const struct dht_id *info_hash)
{
    struct told *told = network->ctx;
    struct dht_watch watch = {
        .kind = DHT_WATCH_PEERS, .target = *info_hash, .seq_known = DHT_SEQ_NONE};
    announce(network, 20, info_hash);
    network_run(network, 10 * SECOND);
    told->ops[0] = dht_watch(network->nodes[40], network->now_us, &watch);
    network_drain(network, 40);
}

static uint32_t pushing(const struct network *network, size_t node)
{
    const struct told *told = network->ctx;
    const struct dht_watching *watching =
        dht_watch_find(network->nodes[node], told->ops[node - 40]);
    uint32_t count = 0;
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        count += watching->keepers[i].state == DHT_KEEPER_PUSHING;
    return count;
}

static uint32_t watchers_left(const struct network *network)
{
    uint32_t count = 0;
    for (size_t i = 0; i < network->count; i++) {
        struct dht_info info;
        dht_info(network->nodes[i], &info);
        if (network->nodes[i]->watchers != NULL)
            dht_watcher_check(network->nodes[i]->watchers);
        count += info.watchers;
    }
    return count;
}

// What is put again reaches who watches, within moments, whether he starts with what he has or with
// nothing.
static void test_republish(void **state)
{
    static const struct row {
        const char *name;
        int64_t seq_known;
        uint32_t first; // items told at the start
    } rows[] = {
        {"knows nothing", DHT_SEQ_NONE, 1}, {"knows the first", 1, 0}, {"knows more", 5, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network network;
        struct told told;
        begin(&network, &told, 64, 100 + i);
        publish_and_watch(&network, rows[i].seq_known);
        network_run(&network, 10 * SECOND);
        if (told.items != rows[i].first || pushing(&network, 40) != 8)
            fail_msg("%s: %u items, %u keepers", rows[i].name, told.items, pushing(&network, 40));
        int64_t put_us = network.now_us;
        put(&network, 3, "3:two", 7);
        assert_int_equal(told.items, rows[i].first + 1);
        assert_string_equal(told.value, "3:two");
        assert_in_range(told.at_us - put_us, 0, SECOND);
        // The same again is no news.
        put(&network, 5, "3:two", 7);
        assert_int_equal(told.items, rows[i].first + 1);
        network_fini(&network);
    }
}

// However a watch ends, nothing of it is left behind.
static void test_nothing_left(void **state)
{
    static const struct row {
        const char *name;
        bool cancels; // else it crashes
        int64_t within_us;
    } rows[] = {{"cancelled", true, SECOND}, {"crashed", false, 1081 * SECOND}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network network;
        struct told told;
        begin(&network, &told, 64, 200 + i);
        publish_and_watch(&network, 1);
        network_run(&network, 20 * MINUTE);
        assert_int_equal(watchers_left(&network), 8);
        if (rows[i].cancels) {
            dht_cancel(network.nodes[40], told.ops[0]);
            network_drain(&network, 40);
        } else {
            network.dead[40] = true;
        }
        network_run(&network, rows[i].within_us);
        if (watchers_left(&network) != 0)
            fail_msg("%s: %u left", rows[i].name, watchers_left(&network));
        assert_int_equal(network.nodes[40]->ops.count, 0);
        assert_true(rows[i].cancels == (dht_watch_count(network.nodes[40]) == 0));
        network_fini(&network);
    }
}

// Announced peers are told as they come, each once.
static void test_peers(void **state)
{
    struct network network;
    struct told told;
    struct dht_id info_hash = {{9, 9, 9}};
    (void)state;
    begin(&network, &told, 64, 300);
    announce_and_watch(&network, &info_hash);
    network_run(&network, 10 * SECOND);
    assert_int_equal(told.peers, 1);
    assert_int_equal(pushing(&network, 40), 8);
    for (uint32_t i = 0; i < 5; i++) {
        int64_t begun_us = network.now_us;
        announce(&network, 21 + i, &info_hash);
        network_run(&network, 7 * SECOND);
        assert_int_equal(told.peers, 2 + i);
        assert_in_range(told.at_us - begun_us, 0, 2 * SECOND);
    }
    network_fini(&network);
}

// One that has changed is told again, once, however soon after a lookup has told of it.
static void test_peer_again(void **state)
{
    struct dht_id info_hash = {{9, 9, 9}};
    (void)state;
    for (int64_t pause_us = SECOND; pause_us < 6 * SECOND; pause_us += SECOND) {
        struct network network;
        struct told told;
        begin(&network, &told, 64, 310);
        announce_and_watch(&network, &info_hash);
        network_run(&network, pause_us);
        assert_int_equal(told.peers, 1);
        int64_t begun_us = network.now_us;
        dht_announce_changed(network.nodes[20], network.now_us, &info_hash, 0);
        network_drain(&network, 20);
        network_run(&network, 10 * SECOND);
        if (told.peers != 2 || told.at_us - begun_us > 2 * SECOND)
            fail_msg("%lld s after it began: told %u, after %lld ms",
                     (long long)(pause_us / SECOND), told.peers,
                     (long long)(told.at_us - begun_us) / 1000);
        // The renewals do not tell of it once more.
        network_run(&network, 15 * MINUTE);
        assert_int_equal(network.nodes[40]->counters.watch_missed, 0);
        network_fini(&network);
    }
}

// An item that nobody puts again expires with all its keepers: then it is gone, and comes again.
static void test_gone(void **state)
{
    struct network network;
    struct told told;
    (void)state;
    begin(&network, &told, 64, 400);
    publish_and_watch(&network, DHT_SEQ_NONE);
    network_run(&network, 119 * MINUTE);
    assert_int_equal(told.items, 1);
    assert_int_equal(told.gone, 0);
    network_run(&network, 5 * MINUTE);
    assert_int_equal(told.gone, 1);
    told.seq = DHT_SEQ_NONE;
    put(&network, 3, "3:one", 1);
    assert_int_equal(told.items, 2);
    assert_int_equal(told.gone, 1);
    network_fini(&network);
}

// Two watches of one target on one node have the same keepers; the end of one is not the other's.
static void test_two_of_one(void **state)
{
    struct network network;
    struct told told;
    (void)state;
    begin(&network, &told, 64, 500);
    publish_and_watch(&network, 1);
    uint32_t first = told.ops[0];
    network_run(&network, 10 * SECOND);
    watch(&network, 40, (struct dht_watch){.seq_known = 1});
    network_run(&network, 10 * SECOND);
    assert_true(first != told.ops[0]);
    dht_cancel(network.nodes[40], first);
    network_drain(&network, 40);
    network_run(&network, 10 * SECOND);
    assert_in_range(watchers_left(&network), 7, 8);
    put(&network, 3, "3:two", 2);
    assert_int_equal(told.items, 1);
    assert_string_equal(told.value, "3:two");
    dht_cancel(network.nodes[40], told.ops[0]);
    network_drain(&network, 40);
    network_run(&network, SECOND);
    assert_int_equal(watchers_left(&network), 0);
    network_fini(&network);
}

// A lookup that was held is not done again.
static void test_held(void **state)
{
    struct network network;
    struct told told;
    struct dht_info before;
    struct dht_info after;
    (void)state;
    begin(&network, &told, 64, 600);
    put(&network, 3, "3:one", 1);
    struct dht_item item = helper_signed_item("3:one", "web", 1);
    struct dht_get get = {
        .target = item.target, .salt = item.salt, .seq_known = DHT_SEQ_NONE, .hold = true};
    uint32_t held = dht_get(network.nodes[40], network.now_us, &get);
    network_drain(&network, 40);
    network_run(&network, 10 * SECOND);
    dht_info(network.nodes[40], &before);
    assert_int_equal(before.ops, 1);
    watch(&network, 40, (struct dht_watch){.seq_known = 1, .held_op = held});
    network_run(&network, 3 * SECOND);
    dht_info(network.nodes[40], &after);
    assert_int_equal(after.ops, 0);
    assert_in_range(after.counters.queries_sent - before.counters.queries_sent, 8, 12);
    assert_int_equal(pushing(&network, 40), 8);
    assert_int_equal(told.items, 0);
    put(&network, 3, "3:two", 2);
    assert_int_equal(told.items, 1);
    network_fini(&network);
}

static void hundred_watches(size_t node, struct dht_config *config)
{
    if (node == 40)
        config->watches_max = 100;
}

// Many names watched by one node, up to the bound; when all are let go nothing is left, and no id
// finds anything.
static void test_many(void **state)
{
    struct network network;
    uint32_t ops[101];
    (void)state;
    network_init(&network, 64, 700, hundred_watches);
    network_run(&network, 30 * SECOND);
    struct dht *dht = network.nodes[40];
    for (uint32_t i = 0; i < 101; i++) {
        struct dht_watch watch = {.target = {{(uint8_t)(i * 37), (uint8_t)i}},
                                  .seq_known = DHT_SEQ_NONE};
        ops[i] = dht_watch(dht, network.now_us, &watch);
        assert_true((ops[i] != 0) == (i < 100));
        network_drain(&network, 40);
        network_run(&network, SECOND / 2);
    }
    network_run(&network, MINUTE);
    dht_watch_table_check(dht->watches);
    struct dht_info info;
    dht_info(dht, &info);
    assert_int_equal(info.watches, 100);
    assert_int_equal(info.ops, 0);
    assert_int_equal(info.counters.watches_refused, 1);
    assert_in_range(watchers_left(&network), 790, 800);
    // A second id of the same place is another one.
    dht_cancel(dht, ops[7]);
    struct dht_watch watch = {.seq_known = DHT_SEQ_NONE};
    uint32_t again = dht_watch(dht, network.now_us, &watch);
    assert_true(again != 0 && again != ops[7]);
    assert_null(dht_watch_find(dht, ops[7]));
    for (uint32_t i = 0; i < 100; i++)
        dht_cancel(dht, ops[i]);
    dht_cancel(dht, again);
    network_drain(&network, 40);
    network_run(&network, SECOND);
    assert_int_equal(watchers_left(&network), 0);
    dht_rest(dht);
    assert_null(dht->watches);
    network_fini(&network);
}

// Two watches of one item by one node are one watch to others, and the second is told whatever
// becomes of the first.
static void test_shared(void **state)
{
    static const struct row {
        const char *name;
        int64_t pause_us; // before the second begins
        bool is_first_ended;
        bool is_put; // while nobody watches yet
    } rows[] = {{"at once", 0, false, true},
                {"while the first looks up, which ends", SECOND / 10, true, true},
                {"later", MINUTE, false, true},
                {"later, the first ends", MINUTE, true, true},
                {"before there is anything", MINUTE, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct network network;
        struct told told;
        begin(&network, &told, 64, 800 + i);
        if (rows[i].is_put)
            put(&network, 3, "3:old", 1);
        struct dht *dht = network.nodes[41];
        watch(&network, 41, (struct dht_watch){.seq_known = DHT_SEQ_NONE});
        uint32_t first = told.ops[1];
        network_run(&network, rows[i].pause_us);
        told.items = 0; // of the second from here on
        watch(&network, 41, (struct dht_watch){.seq_known = DHT_SEQ_NONE});
        if (rows[i].is_first_ended)
            dht_cancel(dht, first);
        network_run(&network, MINUTE);
        dht_watch_table_check(dht->watches);
        put(&network, 4, "3:new", 2);
        uint32_t expected = rows[i].is_put ? 2 : 1;
        if (told.items != expected || strcmp(told.value, "3:new") != 0 ||
            watchers_left(&network) < 7 || watchers_left(&network) > 8)
            fail_msg("%s: %u told, %s, %u kept", rows[i].name, told.items, told.value,
                     watchers_left(&network));
        dht_cancel(dht, first);
        dht_cancel(dht, told.ops[1]);
        network_drain(&network, 41);
        network_run(&network, SECOND);
        assert_int_equal(watchers_left(&network), 0);
        network_fini(&network);
    }
}

// Those who push crash: polls and a new lookup find others, and what is put is told.
static void test_keepers_crash(void **state)
{
    struct network network;
    struct told told;
    (void)state;
    begin(&network, &told, 90, 800);
    publish_and_watch(&network, 1);
    network_run(&network, MINUTE);
    const struct dht_watching *watching = dht_watch_find(network.nodes[40], told.ops[0]);
    for (uint8_t i = 0; i < 6; i++)
        network.dead[watching->keepers[i].addr.port - 10001] = true;
    network.dead[3] = false;
    network_run(&network, 20 * MINUTE);
    assert_int_equal(pushing(&network, 40), 8);
    put(&network, 5, "3:two", 2);
    assert_int_equal(told.items, 1);
    assert_int_equal(told.gone, 0);
    network_fini(&network);
}

// Nodes of today do not know the method: the reply looks like find_node's, or is an error.
static bool unlearn(struct network *network, struct network_datagram *datagram)
{
    (void)network;
    size_t at = find_bytes(datagram->bytes, datagram->len, "9:pnr_watch", 11);
    if (at != FIND_NOTHING)
        memcpy(datagram->bytes + at, "9:pnr_catch", 11);
    return true;
}

static void test_unknown_method(void **state)
{
    struct network network;
    struct told told;
    (void)state;
    begin(&network, &told, 64, 900);
    network.on_datagram = unlearn;
    publish_and_watch(&network, 1);
    network_run(&network, 10 * MINUTE);
    assert_int_equal(pushing(&network, 40), 0);
    assert_int_equal(watchers_left(&network), 0);
    put(&network, 5, "3:two", 2);
    network_run(&network, 61 * SECOND);
    assert_int_equal(told.items, 1);
    assert_string_equal(told.value, "3:two");
    network_fini(&network);
}

static void read_only(size_t node, struct dht_config *config)
{
    if (node == 40)
        config->role = DHT_ROLE_CLIENT;
}

// Who is read-only is pushed to by three, and renews within the minute.
static void test_read_only(void **state)
{
    struct network network;
    struct told told;
    (void)state;
    begin_as(&network, &told, 64, 1000, read_only);
    publish_and_watch(&network, 1);
    network_run(&network, 10 * SECOND);
    assert_int_equal(pushing(&network, 40), 3);
    network_run(&network, 10 * MINUTE);
    assert_int_equal(watchers_left(&network), 3);
    assert_in_range(network.nodes[40]->counters.watch_renewals, 3 * 12, 3 * 15);
    put(&network, 5, "3:two", 2);
    assert_int_equal(told.items, 1);
    network.dead[40] = true;
    network_run(&network, 121 * SECOND);
    assert_int_equal(watchers_left(&network), 0);
    network_fini(&network);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_republish),     cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_peers),         cmocka_unit_test(test_peer_again),
        cmocka_unit_test(test_gone),          cmocka_unit_test(test_two_of_one),
        cmocka_unit_test(test_held),          cmocka_unit_test(test_many),
        cmocka_unit_test(test_keepers_crash), cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_read_only),     cmocka_unit_test(test_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
