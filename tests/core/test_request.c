// SPDX-License-Identifier: MIT
// Every request that is refused, with code and text; and the few that answer at once.
#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

// Arguments as bencoded text: of a dictionary, without its d and e.
static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

#define NAME   "4:name13:restored0.web"
#define ENDS   "9:endpointsld2:ip4:abcd4:porti80e5:protoi6eee"
#define KEY52  "52:47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy"
#define UNITS8 "abcdefgh"

static const struct row {
    const char *name, *request, *arguments;
    int code;
    const char *text; // how it begins
} rows[] = {
    {"unknown request", "nonsense", "", CONTROL_ERROR_USAGE, "unknown request"},
    {"resolve nothing", "resolve", "", CONTROL_ERROR_USAGE, "a name is needed"},
    {"name is a number", "resolve", "4:namei1e", CONTROL_ERROR_USAGE, "a name is needed"},
    {"name is empty", "resolve", "4:name0:", CONTROL_ERROR_USAGE, ""},
    {"name is broken", "resolve", "4:name5:UPPER", CONTROL_ERROR_USAGE, ""},
    {"unsecured, not known here", "resolve", "4:name5:0.web4:wait5:cache", CONTROL_ERROR_NOT_FOUND,
     "the name is not published from here"},
    {"unknown label", "resolve", "4:name5:nobod", CONTROL_ERROR_NOT_FOUND,
     "no key has this label here; others"},
    {"unknown wait", "resolve", NAME "4:wait3:now", CONTROL_ERROR_USAGE, "wait is cache, first"},
    {"not in the cache", "resolve", "4:name" KEY52 "4:wait5:cache", CONTROL_ERROR_NOT_FOUND,
     "the name is not in the cache"},
    {"publish nothing", "publish", NAME, CONTROL_ERROR_USAGE, "there is nothing to publish"},
    {"publish no name", "publish", ENDS, CONTROL_ERROR_USAGE, "a name is needed"},
    {"publish without key", "publish", ENDS "4:name" KEY52, CONTROL_ERROR_NOT_FOUND,
     "this key is not held here"},
    {"publish without label", "publish", ENDS "4:name3:eve", CONTROL_ERROR_NOT_FOUND,
     "no key has this label here; make one"},
    {"endpoint of 3 bytes", "publish", "9:endpointsld2:ip3:abc4:porti80e5:protoi6eee" NAME,
     CONTROL_ERROR_USAGE, "each endpoint is an address, a port and a protocol"},
    {"endpoint's port", "publish", "9:endpointsld2:ip4:abcd4:porti65536e5:protoi6eee" NAME,
     CONTROL_ERROR_USAGE, "each endpoint is an address, a port and a protocol"},
    {"endpoints are text", "publish", "9:endpoints1:x" NAME, CONTROL_ERROR_USAGE, ""},
    {"ttl too short", "publish", ENDS NAME "5:ttl_si299e", CONTROL_ERROR_USAGE, "ttl is 300"},
    {"ttl too long", "publish", ENDS NAME "5:ttl_si86401e", CONTROL_ERROR_USAGE, "ttl is 300"},
    {"ttl is text", "publish", ENDS NAME "5:ttl_s3:300", CONTROL_ERROR_USAGE, "ttl is 300"},
    {"odd comment", "publish", "7:comment3:abc" ENDS NAME, CONTROL_ERROR_USAGE,
     "a comment has at most 39"},
    {"long comment", "publish",
     "7:comment80:" UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 UNITS8 ENDS NAME,
     CONTROL_ERROR_USAGE, "a comment has at most 39"},
    {"odd text payload", "publish", ENDS NAME "7:payload3:abc12:payload_typei2e",
     CONTROL_ERROR_USAGE, "a payload of UTF-16 text"},
    {"unpublish no name", "unpublish", "", CONTROL_ERROR_USAGE, "a name is needed"},
    {"unpublish unsecured", "unpublish", "4:name5:0.web", CONTROL_ERROR_NOT_FOUND,
     "the name is not published from here"},
    {"unpublish without key", "unpublish", "4:name3:eve", CONTROL_ERROR_NOT_FOUND, "no key has"},
    {"unpublish what is not", "unpublish", NAME, CONTROL_ERROR_NOT_FOUND,
     "the name is not published from here"},
    {"key_new no label", "key_new", "", CONTROL_ERROR_USAGE, "a label is"},
    {"key_new bad label", "key_new", "5:label3:A_B", CONTROL_ERROR_USAGE, "a label is"},
    {"key_new label with dot", "key_new", "5:label3:a.b", CONTROL_ERROR_USAGE, "a label is"},
    {"key_new known label", "key_new", "5:label9:restored0", CONTROL_ERROR_REFUSED,
     "another key has this label"},
    {"key_import no pem", "key_import", "5:label3:eve", CONTROL_ERROR_USAGE, "the text of a PEM"},
    {"key_import known label", "key_import", "5:label9:restored03:pem1:x", CONTROL_ERROR_REFUSED,
     "another key has this label"},
    {"key_export no label", "key_export", "", CONTROL_ERROR_USAGE, "a label is"},
    {"key_show no label", "key_show", "", CONTROL_ERROR_USAGE, "a label is"},
    {"key_show unknown", "key_show", "5:label3:eve", CONTROL_ERROR_NOT_FOUND, "no key has"},
    {"ping nobody", "ping", "", CONTROL_ERROR_USAGE, "an address and a port"},
    {"ping no port", "ping", "4:addr9:127.0.0.1", CONTROL_ERROR_USAGE, "an address and a port"},
    {"ping port 0", "ping", "4:addr11:127.0.0.1:0", CONTROL_ERROR_USAGE, "an address and a port"},
    {"ping a name", "ping", "4:addr14:localhost:6881", CONTROL_ERROR_USAGE, "an address"},
    {"ping another family", "ping", "4:addr10:[::1]:6881", CONTROL_ERROR_FAILED,
     "the cloud Global_ does not speak that"},
    {"cancel nothing", "cancel", "", CONTROL_ERROR_USAGE, "cancel needs the id"},
    {"cancel 0", "cancel", "2:idi0e", CONTROL_ERROR_USAGE, "cancel needs the id"},
    {"register nothing", "register", "", CONTROL_ERROR_USAGE, "a name is needed"},
    {"register a key not held", "register", ENDS "4:name" KEY52, CONTROL_ERROR_NOT_FOUND,
     "this key is not held here"},
    {"unregister nothing", "unregister", "", CONTROL_ERROR_USAGE, "a name is needed"},
    {"unknown criteria", "resolve", "8:criteria3:odd" NAME, CONTROL_ERROR_USAGE,
     "unknown criteria"},
};

static void test_refused(void **state)
{
    (void)state;
    brains_init(&brains, 8, 101);
    brains_add_key(&brains, 3, "restored0", 7, key);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t id = brains_ask(&brains, 3, rows[i].request, write_raw, rows[i].arguments);
        const struct brains_answer *end = brains_answer(&brains, 3, id, CONTROL_ANSWER_ERROR, 0);
        struct dht_span text = {0};
        if (end == NULL)
            fail_msg("%s: no error at once", rows[i].name);
        if (brains_error(end) != rows[i].code)
            fail_msg("%s: code %d", rows[i].name, brains_error(end));
        assert_true(control_fields_string(helper_fields(end), CONTROL_KEY_TEXT, &text));
        size_t len = strlen(rows[i].text);
        if (text.len < len || memcmp(text.data, rows[i].text, len) != 0)
            fail_msg("%s: %.*s", rows[i].name, (int)text.len, text.data);
    }
    struct node_info info = helper_info(&brains, 3);
    assert_int_equal(info.requests, 0);
    assert_int_equal(info.publications, 0);
    assert_int_equal(info.resolves, 0);
    brains_fini(&brains);
}

// A name comes with an anchor of its key, which is no name of anybody's.
static void test_status_counts_what_is_listed(void **state)
{
    int64_t count = -1;
    (void)state;
    brains_init(&brains, 8, 102);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    assert_int_equal(helper_info(&brains, 3).publications, 2);
    uint32_t id = brains_ask(&brains, 3, "status", NULL, NULL);
    const struct brains_answer *end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_non_null(end);
    assert_true(control_fields_int(helper_fields(end), CONTROL_KEY_PUBLICATIONS,
                                   (struct control_fields_range){0, 9}, &count));
    assert_int_equal(count, 1);
    brains_fini(&brains);
}

// A payload of 4097 bytes and 11 endpoints, which take more than a line.
static void write_long_payload(struct dht_bencode_writer *writer, const void *ctx)
{
    static const uint8_t zeros[CONTROL_PAYLOAD_MAX + 1];
    write_raw(writer, ENDS NAME);
    (void)ctx;
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, zeros, sizeof zeros);
}

static void write_eleven(struct dht_bencode_writer *writer, const void *ctx)
{
    (void)ctx;
    dht_bencode_put_text(writer, CONTROL_KEY_ENDPOINTS);
    dht_bencode_open_list(writer);
    for (int i = 0; i < 11; i++)
        write_raw(writer, "d2:ip4:abcd4:porti80e5:protoi6ee");
    dht_bencode_end(writer);
    write_raw(writer, NAME);
}

static void test_bounds(void **state)
{
    (void)state;
    brains_init(&brains, 8, 102);
    brains_add_key(&brains, 3, "restored0", 7, key);
    uint32_t id = brains_ask(&brains, 3, "publish", write_long_payload, NULL);
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_USAGE);
    id = brains_ask(&brains, 3, "publish", write_eleven, NULL);
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_REFUSED);
    brains.nodes[3]->config.keys_max = 1;
    id = brains_ask(&brains, 3, "key_new", write_raw, "5:label3:eve");
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_FULL);
    brains.nodes[3]->config.resolves_max = 0;
    id = brains_resolve(&brains, 3, "restored0.web", "all");
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_FULL);
    assert_int_equal(helper_info(&brains, 3).counters.resolves_refused, 1);
    brains.nodes[3]->config.publications_max = 0;
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 1), CONTROL_ERROR_FULL);
    // As many requests as there may be: one more is refused, but they can be cancelled.
    brains.nodes[3]->config.resolves_max = 10;
    brains.nodes[3]->config.requests_max = 2;
    uint32_t first = brains_resolve(&brains, 3, "restored0.a", "all");
    brains_resolve(&brains, 3, "restored0.b", "all");
    id = brains_resolve(&brains, 3, "restored0.c", "all");
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_FULL);
    char text[32];
    snprintf(text, sizeof text, "2:idi%ue", first);
    id = brains_ask(&brains, 3, "cancel", write_raw, text);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_int_equal(helper_end(&brains, 3, first), CONTROL_ERROR_CANCELLED);
    brains_fini(&brains);
}

static void test_answered_at_once(void **state)
{
    (void)state;
    brains_init(&brains, 8, 103);
    brains_add_key(&brains, 3, "restored0", 7, key);
    uint32_t id = brains_ask(&brains, 3, "key_list", NULL, NULL);
    const struct brains_answer *end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_int_equal(helper_number(end, CONTROL_KEY_COUNT), 1);
    id = brains_ask(&brains, 3, "key_show", write_raw, "5:label9:restored0");
    end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_true(helper_has_text(end, CONTROL_KEY_Z32, helper_name(key, "")));
    id = brains_ask(&brains, 3, "status", NULL, NULL);
    end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_int_equal(helper_number(end, CONTROL_KEY_KEYS), 1);
    assert_int_equal(helper_number(end, CONTROL_KEY_SESSIONS), 1);
    id = brains_ask(&brains, 3, "peers", NULL, NULL);
    end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_true(helper_number(end, CONTROL_KEY_COUNT) > 0);
    id = brains_ask(&brains, 3, "ping", write_raw, "4:addr15:127.0.0.1:20001");
    assert_int_equal(helper_end(&brains, 3, id), 0);
    id = brains_ask(&brains, 3, "ping", write_raw, "4:addr15:127.0.0.1:29999");
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_TIMED_OUT);
    assert_int_equal(helper_ops(&brains, 3), 0);
    brains_fini(&brains);
}

// A ping is sent again for as long as its client waits: who comes back meanwhile is heard, and who
// does not is given up when the time is over, not before.
static void test_ping_lasts_as_long_as_it_may(void **state)
{
    static const struct {
        const char *name;
        const char *arguments;
        int64_t back_after_us; // the one that is pinged; 0: never
        int64_t ends_us;       // the earliest
        int code;
    } pings[] = {
        {"a short one", "4:addr15:127.0.0.1:2001010:timeout_msi2000e", 0, 2 * SECOND,
         CONTROL_ERROR_TIMED_OUT},
        {"a long one", "4:addr15:127.0.0.1:2001010:timeout_msi45000e", 0, 45 * SECOND,
         CONTROL_ERROR_TIMED_OUT},
        {"by default", "4:addr15:127.0.0.1:20010", 0, 30 * SECOND, CONTROL_ERROR_TIMED_OUT},
        {"back in time", "4:addr15:127.0.0.1:2001010:timeout_msi45000e", 14 * SECOND, 14 * SECOND,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pings / sizeof *pings; i++) {
        brains_init(&brains, 16, 50 + i);
        brains_kill(&brains, 9);
        int64_t asked_us = brains.now_us;
        uint32_t id = brains_ask(&brains, 3, "ping", write_raw, pings[i].arguments);
        if (pings[i].back_after_us > 0) {
            brains_run(&brains, pings[i].back_after_us);
            brains_start(&brains, 9);
        }
        int code = helper_end(&brains, 3, id);
        int64_t took_us = brains.now_us - asked_us;
        if (code != pings[i].code || took_us < pings[i].ends_us ||
            took_us > pings[i].ends_us + 8 * SECOND)
            fail_msg("%s: code %d after %d s", pings[i].name, code, (int)(took_us / SECOND));
        brains_fini(&brains);
    }
}

// An answer that is no reply, or none that can come, ends it at once.
static void test_ping_of_the_unreachable_ends(void **state)
{
    struct dht_addr addr = {.ip = {127, 0, 0, 1}, .ip_len = 4, .port = 29999};
    (void)state;
    brains_init(&brains, 8, 55);
    uint32_t id = brains_ask(&brains, 3, "ping", write_raw, "4:addr15:127.0.0.1:29999");
    brains_run(&brains, SECOND / 10);
    uint64_t sent = brains.sent;
    node_unreachable(brains.nodes[3], brains.now_us, 0, &addr);
    assert_int_equal(helper_end(&brains, 3, id), CONTROL_ERROR_TIMED_OUT);
    assert_in_range(brains.sent, sent, sent + 8);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_status_counts_what_is_listed),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_answered_at_once),
        cmocka_unit_test(test_ping_lasts_as_long_as_it_may),
        cmocka_unit_test(test_ping_of_the_unreachable_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
