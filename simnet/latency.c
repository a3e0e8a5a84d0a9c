// SPDX-License-Identifier: MIT
#include "simnet/latency.h"

#include "simnet/quantile.h"
#include "simnet/world.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_BITS   10 // regions are drawn by a table of that many entries
#define SLOTS        (1u << SLOTS_BITS)
#define MIN_RTT_US   500.0f // between two machines at one place, and between any two
#define DETOUR_SIGMA 0.1

// What all kinds have: forward() asks it for the round trip.
struct latency {
    struct simnet_element element;
    float (*rtt_us)(const struct latency *latency, uint32_t a, uint32_t b); // a < b
    uint64_t seed;
    float min_us; // also the one round trip of the constant kind
};

struct lognormal {
    struct latency latency;
    struct simnet_quantile rtts_us;
};

struct matrix {
    struct latency latency;
    uint32_t region_count;
    float rtts_us[SIMNET_LATENCY_REGIONS_MAX * SIMNET_LATENCY_REGIONS_MAX];
    uint8_t regions[SLOTS];
    struct simnet_quantile heights_us;
};

struct internet {
    struct latency latency;
    uint8_t regions[SLOTS];
    struct simnet_quantile heights_us;
    struct simnet_quantile detours;
};

// ---- the internet's regions ----

struct region {
    const char *name;
    float at_ms[3];
    float height_ms; // paid by what comes from other regions
    float spread_ms; // how far its places lie from its middle, in each dimension
    float weight;    // per mille of all places
};

// Fitted to the medians of a year; see latency.h.
static const struct region regions[] = {
    {"North America, east", {-76.0f, 27.1f, 34.9f}, 0, 9, 130},
    {"North America, middle", {-78.8f, 21.5f, 21.1f}, 0, 10, 50},
    {"North America, west", {-84.8f, -17.4f, -21.3f}, 0, 10, 50},
    {"Central America", {-131.1f, 23.0f, 13.6f}, 0, 12, 6},
    {"South America", {-75.6f, 18.5f, 39.7f}, 105.2f, 20, 24},
    {"Europe, north-west", {-10.8f, 65.7f, 73.4f}, 0, 7, 170},
    {"Europe, middle", {7.8f, 59.9f, 74.1f}, 0, 10, 320},
    {"Europe, north and east", {0.9f, 64.9f, 71.9f}, 22.2f, 12, 85},
    {"Europe, south-west", {11.3f, 91.2f, 74.3f}, 0, 8, 75},
    {"Near East", {29.1f, 57.2f, 118.9f}, 0, 14, 12},
    {"India", {94.5f, 21.8f, -12.3f}, 0, 15, 13},
    {"South-east Asia", {71.9f, 3.8f, -76.1f}, 0, 15, 13},
    {"China", {49.3f, -12.5f, -101.7f}, 0, 15, 22},
    {"Japan", {-5.3f, -29.6f, -104.5f}, 0, 6, 16},
    {"Korea", {12.7f, -11.7f, -129.3f}, 0, 5, 6},
    {"Oceania", {6.9f, -129.2f, -68.6f}, 0, 12, 6},
    {"Southern Africa", {6.9f, 115.4f, 163.0f}, 50.5f, 12, 2},
};
#define REGIONS      (sizeof regions / sizeof *regions)
#define ACCESS_US    5500.0 // the median of a place's height
#define ACCESS_SIGMA 1.55
#define WIRED_US     10000.0 // the same, of wired lines
#define WIRED_SIGMA  0.75

// ---- round trips ----

static float rtt_constant(const struct latency *latency, uint32_t a, uint32_t b)
{
    (void)a;
    (void)b;
    return latency->min_us;
}

static float rtt_lognormal(const struct latency *latency, uint32_t a, uint32_t b)
{
    const struct lognormal *lognormal = (const struct lognormal *)latency;
    return simnet_quantile_of(&lognormal->rtts_us, simnet_stream_pair(latency->seed, a, b));
}

// The number of a place: its lowest ten bits say its region, the highest 26 its height, and what
// lies between where in the region it is.
static uint64_t place_of(const struct latency *latency, uint32_t place)
{
    return simnet_stream_pair(latency->seed, place, UINT64_C(0x706c616365));
}

static float rtt_matrix(const struct latency *latency, uint32_t a, uint32_t b)
{
    const struct matrix *matrix = (const struct matrix *)latency;
    uint64_t place_a = place_of(latency, a);
    uint64_t place_b = place_of(latency, b);
    uint32_t region_a = matrix->regions[place_a & (SLOTS - 1)];
    uint32_t region_b = matrix->regions[place_b & (SLOTS - 1)];
    return matrix->rtts_us[region_a * matrix->region_count + region_b] +
           simnet_quantile_of(&matrix->heights_us, place_a) +
           simnet_quantile_of(&matrix->heights_us, place_b);
}

// How far two places lie apart in one dimension. shift: where the nine bits of it are.
static float apart(const struct region *region_a, const struct region *region_b, uint64_t place_a,
                   uint64_t place_b, int axis)
{
    int shift = SLOTS_BITS + 9 * axis;
    float beside_a = (float)((int)((place_a >> shift) & 0x1ff) - 256) * 0x1p-8f;
    float beside_b = (float)((int)((place_b >> shift) & 0x1ff) - 256) * 0x1p-8f;
    return region_a->at_ms[axis] + beside_a * region_a->spread_ms - region_b->at_ms[axis] -
           beside_b * region_b->spread_ms;
}

static float rtt_internet(const struct latency *latency, uint32_t a, uint32_t b)
{
    const struct internet *internet = (const struct internet *)latency;
    uint64_t place_a = place_of(latency, a);
    uint64_t place_b = place_of(latency, b);
    const struct region *region_a = &regions[internet->regions[place_a & (SLOTS - 1)]];
    const struct region *region_b = &regions[internet->regions[place_b & (SLOTS - 1)]];
    float x = apart(region_a, region_b, place_a, place_b, 0);
    float y = apart(region_a, region_b, place_a, place_b, 1);
    float z = apart(region_a, region_b, place_a, place_b, 2);
    float far_ms = sqrtf(x * x + y * y + z * z);
    if (region_a != region_b)
        far_ms += region_a->height_ms + region_b->height_ms;
    float detour = simnet_quantile_of(&internet->detours, simnet_stream_pair(latency->seed, a, b));
    return far_ms * detour * 1000 + simnet_quantile_of(&internet->heights_us, place_a) +
           simnet_quantile_of(&internet->heights_us, place_b);
}

static float rtt_of(const struct latency *latency, uint32_t a, uint32_t b)
{
    if (a == b)
        return latency->min_us;
    // The lower number first, so that both ways are the same to the last bit.
    uint32_t low = a < b ? a : b;
    float rtt_us = latency->rtt_us(latency, low, a ^ b ^ low);
    return rtt_us < latency->min_us ? latency->min_us : rtt_us;
}

// ---- the element ----

static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    float rtt_us = rtt_of((struct latency *)element, packet->place_from, packet->place_to);
    simnet_element_delay(element, world, packet, simnet_world_now(world) + (int64_t)(rtt_us / 2));
}

static void free_latency(struct simnet_element *element)
{
    free(element);
}

static const struct simnet_element_class latency_class = {"latency", forward, free_latency};

struct simnet_element *simnet_latency_constant(int64_t one_way_us)
{
    struct latency *latency = simnet_world_need(calloc(1, sizeof *latency));
    latency->element.class = &latency_class;
    latency->rtt_us = rtt_constant;
    latency->min_us = (float)(2 * one_way_us);
    return &latency->element;
}

struct simnet_element *simnet_latency_lognormal(uint64_t seed, int64_t median_rtt_us, double sigma,
                                                int64_t min_us)
{
    struct lognormal *lognormal = simnet_world_need(calloc(1, sizeof *lognormal));
    lognormal->latency = (struct latency){
        .element.class = &latency_class,
        .rtt_us = rtt_lognormal,
        .seed = seed,
        .min_us = (float)min_us,
    };
    simnet_quantile_lognormal(&lognormal->rtts_us, (double)median_rtt_us, sigma);
    return &lognormal->latency.element;
}

// Gives each region as many slots as its weight is worth, by its share of what came before it.
static void fill_slots(uint8_t slots[SLOTS], const double *weights, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += weights[i];
    assert(sum > 0);
    double before = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        before += weights[i];
        uint32_t end = i + 1 == count ? SLOTS : (uint32_t)(before / sum * SLOTS + 0.5);
        while (at < end)
            slots[at++] = (uint8_t)i;
    }
}

static struct simnet_element *make_internet(uint64_t seed, double access_us, double access_sigma)
{
    struct internet *internet = simnet_world_need(calloc(1, sizeof *internet));
    internet->latency = (struct latency){
        .element.class = &latency_class,
        .rtt_us = rtt_internet,
        .seed = seed,
        .min_us = MIN_RTT_US,
    };
    double weights[REGIONS];
    for (size_t i = 0; i < REGIONS; i++)
        weights[i] = (double)regions[i].weight;
    fill_slots(internet->regions, weights, REGIONS);
    simnet_quantile_lognormal(&internet->heights_us, access_us, access_sigma);
    simnet_quantile_lognormal(&internet->detours, 1, DETOUR_SIGMA);
    return &internet->latency.element;
}

struct simnet_element *simnet_latency_internet(uint64_t seed)
{
    return make_internet(seed, ACCESS_US, ACCESS_SIGMA);
}

struct simnet_element *simnet_latency_wired(uint64_t seed)
{
    return make_internet(seed, WIRED_US, WIRED_SIGMA);
}

struct simnet_element *simnet_latency_matrix(uint64_t seed,
                                             const struct simnet_latency_matrix *from)
{
    uint32_t count = from->region_count;
    assert(count > 0 && count <= SIMNET_LATENCY_REGIONS_MAX);
    struct matrix *matrix = simnet_world_need(calloc(1, sizeof *matrix));
    matrix->latency = (struct latency){
        .element.class = &latency_class,
        .rtt_us = rtt_matrix,
        .seed = seed,
        .min_us = MIN_RTT_US,
    };
    matrix->region_count = count;
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = a; b < count; b++) {
            float rtt_us = (float)(from->rtt_ms[a * count + b] * 1000);
            matrix->rtts_us[a * count + b] = rtt_us;
            matrix->rtts_us[b * count + a] = rtt_us;
        }
    fill_slots(matrix->regions, from->weights, count);
    if (from->access_median_ms > 0)
        simnet_quantile_lognormal(&matrix->heights_us, from->access_median_ms * 1000,
                                  from->access_sigma);
    return &matrix->latency.element;
}

// ---- for tests, checkers and plots ----

int64_t simnet_latency_rtt(const struct simnet_element *element, uint32_t a, uint32_t b)
{
    assert(element->class == &latency_class);
    return (int64_t)rtt_of((const struct latency *)element, a, b);
}

uint32_t simnet_latency_region(const struct simnet_element *element, uint32_t place)
{
    assert(element->class == &latency_class);
    const struct latency *latency = (const struct latency *)element;
    uint64_t slot = place_of(latency, place) & (SLOTS - 1);
    if (latency->rtt_us == rtt_matrix)
        return ((const struct matrix *)latency)->regions[slot];
    return latency->rtt_us == rtt_internet ? ((const struct internet *)latency)->regions[slot] : 0;
}

static int compare(const void *a, const void *b)
{
    float left = *(const float *)a;
    float right = *(const float *)b;
    return (left > right) - (left < right);
}

void simnet_latency_quantiles(const struct simnet_element *element, uint32_t places,
                              uint32_t samples, const double *shares, size_t share_count,
                              int64_t *ret_rtts_us)
{
    assert(element->class == &latency_class && samples > 0 && places > 0);
    const struct latency *latency = (const struct latency *)element;
    float *rtts_us = simnet_world_need(malloc(samples * sizeof *rtts_us));
    struct simnet_stream stream;
    simnet_stream_init(&stream, latency->seed, "latency quantiles", places);
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t a = (uint32_t)simnet_stream_below(&stream, places);
        uint32_t b = (uint32_t)simnet_stream_below(&stream, places);
        rtts_us[i] = rtt_of(latency, a, b);
    }
    qsort(rtts_us, samples, sizeof *rtts_us, compare);
    for (size_t i = 0; i < share_count; i++) {
        uint32_t at = (uint32_t)(shares[i] * samples);
        ret_rtts_us[i] = (int64_t)rtts_us[at < samples ? at : samples - 1];
    }
    free(rtts_us);
}
