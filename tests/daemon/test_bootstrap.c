// SPDX-License-Identifier: MIT
#include "node/daemon/bootstrap.h"

#include "dht/addr.h"
#include "tests/daemon/unit.h"

static struct daemon_loop *loop;
static struct dht_addr found[DAEMON_BOOTSTRAP_ADDRS_MAX];
static size_t found_count;
static int calls;

static void on_found(void *ctx, const struct dht_addr *addrs, size_t count)
{
    (void)ctx;
    memcpy(found, addrs, count * sizeof *addrs);
    found_count = count;
    calls++;
}

static bool on_joined(void *ctx)
{
    return *(bool *)ctx;
}

static struct daemon_bootstrap *make(bool *joined)
{
    struct daemon_bootstrap_calls hooks = {.ctx = joined, .found = on_found, .joined = on_joined};
    struct daemon_bootstrap *bootstrap = daemon_bootstrap_new(loop, &hooks);
    assert_non_null(bootstrap);
    found_count = 0;
    calls = 0;
    return bootstrap;
}

// Numeric addresses are there before the loop has turned.
static void test_numeric(void **state)
{
    struct daemon_config_hosts hosts = {.count = 2,
                                        .list = {{"192.0.2.1", 6881}, {"2001:db8::1", 7}}};
    bool joined = false;
    char text[DHT_ADDR_TEXT_MAX];
    (void)state;
    struct daemon_bootstrap *bootstrap = make(&joined);
    daemon_bootstrap_start(bootstrap, &hosts);
    assert_int_equal(found_count, 2);
    dht_addr_to_text(&found[0], text);
    assert_string_equal(text, "192.0.2.1:6881");
    dht_addr_to_text(&found[1], text);
    assert_string_equal(text, "[2001:db8::1]:7");
    daemon_bootstrap_free(bootstrap);
}

// A name is resolved by the thread; localhost is in every machine's own files.
static void test_name(void **state)
{
    struct daemon_config_hosts hosts = {.count = 1, .list = {{"localhost", 6881}}};
    bool joined = false;
    (void)state;
    struct daemon_bootstrap *bootstrap = make(&joined);
    daemon_bootstrap_start(bootstrap, &hosts);
    assert_int_equal(calls, 0);
    while (calls == 0)
        daemon_loop_once(loop);
    assert_true(found_count > 0);
    assert_true(dht_addr_is_local(&found[0]));
    assert_int_equal(found[0].port, 6881);
    daemon_bootstrap_free(bootstrap);
}

// Freed while its thread is at work: nothing is told, nothing is left (the sanitizer would say).
static void test_freed(void **state)
{
    struct daemon_config_hosts hosts = {.count = 1, .list = {{"localhost", 6881}}};
    bool joined = false;
    (void)state;
    struct daemon_bootstrap *bootstrap = make(&joined);
    daemon_bootstrap_start(bootstrap, &hosts);
    daemon_loop_once(loop); // the thread begins
    daemon_bootstrap_free(bootstrap);
    assert_true(calls <= 1);
}

static int setup(void **state)
{
    (void)state;
    loop = daemon_loop_new(NULL);
    return loop == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    daemon_loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numeric, setup, teardown),
        cmocka_unit_test_setup_teardown(test_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_freed, setup, teardown),
    };
    return unit_run(tests);
}
