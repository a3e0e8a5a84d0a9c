// SPDX-License-Identifier: MIT
#include "dht/watcher.h"

#include "tests/core/crypto_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/dht/failing_malloc.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct dht_siphash_key key = {1, 2};

// Address number n, each in a /24 of its own.
static struct dht_addr addr_of(uint32_t number)
{
    return (struct dht_addr){
        .ip = {(uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number, 1},
        .port = 6881,
        .ip_len = 4};
}

static struct dht_id target_of(uint32_t number)
{
    struct dht_id id = {{(uint8_t)number, (uint8_t)(number >> 8)}};
    return id;
}

struct fixture {
    struct dht_watcher_table *table;
    struct dht_timer_heap heap;
};

static struct fixture begin(uint32_t watchers_max, uint32_t per_target_max, uint32_t per_source_max)
{
    struct dht_watcher_limits limits = {watchers_max, per_target_max, per_source_max};
    struct fixture fixture = {.table = dht_watcher_table_new(&limits, &key)};
    assert_non_null(fixture.table);
    return fixture;
}

static void end(struct fixture *fixture)
{
    dht_watcher_check(fixture->table);
    dht_watcher_table_free(fixture->table);
    dht_timer_heap_fini(&fixture->heap);
}

static struct dht_watcher *add(struct fixture *fixture, const struct dht_addr *addr,
                               uint32_t target, bool peers)
{
    struct dht_id id = target_of(target);
    struct dht_watcher *watcher = dht_watcher_add(fixture->table, &fixture->heap, addr, &id, peers);
    if (watcher != NULL)
        dht_timer_set(&fixture->heap, &watcher->timer, 1000);
    return watcher;
}

static void drop(struct fixture *fixture, struct dht_watcher *watcher)
{
    dht_watcher_remove(fixture->table, &fixture->heap, watcher);
}

// Each bound refuses the one too many, and takes another once there is room again.
static void test_bounds(void **state)
{
    static const struct row {
        const char *name;
        uint32_t watchers_max, per_target_max, per_source_max;
        bool one_target, one_source;
        uint32_t most;
    } rows[] = {
        {"in all", 10, 100, 100, false, false, 10},
        {"of a target", 100, 7, 100, true, false, 7},
        {"of a source", 100, 100, 5, false, true, 5},
        {"of a source, no such limit", 20, 100, 0, false, true, 20},
        {"none at all", 0, 100, 100, false, false, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct fixture fixture = begin(row->watchers_max, row->per_target_max, row->per_source_max);
        struct dht_watcher *first = NULL;
        for (uint32_t n = 0; n < 30; n++) {
            struct dht_addr addr = addr_of(row->one_source ? 1 : n);
            addr.port = (uint16_t)(6881 + n);
            struct dht_watcher *watcher = add(&fixture, &addr, row->one_target ? 0 : n, false);
            if ((watcher != NULL) != (n < row->most))
                fail_msg("%s: number %u", row->name, n);
            first = first == NULL ? watcher : first;
        }
        dht_watcher_check(fixture.table);
        if (first != NULL) {
            struct dht_addr addr = addr_of(row->one_source ? 1 : 40);
            addr.port = 9999;
            drop(&fixture, first);
            assert_non_null(add(&fixture, &addr, row->one_target ? 0 : 40, false));
            assert_null(add(&fixture, &addr, row->one_target ? 0 : 41, false));
        }
        end(&fixture);
    }
}

// A watcher is told apart by address, port, target and kind.
static void test_who_is_who(void **state)
{
    static const struct row {
        const char *name;
        uint32_t address;
        uint16_t port;
        uint32_t target;
        bool peers, found;
    } rows[] = {
        {"itself", 1, 6881, 1, false, true},        {"another host", 2, 6881, 1, false, false},
        {"another port", 1, 6882, 1, false, false}, {"another target", 1, 6881, 2, false, false},
        {"another kind", 1, 6881, 1, true, false},
    };
    (void)state;
    struct fixture fixture = begin(10, 10, 10);
    struct dht_addr home = addr_of(1);
    struct dht_watcher *watcher = add(&fixture, &home, 1, false);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dht_addr addr = addr_of(rows[i].address);
        struct dht_id target = target_of(rows[i].target);
        addr.port = rows[i].port;
        struct dht_watcher *found = dht_watcher_find(fixture.table, &addr, &target, rows[i].peers);
        if (found != (rows[i].found ? watcher : NULL))
            fail_msg("%s", rows[i].name);
    }
    end(&fixture);
}

// Who waits is served in order; who goes leaves the queue.
static void test_waiting(void **state)
{
    struct fixture fixture = begin(10, 10, 0);
    struct dht_watcher *watchers[5];
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        struct dht_addr addr = addr_of(i);
        watchers[i] = add(&fixture, &addr, 1, false);
        dht_watcher_wait(fixture.table, watchers[i]);
    }
    dht_watcher_wait(fixture.table, watchers[0]); // stays the first
    drop(&fixture, watchers[2]);
    dht_watcher_stop_waiting(fixture.table, watchers[4]);
    dht_watcher_check(fixture.table);
    assert_ptr_equal(dht_watcher_next_waiting(fixture.table), watchers[0]);
    assert_ptr_equal(dht_watcher_next_waiting(fixture.table), watchers[1]);
    assert_ptr_equal(dht_watcher_next_waiting(fixture.table), watchers[3]);
    assert_null(dht_watcher_next_waiting(fixture.table));
    end(&fixture);
}

static void test_announced(void **state)
{
    struct fixture fixture = begin(10, 10, 0);
    struct dht_addr home = addr_of(1);
    struct dht_id target = target_of(1);
    (void)state;
    add(&fixture, &home, 1, true);
    struct dht_watched *watched = dht_watcher_target(fixture.table, &target, true);
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t compact[6] = {i};
        dht_watcher_announce(watched, compact, sizeof compact);
    }
    assert_int_equal(watched->announced, 20);
    // The last 16, number n at n % 16.
    assert_int_equal(watched->recent[0], 16);
    assert_int_equal(watched->recent[3 * 6], 19);
    assert_int_equal(watched->recent[4 * 6], 4);
    // Who comes now is told of what comes from now on.
    struct dht_addr other = addr_of(2);
    assert_int_equal(add(&fixture, &other, 1, true)->told_peers, 20);
    end(&fixture);
}

static void test_no_memory(void **state)
{
    struct fixture fixture = begin(100, 100, 100);
    uint32_t added = 0;
    (void)state;
    for (uint32_t n = 0; n < 40; n++) {
        struct dht_addr addr = addr_of(n);
        struct dht_id target = target_of(n);
        for (long left = 0;; left++) {
            failing_malloc_left = left;
            struct dht_watcher *watcher =
                dht_watcher_add(fixture.table, &fixture.heap, &addr, &target, false);
            failing_malloc_left = -1;
            dht_watcher_check(fixture.table);
            assert_int_equal(fixture.table->watchers.count, added + (watcher != NULL));
            if (watcher == NULL)
                continue;
            dht_timer_set(&fixture.heap, &watcher->timer, 1000);
            added++;
            break;
        }
    }
    end(&fixture);
}

// Comes and goes at random, and the tables agree all the while; in the end nothing is left.
static void test_at_random(void **state)
{
    struct fixture fixture = begin(200, 40, 20);
    uint32_t random = 12345;
    (void)state;
    for (uint32_t step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t draw = random >> 8;
        struct dht_addr addr = addr_of(draw % 23);
        struct dht_id target = target_of(draw / 23 % 7);
        addr.port = (uint16_t)(1 + draw / 161 % 11);
        bool peers = draw / 1771 % 2;
        struct dht_watcher *watcher = dht_watcher_find(fixture.table, &addr, &target, peers);
        if (watcher == NULL)
            add(&fixture, &addr, draw / 23 % 7, peers);
        else if (draw / 3542 % 3 == 0)
            dht_watcher_wait(fixture.table, watcher);
        else
            drop(&fixture, watcher);
        if (step % 500 == 0)
            dht_watcher_check(fixture.table);
    }
    assert_in_range(fixture.table->watchers.count, 50, 200);
    for (uint32_t slot = 0; slot < fixture.table->watchers.capacity; slot++)
        if (dht_watcher_at(fixture.table, slot) != NULL)
            drop(&fixture, dht_watcher_at(fixture.table, slot));
    assert_int_equal(fixture.table->watchers.count + fixture.table->targets.count, 0);
    assert_int_equal(fixture.heap.count, 0);
    assert_int_equal(fixture.table->prefixes.count, 0);
    end(&fixture);
}

// What the header promises of memory.
static void test_memory(void **state)
{
    struct fixture fixture = begin(4096, 1024, 0);
    (void)state;
    for (uint32_t n = 0; n < 4096; n++) {
        struct dht_addr addr = addr_of(n);
        assert_non_null(add(&fixture, &addr, n % 64, false));
    }
    assert_in_range(dht_watcher_bytes(fixture.table) / 4096, 150, 240);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),    cmocka_unit_test(test_who_is_who),
        cmocka_unit_test(test_waiting),   cmocka_unit_test(test_announced),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_at_random),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
