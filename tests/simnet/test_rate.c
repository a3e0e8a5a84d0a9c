// SPDX-License-Identifier: MIT
// A line with a queue: when packets come, and which are dropped.
#include "simnet/rate.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *name;
    struct simnet_rate_config config;
    size_t len;
    uint8_t ip_len;
    int64_t idle_us; // before the packets
    uint32_t packets;
    uint32_t came; // how many come: the first
    int64_t first_us, last_us;
};

// 972 bytes and 28 of header at 8 Mbit/s take a millisecond.
static const struct row rows[] = {
    {"no limit", {0, 0, 1, 1}, 972, 4, 0, 10, 10, 0, 0},
    {"one after the other", {8000000, 0, 0, 0}, 972, 4, 0, 10, 10, 1000, 10000},
    {"with IPv6 headers", {8000000, 0, 0, 0}, 952, 16, 0, 10, 10, 1000, 10000},
    {"room for three", {8000000, 0, 3000, 0}, 972, 4, 0, 10, 3, 1000, 3000},
    {"room for nearly three", {8000000, 0, 2999, 0}, 972, 4, 0, 10, 2, 1000, 2000},
    {"nobody waits over 4 ms", {8000000, 0, 0, 4000}, 972, 4, 0, 10, 5, 1000, 5000},
    {"both bounds", {8000000, 0, 3000, 4000}, 972, 4, 0, 10, 3, 1000, 3000},
    {"a burst of two at once", {8000000, 2000, 0, 0}, 972, 4, 0, 10, 10, 0, 8000},
    {"credit does not add up", {8000000, 2000, 0, 0}, 972, 4, 60000000, 10, 10, 0, 8000},
    {"a burst, and room for three", {8000000, 2000, 3000, 0}, 972, 4, 0, 10, 5, 0, 3000},
    {"less than a microsecond each", {8000000000, 0, 0, 0}, 72, 4, 0, 1000, 1000, 1, 100},
    {"a modem", {56000, 0, 0, 0}, 972, 4, 0, 2, 2, 142858, 285715},
};

static void takes_its_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_rate_new(&row->config));
        feed_wait(feed, row->idle_us);
        int64_t begin_us = simnet_world_now(feed->world);
        for (uint32_t n = 0; n < row->packets; n++)
            feed_packet(feed, 0, 1, row->len, row->ip_len);
        feed_wait(feed, 10 * SIMNET_SECOND_US);
        assert_true(feed->count > 0);
        int64_t first_us = feed->came[0].at_us - begin_us;
        int64_t last_us = feed->came[feed->count - 1].at_us - begin_us;
        if (feed->count != row->came || first_us != row->first_us || last_us != row->last_us)
            fail_msg("%s: %u came, from %ld to %ld us", row->name, feed->count, (long)first_us,
                     (long)last_us);
        for (uint32_t n = 0; n < feed->count; n++)
            assert_int_equal(feed->came[n].number, n);
        assert_int_equal(feed->element->dropped, row->packets - row->came);
        feed_free(feed);
    }
}

// A line that drains takes new packets, and no more than it carries.
static void goes_on(void **state)
{
    (void)state;
    struct simnet_rate_config config = {8000000, 0, 3000, 0};
    struct feed *feed = feed_new(simnet_rate_new(&config));
    for (int n = 0; n < 10000; n++) {
        feed_packet(feed, 0, 1, 972, 4);
        feed_wait(feed, 100); // ten times what the line carries
    }
    feed_wait(feed, SIMNET_SECOND_US);
    assert_in_range(feed->count, 1002, 1003);
    feed_free(feed);
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct simnet_rate_config config = {0};
    struct feed *feed = feed_new(simnet_rate_new(&config));
    feed_packet(feed, 0, 1, 972, 4);
    config.bits_per_s = 8000000;
    simnet_rate_set(feed->element, &config);
    feed_packet(feed, 0, 1, 972, 4);
    assert_int_equal(feed->count, 1);
    feed_wait(feed, 1000);
    assert_int_equal(feed->count, 2);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_its_time), cmocka_unit_test(goes_on),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
