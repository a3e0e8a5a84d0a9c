// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_CRASH_H
#define PNR_DAEMON_CRASH_H

// Word of a crash, in the thread that crashed, before it ends the process as it would have done.

#include <stdbool.h>

// Called at a crash; once it returns the process ends. It may take no lock that it would have to
// wait for.
typedef void (*daemon_crash_fn)(void);

// Watches for crashes, or stops. What somebody else handles, such as a sanitizer, is left to him.
void daemon_crash_watch(bool on, daemon_crash_fn fn);

// Waits; may be called by a daemon_crash_fn.
void daemon_crash_wait_ms(unsigned ms);

#endif
