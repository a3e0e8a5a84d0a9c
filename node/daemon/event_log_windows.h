// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_EVENT_LOG_WINDOWS_H
#define PNR_DAEMON_EVENT_LOG_WINDOWS_H

// The Event Log of Windows, where administrators look: the log Application, with the service's name
// as source. What it shows of an event is made from a text in pnrd.exe's resources (messages.mc),
// which the registry names, and from the line.

#include "node/daemon/error.h"
#include "node/daemon/log.h"

#include <windows.h>

// Registers the source: pnrd.exe at program has its texts. False with the system's reason.
bool daemon_event_log_register(const char *name, const wchar_t *program,
                               struct daemon_error *ret_why);
// Takes the source away again. Does nothing where there is none.
void daemon_event_log_unregister(const char *name);

// To write as this source. NULL where the system does not have it; nothing is written then.
HANDLE daemon_event_log_open(const char *name);
void daemon_event_log_close(HANDLE source);

// Writes an event: errors, warnings, and what happened; not what is for finding faults.
void daemon_event_log_write(HANDLE source, enum daemon_log_level level, struct dht_span text);

#endif
