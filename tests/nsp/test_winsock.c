// SPDX-License-Identifier: MIT
// Events, APCs, completion ports and message windows, as far as notifications use them. The same
// runs natively and under Wine: what Windows does is what our own does.
#include "nsp/platform.h"
#include "pnr/winsock.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

static HANDLE duplicate(HANDLE source)
{
    HANDLE copy = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), source, GetCurrentProcess(), &copy, 0, FALSE,
                                DUPLICATE_SAME_ACCESS));
    assert_non_null(copy);
    return copy;
}

// ---- errors and handles ----

struct errand {
    HANDLE go, done;
    DWORD error;
};

static void leave_error(void *ctx)
{
    struct errand *errand = ctx;
    (void)WaitForSingleObject(errand->go, INFINITE);
    SetLastError(5);
    errand->error = GetLastError();
    (void)SetEvent(errand->done);
}

static void test_last_error(void **state)
{
    (void)state;
    struct errand errand = {CreateEventW(NULL, TRUE, FALSE, NULL),
                            CreateEventW(NULL, TRUE, FALSE, NULL), 0};
    struct nsp_thread thread;
    assert_true(nsp_thread_start(&thread, leave_error, &errand));
    WSASetLastError(WSAEFAULT);
    assert_int_equal(GetLastError(), WSAEFAULT);
    assert_true(SetEvent(errand.go));
    assert_int_equal(WaitForSingleObject(errand.done, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(WSAGetLastError(), WSAEFAULT);
    nsp_thread_join(&thread);
    assert_int_equal(errand.error, 5);
    assert_true(CloseHandle(errand.go) && CloseHandle(errand.done));
}

static void test_handles(void **state)
{
    (void)state;
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE copy = duplicate(event);
    assert_ptr_not_equal(event, copy);
    assert_true(CloseHandle(event));
    // What was closed is no handle, and the other still is one.
    SetLastError(0);
    assert_false(CloseHandle(event));
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_false(SetEvent(event));
    assert_true(SetEvent(copy));
    assert_int_equal(WaitForSingleObject(copy, 0), WAIT_OBJECT_0);
    assert_true(CloseHandle(copy));
    // Its place is used again, under another value.
    HANDLE next = CreateEventW(NULL, TRUE, FALSE, NULL);
    assert_ptr_not_equal(next, copy);
    assert_false(SetEvent(copy));
    assert_true(CloseHandle(next));
}

// ---- events ----

static void test_events(void **state)
{
    (void)state;
    const struct {
        const char *name;
        BOOL manual, set;
        DWORD first, second;
    } rows[] = {
        {"manual, set", TRUE, TRUE, WAIT_OBJECT_0, WAIT_OBJECT_0},
        {"manual, not set", TRUE, FALSE, WAIT_TIMEOUT, WAIT_TIMEOUT},
        {"auto, set", FALSE, TRUE, WAIT_OBJECT_0, WAIT_TIMEOUT},
        {"auto, not set", FALSE, FALSE, WAIT_TIMEOUT, WAIT_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HANDLE event = CreateEventW(NULL, rows[i].manual, rows[i].set, NULL);
        DWORD first = WaitForSingleObject(event, 0);
        DWORD second = WaitForSingleObject(event, 1);
        if (first != rows[i].first || second != rows[i].second) {
            fail_msg("%s", rows[i].name);
        }
        assert_true(SetEvent(event));
        assert_int_equal(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0);
        assert_true(SetEvent(event));
        assert_true(ResetEvent(event));
        assert_int_equal(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
        assert_true(CloseHandle(event));
    }
}

static void test_several_events(void **state)
{
    (void)state;
    HANDLE events[3];
    for (size_t i = 0; i < 3; i++) {
        events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    }
    assert_int_equal(WaitForMultipleObjects(3, events, FALSE, 0), WAIT_TIMEOUT);
    assert_true(SetEvent(events[2]));
    assert_true(SetEvent(events[1]));
    assert_int_equal(WaitForMultipleObjects(3, events, FALSE, INFINITE), WAIT_OBJECT_0 + 1);
    assert_int_equal(WaitForMultipleObjects(3, events, FALSE, INFINITE), WAIT_OBJECT_0 + 2);
    assert_int_equal(WaitForMultipleObjects(3, events, FALSE, 0), WAIT_TIMEOUT);
    assert_true(CloseHandle(events[2]));
    assert_int_equal(WaitForMultipleObjects(3, events, FALSE, 0), WAIT_FAILED);
    assert_int_equal(GetLastError(), ERROR_INVALID_HANDLE);
    assert_true(CloseHandle(events[0]) && CloseHandle(events[1]));
}

struct pair {
    HANDLE ping, pong;
};

static void play(void *ctx)
{
    struct pair *pair = ctx;
    for (unsigned i = 0; i < 500; i++) {
        (void)WaitForSingleObject(pair->ping, INFINITE);
        (void)SetEvent(pair->pong);
    }
}

static void test_between_threads(void **state)
{
    (void)state;
    struct pair pair = {CreateEventW(NULL, FALSE, FALSE, NULL),
                        CreateEventW(NULL, FALSE, FALSE, NULL)};
    struct nsp_thread thread;
    assert_true(nsp_thread_start(&thread, play, &pair));
    for (unsigned i = 0; i < 500; i++) {
        assert_true(SetEvent(pair.ping));
        assert_int_equal(WaitForSingleObject(pair.pong, INFINITE), WAIT_OBJECT_0);
    }
    nsp_thread_join(&thread);
    assert_true(CloseHandle(pair.ping) && CloseHandle(pair.pong));
}

// ---- APCs ----

static unsigned apcs_run;
static ULONG_PTR apc_order;

static void CALLBACK note_apc(ULONG_PTR data)
{
    apcs_run++;
    apc_order = apc_order * 10 + data;
}

static void CALLBACK queue_another(ULONG_PTR data)
{
    note_apc(data);
    (void)QueueUserAPC(note_apc, GetCurrentThread(), data + 1);
}

static void test_apcs(void **state)
{
    (void)state;
    HANDLE self = duplicate(GetCurrentThread());
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL);
    apcs_run = 0;
    apc_order = 0;
    assert_true(QueueUserAPC(note_apc, self, 1));
    assert_true(QueueUserAPC(note_apc, self, 2));
    // Not in a wait that is not alertable, nor in one that is over at once.
    assert_int_equal(SleepEx(0, FALSE), 0);
    assert_int_equal(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_OBJECT_0);
    assert_int_equal(apcs_run, 0);
    // All of them, in their order, those included that they queue themselves.
    assert_true(QueueUserAPC(queue_another, GetCurrentThread(), 3));
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    assert_int_equal(apc_order, 1234);
    assert_int_equal(SleepEx(0, TRUE), 0);
    assert_true(ResetEvent(event));
    assert_true(QueueUserAPC(note_apc, self, 5));
    assert_int_equal(WaitForSingleObjectEx(event, INFINITE, TRUE), WAIT_IO_COMPLETION);
    assert_int_equal(apcs_run, 5);
    assert_true(CloseHandle(self) && CloseHandle(event));
}

struct sleeper {
    HANDLE self, ready;
    atomic_uint woken;
};

static void CALLBACK wake_sleeper(ULONG_PTR data)
{
    (void)atomic_fetch_add((atomic_uint *)data, 1);
}

static void sleep_alertably(void *ctx)
{
    struct sleeper *sleeper = ctx;
    (void)DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                          &sleeper->self, 0, FALSE, DUPLICATE_SAME_ACCESS);
    (void)SetEvent(sleeper->ready);
    while (atomic_load(&sleeper->woken) < 100) {
        (void)SleepEx(INFINITE, TRUE);
    }
}

static void test_apc_of_another_thread(void **state)
{
    (void)state;
    struct sleeper sleeper = {.ready = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct nsp_thread thread;
    assert_true(nsp_thread_start(&thread, sleep_alertably, &sleeper));
    assert_int_equal(WaitForSingleObject(sleeper.ready, INFINITE), WAIT_OBJECT_0);
    assert_int_equal(WaitForSingleObject(sleeper.self, 0), WAIT_TIMEOUT);
    for (unsigned i = 0; i < 100; i++) {
        assert_true(QueueUserAPC(wake_sleeper, sleeper.self, (ULONG_PTR)&sleeper.woken));
    }
    assert_int_equal(WaitForSingleObject(sleeper.self, INFINITE), WAIT_OBJECT_0);
    nsp_thread_join(&thread);
    assert_int_equal(atomic_load(&sleeper.woken), 100);
    // It has ended: nobody would run it.
    assert_false(QueueUserAPC(wake_sleeper, sleeper.self, (ULONG_PTR)&sleeper.woken));
    assert_int_equal(GetLastError(), ERROR_GEN_FAILURE);
    assert_true(CloseHandle(sleeper.self) && CloseHandle(sleeper.ready));
}

static void die_with_apcs(void *ctx)
{
    (void)QueueUserAPC(wake_sleeper, GetCurrentThread(), (ULONG_PTR)ctx);
}

static void test_apcs_of_the_dead(void **state)
{
    (void)state;
    atomic_uint woken = 0;
    struct nsp_thread thread;
    assert_true(nsp_thread_start(&thread, die_with_apcs, &woken));
    nsp_thread_join(&thread);
    assert_int_equal(atomic_load(&woken), 0);
}

// ---- ports and overlapped results ----

static void test_port(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    OVERLAPPED overlapped = {0};
    LPOVERLAPPED got = &overlapped;
    ULONG_PTR key = 0;
    DWORD bytes = 0;
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &got, 0));
    assert_int_equal(GetLastError(), WAIT_TIMEOUT);
    assert_null(got);

    assert_true(PostQueuedCompletionStatus(port, 7, 42, &overlapped));
    assert_int_equal(
        NtSetIoCompletion(port, (PVOID)(uintptr_t)43, &overlapped, STATUS_CANCELLED, 0),
        STATUS_SUCCESS);
    assert_true(GetQueuedCompletionStatus(port, &bytes, &key, &got, INFINITE));
    assert_int_equal(bytes, 7);
    assert_int_equal(key, 42);
    assert_ptr_equal(got, &overlapped);
    // A packet that tells of a failure.
    got = NULL;
    assert_false(GetQueuedCompletionStatus(port, &bytes, &key, &got, INFINITE));
    assert_int_equal(GetLastError(), ERROR_OPERATION_ABORTED);
    assert_int_equal(key, 43);
    assert_ptr_equal(got, &overlapped);

    assert_true(PostQueuedCompletionStatus(port, 0, 1, NULL)); // goes with the port
    assert_true(CloseHandle(port));
    assert_false(PostQueuedCompletionStatus(port, 0, 1, NULL));
    assert_int_equal((DWORD)NtSetIoCompletion(port, NULL, NULL, 0, 0),
                     (DWORD)STATUS_INVALID_HANDLE);
}

#define PACKETS 2000

struct drain {
    HANDLE port;
    atomic_uint sum;
};

static void drain_port(void *ctx)
{
    struct drain *drain = ctx;
    LPOVERLAPPED overlapped;
    ULONG_PTR key = 1;
    DWORD bytes;
    while (key != 0) {
        (void)GetQueuedCompletionStatus(drain->port, &bytes, &key, &overlapped, INFINITE);
        (void)atomic_fetch_add(&drain->sum, (unsigned)key);
    }
}

static void test_port_of_threads(void **state)
{
    (void)state;
    struct drain drain = {.port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0)};
    struct nsp_thread threads[3];
    for (size_t i = 0; i < 3; i++) {
        assert_true(nsp_thread_start(&threads[i], drain_port, &drain));
    }
    for (unsigned i = 1; i <= PACKETS; i++) {
        assert_true(PostQueuedCompletionStatus(drain.port, 0, i, NULL));
    }
    for (size_t i = 0; i < 3; i++) {
        assert_true(PostQueuedCompletionStatus(drain.port, 0, 0, NULL));
    }
    for (size_t i = 0; i < 3; i++) {
        nsp_thread_join(&threads[i]);
    }
    assert_int_equal(atomic_load(&drain.sum), PACKETS * (PACKETS + 1) / 2);
    assert_true(CloseHandle(drain.port));
}

static void test_overlapped_result(void **state)
{
    (void)state;
    const struct {
        const char *name;
        ULONG_PTR internal;
        DWORD error;
    } rows[] = {
        {"done", 0, NO_ERROR},
        {"under way", STATUS_PENDING, ERROR_IO_INCOMPLETE},
        {"cancelled", (uint32_t)STATUS_CANCELLED, ERROR_OPERATION_ABORTED},
        {"an error of Win32", 0xC0070000u | WSAENETDOWN, WSAENETDOWN},
        {"an error as it is", WSAENETDOWN, ERROR_MR_MID_NOT_FOUND}, // none of a status
        {"a status of no error", 0xC0000999u, ERROR_MR_MID_NOT_FOUND},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        OVERLAPPED overlapped = {.Internal = rows[i].internal, .InternalHigh = 3};
        DWORD bytes = 0;
        SetLastError(NO_ERROR);
        BOOL is_done = GetOverlappedResult(NULL, &overlapped, &bytes, FALSE);
        if (is_done != (rows[i].error == NO_ERROR) || GetLastError() != rows[i].error ||
            bytes != (rows[i].internal == STATUS_PENDING ? 0u : 3u)) {
            fail_msg("%s", rows[i].name);
        }
    }
}

static void complete(void *ctx)
{
    OVERLAPPED *overlapped = ctx;
    __atomic_store_n(&overlapped->Internal, (uint32_t)STATUS_CANCELLED, __ATOMIC_RELEASE);
    (void)SetEvent(overlapped->hEvent);
}

static void test_overlapped_wait(void **state)
{
    (void)state;
    OVERLAPPED overlapped = {.Internal = STATUS_PENDING,
                             .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct nsp_thread thread;
    DWORD bytes = 0;
    assert_true(nsp_thread_start(&thread, complete, &overlapped));
    assert_false(GetOverlappedResult(NULL, &overlapped, &bytes, TRUE));
    assert_int_equal(GetLastError(), ERROR_OPERATION_ABORTED);
    nsp_thread_join(&thread);
    assert_true(CloseHandle(overlapped.hEvent));
}

// ---- message windows ----

static HWND new_window(void)
{
    return CreateWindowExW(0, u"STATIC", NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
}

static void test_messages(void **state)
{
    (void)state;
    HWND a = new_window(), b = new_window();
    MSG message;
    assert_non_null(a);
    assert_true(IsWindow(a) && IsWindow(b));
    assert_false(PeekMessageW(&message, NULL, 0, 0, PM_REMOVE));
    assert_true(PostMessageW(a, WM_USER + 1, 11, 0));
    assert_true(PostMessageW(b, WM_USER + 2, 22, -1));
    assert_true(PostMessageW(a, WM_USER + 3, 33, 0));

    assert_true(PeekMessageW(&message, b, 0, 0, PM_NOREMOVE));
    assert_int_equal(message.message, WM_USER + 2);
    assert_int_equal(message.wParam, 22);
    assert_int_equal(message.lParam, -1);
    assert_ptr_equal(message.hwnd, b);
    assert_int_equal(GetMessageW(&message, NULL, WM_USER + 2, WM_USER + 3), 1);
    assert_int_equal(message.message, WM_USER + 2);
    assert_false(PeekMessageW(&message, b, 0, 0, PM_REMOVE));
    assert_int_equal(GetMessageW(&message, a, 0, 0), 1);
    assert_int_equal(message.message, WM_USER + 1);

    // Taken from the end, with others before it and one behind it afterwards.
    assert_true(PostMessageW(b, WM_USER + 4, 44, 0));
    assert_true(PeekMessageW(&message, b, 0, 0, PM_REMOVE));
    assert_int_equal(message.message, WM_USER + 4);
    assert_true(PostMessageW(b, WM_USER + 5, 55, 0));
    assert_int_equal(GetMessageW(&message, b, 0, 0), 1);
    assert_int_equal(message.message, WM_USER + 5);

    // A window's messages go with it.
    assert_true(DestroyWindow(a));
    assert_false(PeekMessageW(&message, NULL, 0, 0, PM_REMOVE));
    assert_true(PostMessageW(b, WM_USER, 0, 0));
    assert_int_equal(GetMessageW(&message, NULL, 0, 0), 1);
    assert_false(IsWindow(a));
    assert_false(PostMessageW(a, WM_USER, 0, 0));
    assert_int_equal(GetLastError(), ERROR_INVALID_WINDOW_HANDLE);
    assert_int_equal(GetMessageW(&message, a, 0, 0), -1);
    assert_false(DestroyWindow(a));
    assert_true(DestroyWindow(b));
}

struct desk {
    HANDLE ready;
    HWND window;
    WPARAM sum;
};

static void read_messages(void *ctx)
{
    struct desk *desk = ctx;
    MSG message = {.wParam = 1};
    desk->window = new_window();
    (void)SetEvent(desk->ready);
    while (message.wParam != 0 && GetMessageW(&message, desk->window, 0, 0) == 1) {
        desk->sum += message.wParam;
    }
    // The window is left to the thread's end.
}

static void test_messages_of_another_thread(void **state)
{
    (void)state;
    struct desk desk = {.ready = CreateEventW(NULL, TRUE, FALSE, NULL)};
    struct nsp_thread thread;
    assert_true(nsp_thread_start(&thread, read_messages, &desk));
    assert_int_equal(WaitForSingleObject(desk.ready, INFINITE), WAIT_OBJECT_0);
    assert_false(DestroyWindow(desk.window));
    assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
    for (WPARAM i = 500; i > 0; i--) {
        assert_true(PostMessageW(desk.window, WM_USER, i, 0));
    }
    assert_true(PostMessageW(desk.window, WM_USER, 0, 0));
    nsp_thread_join(&thread);
    assert_int_equal(desk.sum, 500 * 501 / 2);
    assert_false(IsWindow(desk.window));
    assert_true(CloseHandle(desk.ready));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_error),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_several_events),
        cmocka_unit_test(test_between_threads),
        cmocka_unit_test(test_apcs),
        cmocka_unit_test(test_apc_of_another_thread),
        cmocka_unit_test(test_apcs_of_the_dead),
        cmocka_unit_test(test_port),
        cmocka_unit_test(test_port_of_threads),
        cmocka_unit_test(test_overlapped_result),
        cmocka_unit_test(test_overlapped_wait),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_messages_of_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
