// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_SERVICE_MANAGER_WINDOWS_H
#define PNR_DAEMON_SERVICE_MANAGER_WINDOWS_H

// The service manager of Windows: a service of ours in it, found, made, asked and waited for. One
// that does not run pnrd, such as Windows' own pnrpsvc, is none of ours and left alone.

#include "node/daemon/error.h"

#include <stdbool.h>
#include <windows.h>

#define DAEMON_SERVICE_MANAGER_LINE_MAX 8192 // units of a service's command line

struct daemon_service_manager {
    SC_HANDLE manager;
    SC_HANDLE service; // NULL: there is none of that name
    const char *name;
};

// What a service is to be.
struct daemon_service_manager_plan {
    const char *name;
    const wchar_t *line; // what is run
    const wchar_t *account;
};

// What there is of one.
struct daemon_service_manager_config {
    wchar_t line[DAEMON_SERVICE_MANAGER_LINE_MAX];
    wchar_t account[256];
    DWORD start_type; // SERVICE_AUTO_START and so on
};

// Opens the service of that name, with these rights; where there is none, service is NULL. False
// with an error where that is not allowed, or it is not ours.
bool daemon_service_manager_open(const char *name, DWORD manager_rights, DWORD service_rights,
                                 struct daemon_service_manager *ret_manager,
                                 struct daemon_error *ret_error);
void daemon_service_manager_close(struct daemon_service_manager *manager);

// Makes it: automatic start, a description, restarts after it failed. service is its handle then.
bool daemon_service_manager_create(struct daemon_service_manager *manager,
                                   const struct daemon_service_manager_plan *plan,
                                   struct daemon_error *ret_error);

bool daemon_service_manager_config(const struct daemon_service_manager *manager,
                                   struct daemon_service_manager_config *ret_config,
                                   struct daemon_error *ret_error);

bool daemon_service_manager_status(const struct daemon_service_manager *manager,
                                   SERVICE_STATUS_PROCESS *ret_status,
                                   struct daemon_error *ret_error);

// Waits while it is pending in this state: as long as it moves, by the hints it gives itself.
// ret_status: what it is now. False where it stands still, or the manager does not tell.
bool daemon_service_manager_wait(const struct daemon_service_manager *manager, DWORD pending,
                                 SERVICE_STATUS_PROCESS *ret_status,
                                 struct daemon_error *ret_error);

// Sets the error of GetLastError(): what was to be done, why not, and what helps. Returns false.
bool daemon_service_manager_fail(const char *what, const char *name,
                                 struct daemon_error *ret_error);

#endif
