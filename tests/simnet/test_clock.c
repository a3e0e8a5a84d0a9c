// SPDX-License-Identifier: MIT
// Clocks that are off: wall clocks, and monotonic ones that never go back.
#include "simnet/clock.h"
#include "simnet/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DAY_US  (24 * SIMNET_HOUR_US)
#define YEAR_US (365 * DAY_US)
#define TRUE_US SIMNET_WALL_START_US

struct wall_row {
    const char *name;
    struct simnet_clock_config config;
    int64_t jump_us;
    int64_t after_us; // what the world's clock has gone on
    int64_t off_us;   // what the wall clock is then off by
};

static const struct wall_row wall_rows[] = {
    {"right", {0}, 0, DAY_US, 0},
    {"off", {.offset_us = -5 * SIMNET_SECOND_US}, 0, DAY_US, -5 * SIMNET_SECOND_US},
    {"fast", {.drift_ppm = 100}, 0, DAY_US, 8640000},
    {"slow", {.drift_ppm = -100}, 0, DAY_US, -8640000},
    {"set forwards", {.drift_ppm = 100}, YEAR_US, DAY_US, YEAR_US + 8640000},
    {"set back", {.offset_us = 7}, -YEAR_US, DAY_US, 7 - YEAR_US},
};

static void wall_clocks_are_off(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wall_rows / sizeof *wall_rows; i++) {
        const struct wall_row *row = &wall_rows[i];
        struct simnet_clock clock;
        simnet_clock_init(&clock, &row->config, 1000);
        simnet_clock_jump(&clock, row->jump_us);
        int64_t true_us = TRUE_US + row->after_us;
        int64_t off_us = simnet_clock_wall(&clock, 1000 + row->after_us, true_us) - true_us;
        if (off_us != row->off_us)
            fail_msg("%s: off by %lld", row->name, (long long)off_us);
        simnet_clock_correct(&clock, 1000 + row->after_us, 3);
        assert_int_equal(true_us + 3, simnet_clock_wall(&clock, 1000 + row->after_us, true_us));
    }
}

static void a_clock_without_battery_forgets(void **state)
{
    (void)state;
    struct simnet_clock clock;
    struct simnet_clock_config config = {.forgets = true, .boot_wall_us = TRUE_US - YEAR_US};
    simnet_clock_init(&clock, &config, 0);
    assert_int_equal(TRUE_US, simnet_clock_wall(&clock, 0, TRUE_US));
    simnet_clock_boot(&clock, DAY_US, TRUE_US + DAY_US);
    assert_int_equal(TRUE_US - YEAR_US, simnet_clock_wall(&clock, DAY_US, TRUE_US + DAY_US));
    assert_true(simnet_clock_now(&clock, DAY_US) < SIMNET_MINUTE_US); // since boot
}

static const double rates_ppm[] = {0, 50, -50, 333.3, -0.001, 100000, -100000};

// when() is the inverse of now(): the first moment that shows the time, at any rate and distance.
static void both_ways_agree(void **state)
{
    (void)state;
    struct simnet_stream stream;
    simnet_stream_init(&stream, 1, "test", 0);
    for (size_t i = 0; i < sizeof rates_ppm / sizeof *rates_ppm; i++) {
        struct simnet_clock clock;
        simnet_clock_init(&clock, &(struct simnet_clock_config){.rate_ppm = rates_ppm[i]}, 12345);
        for (int step = 0; step < 2000; step++) {
            uint64_t far_us = UINT64_C(1) << (1 + step % 45);
            int64_t at_us = 12345 + (int64_t)simnet_stream_below(&stream, far_us);
            int64_t when_us = simnet_clock_when(&clock, at_us);
            assert_true(simnet_clock_now(&clock, when_us) >= at_us);
            assert_true(when_us == 12345 || simnet_clock_now(&clock, when_us - 1) < at_us);
        }
        assert_true(simnet_clock_when(&clock, INT64_MAX) == INT64_MAX);
    }
}

// Through changes of rate and sleep, in steps of any size.
static void it_never_goes_back(void **state)
{
    (void)state;
    for (int stands = 0; stands < 2; stands++) {
        struct simnet_clock clock;
        struct simnet_stream stream;
        int64_t now_us = 0;
        int64_t shown_us = 0;
        simnet_stream_init(&stream, 2, "test", 0);
        simnet_clock_init(&clock, &(struct simnet_clock_config){.stands_in_sleep = stands != 0}, 0);
        for (int step = 0; step < 20000; step++) {
            uint64_t draw = simnet_stream_below(&stream, 10);
            now_us += (int64_t)simnet_stream_below(&stream, draw == 0 ? 3000000 : 3);
            if (draw == 1)
                simnet_clock_set_rate(&clock, now_us, rates_ppm[simnet_stream_below(&stream, 7)]);
            else if (draw == 2)
                simnet_clock_sleep(&clock, now_us);
            else if (draw == 3)
                simnet_clock_wake(&clock, now_us);
            int64_t next_us = simnet_clock_now(&clock, now_us);
            assert_true(next_us >= shown_us);
            shown_us = next_us;
        }
    }
}

static void sleep_stands_or_runs(void **state)
{
    (void)state;
    for (int stands = 0; stands < 2; stands++) {
        struct simnet_clock clock;
        simnet_clock_init(&clock, &(struct simnet_clock_config){.stands_in_sleep = stands != 0}, 0);
        simnet_clock_sleep(&clock, 1000);
        assert_true((simnet_clock_when(&clock, 2000) == INT64_MAX) == (stands != 0));
        simnet_clock_wake(&clock, 5000);
        assert_int_equal(stands != 0 ? 1500 : 5500, simnet_clock_now(&clock, 5500));
    }
}

static void drawn_clocks_are_mostly_right(void **state)
{
    (void)state;
    struct simnet_stream stream;
    int within[4] = {0}; // 50 ms, 10 minutes, 12 hours, 10 years
    simnet_stream_init(&stream, 3, "test", 0);
    for (int i = 0; i < 20000; i++) {
        struct simnet_clock_config config;
        simnet_clock_config_draw(&config, &stream);
        int64_t off_us = config.offset_us < 0 ? -config.offset_us : config.offset_us;
        within[0] += off_us <= 50000;
        within[1] += off_us <= 10 * SIMNET_MINUTE_US;
        within[2] += off_us <= 12 * SIMNET_HOUR_US;
        within[3] += off_us <= 10 * YEAR_US;
    }
    assert_in_range(within[0], 18600, 18800);
    assert_in_range(within[1], 19650, 19750);
    assert_in_range(within[2], 19870, 19930);
    assert_int_equal(20000, within[3]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_clocks_are_off),  cmocka_unit_test(a_clock_without_battery_forgets),
        cmocka_unit_test(both_ways_agree),      cmocka_unit_test(it_never_goes_back),
        cmocka_unit_test(sleep_stands_or_runs), cmocka_unit_test(drawn_clocks_are_mostly_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
