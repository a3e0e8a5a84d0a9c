// SPDX-License-Identifier: MIT
// Packets lost each by itself.
#include "simnet/loss.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 40000

struct loss_row {
    const char *name;
    double rate;
    uint32_t low, high; // of those that come
};

static const struct loss_row loss_rows[] = {
    {"none", 0, PACKETS, PACKETS},
    {"one in a hundred", 0.01, 39500, 39700},
    {"a third", 0.3333, 26300, 27000},
    {"half", 0.5, 19700, 20300},
    {"all", 1, 0, 0},
};

static void loses_its_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof loss_rows / sizeof *loss_rows; i++) {
        const struct loss_row *row = &loss_rows[i];
        struct feed *feed = feed_new(simnet_loss_new(1, row->rate));
        for (int n = 0; n < PACKETS; n++)
            feed_packet(feed, 0, 1, 100, 4);
        if (feed->count < row->low || feed->count > row->high)
            fail_msg("%s: %u came", row->name, feed->count);
        assert_int_equal(feed->element->passed, feed->count);
        assert_int_equal(feed->element->dropped, PACKETS - feed->count);
        assert_int_equal(feed->element->bytes_passed, 100 * feed->count);
        feed_free(feed);
    }
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct feed *feed = feed_new(simnet_loss_new(1, 0));
    feed_packet(feed, 0, 1, 100, 4);
    simnet_loss_set(feed->element, 1);
    feed_packet(feed, 0, 1, 100, 4);
    simnet_loss_set(feed->element, 0);
    feed_packet(feed, 0, 1, 100, 4);
    assert_int_equal(feed->count, 2);
    assert_int_equal(feed->came[0].number, 0);
    assert_int_equal(feed->came[1].number, 2);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(loses_its_share),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
