// SPDX-License-Identifier: MIT
#include "tests/nsp/failing_memory.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

static void test_blocks(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 15, 4096};
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        uint8_t *block = nsp_memory_take(&nsp_memory_default, lens[i]);
        assert_non_null(block);
        for (size_t at = 0; at < lens[i]; at++) {
            assert_int_equal(block[at], 0);
        }
        nsp_memory_give(&nsp_memory_default, block);
    }
    nsp_memory_give(&nsp_memory_default, NULL);
}

static void test_zero_over_old(void **state)
{
    (void)state;
    // What the allocator hands out again is full of what was there.
    void *block = malloc(64);
    assert_non_null(block);
    memset(block, 0xee, 64);
    free(block);
    uint8_t *taken = nsp_memory_take(&nsp_memory_default, 64);
    assert_non_null(taken);
    for (size_t at = 0; at < 64; at++) {
        assert_int_equal(taken[at], 0);
    }
    nsp_memory_give(&nsp_memory_default, taken);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t fail_at = 0; fail_at <= 4; fail_at++) {
        struct failing_memory memory;
        void *blocks[3];
        failing_memory_init(&memory, fail_at);
        for (size_t i = 0; i < 3; i++) {
            blocks[i] = nsp_memory_take(&memory.memory, 8);
            assert_int_equal(blocks[i] == NULL, i + 1 == fail_at);
        }
        assert_int_equal(failing_memory_failed(&memory), fail_at >= 1 && fail_at <= 3);
        assert_int_equal(failing_memory_live(&memory), failing_memory_failed(&memory) ? 2 : 3);
        for (size_t i = 0; i < 3; i++) {
            nsp_memory_give(&memory.memory, blocks[i]);
        }
        assert_int_equal(failing_memory_live(&memory), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_zero_over_old),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
