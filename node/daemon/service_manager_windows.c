// SPDX-License-Identifier: MIT
#include "node/daemon/service_manager_windows.h"

#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>

#define OURS            L" service run --name " // in every command line that we have made
#define CONFIG_BYTES    8192                    // the most that the manager hands out
#define POLL_MIN_MS     50
#define POLL_MAX_MS     500
#define STILL_MIN_MS    10000 // for one that gives no hint
#define RESTART_MS      2000
#define RESTART_LATE_MS 60000
#define FORGET_S        86400 // after so long without a failure the first counts as the first
#define PRESHUTDOWN_MS  5000

bool daemon_service_manager_fail(const char *what, const char *name, struct daemon_error *ret_error)
{
    DWORD code = GetLastError();
    char reason[DAEMON_WIDE_REASON_MAX];
    const char *remedy = "";
    if (code == ERROR_ACCESS_DENIED)
        remedy = "; remedy: run this as an administrator (a console opened by \"Run as "
                 "administrator\")";
    else if (code == ERROR_SERVICE_MARKED_FOR_DELETE)
        remedy = "; remedy: close programs that look at services, or start Windows again";
    else if (code == ERROR_SERVICE_DISABLED)
        remedy = "; remedy: pnrd service install makes its start automatic again, after uninstall";
    daemon_error_set(ret_error, "cannot %s the service %s: %s%s", what, name,
                     daemon_wide_reason(code, reason), remedy);
    return false;
}

// ---- finding ----

static bool is_ours(const struct daemon_service_manager *manager, struct daemon_error *ret_error)
{
    static struct daemon_service_manager_config config;
    if (!daemon_service_manager_config(manager, &config, ret_error))
        return false;
    if (wcsstr(config.line, OURS) != NULL)
        return true;
    daemon_error_set(ret_error,
                     "the service %s does not run pnrd; remedy: another name (--name), or, where "
                     "it is not wanted any more, sc delete %s",
                     manager->name, manager->name);
    return false;
}

bool daemon_service_manager_open(const char *name, DWORD manager_rights, DWORD service_rights,
                                 struct daemon_service_manager *ret_manager,
                                 struct daemon_error *ret_error)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    struct daemon_service_manager manager = {.name = name};
    (void)daemon_wide_path(name, wide);
    manager.manager = OpenSCManagerW(NULL, NULL, manager_rights | SC_MANAGER_CONNECT);
    if (manager.manager == NULL)
        return daemon_service_manager_fail("open", name, ret_error);
    manager.service = OpenServiceW(manager.manager, wide,
                                   service_rights | SERVICE_QUERY_STATUS | SERVICE_QUERY_CONFIG);
    bool ok = manager.service != NULL ? is_ours(&manager, ret_error)
                                      : GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST ||
                                            daemon_service_manager_fail("open", name, ret_error);
    if (ok)
        *ret_manager = manager;
    else
        daemon_service_manager_close(&manager);
    return ok;
}

void daemon_service_manager_close(struct daemon_service_manager *manager)
{
    if (manager->service != NULL)
        CloseServiceHandle(manager->service);
    CloseServiceHandle(manager->manager);
}

// ---- making ----

// What a service is besides: it does without where the manager has no such thing.
static void describe(SC_HANDLE service)
{
    wchar_t text[] = L"Takes part in the DHT, publishes the peer names of this machine and "
                     L"resolves those of others.";
    SERVICE_DESCRIPTIONW description = {.lpDescription = text};
    SC_ACTION actions[] = {{SC_ACTION_RESTART, RESTART_MS},
                           {SC_ACTION_RESTART, RESTART_MS},
                           {SC_ACTION_RESTART, RESTART_LATE_MS}}; // this one from then on
    SERVICE_FAILURE_ACTIONSW failure = {
        .dwResetPeriod = FORGET_S,
        .cActions = sizeof actions / sizeof actions[0],
        .lpsaActions = actions,
    };
    SERVICE_FAILURE_ACTIONS_FLAG flag = {.fFailureActionsOnNonCrashFailures = TRUE};
    SERVICE_PRESHUTDOWN_INFO preshutdown = {.dwPreshutdownTimeout = PRESHUTDOWN_MS};
    SERVICE_SID_INFO sid = {.dwServiceSidType = SERVICE_SID_TYPE_UNRESTRICTED};
    // To pass through folders that it may not list; all others of its token are taken away.
    wchar_t privileges[] = L"SeChangeNotifyPrivilege\0";
    SERVICE_REQUIRED_PRIVILEGES_INFOW required = {.pmszRequiredPrivileges = privileges};
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_DESCRIPTION, &description);
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failure);
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag);
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown);
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_SERVICE_SID_INFO, &sid);
    (void)ChangeServiceConfig2W(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &required);
}

bool daemon_service_manager_create(struct daemon_service_manager *manager,
                                   const struct daemon_service_manager_plan *plan,
                                   struct daemon_error *ret_error)
{
    wchar_t name[DAEMON_WIDE_PATH_MAX];
    wchar_t display[DAEMON_WIDE_PATH_MAX];
    (void)daemon_wide_path(plan->name, name);
    swprintf(display, DAEMON_WIDE_PATH_MAX, L"Peer name resolution (%ls)", name);
    manager->service =
        CreateServiceW(manager->manager, name, display,
                       DELETE | SERVICE_CHANGE_CONFIG | SERVICE_START | SERVICE_QUERY_STATUS,
                       SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                       plan->line, NULL, NULL, NULL, plan->account, NULL);
    if (manager->service == NULL)
        return daemon_service_manager_fail("make", plan->name, ret_error);
    describe(manager->service);
    return true;
}

// ---- asking ----

bool daemon_service_manager_config(const struct daemon_service_manager *manager,
                                   struct daemon_service_manager_config *ret_config,
                                   struct daemon_error *ret_error)
{
    static union {
        QUERY_SERVICE_CONFIGW config;
        BYTE room[CONFIG_BYTES];
    } answer;
    DWORD needed;
    if (!QueryServiceConfigW(manager->service, &answer.config, sizeof answer, &needed))
        return daemon_service_manager_fail("look at", manager->name, ret_error);
    swprintf(ret_config->line, DAEMON_SERVICE_MANAGER_LINE_MAX, L"%ls",
             answer.config.lpBinaryPathName);
    swprintf(ret_config->account, sizeof ret_config->account / sizeof(wchar_t), L"%ls",
             answer.config.lpServiceStartName);
    ret_config->start_type = answer.config.dwStartType;
    return true;
}

bool daemon_service_manager_status(const struct daemon_service_manager *manager,
                                   SERVICE_STATUS_PROCESS *ret_status,
                                   struct daemon_error *ret_error)
{
    DWORD needed;
    if (QueryServiceStatusEx(manager->service, SC_STATUS_PROCESS_INFO, (BYTE *)ret_status,
                             sizeof *ret_status, &needed))
        return true;
    return daemon_service_manager_fail("ask after", manager->name, ret_error);
}

bool daemon_service_manager_wait(const struct daemon_service_manager *manager, DWORD pending,
                                 SERVICE_STATUS_PROCESS *ret_status, struct daemon_error *ret_error)
{
    DWORD checkpoint = 0;
    ULONGLONG moved_ms = GetTickCount64();
    for (;;) {
        if (!daemon_service_manager_status(manager, ret_status, ret_error))
            return false;
        if (ret_status->dwCurrentState != pending)
            return true;
        DWORD hint_ms = ret_status->dwWaitHint;
        DWORD still_ms = hint_ms > STILL_MIN_MS ? hint_ms : STILL_MIN_MS;
        DWORD poll_ms = hint_ms / 10;
        if (ret_status->dwCheckPoint != checkpoint) {
            checkpoint = ret_status->dwCheckPoint;
            moved_ms = GetTickCount64();
        } else if (GetTickCount64() - moved_ms > still_ms) {
            daemon_error_set(ret_error,
                             "the service %s has not moved for %lu s; remedy: look at its log, and "
                             "end process %lu",
                             manager->name, still_ms / 1000, ret_status->dwProcessId);
            return false;
        }
        Sleep(poll_ms < POLL_MIN_MS ? POLL_MIN_MS : poll_ms > POLL_MAX_MS ? POLL_MAX_MS : poll_ms);
    }
}
