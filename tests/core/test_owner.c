// SPDX-License-Identifier: MIT
#include "node/core/owner.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static void test_who_waits(void **state)
{
    struct core_owner_table table = {0};
    int objects[300];
    (void)state;
    assert_int_equal(core_owner_find(&table, 0, 1).kind, CORE_OWNER_NONE);
    core_owner_clear(&table, 0, 1);
    for (uint32_t i = 0; i < 300; i++)
        assert_true(
            core_owner_set(&table, (int)(i % 2), 1 + i / 2, CORE_OWNER_RESOLVE, &objects[i]));
    for (uint32_t i = 0; i < 300; i++)
        assert_ptr_equal(core_owner_find(&table, (int)(i % 2), 1 + i / 2).object, &objects[i]);
    // The same operation again has another owner, and takes no room.
    assert_true(core_owner_set(&table, 1, 7, CORE_OWNER_REQUEST, &objects[0]));
    assert_int_equal(core_owner_find(&table, 1, 7).kind, CORE_OWNER_REQUEST);
    assert_int_equal(table.count, 300);
    for (uint32_t i = 0; i < 300; i += 3)
        core_owner_clear(&table, (int)(i % 2), 1 + i / 2);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(core_owner_find(&table, (int)(i % 2), 1 + i / 2).kind == CORE_OWNER_NONE,
                         i % 3 == 0);
    // Slots are used again.
    for (uint32_t i = 0; i < 100; i++)
        assert_true(core_owner_set(&table, 0, 1000 + i, CORE_OWNER_PUBLICATION, &objects[i]));
    assert_int_equal(table.count, 300);
    dht_index_check(&table.index);
    core_owner_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
