// SPDX-License-Identifier: MIT
// What upkeep may spend: the first allowance, what time adds, what is saved at most, and debt.
#include "dht/allowance.h"

#include <stdio.h>

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define PAUSE DHT_ALLOWANCE_PAUSE_US
#define BIRTH INT64_C(5000000)

static const struct row {
    const char *name;
    uint32_t first, spent;
    int64_t later_us;
    int32_t left;
    int32_t least;
    int64_t due_us; // after later_us
} rows[] = {
    {"at birth", 10, 0, 0, 10, 0, 0},
    {"the last one", 10, 9, 0, 1, 0, 0},
    {"all spent", 10, 10, 0, 0, 0, PAUSE},
    {"just before the next", 10, 10, PAUSE - 1, 0, 0, 1},
    {"the next", 10, 10, PAUSE, 1, 0, 0},
    {"two and a half pauses", 10, 10, PAUSE * 5 / 2, 2, 0, 0},
    {"debt", 10, 13, 0, -3, 0, 4 * PAUSE},
    {"debt that is allowed", 10, 13, 0, -3, -4, 0},
    {"debt, half paid", 10, 13, 2 * PAUSE, -1, 0, 2 * PAUSE},
    {"not more than can be saved", 10, 10, 1000 * PAUSE, DHT_ALLOWANCE_MOST, 0, 0},
    {"the first allowance does not grow", 10, 0, 1000 * PAUSE, 10, 0, 0},
};

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dht_allowance allowance;
        int64_t now_us = BIRTH + rows[i].later_us;
        dht_allowance_init(&allowance, BIRTH, rows[i].first);
        dht_allowance_spend(&allowance, rows[i].spent);
        int32_t left = dht_allowance_left(&allowance, now_us);
        int64_t due_us = dht_allowance_due_us(&allowance, now_us, rows[i].least);
        if (left != rows[i].left || due_us - now_us != rows[i].due_us)
            fail_msg("%s: %d left, due in %lld", rows[i].name, (int)left,
                     (long long)(due_us - now_us));
    }
}

// However it is asked in between, an hour brings what an hour brings.
static void test_no_drift(void **state)
{
    (void)state;
    struct dht_allowance allowance;
    int32_t spent = 0;
    dht_allowance_init(&allowance, BIRTH, 0);
    for (int64_t at_us = 0; at_us <= 60 * PAUSE; at_us += 777777)
        while (dht_allowance_left(&allowance, BIRTH + at_us) > 0) {
            dht_allowance_spend(&allowance, 1);
            spent++;
        }
    assert_in_range(spent, 59, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_no_drift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
