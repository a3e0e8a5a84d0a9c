// SPDX-License-Identifier: MIT
// The region around a target: how far it reaches, and whether it is crowded or thin.
#include "dht/region.h"

#include "dht/id.h"
#include "tests/core/crypto_helper.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

#define NODES 10000
#define WHOLE 18446744073709551616.0

static void test_radius(void **state)
{
    static const struct row {
        const char *name;
        double nodes;
        uint32_t wanted;
        uint64_t radius;
    } rows[] = {
        {"unknown", 0, 20, 0},
        {"fewer than wanted", 8, 20, UINT64_MAX},
        {"as many", 20, 20, UINT64_MAX},
        {"an eighth", 160, 20, UINT64_C(1) << 61},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (dht_region_radius(rows[i].nodes, rows[i].wanted) != rows[i].radius)
            fail_msg("%s", rows[i].name);
}

static void test_point(void **state)
{
    static const struct row {
        const char *name;
        uint64_t least, below;
    } rows[] = {
        {"from the target on", 0, UINT64_C(1) << 57},
        {"a ring", UINT64_C(1) << 57, UINT64_C(1) << 61},
        {"one distance", 77, 78},
        {"anywhere", 0, UINT64_MAX},
        {"the far end", UINT64_MAX - 1, UINT64_MAX},
    };
    static const uint8_t seed[32] = {1};
    struct dht_random random;
    struct dht_id target;
    (void)state;
    dht_random_init(&random, seed);
    memset(target.bytes, 0x5a, sizeof target.bytes);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t nearest = UINT64_MAX;
        uint64_t farthest = 0;
        for (int j = 0; j < 200; j++) {
            struct dht_id point = dht_region_point(&target, rows[i].least, rows[i].below, &random);
            uint64_t distance = dht_id_distance64(&point, &target);
            nearest = distance < nearest ? distance : nearest;
            farthest = distance > farthest ? distance : farthest;
        }
        uint64_t tenth = (rows[i].below - rows[i].least) / 10; // 200 points come nearer than that
        if (nearest < rows[i].least || nearest > rows[i].least + tenth ||
            farthest >= rows[i].below || farthest < rows[i].below - 1 - tenth)
            fail_msg("%s", rows[i].name);
    }
}

static void add(struct dht_lookup *lookup, uint64_t distance)
{
    uint16_t index;
    uint32_t number = lookup->count + 1u;
    struct dht_candidate made = {
        .addr = {.ip = {20, (uint8_t)number, (uint8_t)(number >> 8), 1}, .ip_len = 4, .port = 1}};
    for (int i = 0; i < 8; i++)
        made.id.bytes[i] = (uint8_t)(distance >> (56 - 8 * i));
    made.id.bytes[19] = (uint8_t)number;
    made.id.bytes[18] = (uint8_t)(number >> 8);
    if (dht_lookup_offer(lookup, &made, &index) != DHT_LOOKUP_ADDED)
        return;
    dht_lookup_enter(lookup, index, DHT_CANDIDATE_ASKED);
    dht_lookup_enter(lookup, index, DHT_CANDIDATE_ANSWERED);
}

static void start(struct dht_lookup *lookup)
{
    static const struct dht_id target = {{0}};
    struct dht_config config;
    dht_config_init(&config, DHT_IPV4);
    dht_lookup_init(lookup, &config, &target, 8);
    dht_lookup_widen(lookup, dht_region_radius(NODES, 20), 20, 8);
}

// The honest neighbours of a target, at random.
static void add_honest(struct dht_lookup *lookup, uint64_t *random)
{
    for (int i = 0; i < 200; i++) { // those that stand next to the target, of all
        uint64_t distance = (uint64_t)((double)helper_random(random) * 200 / NODES);
        if ((double)distance < WHOLE * 40 / NODES)
            add(lookup, distance);
    }
}

// Nodes packed around a target, and what is known of the network's size, of 1,000 targets each.
static const struct density_row {
    const char *name;
    double nodes;    // as estimated
    uint32_t doubt;  // how many times as many there may be
    int fakes;       // that answered
    double within;   // so far from the target, in distances between neighbours
    int least, most; // alarms
} density_rows[] = {
    {"honest", NODES, 2, 0, 1, 0, 2},
    {"honest, half the estimate", NODES / 2, 2, 0, 1, 0, 1},
    {"honest, double the truth was estimated", NODES * 2, 2, 0, 1, 0, 60},
    {"unknown", 0, 2, 64, 0.01, 0, 0},
    {"three right at it", NODES, 2, 3, 0.001, 990, 1000},
    {"eight next to it", NODES, 2, 8, 0.01, 995, 1000},
    {"24 before the first neighbour", NODES, 2, 24, 1, 995, 1000},
    {"64 all over the region", NODES, 2, 64, 20, 980, 1000},
    {"24 next to it, half the estimate", NODES / 2, 2, 24, 0.01, 995, 1000},
    {"two right at it", NODES, 2, 2, 0.001, 980, 1000},
    {"one right at it", NODES, 2, 1, 0.001, 0, 2},
    {"honest, in doubt, a tenth the estimate", NODES / 10, 16, 0, 1, 0, 2},
    {"eight next to it, in doubt", NODES, 16, 8, 0.01, 995, 1000},
    {"64 next to it, nothing to judge by", NODES, 0, 64, 0.01, 0, 0},
};

static void test_density(void **state)
{
    uint64_t random = 7;
    (void)state;
    for (size_t i = 0; i < sizeof density_rows / sizeof density_rows[0]; i++) {
        const struct density_row *row = &density_rows[i];
        int alarms = 0;
        for (int round = 0; round < 1000; round++) {
            struct dht_lookup lookup;
            start(&lookup);
            add_honest(&lookup, &random);
            for (int fake = 0; fake < row->fakes; fake++)
                add(&lookup, (uint64_t)((double)helper_random(&random) * row->within / NODES));
            alarms += dht_region_density(&lookup, row->nodes, row->doubt).is_suspect;
            dht_lookup_fini(&lookup);
        }
        if (alarms < row->least || alarms > row->most)
            fail_msg("%s: %d alarms", row->name, alarms);
    }
}

// Thin is where fewer than 6 of the 10 expected stand in the outer half.
static void test_thin(void **state)
{
    (void)state;
    for (int outer = 0; outer < 12; outer++) {
        struct dht_lookup lookup;
        start(&lookup);
        for (uint64_t i = 0; i < 50; i++)
            add(&lookup, i * 1000); // inner ones do not help
        for (int i = 0; i < outer; i++)
            add(&lookup, lookup.region - (uint64_t)i);
        assert_int_equal(dht_region_is_thin(&lookup, 20), outer < 6);
        lookup.region = UINT64_MAX; // a network that is all region
        assert_false(dht_region_is_thin(&lookup, 20));
        dht_lookup_fini(&lookup);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_radius),
        cmocka_unit_test(test_point),
        cmocka_unit_test(test_density),
        cmocka_unit_test(test_thin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
