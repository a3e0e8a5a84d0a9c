// SPDX-License-Identifier: MIT
// The queue of outputs: order, bounds, copies, forgetting, and events taken before datagrams;
// against a plain list.
#include "dht/outbox.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/failing_malloc.h"

// cmocka.h wants these first.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// and then itself
#include <cmocka.h>

static bool put_datagram(struct dht_outbox *outbox, size_t len, uint8_t fill, uint32_t op)
{
    struct dht_addr to = {.ip = {1, 2, 3, 4}, .ip_len = 4, .port = fill};
    uint8_t *at = dht_outbox_open(outbox);
    if (at == NULL)
        return false;
    memset(at, fill, len);
    dht_outbox_commit(outbox, &to, len, op);
    return true;
}

static bool put_done(struct dht_outbox *outbox, uint32_t op, uint32_t mark)
{
    struct dht_out event = {.type = DHT_OUT_DONE, .op = op, .done.tally.asked = mark};
    return dht_outbox_event(outbox, &event);
}

static void test_order(void **state)
{
    struct dht_outbox outbox;
    struct dht_out out;
    (void)state;
    dht_outbox_init(&outbox, 65536, 4096);
    assert_false(dht_outbox_next(&outbox, &out));
    assert_true(put_datagram(&outbox, 10, 'a', 0));
    assert_true(put_done(&outbox, 5, 9));
    assert_true(put_datagram(&outbox, 0, 'b', 0));
    assert_true(dht_outbox_next(&outbox, &out));
    assert_int_equal(out.type, DHT_OUT_DATAGRAM);
    assert_int_equal(out.datagram.bytes.len, 10);
    assert_int_equal(out.datagram.bytes.data[9], 'a');
    assert_int_equal(out.datagram.addr.port, 'a');
    assert_true(dht_outbox_next(&outbox, &out));
    assert_int_equal(out.type, DHT_OUT_DONE);
    assert_int_equal(out.op, 5);
    assert_int_equal(out.done.tally.asked, 9);
    assert_true(dht_outbox_next(&outbox, &out));
    assert_int_equal(out.datagram.bytes.len, 0);
    assert_false(dht_outbox_next(&outbox, &out));
    dht_outbox_fini(&outbox);
}

// What an event points to is copied.
static void test_copies(void **state)
{
    struct dht_outbox outbox;
    struct dht_out out;
    uint8_t salt[4] = "web";
    uint8_t value[6] = "4:abcd";
    struct dht_addr peers[3] = {{.ip_len = 4, .port = 1}, {.ip_len = 4, .port = 2}, {.port = 3}};
    (void)state;
    dht_outbox_init(&outbox, 65536, 4096);
    struct dht_out item = {.type = DHT_OUT_ITEM, .op = 1};
    item.found.item.salt = (struct dht_span){salt, 3};
    item.found.item.value = (struct dht_span){value, 6};
    item.found.item.seq = 77;
    assert_true(dht_outbox_event(&outbox, &item));
    struct dht_out told = {.type = DHT_OUT_PEERS, .op = 1, .peers = {.addrs = peers, .count = 3}};
    assert_true(dht_outbox_event(&outbox, &told));
    memset(salt, 0, sizeof salt);
    memset(value, 0, sizeof value);
    memset(peers, 0, sizeof peers);
    assert_true(dht_outbox_next(&outbox, &out));
    assert_int_equal(out.found.item.seq, 77);
    assert_memory_equal(out.found.item.salt.data, "web", 3);
    assert_memory_equal(out.found.item.value.data, "4:abcd", 6);
    struct dht_out second;
    assert_true(dht_outbox_next(&outbox, &second));
    assert_int_equal(second.peers.count, 3);
    assert_int_equal(second.peers.addrs[2].port, 3);
    // The first is still good.
    assert_memory_equal(out.found.item.value.data, "4:abcd", 6);
    dht_outbox_fini(&outbox);
}

static void test_bounds(void **state)
{
    struct dht_outbox outbox;
    struct dht_out out;
    size_t count = 0;
    (void)state;
    dht_outbox_init(&outbox, 8192, 0);
    while (put_datagram(&outbox, 100, 'x', 0))
        count++;
    assert_true(count > 10);
    assert_true(outbox.capacity <= 8192);
    size_t events = 0;
    while (put_done(&outbox, 1, 0))
        events++;
    assert_true(events > 0);
    while (dht_outbox_next(&outbox, &out))
        count--;
    assert_true(count == (size_t)0 - events);
    // keep 0: an empty queue costs nothing.
    dht_outbox_reclaim(&outbox);
    assert_null(outbox.bytes);
    assert_true(put_datagram(&outbox, 100, 'x', 0));
    dht_outbox_fini(&outbox);
}

static void test_no_memory(void **state)
{
    struct dht_outbox outbox;
    (void)state;
    dht_outbox_init(&outbox, 65536, 0);
    failing_malloc_left = 0;
    assert_false(put_datagram(&outbox, 1, 'x', 0));
    assert_false(put_done(&outbox, 1, 0));
    failing_malloc_left = -1;
    assert_true(put_done(&outbox, 1, 0));
    dht_outbox_fini(&outbox);
}

static void test_forget(void **state)
{
    struct dht_outbox outbox;
    struct dht_out out;
    (void)state;
    dht_outbox_init(&outbox, 65536, 4096);
    put_datagram(&outbox, 1, 'a', 1);
    put_done(&outbox, 1, 0);
    put_datagram(&outbox, 1, 'b', 2);
    put_datagram(&outbox, 1, 'c', 1);
    dht_outbox_forget(&outbox, 1);
    dht_outbox_forget(&outbox, 1);
    assert_false(dht_outbox_next_event(&outbox, &out));
    assert_true(dht_outbox_next(&outbox, &out));
    assert_int_equal(out.datagram.bytes.data[0], 'b');
    assert_false(dht_outbox_next(&outbox, &out));
    dht_outbox_fini(&outbox);
}

// ---- against a list ----

#define LIST 400

struct listed {
    bool is_event;
    uint32_t op;
    uint32_t mark;
};

struct list {
    struct listed entries[LIST];
    size_t count;
};

static void take(struct list *list, size_t index)
{
    memmove(list->entries + index, list->entries + index + 1,
            (list->count - index - 1) * sizeof list->entries[0]);
    list->count--;
}

static void expect(const struct dht_out *out, struct list *list, size_t index)
{
    assert_true(index < list->count);
    const struct listed *entry = &list->entries[index];
    if (entry->is_event) {
        assert_int_equal(out->type, DHT_OUT_DONE);
        assert_int_equal(out->done.tally.asked, entry->mark);
    } else {
        assert_int_equal(out->type, DHT_OUT_DATAGRAM);
        assert_int_equal(out->datagram.bytes.data[0], entry->mark);
    }
    assert_int_equal(out->op, entry->op);
    take(list, index);
}

static void add(struct dht_outbox *outbox, struct list *list, uint64_t *random)
{
    struct listed entry = {.is_event = helper_below(random, 2) == 0,
                           .op = helper_below(random, 4),
                           .mark = helper_below(random, 256)};
    if (list->count == LIST)
        return;
    bool added = entry.is_event ? put_done(outbox, entry.op, entry.mark)
                                : put_datagram(outbox, helper_below(random, 300) + 1,
                                               (uint8_t)entry.mark, entry.op);
    if (added)
        list->entries[list->count++] = entry;
}

static void take_next(struct dht_outbox *outbox, struct list *list, bool event)
{
    struct dht_out out;
    size_t index = 0;
    while (event && index < list->count && !list->entries[index].is_event)
        index++;
    bool taken = event ? dht_outbox_next_event(outbox, &out) : dht_outbox_next(outbox, &out);
    assert_int_equal(taken, index < list->count);
    if (taken)
        expect(&out, list, index);
}

static void forget(struct dht_outbox *outbox, struct list *list, uint32_t op)
{
    dht_outbox_forget(outbox, op);
    for (size_t i = list->count; i-- > 0;)
        if (list->entries[i].op == op)
            take(list, i);
}

static void test_against_a_list(void **state)
{
    static struct list list;
    struct dht_outbox outbox;
    uint64_t random = 3;
    (void)state;
    dht_outbox_init(&outbox, 32768, 4096);
    for (int step = 0; step < 100000; step++) {
        // Now it fills, now it empties.
        uint32_t what = helper_below(&random, step / 1000 % 2 == 0 ? 12 : 30);
        if (what < 8)
            add(&outbox, &list, &random);
        else if (what == 8)
            dht_outbox_reclaim(&outbox);
        else if (what == 9)
            forget(&outbox, &list, helper_below(&random, 40));
        else
            take_next(&outbox, &list, what % 2 == 0);
        assert_true(outbox.capacity <= 32768);
    }
    while (list.count > 0)
        take_next(&outbox, &list, false);
    dht_outbox_fini(&outbox);
}

// What waits stays; once it was taken, the memory goes, and the next entry gets its own.
static void test_rest(void **state)
{
    struct dht_outbox outbox;
    struct dht_out out;
    (void)state;
    dht_outbox_init(&outbox, 65536, 4096);
    for (int round = 0; round < 3; round++) {
        assert_true(put_datagram(&outbox, 100, 'x', 0));
        dht_outbox_rest(&outbox);
        assert_true(dht_outbox_next(&outbox, &out));
        assert_int_equal(out.datagram.bytes.data[99], 'x');
        dht_outbox_rest(&outbox);
        assert_null(outbox.bytes);
        assert_false(dht_outbox_next(&outbox, &out));
        assert_false(dht_outbox_next_event(&outbox, &out));
        dht_outbox_reclaim(&outbox);
    }
    dht_outbox_fini(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),  cmocka_unit_test(test_copies),
        cmocka_unit_test(test_bounds), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_forget), cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
