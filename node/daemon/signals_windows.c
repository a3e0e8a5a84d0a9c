// SPDX-License-Identifier: MIT
#include "node/daemon/signals.h"

#include "node/daemon/wake.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <windows.h>

// For how long the system lets a closing console's or session's handler go on.
#define LAST_WORDS_MS 5000

struct daemon_signals {
    struct daemon_signals_calls calls;
    struct event *event;
    int wake_fds[2];
    bool handles;
};

// What the system's thread and the loop share; there is one set in a process.
static _Atomic int ring_fd = -1;
static _Atomic(const char *) told; // what came

static BOOL WINAPI on_console(DWORD type)
{
    static const char *const names[] = {[CTRL_C_EVENT] = "INT",
                                        [CTRL_BREAK_EVENT] = "BREAK",
                                        [CTRL_CLOSE_EVENT] = "CLOSE",
                                        [CTRL_LOGOFF_EVENT] = "LOGOFF",
                                        [CTRL_SHUTDOWN_EVENT] = "SHUTDOWN"};
    int fd = atomic_load(&ring_fd);
    if (fd < 0 || type >= sizeof names / sizeof names[0] || names[type] == NULL)
        return FALSE;
    atomic_store(&told, names[type]);
    daemon_wake_ring(fd);
    // Once this returns from one of these, the process is gone: main() ends it before that.
    if (type == CTRL_CLOSE_EVENT || type == CTRL_LOGOFF_EVENT || type == CTRL_SHUTDOWN_EVENT)
        Sleep(LAST_WORDS_MS);
    return TRUE;
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_signals *signals = ctx;
    (void)what;
    daemon_wake_hush((int)fd);
    const char *name = atomic_exchange(&told, NULL);
    if (name != NULL)
        signals->calls.end(signals->calls.ctx, name);
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
    signals->handles = signals->event != NULL && event_add(signals->event, NULL) == 0 &&
                       SetConsoleCtrlHandler(on_console, TRUE);
    if (signals->handles)
        return signals;
    daemon_signals_free(signals);
    return NULL;
}

void daemon_signals_free(struct daemon_signals *signals)
{
    if (signals == NULL)
        return;
    if (signals->handles)
        SetConsoleCtrlHandler(on_console, FALSE);
    atomic_store(&ring_fd, -1);
    if (signals->event != NULL)
        event_free(signals->event);
    daemon_wake_close(signals->wake_fds[0]);
    daemon_wake_close(signals->wake_fds[1]);
    free(signals);
}
