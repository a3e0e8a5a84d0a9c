// SPDX-License-Identifier: MIT
#include "node/core/session.h"

#include "tests/core/brains_helper.h"

// One node without a network, and its clients by hand.
static struct node *node;
static struct node_config config;

static struct outputs {
    uint8_t bytes[1 << 18];
    size_t len;
    uint32_t hung_up; // the last session that was
} outputs;

static void begin(void)
{
    static const uint8_t seed[32] = {1};
    struct dht_crypto crypto = helper_crypto(NULL);
    node = node_new(&config, &crypto, seed, 1000, 1790000000 * SECOND);
    assert_non_null(node);
    memset(&outputs, 0, sizeof outputs);
    struct node_cloud_config cloud;
    node_cloud_config_init(&cloud, NODE_CLOUD_GLOBAL);
    assert_int_equal(node_add_cloud(node, 1000, &cloud), 0);
    node_start(node, 1000);
}

static void drain(void)
{
    struct node_out out;
    memset(&outputs, 0, sizeof outputs);
    while (node_next(node, &out)) {
        if (out.type == NODE_OUT_BYTES) {
            assert_true(outputs.len + out.bytes.len <= sizeof outputs.bytes);
            memcpy(outputs.bytes + outputs.len, out.bytes.data, out.bytes.len);
            outputs.len += out.bytes.len;
        }
        if (out.type == NODE_OUT_HANGUP)
            outputs.hung_up = out.session;
    }
}

static void tell(uint32_t session, const char *bytes, size_t len)
{
    node_session_bytes(node, 1000, session, (struct dht_span){(const uint8_t *)bytes, len});
    drain();
}

static struct node_info info_of(void)
{
    struct node_info info;
    node_info(node, &info);
    return info;
}

static void test_broken_streams(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        bool hung_up;
    } rows[] = {
        {"a request",
         "\0\0\0\x13"
         "d1:ii1e1:q6:statuse",
         23, false},
        {"half a request",
         "\0\0\0\x13"
         "d1:ii1e1:q6",
         15, false},
        {"a length of 0", "\0\0\0\0", 4, true},
        {"a length of 4 GiB", "\xff\xff\xff\xff", 4, true},
        {"no dictionary",
         "\0\0\0\x02"
         "le",
         6, true},
        {"no id",
         "\0\0\0\x0d"
         "d1:q6:statuse",
         17, true},
        {"id 0",
         "\0\0\0\x13"
         "d1:ii0e1:q6:statuse",
         23, true},
        {"bytes left over",
         "\0\0\0\x14"
         "d1:ii1e1:q6:statusex",
         24, true},
        {"something like HTTP", "GET / HTTP/1.1\r\n\r\n", 18, true},
    };
    (void)state;
    node_config_init(&config);
    begin();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t session = node_session_open(node, 1000, NODE_ACCESS_CONTROL);
        tell(session, rows[i].bytes, rows[i].len);
        if ((outputs.hung_up == session) != rows[i].hung_up)
            fail_msg("%s", rows[i].name);
        assert_int_equal(info_of().sessions, rows[i].hung_up ? 0 : 1);
        // Its number is void now, or will be: telling that it is closed does no harm.
        tell(session, "x", 1);
        node_session_closed(node, 1000, session);
        assert_int_equal(info_of().sessions, 0);
    }
    assert_int_equal(info_of().counters.sessions_broken, 7);
    node_free(node);
}

static void test_an_id_in_use(void **state)
{
    (void)state;
    node_config_init(&config);
    begin();
    assert_true(node_key_added(node, "a", (const uint8_t[32]){1}, "/a"));
    uint32_t session = node_session_open(node, 1000, NODE_ACCESS_RESOLVE);
    static const char ask[] = "\0\0\0\x22"
                              "d1:ad4:name1:ae1:ii7e1:q7:resolvee";
    tell(session, ask, 4 + 34); // waits for a network
    assert_int_equal(info_of().requests, 1);
    assert_int_equal(outputs.hung_up, 0);
    tell(session, ask, 4 + 34);
    assert_int_equal(outputs.hung_up, session);
    assert_int_equal(info_of().requests, 0);
    assert_int_equal(info_of().resolves, 0);
    node_free(node);
}

// Who does not read is hung up on when session_out_max bytes wait, and never costs more.
static void test_not_reading(void **state)
{
    size_t waiting = 0;
    (void)state;
    node_config_init(&config);
    config.session_out_max = 20000;
    begin();
    uint32_t session = node_session_open(node, 1000, NODE_ACCESS_RESOLVE);
    for (int i = 0; i < 100 && outputs.hung_up == 0; i++) {
        tell(session,
             "\0\0\0\x13"
             "d1:ii1e1:q6:statuse",
             23);
        waiting += outputs.len;
        assert_true(waiting <= config.session_out_max);
    }
    assert_int_equal(outputs.hung_up, session);
    assert_int_equal(info_of().counters.sessions_slow, 1);
    // Who reads is not.
    session = node_session_open(node, 1000, NODE_ACCESS_RESOLVE);
    for (int i = 0; i < 100; i++) {
        tell(session,
             "\0\0\0\x13"
             "d1:ii1e1:q6:statuse",
             23);
        assert_int_equal(outputs.hung_up, 0);
        node_session_sent(node, 1000, session, outputs.len);
    }
    node_free(node);
}

static void test_bounds(void **state)
{
    (void)state;
    node_config_init(&config);
    config.sessions_max = 3;
    begin();
    uint32_t sessions[3];
    for (int i = 0; i < 3; i++)
        assert_true((sessions[i] = node_session_open(node, 1000, NODE_ACCESS_RESOLVE)) != 0);
    assert_int_equal(node_session_open(node, 1000, NODE_ACCESS_RESOLVE), 0);
    assert_int_equal(info_of().counters.sessions_refused, 1);
    node_session_closed(node, 1000, sessions[1]);
    uint32_t again = node_session_open(node, 1000, NODE_ACCESS_RESOLVE);
    assert_true(again != 0 && again != sessions[1]);
    node_free(node);
}

// What each level of access may ask for.
static void test_access(void **state)
{
    (void)state;
    node_config_init(&config);
    begin();
    for (int kind = 1; kind < CONTROL_REQUEST_COUNT; kind++) {
        uint8_t buf[256];
        enum control_request request = (enum control_request)kind;
        struct dht_bencode_writer writer = control_frame_begin_request(buf, sizeof buf);
        const char *word = control_protocol_request_word(request);
        size_t len = control_frame_end_request(&writer, 1, word);
        uint32_t session = node_session_open(node, 1000, NODE_ACCESS_RESOLVE);
        tell(session, (const char *)buf, len);
        // The first frame: there may be more.
        struct dht_span bytes = {outputs.bytes + 4,
                                 (size_t)outputs.bytes[2] << 8 | outputs.bytes[3]};
        struct control_frame_answer answer;
        int64_t code = 0;
        struct control_fields_range codes = {0, 100};
        struct dht_span text = {0};
        assert_true(control_frame_open_answer(bytes, &answer));
        control_fields_int(answer.fields, CONTROL_KEY_CODE, codes, &code);
        control_fields_string(answer.fields, CONTROL_KEY_TEXT, &text);
        bool kept_out = code == CONTROL_ERROR_REFUSED && text.len > 9 &&
                        memcmp(text.data, "this needs", 10) == 0;
        if (kept_out != (control_protocol_request_access(request) == CONTROL_ACCESS_CONTROL))
            fail_msg("%s: %.*s", word, (int)text.len, text.data);
        node_session_closed(node, 1000, session);
    }
    node_free(node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_streams), cmocka_unit_test(test_an_id_in_use),
        cmocka_unit_test(test_not_reading),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
