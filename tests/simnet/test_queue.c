// SPDX-License-Identifier: MIT
// Every order of puts and takes is compared with the plainest queue there is: a sorted list.
#include "simnet/queue.h"
#include "simnet/stream.h"
#include "tests/dht/failing_malloc.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define EVENTS 20000

struct row {
    const char *name;
    int64_t start_us;
    uint64_t spread_us; // how far ahead events are put
    uint32_t burst;     // events put for each one taken, at first
};

static const struct row rows[] = {
    {"all at one time", 1000000, 1, 3},
    {"within a slot", 0, 100, 2},
    {"within a second", 12345, 1000000, 2},
    {"within an hour", 1000000, INT64_C(3600000000), 2},
    {"beyond the coarse slots", 999999, INT64_C(90000000000), 3},
    {"one at a time", 5, 700000000, 1},
};

struct plain {
    int64_t due_us;
    uint32_t what;
};

// The earliest of the plain list, the first put in of several.
static size_t earliest(const struct plain *list, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (list[i].due_us < list[best].due_us ||
            (list[i].due_us == list[best].due_us && list[i].what < list[best].what))
            best = i;
    return best;
}

static void put(struct simnet_queue *queue, struct plain *list, size_t *count, int64_t due_us,
                uint32_t what)
{
    simnet_queue_put(queue, due_us, what);
    list[(*count)++] = (struct plain){due_us, what};
}

static void takes_in_order(void **state)
{
    (void)state;
    static struct plain list[EVENTS];
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        const struct row *row = &rows[r];
        struct simnet_stream stream;
        struct simnet_queue *queue = simnet_queue_new(row->start_us);
        struct simnet_event event;
        size_t count = 0;
        uint32_t what = 0;
        int64_t now_us = row->start_us;
        simnet_stream_init(&stream, 1, "test", r);
        for (int step = 0; step < 800; step++) {
            for (uint32_t i = 0; i < row->burst && step < 400; i++)
                put(queue, list, &count,
                    now_us + (int64_t)simnet_stream_below(&stream, row->spread_us), what++);
            int64_t until_us = now_us + (int64_t)simnet_stream_below(&stream, row->spread_us * 2);
            bool taken = simnet_queue_take(queue, until_us, &event);
            size_t best = earliest(list, count);
            bool expected = count > 0 && list[best].due_us <= until_us;
            if (taken != expected || (taken && event.what != list[best].what))
                fail_msg("%s: step %d", row->name, step);
            if (!taken) {
                now_us = until_us;
                continue;
            }
            now_us = event.due_us;
            list[best] = list[--count];
        }
        assert_int_equal(count, simnet_queue_count(queue));
        simnet_queue_free(queue);
    }
}

// ---- where memory ends ----

// Events of each kind of place, and from each of them on to the next.
static bool takes_all(void)
{
    struct simnet_queue *queue = simnet_queue_new(0);
    struct simnet_event event;
    const int64_t spans_us[] = {500, 900000, 5000000, 3000000000, 90000000000};
    uint32_t put_count = 0;
    uint32_t taken = 0;
    for (size_t i = 0; i < sizeof spans_us / sizeof *spans_us; i++)
        for (int64_t each = 1; each <= 100; each++)
            simnet_queue_put(queue, each * spans_us[i] / 100, put_count++);
    while (simnet_queue_take(queue, INT64_C(100000000000), &event))
        taken++;
    simnet_queue_free(queue);
    return taken == put_count;
}

// Whichever allocation fails: the process ends by abort, and nothing is lost without a word.
static void no_event_is_lost(void **state)
{
    (void)state;
    int status = 0;
    long allowed = 0;
    do {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            failing_malloc_left = allowed;
            fclose(stderr); // it says that memory is short
            _exit(takes_all() ? 0 : 1);
        }
        allowed++;
        assert_int_equal(child, waitpid(child, &status, 0));
        if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
            fail_msg("allocation %ld fails, and events are lost", allowed);
        assert_true(WIFEXITED(status) || WTERMSIG(status) == SIGABRT);
    } while (!WIFEXITED(status));
    assert_true(allowed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_in_order),
                                       cmocka_unit_test(no_event_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
