// SPDX-License-Identifier: MIT
#include "node/core/pace.h"

#include "tests/core/brains_helper.h"

static struct brains brains;
static uint8_t key[32];

// ---- haste ----

static void test_haste(void **state)
{
    static const struct {
        const char *name;
        uint32_t haste;
        struct core_pace_reading reading;
        uint32_t then;
    } rows[] = {
        {"unknown", 0, {0, 0, false}, 0},
        {"unknown, in haste", 2, {0, 20, false}, 2},
        {"all are there", 0, {20, 20, false}, 0},
        {"more than stored it", 0, {20, 24, false}, 0},
        {"half are there", 0, {20, 10, false}, 0},
        {"less than half", 0, {20, 9, false}, 2},
        {"less than half again", 2, {20, 9, false}, 3},
        {"less than half, as fast as can be", 3, {20, 9, false}, 3},
        {"a quarter", 0, {20, 5, false}, 2},
        {"less than a quarter", 0, {20, 4, false}, 3},
        {"none", 1, {20, 0, false}, 3},
        {"less than half at once", 0, {20, 9, true}, 2},
        {"half are there, in haste", 2, {20, 10, false}, 2},
        {"hardly three quarters, in haste", 2, {20, 14, false}, 2},
        {"three quarters, in haste", 3, {20, 15, false}, 2},
        {"three quarters at once, in haste", 3, {20, 15, true}, 3},
        {"the last step", 1, {20, 20, false}, 0},
        {"one of one", 1, {1, 1, false}, 0},
        {"none of one", 0, {1, 0, false}, 3},
        {"as many as can be counted", 1, {UINT32_MAX, UINT32_MAX, false}, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint32_t then = core_pace_haste(rows[i].haste, &rows[i].reading);
        if (then != rows[i].then)
            fail_msg("%s: %u", rows[i].name, (unsigned)then);
    }
}

static void test_interval(void **state)
{
    static const struct {
        const char *name;
        int64_t renew_us;
        uint32_t haste;
        int64_t interval_us;
    } rows[] = {
        {"none", 50 * MINUTE, 0, 50 * MINUTE},
        {"some", 50 * MINUTE, 1, 37 * MINUTE + 30 * SECOND},
        {"more", 50 * MINUTE, 2, 25 * MINUTE},
        {"most", 50 * MINUTE, 3, 12 * MINUTE + 30 * SECOND},
        {"not below five minutes", 16 * MINUTE, 3, 5 * MINUTE},
        {"the shortest there is", 5 * MINUTE, 3, 5 * MINUTE},
        {"shorter by configuration", 10 * SECOND, 3, 10 * SECOND},
        {"the longest there is", 110 * MINUTE, 0, 110 * MINUTE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t interval_us = core_pace_interval_us(rows[i].renew_us, rows[i].haste);
        if (interval_us != rows[i].interval_us)
            fail_msg("%s: %lld us", rows[i].name, (long long)interval_us);
    }
}

// ---- renewals ----

static const struct core_publication *publication_of(size_t node)
{
    return core_publication_table_find(&brains.nodes[node]->publications,
                                       brains.nodes[node]->clouds[0], key,
                                       (struct dht_span){(const uint8_t *)"web", 3});
}

static int64_t renewal_in_us(size_t node)
{
    return publication_of(node)->timer.due_us - brains.now_us;
}

static void begin(size_t count, uint64_t seed)
{
    brains_init(&brains, count, seed);
    brains_add_key(&brains, 3, "restored0", 7, key);
    assert_int_equal(helper_publish(&brains, 3, "restored0.web", 443), 0);
    brains_run(&brains, MINUTE);
}

// Nodes forget what they held: killed, and started with an empty disk.
static void lose(size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        brains_kill(&brains, i);
        brains.disks[i]->row_count = 0;
        brains_start(&brains, i);
    }
}

// Runs until the round that is due next has ended. Returns how long that took.
static int64_t run_to_renewal(size_t node)
{
    int64_t begun_us = brains.now_us;
    brains_run(&brains, renewal_in_us(node) + 20 * SECOND);
    return brains.now_us - begun_us;
}

static void test_lost_copies_bring_the_next_renewal_forward(void **state)
{
    (void)state;
    begin(24, 301);
    assert_in_range(renewal_in_us(3), 43 * MINUTE, 50 * MINUTE);
    lose(6, 22);
    run_to_renewal(3);
    assert_in_range(renewal_in_us(3), 10 * MINUTE, 25 * MINUTE);
    // Step by step it is back to what it was. On the way nothing is stored that is there.
    size_t steps = 0;
    int64_t elapsed_us = 0;
    while (publication_of(3)->haste > 0) {
        uint32_t haste = publication_of(3)->haste;
        elapsed_us += run_to_renewal(3);
        assert_int_equal(publication_of(3)->haste, haste - 1);
        assert_true(++steps <= 3 && elapsed_us < 3 * HOUR);
    }
    assert_true(steps >= 2);
    run_to_renewal(3);
    assert_in_range(renewal_in_us(3), 43 * MINUTE, 50 * MINUTE);
    assert_int_equal(helper_resolve(&brains, 8, helper_name(key, ".web"), "all"), 443);
    brains_fini(&brains);
}

// Where several machines publish, however much is lost.
static void test_shared_record_keeps_its_time(void **state)
{
    uint8_t same[32];
    (void)state;
    begin(24, 302);
    brains_add_key(&brains, 5, "restored0", 7, same);
    assert_int_equal(helper_publish(&brains, 5, "restored0.web", 444), 0);
    brains_run(&brains, 55 * MINUTE); // both know of each other
    lose(6, 22);
    run_to_renewal(3);
    assert_in_range(renewal_in_us(3), 43 * MINUTE, 50 * MINUTE);
    brains_fini(&brains);
}

// ---- the network returns ----

static void write_name(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, ctx);
}

static void test_network_returns(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        int64_t away_us;
        bool is_renewed; // at once
    } rows[] = {
        {"after 20 minutes", 24, 20 * MINUTE, true},
        {"after 20 minutes, hardly anybody", 5, 20 * MINUTE, true},
        {"after 6 minutes", 24, 6 * MINUTE, true},
        {"after a moment", 24, 20 * SECOND, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin(rows[i].count, 310 + i);
        assert_int_equal(helper_publish(&brains, 3, "0.printer", 444), 0);
        brains_ask(&brains, 3, "watch", write_name, helper_name(key, ".other"));
        brains_run(&brains, 2 * MINUTE);
        brains.loss_percent = 100;
        brains_run(&brains, rows[i].away_us);
        struct node_counters before = helper_info(&brains, 3).counters;
        brains.loss_percent = 0;
        brains_run(&brains, MINUTE);
        struct node_counters after = helper_info(&brains, 3).counters;
        bool is_renewed = after.publish_rounds >= before.publish_rounds + 2; // and the anchor
        bool is_watched = after.watch_looks > before.watch_looks;
        bool is_announced = after.announce_rounds > before.announce_rounds;
        bool is_all = is_renewed && is_watched && is_announced;
        if (is_renewed != rows[i].is_renewed || is_all != rows[i].is_renewed)
            fail_msg("%s: %d rounds, %d announces, %d looks", rows[i].name,
                     (int)(after.publish_rounds - before.publish_rounds),
                     (int)(after.announce_rounds - before.announce_rounds),
                     (int)(after.watch_looks - before.watch_looks));
        brains_fini(&brains);
    }
}

// Whoever publishes nothing has hardly anything to ask, and notices all the same.
static void test_all_hear_of_it(void **state)
{
    uint64_t before[24];
    struct dht_info info;
    (void)state;
    begin(24, 321);
    brains.loss_percent = 100;
    brains_run(&brains, 20 * MINUTE);
    for (size_t i = 0; i < 24; i++) {
        dht_info(node_engine(brains.nodes[i], 0), &info);
        before[i] = info.counters.replies_in_time;
    }
    brains.loss_percent = 0;
    brains_run(&brains, 50 * SECOND);
    for (size_t i = 0; i < 24; i++) {
        dht_info(node_engine(brains.nodes[i], 0), &info);
        if (info.counters.replies_in_time == before[i])
            fail_msg("node %zu has not noticed", i);
    }
    brains_fini(&brains);
}

// ---- what the list says ----

static void check_list(const char *when, const char *state, bool has_error)
{
    uint32_t id = brains_ask(&brains, 3, "publications", NULL, NULL);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    assert_int_equal(brains_count(&brains, 3, id, CONTROL_ANSWER_RESULT), 2);
    for (size_t i = 0; i < 2; i++) { // the secured one first
        const struct brains_answer *one = brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, i);
        int64_t stored = helper_number(one, CONTROL_KEY_STORED);
        bool is_whole = helper_number(one, CONTROL_KEY_COPIES) >= 8 && stored >= 8 &&
                        helper_number(one, CONTROL_KEY_TARGETS) >= stored &&
                        helper_number(one, CONTROL_KEY_RENEW_S) >= 0;
        bool is_fine = helper_has_text(one, CONTROL_KEY_LAST_ERROR, "");
        if (!has_error && (!is_whole || !is_fine))
            fail_msg("%s, %zu: %.*s", when, i, (int)one->fields_len, (const char *)one->fields);
        if (is_fine == has_error || !helper_has_text(one, CONTROL_KEY_STATE, state))
            fail_msg("%s, %zu: another state", when, i);
    }
}

static void test_list_says_how_they_stand(void **state)
{
    (void)state;
    begin(24, 331);
    assert_int_equal(helper_publish(&brains, 3, "0.printer", 444), 0);
    brains_run(&brains, MINUTE);
    check_list("published", "kept", false);
    brains.loss_percent = 100;
    node_network_changed(brains.nodes[3], brains.now_us);
    brains_run(&brains, 5 * MINUTE);
    check_list("away", "failed", true);
    // What is there still is not stored again, and all is well.
    brains.loss_percent = 0;
    uint64_t skipped = helper_info(&brains, 3).counters.publish_skipped;
    brains_run(&brains, MINUTE);
    assert_true(helper_info(&brains, 3).counters.publish_skipped > skipped);
    check_list("back", "kept", false);
    brains_fini(&brains);
}

// The round that reads back what was stored first is no renewal.
static void test_list_tells_the_renewal(void **state)
{
    static const struct {
        const char *state;
        int64_t after_us;
        int64_t least_s;
    } rows[] = {
        {"checking", 0, 49 * 60},
        {"checking", SECOND, 49 * 60},
        {"kept", MINUTE, 44 * 60},
        {"kept", 20 * MINUTE, 20 * 60},
    };
    (void)state;
    begin(24, 351);
    uint32_t id = brains_publish(&brains, 3, "restored0.second", 444, NULL);
    assert_int_equal(helper_end(&brains, 3, id), 0);
    const struct brains_answer *end = brains_answer(&brains, 3, id, CONTROL_ANSWER_DONE, 0);
    assert_in_range(helper_number(end, CONTROL_KEY_RENEW_S), 45 * 60, 50 * 60);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        brains_run(&brains, rows[i].after_us);
        id = brains_ask(&brains, 3, "publications", NULL, NULL);
        assert_int_equal(helper_end(&brains, 3, id), 0);
        const struct brains_answer *one = brains_answer(&brains, 3, id, CONTROL_ANSWER_RESULT, 0);
        int64_t renew_s = helper_number(one, CONTROL_KEY_RENEW_S);
        if (!helper_has_text(one, CONTROL_KEY_STATE, rows[i].state) || renew_s < rows[i].least_s ||
            renew_s > 50 * 60)
            fail_msg("row %zu: %.*s", i, (int)one->fields_len, (const char *)one->fields);
    }
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_haste),
        cmocka_unit_test(test_interval),
        cmocka_unit_test(test_lost_copies_bring_the_next_renewal_forward),
        cmocka_unit_test(test_shared_record_keeps_its_time),
        cmocka_unit_test(test_network_returns),
        cmocka_unit_test(test_all_hear_of_it),
        cmocka_unit_test(test_list_says_how_they_stand),
        cmocka_unit_test(test_list_tells_the_renewal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
