// SPDX-License-Identifier: MIT
// Every order of puts and takes is compared with the plainest queue there is: a sorted list.
#include "simnet/queue.h"
#include "simnet/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

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
    assert_true(simnet_queue_put(queue, due_us, what));
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
        assert_non_null(queue);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(takes_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
