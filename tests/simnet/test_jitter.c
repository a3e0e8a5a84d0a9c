// SPDX-License-Identifier: MIT
// Delays of packets' own: how long, and in which order they come.
#include "simnet/jitter.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 20000

struct row {
    const char *name;
    struct simnet_jitter_config config;
    int64_t step_us;            // between packets
    double mean_low, mean_high; // of the delays
    bool in_order;
};

static const struct row rows[] = {
    {"none", {SIMNET_JITTER_EXPONENTIAL, 0, 0, false}, 100, 0, 0, true},
    {"exponential", {SIMNET_JITTER_EXPONENTIAL, 5000, 0, true}, 100, 4900, 5100, false},
    {"exponential, far between",
     {SIMNET_JITTER_EXPONENTIAL, 5000, 0, false},
     200000,
     4900,
     5100,
     true},
    {"exponential, in order", {SIMNET_JITTER_EXPONENTIAL, 5000, 0, false}, 1000, 9000, 20000, true},
    {"lognormal", {SIMNET_JITTER_LOGNORMAL, 5000, 0.5, true}, 100, 5550, 5780, false},
};

static double mean_of(const struct feed *feed, int64_t step_us, bool *ret_in_order)
{
    double sum_us = 0;
    bool in_order = true;
    for (uint32_t i = 0; i < feed->count; i++) {
        const struct feed_came *came = &feed->came[i];
        sum_us += (double)(came->at_us - feed->begin_us - step_us * came->number);
        in_order &= came->number == i;
    }
    *ret_in_order = in_order;
    return sum_us / feed->count;
}

static void delays_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_jitter_new(1, &row->config));
        for (int n = 0; n < PACKETS; n++) {
            feed_packet(feed, 3, 4, 100, 4);
            feed_wait(feed, row->step_us);
        }
        feed_wait(feed, SIMNET_SECOND_US);
        assert_int_equal(feed->count, PACKETS);
        bool in_order;
        double mean_us = mean_of(feed, row->step_us, &in_order);
        if (mean_us < row->mean_low || mean_us > row->mean_high || in_order != row->in_order)
            fail_msg("%s: %g us, %s", row->name, mean_us, in_order ? "in order" : "overtaking");
        feed_free(feed);
    }
}

// Only packets of one way wait for each other.
static void ways_are_apart(void **state)
{
    (void)state;
    struct simnet_jitter_config config = {SIMNET_JITTER_EXPONENTIAL, 5000, 0, false};
    struct feed *feed = feed_new(simnet_jitter_new(1, &config));
    for (uint32_t n = 0; n < PACKETS; n++) {
        feed_packet(feed, 3, n, 100, 4);
        feed_wait(feed, 10);
    }
    feed_wait(feed, SIMNET_SECOND_US);
    bool in_order;
    double mean_us = mean_of(feed, 10, &in_order);
    assert_false(in_order);
    assert_in_range((uint64_t)mean_us, 4900, 5200);
    feed_free(feed);
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct simnet_jitter_config config = {SIMNET_JITTER_EXPONENTIAL, 0, 0, false};
    struct feed *feed = feed_new(simnet_jitter_new(1, &config));
    feed_packet(feed, 0, 1, 100, 4);
    assert_int_equal(feed->count, 1);
    config.delay_us = 1000000;
    simnet_jitter_set(feed->element, &config);
    feed_packet(feed, 0, 1, 100, 4);
    assert_int_equal(feed->count, 1);
    feed_wait(feed, 60 * SIMNET_SECOND_US);
    assert_int_equal(feed->count, 2);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(delays_each),
                                       cmocka_unit_test(ways_are_apart),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
