// SPDX-License-Identifier: MIT
#include "nsp/handle.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

struct object {
    atomic_uint destroyed;
};

static void destroy(void *object)
{
    (void)atomic_fetch_add(&((struct object *)object)->destroyed, 1);
}

static struct nsp_handle_table *new_table(void)
{
    static const struct nsp_handle_table empty = NSP_HANDLE_TABLE_INIT;
    struct nsp_handle_table *table = malloc(sizeof *table);
    assert_non_null(table);
    *table = empty;
    return table;
}

static HANDLE open_one(struct nsp_handle_table *table, struct object *object)
{
    HANDLE handle;
    assert_int_equal(nsp_handle_open(table, object, destroy, &handle), NO_ERROR);
    assert_non_null(handle);
    assert_ptr_not_equal(handle, INVALID_HANDLE_VALUE);
    return handle;
}

static void close_one(struct nsp_handle_table *table, HANDLE handle)
{
    void *object;
    assert_int_equal(nsp_handle_close(table, handle, &object), NO_ERROR);
    nsp_handle_drop(table, handle);
}

static void test_life(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    struct object object = {0};
    void *found = NULL, *closed = NULL;
    HANDLE handle = open_one(table, &object);
    assert_int_equal(nsp_handle_count(table), 1);

    assert_int_equal(nsp_handle_take(table, handle, &found), NO_ERROR);
    assert_ptr_equal(found, &object);
    nsp_handle_drop(table, handle);
    assert_int_equal(object.destroyed, 0);

    assert_int_equal(nsp_handle_close(table, handle, &closed), NO_ERROR);
    assert_ptr_equal(closed, &object);
    assert_int_equal(object.destroyed, 0);
    nsp_handle_drop(table, handle);
    assert_int_equal(object.destroyed, 1);
    assert_int_equal(nsp_handle_count(table), 0);
    free(table);
}

static void test_closed_while_taken(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    struct object object = {0};
    void *found = NULL;
    HANDLE handle = open_one(table, &object);
    assert_int_equal(nsp_handle_take(table, handle, &found), NO_ERROR);
    assert_int_equal(nsp_handle_take(table, handle, &found), NO_ERROR);
    close_one(table, handle);

    // Closed for everybody, but there for those who had it.
    found = NULL;
    assert_int_equal(nsp_handle_take(table, handle, &found), WSA_INVALID_HANDLE);
    assert_int_equal(nsp_handle_close(table, handle, &found), WSA_INVALID_HANDLE);
    assert_null(found);
    nsp_handle_drop(table, handle);
    assert_int_equal(object.destroyed, 0);
    assert_int_equal(nsp_handle_count(table), 1);
    nsp_handle_drop(table, handle);
    assert_int_equal(object.destroyed, 1);
    assert_int_equal(nsp_handle_count(table), 0);
    free(table);
}

// Values that are no handle, next to one that is.
static void test_no_handle(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    struct object object = {0};
    uintptr_t open = (uintptr_t)open_one(table, &object);
    HANDLE stale = open_one(table, &object);
    close_one(table, stale);
    const struct {
        const char *name;
        uintptr_t value;
    } rows[] = {
        {"NULL", 0},
        {"INVALID_HANDLE_VALUE", (uintptr_t)INVALID_HANDLE_VALUE},
        {"minus one in 32 bits", UINT32_MAX},
        {"closed", (uintptr_t)stale},
        {"another use", open + NSP_HANDLES},
        {"no use", open % NSP_HANDLES},
        {"a place never used", open + 2},
        {"the last place", open | (NSP_HANDLES - 1)},
        {"an address", (uintptr_t)&object},
        {"more than 32 bits", sizeof open == 8 ? open | (uintptr_t)1 << (sizeof open * 8 - 1) : 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        void *found = NULL;
        HANDLE handle = (HANDLE)rows[i].value;
        if (nsp_handle_take(table, handle, &found) != WSA_INVALID_HANDLE ||
            nsp_handle_close(table, handle, &found) != WSA_INVALID_HANDLE || found != NULL) {
            fail_msg("%s", rows[i].name);
        }
    }
    close_one(table, (HANDLE)open);
    free(table);
}

static void test_full(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    static HANDLE handles[NSP_HANDLES];
    struct object object = {0};
    HANDLE none = NULL;
    void *found;
    for (size_t i = 0; i < NSP_HANDLES; i++) {
        handles[i] = open_one(table, &object);
    }
    assert_int_equal(nsp_handle_open(table, &object, destroy, &none), WSA_NOT_ENOUGH_MEMORY);
    assert_null(none);
    assert_int_equal(table->turned_away, 1);

    // A closed handle with a reference still has its place.
    assert_int_equal(nsp_handle_take(table, handles[7], &found), NO_ERROR);
    close_one(table, handles[7]);
    assert_int_equal(nsp_handle_open(table, &object, destroy, &none), WSA_NOT_ENOUGH_MEMORY);
    assert_int_equal(table->turned_away, 2);
    nsp_handle_drop(table, handles[7]);
    HANDLE stale = handles[7];
    handles[7] = open_one(table, &object);
    assert_ptr_not_equal(handles[7], stale);
    assert_int_equal(nsp_handle_take(table, stale, &found), WSA_INVALID_HANDLE);

    for (size_t i = 0; i < NSP_HANDLES; i++) {
        close_one(table, handles[i]);
    }
    assert_int_equal(nsp_handle_count(table), 0);
    assert_int_equal(object.destroyed, NSP_HANDLES + 1);
    free(table);
}

// Makes a place be used again and again, by leaving no other.
static struct nsp_handle_table *table_of_one_place(HANDLE *handles, struct object *object)
{
    struct nsp_handle_table *table = new_table();
    for (size_t i = 0; i < NSP_HANDLES; i++) {
        handles[i] = open_one(table, object);
    }
    return table;
}

static void test_reuse(void **state)
{
    (void)state;
    static HANDLE handles[NSP_HANDLES];
    struct object object = {0};
    struct nsp_handle_table *table = table_of_one_place(handles, &object);
    HANDLE first = handles[0];
    HANDLE before = first;
    void *found;
    close_one(table, first);
    for (uint32_t use = 2; use <= (1u << 16) + 2; use++) {
        HANDLE handle = open_one(table, &object);
        assert_ptr_not_equal(handle, before);
        assert_ptr_not_equal(handle, first);
        assert_int_equal(nsp_handle_take(table, first, &found), WSA_INVALID_HANDLE);
        assert_int_equal(nsp_handle_close(table, before, &found), WSA_INVALID_HANDLE);
        close_one(table, handle);
        before = handle;
    }
    free(table);
}

static void test_last_use(void **state)
{
    (void)state;
    static HANDLE handles[NSP_HANDLES];
    struct object object = {0};
    struct nsp_handle_table *table = table_of_one_place(handles, &object);
    HANDLE highest = handles[NSP_HANDLES - 1];
    uintptr_t place = (uintptr_t)highest % NSP_HANDLES;
    assert_int_equal(place, NSP_HANDLES - 1);
    close_one(table, highest);
    // The uses before the last one, without making them.
    atomic_store(&table->slots[place].word, (uint64_t)(NSP_HANDLE_USES - 1) << 32);
    HANDLE last = open_one(table, &object);
    assert_int_equal((uintptr_t)last, (uintptr_t)NSP_HANDLE_USES << 12 | place);
    close_one(table, last);
    // The first one again; neither 0 nor all ones in between.
    assert_ptr_equal(open_one(table, &object), highest);
    free(table);
}

static void test_too_many_references(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    struct object object = {0};
    HANDLE handle = open_one(table, &object);
    void *found;
    (void)atomic_fetch_add(&table->slots[0].word, NSP_HANDLE_REFS - 2);
    assert_int_equal(nsp_handle_take(table, handle, &found), NO_ERROR);
    assert_int_equal(nsp_handle_take(table, handle, &found), WSA_INVALID_HANDLE);
    nsp_handle_drop(table, handle);
    assert_int_equal(nsp_handle_take(table, handle, &found), NO_ERROR);
    nsp_handle_drop(table, handle);
    (void)atomic_fetch_sub(&table->slots[0].word, NSP_HANDLE_REFS - 2);
    close_one(table, handle);
    assert_int_equal(object.destroyed, 1);
    free(table);
}

// ---- with threads ----

static size_t closings;

static void count_closing(void *object)
{
    (void)object;
    closings++;
}

struct holder {
    struct nsp_handle_table *table;
    HANDLE handle;
    struct nsp_lock lock;
    struct nsp_condition told;
    bool holds, may_drop;
};

static void hold(void *ctx)
{
    struct holder *holder = ctx;
    void *found;
    bool is_taken = nsp_handle_take(holder->table, holder->handle, &found) == NO_ERROR;
    nsp_lock_take(&holder->lock);
    holder->holds = is_taken;
    nsp_condition_wake_all(&holder->told);
    while (!holder->may_drop) {
        nsp_condition_wait(&holder->told, &holder->lock);
    }
    nsp_lock_give(&holder->lock);
    nsp_handle_drop(holder->table, holder->handle);
}

static void test_close_all(void **state)
{
    (void)state;
    struct nsp_handle_table *table = new_table();
    struct object objects[3] = {{0}};
    struct holder holder = {.table = table, .lock = NSP_LOCK_INIT, .told = NSP_CONDITION_INIT};
    struct nsp_thread thread;
    closings = 0;
    (void)open_one(table, &objects[0]);
    holder.handle = open_one(table, &objects[1]);
    close_one(table, open_one(table, &objects[2]));
    assert_true(nsp_thread_start(&thread, hold, &holder));
    nsp_lock_take(&holder.lock);
    while (!holder.holds) {
        nsp_condition_wait(&holder.told, &holder.lock);
    }
    nsp_lock_give(&holder.lock);

    nsp_handle_close_all(table, count_closing);
    assert_int_equal(closings, 2);
    assert_int_equal(objects[0].destroyed, 1);
    assert_int_equal(objects[1].destroyed, 0);
    assert_false(nsp_handle_wait_empty(table, nsp_platform_now_ms()));

    nsp_lock_take(&holder.lock);
    holder.may_drop = true;
    nsp_condition_wake_all(&holder.told);
    nsp_lock_give(&holder.lock);
    assert_true(nsp_handle_wait_empty(table, NSP_NEVER));
    assert_int_equal(objects[1].destroyed, 1);
    assert_int_equal(nsp_handle_count(table), 0);
    assert_true(nsp_handle_wait_empty(table, nsp_platform_now_ms()));
    nsp_thread_join(&thread);
    free(table);
}

// Many threads open, take, drop and close what lies on one board, each other's as well.
#define THREADS 8
#define ROUNDS  20000
#define BOARD   16

struct counted {
    struct crowd *crowd;
    atomic_uint live; // 1 until it is destroyed
    uint32_t value;
};

struct crowd {
    struct nsp_handle_table *table;
    _Atomic(HANDLE) board[BOARD];
    atomic_uint opened, destroyed, closed, faults;
};

struct member {
    struct crowd *crowd;
    uint32_t random;
};

static void destroy_counted(void *object)
{
    struct counted *counted = object;
    if (atomic_exchange(&counted->live, 0) != 1) {
        (void)atomic_fetch_add(&counted->crowd->faults, 1);
    }
    (void)atomic_fetch_add(&counted->crowd->destroyed, 1);
    free(counted);
}

static void close_counted(struct crowd *crowd, HANDLE handle)
{
    void *object;
    if (nsp_handle_close(crowd->table, handle, &object) == NO_ERROR) {
        (void)atomic_fetch_add(&crowd->closed, 1);
        nsp_handle_drop(crowd->table, handle);
    }
}

static void open_counted(struct crowd *crowd, size_t at)
{
    HANDLE handle;
    struct counted *counted = calloc(1, sizeof *counted);
    if (counted == NULL) {
        return;
    }
    counted->crowd = crowd;
    counted->value = 77;
    atomic_store(&counted->live, 1);
    if (nsp_handle_open(crowd->table, counted, destroy_counted, &handle) != NO_ERROR) {
        (void)atomic_fetch_add(&crowd->faults, 1);
        free(counted);
        return;
    }
    (void)atomic_fetch_add(&crowd->opened, 1);
    close_counted(crowd, atomic_exchange(&crowd->board[at], handle));
}

static void one_round(struct crowd *crowd, uint32_t random)
{
    size_t at = random / 8 % BOARD;
    HANDLE handle = atomic_load(&crowd->board[at]);
    void *object;
    switch (random % 8) {
    case 0:
    case 1:
        open_counted(crowd, at);
        break;
    case 2:
    case 3:
        close_counted(crowd, handle);
        break;
    default:
        if (nsp_handle_take(crowd->table, handle, &object) == NO_ERROR) {
            struct counted *counted = object;
            if (atomic_load(&counted->live) != 1 || counted->value != 77) {
                (void)atomic_fetch_add(&crowd->faults, 1);
            }
            nsp_handle_drop(crowd->table, handle);
        }
    }
}

static void mingle(void *ctx)
{
    struct member *member = ctx;
    for (size_t i = 0; i < ROUNDS; i++) {
        member->random = member->random * 1664525 + 1013904223;
        one_round(member->crowd, member->random >> 12);
    }
}

static void test_crowd(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct nsp_thread threads[THREADS];
    struct member members[THREADS];
    struct object others = {0};
    crowd.table = new_table();
    // Few places are left, so that the same ones come round all the time.
    for (size_t i = 0; i < NSP_HANDLES - 4 * BOARD; i++) {
        (void)open_one(crowd.table, &others);
    }
    for (size_t i = 0; i < THREADS; i++) {
        members[i] = (struct member){&crowd, (uint32_t)(i * 7919 + 1)};
        assert_true(nsp_thread_start(&threads[i], mingle, &members[i]));
    }
    for (size_t i = 0; i < THREADS; i++) {
        nsp_thread_join(&threads[i]);
    }
    closings = 0;
    nsp_handle_close_all(crowd.table, count_closing);
    assert_true(nsp_handle_wait_empty(crowd.table, NSP_NEVER));
    assert_int_equal(crowd.faults, 0);
    assert_true(crowd.opened > ROUNDS);
    assert_int_equal(crowd.opened, crowd.destroyed);
    assert_int_equal(crowd.opened + others.destroyed, crowd.closed + closings);
    free(crowd.table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_closed_while_taken),
        cmocka_unit_test(test_no_handle),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_last_use),
        cmocka_unit_test(test_too_many_references),
        cmocka_unit_test(test_close_all),
        cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
