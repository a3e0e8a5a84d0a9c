// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_LOOP_H
#define PNR_DAEMON_LOOP_H

// The loop that drives everything: one libevent base, one timer and one clock for any number of
// nodes. Each node has an alarm, the time at which it wants to be woken; the alarms lie in a heap,
// so that moving one costs O(log n) and no packet costs more with more nodes. The timer is set once
// per wake-up, to the earliest alarm.
//
// Time is read once per wake-up, when first asked for, so that everything that one wake-up hands to
// the brain happens at one time. All functions belong to the loop's thread.

#include "node/daemon/error.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon_loop;
struct daemon_loop_alarm;

// The alarm's time has come. It is set again, or not, by this function.
typedef void (*daemon_loop_alarm_fn)(struct daemon_loop_alarm *alarm);

// Part of its owner, who zeroes it and sets `ring` and `ctx`; the rest is the loop's.
struct daemon_loop_alarm {
    daemon_loop_alarm_fn ring;
    void *ctx;
    int64_t at_us;
    size_t place; // in the heap, from 1; 0: not set
};

// NULL where memory is short or the kernel has no epoll for us.
struct daemon_loop *daemon_loop_new(struct daemon_error *ret_error);
// Alarms and events have to be gone.
void daemon_loop_free(struct daemon_loop *loop);

struct event_base *daemon_loop_base(struct daemon_loop *loop);

// The time of this wake-up: see node/daemon/clock.h. It never goes back.
int64_t daemon_loop_now_us(struct daemon_loop *loop);
// Wall time of this wake-up, shifted by daemon_loop_shift_wall().
int64_t daemon_loop_wall_us(struct daemon_loop *loop);
// For tests of clocks that are wrong.
void daemon_loop_shift_wall(struct daemon_loop *loop, int64_t offset_us);
int64_t daemon_loop_wall_shift_us(const struct daemon_loop *loop);

// Sets the alarm, or moves it; INT64_MAX: puts it off. False where memory is short, and the alarm
// is then not set; it cannot fail for an alarm that is set.
bool daemon_loop_set(struct daemon_loop *loop, struct daemon_loop_alarm *alarm, int64_t at_us);

// gap is called in a wake-up that comes later than it was to by more than DAEMON_LOOP_GAP_US,
// before any alarm rings: the machine was asleep, or the process was held up. ctx is its own.
#define DAEMON_LOOP_GAP_US INT64_C(20000000)
void daemon_loop_on_gap(struct daemon_loop *loop, void (*gap)(void *ctx), void *ctx);

// Runs until daemon_loop_stop().
void daemon_loop_run(struct daemon_loop *loop);
// One wake-up: waits for it, unless something is due, and does what it brings. For tests.
void daemon_loop_once(struct daemon_loop *loop);
// Ends daemon_loop_run() after this wake-up.
void daemon_loop_stop(struct daemon_loop *loop);

#endif
