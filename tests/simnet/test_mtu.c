// SPDX-License-Identifier: MIT
// Packets that are too long for a line.
#include "simnet/mtu.h"
#include "tests/simnet/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define PACKETS 10000

struct row {
    const char *name;
    uint32_t mtu;
    double fragment_loss;
    size_t len;
    uint8_t ip_len;
    uint32_t low, high; // how many come
    bool is_long;
};

static const struct row rows[] = {
    {"no limit", 0, 1, 1500, 4, PACKETS, PACKETS, false},
    {"fits exactly", 1000, 1, 972, 4, PACKETS, PACKETS, false},
    {"one byte too long", 1000, 1, 973, 4, 0, 0, true},
    {"IPv6 fits exactly", 1280, 1, 1232, 16, PACKETS, PACKETS, false},
    {"IPv6, one byte too long", 1280, 1, 1233, 16, 0, 0, true},
    {"fragments all arrive", 1000, 0, 1400, 4, PACKETS, PACKETS, true},
    // 1000 - 20 bytes of header leave 976, a multiple of eight: 8 + 1400 bytes are two fragments.
    {"two fragments, a tenth lost", 1000, 0.1, 1400, 4, 7950, 8250, true},
    // 576 - 20 leave 552: 8 + 1400 bytes are three.
    {"three fragments, a tenth lost", 576, 0.1, 1400, 4, 7140, 7440, true},
    // 579 - 20 leave 559, of which 552 are used: 8 + 1102 bytes are three.
    {"multiples of eight bytes", 579, 0.5, 1102, 4, 1150, 1350, true},
    // 576 - 40 - 8 leave 528: 8 + 1048 are two, and a byte more is three.
    {"IPv6, two fragments", 576, 0.5, 1048, 16, 2350, 2650, true},
    {"IPv6, three fragments", 576, 0.5, 1049, 16, 1150, 1350, true},
};

static void drops_what_is_too_long(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct feed *feed = feed_new(simnet_mtu_new(1, row->mtu, row->fragment_loss));
        for (int n = 0; n < PACKETS; n++)
            feed_packet(feed, 0, 1, row->len, row->ip_len);
        if (feed->count < row->low || feed->count > row->high)
            fail_msg("%s: %u came", row->name, feed->count);
        if (simnet_mtu_long(feed->element) != (row->is_long ? PACKETS : 0))
            fail_msg("%s: counts %u", row->name, (unsigned)simnet_mtu_long(feed->element));
        assert_int_equal(feed->element->dropped, PACKETS - feed->count);
        feed_free(feed);
    }
}

static void changes_in_mid_run(void **state)
{
    (void)state;
    struct feed *feed = feed_new(simnet_mtu_new(1, 0, 1));
    feed_packet(feed, 0, 1, 1000, 4);
    simnet_mtu_set(feed->element, 576, 1);
    feed_packet(feed, 0, 1, 1000, 4);
    feed_packet(feed, 0, 1, 500, 4);
    assert_int_equal(feed->count, 2);
    assert_int_equal(feed->came[1].number, 2);
    feed_free(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(drops_what_is_too_long),
                                       cmocka_unit_test(changes_in_mid_run)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
