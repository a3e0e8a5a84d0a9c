// SPDX-License-Identifier: MIT
// Histograms against sorted arrays, and merging.
#include "simnet/stream.h"
#include "simnet/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define VALUES 5000

struct row {
    const char *name;
    uint64_t bound; // values are drawn below it
};

static const struct row rows[] = {
    {"nothing but 0", 1}, {"hops", 9},         {"one each", 256},
    {"some ms", 400000},  {"a day", 1u << 31}, {"all", UINT64_MAX / VALUES},
};

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;
    return left < right ? -1 : left > right;
}

static void percentiles(void **state)
{
    static const double shares[] = {0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.9998, 1};
    static uint64_t values[VALUES];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct simnet_stream stream;
        struct simnet_tally halves[2] = {0};
        uint64_t sum = 0;
        simnet_stream_init(&stream, i, "tally", 0);
        for (size_t k = 0; k < VALUES; k++) {
            values[k] = simnet_stream_below(&stream, rows[i].bound);
            sum += values[k];
            simnet_tally_add(&halves[k % 3 == 0], values[k]);
        }
        simnet_tally_merge(&halves[0], &halves[1]);
        qsort(values, VALUES, sizeof *values, compare);
        assert_true(halves[0].count == VALUES && halves[0].sum == sum);
        assert_true(halves[0].min == values[0] && halves[0].max == values[VALUES - 1]);
        for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
            size_t rank = (size_t)(shares[k] * VALUES + 0.999999);
            uint64_t exact = values[rank == 0 ? 0 : rank - 1];
            uint64_t told = simnet_tally_percentile(&halves[0], shares[k]);
            if (told < exact || told - exact > exact / 128)
                fail_msg("%s: %g is %llu, not %llu", rows[i].name, shares[k],
                         (unsigned long long)told, (unsigned long long)exact);
        }
        simnet_tally_free(&halves[0]);
        simnet_tally_free(&halves[1]);
    }
}

static void an_empty_one(void **state)
{
    (void)state;
    struct simnet_tally empty = {0};
    struct simnet_tally one = {0};
    uint64_t value;
    uint64_t count;
    assert_int_equal(0, simnet_tally_percentile(&empty, 0.5));
    assert_int_equal(0, simnet_tally_next(&empty, 0, &value, &count));
    simnet_tally_add(&one, 1000);
    simnet_tally_merge(&one, &empty);
    assert_int_equal(1, one.count);
    assert_int_equal(1000, one.min);
    assert_int_equal(1000, simnet_tally_percentile(&one, 0.5)); // never above the greatest
    uint32_t place = simnet_tally_next(&one, 0, &value, &count);
    assert_true(place != 0 && value >= 1000 && value < 1008 && count == 1);
    assert_int_equal(0, simnet_tally_next(&one, place, &value, &count));
    simnet_tally_free(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles),
        cmocka_unit_test(an_empty_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
