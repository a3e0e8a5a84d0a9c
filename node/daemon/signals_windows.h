// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SIGNALS_WINDOWS_H
#define PNR_DAEMON_SIGNALS_WINDOWS_H

// What comes in threads of the system's, handed to the loop's set of node/daemon/signals.h. Any
// thread may call these, also before there is the set: it then has what was told.

#include <windows.h>

enum daemon_signals_word {
    DAEMON_SIGNALS_END,
    DAEMON_SIGNALS_RELOAD,
    DAEMON_SIGNALS_RESUMED,
};

// name: for END, which it was, for the log; a text that stays.
void daemon_signals_tell(enum daemon_signals_word word, const char *name);

// A power event, PBT_...: tells RESUMED where the machine was asleep.
void daemon_signals_tell_power(DWORD type);

#endif
