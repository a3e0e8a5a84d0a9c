// SPDX-License-Identifier: MIT
// Whole brains in virtual time: what one publishes the others resolve, through clients that speak
// the control protocol.
#include "tests/core/brains.h"

#include "node/core/zbase32.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define SECOND INT64_C(1000000)

static int64_t number(const struct brains_answer *answer, const char *key)
{
    int64_t value = -1;
    struct control_fields_range any = {INT64_MIN, INT64_MAX};
    control_fields_int((struct dht_span){answer->fields, answer->fields_len}, key, any, &value);
    return value;
}

// The port of the first endpoint of a result; -1 where it has none.
static int port_of(const struct brains_answer *answer)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t count = 0;
    if (!control_fields_endpoints((struct dht_span){answer->fields, answer->fields_len}, endpoints,
                                  &count) ||
        count == 0)
        return -1;
    return endpoints[0].port;
}

// Resolves, and returns the port found, or less the error's code.
static int resolved(struct brains *brains, size_t node, const char *name, const char *wait)
{
    uint32_t id = brains_resolve(brains, node, name, wait);
    const struct brains_answer *end = brains_wait(brains, node, id);
    assert_non_null(end);
    if (end->kind == CONTROL_ANSWER_ERROR)
        return -brains_error(end);
    assert_int_equal(number(end, CONTROL_KEY_COUNT), 1);
    return port_of(brains_answer(brains, node, id, CONTROL_ANSWER_RESULT, 0));
}

static struct brains brains;

static void key_text(const uint8_t key[32], const char *classifier, char ret_text[128])
{
    core_zbase32_encode(key, ret_text);
    strcat(ret_text, classifier);
}

static void test_publish_and_resolve(void **state)
{
    uint8_t key[32];
    char name[128];
    static const char *const waits[] = {"first", "settled", "all"};
    (void)state;
    brains_init(&brains, 32, 11);
    brains_add_key(&brains, 3, "alice", 7, key);
    key_text(key, ".web", name);
    const struct brains_answer *end =
        brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, "hello"));
    assert_non_null(end);
    assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
    // The region that is expected to hold 20 may hold a few more.
    assert_in_range(number(end, CONTROL_KEY_TARGETS), 20, 28);
    assert_int_equal(number(end, CONTROL_KEY_STORED), number(end, CONTROL_KEY_TARGETS));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(resolved(&brains, 20 + i, name, waits[i]), 443);
    assert_int_equal(resolved(&brains, 20, name, "cache"), 443);
    assert_int_equal(resolved(&brains, 30, name, "cache"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(resolved(&brains, 3, "alice.web", "cache"), 443);
    assert_int_equal(resolved(&brains, 9, "alice.web", "settled"), -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

static void test_change_and_withdraw(void **state)
{
    uint8_t key[32];
    char name[128];
    (void)state;
    brains_init(&brains, 32, 12);
    brains_add_key(&brains, 3, "alice", 7, key);
    key_text(key, "", name);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice", 1001, NULL));
    assert_int_equal(resolved(&brains, 8, name, "settled"), 1001);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice", 1002, NULL));
    assert_int_equal(resolved(&brains, 8, name, "settled"), 1002);
    const struct brains_answer *end =
        brains_wait(&brains, 3, brains_unpublish(&brains, 3, "alice"));
    assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
    assert_int_equal(resolved(&brains, 8, name, "settled"), -CONTROL_ERROR_NOT_FOUND);
    // For two hours the tombstone is renewed; then the publication is gone, but never its sequence
    // number.
    brains_run(&brains, 4 * 3600 * SECOND);
    struct node_info info;
    node_info(brains.nodes[3], &info);
    assert_int_equal(info.publications, 0);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice", 1003, NULL));
    assert_int_equal(resolved(&brains, 8, name, "settled"), 1003);
    brains_fini(&brains);
}

static void test_hash_authority(void **state)
{
    uint8_t key[32];
    uint8_t hash[20];
    char name[128] = "";
    (void)state;
    brains_init(&brains, 32, 13);
    brains_add_key(&brains, 3, "alice", 7, key);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, NULL));
    brains_run(&brains, 20 * SECOND);
    struct dht_span part = {key, 32};
    helper_sha1(NULL, &part, 1, hash);
    for (size_t i = 0; i < 20; i++)
        snprintf(name + 2 * i, 3, "%02x", hash[i]);
    strcat(name, ".web");
    assert_int_equal(resolved(&brains, 8, name, "settled"), 443);
    brains_fini(&brains);
}

static void test_outlives_its_first_copies(void **state)
{
    uint8_t key[32];
    char name[128];
    (void)state;
    brains_init(&brains, 32, 14);
    brains_add_key(&brains, 3, "alice", 7, key);
    key_text(key, ".web", name);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, NULL));
    for (int hour = 0; hour < 8; hour++) {
        brains_run(&brains, 3600 * SECOND);
        assert_int_equal(resolved(&brains, 8, name, "settled"), 443);
    }
    brains_fini(&brains);
}

static void test_equal_requests_share_a_lookup(void **state)
{
    uint8_t key[32];
    char name[128];
    uint32_t ids[10];
    struct node_info info;
    (void)state;
    brains_init(&brains, 32, 15);
    brains_add_key(&brains, 3, "alice", 7, key);
    key_text(key, ".web", name);
    brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, NULL));
    for (size_t i = 0; i < 10; i++)
        ids[i] = brains_resolve(&brains, 8, name, "settled");
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(brains_wait(&brains, 8, ids[i])->kind, CONTROL_ANSWER_DONE);
    node_info(brains.nodes[8], &info);
    assert_int_equal(info.counters.resolves, 1);
    assert_int_equal(info.counters.resolves_joined, 9);
    assert_int_equal(info.resolves, 0);
    assert_int_equal(info.requests, 0);
    brains_fini(&brains);
}

// A sequence number never leaves before it is durable, and never twice for different records.
static void on_put(struct brains *all, size_t node, const struct dht_krpc *put)
{
    int64_t seq = put->seq;
    int64_t durable = -1;
    for (size_t i = 0; i < all->disks[node]->row_count; i++) {
        const struct brains_row *row = &all->disks[node]->rows[i];
        int64_t value = 0;
        if (row->kind != NODE_ROW_SEQUENCE)
            continue;
        for (size_t j = 0; j < 8; j++)
            value = value << 8 | row->value[j];
        durable = value > durable ? value : durable;
    }
    assert_true(seq <= durable);
    all->highest_seq_sent = seq > all->highest_seq_sent ? seq : all->highest_seq_sent;
}

static void test_crash_and_clock(void **state)
{
    uint8_t key[32];
    char name[128];
    int64_t last = 0;
    (void)state;
    brains_init(&brains, 32, 16);
    brains_add_key(&brains, 3, "alice", 7, key);
    key_text(key, ".web", name);
    brains.on_put = on_put;
    for (int round = 0; round < 12; round++) {
        uint32_t id = brains_publish(&brains, 3, "restored0.web", (uint16_t)(2000 + round), NULL);
        if (round == 0)
            id = brains_publish(&brains, 3, "alice.web", 2000, NULL);
        const struct brains_answer *end = brains_wait(&brains, 3, id);
        assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
        int64_t seq = number(end, CONTROL_KEY_SEQ);
        assert_true(seq > last);
        last = seq;
        brains_publish(&brains, 3, round == 0 ? "alice.web" : "restored0.web", 1, NULL);
        brains_run(&brains, 7000 * (round + 1)); // killed at another point each time
        brains_kill(&brains, 3);
        brains_run(&brains, SECOND);
        if (round == 5)
            brains_set_clock(&brains, -INT64_C(366) * 86400 * SECOND); // back a year
        brains_start(&brains, 3);
        brains_run(&brains, 30 * SECOND);
        assert_true(resolved(&brains, 8, name, "settled") > 0);
        last = brains.highest_seq_sent;
    }
    brains_fini(&brains);
}

static void test_broken_disk(void **state)
{
    uint8_t key[32];
    (void)state;
    brains_init(&brains, 16, 17);
    brains_add_key(&brains, 3, "alice", 7, key);
    brains.disks[3]->broken = true;
    const struct brains_answer *end =
        brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, NULL));
    assert_int_equal(brains_error(end), CONTROL_ERROR_FAILED);
    brains.disks[3]->broken = false;
    end = brains_wait(&brains, 3, brains_publish(&brains, 3, "alice.web", 443, NULL));
    assert_int_equal(end->kind, CONTROL_ANSWER_DONE);
    brains_fini(&brains);
}

static void test_refusals(void **state)
{
    uint8_t key[32];
    static const struct {
        const char *name;
        int code;
    } rows[] = {
        {"0", CONTROL_ERROR_USAGE},
        {"nobody.web", CONTROL_ERROR_NOT_FOUND},
        {"", CONTROL_ERROR_USAGE},
        {"UPPER", CONTROL_ERROR_USAGE},
        {"47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy.x", CONTROL_ERROR_NOT_FOUND},
    };
    (void)state;
    brains_init(&brains, 8, 18);
    brains_add_key(&brains, 3, "alice", 7, key);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct brains_answer *end =
            brains_wait(&brains, 3, brains_publish(&brains, 3, rows[i].name, 1, NULL));
        if (brains_error(end) != rows[i].code)
            fail_msg("%s: code %d", rows[i].name, brains_error(end));
    }
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_and_resolve),
        cmocka_unit_test(test_change_and_withdraw),
        cmocka_unit_test(test_hash_authority),
        cmocka_unit_test(test_outlives_its_first_copies),
        cmocka_unit_test(test_equal_requests_share_a_lookup),
        cmocka_unit_test(test_crash_and_clock),
        cmocka_unit_test(test_broken_disk),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
