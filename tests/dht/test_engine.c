// SPDX-License-Identifier: MIT
// One engine and a far side that answers by rule: what dialogues cannot say because it takes long,
// or is about inputs that are no datagrams.
#include "dht/engine.h"

#include "dht/id.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static const struct dht_addr there = {.ip = {20, 1, 1, 1}, .ip_len = 4, .port = 1};

struct fixture {
    struct dht *dht;
    int64_t now_us;
    struct dht_id far_id; // of the one node that answers
    bool far_answers;
    uint32_t queries;
};

static void start(struct fixture *fixture, void (*configure)(struct dht_config *config))
{
    static const uint8_t seed[32] = {1};
    struct dht_crypto crypto = helper_crypto(NULL);
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    config.role = DHT_ROLE_SERVER;
    memset(config.id.bytes, 'M', sizeof config.id.bytes);
    if (configure != NULL)
        configure(&config);
    *fixture = (struct fixture){.now_us = 1000000, .far_answers = true};
    memset(fixture->far_id.bytes, 'F', sizeof fixture->far_id.bytes);
    fixture->dht = dht_new(&config, &crypto, seed, fixture->now_us);
    assert_non_null(fixture->dht);
}

// Answers every query that waits.
static void answer(struct fixture *fixture)
{
    struct dht_out out;
    while (dht_next(fixture->dht, &out)) {
        struct dht_krpc msg;
        uint8_t reply[] = "d1:rd2:id20:....................e1:t4:....1:y1:re";
        if (out.type != DHT_OUT_DATAGRAM || !dht_krpc_parse(out.datagram.bytes, &msg))
            continue;
        fixture->queries++;
        memcpy(reply + 12, fixture->far_id.bytes, DHT_ID_LEN);
        memcpy(reply + 38, msg.tid.data, 4);
        struct dht_datagram datagram = {there, {reply, sizeof reply - 1}};
        if (fixture->far_answers)
            dht_receive(fixture->dht, fixture->now_us, &datagram, 1);
    }
}

static void run(struct fixture *fixture, int64_t duration_us)
{
    int64_t end_us = fixture->now_us + duration_us;
    while (dht_deadline(fixture->dht) <= end_us) {
        if (dht_deadline(fixture->dht) > fixture->now_us)
            fixture->now_us = dht_deadline(fixture->dht);
        dht_tick(fixture->dht, fixture->now_us);
        assert_true(dht_deadline(fixture->dht) > fixture->now_us);
        answer(fixture);
    }
    fixture->now_us = end_us;
}

static void meet(struct fixture *fixture)
{
    struct dht_info info;
    dht_ping(fixture->dht, fixture->now_us, &there);
    answer(fixture);
    dht_info(fixture->dht, &info);
    assert_int_equal(info.contacts, 1);
}

// An id made to lie next to ours opens no hundred buckets to be refreshed.
static void test_neighbour_by_design(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, NULL);
    memset(fixture.far_id.bytes, 'M', sizeof fixture.far_id.bytes);
    fixture.far_id.bytes[19] ^= 1;
    meet(&fixture);
    run(&fixture, 3600 * DHT_SECOND_US);
    struct dht_info info;
    dht_info(fixture.dht, &info);
    assert_int_equal(info.buckets, 160);
    // A join a minute, the table being small, and little else.
    assert_in_range(fixture.queries, 4, 90);
    dht_free(fixture.dht);
}

static void few_per_source(struct dht_config *config)
{
    config->items_per_source_max = 2;
}

// Items of an earlier run are no one source's.
static void test_restore_items(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, few_per_source);
    for (int i = 0; i < 10; i++) {
        char text[16];
        struct dht_item item = {.value = {(const uint8_t *)text, 0}};
        item.value.len = (size_t)snprintf(text, sizeof text, "i%de", i);
        helper_sha1(NULL, &item.value, 1, item.target.bytes);
        int64_t expires_us = fixture.now_us + DHT_SECOND_US;
        assert_true(dht_restore_item(fixture.dht, fixture.now_us, &item, expires_us));
        assert_false(dht_restore_item(fixture.dht, fixture.now_us, &item, fixture.now_us));
        item.target.bytes[0] ^= 1;
        assert_false(dht_restore_item(fixture.dht, fixture.now_us, &item, expires_us));
    }
    struct dht_info info;
    dht_info(fixture.dht, &info);
    assert_int_equal(info.items, 10);
    dht_free(fixture.dht);
}

// A machine that slept: everything is due at once, and nothing spins.
static void test_sleep(void **state)
{
    struct fixture fixture;
    struct dht_id target = {{1}};
    struct dht_out out;
    (void)state;
    start(&fixture, NULL);
    meet(&fixture);
    run(&fixture, 60 * DHT_SECOND_US);
    dht_find_node(fixture.dht, fixture.now_us, &target, true);
    dht_ping(fixture.dht, fixture.now_us, &there);
    fixture.now_us += 30 * 24 * 3600 * DHT_SECOND_US;
    dht_tick(fixture.dht, fixture.now_us);
    assert_true(dht_deadline(fixture.dht) > fixture.now_us);
    while (dht_next(fixture.dht, &out))
        continue;
    run(&fixture, 60 * DHT_SECOND_US);
    struct dht_info info;
    dht_info(fixture.dht, &info);
    assert_int_equal(info.ops, 0);
    assert_int_equal(info.contacts, 1);
    dht_free(fixture.dht);
}

// Nobody answers for a day: the pauses grow, and the contact is kept, since it may be our network.
static void test_nobody_answers(void **state)
{
    struct fixture fixture;
    struct dht_info info;
    (void)state;
    start(&fixture, NULL);
    dht_bootstrap(fixture.dht, fixture.now_us, &there, 1);
    meet(&fixture);
    run(&fixture, 60 * DHT_SECOND_US);
    fixture.far_answers = false;
    fixture.queries = 0;
    run(&fixture, 24 * 3600 * DHT_SECOND_US);
    dht_info(fixture.dht, &info);
    assert_int_equal(info.contacts, 1);
    // Some four datagrams in two minutes.
    assert_in_range(fixture.queries, 100, 24 * 60 * 5);
    fixture.far_answers = true;
    run(&fixture, 180 * DHT_SECOND_US);
    dht_info(fixture.dht, &info);
    assert_int_equal(info.contacts_good, 1);
    dht_free(fixture.dht);
}

// An engine that rests, and is fetched ahead, after every input does the same as one that does not.
static void test_rest(void **state)
{
    struct fixture busy;
    struct fixture resting;
    struct dht_info infos[2];
    (void)state;
    start(&busy, NULL);
    start(&resting, NULL);
    meet(&busy);
    meet(&resting);
    for (int hour = 0; hour < 3; hour++) {
        run(&busy, 3600 * DHT_SECOND_US);
        while (resting.now_us < busy.now_us) {
            run(&resting, DHT_SECOND_US);
            dht_prefetch(resting.dht, 0);
            dht_prefetch(resting.dht, 1);
            dht_rest(resting.dht);
        }
    }
    dht_info(busy.dht, &infos[0]);
    dht_info(resting.dht, &infos[1]);
    assert_int_equal(busy.queries, resting.queries);
    assert_memory_equal(&infos[0].counters, &infos[1].counters, sizeof infos[0].counters);
    assert_null(resting.dht->outbox.bytes);
    assert_null(resting.dht->transactions.chunks);
    assert_null(resting.dht->ops.slots);
    dht_free(busy.dht);
    dht_free(resting.dht);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_neighbour_by_design),
        cmocka_unit_test(test_restore_items),
        cmocka_unit_test(test_sleep),
        cmocka_unit_test(test_nobody_answers),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
