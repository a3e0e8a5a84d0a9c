// SPDX-License-Identifier: MIT
// The notifications that are armed on a lookup: each is told once, in the order of arming.
#include "nsp/notify.h"
#include "tests/nsp/failing_memory.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

struct desk {
    struct failing_memory memory;
    struct nsp_notify notify;
    HANDLE port;
    WSATHREADID thread;
    OVERLAPPED overlapped; // of the APC
};

static int routine_runs;

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    routine_runs++;
}

static void start(struct desk *desk)
{
    memset(desk, 0, sizeof *desk);
    failing_memory_init(&desk->memory, 0);
    desk->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    assert_non_null(desk->port);
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                &desk->thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS));
    routine_runs = 0;
}

static void stop(struct desk *desk)
{
    assert_int_equal(failing_memory_live(&desk->memory), 0);
    assert_int_equal(nsp_platform_pins(), 0);
    CloseHandle(desk->port);
    CloseHandle(desk->thread.ThreadHandle);
}

static struct nsp_completion *completion_of(struct desk *desk, ULONG_PTR key)
{
    struct nsp_completion *completion = NULL;
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_PORT;
    how.Parameters.Port.hPort = desk->port;
    how.Parameters.Port.Key = key;
    assert_int_equal(nsp_completion_new(&how, NULL, &desk->memory.memory, &completion), 0);
    return completion;
}

static struct nsp_completion *apc_of(struct desk *desk)
{
    struct nsp_completion *completion = NULL;
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_APC;
    how.Parameters.Apc.lpOverlapped = &desk->overlapped;
    how.Parameters.Apc.lpfnCompletionProc = run_routine;
    assert_int_equal(nsp_completion_new(&how, &desk->thread, &desk->memory.memory, &completion), 0);
    return completion;
}

// The next key that was posted; 0: none.
static ULONG_PTR next_key(struct desk *desk)
{
    DWORD bytes;
    ULONG_PTR key = 0;
    LPOVERLAPPED overlapped;
    (void)GetQueuedCompletionStatus(desk->port, &bytes, &key, &overlapped, 0);
    return key;
}

static void all_are_told_in_their_order(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    for (ULONG_PTR key = 1; key <= 5; key++) {
        assert_true(nsp_notify_add(&desk.notify, completion_of(&desk, key)));
    }
    assert_int_equal(desk.notify.count, 5);
    struct nsp_completion *chain = nsp_notify_take(&desk.notify);
    assert_int_equal(next_key(&desk), 0);
    assert_null(nsp_notify_take(&desk.notify));
    assert_int_equal(desk.notify.count, 0);
    nsp_notify_deliver(chain, 0);
    for (ULONG_PTR key = 1; key <= 5; key++) {
        assert_int_equal(next_key(&desk), key);
    }
    assert_int_equal(next_key(&desk), 0);
    stop(&desk);
}

static void there_is_a_bound(void **state)
{
    (void)state;
    struct desk desk;
    start(&desk);
    for (ULONG_PTR key = 1; key <= NSP_NOTIFY_MAX; key++) {
        assert_true(nsp_notify_add(&desk.notify, completion_of(&desk, key)));
    }
    struct nsp_completion *further = completion_of(&desk, 1000);
    assert_false(nsp_notify_add(&desk.notify, further));
    assert_int_equal(desk.notify.refused, 1);
    nsp_completion_discard(further);
    nsp_notify_deliver(nsp_notify_take(&desk.notify), 0);
    for (ULONG_PTR key = 1; key <= NSP_NOTIFY_MAX; key++) {
        assert_int_equal(next_key(&desk), key);
    }
    stop(&desk);
}

struct other {
    struct desk *desk;
    uint64_t thread_id;
};

static void arm_elsewhere(void *ctx)
{
    struct other *other = ctx;
    other->thread_id = nsp_platform_thread_id();
    (void)nsp_notify_add(&other->desk->notify, completion_of(other->desk, 20));
    (void)nsp_notify_add(&other->desk->notify, apc_of(other->desk));
    (void)nsp_notify_add(&other->desk->notify, completion_of(other->desk, 21));
}

static void what_a_thread_has_armed_goes_with_it(void **state)
{
    (void)state;
    struct desk desk;
    struct nsp_thread thread;
    struct other other = {.desk = &desk};
    start(&desk);
    assert_true(nsp_notify_add(&desk.notify, completion_of(&desk, 10)));
    assert_true(nsp_thread_start(&thread, arm_elsewhere, &other));
    nsp_thread_join(&thread);
    assert_true(nsp_notify_add(&desk.notify, completion_of(&desk, 11)));
    assert_int_equal(desk.overlapped.Internal, WSS_OPERATION_IN_PROGRESS);
    nsp_notify_abandon(nsp_notify_take_of(&desk.notify, other.thread_id));
    assert_int_equal(next_key(&desk), 20);
    assert_int_equal(next_key(&desk), 21);
    assert_int_equal(next_key(&desk), 0);
    (void)SleepEx(0, TRUE);
    assert_int_equal(routine_runs, 0);
    // Whoever looks at it all the same does not wait for ever.
    assert_int_equal(desk.overlapped.Internal, (DWORD)STATUS_CANCELLED);
    assert_int_equal(desk.notify.count, 2);
    nsp_notify_deliver(nsp_notify_take(&desk.notify), WSAENETDOWN);
    assert_int_equal(next_key(&desk), 10);
    assert_int_equal(next_key(&desk), 11);
    stop(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_told_in_their_order),
        cmocka_unit_test(there_is_a_bound),
        cmocka_unit_test(what_a_thread_has_armed_goes_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
