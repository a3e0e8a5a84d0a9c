// SPDX-License-Identifier: MIT
#include "node/core/row_set.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// and then itself
#include <cmocka.h>

// Targets that share their first bytes, and so a place in the index.
static struct dht_id target_of(uint32_t number)
{
    struct dht_id target = {{1, 2, 3, 4}};
    memcpy(target.bytes + 16, &number, sizeof number);
    return target;
}

static uint32_t sweep_all(struct core_row_set *set)
{
    struct core_row_entry gone;
    uint32_t cursor = 0;
    uint32_t count = 0;
    while (core_row_set_sweep(set, &cursor, &gone))
        count++;
    return count;
}

static void test_what_is_not_marked_goes(void **state)
{
    struct core_row_set set = {0};
    (void)state;
    assert_int_equal(sweep_all(&set), 0);
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_id target = target_of(i);
        assert_true(core_row_set_add(&set, 2, 4, &target));
        assert_true(core_row_set_add(&set, 2, 6, &target));
        assert_true(core_row_set_add(&set, 2, 4, &target));
    }
    assert_int_equal(set.count, 200);
    assert_int_equal(sweep_all(&set), 0); // they were all marked when they were added
    for (uint32_t i = 0; i < 100; i += 4) {
        struct dht_id target = target_of(i);
        core_row_set_mark(&set, 2, 6, &target);
    }
    struct dht_id unknown = target_of(1000);
    core_row_set_mark(&set, 2, 4, &unknown);
    assert_int_equal(sweep_all(&set), 175);
    assert_int_equal(set.count, 25);
    for (uint32_t i = 0; i < set.count; i++)
        assert_int_equal(set.entries[i].family, 6);
    dht_index_check(&set.index);
    assert_int_equal(sweep_all(&set), 25);
    assert_int_equal(set.index.count, 0);
    core_row_set_fini(&set);
}

// What is of one cloud is nothing to another.
static void test_clouds(void **state)
{
    struct core_row_set set = {0};
    struct core_row_entry gone;
    uint32_t cursor = 0;
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_id target = target_of(i);
        assert_true(core_row_set_add(&set, 0, 4, &target));
        assert_true(core_row_set_add(&set, 1, 4, &target));
    }
    assert_int_equal(sweep_all(&set), 0);
    for (uint32_t i = 0; i < 100; i++) {
        struct dht_id target = target_of(i);
        core_row_set_mark(&set, i == 50 ? 0 : 1, 4, &target);
    }
    core_row_set_drop(&set, 0);
    assert_int_equal(set.count, 100);
    dht_index_check(&set.index);
    assert_true(core_row_set_sweep(&set, &cursor, &gone));
    struct dht_id unmarked = target_of(50);
    assert_memory_equal(gone.target.bytes, unmarked.bytes, DHT_ID_LEN);
    assert_int_equal(gone.cloud, 1);
    assert_false(core_row_set_sweep(&set, &cursor, &gone));
    core_row_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_marked_goes),
        cmocka_unit_test(test_clouds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
