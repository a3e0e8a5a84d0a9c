// SPDX-License-Identifier: MIT
#include "nsp/platform.h"
#include "pnr/winsock.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <cmocka.h>
// clang-format on

// A number that threads tell each other about.
struct board {
    struct nsp_lock lock;
    struct nsp_condition changed;
    int value;
};
#define BOARD_INIT                                                                                 \
    {                                                                                              \
        NSP_LOCK_INIT, NSP_CONDITION_INIT, 0                                                       \
    }

static void board_set(struct board *board, int value)
{
    nsp_lock_take(&board->lock);
    board->value = value;
    nsp_condition_wake_all(&board->changed);
    nsp_lock_give(&board->lock);
}

static void board_wait(struct board *board, int value)
{
    nsp_lock_take(&board->lock);
    while (board->value != value) {
        nsp_condition_wait(&board->changed, &board->lock);
    }
    nsp_lock_give(&board->lock);
}

// ---- time, locks, conditions ----

static void test_clock(void **state)
{
    (void)state;
    int64_t before = nsp_platform_now_us();
    int64_t ms = nsp_platform_now_ms();
    int64_t after = nsp_platform_now_us();
    assert_true(before > 0);
    assert_true(before / 1000 <= ms && ms <= after / 1000);
}

static void test_static_and_dynamic(void **state)
{
    (void)state;
    static struct nsp_lock standing = NSP_LOCK_INIT;
    struct nsp_lock lock;
    struct nsp_condition condition;
    nsp_lock_take(&standing);
    nsp_lock_give(&standing);
    nsp_lock_init(&lock);
    nsp_condition_init(&condition);
    nsp_lock_take(&lock);
    nsp_condition_wake_all(&condition);
    nsp_lock_give(&lock);
    nsp_condition_drop(&condition);
    nsp_lock_drop(&lock);
}

#define COUNTERS 4
#define COUNTS   20000

static struct nsp_lock count_lock = NSP_LOCK_INIT;
static unsigned count;

static void count_up(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < COUNTS; i++) {
        nsp_lock_take(&count_lock);
        count++;
        nsp_lock_give(&count_lock);
    }
}

static void test_lock_excludes(void **state)
{
    (void)state;
    struct nsp_thread threads[COUNTERS];
    count = 0;
    for (size_t i = 0; i < COUNTERS; i++) {
        assert_true(nsp_thread_start(&threads[i], count_up, NULL));
    }
    for (size_t i = 0; i < COUNTERS; i++) {
        nsp_thread_join(&threads[i]);
    }
    assert_int_equal(count, COUNTERS * COUNTS);
}

static void test_deadline(void **state)
{
    (void)state;
    struct board board = BOARD_INIT;
    const struct {
        const char *name;
        int64_t in_ms;
    } rows[] = {{"long past", -1000000}, {"now", 0}, {"soon", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t deadline_ms = nsp_platform_now_ms() + rows[i].in_ms;
        nsp_lock_take(&board.lock);
        while (nsp_condition_wait_until(&board.changed, &board.lock, deadline_ms)) {
        }
        // The lock is ours again, and the deadline has really passed.
        board.value++;
        nsp_lock_give(&board.lock);
        if (nsp_platform_now_ms() < deadline_ms) {
            fail_msg("%s", rows[i].name);
        }
    }
    assert_int_equal(board.value, 3);
}

static void answer(void *ctx)
{
    struct board *board = ctx;
    board_wait(board, 1);
    board_set(board, 2);
}

static void test_woken_before_deadline(void **state)
{
    (void)state;
    const int64_t deadlines_ms[] = {NSP_NEVER, nsp_platform_now_ms() + 600000};
    for (size_t i = 0; i < 2; i++) {
        struct board board = BOARD_INIT;
        struct nsp_thread thread;
        bool in_time = true;
        assert_true(nsp_thread_start(&thread, answer, &board));
        board_set(&board, 1);
        nsp_lock_take(&board.lock);
        while (board.value != 2) {
            in_time = nsp_condition_wait_until(&board.changed, &board.lock, deadlines_ms[i]);
        }
        nsp_lock_give(&board.lock);
        assert_true(in_time);
        nsp_thread_join(&thread);
    }
}

// ---- threads ----

struct portrait {
    struct board board;
    uint64_t id;
    bool same_again;
};

static void sit(void *ctx)
{
    struct portrait *portrait = ctx;
    portrait->id = nsp_platform_thread_id();
    portrait->same_again = portrait->id == nsp_platform_thread_id();
    board_set(&portrait->board, 1);
    board_wait(&portrait->board, 2);
}

static void test_threads(void **state)
{
    (void)state;
    struct portrait portraits[2] = {{.board = BOARD_INIT}, {.board = BOARD_INIT}};
    struct nsp_thread threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_true(nsp_thread_start(&threads[i], sit, &portraits[i]));
        board_wait(&portraits[i].board, 1);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_true(portraits[i].id != 0);
        assert_true(portraits[i].id != nsp_platform_thread_id());
        assert_true(portraits[i].same_again);
        board_set(&portraits[i].board, 2);
        nsp_thread_join(&threads[i]);
    }
    assert_true(portraits[0].id != portraits[1].id);
}

static atomic_uint_fast64_t ended_id;
static atomic_uint ended_count;

static void note_end(uint64_t thread_id)
{
    atomic_store(&ended_id, thread_id);
    (void)atomic_fetch_add(&ended_count, 1);
}

struct mortal {
    unsigned marks;
    uint64_t id;
    bool is_marked;
};

static void live(void *ctx)
{
    struct mortal *mortal = ctx;
    mortal->id = nsp_platform_thread_id();
    mortal->is_marked = true;
    for (unsigned i = 0; i < mortal->marks; i++) {
        mortal->is_marked = nsp_thread_end_mark() && mortal->is_marked;
    }
}

static void test_thread_end(void **state)
{
    (void)state;
    const struct {
        const char *name;
        unsigned marks, told;
    } rows[] = {{"not marked", 0, 0}, {"marked", 1, 1}, {"marked again", 3, 1}};
    // It can be had again after it was dropped, as a provider is that is started again.
    for (size_t round = 0; round < 2; round++) {
        assert_true(nsp_thread_end_init(note_end));
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct mortal mortal = {.marks = rows[i].marks};
            struct nsp_thread thread;
            atomic_store(&ended_count, 0);
            atomic_store(&ended_id, 0);
            assert_true(nsp_thread_start(&thread, live, &mortal));
            nsp_thread_join(&thread);
            if (!mortal.is_marked || atomic_load(&ended_count) != rows[i].told ||
                atomic_load(&ended_id) != (rows[i].told != 0 ? mortal.id : 0)) {
                fail_msg("%s", rows[i].name);
            }
        }
        nsp_thread_end_drop();
    }
}

static void live_long(void *ctx)
{
    struct board *board = ctx;
    (void)nsp_thread_end_mark();
    board_set(board, 1);
    board_wait(board, 2);
}

static void test_thread_end_dropped(void **state)
{
    (void)state;
    struct board board = BOARD_INIT;
    struct nsp_thread thread;
    atomic_store(&ended_count, 0);
    assert_true(nsp_thread_end_init(note_end));
    assert_true(nsp_thread_start(&thread, live_long, &board));
    board_wait(&board, 1);
    nsp_thread_end_drop();
    board_set(&board, 2);
    nsp_thread_join(&thread);
    assert_int_equal(atomic_load(&ended_count), 0);
}

// ---- the wait of the I/O thread ----

static void test_wake_is_kept(void **state)
{
    (void)state;
    struct nsp_wake wake;
    assert_true(nsp_wake_init(&wake));
    assert_int_equal(nsp_platform_wait(-1, 0, &wake, 0), 0);
    nsp_wake_set(&wake);
    nsp_wake_set(&wake);
    assert_int_equal(nsp_platform_wait(-1, 0, &wake, -1), NSP_WAIT_WOKEN);
    // Both were used up by that.
    assert_int_equal(nsp_platform_wait(-1, 0, &wake, 0), 0);
    nsp_wake_drop(&wake);
}

static void wake_many(void *ctx)
{
    for (unsigned i = 0; i < 1000; i++) {
        nsp_wake_set(ctx);
    }
}

struct order {
    struct nsp_wake wake;
    atomic_uint made, done;
};

static void do_orders(void *ctx)
{
    struct order *order = ctx;
    unsigned done = 0;
    while (done < 1000) {
        if (nsp_platform_wait(-1, 0, &order->wake, -1) == NSP_WAIT_WOKEN) {
            done = atomic_load(&order->made);
            atomic_store(&order->done, done);
        }
    }
}

// Whoever makes an order and sets the wake is served, whenever the other thread waits.
static void test_no_wake_is_lost(void **state)
{
    (void)state;
    static struct order order;
    struct nsp_thread thread, noise;
    assert_true(nsp_wake_init(&order.wake));
    assert_true(nsp_thread_start(&thread, do_orders, &order));
    assert_true(nsp_thread_start(&noise, wake_many, &order.wake));
    for (unsigned i = 1; i <= 1000; i++) {
        atomic_store(&order.made, i);
        nsp_wake_set(&order.wake);
    }
    nsp_thread_join(&thread);
    nsp_thread_join(&noise);
    assert_int_equal(atomic_load(&order.done), 1000);
    nsp_wake_drop(&order.wake);
}

// ---- memory, pins ----

static void test_memory(void **state)
{
    (void)state;
    char here[8] = {0};
    assert_true(nsp_platform_readable(here, sizeof here));
    assert_true(nsp_platform_writable(here, sizeof here));
    assert_true(nsp_platform_readable(here, 0));
    assert_false(nsp_platform_readable(NULL, 8));
    assert_false(nsp_platform_writable(NULL, 8));
    assert_false(nsp_platform_readable(NULL, 0));
}

static void test_pins(void **state)
{
    (void)state;
    struct nsp_pin a, b;
    assert_int_equal(nsp_platform_pins(), 0);
    assert_true(nsp_platform_pin(&a));
    assert_true(nsp_platform_pin(&b));
    assert_int_equal(nsp_platform_pins(), 2);
    nsp_platform_unpin(a);
    assert_int_equal(nsp_platform_pins(), 1);
    nsp_platform_unpin_after_apc(b);
    assert_int_equal(nsp_platform_pins(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_static_and_dynamic),
        cmocka_unit_test(test_lock_excludes),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_woken_before_deadline),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_thread_end),
        cmocka_unit_test(test_thread_end_dropped),
        cmocka_unit_test(test_wake_is_kept),
        cmocka_unit_test(test_no_wake_is_lost),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_pins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
