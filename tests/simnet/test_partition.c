// SPDX-License-Identifier: MIT
// A network in parts: who reaches whom, and when.
#include "simnet/partition.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOBODY SIMNET_PACKET_NOBODY

// Three groups: 0 to 9, 10 to 19, ...
static uint32_t tens(void *ctx, uint32_t place)
{
    (void)ctx;
    return place / 10;
}

struct row {
    const char *name;
    enum simnet_partition_way way;
    uint32_t from, to;
    bool passes;
};

static const struct row rows[] = {
    {"both: within a group", SIMNET_PARTITION_BOTH, 1, 2, true},
    {"both: up", SIMNET_PARTITION_BOTH, 1, 12, false},
    {"both: down", SIMNET_PARTITION_BOTH, 12, 1, false},
    {"both: far up", SIMNET_PARTITION_BOTH, 1, 22, false},
    {"both: to nobody", SIMNET_PARTITION_BOTH, 1, NOBODY, true},
    {"up: within a group", SIMNET_PARTITION_UP, 12, 15, true},
    {"up: up", SIMNET_PARTITION_UP, 1, 12, false},
    {"up: down", SIMNET_PARTITION_UP, 12, 1, true},
    {"down: up", SIMNET_PARTITION_DOWN, 1, 12, true},
    {"down: down", SIMNET_PARTITION_DOWN, 22, 12, false},
};

static void cuts_between_groups(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_partition_new(1));
        feed_packet(feed, row->from, row->to, 100, 4);
        if (feed->count != 1)
            fail_msg("%s: cut before the split", row->name);
        simnet_partition_split_by(feed->element, tens, NULL, row->way);
        feed_packet(feed, row->from, row->to, 100, 4);
        if ((feed->count == 2) != row->passes || feed->element->dropped != !row->passes)
            fail_msg("%s", row->name);
        simnet_partition_heal(feed->element);
        feed_packet(feed, row->from, row->to, 100, 4);
        if (feed->came[feed->count - 1].number != 2)
            fail_msg("%s: cut after healing", row->name);
        feed_free(feed);
    }
}

struct share_row {
    double share;
    uint32_t low, high; // of 10,000 places
};

static const struct share_row share_rows[] = {
    {0, 0, 0}, {0.1, 900, 1100}, {0.5, 4850, 5150}, {1, 10000, 10000}};

static void splits_by_share(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof share_rows / sizeof *share_rows; i++) {
        const struct share_row *row = &share_rows[i];
        struct feed *feed = feed_new(simnet_partition_new(1));
        simnet_partition_split(feed->element, row->share, SIMNET_PARTITION_BOTH);
        uint32_t far = 0;
        for (uint32_t place = 0; place < 10000; place++)
            far += simnet_partition_group_of(feed->element, place);
        if (far < row->low || far > row->high)
            fail_msg("%g: %u places", row->share, far);
        uint32_t expected = 0;
        for (uint32_t to = 1; to < 100; to++) {
            expected += simnet_partition_group_of(feed->element, 0) ==
                        simnet_partition_group_of(feed->element, to);
            feed_packet(feed, 0, to, 100, 4);
        }
        assert_int_equal(feed->count, expected);
        feed_free(feed);
    }
}

static void goes_by_plan(void **state)
{
    (void)state;
    static const bool expected[] = {true, false, false, true, true, false, true};
    struct feed *feed = feed_new(simnet_partition_new(1));
    int64_t begin_us = feed->begin_us;
    simnet_partition_split(feed->element, 0.5, SIMNET_PARTITION_BOTH);
    uint32_t other = 1;
    while (simnet_partition_group_of(feed->element, other) ==
           simnet_partition_group_of(feed->element, 0))
        other++;
    simnet_partition_heal(feed->element);
    simnet_partition_plan(feed->element, feed->world, 0.5, SIMNET_PARTITION_BOTH, begin_us + 1000,
                          begin_us + 3000);
    simnet_partition_plan(feed->element, feed->world, 0.5, SIMNET_PARTITION_BOTH, begin_us + 5000,
                          begin_us + 6000);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint32_t count = feed->count;
        feed_wait(feed, 0);
        feed_packet(feed, 0, other, 100, 4);
        if ((feed->count > count) != expected[i] ||
            simnet_partition_is_split(feed->element) == expected[i])
            fail_msg("after %d ms", (int)i);
        feed_wait(feed, 1000);
    }
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cuts_between_groups),
                                       cmocka_unit_test(splits_by_share),
                                       cmocka_unit_test(goes_by_plan)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
