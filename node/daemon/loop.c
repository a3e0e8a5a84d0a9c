// SPDX-License-Identifier: MIT
#include "node/daemon/loop.h"

#include "node/daemon/clock.h"

#include <assert.h>
#include <stdlib.h>

// The longest sleep. libevent's clock stands still while the machine is asleep and ours does not,
// so after waking up the timer may be late by this much.
#define SLEEP_MAX_US INT64_C(10000000)

struct daemon_loop {
    struct event_base *base;
    struct event *timer;
    struct daemon_loop_alarm **heap; // from 1
    size_t count;
    size_t capacity;
    int64_t now_us;
    int64_t wall_us;
    int64_t wall_offset_us;
    int64_t seen_us; // the clock when it was last read while running; 0: not yet
    int64_t wake_us; // when this wake-up is to come at the latest
    bool has_gap;    // since the last one
    void (*gap)(void *ctx);
    void *gap_ctx;
    bool now_is_read; // in this wake-up
    bool is_ringing;
    bool stopped;
};

// ---- the heap ----

static void place(struct daemon_loop *loop, struct daemon_loop_alarm *alarm, size_t at)
{
    loop->heap[at] = alarm;
    alarm->place = at;
}

static void sift_up(struct daemon_loop *loop, struct daemon_loop_alarm *alarm, size_t at)
{
    for (; at > 1 && loop->heap[at / 2]->at_us > alarm->at_us; at /= 2)
        place(loop, loop->heap[at / 2], at);
    place(loop, alarm, at);
}

static void sift_down(struct daemon_loop *loop, struct daemon_loop_alarm *alarm, size_t at)
{
    for (size_t child; (child = 2 * at) <= loop->count; at = child) {
        if (child < loop->count && loop->heap[child + 1]->at_us < loop->heap[child]->at_us)
            child++;
        if (loop->heap[child]->at_us >= alarm->at_us)
            break;
        place(loop, loop->heap[child], at);
    }
    place(loop, alarm, at);
}

static void remove_alarm(struct daemon_loop *loop, struct daemon_loop_alarm *alarm)
{
    size_t at = alarm->place;
    struct daemon_loop_alarm *last = loop->heap[loop->count--];
    alarm->place = 0;
    if (last == alarm)
        return;
    if (at > 1 && loop->heap[at / 2]->at_us > last->at_us)
        sift_up(loop, last, at);
    else
        sift_down(loop, last, at);
}

static bool reserve(struct daemon_loop *loop)
{
    if (loop->count + 1 < loop->capacity)
        return true;
    size_t capacity = loop->capacity == 0 ? 16 : 2 * loop->capacity;
    struct daemon_loop_alarm **heap = realloc(loop->heap, capacity * sizeof(*heap));
    if (heap == NULL)
        return false;
    loop->heap = heap;
    loop->capacity = capacity;
    return true;
}

bool daemon_loop_set(struct daemon_loop *loop, struct daemon_loop_alarm *alarm, int64_t at_us)
{
    if (at_us == INT64_MAX) {
        if (alarm->place != 0)
            remove_alarm(loop, alarm);
        return true;
    }
    // What was due in this wake-up and is still due has its turn in the next one, so that neither
    // input nor other alarms are starved.
    if (loop->is_ringing && at_us <= loop->now_us)
        at_us = loop->now_us + 1;
    int64_t before_us = alarm->at_us;
    if (alarm->place == 0) {
        if (!reserve(loop))
            return false;
        alarm->at_us = at_us;
        sift_up(loop, alarm, ++loop->count);
    } else {
        alarm->at_us = at_us;
        if (at_us < before_us)
            sift_up(loop, alarm, alarm->place);
        else
            sift_down(loop, alarm, alarm->place);
    }
    return true;
}

// ---- life ----

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    (void)ctx; // daemon_loop_once() rings what is due after every wake-up
}

struct daemon_loop *daemon_loop_new(struct daemon_error *ret_error)
{
    struct daemon_loop *loop = calloc(1, sizeof *loop);
    if (loop != NULL) {
        loop->base = event_base_new();
        loop->timer = loop->base == NULL ? NULL : evtimer_new(loop->base, on_timer, loop);
    }
    if (loop == NULL || loop->timer == NULL) {
        daemon_error_set(ret_error, "cannot make the event loop");
        daemon_loop_free(loop);
        return NULL;
    }
    loop->now_us = daemon_clock_now_us();
    return loop;
}

void daemon_loop_free(struct daemon_loop *loop)
{
    if (loop == NULL)
        return;
    assert(loop->count == 0);
    if (loop->timer != NULL)
        event_free(loop->timer);
    if (loop->base != NULL)
        event_base_free(loop->base);
    free(loop->heap);
    free(loop);
}

struct event_base *daemon_loop_base(struct daemon_loop *loop)
{
    return loop->base;
}

// ---- time ----

static void read_clocks(struct daemon_loop *loop)
{
    if (loop->now_is_read)
        return;
    int64_t now_us = daemon_clock_now_us();
    if (now_us > loop->now_us)
        loop->now_us = now_us;
    loop->seen_us = now_us;
    loop->wall_us = daemon_clock_wall_us();
    loop->now_is_read = true;
}

int64_t daemon_loop_now_us(struct daemon_loop *loop)
{
    read_clocks(loop);
    return loop->now_us;
}

int64_t daemon_loop_wall_us(struct daemon_loop *loop)
{
    read_clocks(loop);
    return loop->wall_us + loop->wall_offset_us;
}

void daemon_loop_shift_wall(struct daemon_loop *loop, int64_t offset_us)
{
    loop->wall_offset_us = offset_us;
}

int64_t daemon_loop_wall_shift_us(const struct daemon_loop *loop)
{
    return loop->wall_offset_us;
}

// ---- running ----

void daemon_loop_on_gap(struct daemon_loop *loop, void (*gap)(void *ctx), void *ctx)
{
    loop->gap = gap;
    loop->gap_ctx = ctx;
}

// A sleep begins most likely while the loop waits, but may at any time.
static void look_for_gap(struct daemon_loop *loop)
{
    bool has_gap = loop->has_gap || daemon_loop_now_us(loop) - loop->wake_us > DAEMON_LOOP_GAP_US;
    loop->has_gap = false;
    if (has_gap && loop->gap != NULL)
        loop->gap(loop->gap_ctx);
}

// Rings each alarm that was due when the wake-up began, once.
static void ring_due(struct daemon_loop *loop)
{
    int64_t now_us = daemon_loop_now_us(loop);
    loop->is_ringing = true;
    while (loop->count > 0 && loop->heap[1]->at_us <= now_us) {
        struct daemon_loop_alarm *alarm = loop->heap[1];
        remove_alarm(loop, alarm);
        alarm->ring(alarm);
    }
    loop->is_ringing = false;
}

// How long to sleep. Rounded up to the millisecond that libevent counts in, so that it does not
// wake us up before the time.
static void set_timer(struct daemon_loop *loop)
{
    int64_t wait_us = SLEEP_MAX_US;
    int64_t now_us = daemon_clock_now_us();
    loop->has_gap = loop->seen_us != 0 && now_us - loop->seen_us > DAEMON_LOOP_GAP_US;
    if (loop->has_gap) {
        wait_us = 0;
    } else if (loop->count > 0) {
        int64_t due_us = loop->heap[1]->at_us - now_us;
        wait_us = due_us < 0 ? 0 : due_us < wait_us ? due_us : wait_us;
    }
    wait_us = (wait_us + 999) / 1000 * 1000;
    loop->wake_us = now_us + wait_us;
    struct timeval wait = {wait_us / 1000000, wait_us % 1000000};
    evtimer_add(loop->timer, &wait);
}

void daemon_loop_once(struct daemon_loop *loop)
{
    set_timer(loop);
    loop->now_is_read = false;
    event_base_loop(loop->base, EVLOOP_ONCE);
    look_for_gap(loop);
    ring_due(loop);
}

void daemon_loop_run(struct daemon_loop *loop)
{
    loop->stopped = false;
    loop->seen_us = 0; // what was done before may have taken its time
    while (!loop->stopped)
        daemon_loop_once(loop);
}

void daemon_loop_stop(struct daemon_loop *loop)
{
    loop->stopped = true;
    loop->now_is_read = false;
}
