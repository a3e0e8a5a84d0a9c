// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_STATUS_WINDOWS_H
#define PNR_DAEMON_SERVICE_STATUS_WINDOWS_H

// What the service manager of Windows is told of this process, where it is a service:
//
//   STARTING --> RUNNING --> STOPPING --> STOPPED
//       \_______________________^
//
// It never goes back: a stop that comes while pnrd starts stands. While it starts or stops, each
// step that is done is told (a checkpoint), for the manager gives up on what does not move. Any
// thread may call these.

#include <stdbool.h>
#include <windows.h>

enum daemon_service_state {
    DAEMON_SERVICE_STATE_NONE, // this is no service; what is told is told nobody
    DAEMON_SERVICE_STATE_STARTING,
    DAEMON_SERVICE_STATE_RUNNING,
    DAEMON_SERVICE_STATE_STOPPING,
    DAEMON_SERVICE_STATE_STOPPED,
};

// From now on this process is a service, and starting.
void daemon_service_status_begin(SERVICE_STATUS_HANDLE handle);

bool daemon_service_status_runs(void);

void daemon_service_status_tell(enum daemon_service_state state);

// A step is done.
void daemon_service_status_step(void);

// The last word. failed: the manager starts it again, if it was told so.
void daemon_service_status_end(bool failed);

#endif
