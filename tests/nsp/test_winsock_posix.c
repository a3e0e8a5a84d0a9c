// SPDX-License-Identifier: MIT
// The bounds of the native events, APCs, completion ports and message windows, and handles that are
// none.
#include "pnr/winsock.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

static DWORD handle_count(void)
{
    DWORD handles = 0;
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &handles));
    return handles;
}

static unsigned apcs_run;

static void CALLBACK count_apc(ULONG_PTR data)
{
    (void)data;
    apcs_run++;
}

static HANDLE own_thread(void)
{
    HANDLE copy = NULL;
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &copy,
                                0, FALSE, DUPLICATE_SAME_ACCESS));
    return copy;
}

static void test_handle_count(void **state)
{
    (void)state;
    DWORD before = handle_count();
    HANDLE thread = own_thread();
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    assert_int_equal(handle_count(), before + 3);
    assert_true(CloseHandle(thread) && CloseHandle(event) && CloseHandle(port));
    assert_false(CloseHandle(port));
    assert_int_equal(handle_count(), before);
}

static void test_wrong_handles(void **state)
{
    (void)state;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    HANDLE thread = own_thread();
    const struct {
        const char *name;
        HANDLE handle;
        bool is_event, can_be_waited_for, is_port;
    } rows[] = {
        {"NULL", NULL, false, false, false},
        {"INVALID_HANDLE_VALUE", INVALID_HANDLE_VALUE, false, false, false},
        {"unaligned", (HANDLE)((uintptr_t)event + 1), false, false, false},
        {"an address", &event, false, false, false},
        {"event", event, true, true, false},
        {"port", port, false, false, true},
        {"thread", thread, false, true, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_event = SetEvent(rows[i].handle) && ResetEvent(rows[i].handle);
        bool waits = WaitForSingleObject(rows[i].handle, 0) != WAIT_FAILED;
        bool is_port = PostQueuedCompletionStatus(rows[i].handle, 0, 0, NULL);
        if (is_event != rows[i].is_event || waits != rows[i].can_be_waited_for ||
            is_port != rows[i].is_port) {
            fail_msg("%s", rows[i].name);
        }
    }
    assert_true(CloseHandle(event) && CloseHandle(port) && CloseHandle(thread));
    assert_true(CloseHandle(GetCurrentThread()));
    assert_int_equal(handle_count(), 0);
}

static void test_table_full(void **state)
{
    (void)state;
    HANDLE *handles = calloc(PNR_WINSOCK_HANDLES, sizeof *handles);
    assert_non_null(handles);
    for (size_t i = 0; i < PNR_WINSOCK_HANDLES; i++) {
        handles[i] = CreateEventW(NULL, TRUE, FALSE, NULL);
        assert_non_null(handles[i]);
    }
    HANDLE none = NULL;
    assert_null(CreateEventW(NULL, TRUE, FALSE, NULL));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_false(DuplicateHandle(GetCurrentProcess(), handles[0], GetCurrentProcess(), &none, 0,
                                 FALSE, DUPLICATE_SAME_ACCESS));
    assert_null(none);
    for (size_t i = 0; i < PNR_WINSOCK_HANDLES; i++) {
        assert_true(CloseHandle(handles[i]));
    }
    assert_int_equal(handle_count(), 0);
    free(handles);
}

static void test_apcs_full(void **state)
{
    (void)state;
    apcs_run = 0;
    for (size_t i = 0; i < PNR_WINSOCK_APCS; i++) {
        assert_true(QueueUserAPC(count_apc, GetCurrentThread(), 0));
    }
    assert_false(QueueUserAPC(count_apc, GetCurrentThread(), 0));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_int_equal(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    assert_int_equal(apcs_run, PNR_WINSOCK_APCS);
}

static void test_port_full(void **state)
{
    (void)state;
    HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    for (size_t i = 0; i < PNR_WINSOCK_PACKETS; i++) {
        assert_true(PostQueuedCompletionStatus(port, 0, i, NULL));
    }
    assert_false(PostQueuedCompletionStatus(port, 0, 0, NULL));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_MEMORY);
    assert_true(CloseHandle(port));
}

static void test_messages_full(void **state)
{
    (void)state;
    HWND window =
        CreateWindowExW(0, u"STATIC", NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
    for (size_t i = 0; i < PNR_WINSOCK_MESSAGES; i++) {
        assert_true(PostMessageW(window, WM_USER, i, 0));
    }
    assert_false(PostMessageW(window, WM_USER, 0, 0));
    assert_int_equal(GetLastError(), ERROR_NOT_ENOUGH_QUOTA);
    assert_true(DestroyWindow(window));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_handle_count), cmocka_unit_test(test_wrong_handles),
        cmocka_unit_test(test_table_full),   cmocka_unit_test(test_apcs_full),
        cmocka_unit_test(test_port_full),    cmocka_unit_test(test_messages_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
