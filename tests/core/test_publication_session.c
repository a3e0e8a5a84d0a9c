// SPDX-License-Identifier: MIT
// Secured names that a connection has registered: they end with it, whatever becomes of the daemon.
#include "node/core/publication.h"
#include "tests/core/watch_helper.h"

#include <string.h>

#define ENDPOINT(port) "9:endpointsld2:ip4:\1\2\3\4" port "5:protoi6eee"

static struct brains brains;
static uint8_t key[32];
static const char *web;

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static int do_ask(size_t node, const char *word, const char *arguments)
{
    return helper_end(&brains, node, brains_ask(&brains, node, word, write_raw, arguments));
}

static int do_register(const char *port)
{
    char arguments[128];
    snprintf(arguments, sizeof arguments,
             "9:endpointsld2:ip4:\1\2\3\4%s5:protoi6eee4:name13:restored0.web", port);
    return do_ask(3, "register", arguments);
}

static void start(uint64_t seed)
{
    memset(&brains, 0, sizeof brains);
    brains_init(&brains, 10, seed);
    brains_add_key(&brains, 3, "restored0", 7, key);
    web = helper_name(key, ".web");
}

// Another client, to the same node.
static uint32_t change_session(void)
{
    uint32_t before = brains.sessions[3];
    brains.sessions[3] = node_session_open(brains.nodes[3], brains.now_us, NODE_ACCESS_CONTROL);
    return before;
}

static void hang_up(uint32_t session)
{
    node_session_closed(brains.nodes[3], brains.now_us, session);
    brains_run(&brains, 30 * SECOND);
}

static void test_it_ends_with_its_connection(void **state)
{
    (void)state;
    start(501);
    assert_int_equal(do_register("4:porti1e"), 0);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 1);
    // The same again replaces.
    assert_int_equal(do_register("4:porti2e"), 0);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 2);
    uint32_t id = brains_ask(&brains, 3, "publications", NULL, NULL);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_int_equal(
        helper_number(brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, 0), "session"), 1);
    hang_up(change_session());
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(do_register("4:porti3e"), 0);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 3);
    assert_int_equal(do_ask(3, "unregister", "4:name13:restored0.web"), 0);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), -CONTROL_ERROR_NOT_FOUND);
    assert_int_equal(do_ask(3, "unregister", "4:name13:restored0.web"), CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

static void test_others_do_not_take_it(void **state)
{
    (void)state;
    start(502);
    assert_int_equal(do_register("4:porti1e"), 0);
    uint32_t first = change_session();
    assert_int_equal(do_register("4:porti2e"), CONTROL_ERROR_CONFLICT);
    assert_int_equal(do_ask(3, "unregister", "4:name13:restored0.web"), CONTROL_ERROR_NOT_FOUND);
    hang_up(change_session());
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 1);
    // What is published for good is not the connection's any more.
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 5), 0);
    hang_up(first);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 5);
    assert_int_equal(do_register("4:porti2e"), CONTROL_ERROR_CONFLICT);
    assert_int_equal(helper_resolve(&brains, 8, web, "all"), 5);
    brains_fini(&brains);
}

// A client may come back to a daemon that was killed; where it does not, the name is withdrawn.
static void test_the_daemon_is_killed(void **state)
{
    (void)state;
    for (int comes_back = 0; comes_back < 2; comes_back++) {
        start(503);
        assert_int_equal(do_register("4:porti1e"), 0);
        brains_kill(&brains, 3);
        brains_start(&brains, 3);
        brains_run(&brains, 15 * SECOND);
        assert_int_equal(helper_resolve(&brains, 8, web, "all"), 1);
        if (comes_back)
            assert_int_equal(do_register("4:porti2e"), 0);
        brains_run(&brains, 60 * SECOND);
        assert_int_equal(helper_resolve(&brains, 8, web, "all"),
                         comes_back ? 2 : -CONTROL_ERROR_NOT_FOUND);
        brains_fini(&brains);
    }
}

static void test_resolvers_do_not_register_it(void **state)
{
    (void)state;
    start(504);
    brains.sessions[3] = node_session_open(brains.nodes[3], brains.now_us, NODE_ACCESS_RESOLVE);
    assert_int_equal(do_register("4:porti1e"), CONTROL_ERROR_REFUSED);
    assert_int_equal(do_ask(3, "unregister", "4:name13:restored0.web"), CONTROL_ERROR_REFUSED);
    brains_fini(&brains);
}

// ---- whose process it is ----

// The ports of what a resolve by some criteria tells: "1000 2000", or "e3" for error 3.
static const char *resolve_by(size_t node, const char *criteria, const char *wait)
{
    static char text[256];
    char arguments[256];
    size_t len = 0;
    snprintf(arguments, sizeof arguments, "8:criteria%zu:%s4:name%zu:%s4:wait%zu:%s",
             strlen(criteria), criteria, strlen(web), web, strlen(wait), wait);
    uint32_t id = brains_ask(&brains, node, "resolve", write_raw, arguments);
    int code = helper_end(&brains, node, id);
    size_t count = brains_count(&brains, node, id, CONTROL_ANSWER_RESULT);
    if (code != 0)
        snprintf(text, sizeof text, "e%d", code);
    for (size_t i = 0; i < count; i++)
        len += (size_t)sprintf(
            text + len, i == 0 ? "%d" : " %d",
            helper_port(brains_answer(&brains, node, id, CONTROL_ANSWER_RESULT, i)));
    if (strcmp(text, "2000 1000") == 0) // machines come in the order of their ids, which are random
        return "1000 2000";
    return text;
}

static uint32_t watch_by(const char *criteria)
{
    char arguments[256];
    snprintf(arguments, sizeof arguments, "8:criteria%zu:%s4:name%zu:%s", strlen(criteria),
             criteria, strlen(web), web);
    return brains_ask(&brains, 3, "watch", write_raw, arguments);
}

static const char *const waits[] = {"settled", "all", "first", "cache"};

// Who has registered a name is who asks for it, where that is one connection, and nobody else.
static void test_whose_process_it_is(void **state)
{
    static const struct {
        const char *criteria;
        const char *registrant; // is told
        const char *other;      // another connection of the same daemon
    } rows[] = {
        {"any-peer-name", "1000 2000", "1000 2000"},
        {"default", "2000", "1000 2000"},
        {"non-current-process", "2000", "1000 2000"},
        {"nearest-non-current-process", "2000", "1000 2000"},
        {"remote-peer-name", "2000", "2000"},
    };
    uint8_t same[32];
    (void)state;
    start(505);
    brains_add_key(&brains, 5, "restored0", 7, same);
    assert_int_equal(do_register("4:porti1000e"), 0);
    assert_string_equal(resolve_by(3, "default", "all"), "e3");
    assert_int_equal(helper_publish(&brains, 5, "restored0.web", 2000), 0);
    brains_run(&brains, 2 * MINUTE);
    uint32_t registrant = brains.sessions[3];
    change_session();
    uint32_t other = brains.sessions[3];
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        bool is_other = i % 2 == 1;
        const char *wanted = is_other ? rows[i / 2].other : rows[i / 2].registrant;
        brains.sessions[3] = is_other ? other : registrant;
        for (size_t k = 0; k < sizeof waits / sizeof *waits; k++) {
            const char *told = resolve_by(3, rows[i / 2].criteria, waits[k]);
            if (strcmp(told, wanted) != 0)
                fail_msg("%s, %s, %s: %s", rows[i / 2].criteria, waits[k],
                         is_other ? "another" : "its own", told);
        }
    }
    assert_string_equal(resolve_by(8, "default", "all"), "1000 2000");
    brains_fini(&brains);
}

// A program that registers a name and watches it does not hear of itself, whatever it does with it.
static void test_it_is_no_news_to_its_process(void **state)
{
    (void)state;
    start(506);
    assert_int_equal(do_register("4:porti1000e"), 0);
    uint32_t own = watch_by("default");
    uint32_t any = watch_by("any-peer-name");
    brains_run(&brains, MINUTE);
    assert_int_equal(do_register("4:porti2000e"), 0);
    assert_int_equal(do_ask(3, "unregister", "4:name13:restored0.web"), 0);
    brains_run(&brains, MINUTE);
    assert_int_equal(do_register("4:porti3000e"), 0);
    brains_run(&brains, MINUTE);
    assert_string_equal(helper_told(&brains, 3, any), "+1000 w ~2000 - +3000");
    assert_string_equal(helper_told(&brains, 3, own), "w");
    // What is published for good is not the process's any more.
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 4000), 0);
    brains_run(&brains, MINUTE);
    assert_string_equal(helper_told(&brains, 3, own), "w +4000");
    brains_fini(&brains);
}

// What others hold tells of who has withdrawn until the tombstone is there.
static void test_it_is_its_process_s_to_the_end(void **state)
{
    (void)state;
    start(507);
    assert_int_equal(do_register("4:porti1000e"), 0);
    brains.disks[3]->stuck = true; // the tombstone is not signed before it is durable
    brains_ask(&brains, 3, "unregister", write_raw, "4:name13:restored0.web");
    brains_run(&brains, 10 * SECOND);
    uint32_t own = watch_by("default");
    assert_string_equal(resolve_by(3, "any-peer-name", "all"), "1000");
    assert_string_equal(resolve_by(3, "default", "all"), "e3");
    brains_run(&brains, MINUTE);
    assert_string_equal(helper_told(&brains, 3, own), "w");
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_ends_with_its_connection),
        cmocka_unit_test(test_others_do_not_take_it),
        cmocka_unit_test(test_the_daemon_is_killed),
        cmocka_unit_test(test_resolvers_do_not_register_it),
        cmocka_unit_test(test_whose_process_it_is),
        cmocka_unit_test(test_it_is_no_news_to_its_process),
        cmocka_unit_test(test_it_is_its_process_s_to_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
