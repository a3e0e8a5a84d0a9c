// SPDX-License-Identifier: MIT
#include "node/core/seqlog.h"

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

static void test_never_goes_back(void **state)
{
    struct core_seqlog log = {0};
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct dht_id target = target_of(i);
        assert_int_equal(core_seqlog_last(&log, &target), DHT_SEQ_NONE);
        assert_true(core_seqlog_note(&log, &target, 100 + i));
        assert_true(core_seqlog_note(&log, &target, 50));
        assert_true(core_seqlog_note(&log, &target, 0));
    }
    for (uint32_t i = 0; i < 200; i++) {
        struct dht_id target = target_of(i);
        assert_int_equal(core_seqlog_last(&log, &target), 100 + i);
        assert_true(core_seqlog_note(&log, &target, 1000 + i));
        assert_int_equal(core_seqlog_last(&log, &target), 1000 + i);
    }
    assert_int_equal(log.count, 200);
    dht_index_check(&log.index);
    core_seqlog_fini(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
