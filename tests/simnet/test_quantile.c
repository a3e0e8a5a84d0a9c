// SPDX-License-Identifier: MIT
// Tables of quantiles against the formulas that they stand for.
#include "simnet/quantile.h"
#include "simnet/stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *name;
    double median, sigma; // sigma 0: exponential, and median its mean
    double share, expected, tolerance;
};

static const struct row rows[] = {
    {"lognormal, median", 100, 0.6, 0.5, 100, 0.001},
    {"lognormal, 84.13 %", 100, 0.6, 0.841344746, 182.2119, 0.001},
    {"lognormal, 99 %", 100, 0.6, 0.99, 403.85, 0.002},
    {"lognormal, 1 %", 100, 0.6, 0.01, 24.762, 0.002},
    {"lognormal, no deviation", 7, 1e-9, 0.3, 7, 0.001},
    {"lognormal ends at 1 - 2^-14", 100, 0.6, 1, 1002.8, 0.01},
    {"exponential, median", 50, 0, 0.5, 34.657, 0.001},
    {"exponential, 99 %", 50, 0, 0.99, 230.26, 0.002},
    {"exponential, none", 50, 0, 0, 0, 0.0001},
};

static void follows_formula(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct simnet_quantile table;
        if (row->sigma > 0)
            simnet_quantile_lognormal(&table, row->median, row->sigma);
        else
            simnet_quantile_exponential(&table, row->median);
        uint64_t number = row->share >= 1 ? UINT64_MAX : (uint64_t)(row->share * 0x1p64);
        double value = (double)simnet_quantile_of(&table, number);
        if (fabs(value - row->expected) > row->tolerance * (row->expected + 1))
            fail_msg("%s: %f, not %f", row->name, value, row->expected);
    }
}

static void never_falls(void **state)
{
    (void)state;
    struct simnet_quantile table;
    simnet_quantile_lognormal(&table, 100, 0.6);
    float before = 0;
    for (uint64_t number = 0; number < UINT64_MAX - (UINT64_C(1) << 45);
         number += UINT64_C(1) << 44) {
        float value = simnet_quantile_of(&table, number);
        assert_true(value >= before);
        before = value;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(follows_formula),
                                       cmocka_unit_test(never_falls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
