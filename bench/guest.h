// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_GUEST_H
#define PNR_BENCH_GUEST_H

// What the provider costs the program that it is in, with no daemon or with one that is played, and
// printed as it is measured. The same on Windows and natively.

#include "pnr/winsock.h"

// Something that is called again and again.
struct bench_guest_call {
    const char *what;
    void (*run)(void *ctx);
    void *ctx;
};

// Prints how long a call takes: the best of a few rows of them, since other work shares the
// machine.
void bench_guest_time(const struct bench_guest_call *call);

// Begin for a foreign class, and where there is no daemon; nobody: the address of none. further
// calls, of which the last one's `what` is NULL, are measured beside them.
void bench_guest_refusals(const char *nobody, const struct bench_guest_call *further);

// The poll, where nothing has changed.
void bench_guest_poll(void);

// From End to the return of a Next that waits on another thread; `rounds` times.
void bench_guest_end(size_t rounds);

// From what the daemon says to the program, by each type of notification; `rounds` times.
void bench_guest_notifications(size_t rounds);

#endif
