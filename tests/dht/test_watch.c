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

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

// RFC 8032, test 1.
static uint8_t secret[32] = {0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a,
                             0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32,
                             0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
static const uint8_t public_key[32] = {
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

static struct dht_item signed_item(const char *value, const char *salt, int64_t seq)
{
    uint8_t text[DHT_KRPC_SIGNED_MAX];
    struct dht_item item = {
        .is_mutable = true,
        .seq = seq,
        .salt = {(const uint8_t *)salt, strlen(salt)},
        .value = {(const uint8_t *)value, strlen(value)},
    };
    memcpy(item.key, public_key, sizeof item.key);
    struct dht_span parts[2] = {{item.key, sizeof item.key}, item.salt};
    helper_sha1(NULL, parts, 2, item.target.bytes);
    size_t len = dht_krpc_signed_text(item.salt, item.seq, item.value, text);
    assert_true(helper_sign(secret, item.key, (struct dht_span){text, len}, item.sig));
    return item;
}

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

static void begin(struct network *network, size_t count, uint64_t seed)
{
    network_init(network, count, seed, NULL);
    network->on_event = on_event;
    network_run(network, 30 * SECOND);
}

static void put(struct network *network, size_t node, const char *value, int64_t seq)
{
    struct dht_item item = signed_item(value, "web", seq);
    assert_true(dht_put(network->nodes[node], network->now_us, &item, DHT_SEQ_NONE, 0) != 0);
    network_drain(network, node);
    network_run(network, 10 * SECOND);
}

static void watch(struct network *network, size_t node, struct dht_watch watch)
{
    struct told *told = network->ctx;
    struct dht_item item = signed_item("1:x", "web", 1);
    watch.target = item.target;
    watch.salt = item.salt;
    told->ops[node - 40] = dht_watch(network->nodes[node], network->now_us, &watch);
    assert_true(told->ops[node - 40] != 0);
    network_drain(network, node);
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
        struct told told = {.seq = DHT_SEQ_NONE};
        begin(&network, 64, 100 + i);
        network.ctx = &told;
        put(&network, 3, "3:one", 1);
        watch(&network, 40, (struct dht_watch){.seq_known = rows[i].seq_known});
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
        struct told told = {.seq = DHT_SEQ_NONE};
        begin(&network, 64, 200 + i);
        network.ctx = &told;
        put(&network, 3, "3:one", 1);
        watch(&network, 40, (struct dht_watch){.seq_known = 1});
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_republish),
        cmocka_unit_test(test_nothing_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
