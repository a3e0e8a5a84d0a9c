// SPDX-License-Identifier: MIT
// Operations: ids that go stale, bounds, copies of items, and the peers that were told.
#include "dht/op.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

#include <stdlib.h>

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static void test_ids(void **state)
{
    struct dht_op_table table;
    uint32_t last = 0;
    (void)state;
    dht_op_table_init(&table, 3);
    assert_null(dht_op_find(&table, 0));
    assert_null(dht_op_find(&table, 1));
    // One slot used again and again: each id is new for a long while, and the old ones are stale.
    for (int i = 0; i < 70000; i++) {
        struct dht_op *op = dht_op_open(&table, DHT_OP_GET);
        assert_int_not_equal(op->id, 0);
        assert_int_not_equal(op->id, last);
        assert_ptr_equal(dht_op_find(&table, op->id), op);
        assert_null(dht_op_find(&table, last));
        last = op->id;
        dht_op_close(&table, op);
        assert_null(dht_op_find(&table, last));
    }
    assert_int_equal(table.count, 0);
    dht_op_table_fini(&table);
}

static void test_bound(void **state)
{
    struct dht_op_table table;
    struct dht_op *ops[5];
    (void)state;
    dht_op_table_init(&table, 5);
    for (int i = 0; i < 5; i++) {
        ops[i] = dht_op_open(&table, DHT_OP_PING);
        assert_non_null(ops[i]);
        assert_int_equal(ops[i]->seq_known, DHT_SEQ_NONE);
        assert_int_equal(ops[i]->cas, DHT_SEQ_NONE);
    }
    assert_null(dht_op_open(&table, DHT_OP_PING));
    dht_op_close(&table, ops[2]);
    ops[2] = dht_op_open(&table, DHT_OP_GET);
    assert_non_null(ops[2]);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(dht_op_find(&table, ops[i]->id), ops[i]);
    dht_op_table_fini(&table);
}

static void test_no_memory(void **state)
{
    (void)state;
    for (long failing = 0; failing < 6; failing++) {
        struct dht_op_table table;
        dht_op_table_init(&table, 9);
        failing_malloc_left = failing;
        uint32_t opened = 0;
        for (int i = 0; i < 9; i++)
            opened += dht_op_open(&table, DHT_OP_GET) != NULL;
        failing_malloc_left = -1;
        assert_int_equal(table.count, opened);
        for (; opened < 9; opened++)
            assert_non_null(dht_op_open(&table, DHT_OP_GET));
        assert_null(dht_op_open(&table, DHT_OP_GET));
        dht_op_table_fini(&table);
    }
}

static void test_copy_item(void **state)
{
    uint8_t salt[3] = "web";
    uint8_t value[5] = "3:one";
    struct dht_item item = {
        .is_mutable = true, .seq = 9, .salt = {salt, sizeof salt}, .value = {value, sizeof value}};
    (void)state;
    struct dht_op_item *copy = dht_op_copy_item(&item);
    memset(salt, 0, sizeof salt);
    memset(value, 0, sizeof value);
    assert_int_equal(copy->item.seq, 9);
    assert_memory_equal(copy->item.salt.data, "web", 3);
    assert_memory_equal(copy->item.value.data, "3:one", 5);
    free(copy);
    item.salt = (struct dht_span){0};
    item.value = (struct dht_span){0};
    copy = dht_op_copy_item(&item);
    assert_int_equal(copy->item.value.len, 0);
    free(copy);
    failing_malloc_left = 0;
    assert_null(dht_op_copy_item(&item));
    failing_malloc_left = -1;
}

static void test_peers(void **state)
{
    struct dht_op_table table;
    (void)state;
    dht_op_table_init(&table, 1);
    struct dht_op *op = dht_op_open(&table, DHT_OP_GET_PEERS);
    struct dht_addr peer = {.ip_len = 4, .port = 7};
    failing_malloc_left = 0;
    assert_false(dht_op_note_peer(op, &peer));
    failing_malloc_left = -1;
    for (uint32_t i = 0; i < DHT_OP_PEERS_MAX + 100; i++) {
        memcpy(peer.ip, &i, sizeof i);
        assert_int_equal(dht_op_note_peer(op, &peer), i < DHT_OP_PEERS_MAX);
    }
    for (uint32_t i = 0; i < DHT_OP_PEERS_MAX; i += 7) {
        memcpy(peer.ip, &i, sizeof i);
        assert_false(dht_op_note_peer(op, &peer));
    }
    assert_int_equal(op->peer_count, DHT_OP_PEERS_MAX);
    dht_op_table_fini(&table);
}

// The slots may go where none is under way; an id from before finds nothing all the same.
static void test_rest(void **state)
{
    struct dht_op_table table;
    (void)state;
    dht_op_table_init(&table, 8);
    struct dht_op *op = dht_op_open(&table, DHT_OP_GET);
    uint32_t id = op->id;
    dht_op_rest(&table);
    assert_ptr_equal(dht_op_find(&table, id), op);
    dht_op_close(&table, op);
    dht_op_rest(&table);
    assert_null(table.slots);
    assert_null(dht_op_find(&table, id));
    op = dht_op_open(&table, DHT_OP_GET);
    assert_int_not_equal(op->id, id);
    assert_null(dht_op_find(&table, id));
    dht_op_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),       cmocka_unit_test(test_bound),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_copy_item),
        cmocka_unit_test(test_peers),     cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
