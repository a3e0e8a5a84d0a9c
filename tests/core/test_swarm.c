// SPDX-License-Identifier: MIT
// What fires of unsecured names that are watched: whole brains in virtual time.
#include "node/core/swarm.h"
#include "tests/core/watch_helper.h"

#define FIRST   4
#define OTHER   5
#define WATCHER 8

static struct brains brains;

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static uint32_t ask(size_t node, const char *word, const char *arguments)
{
    return brains_ask(&brains, node, word, write_raw, arguments);
}

static void must(size_t node, const char *word, const char *arguments)
{
    assert_int_equal(helper_end(&brains, node, ask(node, word, arguments)), 0);
}

static uint32_t watch(size_t node)
{
    return ask(node, "watch", "4:name3:0.s");
}

static void begin(uint64_t seed)
{
    memset(&brains, 0, sizeof brains);
    brains_init(&brains, 12, seed);
    brains_run(&brains, 30 * SECOND);
}

// ---- what fires ----

struct row {
    const char *name;
    const char *script; // see step()
    const char *told;
};

static const struct row rows[] = {
    {"nobody there", "W", "w"},
    {"there at first", "A1W", "+1000 w"},
    {"two at first", "A1B2W", "+1000 +2000 w"},
    {"comes", "WA1", "w +1000"},
    {"a second one comes", "A1WB2", "+1000 w +2000"},
    {"says something else", "A1WA3", "+1000 w ~3000"},
    {"says the same again", "A1WA1", "+1000 w"},
    {"goes", "A1Wa", "+1000 w -"},
    {"one of two goes", "A1B2Wa", "+1000 +2000 w -"},
    {"its client hangs up", "A1Wx", "+1000 w -"},
    {"its machine dies", "A1B2WK", "+1000 +2000 w -"},
    {"goes and comes back", "A1WaA3", "+1000 w - +3000"},
    {"for hours", "A1WT", "+1000 w"},
    {"at home", "LA1A2a", "w +1000 ~2000 -"},
    {"our network changes", "A1WNB2", "+1000 w +2000"},
};

static void publish(size_t node, char digit)
{
    char arguments[96];
    snprintf(arguments, sizeof arguments,
             "9:endpointsld2:ip4:abcd4:porti%c000e5:protoi6eee4:name3:0.s", digit);
    must(node, "register", arguments);
}

// One step of a script: A and B register at a port, a and b unregister, x hangs up, K kills the
// first, W and L begin to watch from elsewhere and at home. Returns what is behind it.
static const char *step(const char *at, size_t *inout_node, uint32_t *inout_id)
{
    char what = *at++;
    if (what == 'A' || what == 'B')
        publish(what == 'A' ? FIRST : OTHER, *at++);
    if (what == 'a' || what == 'b')
        must(what == 'a' ? FIRST : OTHER, "unregister", "4:name3:0.s");
    if (what == 'x')
        node_session_closed(brains.nodes[FIRST], brains.now_us, brains.sessions[FIRST]);
    if (what == 'K')
        brains_kill(&brains, FIRST);
    if (what == 'N')
        node_network_changed(brains.nodes[*inout_node], brains.now_us);
    if (what == 'W' || what == 'L') {
        *inout_node = what == 'W' ? WATCHER : FIRST;
        *inout_id = watch(*inout_node);
    }
    brains_run(&brains, what == 'T' ? 3 * HOUR : 100 * SECOND);
    return at;
}

static void test_what_fires(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t node = 0;
        uint32_t id = 0;
        begin(500 + i);
        for (const char *at = rows[i].script; *at != '\0';)
            at = step(at, &node, &id);
        if (strcmp(helper_told(&brains, node, id), rows[i].told) != 0)
            fail_msg("%s: %s", rows[i].name, helper_told(&brains, node, id));
        brains_fini(&brains);
    }
}

// ---- who is wanted ----

// Three that publish, of which one changes and goes: 1 registered by the connection that watches, 2
// published by its node, 3 elsewhere.
static void have_three_come_and_one_go(void)
{
    publish(FIRST, '1');
    brains_run(&brains, 10 * SECOND);
    must(FIRST, "publish", "9:endpointsld2:ip4:abcd4:porti2000e5:protoi6eee4:name3:0.s");
    brains_run(&brains, 10 * SECOND);
    publish(OTHER, '3');
    brains_run(&brains, 100 * SECOND);
    publish(FIRST, '4');
    brains_run(&brains, 10 * SECOND);
    must(FIRST, "unregister", "4:name3:0.s");
    brains_run(&brains, 100 * SECOND);
}

// Watches that share what is found, and want different ones of it.
static void test_criteria(void **state)
{
    static const char all[] = "w +1000 +2000 +3000 ~4000 -";
    static const char others[] = "w +2000 +3000";
    static const char remote[] = "w +3000";
    static const struct {
        const char *arguments;
        const char *told;
    } wants[] = {
        {"4:name3:0.s", all},
        {"8:criteria13:any-peer-name4:name3:0.s", all},
        {"8:criteria16:remote-peer-name4:name3:0.s", remote},
        {"8:criteria7:default4:name3:0.s", others},
        {"8:criteria19:non-current-process4:name3:0.s", others},
        {"8:criteria17:nearest-peer-name4:name3:0.s", all},
        {"8:criteria24:nearest-remote-peer-name4:name3:0.s", remote},
        {"8:criteria27:nearest-non-current-process4:name3:0.s", others},
    };
    enum { WANTS = sizeof wants / sizeof wants[0] };
    uint32_t ids[WANTS];
    (void)state;
    begin(540);
    for (size_t i = 0; i < WANTS; i++)
        ids[i] = ask(FIRST, "watch", wants[i].arguments);
    uint32_t elsewhere = ask(WATCHER, "watch", "8:criteria16:remote-peer-name4:name3:0.s");
    brains_run(&brains, 30 * SECOND);
    assert_int_equal(helper_info(&brains, FIRST).watches, 1);
    have_three_come_and_one_go();
    for (size_t i = 0; i < WANTS; i++)
        if (strcmp(helper_told(&brains, FIRST, ids[i]), wants[i].told) != 0)
            fail_msg("%s: %s", wants[i].arguments, helper_told(&brains, FIRST, ids[i]));
    assert_string_equal(helper_told(&brains, WATCHER, elsewhere), all);
    brains_fini(&brains);
}

// What a connection has registered is no news to it alone: another one of the same node hears of
// it.
static void test_current_is_of_a_connection(void **state)
{
    (void)state;
    begin(541);
    publish(FIRST, '1');
    uint32_t own = ask(FIRST, "watch", "8:criteria7:default4:name3:0.s");
    brains_run(&brains, 30 * SECOND);
    assert_string_equal(helper_told(&brains, FIRST, own), "w");
    brains.sessions[FIRST] =
        node_session_open(brains.nodes[FIRST], brains.now_us, NODE_ACCESS_CONTROL);
    uint32_t others = ask(FIRST, "watch", "8:criteria7:default4:name3:0.s");
    brains_run(&brains, 30 * SECOND);
    assert_string_equal(helper_told(&brains, FIRST, others), "+1000 w");
    brains_fini(&brains);
}

// ---- when it fires ----

// Nobody waits for the next minute to hear of somebody new.
static void test_news(void **state)
{
    (void)state;
    begin(520);
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 30 * SECOND);
    publish(FIRST, '1');
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "w +1000");
    brains_fini(&brains);
}

// Nor to hear that somebody says something else, or that he is not the only one of his node.
static void test_changed(void **state)
{
    (void)state;
    begin(528);
    publish(FIRST, '1');
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 30 * SECOND);
    publish(FIRST, '3');
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w ~3000");
    brains_run(&brains, 15 * SECOND);
    must(FIRST, "publish", "9:endpointsld2:ip4:abcd4:porti2000e5:protoi6eee4:name3:0.s");
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w ~3000 +2000");
    brains_fini(&brains);
}

// Nor does a program that ends its watch at each change and begins another, however soon after that
// the next change comes.
static void test_begun_again(void **state)
{
    char digit = '1';
    (void)state;
    begin(541);
    publish(FIRST, digit);
    for (int64_t pause_us = 0; pause_us < 6 * SECOND; pause_us += SECOND / 4) {
        char wanted[] = "~0000";
        char cancelled[32];
        uint32_t id = watch(WATCHER);
        while (brains_count(&brains, WATCHER, id, CONTROL_ANSWER_PROGRESS) == 0)
            brains_run(&brains, SECOND / 100);
        brains_run(&brains, pause_us);
        digit = digit == '9' ? '1' : (char)(digit + 1);
        wanted[1] = digit;
        publish(FIRST, digit);
        if (helper_told_after_us(&brains, WATCHER, id, wanted) > 4 * SECOND)
            fail_msg("%lld ms after it began: %s", (long long)pause_us / 1000,
                     helper_told(&brains, WATCHER, id));
        snprintf(cancelled, sizeof cancelled, "2:idi%ue", id);
        must(WATCHER, "cancel", cancelled);
    }
    brains_fini(&brains);
}

// Nor is a change lost that comes before the keepers have been asked to tell: the lookup waits for
// somebody who does not answer, when it has the answer of who changes.
static void test_changed_meanwhile(void **state)
{
    (void)state;
    for (int64_t pause_us = 0; pause_us < 9 * SECOND; pause_us += SECOND / 2) {
        begin(542);
        publish(FIRST, '1');
        publish(OTHER, '2');
        brains_kill(&brains, OTHER);
        brains_run(&brains, 20 * SECOND);
        uint32_t id = watch(WATCHER);
        brains_run(&brains, pause_us);
        publish(FIRST, '3');
        if (helper_told_after_us(&brains, WATCHER, id, "3000") > 4 * SECOND)
            fail_msg("%lld ms after it began: %s", (long long)pause_us / 1000,
                     helper_told(&brains, WATCHER, id));
        brains_fini(&brains);
    }
}

// Nor that somebody is gone who says so, be it one of two on his node.
static void test_gone(void **state)
{
    (void)state;
    begin(529);
    publish(FIRST, '1');
    must(FIRST, "publish", "9:endpointsld2:ip4:abcd4:porti2000e5:protoi6eee4:name3:0.s");
    brains_run(&brains, SECOND);
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 30 * SECOND);
    must(FIRST, "unpublish", "4:name3:0.s");
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w -");
    brains_run(&brains, 20 * SECOND);
    node_session_closed(brains.nodes[FIRST], brains.now_us, brains.sessions[FIRST]);
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w - -");
    brains_fini(&brains);
}

// Nor that he is gone whose daemon ends in order; his names are there again with its next run.
static void test_stopped(void **state)
{
    (void)state;
    begin(533);
    publish(FIRST, '1');
    must(FIRST, "publish", "9:endpointsld2:ip4:abcd4:porti2000e5:protoi6eee4:name3:0.s");
    brains_run(&brains, SECOND);
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 30 * SECOND);
    assert_false(node_is_parting(brains.nodes[FIRST]));
    node_stop(brains.nodes[FIRST], brains.now_us);
    assert_true(node_is_parting(brains.nodes[FIRST]));
    brains_run(&brains, NODE_PARTING_US);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w - -");
    uint32_t late = brains_publish(&brains, FIRST, "0.s", 3000, NULL);
    assert_int_equal(helper_end(&brains, FIRST, late), CONTROL_ERROR_CANCELLED);
    brains_kill(&brains, FIRST);
    node_stop(brains.nodes[OTHER], brains.now_us); // has nothing to tell
    assert_false(node_is_parting(brains.nodes[OTHER]));
    brains_start(&brains, FIRST);
    brains_run(&brains, MINUTE);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w - - +2000");
    brains_fini(&brains);
}

// Somebody names another peer every second, for so long, who is not there. Returns how many lookups
// that has brought.
static uint64_t invent_peers(int seconds)
{
    static uint16_t port;
    struct core_swarm *swarm = brains.nodes[WATCHER]->swarms;
    uint64_t looks = helper_info(&brains, WATCHER).counters.watch_looks;
    for (int i = 0; i < seconds; i++) {
        struct dht_addr peer = {.ip = {203, 0, 113, 9}, .port = ++port, .ip_len = 4};
        struct dht_out event = {.type = DHT_OUT_PEERS, .peers = {.addrs = &peer, .count = 1}};
        core_swarm_event(brains.nodes[WATCHER], swarm, swarm->teller.engines[0], &event);
        brains_run(&brains, SECOND);
    }
    return helper_info(&brains, WATCHER).counters.watch_looks - looks;
}

// Peers that are invented make a watch look less and less often; one that is there is told all the
// same, and the next one soon.
static void test_invented(void **state)
{
    (void)state;
    begin(527);
    publish(FIRST, '1');
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 30 * SECOND);
    uint64_t first = invent_peers(120);
    assert_in_range(first, 4, 7); // 2, 4, 8, 16, 32, 60 seconds apart
    assert_in_range(invent_peers(600), 9, 12);
    publish(OTHER, '2');
    assert_in_range(invent_peers(62), 1, 6);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w +2000");
    brains_run(&brains, 3 * MINUTE);
    publish(OTHER + 1, '3');
    brains_run(&brains, 5 * SECOND);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w +2000 +3000");
    brains_fini(&brains);
}

// Who says himself that he publishes it no more is gone with the next look; who does not answer is
// looked for three times.
static void test_gone_at_once(void **state)
{
    static const struct gone {
        const char *name;
        bool publishes_too; // beside what it has registered
        bool dies;
        uint64_t looks;
        const char *told;
    } goes[] = {
        {"unregistered", false, false, 1, "+1000 w -"},
        {"one of two of one node", true, false, 1, "+1000 +2000 w -"},
        {"dead", false, true, 3, "+1000 w -"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof goes / sizeof goes[0]; i++) {
        begin(530 + i);
        publish(FIRST, '1');
        if (goes[i].publishes_too)
            must(FIRST, "publish", "9:endpointsld2:ip4:abcd4:porti2000e5:protoi6eee4:name3:0.s");
        uint32_t id = watch(WATCHER);
        brains_run(&brains, 10 * SECOND);
        uint64_t looks = helper_info(&brains, WATCHER).counters.watch_looks;
        if (goes[i].dies)
            brains_kill(&brains, FIRST);
        else
            must(FIRST, "unregister", "4:name3:0.s");
        size_t len = strlen(goes[i].told);
        for (int s = 0; s < 200 && strlen(helper_told(&brains, WATCHER, id)) < len; s++)
            brains_run(&brains, SECOND);
        looks = helper_info(&brains, WATCHER).counters.watch_looks - looks;
        if (strcmp(helper_told(&brains, WATCHER, id), goes[i].told) != 0 || looks != goes[i].looks)
            fail_msg("%s: %s after %llu", goes[i].name, helper_told(&brains, WATCHER, id),
                     (unsigned long long)looks);
        brains_fini(&brains);
    }
}

// A lossy network makes nobody come and go.
static void test_loss(void **state)
{
    (void)state;
    begin(521);
    publish(FIRST, '1');
    publish(OTHER, '2');
    uint32_t id = watch(WATCHER);
    brains_run(&brains, MINUTE);
    brains.loss_percent = 20;
    brains_run(&brains, 30 * MINUTE);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w");
    brains.loss_percent = 100; // where nobody answers, nobody is gone
    brains_run(&brains, 30 * MINUTE);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 +2000 w");
    brains_fini(&brains);
}

// How often something of that kind was told.
static size_t count_told(uint32_t id, char sign)
{
    size_t results = brains_count(&brains, WATCHER, id, CONTROL_ANSWER_RESULT);
    size_t count = 0;
    for (size_t i = 0; i < results; i++)
        count +=
            helper_sign_of(brains_answer(&brains, WATCHER, id, CONTROL_ANSWER_RESULT, i)) == sign;
    return count;
}

// A client that could not be told something, and has read now, in the middle of a lookup, is not
// told that somebody is gone whom only this lookup has found.
static void test_slow_client(void **state)
{
    (void)state;
    begin(524);
    publish(FIRST, '1');
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 100 * SECOND);
    brains_kill(&brains, FIRST); // a lookup waits for its answer
    publish(OTHER, '2');
    const struct core_swarm *swarm = brains.nodes[WATCHER]->swarms;
    for (int i = 0; i < 30000 && count_told(id, '+') < 2; i++)
        brains_run(&brains, SECOND / 1000);
    assert_int_equal(swarm->state, CORE_SWARM_LOOKING);
    swarm->watchers->behind = true;
    node_session_sent(brains.nodes[WATCHER], brains.now_us, brains.sessions[WATCHER], 0);
    assert_false(swarm->watchers->behind);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w +2000");
    brains_run(&brains, 2 * MINUTE);
    assert_string_equal(helper_told(&brains, WATCHER, id), "+1000 w +2000 -");
    brains_fini(&brains);
}

// Where there are more publishers than a client can be told of, those that he was told of do not
// come and go.
static void test_crowd(void **state)
{
    (void)state;
    memset(&brains, 0, sizeof brains);
    brains_init(&brains, 30, 525);
    brains_run(&brains, 30 * SECOND);
    for (size_t node = WATCHER + 1; node < 30; node++) {
        for (int i = 0; i < 14; i++) { // each by a connection of its own
            publish(node, '1');
            brains.sessions[node] =
                node_session_open(brains.nodes[node], brains.now_us, NODE_ACCESS_CONTROL);
        }
    }
    uint32_t id = watch(WATCHER);
    brains_run(&brains, 10 * MINUTE);
    assert_int_equal(count_told(id, '+'), CORE_PICTURE_MAX);
    assert_int_equal(count_told(id, '-'), 0);
    brains_fini(&brains);
}

static void add_result(struct core_unsecured *unsecured, uint8_t number)
{
    struct core_unsecured_result *result = calloc(1, sizeof *result + 100);
    assert_non_null(result);
    result->publisher[0] = number;
    result->description.payload_len = 100;
    *unsecured->results_end = result;
    unsecured->results_end = &result->next;
    unsecured->result_count++;
    unsecured->result_bytes += sizeof *result + 100;
}

// What is carried over counts among the bytes that may be kept; what there is no room for is gone.
static void test_carried_is_counted(void **state)
{
    static const struct {
        const char *name;
        size_t room;
        uint32_t carried;
        uint64_t dropped;
    } rows_of_room[] = {{"for both", 2, 2, 0}, {"for one", 1, 1, 1}, {"for none", 0, 0, 2}};
    const size_t one = sizeof(struct core_unsecured_result) + 100;
    (void)state;
    begin(526);
    for (size_t i = 0; i < sizeof rows_of_room / sizeof rows_of_room[0]; i++) {
        struct core_unsecured *earlier = calloc(1, sizeof *earlier);
        struct core_unsecured *later = calloc(1, sizeof *later);
        assert_true(earlier != NULL && later != NULL);
        earlier->results_end = &earlier->results;
        later->results_end = &later->results;
        add_result(earlier, 1);
        add_result(earlier, 2);
        later->result_bytes = CORE_UNSECURED_BYTES_MAX - rows_of_room[i].room * one;
        uint64_t before = helper_info(&brains, WATCHER).counters.unsecured_dropped;
        bool any = core_unsecured_carry(brains.nodes[WATCHER], later, earlier, 3);
        uint64_t dropped = helper_info(&brains, WATCHER).counters.unsecured_dropped - before;
        if (later->result_count != rows_of_room[i].carried ||
            any != (rows_of_room[i].carried > 0) || dropped != rows_of_room[i].dropped ||
            later->result_bytes !=
                CORE_UNSECURED_BYTES_MAX - (rows_of_room[i].room - later->result_count) * one)
            fail_msg("%s: %u carried, %u dropped", rows_of_room[i].name, later->result_count,
                     (unsigned)dropped);
        core_unsecured_free(earlier);
        core_unsecured_free(later);
    }
    brains_fini(&brains);
}

static void test_bounds(void **state)
{
    (void)state;
    begin(522);
    publish(FIRST, '1');
    brains.nodes[WATCHER]->config.watches_max = 1;
    uint32_t ids[2] = {watch(WATCHER), watch(WATCHER)};
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_info(&brains, WATCHER).watches, 1);
    assert_string_equal(helper_told(&brains, WATCHER, ids[0]), "+1000 w");
    assert_string_equal(helper_told(&brains, WATCHER, ids[1]), "+1000 w");
    assert_int_equal(helper_end(&brains, WATCHER, ask(WATCHER, "watch", "4:name3:0.t")),
                     CONTROL_ERROR_FULL);
    node_session_closed(brains.nodes[WATCHER], brains.now_us, brains.sessions[WATCHER]);
    assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
    assert_int_equal(helper_info(&brains, WATCHER).resolves, 0);
    assert_int_equal(helper_ops(&brains, WATCHER), 0);
    brains_fini(&brains);
}

static void test_cancelled_at_every_moment(void **state)
{
    (void)state;
    begin(523);
    publish(FIRST, '1');
    for (int64_t pause_us = 0; pause_us < 2 * SECOND; pause_us += SECOND / 20) {
        char arguments[32];
        uint32_t id = watch(WATCHER);
        brains_run(&brains, pause_us);
        snprintf(arguments, sizeof arguments, "2:idi%ue", id);
        must(WATCHER, "cancel", arguments);
        assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
        assert_int_equal(helper_info(&brains, WATCHER).resolves, 0);
        assert_int_equal(helper_ops(&brains, WATCHER), 0);
    }
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fires),
        cmocka_unit_test(test_criteria),
        cmocka_unit_test(test_current_is_of_a_connection),
        cmocka_unit_test(test_news),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_begun_again),
        cmocka_unit_test(test_changed_meanwhile),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_gone_at_once),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_cancelled_at_every_moment),
        cmocka_unit_test(test_carried_is_counted),
        cmocka_unit_test(test_invented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
