// SPDX-License-Identifier: MIT
// How a program is told: by an event, a completion port, an APC and a window message.
#include "nsp/completion.h"
#include "tests/nsp/failing_memory.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

#define KEY     ((ULONG_PTR)77)
#define MESSAGE (WM_USER + 3)
#define CONTEXT ((WPARAM)123)

// A program: what it waits with.
struct program {
    struct failing_memory memory;
    DWORD handles; // before
    HANDLE event;
    HANDLE port;
    HWND window;
    WSATHREADID thread;
    OVERLAPPED overlapped;
};

// What the routine of the last APC was told.
static struct routine {
    int runs;
    DWORD error;
    DWORD bytes;
    DWORD flags;
    LPWSAOVERLAPPED overlapped;
} routine;

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    routine = (struct routine){routine.runs + 1, error, bytes, flags, overlapped};
}

static DWORD handle_count(void)
{
    DWORD count = 0;
    assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
    return count;
}

static HWND create_window(void)
{
    return CreateWindowExW(0, (LPCWSTR)u"STATIC", NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL,
                           NULL);
}

static void start(struct program *program)
{
    memset(program, 0, sizeof *program);
    memset(&routine, 0, sizeof routine);
    failing_memory_init(&program->memory, 0);
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                &program->thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS));
    program->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    program->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    program->window = create_window();
    assert_true(program->event != NULL && program->port != NULL && program->window != NULL);
    program->overlapped.hEvent = program->event;
    program->overlapped.Internal = 42;
    program->handles = handle_count();
}

static void stop(struct program *program)
{
    assert_int_equal(handle_count(), program->handles);
    assert_int_equal(failing_memory_live(&program->memory), 0);
    assert_int_equal(nsp_platform_pins(), 0);
    DestroyWindow(program->window);
    CloseHandle(program->port);
    CloseHandle(program->event);
    CloseHandle(program->thread.ThreadHandle);
}

static WSACOMPLETION completion_of(struct program *program, WSACOMPLETIONTYPE type)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = type;
    switch (type) {
    case NSP_NOTIFY_HWND:
        how.Parameters.WindowMessage.hWnd = program->window;
        how.Parameters.WindowMessage.uMsg = MESSAGE;
        how.Parameters.WindowMessage.context = CONTEXT;
        break;
    case NSP_NOTIFY_EVENT:
        how.Parameters.Event.lpOverlapped = &program->overlapped;
        break;
    case NSP_NOTIFY_PORT:
        how.Parameters.Port.lpOverlapped = &program->overlapped;
        how.Parameters.Port.hPort = program->port;
        how.Parameters.Port.Key = KEY;
        break;
    case NSP_NOTIFY_APC:
        how.Parameters.Apc.lpOverlapped = &program->overlapped;
        how.Parameters.Apc.lpfnCompletionProc = run_routine;
        break;
    case NSP_NOTIFY_IMMEDIATELY:
        break;
    }
    return how;
}

// ---- what the program sees ----

// That one packet and no other waits at the port, with this error.
static void see_port(struct program *program, DWORD error)
{
    DWORD bytes = 1;
    ULONG_PTR key = 0;
    LPOVERLAPPED overlapped = NULL;
    BOOL good = GetQueuedCompletionStatus(program->port, &bytes, &key, &overlapped, 0);
    assert_int_equal(good ? 0 : GetLastError(), error);
    assert_int_equal(key, KEY);
    assert_ptr_equal(overlapped, &program->overlapped);
    assert_int_equal(bytes, 0);
    assert_false(GetQueuedCompletionStatus(program->port, &bytes, &key, &overlapped, 0));
    assert_null(overlapped);
}

static void see_apc(struct program *program, DWORD error)
{
    assert_int_equal(routine.runs, 0);
    assert_int_equal(nsp_platform_pins(), 1);
    assert_int_equal(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    (void)SleepEx(0, TRUE);
    assert_int_equal(routine.runs, 1);
    assert_int_equal(routine.error, error);
    assert_ptr_equal(routine.overlapped, &program->overlapped);
    assert_int_equal(routine.bytes + routine.flags, 0);
}

static void see_window(struct program *program, bool posted)
{
    MSG message;
    BOOL there = PeekMessageW(&message, program->window, 0, 0, PM_REMOVE);
    assert_int_equal(there, posted);
    if (there) {
        assert_int_equal(message.message, MESSAGE);
        assert_int_equal(message.wParam, CONTEXT);
        assert_int_equal(message.lParam, 0);
        assert_false(PeekMessageW(&message, program->window, 0, 0, PM_REMOVE));
    }
}

static void see(struct program *program, WSACOMPLETIONTYPE type, DWORD error)
{
    DWORD bytes = 1;
    if (type == NSP_NOTIFY_HWND) {
        see_window(program, error != WSA_OPERATION_ABORTED);
        return;
    }
    if (type == NSP_NOTIFY_EVENT) {
        assert_int_equal(WaitForSingleObject(program->event, 0), WAIT_OBJECT_0);
    } else if (type == NSP_NOTIFY_PORT) {
        see_port(program, error);
    } else {
        see_apc(program, error);
    }
    BOOL good = GetOverlappedResult(NULL, &program->overlapped, &bytes, FALSE);
    assert_int_equal(good ? 0 : GetLastError(), error);
    // Of a request that was aborted the system's own calls leave this, and no other, status.
    assert_true(error != WSA_OPERATION_ABORTED ||
                program->overlapped.Internal == (DWORD)STATUS_CANCELLED);
}

// ---- tests ----

static const struct type_row {
    const char *name;
    WSACOMPLETIONTYPE type;
} type_rows[] = {
    {"event", NSP_NOTIFY_EVENT},
    {"port", NSP_NOTIFY_PORT},
    {"apc", NSP_NOTIFY_APC},
    {"window", NSP_NOTIFY_HWND},
};
static const DWORD errors[] = {0, WSA_OPERATION_ABORTED, WSAENETDOWN};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static void each_way_tells_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(type_rows) * COUNT_OF(errors); i++) {
        const struct type_row *row = &type_rows[i / COUNT_OF(errors)];
        DWORD error = errors[i % COUNT_OF(errors)];
        struct program program;
        struct nsp_completion *completion;
        print_message("%s, %u\n", row->name, (unsigned)error);
        start(&program);
        SetEvent(program.event);
        WSACOMPLETION how = completion_of(&program, row->type);
        WSATHREADID thread = program.thread;
        assert_int_equal(nsp_completion_new(&how, &thread, &program.memory.memory, &completion), 0);
        // What the program passed is its own again.
        memset(&how, 0xee, sizeof how);
        memset(&thread, 0xee, sizeof thread);
        assert_int_equal(program.overlapped.Internal, 42);
        assert_int_equal(WaitForSingleObject(program.event, 0), WAIT_OBJECT_0);
        nsp_completion_begin(completion);
        if (row->type != NSP_NOTIFY_HWND) {
            DWORD bytes;
            assert_false(GetOverlappedResult(NULL, &program.overlapped, &bytes, FALSE));
            assert_int_equal(GetLastError(), ERROR_IO_INCOMPLETE);
        }
        assert_int_equal(WaitForSingleObject(program.event, 0),
                         row->type == NSP_NOTIFY_EVENT ? WAIT_TIMEOUT : WAIT_OBJECT_0);
        nsp_completion_deliver(completion, error);
        see(&program, row->type, error);
        stop(&program);
    }
}

static void discarding_tells_nobody(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(type_rows); i++) {
        struct program program;
        struct nsp_completion *completion;
        start(&program);
        WSACOMPLETION how = completion_of(&program, type_rows[i].type);
        assert_int_equal(
            nsp_completion_new(&how, &program.thread, &program.memory.memory, &completion), 0);
        nsp_completion_begin(completion);
        nsp_completion_discard(completion);
        assert_int_equal(SleepEx(0, TRUE), 0);
        assert_int_equal(WaitForSingleObject(program.event, 0), WAIT_TIMEOUT);
        see_window(&program, false);
        stop(&program);
    }
}

// The program's own handles may go, and their values come to mean something else.
static void handles_are_kept(void **state)
{
    (void)state;
    struct program program;
    struct nsp_completion *completion;
    HANDLE copy;
    start(&program);
    WSACOMPLETION how = completion_of(&program, NSP_NOTIFY_EVENT);
    assert_int_equal(nsp_completion_new(&how, NULL, &program.memory.memory, &completion), 0);
    nsp_completion_begin(completion);
    assert_true(DuplicateHandle(GetCurrentProcess(), program.event, GetCurrentProcess(), &copy, 0,
                                FALSE, DUPLICATE_SAME_ACCESS));
    CloseHandle(program.event);
    nsp_completion_deliver(completion, 0);
    assert_int_equal(WaitForSingleObject(copy, 0), WAIT_OBJECT_0);
    program.event = copy;
    stop(&program);
}

static void no_overlapped(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)thread;
    how->Parameters.Event.lpOverlapped = NULL;
}

static void no_event(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)how;
    (void)thread;
    program->overlapped.hEvent = NULL;
}

static void no_handle(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    static WSATHREADID nobody;
    HANDLE wrong = (HANDLE)(uintptr_t)0xdead0;
    nobody.ThreadHandle = wrong;
    *thread = &nobody;
    if (how->Type == NSP_NOTIFY_PORT) {
        how->Parameters.Port.hPort = wrong;
    }
    program->overlapped.hEvent = wrong;
}

static void no_port(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)thread;
    how->Parameters.Port.hPort = NULL;
}

static void no_thread(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)how;
    *thread = NULL;
}

static void no_thread_handle(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    static WSATHREADID nobody;
    (void)program;
    (void)how;
    memset(&nobody, 0, sizeof nobody);
    *thread = &nobody;
}

static void no_routine(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)thread;
    how->Parameters.Apc.lpfnCompletionProc = NULL;
}

static void no_window(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)thread;
    how->Parameters.WindowMessage.hWnd = NULL;
}

static void wrong_type(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    int type = 5;
    (void)program;
    (void)thread;
    memcpy(&how->Type, &type, sizeof type);
}

static void nothing(struct program *program, WSACOMPLETION *how, WSATHREADID **thread)
{
    (void)program;
    (void)how;
    (void)thread;
}

static const struct refusal_row {
    const char *name;
    WSACOMPLETIONTYPE type;
    void (*spoil)(struct program *program, WSACOMPLETION *how, WSATHREADID **thread);
    int error;
} refusal_rows[] = {
    {"event: no OVERLAPPED", NSP_NOTIFY_EVENT, no_overlapped, WSAEINVAL},
    {"event: no event in it", NSP_NOTIFY_EVENT, no_event, WSAEINVAL},
    {"event: a wrong handle", NSP_NOTIFY_EVENT, no_handle, WSAEINVAL},
    {"port: none", NSP_NOTIFY_PORT, no_port, WSAEINVAL},
    {"port: a wrong handle", NSP_NOTIFY_PORT, no_handle, WSAEINVAL},
    {"apc: no WSATHREADID", NSP_NOTIFY_APC, no_thread, WSAEINVAL},
    {"apc: no handle in it", NSP_NOTIFY_APC, no_thread_handle, WSAEINVAL},
    {"apc: a wrong handle", NSP_NOTIFY_APC, no_handle, WSAEINVAL},
    {"apc: no routine", NSP_NOTIFY_APC, no_routine, WSAEINVAL},
    {"window: none", NSP_NOTIFY_HWND, no_window, WSAEINVAL},
    {"a type that is none", NSP_NOTIFY_HWND, wrong_type, WSAEINVAL},
    {"immediately, which is a poll", NSP_NOTIFY_IMMEDIATELY, nothing, WSAEINVAL},
};

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusal_rows); i++) {
        const struct refusal_row *row = &refusal_rows[i];
        struct nsp_completion *completion = NULL;
        struct program program;
        start(&program);
        WSACOMPLETION how = completion_of(&program, row->type);
        WSATHREADID *thread = &program.thread;
        row->spoil(&program, &how, &thread);
        int error = nsp_completion_new(&how, thread, &program.memory.memory, &completion);
        if (error != row->error || completion != NULL || program.overlapped.Internal != 42) {
            fail_msg("%s: %d", row->name, error);
        }
        stop(&program);
    }
}

static void memory_may_be_short(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(type_rows); i++) {
        struct nsp_completion *completion = NULL;
        struct program program;
        start(&program);
        failing_memory_init(&program.memory, 1);
        WSACOMPLETION how = completion_of(&program, type_rows[i].type);
        assert_int_equal(
            nsp_completion_new(&how, &program.thread, &program.memory.memory, &completion),
            WSA_NOT_ENOUGH_MEMORY);
        assert_null(completion);
        stop(&program);
    }
}

// A thread that arms and ends.
static void arm(void *ctx)
{
    struct program *program = ctx;
    assert_true(DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                                &program->thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS));
}

static void a_thread_that_has_ended_is_told_nothing(void **state)
{
    (void)state;
    struct nsp_completion *completion;
    struct nsp_thread thread;
    struct program program;
    start(&program);
    CloseHandle(program.thread.ThreadHandle);
    assert_true(nsp_thread_start(&thread, arm, &program));
    nsp_thread_join(&thread);
    WSACOMPLETION how = completion_of(&program, NSP_NOTIFY_APC);
    assert_int_equal(nsp_completion_new(&how, &program.thread, &program.memory.memory, &completion),
                     0);
    nsp_completion_begin(completion);
    nsp_completion_deliver(completion, 0);
    (void)SleepEx(0, TRUE);
    assert_int_equal(routine.runs, 0);
    stop(&program);
}

static void a_window_that_is_gone_is_told_nothing(void **state)
{
    (void)state;
    struct nsp_completion *completion;
    struct program program;
    start(&program);
    WSACOMPLETION how = completion_of(&program, NSP_NOTIFY_HWND);
    assert_int_equal(nsp_completion_new(&how, NULL, &program.memory.memory, &completion), 0);
    nsp_completion_begin(completion);
    DestroyWindow(program.window);
    nsp_completion_deliver(completion, 0);
    program.window = create_window();
    see_window(&program, false);
    stop(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_way_tells_once),
        cmocka_unit_test(discarding_tells_nobody),
        cmocka_unit_test(handles_are_kept),
        cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(a_thread_that_has_ended_is_told_nothing),
        cmocka_unit_test(a_window_that_is_gone_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
