// SPDX-License-Identifier: MIT
#include "node/daemon/paths.h"

#include "node/daemon/service_status_windows.h"
#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>

// clang-format off
#include <windows.h>
#include <shlobj.h>
// clang-format on

struct place {
    const char *posix;
    const char *prefix;
    const char *below; // %ProgramData%
};

static const struct place places[] = {
    {"/var/lib/pnr", "", "pnr\\state"},
    {"/etc/pnr/pnr.conf", "", "pnr\\pnr.conf"},
    {"/run/pnr", "", "pnr"},
    {"unix:/run/pnr/control.sock", "tcp:", "pnr\\control.rendezvous"},
};

// %ProgramData%, where clients look too; a service, whose environment is whatever it was started
// with, asks the system.
static void find_base(char ret_base[DAEMON_PATHS_MAX])
{
    wchar_t wide[MAX_PATH];
    if (!daemon_service_status_runs() &&
        daemon_wide_variable(L"ProgramData", ret_base, DAEMON_PATHS_MAX))
        return;
    if (SHGetFolderPathW(NULL, CSIDL_COMMON_APPDATA, NULL, SHGFP_TYPE_CURRENT, wide) != S_OK ||
        !daemon_wide_text(wide, ret_base, DAEMON_PATHS_MAX))
        snprintf(ret_base, DAEMON_PATHS_MAX, "C:\\ProgramData");
}

const char *daemon_paths_standard(const char *posix, char buf[DAEMON_PATHS_MAX])
{
    char base[DAEMON_PATHS_MAX];
    find_base(base);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strcmp(places[i].posix, posix) != 0)
            continue;
        snprintf(buf, DAEMON_PATHS_MAX, "%s%.900s\\%s", places[i].prefix, base, places[i].below);
        return buf;
    }
    return posix;
}

bool daemon_paths_is_service(void)
{
    HANDLE token;
    TOKEN_ELEVATION elevation = {0};
    DWORD len;
    if (daemon_service_status_runs())
        return true;
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
        return false;
    bool is_elevated =
        GetTokenInformation(token, TokenElevation, &elevation, sizeof elevation, &len) &&
        elevation.TokenIsElevated != 0;
    CloseHandle(token);
    return is_elevated;
}

bool daemon_paths_own_state(char ret_path[DAEMON_PATHS_MAX])
{
    char base[DAEMON_PATHS_MAX];
    if (!daemon_wide_variable(L"LOCALAPPDATA", base, sizeof base))
        return false;
    snprintf(ret_path, DAEMON_PATHS_MAX, "%.900s\\pnr\\state", base);
    return true;
}

bool daemon_paths_own_control(char ret_path[DAEMON_PATHS_MAX])
{
    (void)ret_path; // clients look in %ProgramData% alone
    return false;
}

static bool is_slash(char letter)
{
    return letter == '/' || letter == '\\';
}

bool daemon_paths_is_absolute(const char *path)
{
    return is_slash(path[0]) || (path[0] != '\0' && path[1] == ':' && is_slash(path[2]));
}

bool daemon_paths_make_absolute(const char *path, char *ret_path, size_t path_len,
                                struct daemon_error *ret_error)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    wchar_t whole[DAEMON_WIDE_PATH_MAX];
    DWORD len = 0;
    if (daemon_wide_path(path, wide))
        len = GetFullPathNameW(wide, DAEMON_WIDE_PATH_MAX, whole, NULL);
    if (len > 0 && len < DAEMON_WIDE_PATH_MAX && daemon_wide_text(whole, ret_path, path_len))
        return true;
    daemon_error_set(ret_error,
                     "the path of the state directory is no path, or too long: at most %zu bytes "
                     "are possible",
                     path_len - 1);
    return false;
}

char *daemon_paths_last_slash(char *path)
{
    char *found = NULL;
    for (char *at = path; *at != '\0'; at++) {
        if (is_slash(*at))
            found = at;
    }
    return found;
}

char *daemon_paths_next_slash(char *path)
{
    return strpbrk(path, "/\\");
}
