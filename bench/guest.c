// SPDX-License-Identifier: MIT
#include "bench/guest.h"

#include "bench/actor.h"
#include "bench/program.h"
#include "bench/samples.h"
#include "bench/system.h"
#include "nsp/platform.h"

#include <stdio.h>
#include <string.h>

#define ROWS         7
#define ROW_LEAST_NS 20000000

static const GUID foreign = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0, 0xaa, 0, 0xa7, 0x11, 0x2b}};

// ---- calls that ask nobody ----

static int64_t time_row(const struct bench_guest_call *call, size_t count)
{
    int64_t start_ns = bench_now_ns();
    for (size_t i = 0; i < count; i++)
        call->run(call->ctx);
    return bench_now_ns() - start_ns;
}

void bench_guest_time(const struct bench_guest_call *call)
{
    size_t count = 1;
    int64_t best_ns;
    while ((best_ns = time_row(call, count)) < ROW_LEAST_NS)
        count *= 2;
    for (int row = 1; row < ROWS; row++) {
        int64_t took_ns = time_row(call, count);
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("%s: %.1f ns\n", call->what, (double)best_ns / (double)count);
    fflush(stdout);
}

static void begin_in_vain(void *query)
{
    HANDLE handle;
    if (bench_program_begin(query, &handle) == 0)
        bench_die("NSPLookupServiceBegin", "has begun what is not there");
}

void bench_guest_refusals(const char *nobody, const struct bench_guest_call *further)
{
    struct bench_program_query not_ours, ours;
    bench_program_ask(&not_ours, "host", &foreign);
    bench_program_ask(&ours, "0.name", &SVCID_PNRPNAME_V2);
    bench_program_start(nobody);
    bench_guest_time(
        &(struct bench_guest_call){"Begin for a foreign class", begin_in_vain, &not_ours});
    bench_guest_time(&(struct bench_guest_call){"Begin without a daemon", begin_in_vain, &ours});
    bench_program_stop();
    for (; further->what != NULL; further++)
        bench_guest_time(further);
}

static void poll_it(void *handle)
{
    if (bench_program_notify(handle, NULL, NULL) != WSAEWOULDBLOCK)
        bench_die("poll", "something has changed");
}

void bench_guest_poll(void)
{
    struct bench_actor actor;
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    HANDLE handle = bench_program_must_begin("0.name");
    uint32_t id = bench_actor_hear(&actor);
    bench_actor_tell(&actor, id, '1', NULL);
    (void)bench_program_next(handle);
    bench_guest_time(&(struct bench_guest_call){"the poll", poll_it, handle});
    bench_program_stop();
    bench_actor_stop(&actor);
}

// ---- End while another thread is in Next ----

struct waiter {
    struct nsp_thread thread;
    HANDLE handle;
    int code;
    int64_t woken_ns;
};

static void wait_in_next(void *ctx)
{
    struct waiter *waiter = ctx;
    waiter->code = bench_program_next(waiter->handle);
    waiter->woken_ns = bench_now_ns();
}

static void start_thread(struct nsp_thread *thread, void (*run)(void *ctx), void *ctx)
{
    if (!nsp_thread_start(thread, run, ctx))
        bench_die("a thread", "cannot be had");
}

void bench_guest_end(size_t rounds)
{
    struct bench_actor actor;
    struct bench_samples samples = {0};
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    while (samples.count < rounds) {
        struct waiter waiter = {.handle = bench_program_must_begin("0.name")};
        (void)bench_actor_hear(&actor);
        start_thread(&waiter.thread, wait_in_next, &waiter);
        bench_pause();
        int64_t start_ns = bench_now_ns();
        bench_program_end(waiter.handle);
        nsp_thread_join(&waiter.thread);
        (void)bench_actor_hear(&actor); // the cancel
        if (waiter.code == WSA_E_CANCELLED)
            bench_samples_add(&samples, waiter.woken_ns - start_ns);
    }
    bench_samples_print(&samples, "End to the return of a waiting Next");
    bench_program_stop();
    bench_actor_stop(&actor);
}

// ---- from the daemon's word to the program ----

// A thread that arms and waits, again and again.
struct listener {
    struct nsp_thread thread;
    WSACOMPLETIONTYPE type;
    size_t rounds;
    HANDLE handle;
    HANDLE armed, told; // events that are used up
    int64_t woken_ns;
};

static _Thread_local bool routine_has_run;

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    routine_has_run = true;
}

// What a listener waits with.
struct ear {
    OVERLAPPED overlapped;
    HANDLE port;
    HWND window;
    WSATHREADID thread;
    WSACOMPLETION how;
};

static void open_ear(struct ear *ear, WSACOMPLETIONTYPE type)
{
    static const WCHAR window_class[] = {'M', 'e', 's', 's', 'a', 'g', 'e', 0};
    memset(ear, 0, sizeof *ear);
    ear->how.Type = type;
    if (type == NSP_NOTIFY_EVENT) {
        ear->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        ear->how.Parameters.Event.lpOverlapped = &ear->overlapped;
    } else if (type == NSP_NOTIFY_PORT) {
        ear->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        ear->how.Parameters.Port.hPort = ear->port;
        ear->how.Parameters.Port.lpOverlapped = &ear->overlapped;
    } else if (type == NSP_NOTIFY_HWND) {
        ear->window =
            CreateWindowExW(0, window_class, NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, NULL, NULL);
        ear->how.Parameters.WindowMessage.hWnd = ear->window;
        ear->how.Parameters.WindowMessage.uMsg = WM_USER + 1;
    } else {
        ear->how.Parameters.Apc.lpfnCompletionProc = run_routine;
        ear->how.Parameters.Apc.lpOverlapped = &ear->overlapped;
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                        &ear->thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS);
    }
}

static void wait_with(struct ear *ear)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    MSG message;
    if (ear->how.Type == NSP_NOTIFY_EVENT) {
        WaitForSingleObject(ear->overlapped.hEvent, INFINITE);
    } else if (ear->how.Type == NSP_NOTIFY_PORT) {
        GetQueuedCompletionStatus(ear->port, &bytes, &key, &overlapped, INFINITE);
    } else if (ear->how.Type == NSP_NOTIFY_HWND) {
        if (GetMessageW(&message, ear->window, WM_USER + 1, WM_USER + 1) != 1)
            bench_die("GetMessage", "has no message");
    } else {
        routine_has_run = false;
        while (!routine_has_run)
            SleepEx(INFINITE, TRUE);
    }
}

static void close_ear(struct ear *ear)
{
    HANDLE handles[] = {ear->overlapped.hEvent, ear->port, ear->thread.ThreadHandle};
    for (size_t i = 0; i < 3; i++)
        if (handles[i] != NULL)
            CloseHandle(handles[i]);
    if (ear->window != NULL)
        DestroyWindow(ear->window);
}

static void listen_for_changes(void *ctx)
{
    struct listener *listener = ctx;
    struct ear ear;
    open_ear(&ear, listener->type);
    for (size_t i = 0; i < listener->rounds; i++) {
        if (ear.overlapped.hEvent != NULL)
            ResetEvent(ear.overlapped.hEvent);
        if (bench_program_notify(listener->handle, &ear.how, &ear.thread) != WSA_IO_PENDING)
            bench_die("NSPIoctl", "does not wait");
        SetEvent(listener->armed);
        wait_with(&ear);
        listener->woken_ns = bench_now_ns();
        if (bench_program_next(listener->handle) != 0)
            bench_die("NSPLookupServiceNext", "has no change");
        SetEvent(listener->told);
    }
    close_ear(&ear);
}

static void time_notification(WSACOMPLETIONTYPE type, const char *what, size_t rounds)
{
    struct bench_actor actor;
    struct bench_samples samples = {0};
    struct listener listener = {.type = type, .rounds = rounds};
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    listener.handle = bench_program_must_begin("0.name");
    uint32_t id = bench_actor_hear(&actor);
    bench_actor_tell(&actor, id, '0', NULL);
    bench_actor_answer(&actor, id, "done", "d5:counti1ee");
    (void)bench_program_next(listener.handle);
    (void)bench_program_next(listener.handle); // there is no more
    listener.armed = CreateEventW(NULL, FALSE, FALSE, NULL);
    listener.told = CreateEventW(NULL, FALSE, FALSE, NULL);
    start_thread(&listener.thread, listen_for_changes, &listener);
    for (size_t i = 0; i < rounds; i++) {
        WaitForSingleObject(listener.armed, INFINITE);
        if (i == 0)
            id = bench_actor_hear(&actor); // the watch
        bench_pause();
        int64_t start_ns = bench_now_ns();
        bench_actor_tell(&actor, id, i % 2 == 0 ? '1' : '2', "changed");
        WaitForSingleObject(listener.told, INFINITE);
        bench_samples_add(&samples, listener.woken_ns - start_ns);
    }
    nsp_thread_join(&listener.thread);
    CloseHandle(listener.armed);
    CloseHandle(listener.told);
    bench_samples_print(&samples, what);
    bench_program_stop();
    bench_actor_stop(&actor);
}

void bench_guest_notifications(size_t rounds)
{
    time_notification(NSP_NOTIFY_EVENT, "notification by an event", rounds);
    time_notification(NSP_NOTIFY_PORT, "notification by a completion port", rounds);
    time_notification(NSP_NOTIFY_APC, "notification by an APC", rounds);
    time_notification(NSP_NOTIFY_HWND, "notification by a window message", rounds);
}
