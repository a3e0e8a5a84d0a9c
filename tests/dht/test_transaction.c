// SPDX-License-Identifier: MIT
// Outstanding queries: ids, chains, bounds; against a plain list.
#include "dht/transaction.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

struct fixture {
    struct dht_transaction_table table;
    struct dht_timer_heap heap;
    struct dht_random random;
};

static void start(struct fixture *fixture, uint32_t slots_max)
{
    static const uint8_t seed[32] = {4};
    fixture->heap = (struct dht_timer_heap){0};
    dht_transaction_table_init(&fixture->table, slots_max);
    dht_random_init(&fixture->random, seed);
}

static void stop(struct fixture *fixture)
{
    dht_transaction_table_fini(&fixture->table);
    dht_timer_heap_fini(&fixture->heap);
}

static struct dht_transaction *open_one(struct fixture *fixture)
{
    return dht_transaction_open(&fixture->table, &fixture->heap, &fixture->random);
}

static struct dht_transaction *find(const struct fixture *fixture, uint32_t tid)
{
    uint8_t bytes[4];
    memcpy(bytes, &tid, sizeof bytes);
    return dht_transaction_find(&fixture->table, (struct dht_span){bytes, sizeof bytes});
}

static void test_bound(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, 32);
    for (int i = 0; i < 32; i++)
        assert_non_null(open_one(&fixture));
    assert_null(open_one(&fixture));
    assert_int_equal(fixture.table.count, 32);
    uint32_t cursor = 0;
    dht_transaction_close(&fixture.table, &fixture.heap,
                          dht_transaction_walk(&fixture.table, &cursor));
    assert_non_null(open_one(&fixture));
    assert_null(open_one(&fixture));
    stop(&fixture);
}

// A transaction id has exactly 4 bytes (quirk Q1).
static void test_tid_length(void **state)
{
    struct fixture fixture;
    uint8_t bytes[8] = {0};
    (void)state;
    start(&fixture, 32);
    assert_null(find(&fixture, 0));
    struct dht_transaction *transaction = open_one(&fixture);
    memcpy(bytes, &transaction->tid, 4);
    for (size_t len = 0; len <= 8; len++) {
        struct dht_transaction *found =
            dht_transaction_find(&fixture.table, (struct dht_span){bytes, len});
        assert_ptr_equal(found, len == 4 ? transaction : NULL);
    }
    stop(&fixture);
}

static void test_no_memory(void **state)
{
    struct fixture fixture;
    (void)state;
    // Each allocation fails once; the table stays good for what follows.
    for (long failing = 0; failing < 12; failing++) {
        start(&fixture, 256);
        int opened = 0;
        failing_malloc_left = failing;
        for (int i = 0; i < 100; i++)
            opened += open_one(&fixture) != NULL;
        failing_malloc_left = -1;
        assert_int_equal(fixture.table.count, opened);
        for (int i = opened; i < 256; i++)
            assert_non_null(open_one(&fixture));
        assert_null(open_one(&fixture));
        stop(&fixture);
    }
}

#define OPEN_MAX 200

static void test_against_a_list(void **state)
{
    struct fixture fixture;
    struct dht_transaction *listed[OPEN_MAX];
    uint32_t tids[OPEN_MAX];
    uint32_t count = 0;
    uint64_t random = 8;
    (void)state;
    start(&fixture, 1024);
    for (int step = 0; step < 20000; step++) {
        if (count < OPEN_MAX && helper_below(&random, 2) == 0) {
            listed[count] = open_one(&fixture);
            assert_non_null(listed[count]);
            assert_int_equal(listed[count]->state, DHT_TRANSACTION_WAITING);
            dht_timer_set(&fixture.heap, &listed[count]->timer, step);
            tids[count] = listed[count]->tid;
            count++;
        } else if (count > 0) {
            uint32_t index = helper_below(&random, count);
            dht_transaction_close(&fixture.table, &fixture.heap, listed[index]);
            assert_null(find(&fixture, tids[index]));
            count--;
            listed[index] = listed[count];
            tids[index] = tids[count];
        }
        assert_int_equal(fixture.table.count, count);
        assert_int_equal(fixture.heap.count, count);
        if (count == 0)
            continue;
        uint32_t index = helper_below(&random, count);
        assert_ptr_equal(find(&fixture, tids[index]), listed[index]);
    }
    // A walk shows each once, also where it closes what it is shown.
    uint32_t cursor = 0;
    uint32_t walked = 0;
    struct dht_transaction *transaction;
    while ((transaction = dht_transaction_walk(&fixture.table, &cursor)) != NULL) {
        walked++;
        dht_transaction_close(&fixture.table, &fixture.heap, transaction);
    }
    assert_int_equal(walked, count);
    assert_int_equal(fixture.table.count, 0);
    assert_int_equal(fixture.heap.count, 0);
    stop(&fixture);
}

// Only where none is outstanding does the memory go.
static void test_rest(void **state)
{
    struct fixture fixture;
    (void)state;
    start(&fixture, 16);
    for (int round = 0; round < 3; round++) {
        struct dht_transaction *transaction = open_one(&fixture);
        uint32_t tid = transaction->tid;
        dht_transaction_rest(&fixture.table);
        assert_ptr_equal(find(&fixture, tid), transaction);
        dht_transaction_close(&fixture.table, &fixture.heap, transaction);
        dht_transaction_rest(&fixture.table);
        assert_null(fixture.table.chunks);
        assert_null(find(&fixture, tid));
    }
    for (int i = 0; i < 16; i++)
        assert_non_null(open_one(&fixture));
    assert_null(open_one(&fixture));
    stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bound),     cmocka_unit_test(test_tid_length),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
