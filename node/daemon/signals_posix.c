// SPDX-License-Identifier: MIT
#include "node/daemon/signals.h"

#include <signal.h>
#include <stdlib.h>

#define COUNT 3

static const int handled[COUNT] = {SIGTERM, SIGINT, SIGHUP};

struct daemon_signals {
    struct daemon_signals_calls calls;
    struct event *events[COUNT];
};

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
    struct daemon_signals *signals = ctx;
    (void)what;
    if (number == SIGHUP)
        signals->calls.reload(signals->calls.ctx);
    else
        signals->calls.end(signals->calls.ctx, number == SIGTERM ? "TERM" : "INT");
}

struct daemon_signals *daemon_signals_new(struct event_base *base,
                                          const struct daemon_signals_calls *calls)
{
    struct daemon_signals *signals = calloc(1, sizeof *signals);
    if (signals == NULL)
        return NULL;
    signals->calls = *calls;
    for (size_t i = 0; i < COUNT; i++) {
        signals->events[i] = evsignal_new(base, handled[i], on_signal, signals);
        if (signals->events[i] == NULL || event_add(signals->events[i], NULL) != 0) {
            daemon_signals_free(signals);
            return NULL;
        }
    }
    return signals;
}

void daemon_signals_free(struct daemon_signals *signals)
{
    if (signals == NULL)
        return;
    for (size_t i = 0; i < COUNT; i++) {
        if (signals->events[i] != NULL)
            event_free(signals->events[i]);
    }
    free(signals);
}
