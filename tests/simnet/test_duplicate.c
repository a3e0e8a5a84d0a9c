// SPDX-License-Identifier: MIT
// Packets that come twice.
#include "simnet/duplicate.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 20000

struct row {
    const char *name;
    double rate;
    int64_t later_us;
    uint32_t low, high; // copies
};

static const struct row rows[] = {
    {"none", 0, 1000, 0, 0},
    {"one in twenty", 0.05, 1000, 900, 1100},
    {"half, at once", 0.5, 0, 9800, 10200},
    {"all", 1, 50000, PACKETS, PACKETS},
};

static void doubles_its_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_duplicate_new(1, row->rate, row->later_us));
        for (int n = 0; n < PACKETS; n++)
            feed_packet(feed, 0, 1, 100, 4);
        assert_in_range(feed->count, PACKETS, PACKETS);
        feed_wait(feed, row->later_us);
        uint64_t copies = simnet_duplicate_copies(feed->element);
        if (copies < row->low || copies > row->high || feed->count != PACKETS + copies)
            fail_msg("%s: %u copies, %u came", row->name, (unsigned)copies, feed->count);
        static uint8_t times[PACKETS];
        memset(times, 0, sizeof times);
        uint64_t late = 0;
        for (uint32_t n = 0; n < feed->count; n++) {
            if (++times[feed->came[n].number] > 2)
                fail_msg("%s: %u came a third time", row->name, feed->came[n].number);
            late += (uint64_t)(feed->came[n].at_us - feed->begin_us);
        }
        if (copies > 0 && row->later_us > 0)
            assert_in_range(late / copies, row->later_us * 45 / 100, row->later_us * 55 / 100);
        feed_free(feed);
    }
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct feed *feed = feed_new(simnet_duplicate_new(1, 1, 0));
    feed_packet(feed, 0, 1, 100, 4);
    simnet_duplicate_set(feed->element, 0, 0);
    feed_packet(feed, 0, 1, 100, 4);
    feed_wait(feed, 1);
    assert_int_equal(feed->count, 3);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(doubles_its_share),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
