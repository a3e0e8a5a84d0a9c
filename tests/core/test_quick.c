// SPDX-License-Identifier: MIT
// Quick changes, by whole brains: what is changed goes to those that have stored it last before the
// whole round is read, and only where nobody else has written.
#include "tests/core/brains_helper.h"
#include "tests/dht/find.h"

static struct brains brains;
static uint8_t key[32];
static uint32_t puts_early; // of the writer, before it began to store in earnest
static uint32_t puts_all;
static uint32_t puts_now; // at put_us
static int64_t put_us;
static uint32_t request;

#define WRITER  3
#define ANOTHER 5
#define READER  8

static void count_puts(struct brains *all, size_t node, const struct dht_krpc *msg)
{
    if (node != WRITER || msg->salt.len == 0) // the anchor's
        return;
    puts_now = put_us == all->now_us ? puts_now + 1 : 1;
    put_us = all->now_us;
    puts_all++;
}

// The writer says that it stores; what it puts at that moment is taken before.
static bool see_storing(struct brains *all, size_t node, const struct node_out *out)
{
    static const char word[] = "7:storing";
    if (node == WRITER && out->type == NODE_OUT_BYTES &&
        find_bytes(out->bytes.data, out->bytes.len, word, strlen(word)) != FIND_NOTHING)
        puts_early = puts_all - (put_us == all->now_us ? puts_now : 0);
    return true;
}

static void watch(void)
{
    puts_early = puts_all = puts_now = 0;
    brains.on_put = count_puts;
    brains.on_out = see_storing;
}

static void begin(uint64_t seed)
{
    uint8_t same[32];
    brains_init(&brains, 32, seed);
    brains_add_key(&brains, WRITER, "restored0", 7, key);
    brains_add_key(&brains, ANOTHER, "restored0", 7, same);
}

static void change(uint16_t port)
{
    watch();
    request = brains_publish(&brains, WRITER, "restored0.web", port, NULL);
    assert_int_equal(helper_end(&brains, WRITER, request), 0);
    brains.on_put = NULL;
    brains.on_out = NULL;
}

static void test_change_goes_out_early(void **state)
{
    (void)state;
    begin(1);
    change(1000);
    assert_int_equal(puts_early, 0); // nobody has stored it before
    brains_run(&brains, MINUTE);
    for (uint16_t port = 1001; port < 1004; port++) {
        change(port);
        assert_true(puts_early >= 8);
        if (puts_all >= 40) // nobody is asked twice
            fail_msg("%u puts, %u early", puts_all, puts_early);
        assert_int_equal(helper_resolve(&brains, READER, helper_name(key, ".web"), "all"), port);
        brains_run(&brains, 40 * MINUTE);
    }
    brains_fini(&brains);
}

// A withdrawal is a change as any.
static void test_withdrawal_goes_out_early(void **state)
{
    (void)state;
    begin(2);
    change(1000);
    brains_run(&brains, MINUTE);
    watch();
    request = brains_unpublish(&brains, WRITER, "restored0.web");
    assert_int_equal(helper_end(&brains, WRITER, request), 0);
    assert_true(puts_early >= 8);
    assert_int_equal(helper_resolve(&brains, READER, helper_name(key, ".web"), "all"),
                     -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// What another machine has written is not written over: the whole round is read first.
static void test_waits_where_another_has_written(void **state)
{
    (void)state;
    begin(3);
    change(1000);
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_publish(&brains, ANOTHER, "restored0.web", 2000), 0);
    change(1001);
    assert_int_equal(puts_early, 0);
    uint32_t id = brains_resolve(&brains, READER, helper_name(key, ".web"), "all");
    assert_int_equal(helper_end(&brains, READER, id), 0);
    assert_int_equal(brains_count(&brains, READER, id, CONTROL_ANSWER_RESULT), 2);
    brains_fini(&brains);
}

// Changes that follow at once, and one that is broken off: the last one stands.
static void test_changes_in_a_row(void **state)
{
    (void)state;
    for (int64_t pause_us = 10000; pause_us < SECOND; pause_us += 70000) {
        begin(4);
        change(1000);
        brains_run(&brains, MINUTE);
        brains_publish(&brains, WRITER, "restored0.web", 1001, NULL);
        brains_run(&brains, pause_us);
        change(1002);
        brains_run(&brains, MINUTE);
        if (helper_resolve(&brains, READER, helper_name(key, ".web"), "all") != 1002)
            fail_msg("after %d us", (int)pause_us);
        assert_int_equal(helper_ops(&brains, WRITER), 0);
        brains_fini(&brains);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_change_goes_out_early),
        cmocka_unit_test(test_withdrawal_goes_out_early),
        cmocka_unit_test(test_waits_where_another_has_written),
        cmocka_unit_test(test_changes_in_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
