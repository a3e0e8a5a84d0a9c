// SPDX-License-Identifier: MIT
#include "node/core/resolve.h"

#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

static void begin(size_t count, uint64_t seed)
{
    brains_init(&brains, count, seed);
    brains_add_key(&brains, 3, "restored0", 7, key);
}

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static void check_nothing_left(size_t node, const char *what)
{
    struct node_info info = helper_info(&brains, node);
    if (info.resolves != 0 || info.requests != 0 || helper_ops(&brains, node) != 0)
        fail_msg("%s: %u lookups, %u requests, %u operations", what, info.resolves, info.requests,
                 helper_ops(&brains, node));
}

static void write_payload(struct dht_bencode_writer *writer, const void *ctx)
{
    static uint8_t payload[CONTROL_PAYLOAD_MAX];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 7 + i / 251);
    write_raw(writer, "9:endpointsld2:ip4:abcd4:porti80e5:protoi6eee4:name");
    dht_bencode_put_text(writer, "restored0.web");
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, payload, *(const size_t *)ctx);
}

static void test_payloads(void **state)
{
    static const size_t lens[] = {1, 254, 600, 995, 996, 997, 1992, 4096};
    (void)state;
    begin(16, 111);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint32_t id = brains_ask(&brains, 3, "publish", write_payload, &lens[i]);
        assert_int_equal(helper_end(&brains, 3, id), 0);
        id = brains_resolve(&brains, 8, helper_name(key, ".web"), "settled");
        assert_int_equal(helper_end(&brains, 8, id), 0);
        const struct brains_answer *result =
            brains_answer(&brains, 8, id, CONTROL_ANSWER_RESULT, 0);
        struct dht_span payload = {0};
        if (!control_fields_string(helper_fields(result), CONTROL_KEY_PAYLOAD, &payload) ||
            payload.len != lens[i])
            fail_msg("%zu bytes: %zu", lens[i], payload.len);
        for (size_t j = 0; j < payload.len; j++)
            assert_int_equal(payload.data[j], (uint8_t)(j * 7 + j / 251));
        check_nothing_left(8, "payload");
    }
    brains_fini(&brains);
}

static void test_cancelled_at_every_moment(void **state)
{
    size_t len = 4096;
    (void)state;
    begin(16, 112);
    uint32_t id = brains_ask(&brains, 3, "publish", write_payload, &len);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    brains_run(&brains, 10 * SECOND);
    for (int64_t after_us = 0; after_us < 600000; after_us += 7000) {
        char text[32];
        id = brains_resolve(&brains, 8, helper_name(key, ".web"), "all");
        brains_run(&brains, after_us);
        snprintf(text, sizeof text, "2:idi%ue", id);
        brains_ask(&brains, 8, "cancel", write_raw, text);
        check_nothing_left(8, "cancelled");
        int code = helper_end(&brains, 8, id);
        assert_true(code == 0 || code == CONTROL_ERROR_CANCELLED);
        // And the same by hanging up.
        id = brains_resolve(&brains, 8, helper_name(key, ".web"), "all");
        brains_run(&brains, after_us);
        node_session_closed(brains.nodes[8], brains.now_us, brains.sessions[8]);
        check_nothing_left(8, "hung up");
        brains.sessions[8] = node_session_open(brains.nodes[8], brains.now_us, NODE_ACCESS_CONTROL);
        control_frame_reader_free(&brains.readers[8]);
        control_frame_reader_init(&brains.readers[8], CONTROL_FRAME_MAX);
    }
    assert_int_equal(helper_info(&brains, 8).counters.requests_timed_out, 0);
    brains_fini(&brains);
}

static void test_deadline(void **state)
{
    char text[200];
    (void)state;
    begin(8, 113);
    brains.loss_percent = 100;
    snprintf(text, sizeof text, "4:name52:%s10:timeout_msi60e", helper_name(key, ""));
    uint32_t id = brains_ask(&brains, 5, "resolve", write_raw, text);
    brains_run(&brains, 59 * 1000);
    assert_int_equal(helper_info(&brains, 5).requests, 1);
    brains_run(&brains, 2 * 1000);
    const struct brains_answer *end = brains_answer(&brains, 5, id, CONTROL_ANSWER_ERROR, 0);
    assert_int_equal(brains_error(end), CONTROL_ERROR_TIMED_OUT);
    check_nothing_left(5, "deadline");
    assert_int_equal(helper_info(&brains, 5).counters.requests_timed_out, 1);
    brains_fini(&brains);
}

// What is stored under the name, and what it resolves to: a port, or less an error.
static void test_what_is_found(void **state)
{
    uint8_t value[1000];
    (void)state;
    begin(12, 114);
    const char *name = helper_name(key, ".web");
    size_t len = helper_pkarr(key, value);
    static const struct {
        const char *name;
        const char *value; // NULL: the pkarr record
        int want;
        uint64_t malformed;
    } rows[] = {
        {"a pkarr record", NULL, 0, 0},
        {"a number", "i7e", -CONTROL_ERROR_NOT_FOUND, 1},
        {"no message", "5:hello", -CONTROL_ERROR_NOT_FOUND, 2},
        {"an empty string", "0:", -CONTROL_ERROR_NOT_FOUND, 3},
        {"a pkarr record again", NULL, 0, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_span item = {value, len};
        if (rows[i].value != NULL)
            item = (struct dht_span){(const uint8_t *)rows[i].value, strlen(rows[i].value)};
        helper_put_item(&brains, 7, "web", 100 + (int64_t)i, item);
        int port = helper_resolve(&brains, 8, name, "all");
        if (port != rows[i].want ||
            helper_info(&brains, 8).counters.records_malformed != rows[i].malformed)
            fail_msg("%s: %d", rows[i].name, port);
        // What the network says now is what the cache says afterwards.
        if (helper_resolve(&brains, 8, name, "cache") != rows[i].want)
            fail_msg("%s: the cache says otherwise", rows[i].name);
    }
    brains_fini(&brains);
}

static void test_cache(void **state)
{
    (void)state;
    begin(12, 115);
    const char *name = helper_name(key, ".web");
    // There is none: for 30 seconds, `first` does not ask again.
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), -CONTROL_ERROR_NOT_FOUND);
    uint64_t lookups = helper_info(&brains, 8).counters.resolves;
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_info(&brains, 8).counters.resolves, lookups);
    brains_run(&brains, 31 * SECOND);
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), 443);
    assert_int_equal(helper_info(&brains, 8).counters.resolves, lookups + 1);
    // For half an hour it is answered from the cache, whatever has become of it.
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 444), 0);
    brains_run(&brains, 29 * MINUTE);
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), 443);
    assert_int_equal(helper_info(&brains, 8).counters.cache_hits, 1);
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_resolve(&brains, 8, name, "cache"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), 444);
    // Who has seen the tombstone does not go on answering with the record.
    assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
    assert_int_equal(helper_resolve(&brains, 8, name, "settled"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_resolve(&brains, 8, name, "first"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_resolve(&brains, 8, name, "cache"), -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// Asked before anybody is known, it waits until somebody is.
static void test_asked_while_joining(void **state)
{
    (void)state;
    begin(8, 116);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_kill(&brains, 5);
    brains.disks[5]->row_count = 0;
    brains_start(&brains, 5);
    uint32_t id = brains_resolve(&brains, 5, helper_name(key, ".web"), "settled");
    assert_int_equal(helper_info(&brains, 5).resolves, 1);
    assert_int_equal(brains.nodes[5]->resolves->state, CORE_RESOLVE_JOINING);
    assert_int_equal(helper_end(&brains, 5, id), 0);
    check_nothing_left(5, "joined");
    brains_fini(&brains);
}

// One of those that share a lookup leaves; the others are answered.
static void test_joined_and_left(void **state)
{
    uint32_t ids[5];
    char text[32];
    (void)state;
    begin(16, 117);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    for (size_t i = 0; i < 5; i++)
        ids[i] = brains_resolve(&brains, 8, helper_name(key, ".web"), "all");
    assert_int_equal(helper_info(&brains, 8).resolves, 1);
    for (size_t i = 0; i < 5; i += 2) {
        snprintf(text, sizeof text, "2:idi%ue", ids[i]);
        brains_ask(&brains, 8, "cancel", write_raw, text);
    }
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(helper_end(&brains, 8, ids[i]), i % 2 == 0 ? CONTROL_ERROR_CANCELLED : 0);
    assert_int_equal(helper_info(&brains, 8).counters.resolves_joined, 4);
    check_nothing_left(8, "shared");
    brains_fini(&brains);
}

// A name is on both networks of a cloud, and one of them is enough to find it.
static void test_two_families(void **state)
{
    (void)state;
    brains.dual = true;
    begin(10, 119);
    uint32_t id = brains_publish(&brains, 3, "restored0.web", 443, NULL);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    const struct brains_answer *end = brains_wait(&brains, 3, id);
    assert_int_equal(helper_number(end, CONTROL_KEY_STORED), 2 * 9);
    static const char *const waits[] = {"first", "settled", "all"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(helper_resolve(&brains, 6 + i, helper_name(key, ".web"), waits[i]), 443);
    struct dht_info info;
    for (int i = 0; i < 2; i++) {
        dht_info(node_engine(brains.nodes[8], i), &info);
        assert_int_equal(info.ops, 0);
        assert_true(info.counters.queries_sent > 0);
    }
    brains_fini(&brains);
}

static void test_trace(void **state)
{
    char text[200];
    (void)state;
    begin(16, 118);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    snprintf(text, sizeof text, "4:name56:%s5:tracei1e4:wait3:all", helper_name(key, ".web"));
    uint32_t id = brains_ask(&brains, 8, "resolve", write_raw, text);
    assert_int_equal(helper_end(&brains, 8, id), 0);
    const struct brains_answer *end = brains_wait(&brains, 8, id);
    assert_int_equal(brains_count(&brains, 8, id, CONTROL_ANSWER_PROGRESS),
                     helper_number(end, CONTROL_KEY_NODES_ASKED));
    // "Not found" tells what was done for it too.
    snprintf(text, sizeof text, "4:name60:%s4:wait3:all", helper_name(key, ".nothing"));
    id = brains_ask(&brains, 8, "resolve", write_raw, text);
    assert_int_equal(helper_end(&brains, 8, id), CONTROL_ERROR_NOT_FOUND);
    assert_true(helper_number(brains_wait(&brains, 8, id), CONTROL_KEY_NODES_ASKED) > 0);
    brains_fini(&brains);
}

// What a node holds itself may be old: back from a pause with a tombstone on its disk, it asks the
// others before it says that there is nothing, and `first` is the first answer that resolves to
// something.
static void test_own_tombstone_is_not_the_last_word(void **state)
{
    static const char *const waits[] = {"first", "settled", "all"};
    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        brains_init(&brains, 8, 120 + i);
        brains_add_key(&brains, 3, "restored0", 7, key);
        assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
        assert_int_equal(helper_unpublish(&brains, 3, "restored0.web"), 0);
        brains_run(&brains, 600 * SECOND); // snapshots are taken
        brains_kill(&brains, 5);
        assert_int_equal(helper_publish(&brains, 3, "restored0.web", 444), 0);
        brains_start(&brains, 5);
        struct dht_info info;
        dht_info(node_engine(brains.nodes[5], 0), &info);
        assert_true(info.items > 0); // the tombstone is back
        brains_run(&brains, 5 * SECOND);
        assert_int_equal(helper_resolve(&brains, 5, helper_name(key, ".web"), waits[i]), 444);
        brains_fini(&brains);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_tombstone_is_not_the_last_word),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_cancelled_at_every_moment),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_what_is_found),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_asked_while_joining),
        cmocka_unit_test(test_joined_and_left),
        cmocka_unit_test(test_two_families),
        cmocka_unit_test(test_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
