// SPDX-License-Identifier: MIT
#include "node/daemon/crash.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

#define COUNT 5

static const int handled[COUNT] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
static daemon_crash_fn told;

// Once it returns, the signal does what it does by default.
static void on_crash(int number)
{
    (void)number;
    told();
}

void daemon_crash_watch(bool on, daemon_crash_fn fn)
{
    told = fn;
    for (size_t i = 0; i < COUNT; i++) {
        struct sigaction now;
        struct sigaction wanted = {.sa_flags = (int)SA_RESETHAND};
        wanted.sa_handler = on ? on_crash : SIG_DFL;
        bool ours = sigaction(handled[i], NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 &&
                    now.sa_handler == (on ? SIG_DFL : on_crash);
        if (ours)
            sigaction(handled[i], &wanted, NULL);
    }
}

void daemon_crash_wait_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    nanosleep(&wait, NULL);
}
