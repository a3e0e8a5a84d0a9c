// SPDX-License-Identifier: MIT
#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

bool daemon_wide_path(const char *text, wchar_t ret_path[DAEMON_WIDE_PATH_MAX])
{
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, ret_path,
                            DAEMON_WIDE_PATH_MAX) > 0)
        return true;
    ret_path[0] = L'\0';
    SetLastError(ERROR_INVALID_NAME);
    return false;
}

bool daemon_wide_text(const wchar_t *wide, char *ret_text, size_t text_len)
{
    if (WideCharToMultiByte(CP_UTF8, 0, wide, -1, ret_text, (int)text_len, NULL, NULL) > 0)
        return true;
    ret_text[0] = '\0';
    return false;
}

const char *daemon_wide_reason(unsigned long code, char ret_reason[DAEMON_WIDE_REASON_MAX])
{
    wchar_t wide[DAEMON_WIDE_REASON_MAX / 4];
    DWORD len = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                   FORMAT_MESSAGE_MAX_WIDTH_MASK,
                               NULL, code, 0, wide, sizeof wide / sizeof wide[0], NULL);
    while (len > 0 && (wide[len - 1] == L' ' || wide[len - 1] == L'.'))
        wide[--len] = L'\0';
    if (len == 0 || !daemon_wide_text(wide, ret_reason, DAEMON_WIDE_REASON_MAX))
        snprintf(ret_reason, DAEMON_WIDE_REASON_MAX, "error %lu", code);
    return ret_reason;
}

bool daemon_wide_fail(struct daemon_error *ret_why)
{
    char reason[DAEMON_WIDE_REASON_MAX];
    daemon_error_set(ret_why, "%s", daemon_wide_reason(GetLastError(), reason));
    return false;
}

bool daemon_wide_variable(const wchar_t *name, char *ret_text, size_t text_len)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    DWORD len = GetEnvironmentVariableW(name, wide, DAEMON_WIDE_PATH_MAX);
    return len > 0 && len < DAEMON_WIDE_PATH_MAX && daemon_wide_text(wide, ret_text, text_len);
}
