// SPDX-License-Identifier: MIT
// Secured names that a connection has registered: they end with it, whatever becomes of the daemon.
#include "node/core/publication.h"
#include "tests/core/brains_helper.h"

#include <stdio.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_ends_with_its_connection),
        cmocka_unit_test(test_others_do_not_take_it),
        cmocka_unit_test(test_the_daemon_is_killed),
        cmocka_unit_test(test_resolvers_do_not_register_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
