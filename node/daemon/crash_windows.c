// SPDX-License-Identifier: MIT
#include "node/daemon/crash.h"

#include <signal.h>
#include <stddef.h>
#include <windows.h>

static daemon_crash_fn told;
static LPTOP_LEVEL_EXCEPTION_FILTER before;

static void on_abort(int number)
{
    (void)number;
    told(); // back in abort(), which ends the process
}

static LONG WINAPI on_exception(EXCEPTION_POINTERS *pointers)
{
    told();
    return before == NULL ? EXCEPTION_CONTINUE_SEARCH : before(pointers);
}

void daemon_crash_watch(bool on, daemon_crash_fn fn)
{
    static bool watches;
    if (on == watches) {
        told = on ? fn : told;
        return;
    }
    watches = on;
    told = fn;
    if (on) {
        before = SetUnhandledExceptionFilter(on_exception);
        signal(SIGABRT, on_abort);
    } else {
        SetUnhandledExceptionFilter(before);
        signal(SIGABRT, SIG_DFL);
    }
}

void daemon_crash_wait_ms(unsigned ms)
{
    Sleep(ms);
}
