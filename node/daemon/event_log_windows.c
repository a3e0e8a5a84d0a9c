// SPDX-License-Identifier: MIT
#include "node/daemon/event_log_windows.h"

#include "messages.h" // made from messages.mc
#include "node/daemon/wide_windows.h"

#include <stdio.h>

#define SOURCES L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application"

static void name_key(const char *name, wchar_t ret_key[256])
{
    swprintf(ret_key, 256, SOURCES L"\\%hs", name);
}

bool daemon_event_log_register(const char *name, const wchar_t *program,
                               struct daemon_error *ret_why)
{
    wchar_t path[256];
    HKEY key;
    DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    name_key(name, path);
    LSTATUS error =
        RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL);
    if (error == ERROR_SUCCESS) {
        error = RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ, (const BYTE *)program,
                               (DWORD)((wcslen(program) + 1) * sizeof *program));
        if (error == ERROR_SUCCESS)
            error = RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD, (const BYTE *)&types,
                                   sizeof types);
        RegCloseKey(key);
    }
    if (error == ERROR_SUCCESS)
        return true;
    SetLastError((DWORD)error);
    return daemon_wide_fail(ret_why);
}

void daemon_event_log_unregister(const char *name)
{
    wchar_t path[256];
    name_key(name, path);
    RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
}

HANDLE daemon_event_log_open(const char *name)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    return daemon_wide_path(name, wide) ? RegisterEventSourceW(NULL, wide) : NULL;
}

void daemon_event_log_close(HANDLE source)
{
    if (source != NULL)
        DeregisterEventSource(source);
}

void daemon_event_log_write(HANDLE source, enum daemon_log_level level, struct dht_span text)
{
    static const struct kind {
        WORD type;
        DWORD message;
    } kinds[] = {
        [DAEMON_LOG_ERROR] = {EVENTLOG_ERROR_TYPE, PNRD_ERROR},
        [DAEMON_LOG_WARN] = {EVENTLOG_WARNING_TYPE, PNRD_WARNING},
        [DAEMON_LOG_INFO] = {EVENTLOG_INFORMATION_TYPE, PNRD_INFORMATION},
    };
    char line[DAEMON_LOG_LINE_MAX + 1];
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    const wchar_t *texts[] = {wide};
    _Static_assert(DAEMON_LOG_LINE_MAX < DAEMON_WIDE_PATH_MAX, "a line fits");
    if (source == NULL || level >= sizeof kinds / sizeof kinds[0])
        return;
    snprintf(line, sizeof line, "%.*s", (int)text.len, (const char *)text.data);
    if (daemon_wide_path(line, wide))
        ReportEventW(source, kinds[level].type, 0, kinds[level].message, NULL, 1, 0, texts, NULL);
}
