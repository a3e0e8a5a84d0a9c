// SPDX-License-Identifier: MIT
// Unsecured names among whole brains: published, registered, resolved, and gone.
#include "node/core/unsecured.h"

#include "node/core/registration.h"
#include "tests/core/brains_helper.h"

static struct brains brains;

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static uint32_t ask(size_t node, const char *word, const char *arguments)
{
    return brains_ask(&brains, node, word, write_raw, arguments);
}

// Asks, and returns 0 or the error's code.
static int do_ask(size_t node, const char *word, const char *arguments)
{
    return helper_end(&brains, node, ask(node, word, arguments));
}

#define ENDPOINT(port) "9:endpointsld2:ip4:\1\2\3\4" port "5:protoi6eee"

static void check_nothing_left(size_t node, const char *what)
{
    struct node_info info = helper_info(&brains, node);
    if (info.resolves != 0 || info.requests != 0 || helper_ops(&brains, node) != 0)
        fail_msg("%s: %u lookups, %u requests, %u operations", what, info.resolves, info.requests,
                 helper_ops(&brains, node));
}

// Resolves, and fails unless these ports are told, each once, in any order. Returns the request.
static uint32_t check_ports(size_t node, const char *arguments, const int *ports, size_t count)
{
    uint32_t id = ask(node, "resolve", arguments);
    int code = helper_end(&brains, node, id);
    assert_int_equal(code, count == 0 ? CONTROL_ERROR_NOT_FOUND : 0);
    assert_int_equal(brains_count(&brains, node, id, CONTROL_ANSWER_RESULT), count);
    for (size_t i = 0; i < count; i++) {
        size_t found = 0;
        for (size_t j = 0; j < count; j++)
            found +=
                helper_port(brains_answer(&brains, node, id, CONTROL_ANSWER_RESULT, j)) == ports[i];
        if (found != 1)
            fail_msg("%s: port %d is told %zu times", arguments, ports[i], found);
    }
    check_nothing_left(node, arguments);
    return id;
}

// ---- several publishers ----

static void test_each_publisher_once(void **state)
{
    static const int ports[] = {101, 102, 103, 104, 105};
    (void)state;
    brains_init(&brains, 24, 211);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(helper_publish(&brains, i + 2, "0.printer", (uint16_t)ports[i]), 0);
    check_ports(20, "4:name9:0.printer", ports, 5);
    check_ports(20, "4:name9:0.printer4:wait3:all", ports, 5);
    // From one of them, too: its own among them, and marked as such.
    uint32_t id = check_ports(3, "4:name9:0.printer", ports, 5);
    size_t local = 0;
    for (size_t i = 0; i < 5; i++) {
        const struct brains_answer *result =
            brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, i);
        local += helper_has_text(result, CONTROL_KEY_SOURCE, "local");
        assert_true(helper_has_text(result, CONTROL_KEY_AUTHORITY, "0"));
        assert_int_equal(helper_number(result, CONTROL_KEY_SEQ), -1);
    }
    assert_int_equal(local, 1);
    // Dead ones are not returned.
    brains_kill(&brains, 2);
    brains_kill(&brains, 6);
    check_ports(20, "4:name9:0.printer", ports + 1, 3);
    // Unpublished, nobody waits for anything to expire.
    assert_int_equal(helper_unpublish(&brains, 4, "0.printer"), 0);
    static const int left[] = {102, 104};
    check_ports(20, "4:name9:0.printer", left, 2);
    assert_int_equal(helper_unpublish(&brains, 4, "0.printer"), CONTROL_ERROR_NOT_FOUND);
    check_ports(20, "4:name9:0.nothing", NULL, 0);
    brains_fini(&brains);
}

// ---- content ----

struct content {
    const char *name;
    const char *arguments; // of publish, but the payload
    size_t payload_len;
    const char *classifier;
};

static const struct content contents[] = {
    {"an endpoint", ENDPOINT("4:porti80e") "4:name5:0.one", 0, "0.one"},
    {"Japanese", ENDPOINT("4:porti80e") "4:name11:0.\xe5\x8d\xb0\xe5\x88\xb7\xe6\xa9\x9f", 0,
     "0.\xe5\x8d\xb0\xe5\x88\xb7\xe6\xa9\x9f"},
    {"an emoji and a dot", ENDPOINT("4:porti80e") "4:name8:0.\xf0\x9f\x96\xa8..", 0,
     "0.\xf0\x9f\x96\xa8.."},
    {"a payload of 1 byte", "4:name4:0.p1", 1, "0.p1"},
    {"a payload that needs two replies", "4:name4:0.p2", 1000, "0.p2"},
    {"the greatest payload", ENDPOINT("4:porti80e") "4:name4:0.p3", 4096, "0.p3"},
};

static void write_content(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct content *content = ctx;
    static uint8_t payload[CONTROL_PAYLOAD_MAX];
    write_raw(writer, content->arguments);
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (uint8_t)(i * 7 + i / 251);
    if (content->payload_len == 0)
        return;
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, payload, content->payload_len);
}

static void test_contents(void **state)
{
    (void)state;
    brains_init(&brains, 12, 212);
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        const struct content *content = &contents[i];
        uint32_t id = brains_ask(&brains, 3, "publish", write_content, content);
        if (helper_end(&brains, 3, id) != 0)
            fail_msg("%s: not published", content->name);
        id = brains_resolve(&brains, 8, content->classifier, "settled");
        if (helper_end(&brains, 8, id) != 0)
            fail_msg("%s: not resolved", content->name);
        const struct brains_answer *result =
            brains_answer(&brains, 8, id, CONTROL_ANSWER_RESULT, 0);
        struct dht_span payload = {0};
        control_fields_string(helper_fields(result), CONTROL_KEY_PAYLOAD, &payload);
        if (payload.len != content->payload_len)
            fail_msg("%s: %zu bytes of payload", content->name, payload.len);
        for (size_t j = 0; j < payload.len; j++)
            assert_int_equal(payload.data[j], (uint8_t)(j * 7 + j / 251));
        assert_true(helper_has_text(result, CONTROL_KEY_NAME, content->classifier));
    }
    uint32_t id = brains_publish(&brains, 4, "0.comment", 80, "hello");
    assert_int_equal(helper_end(&brains, 4, id), 0);
    id = brains_resolve(&brains, 8, "0.comment", "first");
    assert_int_equal(helper_end(&brains, 8, id), 0);
    struct dht_span comment;
    assert_true(control_fields_string(
        helper_fields(brains_answer(&brains, 8, id, CONTROL_ANSWER_RESULT, 0)), CONTROL_KEY_COMMENT,
        &comment));
    assert_int_equal(comment.len, 10);
    assert_memory_equal(comment.data, "h\0e\0l\0l\0o\0", 10);
    brains_fini(&brains);
}

// ---- criteria ----

static void test_criteria(void **state)
{
    static const int all[] = {1, 2, 3, 4};
    static const int remote[] = {3, 4};
    static const int others[] = {2, 3, 4};
    static const struct row {
        const char *arguments;
        const int *ports;
        size_t count;
    } rows[] = {
        {"4:name3:0.c", all, 4},
        {"8:criteria13:any-peer-name4:name3:0.c", all, 4},
        {"8:criteria16:remote-peer-name4:name3:0.c", remote, 2},
        {"8:criteria7:default4:name3:0.c", others, 3},
        {"8:criteria19:non-current-process4:name3:0.c", others, 3},
        {"8:criteria17:nearest-peer-name4:name3:0.c", all, 4},
        {"8:criteria24:nearest-remote-peer-name4:name3:0.c", remote, 2},
        {"8:criteria27:nearest-non-current-process4:name3:0.c", others, 3},
        {"8:criteria17:nearest-peer-name3:maxi1e4:name3:0.c", all, 1}, // ours is the nearest
        {"4:hint4:\1\2\3\4"
         "8:criteria24:nearest-remote-peer-name3:maxi1e4:name3:0.c",
         remote, 1},
        {"4:name3:0.c4:wait5:cache", all, 2},
        {"4:name3:0.c4:wait5:first", all, 1},
        {"8:criteria16:remote-peer-name4:name3:0.d", NULL, 0},
    };
    (void)state;
    brains_init(&brains, 16, 213);
    // 1 registered by the connection that asks, 2 published there, 3 and 4 elsewhere.
    assert_int_equal(do_ask(5, "publish", ENDPOINT("4:porti2e") "4:name3:0.c"), 0);
    assert_int_equal(do_ask(5, "register", ENDPOINT("4:porti1e") "4:name3:0.c"), 0);
    assert_int_equal(do_ask(5, "register", ENDPOINT("4:porti1e") "4:name3:0.d"), 0);
    assert_int_equal(do_ask(9, "publish", ENDPOINT("4:porti3e") "4:name3:0.c"), 0);
    assert_int_equal(helper_publish(&brains, 10, "0.c", 4), 0); // of 192.0.2.7
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_ports(5, rows[i].arguments, rows[i].ports, rows[i].count);
    // Two publishers of one node are two.
    check_ports(11, "4:name3:0.c", all, 4);
    // The hint that is like 192.0.2.7 has that one first.
    uint32_t id = ask(11, "resolve",
                      "8:criteria17:nearest-peer-name4:hint4:\300\1\1\1"
                      "4:name3:0.c");
    assert_int_equal(helper_end(&brains, 11, id), 0);
    assert_int_equal(helper_port(brains_answer(&brains, 11, id, CONTROL_ANSWER_RESULT, 0)), 4);
    brains_fini(&brains);
}

// ---- sessions, restarts, renewals ----

static void test_session_ends(void **state)
{
    static const int ports[] = {1, 2};
    (void)state;
    brains_init(&brains, 12, 214);
    assert_int_equal(do_ask(4, "register", ENDPOINT("4:porti1e") "4:name3:0.s"), 0);
    assert_int_equal(do_ask(4, "publish", ENDPOINT("4:porti2e") "4:name3:0.s"), 0);
    check_ports(8, "4:name3:0.s", ports, 2);
    // In place of what was registered.
    assert_int_equal(do_ask(4, "register", ENDPOINT("4:porti1e") "4:name3:0.s"), 0);
    check_ports(8, "4:name3:0.s", ports, 2);
    uint32_t id = ask(4, "publications", "");
    assert_int_equal(helper_end(&brains, 4, id), 0);
    assert_int_equal(brains_count(&brains, 4, id, CONTROL_ANSWER_RESULT), 2);
    assert_int_equal(
        helper_number(brains_answer(&brains, 4, id, CONTROL_ANSWER_RESULT, 0), "session"), 0);
    assert_int_equal(
        helper_number(brains_answer(&brains, 4, id, CONTROL_ANSWER_RESULT, 1), "session"), 1);
    node_session_closed(brains.nodes[4], brains.now_us, brains.sessions[4]);
    check_ports(8, "4:name3:0.s", ports + 1, 1);
    // What is published outlives the process.
    brains_kill(&brains, 4);
    check_ports(8, "4:name3:0.s", NULL, 0);
    brains_start(&brains, 4);
    brains_run(&brains, 20 * SECOND);
    check_ports(8, "4:name3:0.s", ports + 1, 1);
    assert_int_equal(do_ask(4, "unregister", "4:name3:0.s"), CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(helper_unpublish(&brains, 4, "0.s"), 0);
    check_ports(8, "4:name3:0.s", NULL, 0);
    assert_int_equal(do_ask(4, "register", ENDPOINT("4:porti1e") "4:name3:0.s"), 0);
    assert_int_equal(do_ask(4, "unregister", "4:name3:0.s"), 0);
    check_ports(8, "4:name3:0.s", NULL, 0);
    assert_int_equal(helper_info(&brains, 4).registrations, 0);
    brains_kill(&brains, 4);
    brains_start(&brains, 4);
    assert_int_equal(helper_info(&brains, 4).registrations, 0);
    brains_fini(&brains);
}

static void test_renewed(void **state)
{
    static const int ports[] = {1};
    (void)state;
    brains_init(&brains, 12, 215);
    assert_int_equal(helper_publish(&brains, 4, "0.r", 1), 0);
    brains_run(&brains, 5 * HOUR);
    check_ports(8, "4:name3:0.r", ports, 1);
    uint64_t rounds = helper_info(&brains, 4).counters.announce_rounds;
    assert_in_range(rounds, 15, 17); // every 18 to 20 minutes
    node_network_changed(brains.nodes[4], brains.now_us);
    brains_run(&brains, 10 * SECOND);
    assert_int_equal(helper_info(&brains, 4).counters.announce_rounds, rounds + 1);
    brains_fini(&brains);
}

// ---- refusals ----

static const char eleven[] = "9:endpointsl"
                             "d2:ip4:abcd4:porti80e5:protoi6eed2:ip4:abcd4:porti80e5:protoi6eed2:"
                             "ip4:abcd4:porti80e5:protoi6ee"
                             "d2:ip4:abcd4:porti80e5:protoi6eed2:ip4:abcd4:porti80e5:protoi6eed2:"
                             "ip4:abcd4:porti80e5:protoi6ee"
                             "d2:ip4:abcd4:porti80e5:protoi6eed2:ip4:abcd4:porti80e5:protoi6eed2:"
                             "ip4:abcd4:porti80e5:protoi6ee"
                             "d2:ip4:abcd4:porti80e5:protoi6eed2:ip4:abcd4:porti80e5:protoi6ee"
                             "e4:name3:0.x";

static void configure_client(size_t node, struct node_config *config, struct dht_config *engine)
{
    (void)config;
    if (node != 4)
        return;
    engine->lab = false;
    engine->role = DHT_ROLE_CLIENT;
}

static void test_refused(void **state)
{
    static const struct row {
        size_t node;
        const char *word, *arguments;
        int code;
    } rows[] = {
        {5, "publish", eleven, CONTROL_ERROR_REFUSED},
        {5, "publish", "4:name3:0.x", CONTROL_ERROR_USAGE},
        {5, "register", ENDPOINT("4:porti1e") "4:name9:restored0", CONTROL_ERROR_NOT_FOUND},
        {5, "unregister", "4:name3:0.x", CONTROL_ERROR_NOT_FOUND},
        {5, "unpublish", "4:name3:0.x", CONTROL_ERROR_NOT_FOUND},
        {5, "resolve", "8:criteria3:odd4:name3:0.x", CONTROL_ERROR_USAGE},
        {5, "resolve", "4:hint3:abc4:name3:0.x", CONTROL_ERROR_USAGE},
        {5, "resolve", "3:maxi0e4:name3:0.x", CONTROL_ERROR_USAGE},
        // Nobody could ask a read-only node.
        {4, "publish", ENDPOINT("4:porti1e") "4:name3:0.x", CONTROL_ERROR_REFUSED},
        {4, "register", ENDPOINT("4:porti1e") "4:name3:0.x", CONTROL_ERROR_REFUSED},
    };
    (void)state;
    brains.configure = configure_client;
    brains_init(&brains, 8, 216);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int code = do_ask(rows[i].node, rows[i].word, rows[i].arguments);
        if (code != rows[i].code)
            fail_msg("%s %s: %d", rows[i].word, rows[i].arguments, code);
    }
    assert_int_equal(helper_info(&brains, 4).registrations, 0);
    assert_int_equal(helper_info(&brains, 5).registrations, 0);
    brains.disks[6]->broken = true;
    assert_int_equal(do_ask(6, "publish", ENDPOINT("4:porti1e") "4:name3:0.x"),
                     CONTROL_ERROR_FAILED);
    assert_int_equal(helper_info(&brains, 6).registrations, 0);
    brains_fini(&brains);
}

// So many publishers of one name on one node as one reply tells of; the next is refused, and those
// that are there go on.
static void test_full(void **state)
{
    static const int ports[] = {1, 2};
    static struct content content = {"", ENDPOINT("4:porti1e") "4:name3:0.f", 4000, ""};
    (void)state;
    brains_init(&brains, 8, 217);
    assert_int_equal(
        helper_end(&brains, 4, brains_ask(&brains, 4, "publish", write_content, &content)), 0);
    content.payload_len = 97;
    content.arguments = ENDPOINT("4:porti2e") "4:name3:0.f";
    assert_int_equal(
        helper_end(&brains, 4, brains_ask(&brains, 4, "register", write_content, &content)),
        CONTROL_ERROR_FULL);
    check_ports(6, "4:name3:0.f", ports, 1);
    content.payload_len = 96;
    assert_int_equal(
        helper_end(&brains, 4, brains_ask(&brains, 4, "register", write_content, &content)), 0);
    check_ports(6, "4:name3:0.f", ports, 2);
    brains_fini(&brains);
}

// ---- shared lookups, cancelling ----

static void test_shared(void **state)
{
    (void)state;
    brains_init(&brains, 12, 218);
    assert_int_equal(helper_publish(&brains, 4, "0.q", 1), 0);
    uint32_t first = brains_resolve(&brains, 8, "0.q", "settled");
    uint32_t second = brains_resolve(&brains, 8, "0.q", "settled");
    assert_int_equal(helper_info(&brains, 8).resolves, 1);
    assert_int_equal(helper_end(&brains, 8, first), 0);
    assert_int_equal(helper_end(&brains, 8, second), 0);
    assert_int_equal(brains_count(&brains, 8, second, CONTROL_ANSWER_RESULT), 1);
    // One that joins late is told what was found so far.
    first = brains_resolve(&brains, 8, "0.q", "settled");
    for (int i = 0; i < 1000 && brains_count(&brains, 8, first, CONTROL_ANSWER_RESULT) == 0; i++)
        brains_run(&brains, 1000);
    if (helper_info(&brains, 8).resolves == 1) {
        second = brains_resolve(&brains, 8, "0.q", "settled");
        assert_int_equal(brains_count(&brains, 8, second, CONTROL_ANSWER_RESULT), 1);
        assert_int_equal(helper_end(&brains, 8, second), 0);
    }
    assert_int_equal(helper_end(&brains, 8, first), 0);
    // Cancelled at any moment, nothing is left behind.
    for (int64_t after_us = 0; after_us < 200000; after_us += 7000) {
        char arguments[32];
        first = brains_resolve(&brains, 8, "0.q", "all");
        brains_run(&brains, after_us);
        snprintf(arguments, sizeof arguments, "2:idi%ue", (unsigned)first);
        assert_int_equal(do_ask(8, "cancel", arguments), 0);
        check_nothing_left(8, "cancelled");
    }
    brains_fini(&brains);
}

// ---- traced ----

// How many progress answers have this step and outcome.
static size_t count_steps(size_t node, uint32_t id, const char *step, const char *outcome)
{
    size_t found = 0;
    for (size_t i = 0; i < brains_count(&brains, node, id, CONTROL_ANSWER_PROGRESS); i++) {
        const struct brains_answer *answer =
            brains_answer(&brains, node, id, CONTROL_ANSWER_PROGRESS, i);
        found += helper_has_text(answer, CONTROL_KEY_STEP, step) &&
                 helper_has_text(answer, CONTROL_KEY_OUTCOME, outcome);
    }
    return found;
}

// The lookup hop by hop, and what each node that was named as a publisher has said.
static void test_traced(void **state)
{
    (void)state;
    brains_init(&brains, 12, 220);
    for (size_t i = 2; i < 6; i++)
        assert_int_equal(helper_publish(&brains, i, "0.t", (uint16_t)i), 0);
    assert_int_equal(helper_unpublish(&brains, 4, "0.t"), 0);
    brains_kill(&brains, 5);
    uint32_t id = ask(8, "resolve", "4:name3:0.t5:tracei1e");
    assert_int_equal(helper_end(&brains, 8, id), 0);
    assert_true(count_steps(8, id, "hop", "found") > 0);
    assert_int_equal(count_steps(8, id, "who", "found"), 2);
    assert_int_equal(count_steps(8, id, "who", "answered"), 1);
    assert_int_equal(count_steps(8, id, "who", "silent"), 1);
    id = ask(8, "resolve", "4:name6:0.none5:tracei1e");
    assert_int_equal(helper_end(&brains, 8, id), CONTROL_ERROR_NOT_FOUND);
    assert_true(helper_number(brains_wait(&brains, 8, id), CONTROL_KEY_NODES_ANSWERED) > 0);
    assert_true(count_steps(8, id, "hop", "answered") > 0);
    check_nothing_left(8, "traced");
    brains_fini(&brains);
}

// With datagrams lost, every publisher that lives is found, and both families name it once.
static void test_lossy_and_dual(void **state)
{
    static const int ports[] = {101, 102, 103};
    (void)state;
    brains.dual = true;
    brains_init(&brains, 20, 219);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(helper_publish(&brains, i + 2, "0.l", (uint16_t)ports[i]), 0);
    check_ports(15, "4:name3:0.l", ports, 3);
    brains.loss_percent = 10;
    check_ports(16, "4:name3:0.l", ports, 3);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_publisher_once),
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_criteria),
        cmocka_unit_test(test_session_ends),
        cmocka_unit_test(test_renewed),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_traced),
        cmocka_unit_test(test_lossy_and_dual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
