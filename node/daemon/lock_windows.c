// SPDX-License-Identifier: MIT
#include "node/daemon/lock.h"

#include "node/daemon/acl_windows.h"
#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>

// A lock keeps others from reading as well, so it lies where nothing is read.
#define LOCK_AT 0x40000000u

// Handles have no more than 32 significant bits, as sockets do (node/daemon/wake.h).
static HANDLE handle_of(int lock)
{
    return (HANDLE)(intptr_t)lock;
}

static HANDLE open_file(const char *path, struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    SECURITY_ATTRIBUTES attributes;
    if (!daemon_acl_make(path, DAEMON_FILE_OWNER, wide, &attributes, ret_why))
        return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, &attributes, OPEN_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file == INVALID_HANDLE_VALUE)
        daemon_wide_fail(ret_why);
    daemon_acl_free(&attributes);
    return file;
}

static long read_holder(HANDLE file)
{
    char text[32] = "";
    DWORD len = 0;
    long pid = 0;
    bool told = ReadFile(file, text, sizeof text - 1, &len, NULL) && sscanf(text, "%ld", &pid) == 1;
    return told && pid > 0 ? pid : 0;
}

enum daemon_lock_taken daemon_lock_take(const char *path, int *ret_lock, long *ret_holder,
                                        struct daemon_error *ret_why)
{
    OVERLAPPED at = {.Offset = LOCK_AT};
    HANDLE file = open_file(path, ret_why);
    if (file == INVALID_HANDLE_VALUE)
        return DAEMON_LOCK_FAILED;
    if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)) {
        bool is_held = GetLastError() == ERROR_LOCK_VIOLATION || GetLastError() == ERROR_IO_PENDING;
        if (is_held)
            *ret_holder = read_holder(file);
        else
            daemon_wide_fail(ret_why);
        CloseHandle(file);
        return is_held ? DAEMON_LOCK_HELD : DAEMON_LOCK_FAILED;
    }
    char text[32];
    DWORD written;
    int len = snprintf(text, sizeof text, "%lu\n", GetCurrentProcessId());
    // The lock holds without the number in it.
    (void)(SetEndOfFile(file) && WriteFile(file, text, (DWORD)len, &written, NULL));
    *ret_lock = (int)(intptr_t)file;
    return DAEMON_LOCK_TAKEN;
}

void daemon_lock_release(int lock)
{
    if (lock >= 0)
        CloseHandle(handle_of(lock));
}
