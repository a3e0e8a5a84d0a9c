// SPDX-License-Identifier: MIT
#include "simnet/stream.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define DRAWS 100001

static double unit(struct simnet_stream *stream)
{
    return simnet_stream_unit(stream);
}
static double below_ten(struct simnet_stream *stream)
{
    return (double)simnet_stream_below(stream, 10);
}
static double chance(struct simnet_stream *stream)
{
    return simnet_stream_chance(stream, 0.3) ? 1 : 0;
}
static double normal(struct simnet_stream *stream)
{
    return simnet_stream_normal(stream);
}
static double exponential(struct simnet_stream *stream)
{
    return simnet_stream_exponential(stream, 5);
}
static double lognormal(struct simnet_stream *stream)
{
    return simnet_stream_lognormal(stream, 100, 0.5);
}
static double weibull(struct simnet_stream *stream)
{
    return simnet_stream_weibull(stream, 0.5, 60);
}

struct row {
    const char *name;
    double (*draw)(struct simnet_stream *stream);
    double mean, median; // as the distribution's formula gives them
    double tolerance;    // a part of the larger of mean and 1
};

static const struct row rows[] = {
    {"unit", unit, 0.5, 0.5, 0.01},
    {"below", below_ten, 4.5, 4, 0.6},
    {"chance", chance, 0.3, 0, 0.01},
    {"normal", normal, 0, 0, 0.02},
    {"exponential", exponential, 5, 3.4657, 0.02},
    {"lognormal", lognormal, 113.31, 100, 0.02},
    {"weibull", weibull, 120, 28.827, 0.05},
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void distributions_have_their_middle(void **state)
{
    (void)state;
    static double drawn[DRAWS];
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        struct simnet_stream stream;
        double sum = 0;
        simnet_stream_init(&stream, 7, "test", 0);
        for (int i = 0; i < DRAWS; i++)
            sum += drawn[i] = rows[r].draw(&stream);
        qsort(drawn, DRAWS, sizeof *drawn, compare);
        double bound = rows[r].tolerance * (rows[r].mean > 1 ? rows[r].mean : 1);
        if (fabs(sum / DRAWS - rows[r].mean) > bound ||
            fabs(drawn[DRAWS / 2] - rows[r].median) > bound)
            fail_msg("%s: mean %g, median %g", rows[r].name, sum / DRAWS, drawn[DRAWS / 2]);
    }
}

static void streams_differ_by_purpose_number_and_seed(void **state)
{
    (void)state;
    struct simnet_stream streams[5];
    simnet_stream_init(&streams[0], 1, "loss", 0);
    simnet_stream_init(&streams[1], 1, "loss", 1);
    simnet_stream_init(&streams[2], 1, "churn", 0);
    simnet_stream_init(&streams[3], 2, "loss", 0);
    simnet_stream_init(&streams[4], 1, "loss", 0);
    uint64_t first[5];
    for (int i = 0; i < 5; i++)
        first[i] = simnet_stream_next(&streams[i]);
    for (int i = 1; i < 4; i++)
        assert_true(first[0] != first[i]);
    assert_true(first[0] == first[4]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributions_have_their_middle),
        cmocka_unit_test(streams_differ_by_purpose_number_and_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
