// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SIGNALS_H
#define PNR_DAEMON_SIGNALS_H

// What the system tells a process that is none of its own: to end, and to read its configuration
// again. SIGTERM, SIGINT and SIGHUP; on Windows the console's events (Ctrl+C, Ctrl+Break, closing,
// logging off, shutting down), a service's controls, and word that the machine was asleep, which
// come in threads of the system's and are handed to the loop.
// There can be one set in a process.

#include <event2/event.h>
#include <stdbool.h>

struct daemon_signals;

struct daemon_signals_calls {
    void (*end)(void *ctx, const char *name); // name: which, for the log
    void (*reload)(void *ctx);
    void (*resumed)(void *ctx); // the machine was asleep; may be NULL. Windows alone
    void *ctx;
};

// Calls are made by the loop from now on. NULL where memory is short.
struct daemon_signals *daemon_signals_new(struct event_base *base,
                                          const struct daemon_signals_calls *calls);
void daemon_signals_free(struct daemon_signals *signals);

#endif
