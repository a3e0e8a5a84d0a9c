// SPDX-License-Identifier: MIT
#include "dht/lost.h"

#include "dht/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct dht_addr numbered(uint32_t number)
{
    return (struct dht_addr){.ip = {192, 0, 2, (uint8_t)number}, .ip_len = 4, .port = 6881};
}

enum verb { ADD, REMOVE };

struct row {
    const char *name;
    enum verb verb;
    uint32_t from, to; // the numbers of the addresses
    uint32_t count;    // remembered afterwards
};

// One story, told in order.
static const struct row rows[] = {
    {"a stranger is not there", REMOVE, 9, 10, 0},
    {"some are lost", ADD, 0, 5, 5},
    {"the same again", ADD, 2, 4, 5},
    {"one is back", REMOVE, 3, 4, 4},
    {"and again", REMOVE, 3, 4, 4},
    {"as many as there is room for", ADD, 3, DHT_LOST_MAX, DHT_LOST_MAX},
    {"more: others are forgotten", ADD, 100, 200, DHT_LOST_MAX},
    {"all are back", REMOVE, 0, 200, 0},
};

static void remembers_some(void **state)
{
    (void)state;
    struct dht_lost lost = {0};
    struct dht_random random;
    const uint8_t seed[32] = {1};
    dht_random_init(&random, seed);
    struct dht_addr drawn;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (uint32_t number = rows[i].from; number < rows[i].to; number++) {
            struct dht_addr addr = numbered(number);
            if (rows[i].verb == ADD)
                dht_lost_add(&lost, &random, &addr);
            else
                dht_lost_remove(&lost, &addr);
        }
        if (lost.count != rows[i].count ||
            dht_lost_draw(&lost, &random, &drawn) != (lost.count > 0))
            fail_msg("%s: %u", rows[i].name, lost.count);
    }
    dht_lost_fini(&lost);
}

// What a full list holds is neither only the first nor only the last.
static void forgets_at_random(void **state)
{
    (void)state;
    struct dht_lost lost = {0};
    struct dht_random random;
    const uint8_t seed[32] = {2};
    uint32_t early = 0;
    dht_random_init(&random, seed);
    for (uint32_t number = 0; number < 2 * DHT_LOST_MAX; number++) {
        struct dht_addr addr = numbered(number);
        dht_lost_add(&lost, &random, &addr);
    }
    for (uint32_t i = 0; i < lost.count; i++)
        early += lost.addrs[i].ip[3] < DHT_LOST_MAX;
    assert_in_range(early, 2, DHT_LOST_MAX - 2);
    dht_lost_fini(&lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(remembers_some),
                                       cmocka_unit_test(forgets_at_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
