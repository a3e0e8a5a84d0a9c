// SPDX-License-Identifier: MIT
#include "node/daemon/loop.h"
#include "tests/daemon/unit.h"

#define ALARMS 100

// The clock, shifted by what a test lets pass.
static int64_t passed_us;

int64_t __real_daemon_clock_now_us(void);
int64_t __wrap_daemon_clock_now_us(void);

int64_t __wrap_daemon_clock_now_us(void)
{
    return __real_daemon_clock_now_us() + passed_us;
}

struct bell {
    struct daemon_loop_alarm alarm;
    struct daemon_loop *loop;
    int rung;
    int64_t again_us; // set again to this time when it rings; 0: not
    int order;
};

static int rung_in_all;

static void ring(struct daemon_loop_alarm *alarm)
{
    struct bell *bell = alarm->ctx;
    bell->rung++;
    bell->order = rung_in_all++;
    if (bell->again_us != 0)
        assert_true(daemon_loop_set(bell->loop, alarm, bell->again_us));
}

static void init_bell(struct bell *bell, struct daemon_loop *loop)
{
    *bell = (struct bell){.alarm = {.ring = ring, .ctx = bell}, .loop = loop};
}

// All set to the past, in an order made by a small generator: they ring in the order of their
// times.
static void test_order(void **state)
{
    static struct bell bells[ALARMS];
    struct daemon_loop *loop = daemon_loop_new(NULL);
    int64_t now_us = daemon_loop_now_us(loop);
    uint32_t random = 1;
    (void)state;
    rung_in_all = 0;
    for (int i = 0; i < ALARMS; i++) {
        random = random * 1664525u + 1013904223u;
        init_bell(&bells[i], loop);
        assert_true(daemon_loop_set(loop, &bells[i].alarm, now_us - 1000 - random % 5000));
    }
    // Every third is moved, every seventh put off.
    for (int i = 0; i < ALARMS; i += 3)
        assert_true(daemon_loop_set(loop, &bells[i].alarm, now_us - i));
    for (int i = 0; i < ALARMS; i += 7)
        assert_true(daemon_loop_set(loop, &bells[i].alarm, INT64_MAX));
    daemon_loop_once(loop);
    for (int i = 0; i < ALARMS; i++) {
        assert_int_equal(bells[i].rung, i % 7 != 0);
        for (int j = 0; j < i; j++) {
            if (bells[i].rung && bells[j].rung && bells[i].alarm.at_us < bells[j].alarm.at_us)
                assert_true(bells[i].order < bells[j].order);
        }
    }
    daemon_loop_free(loop);
}

// What sets itself to the past over and over gets one turn in each wake-up.
static void test_no_starving(void **state)
{
    struct daemon_loop *loop = daemon_loop_new(NULL);
    struct bell busy, other;
    (void)state;
    init_bell(&busy, loop);
    init_bell(&other, loop);
    busy.again_us = 1;
    assert_true(daemon_loop_set(loop, &busy.alarm, 1));
    assert_true(daemon_loop_set(loop, &other.alarm, 2));
    daemon_loop_once(loop);
    assert_in_range(busy.rung, 1, 2);
    int before = busy.rung;
    daemon_loop_once(loop);
    assert_int_equal(other.rung, 1);
    assert_true(busy.rung > before);
    daemon_loop_set(loop, &busy.alarm, INT64_MAX);
    daemon_loop_free(loop);
}

static void stop(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    daemon_loop_stop(ctx);
}

// One wake-up has one time, and the wall clock can be shifted.
static void test_time(void **state)
{
    struct daemon_loop *loop = daemon_loop_new(NULL);
    (void)state;
    struct event *event = evtimer_new(daemon_loop_base(loop), stop, loop);
    event_active(event, EV_TIMEOUT, 0);
    int64_t wall_us = daemon_loop_wall_us(loop);
    assert_int_equal(daemon_loop_now_us(loop), daemon_loop_now_us(loop));
    daemon_loop_shift_wall(loop, -3600000000);
    assert_int_equal(daemon_loop_wall_us(loop), wall_us - 3600000000);
    daemon_loop_run(loop); // ends
    event_free(event);
    daemon_loop_free(loop);
}

struct night {
    struct daemon_loop *loop;
    int64_t length_us;
    bool begins_late; // when this wake-up has its time
    int gaps;
    int rung_before; // that a gap came, alarms had rung
    struct bell *bell;
};

static void sleep_through(evutil_socket_t fd, short what, void *ctx)
{
    const struct night *night = ctx;
    (void)fd;
    (void)what;
    if (night->begins_late)
        (void)daemon_loop_now_us(night->loop);
    passed_us += night->length_us;
}

static void on_gap(void *ctx)
{
    struct night *night = ctx;
    night->gaps++;
    night->rung_before = night->bell->rung;
}

// A machine that was asleep is told from one that had nothing to do.
static void test_gap(void **state)
{
    static const struct row {
        const char *name;
        int64_t length_us;
        bool begins_late;
        int gaps;
    } rows[] = {
        {"awake", 0, false, 0},
        {"as long as the loop sleeps", 10000000, false, 0},
        {"busy", 29000000, false, 0},
        {"a short sleep", 31000000, false, 1},
        {"a night", INT64_C(36000000000), false, 1},
        {"busy with something", 19000000, true, 0},
        {"a night that comes over it at work", INT64_C(36000000000), true, 1},
    };
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_loop *loop = daemon_loop_new(NULL);
        struct bell bell;
        struct night night = {.loop = loop,
                              .length_us = rows[i].length_us,
                              .begins_late = rows[i].begins_late,
                              .bell = &bell};
        struct event *event = evtimer_new(daemon_loop_base(loop), sleep_through, &night);
        init_bell(&bell, loop);
        daemon_loop_on_gap(loop, on_gap, &night);
        assert_true(daemon_loop_set(loop, &bell.alarm, daemon_loop_now_us(loop) + 20000000));
        event_active(event, EV_TIMEOUT, 0);
        daemon_loop_once(loop);
        // The next wake-up comes in time.
        night.length_us = 0;
        event_active(event, EV_TIMEOUT, 0);
        daemon_loop_once(loop);
        if (night.gaps != rows[i].gaps || night.rung_before != 0)
            fail_msg("row %s: %d gaps, %d rung before", rows[i].name, night.gaps,
                     night.rung_before);
        daemon_loop_set(loop, &bell.alarm, INT64_MAX);
        event_free(event);
        daemon_loop_free(loop);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_no_starving),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_gap),
    };
    return unit_run(tests);
}
