// SPDX-License-Identifier: MIT
// The heap of timers against a plain list, and what happens where memory is short.
#include "dht/timer.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define TIMERS 200

static void test_empty(void **state)
{
    struct dht_timer_heap heap = {0};
    struct dht_timer timer;
    (void)state;
    dht_timer_init(&timer, 7);
    assert_int_equal(timer.kind, 7);
    assert_int_equal(timer.position, DHT_TIMER_IDLE);
    assert_true(dht_timer_next(&heap) == INT64_MAX);
    assert_null(dht_timer_pop(&heap, INT64_MAX));
    dht_timer_clear(&heap, &timer);
    dht_timer_heap_fini(&heap);
}

static void test_due(void **state)
{
    struct dht_timer_heap heap = {0};
    struct dht_timer timer;
    (void)state;
    assert_true(dht_timer_reserve(&heap, 1));
    dht_timer_init(&timer, 0);
    dht_timer_set(&heap, &timer, 100);
    assert_null(dht_timer_pop(&heap, 99));
    assert_int_equal(dht_timer_next(&heap), 100);
    assert_ptr_equal(dht_timer_pop(&heap, 100), &timer);
    assert_int_equal(timer.position, DHT_TIMER_IDLE);
    assert_null(dht_timer_pop(&heap, 100));
    dht_timer_heap_fini(&heap);
}

// The earliest of those that are set, by looking at each.
static int64_t earliest(const struct dht_timer *timers)
{
    int64_t due_us = INT64_MAX;
    for (int i = 0; i < TIMERS; i++)
        if (timers[i].position != DHT_TIMER_IDLE && timers[i].due_us < due_us)
            due_us = timers[i].due_us;
    return due_us;
}

static void test_against_a_list(void **state)
{
    struct dht_timer_heap heap = {0};
    struct dht_timer timers[TIMERS];
    uint64_t random = 1;
    uint32_t set = 0;
    (void)state;
    assert_true(dht_timer_reserve(&heap, TIMERS));
    for (int i = 0; i < TIMERS; i++)
        dht_timer_init(&timers[i], (uint32_t)i);
    for (int step = 0; step < 50000; step++) {
        struct dht_timer *timer = &timers[helper_below(&random, TIMERS)];
        bool was_set = timer->position != DHT_TIMER_IDLE;
        int64_t now_us = helper_below(&random, 500);
        switch (helper_below(&random, 4)) {
        case 0:
            dht_timer_clear(&heap, timer);
            set -= was_set;
            break;
        case 1:
            timer = dht_timer_pop(&heap, now_us);
            assert_true(timer == NULL || timer->due_us <= now_us);
            assert_true(timer != NULL || earliest(timers) > now_us);
            set -= timer != NULL;
            break;
        default:
            dht_timer_set(&heap, timer, (int64_t)helper_below(&random, 1000));
            set += !was_set;
        }
        assert_int_equal(heap.count, set);
        assert_true(dht_timer_next(&heap) == earliest(timers));
    }
    int64_t last_us = INT64_MIN;
    for (struct dht_timer *timer; (timer = dht_timer_pop(&heap, INT64_MAX)) != NULL; set--) {
        assert_true(timer->due_us >= last_us);
        last_us = timer->due_us;
    }
    assert_int_equal(set, 0);
    dht_timer_heap_fini(&heap);
}

// Room is reserved for the standing timers too, and a failure leaves all as it was.
static void test_reserve(void **state)
{
    struct dht_timer_heap heap = {0};
    struct dht_timer timers[8];
    (void)state;
    failing_malloc_left = 0;
    assert_false(dht_timer_reserve(&heap, 1));
    assert_int_equal(heap.capacity, 0);
    failing_malloc_left = -1;
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(dht_timer_reserve(&heap, 1));
        assert_true(heap.capacity - heap.count >= 1 + DHT_TIMER_STANDING);
        dht_timer_init(&timers[i], 0);
        dht_timer_set(&heap, &timers[i], 8 - i);
    }
    failing_malloc_left = 0;
    assert_false(dht_timer_reserve(&heap, 1000));
    failing_malloc_left = -1;
    for (uint32_t i = 8; i-- > 0;)
        assert_ptr_equal(dht_timer_pop(&heap, 100), &timers[i]);
    dht_timer_heap_fini(&heap);
}

// The room of many timers goes once they are gone; the standing ones keep theirs.
static void test_rest(void **state)
{
    struct dht_timer_heap heap = {0};
    struct dht_timer timers[20];
    (void)state;
    assert_true(dht_timer_reserve(&heap, 20));
    for (int i = 0; i < 20; i++) {
        dht_timer_init(&timers[i], 0);
        dht_timer_set(&heap, &timers[i], 100 + i);
    }
    dht_timer_heap_rest(&heap);
    for (int i = 0; i < 17; i++)
        assert_ptr_equal(dht_timer_pop(&heap, 1000), &timers[i]);
    dht_timer_heap_rest(&heap);
    assert_int_equal(heap.capacity, 4);
    for (int i = 17; i < 20; i++)
        assert_ptr_equal(dht_timer_pop(&heap, 1000), &timers[i]);
    dht_timer_heap_fini(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),          cmocka_unit_test(test_due),
        cmocka_unit_test(test_against_a_list), cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
