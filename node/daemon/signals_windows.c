// SPDX-License-Identifier: MIT
#include "node/daemon/signals.h"

#include "node/daemon/service_status_windows.h"
#include "node/daemon/signals_windows.h"
#include "node/daemon/wake.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <windows.h>

// For how long the system lets a closing console's or session's handler go on.
#define LAST_WORDS_MS 5000

// Of powrprof.h as Windows has it since 8.
#define NOTIFY_CALLBACK 2
struct power_subscription {
    ULONG(CALLBACK *call)(void *ctx, ULONG type, void *setting);
    void *ctx;
};
typedef DWORD(WINAPI *power_register_fn)(DWORD flags, struct power_subscription *subscription,
                                         HANDLE *ret_handle);
typedef DWORD(WINAPI *power_unregister_fn)(HANDLE handle);

struct daemon_signals {
    struct daemon_signals_calls calls;
    struct event *event;
    int wake_fds[2];
    bool handles;
    HMODULE powrprof;
    power_unregister_fn power_unregister;
    HANDLE power; // NULL: no word of it
};

// What the system's threads and the loop share; there is one set in a process.
static _Atomic int ring_fd = -1;
static _Atomic(const char *) told_end; // what came; NULL: nothing
static _Atomic bool told_reload;
static _Atomic bool told_resumed;

// ---- the system's threads ----

void daemon_signals_tell(enum daemon_signals_word word, const char *name)
{
    if (word == DAEMON_SIGNALS_END)
        atomic_store(&told_end, name);
    else if (word == DAEMON_SIGNALS_RELOAD)
        atomic_store(&told_reload, true);
    else
        atomic_store(&told_resumed, true);
    int fd = atomic_load(&ring_fd);
    if (fd >= 0)
        daemon_wake_ring(fd);
}

void daemon_signals_tell_power(DWORD type)
{
    // Of the two only the first comes where nobody woke the machine by hand.
    if (type == PBT_APMRESUMEAUTOMATIC || type == PBT_APMRESUMESUSPEND)
        daemon_signals_tell(DAEMON_SIGNALS_RESUMED, NULL);
}

static ULONG CALLBACK on_power(void *ctx, ULONG type, void *setting)
{
    (void)ctx;
    (void)setting;
    daemon_signals_tell_power(type);
    return 0;
}

static BOOL WINAPI on_console(DWORD type)
{
    static const char *const names[] = {[CTRL_C_EVENT] = "INT",
                                        [CTRL_BREAK_EVENT] = "BREAK",
                                        [CTRL_CLOSE_EVENT] = "CLOSE",
                                        [CTRL_LOGOFF_EVENT] = "LOGOFF",
                                        [CTRL_SHUTDOWN_EVENT] = "SHUTDOWN"};
    if (atomic_load(&ring_fd) < 0 || type >= sizeof names / sizeof names[0] || names[type] == NULL)
        return FALSE;
    daemon_signals_tell(DAEMON_SIGNALS_END, names[type]);
    // Once this returns from one of these, the process is gone: main() ends it before that.
    if (type == CTRL_CLOSE_EVENT || type == CTRL_LOGOFF_EVENT || type == CTRL_SHUTDOWN_EVENT)
        Sleep(LAST_WORDS_MS);
    return TRUE;
}

// ---- the loop ----

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_signals *signals = ctx;
    struct daemon_signals_calls calls = signals->calls;
    (void)what;
    daemon_wake_hush((int)fd);
    if (atomic_exchange(&told_resumed, false) && calls.resumed != NULL)
        calls.resumed(calls.ctx);
    if (atomic_exchange(&told_reload, false))
        calls.reload(calls.ctx);
    const char *name = atomic_exchange(&told_end, NULL);
    if (name != NULL)
        calls.end(calls.ctx, name);
}

// A service is told by its manager, a program in a console by this, which Windows has since 8.
static void ask_for_power(struct daemon_signals *signals)
{
    static struct power_subscription subscription = {.call = on_power};
    signals->powrprof = LoadLibraryExW(L"powrprof.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (signals->powrprof == NULL)
        return;
    power_register_fn subscribe = (power_register_fn)(void (*)(void))GetProcAddress(
        signals->powrprof, "PowerRegisterSuspendResumeNotification");
    signals->power_unregister = (power_unregister_fn)(void (*)(void))GetProcAddress(
        signals->powrprof, "PowerUnregisterSuspendResumeNotification");
    if (subscribe == NULL || signals->power_unregister == NULL ||
        subscribe(NOTIFY_CALLBACK, &subscription, &signals->power) != ERROR_SUCCESS)
        signals->power = NULL;
}

// The console's events are for whom it belongs to: a service hears of every user who logs off.
static bool listen_to_system(struct daemon_signals *signals)
{
    if (daemon_service_status_runs())
        return true;
    ask_for_power(signals);
    signals->handles = SetConsoleCtrlHandler(on_console, TRUE);
    return signals->handles;
}

struct daemon_signals *daemon_signals_new(struct event_base *base,
                                          const struct daemon_signals_calls *calls)
{
    struct daemon_signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL || !daemon_wake_open(signals->wake_fds)) {
        free(signals);
        return NULL;
    }
    signals->calls = *calls;
    signals->event = event_new(base, signals->wake_fds[0], EV_READ | EV_PERSIST, on_wake, signals);
    atomic_store(&ring_fd, signals->wake_fds[1]);
    if (signals->event != NULL && event_add(signals->event, NULL) == 0 &&
        listen_to_system(signals)) {
        daemon_wake_ring(signals->wake_fds[1]); // for what was told before
        return signals;
    }
    daemon_signals_free(signals);
    return NULL;
}

void daemon_signals_free(struct daemon_signals *signals)
{
    if (signals == NULL)
        return;
    if (signals->handles)
        SetConsoleCtrlHandler(on_console, FALSE);
    if (signals->power != NULL)
        signals->power_unregister(signals->power); // waits for a call that is under way
    if (signals->powrprof != NULL)
        FreeLibrary(signals->powrprof);
    atomic_store(&ring_fd, -1);
    if (signals->event != NULL)
        event_free(signals->event);
    daemon_wake_close(signals->wake_fds[0]);
    daemon_wake_close(signals->wake_fds[1]);
    free(signals);
}
