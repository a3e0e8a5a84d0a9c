// SPDX-License-Identifier: MIT
#include "nsp/setup/files.h"

#include "nsp/setup/library.h"
#include "nsp/setup/machine.h"

#include <string.h>

static bool append(WCHAR path[SETUP_PATH_MAX], const WCHAR *more)
{
    size_t len = setup_text_len(path);
    return setup_text_copy(more, path + len, SETUP_PATH_MAX - len);
}

// ---- which library ----

static int check_file(enum setup_view view, const WCHAR *path)
{
    uint8_t head[SETUP_LIBRARY_HEAD];
    DWORD len = 0;
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                              OPEN_EXISTING, 0, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        DWORD error = GetLastError();
        return error == ERROR_ACCESS_DENIED ? (int)error : SETUP_CODE_NO_LIBRARY;
    }
    BOOL read = ReadFile(file, head, sizeof head, &len, NULL);
    CloseHandle(file);
    return read ? setup_library_check(head, len, view) : SETUP_CODE_NOT_LIBRARY;
}

// This program's folder and the library's name.
static bool default_path(enum setup_view view, WCHAR ret_path[SETUP_PATH_MAX])
{
    DWORD len = GetModuleFileNameW(NULL, ret_path, SETUP_PATH_MAX);
    if (len == 0 || len >= SETUP_PATH_MAX) {
        ret_path[0] = 0;
        return false;
    }
    ret_path[setup_text_file_name(ret_path) - ret_path] = 0;
    return (view == SETUP_MACHINE_VIEW || append(ret_path, u"x86\\")) &&
           append(ret_path, SETUP_LIBRARY_NAME);
}

int setup_files_find(enum setup_view view, const WCHAR *named, WCHAR ret_path[SETUP_PATH_MAX])
{
    ret_path[0] = 0;
    if (named == NULL) {
        return default_path(view, ret_path) ? check_file(view, ret_path) : SETUP_CODE_LONG_PATH;
    }
    DWORD len = GetFullPathNameW(named, SETUP_PATH_MAX, ret_path, NULL);
    if (len == 0 || len >= SETUP_PATH_MAX) {
        ret_path[0] = 0;
        return SETUP_CODE_LONG_PATH;
    }
    return check_file(view, ret_path);
}

// ---- what an entry names ----

// Whether path lies in folder, which ends in no backslash.
static bool lies_in(const WCHAR *path, const WCHAR *folder)
{
    WCHAR begin[SETUP_PATH_MAX];
    size_t len = setup_text_len(folder);
    if (len == 0 || !setup_text_copy(path, begin, SETUP_PATH_MAX) || setup_text_len(path) <= len ||
        begin[len] != '\\') {
        return false;
    }
    begin[len] = 0;
    return setup_text_same(begin, folder);
}

// A 32-bit program finds another folder where it names System32; this one, of 64 bits, does not.
static void redirect(WCHAR path[SETUP_PATH_MAX])
{
    WCHAR folder[SETUP_PATH_MAX], narrow[SETUP_PATH_MAX];
    UINT len = GetSystemDirectoryW(folder, SETUP_PATH_MAX);
    UINT narrow_len = GetSystemWow64DirectoryW(narrow, SETUP_PATH_MAX);
    if (len > 0 && len < SETUP_PATH_MAX && narrow_len > 0 && narrow_len < SETUP_PATH_MAX &&
        lies_in(path, folder) && append(narrow, path + len)) {
        (void)setup_text_copy(narrow, path, SETUP_PATH_MAX);
    }
}

bool setup_files_exists(enum setup_view view, const WCHAR *path)
{
    WCHAR whole[SETUP_PATH_MAX];
    DWORD len = ExpandEnvironmentStringsW(path, whole, SETUP_PATH_MAX);
    if (len == 0 || len > SETUP_PATH_MAX) {
        return false;
    }
    if (view != SETUP_MACHINE_VIEW) {
        redirect(whole);
    }
    DWORD attributes = GetFileAttributesW(whole);
    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

bool setup_files_is_guarded(const WCHAR *path)
{
    static const WCHAR *const folders[] = {L"ProgramFiles", L"ProgramW6432", L"ProgramFiles(x86)",
                                           L"SystemRoot"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        WCHAR folder[SETUP_PATH_MAX];
        DWORD len = GetEnvironmentVariableW(folders[i], folder, SETUP_PATH_MAX);
        if (len > 0 && len < SETUP_PATH_MAX && lies_in(path, folder)) {
            return true;
        }
    }
    return false;
}
