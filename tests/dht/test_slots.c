// SPDX-License-Identifier: MIT
#include "dht/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/dht/failing_malloc.h"

static void test_numbers(void **state)
{
    struct dht_slots slots = {0};
    int things[100];
    uint32_t numbers[100];
    (void)state;
    assert_null(dht_slots_at(&slots, 0));
    for (size_t i = 0; i < 100; i++) {
        assert_true(dht_slots_reserve(&slots, 100));
        numbers[i] = dht_slots_add(&slots, &things[i]);
        assert_in_range(numbers[i], 0, 99);
    }
    assert_false(dht_slots_reserve(&slots, 100));
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(dht_slots_at(&slots, numbers[i]), &things[i]);
    // Numbers that were taken back are given out again, and nothing grows.
    for (size_t i = 0; i < 100; i += 3)
        dht_slots_remove(&slots, numbers[i]);
    for (size_t i = 0; i < 100; i += 3) {
        assert_null(dht_slots_at(&slots, numbers[i]));
        assert_true(slots.count < 100);
    }
    for (size_t i = 0; i < 100; i += 3) {
        assert_true(dht_slots_reserve(&slots, 100));
        numbers[i] = dht_slots_add(&slots, &things[i]);
    }
    assert_int_equal(slots.count, 100);
    assert_int_equal(slots.capacity, 100);
    for (size_t i = 0; i < 100; i++)
        assert_ptr_equal(dht_slots_at(&slots, numbers[i]), &things[i]);
    dht_slots_clear(&slots);
    assert_null(dht_slots_at(&slots, numbers[0]));
}

static void test_no_memory(void **state)
{
    struct dht_slots slots = {0};
    int thing;
    (void)state;
    failing_malloc_left = 0;
    assert_false(dht_slots_reserve(&slots, 10));
    failing_malloc_left = -1;
    assert_true(dht_slots_reserve(&slots, 10));
    while (slots.count < slots.capacity)
        dht_slots_add(&slots, &thing);
    uint32_t count = slots.count;
    failing_malloc_left = 0;
    assert_false(dht_slots_reserve(&slots, 10));
    failing_malloc_left = -1;
    assert_int_equal(slots.count, count);
    assert_ptr_equal(dht_slots_at(&slots, 0), &thing);
    dht_slots_clear(&slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_no_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
