// SPDX-License-Identifier: MIT
// Round trips: their distribution, their structure, and packets that take as long as said.
#include "simnet/latency.h"
#include "simnet/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED    7
#define SAMPLES 200000

enum kind { CONSTANT, LOGNORMAL, INTERNET, WIRED, MATRIX, KINDS };

static const char *const names[] = {"constant", "lognormal", "internet", "wired", "matrix"};

static const double matrix_rtt_ms[] = {10, 100, 200, -1, 20, 150, -1, -1, 30};
static const double matrix_weights[] = {50, 30, 20};

static struct simnet_element *make(enum kind kind, uint64_t seed)
{
    switch (kind) {
    case CONSTANT:
        return simnet_latency_constant(40000);
    case LOGNORMAL:
        return simnet_latency_lognormal(seed, 100000, 0.6, 1000);
    case INTERNET:
        return simnet_latency_internet(seed);
    case WIRED:
        return simnet_latency_wired(seed);
    default:
        return simnet_latency_matrix(seed, &(struct simnet_latency_matrix){
                                               .region_count = 3,
                                               .rtt_ms = matrix_rtt_ms,
                                               .weights = matrix_weights,
                                           });
    }
}

static void drop(struct simnet_element *element)
{
    element->class->free(element);
}

// ---- distributions ----

struct quantile_row {
    enum kind kind;
    double share;
    int64_t low_us, high_us;
};

// The internet's bounds are those that it was fitted to.
static const struct quantile_row quantile_rows[] = {
    {CONSTANT, 0.01, 80000, 80000},     {CONSTANT, 0.99, 80000, 80000},
    {LOGNORMAL, 0.1, 45000, 48000},     {LOGNORMAL, 0.5, 99000, 101000},
    {LOGNORMAL, 0.9, 212000, 220000},   {LOGNORMAL, 0.99, 395000, 413000},
    {INTERNET, 0.1, 25000, 35000},      {INTERNET, 0.5, 95000, 112000},
    {INTERNET, 0.9, 220000, 280000},    {INTERNET, 0.99, 400000, 500000},
    {INTERNET, 0.999, 900000, 2000000}, {WIRED, 0.1, 20000, 60000},
    {WIRED, 0.5, 95000, 130000},        {WIRED, 0.9, 200000, 280000},
    {WIRED, 0.99, 250000, 400000},      {MATRIX, 0.2, 10000, 10000},
    {MATRIX, 0.5, 100000, 100000},      {MATRIX, 0.99, 200000, 200000},
};

static void has_its_quantiles(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed < 4; seed++)
        for (size_t i = 0; i < sizeof quantile_rows / sizeof *quantile_rows; i++) {
            const struct quantile_row *row = &quantile_rows[i];
            struct simnet_element *element = make(row->kind, seed);
            int64_t rtt_us = 0;
            simnet_latency_quantiles(element, 1000000, SAMPLES, &row->share, 1, &rtt_us);
            if (rtt_us < row->low_us || rtt_us > row->high_us)
                fail_msg("%s, share %g, seed %d: %ld us", names[row->kind], row->share, (int)seed,
                         (long)rtt_us);
            drop(element);
        }
}

// ---- structure ----

static void is_the_same_both_ways(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        struct simnet_element *element = make((enum kind)kind, SEED);
        struct simnet_element *again = make((enum kind)kind, SEED);
        for (uint32_t a = 0; a < 100; a++)
            for (uint32_t b = 0; b < 100; b++) {
                int64_t rtt_us = simnet_latency_rtt(element, a, b);
                if (rtt_us != simnet_latency_rtt(element, b, a) ||
                    rtt_us != simnet_latency_rtt(again, a, b))
                    fail_msg("%s: %u and %u", names[kind], a, b);
            }
        drop(element);
        drop(again);
    }
}

struct least_row {
    enum kind kind;
    uint32_t a, b;
    int64_t low_us, high_us;
};

static const struct least_row least_rows[] = {
    {CONSTANT, 5, 5, 80000, 80000},
    {LOGNORMAL, 5, 5, 1000, 1000},
    {INTERNET, 5, 5, 500, 500},
    {MATRIX, 5, 5, 500, 500},
    {LOGNORMAL, 5, SIMNET_PACKET_NOBODY, 10000, 2000000},
    {INTERNET, 5, SIMNET_PACKET_NOBODY, 10000, 2000000},
    {MATRIX, 5, SIMNET_PACKET_NOBODY, 10000, 200000},
};

static void one_place_and_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof least_rows / sizeof *least_rows; i++) {
        const struct least_row *row = &least_rows[i];
        struct simnet_element *element = make(row->kind, SEED);
        int64_t rtt_us = simnet_latency_rtt(element, row->a, row->b);
        if (rtt_us < row->low_us || rtt_us > row->high_us)
            fail_msg("%s: %u to %u takes %ld us", names[row->kind], row->a, row->b, (long)rtt_us);
        drop(element);
    }
}

struct triangle_row {
    enum kind kind;
    double low, high; // share of triangles of which one side is longer than the two others
};

static const struct triangle_row triangle_rows[] = {
    {CONSTANT, 0, 0},
    {LOGNORMAL, 0.05, 0.5},
    {INTERNET, 0.0001, 0.05},
};

static void keeps_triangles(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof triangle_rows / sizeof *triangle_rows; i++) {
        const struct triangle_row *row = &triangle_rows[i];
        struct simnet_element *element = make(row->kind, SEED);
        uint32_t broken = 0;
        uint32_t total = 0;
        for (uint32_t a = 0; a < 40; a++)
            for (uint32_t b = 0; b < 40; b++)
                for (uint32_t c = 0; c < 40; c++) {
                    if (a == b || b == c || a == c)
                        continue;
                    total++;
                    broken += simnet_latency_rtt(element, a, c) >
                              simnet_latency_rtt(element, a, b) + simnet_latency_rtt(element, b, c);
                }
        double share = (double)broken / total;
        if (share < row->low || share > row->high)
            fail_msg("%s: %g of the triangles are broken", names[row->kind], share);
        drop(element);
    }
}

// Places fall into the regions of a matrix by weight, and pairs have what the matrix says.
static void matrix_has_regions(void **state)
{
    (void)state;
    struct simnet_element *element = make(MATRIX, SEED);
    uint32_t counts[3] = {0};
    for (uint32_t place = 0; place < 10000; place++)
        counts[simnet_latency_region(element, place)]++;
    for (int i = 0; i < 3; i++)
        assert_in_range(counts[i], matrix_weights[i] * 95, matrix_weights[i] * 105);
    for (uint32_t a = 0; a < 50; a++)
        for (uint32_t b = a + 1; b < 50; b++) {
            uint32_t from = simnet_latency_region(element, a);
            uint32_t to = simnet_latency_region(element, b);
            double rtt_ms = matrix_rtt_ms[from < to ? from * 3 + to : to * 3 + from];
            assert_int_equal(simnet_latency_rtt(element, a, b), rtt_ms * 1000);
        }
    drop(element);
}

// ---- packets ----

struct sink {
    struct simnet_element element;
    int64_t came_us;
};

static void collect(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    ((struct sink *)element)->came_us = simnet_world_now(world);
    simnet_world_drop(world, packet, element);
}

static void packets_take_half(void **state)
{
    (void)state;
    static const struct simnet_element_class class = {"sink", collect, NULL};
    for (int kind = 0; kind < KINDS; kind++) {
        struct simnet_world *world = simnet_world_new(SEED);
        struct simnet_element *element = make((enum kind)kind, SEED);
        struct sink sink = {.element.class = &class};
        element->next = &sink.element;
        simnet_world_own(world, element);
        for (uint32_t to = 1; to < 50; to++) {
            struct simnet_packet *packet = simnet_world_packet(world, 100);
            packet->place_from = 0;
            packet->place_to = to;
            int64_t now_us = simnet_world_now(world);
            element->class->forward(element, world, packet);
            simnet_world_run(world, now_us + 10 * SIMNET_SECOND_US);
            if (llabs(2 * (sink.came_us - now_us) - simnet_latency_rtt(element, 0, to)) > 2)
                fail_msg("%s: to %u", names[kind], to);
        }
        assert_int_equal(element->passed, 49);
        assert_int_equal(element->bytes_passed, 4900);
        simnet_world_free(world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_its_quantiles),    cmocka_unit_test(is_the_same_both_ways),
        cmocka_unit_test(one_place_and_nobody), cmocka_unit_test(keeps_triangles),
        cmocka_unit_test(matrix_has_regions),   cmocka_unit_test(packets_take_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
