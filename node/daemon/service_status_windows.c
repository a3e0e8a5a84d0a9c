// SPDX-License-Identifier: MIT
#include "node/daemon/service_status_windows.h"

#define START_STEP_MS 30000 // a step may have to read all that the state directory has
#define STOP_STEP_MS  5000

static SRWLOCK lock = SRWLOCK_INIT;
static SERVICE_STATUS_HANDLE the_handle;
static enum daemon_service_state the_state;
static DWORD checkpoint;
static bool has_failed;

// With the lock held.
static void tell(void)
{
    static const DWORD words[] = {[DAEMON_SERVICE_STATE_NONE] = 0,
                                  [DAEMON_SERVICE_STATE_STARTING] = SERVICE_START_PENDING,
                                  [DAEMON_SERVICE_STATE_RUNNING] = SERVICE_RUNNING,
                                  [DAEMON_SERVICE_STATE_STOPPING] = SERVICE_STOP_PENDING,
                                  [DAEMON_SERVICE_STATE_STOPPED] = SERVICE_STOPPED};
    SERVICE_STATUS status = {.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
                             .dwCurrentState = words[the_state]};
    if (the_state == DAEMON_SERVICE_STATE_STARTING || the_state == DAEMON_SERVICE_STATE_RUNNING)
        status.dwControlsAccepted = SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN |
                                    SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE |
                                    SERVICE_ACCEPT_POWEREVENT;
    if (the_state == DAEMON_SERVICE_STATE_STARTING || the_state == DAEMON_SERVICE_STATE_STOPPING) {
        status.dwCheckPoint = ++checkpoint;
        status.dwWaitHint =
            the_state == DAEMON_SERVICE_STATE_STARTING ? START_STEP_MS : STOP_STEP_MS;
    }
    if (has_failed) {
        status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        status.dwServiceSpecificExitCode = 1;
    }
    SetServiceStatus(the_handle, &status);
}

// The one function that changes the state.
static void set_state(enum daemon_service_state state)
{
    if (the_handle == NULL || state <= the_state)
        return;
    the_state = state;
    checkpoint = 0;
    tell();
}

void daemon_service_status_begin(SERVICE_STATUS_HANDLE handle)
{
    AcquireSRWLockExclusive(&lock);
    the_handle = handle;
    set_state(DAEMON_SERVICE_STATE_STARTING);
    ReleaseSRWLockExclusive(&lock);
}

bool daemon_service_status_runs(void)
{
    AcquireSRWLockShared(&lock);
    bool runs = the_handle != NULL;
    ReleaseSRWLockShared(&lock);
    return runs;
}

void daemon_service_status_tell(enum daemon_service_state state)
{
    AcquireSRWLockExclusive(&lock);
    set_state(state);
    ReleaseSRWLockExclusive(&lock);
}

void daemon_service_status_step(void)
{
    AcquireSRWLockExclusive(&lock);
    if (the_state == DAEMON_SERVICE_STATE_STARTING || the_state == DAEMON_SERVICE_STATE_STOPPING)
        tell();
    ReleaseSRWLockExclusive(&lock);
}

void daemon_service_status_end(bool failed)
{
    AcquireSRWLockExclusive(&lock);
    has_failed = failed;
    set_state(DAEMON_SERVICE_STATE_STOPPED);
    ReleaseSRWLockExclusive(&lock);
}
