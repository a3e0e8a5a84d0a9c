// SPDX-License-Identifier: MIT
#include "tests/nsp/fake_system.h"

// clang-format off
#include <winsock2.h>
#include <windows.h>
#include <tlhelp32.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

void fake_system_begin(void)
{
    static bool is_begun;
    WSADATA data;
    assert_true(is_begun || WSAStartup(MAKEWORD(2, 2), &data) == 0);
    is_begun = true;
}

// ---- sockets ----

intptr_t fake_system_listen(int queue_len, uint16_t *ret_port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int addr_len = sizeof addr;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, queue_len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &addr_len), 0);
    *ret_port = ntohs(addr.sin_port);
    return (intptr_t)fd;
}

intptr_t fake_system_accept(intptr_t listener)
{
    BOOL one = TRUE;
    SOCKET fd = accept((SOCKET)listener, NULL, NULL);
    assert_true(fd != INVALID_SOCKET);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
    return (intptr_t)fd;
}

bool fake_system_is_called(intptr_t listener)
{
    struct timeval at_once = {0, 0};
    fd_set callers;
    FD_ZERO(&callers);
    FD_SET((SOCKET)listener, &callers);
    return select(0, &callers, NULL, NULL, &at_once) != 0;
}

// ---- files ----

void fake_system_make_folder(char ret_path[FAKE_SYSTEM_PATH_MAX])
{
    static unsigned count;
    char base[MAX_PATH + 1];
    DWORD error;
    assert_true(GetTempPathA(sizeof base, base) != 0);
    // A process before us with the same number may have left its own.
    do {
        snprintf(ret_path, FAKE_SYSTEM_PATH_MAX, "%spnr-nsp-%lu-%u", base, GetCurrentProcessId(),
                 ++count);
        error = CreateDirectoryA(ret_path, NULL) ? ERROR_SUCCESS : GetLastError();
    } while (error == ERROR_ALREADY_EXISTS);
    assert_int_equal(error, ERROR_SUCCESS);
}

void fake_system_remove_folder(const char *path)
{
    assert_true(RemoveDirectoryA(path));
}

void fake_system_remove_file(const char *path)
{
    (void)DeleteFileA(path);
}

void fake_system_write_file(const char *path, const void *data, size_t len)
{
    char new_path[FAKE_SYSTEM_PATH_MAX + 8], old_path[FAKE_SYSTEM_PATH_MAX + 8];
    DWORD written = 0;
    snprintf(new_path, sizeof new_path, "%s.new", path);
    snprintf(old_path, sizeof old_path, "%s.old", path);
    HANDLE file = CreateFileA(new_path, GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    assert_true(file != INVALID_HANDLE_VALUE);
    assert_true(WriteFile(file, data, (DWORD)len, &written, NULL));
    assert_int_equal(written, len);
    CloseHandle(file);
    // Nothing takes the place of a file that somebody reads just now, but readers let it be renamed
    // and removed.
    bool was_there = MoveFileExA(path, old_path, 0);
    assert_true(was_there || GetLastError() == ERROR_FILE_NOT_FOUND);
    assert_true(MoveFileExA(new_path, path, 0));
    assert_true(!was_there || DeleteFileA(old_path));
}

// ---- the process ----

void fake_system_set_environment(const char *name, const char *value)
{
    assert_true(SetEnvironmentVariableA(name, value));
}

unsigned fake_system_count_threads(void)
{
    unsigned count = 0;
    THREADENTRY32 entry = {.dwSize = sizeof entry};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    assert_true(all != INVALID_HANDLE_VALUE);
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        count += entry.th32OwnerProcessID == GetCurrentProcessId();
    }
    CloseHandle(all);
    return count;
}

void fake_system_yield(void)
{
    (void)SwitchToThread();
}
