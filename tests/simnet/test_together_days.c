// SPDX-License-Identifier: MIT
// Days of several machines with one key, and all that befalls them, drawn from a seed: the same as
// in test_together.c holds at every moment. bench_together spends more of them.
#include "simnet/crew_day.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void spend_day(uint32_t size, uint64_t seed)
{
    struct simnet_crew_day day;
    struct simnet_crew_day_result once;
    struct simnet_crew_day_result again;
    simnet_crew_day_init(&day, size, seed);
    simnet_crew_day_run(&day, &once);
    simnet_crew_day_print(&day, &once, stdout);
    if (once.failures > 0)
        fail_msg("%s", once.line);
    // It has shown something.
    assert_true(once.changes > 40 && once.looks > 400 && once.entries > once.looks / 2);
    assert_true(once.splits > 0 && once.ends > 10 && once.jumps > 0);
    simnet_crew_day_run(&day, &again);
    assert_true(once.hash == again.hash);
}

static void test_two_for_a_day(void **state)
{
    (void)state;
    spend_day(2, 1);
}

static void test_five_for_a_day(void **state)
{
    (void)state;
    spend_day(5, 1);
}

static void test_ten_for_a_day(void **state)
{
    (void)state;
    spend_day(10, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_for_a_day),
        cmocka_unit_test(test_five_for_a_day),
        cmocka_unit_test(test_ten_for_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
