// SPDX-License-Identifier: MIT
#include "dht/source.h"

#include "dht/random.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND_US INT64_C(1000000)
#define WINDOW_US (60 * SECOND_US)
#define BURST     4096
#define FULL      2048 // a budget at rest

static const struct dht_siphash_key key = {5, 6};
static const struct dht_source_limits roomy = {8192, 50};
static struct dht_random dice;

// Host number `host` of prefix number `prefix`.
static struct dht_addr make_addr(uint8_t ip_len, uint32_t prefix, uint32_t host)
{
    struct dht_addr addr = {.ip = {0x20, 1}, .port = 6881, .ip_len = ip_len};
    addr.ip[ip_len == 4 ? 1 : 4] = (uint8_t)(prefix >> 8);
    addr.ip[ip_len == 4 ? 2 : 5] = (uint8_t)prefix;
    addr.ip[ip_len - 1] = (uint8_t)host;
    return addr;
}

static size_t budget_of(struct dht_source_table *table, int64_t now_us, uint32_t prefix)
{
    struct dht_addr addr = make_addr(4, prefix, 1);
    return dht_source_budget(table, now_us, &addr);
}

// A query of bytes_in, answered with all that is allowed.
static size_t drain(struct dht_source_table *table, int64_t now_us, const struct dht_addr *addr,
                    size_t bytes_in)
{
    if (!dht_source_query(table, now_us, addr, bytes_in)) {
        return 0;
    }
    size_t budget = dht_source_budget(table, now_us, addr);
    dht_source_spend(table, now_us, addr, budget);
    return budget;
}

static void test_rate(void **state)
{
    (void)state;
    for (uint32_t per_second = 1; per_second <= 3000; per_second = per_second * 3 + 1) {
        struct dht_source_limits limits = {64, per_second};
        struct dht_source_table *table = dht_source_table_new(&limits, &key);
        struct dht_addr addr = make_addr(4, 1, 1);
        struct dht_addr other = make_addr(4, 1, 2);
        uint32_t passed = 0;
        for (uint32_t i = 0; i < 5 * per_second; i++) {
            addr.port = (uint16_t)(i + 1); // another port is the same address
            passed += dht_source_query(table, 77, &addr, 100);
        }
        assert_int_equal(passed, 4 * per_second);
        assert_true(dht_source_query(table, 77, &other, 100));
        // From then on one each 1/n s, with no more after a second of silence than a second's
        // worth.
        passed = 0;
        for (uint32_t i = 0; i < 2 * per_second; i++) {
            passed += dht_source_query(table, 77 + SECOND_US, &addr, 100);
        }
        assert_in_range(passed, per_second - 1, per_second);
        dht_source_table_free(table);
    }
}

static void test_no_rate(void **state)
{
    (void)state;
    struct dht_source_limits limits = {64, 0};
    struct dht_source_table *table = dht_source_table_new(&limits, &key);
    struct dht_addr addr = make_addr(4, 1, 1);
    for (int i = 0; i < 10000; i++) {
        assert_true(dht_source_query(table, 0, &addr, 100));
    }
    dht_source_table_free(table);
}

static void test_budget(void **state)
{
    (void)state;
    for (uint8_t ip_len = 4; ip_len <= 16; ip_len += 12) {
        struct dht_source_table *table = dht_source_table_new(&roomy, &key);
        struct dht_addr addr = make_addr(ip_len, 1, 1);
        struct dht_addr neighbour = make_addr(ip_len, 1, 2);
        struct dht_addr stranger = make_addr(ip_len, 2, 1);
        assert_int_equal(dht_source_budget(table, 0, &addr), 0); // it has not asked
        dht_source_spend(table, 0, &addr, 0);
        assert_int_equal(drain(table, 0, &addr, 100), FULL);
        assert_int_equal(drain(table, 0, &addr, 101), 151); // 1.5 times, rounded down
        assert_int_equal(drain(table, 0, &neighbour, 100), 150);
        assert_int_equal(drain(table, 0, &stranger, 100), FULL);
        assert_int_equal(drain(table, 0, &stranger, 1400), FULL); // the credit is capped
        assert_int_equal(dht_source_budget(table, 30 * SECOND_US, &addr), FULL / 2 - 1);
        assert_int_equal(dht_source_budget(table, 61 * SECOND_US, &addr), FULL);
        assert_int_equal(dht_source_budget(table, 900 * SECOND_US, &addr), FULL);
        dht_source_table_free(table);
    }
}

static void test_proof(void **state)
{
    (void)state;
    struct dht_source_table *table = dht_source_table_new(&roomy, &key);
    struct dht_addr addr = make_addr(4, 1, 1);
    assert_false(dht_source_is_proven(table, 0, &addr));
    dht_source_prove(table, 0, &addr);
    int64_t end_us = 600 * SECOND_US;
    assert_true(dht_source_is_proven(table, end_us - 1, &addr));
    assert_false(dht_source_is_proven(table, end_us, &addr));
    assert_true(dht_source_budget(table, 0, &addr) == SIZE_MAX);
    dht_source_spend(table, 0, &addr, 1000000);
    assert_true(dht_source_budget(table, 0, &addr) == SIZE_MAX);
    static const struct {
        const char *name;
        uint32_t prefix;
        uint32_t host;
        uint16_t port;
    } others[] = {
        {"another port", 1, 1, 6882}, {"another host", 1, 2, 6881}, {"another prefix", 2, 1, 6881}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct dht_addr other = make_addr(4, others[i].prefix, others[i].host);
        other.port = others[i].port;
        if (dht_source_is_proven(table, 0, &other)) {
            fail_msg("%s", others[i].name);
        }
    }
    // What a proven one asks is no credit for its neighbours.
    struct dht_addr neighbour = make_addr(4, 1, 2);
    assert_int_equal(drain(table, 0, &neighbour, 100), FULL);
    assert_true(dht_source_query(table, 0, &addr, 1000));
    assert_int_equal(dht_source_budget(table, 0, &neighbour), 0);
    dht_source_prove(table, 300 * SECOND_US, &addr); // anew
    assert_true(dht_source_is_proven(table, 900 * SECOND_US - 1, &addr));
    dht_source_table_free(table);
}

// Whom we ask ourselves is remembered by address, whatever the port, for five minutes.
static void test_asked(void **state)
{
    (void)state;
    struct dht_source_table *table = dht_source_table_new(&roomy, &key);
    struct dht_addr addr = make_addr(4, 1, 1);
    struct dht_addr other_port = addr;
    struct dht_addr neighbour = make_addr(4, 1, 2);
    other_port.port++;
    assert_false(dht_source_was_asked(table, 0, &addr));
    dht_source_asked(table, 0, &addr);
    assert_true(dht_source_was_asked(table, 300 * SECOND_US - 1, &addr));
    assert_true(dht_source_was_asked(table, 0, &other_port));
    assert_false(dht_source_was_asked(table, 0, &neighbour));
    assert_false(dht_source_was_asked(table, 300 * SECOND_US, &addr));
    assert_false(dht_source_is_proven(table, 0, &addr));
    dht_source_table_free(table);
}

static void test_four_ports_proven(void **state)
{
    (void)state;
    struct dht_source_table *table = dht_source_table_new(&roomy, &key);
    struct dht_addr addr = make_addr(4, 1, 1);
    for (uint16_t i = 0; i < 5; i++) {
        addr.port = i; // port 0 too: nobody is proven by an empty place
        assert_false(dht_source_is_proven(table, i, &addr));
        dht_source_prove(table, i, &addr);
        dht_source_prove(table, i, &addr);
        assert_true(dht_source_is_proven(table, i, &addr));
    }
    for (uint16_t i = 0; i < 5; i++) {
        addr.port = i;
        assert_int_equal(dht_source_is_proven(table, 5, &addr), i > 0); // the first had to go
    }
    dht_source_table_free(table);
}

// Any number of strangers cannot drive out who is proven, one place in each set excepted.
static void test_flood_leaves_proofs(void **state)
{
    (void)state;
    struct dht_source_limits limits = {8, 50}; // a single set
    struct dht_source_table *table = dht_source_table_new(&limits, &key);
    for (uint32_t host = 0; host < 8; host++) {
        struct dht_addr addr = make_addr(4, 1, host);
        dht_source_prove(table, host, &addr);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct dht_addr addr = make_addr(4, 100 + i, i);
        assert_true(dht_source_query(table, 100 + i, &addr, 100));
    }
    for (uint32_t host = 0; host < 8; host++) {
        struct dht_addr addr = make_addr(4, 1, host);
        assert_int_equal(dht_source_is_proven(table, 2000, &addr), host > 0);
    }
    assert_int_equal(dht_source_forgotten(table), 1000 + 936); // addresses, prefixes
    dht_source_table_free(table);
}

static void test_flood_of_prefixes(void **state)
{
    (void)state;
    struct dht_source_limits limits = {8, 50};
    struct dht_source_table *table = dht_source_table_new(&limits, &key);
    for (uint32_t i = 0; i < 8; i++) {
        struct dht_addr addr = make_addr(4, i, 1);
        assert_int_equal(drain(table, 0, &addr, 100), FULL);
    }
    for (uint32_t i = 8; i < 200; i++) { // until all places are taken by who has spent all
        struct dht_addr addr = make_addr(4, i, 1);
        drain(table, i, &addr, 100);
    }
    for (uint32_t i = 200; i < 500; i++) { // newcomers get what they send
        struct dht_addr addr = make_addr(4, i, 1);
        assert_int_equal(drain(table, i, &addr, 100), 150);
    }
    struct dht_addr first = make_addr(4, 0, 1);
    assert_int_equal(drain(table, 500, &first, 100), 150);
    struct dht_addr later = make_addr(4, 1000, 1); // and a minute later all is well again
    assert_int_equal(drain(table, 61 * SECOND_US, &later, 100), FULL);
    assert_int_equal(budget_of(table, 121 * SECOND_US + 500, 1000), FULL);
    dht_source_table_free(table);
}

// Who has spent least makes room: what he had, the newcomer has too. Who owes stays, and owes.
static void test_thriftiest_prefix_is_forgotten(void **state)
{
    (void)state;
    struct dht_source_limits limits = {8, 0};
    struct dht_source_table *table = dht_source_table_new(&limits, &key);
    for (uint32_t i = 0; i < 7; i++) {
        struct dht_addr addr = make_addr(4, i, 1);
        assert_int_equal(drain(table, 0, &addr, 10), FULL);
    }
    for (uint32_t i = 100; i < 200; i++) {
        struct dht_addr addr = make_addr(4, i, 1);
        assert_true(dht_source_query(table, 0, &addr, 10));
        assert_int_equal(dht_source_budget(table, 0, &addr), FULL);
    }
    assert_true(dht_source_forgotten(table) > 100);
    for (uint32_t i = 0; i < 7; i++) {
        struct dht_addr addr = make_addr(4, i, 1);
        assert_true(dht_source_query(table, 0, &addr, 10));
        assert_int_equal(dht_source_budget(table, 0, &addr), 15);
    }
    dht_source_table_free(table);
}

static void test_memory(void **state)
{
    (void)state;
    failing_malloc_left = 0;
    assert_null(dht_source_table_new(&roomy, &key));
    struct dht_addr addr = make_addr(4, 1, 1);
    for (long left = 0; left < 2; left++) {
        failing_malloc_left = 1;
        struct dht_source_table *table = dht_source_table_new(&roomy, &key); // one allocation
        assert_non_null(table);
        failing_malloc_left = left;
        assert_false(dht_source_query(table, 0, &addr, 100));
        failing_malloc_left = left;
        dht_source_prove(table, 0, &addr);
        assert_false(dht_source_is_proven(table, 0, &addr));
        assert_int_equal(dht_source_budget(table, 0, &addr), 0);
        failing_malloc_left = -1;
        assert_true(dht_source_query(table, 0, &addr, 100));
        dht_source_table_free(table);
    }
    dht_source_table_free(NULL);
}

// ---- the promise: any 60 s, any prefix ----

#define PREFIXES 60
#define EVENTS   60000

// What went in and out, of one prefix, in order.
struct event {
    int64_t at_us;
    uint32_t prefix;
    uint32_t bytes_in;
    uint32_t bytes_out;
};

static struct event events[EVENTS];
static size_t event_count;

static void note(int64_t now_us, uint32_t prefix, size_t bytes_in, size_t bytes_out)
{
    assert_true(event_count < EVENTS);
    events[event_count++] = (struct event){now_us, prefix, (uint32_t)bytes_in, (uint32_t)bytes_out};
}

// The most that any run of a prefix's events within 60 s gave beyond 1.5 times what came in, in
// half bytes. A run may begin between a query and its answer: that is the strictest reading.
static int64_t worst_excess(uint32_t prefix)
{
    static struct event own[EVENTS];
    static int64_t sums[EVENTS + 1]; // of 2 out - 3 in, before each event
    static size_t lows[EVENTS];      // where the sum was low, rising, within the window
    size_t count = 0;
    size_t head = 0;
    size_t tail = 0;
    int64_t worst = INT64_MIN;
    for (size_t i = 0; i < event_count; i++) {
        if (events[i].prefix != prefix) {
            continue;
        }
        own[count] = events[i];
        while (tail > head && sums[lows[tail - 1]] >= sums[count]) {
            tail--;
        }
        lows[tail++] = count;
        while (own[lows[head]].at_us < own[count].at_us - WINDOW_US) {
            head++;
        }
        sums[count + 1] =
            sums[count] + 2 * (int64_t)own[count].bytes_out - 3 * (int64_t)own[count].bytes_in;
        if (sums[count + 1] - sums[lows[head]] > worst) {
            worst = sums[count + 1] - sums[lows[head]];
        }
        count++;
    }
    return worst;
}

static int64_t random_pause(void)
{
    static const int64_t scales_us[] = {1, 100, 30000, SECOND_US, 20 * SECOND_US, 61 * SECOND_US};
    uint64_t scale = dht_random_below(&dice, 200);
    // Mostly quick, now and then a rest in which budgets fill up.
    size_t at = scale < 100 ? 0 : scale < 170 ? 1 : scale < 192 ? 2 : scale < 198 ? 3 : scale - 194;
    return (int64_t)dht_random_below(&dice, (uint64_t)scales_us[at]) + (at == 5 ? SECOND_US : 0);
}

struct adversary {
    uint8_t ip_len;
    uint32_t sources_max;
    uint32_t prefixes; // how many it speaks from
    uint32_t hosts;    // of each
    bool greedy;       // always takes all it may
    bool proves;       // now and then one host is proven
};

static void attack(const struct adversary *adversary, struct dht_source_table *table)
{
    int64_t now_us = (int64_t)dht_random_below(&dice, 1000);
    event_count = 0;
    while (event_count + 2 < EVENTS) {
        now_us += random_pause();
        uint32_t prefix = (uint32_t)dht_random_below(&dice, adversary->prefixes);
        uint32_t host = (uint32_t)dht_random_below(&dice, adversary->hosts);
        struct dht_addr addr = make_addr(adversary->ip_len, prefix, host);
        size_t bytes_in = dht_random_below(&dice, 10) ? 20 + dht_random_below(&dice, 100)
                                                      : dht_random_below(&dice, 1500);
        if (adversary->proves && dht_random_below(&dice, 200) == 0) {
            dht_source_prove(table, now_us, &addr);
        }
        if (!dht_source_query(table, now_us, &addr, bytes_in) ||
            dht_source_is_proven(table, now_us, &addr)) {
            continue;
        }
        note(now_us, prefix, bytes_in, 0);
        size_t budget = dht_source_budget(table, now_us, &addr);
        size_t out = adversary->greedy ? budget : 300 + dht_random_below(&dice, 1200);
        if (out > 0 && out <= budget) {
            dht_source_spend(table, now_us, &addr, out);
            note(now_us, prefix, 0, out);
        }
    }
}

static void test_the_promise(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct adversary adversary;
        bool forgets;
    } rows[] = {
        {"one host", {4, 8192, 1, 1, true, false}, false},
        {"one host, whole replies", {4, 8192, 1, 1, false, false}, false},
        {"all hosts of a prefix", {4, 8192, 1, 256, true, false}, false},
        {"all hosts of a prefix, few places", {4, 8, 1, 256, true, true}, true},
        {"a few prefixes", {4, 8192, 6, 10, true, true}, false},
        {"more prefixes than places", {4, 8, PREFIXES, 3, true, false}, true},
        {"a few more than places, two sets", {4, 16, 20, 3, true, true}, true},
        {"whole replies, few places", {4, 16, 20, 3, false, false}, true},
        {"IPv6", {16, 8192, 3, 256, true, false}, false},
        {"IPv6, more prefixes than places", {16, 16, PREFIXES, 3, true, true}, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        dht_random_init(&dice, seed);
        struct dht_source_limits limits = {rows[i].adversary.sources_max, 50};
        struct dht_source_table *table = dht_source_table_new(&limits, &key);
        attack(&rows[i].adversary, table);
        if ((dht_source_forgotten(table) > 0) != rows[i].forgets) {
            fail_msg("%s: forgotten %d", rows[i].name, (int)dht_source_forgotten(table));
        }
        int64_t worst = INT64_MIN;
        for (uint32_t prefix = 0; prefix < rows[i].adversary.prefixes; prefix++) {
            int64_t excess = worst_excess(prefix);
            if (excess > 2 * BURST) {
                fail_msg("%s: seed %d, prefix %d: %d half bytes beyond 1.5 times what came in",
                         rows[i].name, (int)seed[0], (int)prefix, (int)excess);
            }
            worst = excess > worst ? excess : worst;
        }
        // And the promise is not kept by sending nothing.
        if (rows[i].adversary.greedy && worst < 2 * FULL) {
            fail_msg("%s: at most %d half bytes", rows[i].name, (int)worst);
        }
        dht_source_table_free(table);
    }
}

// ---- random operations against an array, where nothing is forgotten ----

#define HOSTS         5
#define MODEL_PORTS   3
#define STEP_US       29297 // a byte drips in
#define QUERY_STEP_US 20000

// Levels in microseconds of dripping, brought up to date at each look: another way to count than
// the table's.
struct model {
    int64_t budget[PREFIXES];
    int64_t queries[PREFIXES][HOSTS];
    int64_t proven_us[PREFIXES][HOSTS][MODEL_PORTS];
};

static void model_elapse(struct model *model, int64_t pause_us)
{
    for (int prefix = 0; prefix < PREFIXES; prefix++) {
        model->budget[prefix] += pause_us;
        if (model->budget[prefix] > FULL * STEP_US) {
            model->budget[prefix] = FULL * STEP_US;
        }
        for (int host = 0; host < HOSTS; host++) {
            model->queries[prefix][host] += pause_us;
            if (model->queries[prefix][host] > 200 * QUERY_STEP_US) {
                model->queries[prefix][host] = 200 * QUERY_STEP_US;
            }
        }
    }
}

static bool model_query(struct model *model, uint32_t prefix, uint32_t host, bool proven,
                        size_t bytes_in)
{
    if (model->queries[prefix][host] < QUERY_STEP_US) {
        return false;
    }
    model->queries[prefix][host] -= QUERY_STEP_US;
    if (!proven) {
        model->budget[prefix] += (int64_t)(bytes_in + bytes_in / 2) * STEP_US;
        if (model->budget[prefix] > FULL * STEP_US) {
            model->budget[prefix] = FULL * STEP_US;
        }
    }
    return true;
}

static void model_step(struct dht_source_table *table, struct model *model, int64_t now_us)
{
    uint32_t prefix = (uint32_t)dht_random_below(&dice, 1 + dht_random_below(&dice, PREFIXES));
    uint32_t host = (uint32_t)dht_random_below(&dice, 1 + dht_random_below(&dice, HOSTS));
    struct dht_addr addr = make_addr(prefix % 2 ? 4 : 16, prefix, host);
    uint32_t port = (uint32_t)dht_random_below(&dice, MODEL_PORTS);
    addr.port = (uint16_t)port;
    bool proven = model->proven_us[prefix][host][port] > now_us;
    assert_int_equal(dht_source_is_proven(table, now_us, &addr), proven);
    if (dht_random_below(&dice, 100) == 0) {
        dht_source_prove(table, now_us, &addr);
        model->proven_us[prefix][host][port] = // in whole seconds
            (now_us + 601 * SECOND_US - 1) / SECOND_US * SECOND_US;
        return;
    }
    size_t bytes_in = dht_random_below(&dice, 300);
    bool passes = model_query(model, prefix, host, proven, bytes_in);
    assert_int_equal(dht_source_query(table, now_us, &addr, bytes_in), passes);
    if (passes) {
        size_t budget = proven ? SIZE_MAX : (size_t)(model->budget[prefix] / STEP_US);
        assert_true(dht_source_budget(table, now_us, &addr) == budget);
        size_t out = dht_random_below(&dice, proven || budget > 500 ? 500 : budget + 1);
        dht_source_spend(table, now_us, &addr, out);
        model->budget[prefix] -= proven ? 0 : (int64_t)out * STEP_US;
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    static const uint8_t seed[32] = "dice of the source test";
    dht_random_init(&dice, seed);
    static struct model model;
    model_elapse(&model, INT64_C(1) << 40); // all full
    struct dht_source_table *table = dht_source_table_new(&roomy, &key);
    int64_t now_us = 1;
    for (int i = 0; i < 60000; i++) {
        int64_t pause_us = random_pause() / 4;
        now_us += pause_us;
        model_elapse(&model, pause_us);
        model_step(table, &model, now_us);
    }
    assert_int_equal(dht_source_forgotten(table), 0);
    dht_source_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_no_rate),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_proof),
        cmocka_unit_test(test_asked),
        cmocka_unit_test(test_four_ports_proven),
        cmocka_unit_test(test_flood_leaves_proofs),
        cmocka_unit_test(test_flood_of_prefixes),
        cmocka_unit_test(test_thriftiest_prefix_is_forgotten),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_the_promise),
        cmocka_unit_test(test_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
