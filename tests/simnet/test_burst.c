// SPDX-License-Identifier: MIT
// Packets lost many at a time.
#include "simnet/burst.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 40000

struct burst_row {
    const char *name;
    struct simnet_burst_config config;
    int64_t step_us;          // between packets
    uint32_t low, high;       // lost, of all
    double run_low, run_high; // the mean number of packets lost in a row
};

// What is lost in a row, sampled every d: 1 / (1 - stay), with stay the chance that a bad way is
// bad d later: b + (1 - b) e^(-d (1/good + 1/bad)).
static const struct burst_row burst_rows[] = {
    {"never bad", {SIMNET_BURST_PAIR, 1000000, 0, 0, 1}, 1000, 0, 0, 0, 0},
    {"a tenth, often", {SIMNET_BURST_PAIR, 900000, 100000, 0, 1}, 10000, 3500, 4500, 9.5, 12.5},
    {"a tenth, seldom", {SIMNET_BURST_PAIR, 9000000, 1000000, 0, 1}, 100000, 3400, 4600, 9, 13},
    {"a tenth, sampled seldom",
     {SIMNET_BURST_PAIR, 90000, 10000, 0, 1},
     1000000,
     3800,
     4200,
     1.05,
     1.17},
    {"half, in bad times half",
     {SIMNET_BURST_PAIR, 100000, 100000, 0, 0.5},
     10000,
     9500,
     10500,
     1.75,
     1.92},
    {"also in good times", {SIMNET_BURST_PAIR, 100000, 1, 0.2, 1}, 1000, 7700, 8300, 1.2, 1.3},
};

static void loses_in_bursts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof burst_rows / sizeof *burst_rows; i++) {
        const struct burst_row *row = &burst_rows[i];
        struct feed *feed = feed_new(simnet_burst_new(3, &row->config));
        uint32_t runs = 0;
        bool was_lost = false;
        for (int n = 0; n < PACKETS; n++) {
            uint64_t dropped = feed->element->dropped;
            feed_packet(feed, 0, 1, 100, 4);
            bool is_lost = feed->element->dropped > dropped;
            runs += is_lost && !was_lost;
            was_lost = is_lost;
            feed_wait(feed, row->step_us);
        }
        uint64_t lost = feed->element->dropped;
        double run = runs == 0 ? 0 : (double)lost / runs;
        if (lost < row->low || lost > row->high || run < row->run_low || run > row->run_high)
            fail_msg("%s: %u lost, %g in a row", row->name, (unsigned)lost, run);
        assert_int_equal(feed->count + lost, PACKETS);
        feed_free(feed);
    }
}

struct scope_row {
    const char *name;
    enum simnet_burst_scope scope;
    bool same_from, same_to, both_ways; // whether two ways that have it in common share their state
};

static const struct scope_row scope_rows[] = {
    {"pair", SIMNET_BURST_PAIR, false, false, false},
    {"from", SIMNET_BURST_FROM, true, false, false},
    {"to", SIMNET_BURST_TO, false, true, false},
};

// Whether a way is bad whenever the one from 10 to 11 is.
static bool always_together(enum simnet_burst_scope scope, uint32_t from, uint32_t to)
{
    struct simnet_burst_config config = {scope, 1000000, 1000000, 0, 1};
    struct feed *feed = feed_new(simnet_burst_new(5, &config));
    bool together = true;
    for (int n = 0; n < 200; n++) {
        uint64_t dropped = feed->element->dropped;
        feed_packet(feed, 10, 11, 100, 4);
        bool first = feed->element->dropped > dropped;
        dropped = feed->element->dropped;
        feed_packet(feed, from, to, 100, 4);
        together &= first == (feed->element->dropped > dropped);
        feed_wait(feed, 10000000);
    }
    feed_free(feed);
    return together;
}

static void bursts_have_a_scope(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scope_rows / sizeof *scope_rows; i++) {
        const struct scope_row *row = &scope_rows[i];
        if (!always_together(row->scope, 10, 11) ||
            always_together(row->scope, 10, 12) != row->same_from ||
            always_together(row->scope, 12, 11) != row->same_to ||
            always_together(row->scope, 11, 10) != row->both_ways)
            fail_msg("%s", row->name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loses_in_bursts),
                                       cmocka_unit_test(bursts_have_a_scope)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
