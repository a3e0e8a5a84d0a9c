// SPDX-License-Identifier: MIT
// Packets that are held back.
#include "simnet/reorder.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 20000
#define STEP_US 1000

struct row {
    const char *name;
    double rate;
    int64_t held_us;
    uint32_t low, high; // held back
};

static const struct row rows[] = {
    {"none", 0, 50000, 0, 0},
    {"one in twenty", 0.05, 50000, 900, 1100},
    {"half", 0.5, 10500, 9800, 10200},
    {"all", 1, 10500, PACKETS, PACKETS},
};

static void holds_its_share_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_reorder_new(1, row->rate, row->held_us));
        for (int n = 0; n < PACKETS; n++) {
            feed_packet(feed, 0, 1, 100, 4);
            feed_wait(feed, STEP_US);
        }
        feed_wait(feed, row->held_us);
        uint64_t held = simnet_reorder_held(feed->element);
        uint64_t late = 0;
        assert_int_equal(feed->count, PACKETS);
        for (uint32_t n = 0; n < feed->count; n++) {
            const struct feed_came *came = &feed->came[n];
            int64_t took_us = came->at_us - feed->begin_us - came->number * STEP_US;
            if (took_us != 0 && took_us != row->held_us)
                fail_msg("%s: %u took %ld us", row->name, came->number, (long)took_us);
            late += took_us != 0;
        }
        if (held < row->low || held > row->high || late != held)
            fail_msg("%s: %u held back, %u late", row->name, (unsigned)held, (unsigned)late);
        feed_free(feed);
    }
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct feed *feed = feed_new(simnet_reorder_new(1, 1, 100));
    feed_packet(feed, 0, 1, 100, 4);
    simnet_reorder_set(feed->element, 0, 0);
    feed_packet(feed, 0, 1, 100, 4);
    feed_wait(feed, 100);
    assert_int_equal(feed->count, 2);
    assert_int_equal(feed->came[0].number, 1);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(holds_its_share_back),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
