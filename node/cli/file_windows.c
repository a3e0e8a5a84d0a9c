// SPDX-License-Identifier: MIT
#include "node/cli/file.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <sddl.h>

#define PATH_UNITS_MAX 1024

// For its owner, the system and the administrators; inherited is nothing.
#define SECRET_LIST L"D:P(A;;FA;;;OW)(A;;FA;;;SY)(A;;FA;;;BA)"

static bool refuse(char why[CLI_FILE_WHY_MAX], const char *what, const char *path)
{
    snprintf(why, CLI_FILE_WHY_MAX, "%s %.300s: error %lu", what, path, GetLastError());
    return false;
}

static HANDLE open_file(const char *path, DWORD access, DWORD disposition,
                        SECURITY_ATTRIBUTES *attributes)
{
    wchar_t wide[PATH_UNITS_MAX];
    SetLastError(ERROR_INVALID_NAME);
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, PATH_UNITS_MAX) <= 0) {
        return INVALID_HANDLE_VALUE;
    }
    return CreateFileW(wide, access, FILE_SHARE_READ, attributes, disposition,
                       FILE_ATTRIBUTE_NORMAL, NULL);
}

// ret_len: max + 1 where there is more. A pipe that ends is the end.
static bool read_whole(HANDLE file, uint8_t *buf, size_t max, size_t *ret_len)
{
    size_t len = 0;
    uint8_t more;
    DWORD got = 1;
    while (got > 0 && len <= max) {
        bool is_full = len == max;
        if (!ReadFile(file, is_full ? &more : buf + len, is_full ? 1 : (DWORD)(max - len), &got,
                      NULL)) {
            if (GetLastError() != ERROR_BROKEN_PIPE) {
                return false;
            }
            got = 0;
        }
        len += got;
    }
    *ret_len = len;
    return true;
}

bool cli_file_read(const char *path, uint8_t *buf, size_t max, size_t *ret_len,
                   char ret_why[CLI_FILE_WHY_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    HANDLE file = is_stdin ? GetStdHandle(STD_INPUT_HANDLE)
                           : open_file(path, GENERIC_READ, OPEN_EXISTING, NULL);
    size_t len = 0;
    if (file == INVALID_HANDLE_VALUE || file == NULL) {
        return refuse(ret_why, "cannot open", path);
    }
    bool good = read_whole(file, buf, max, &len);
    if (!good) {
        refuse(ret_why, "cannot read", path);
    } else if (len > max) {
        snprintf(ret_why, CLI_FILE_WHY_MAX, "%.300s is longer than %zu bytes",
                 is_stdin ? "stdin" : path, max);
        good = false;
    }
    if (!is_stdin) {
        CloseHandle(file);
    }
    if (good) {
        *ret_len = len;
    }
    return good;
}

bool cli_file_create_secret(const char *path, const char *data, size_t len,
                            char ret_why[CLI_FILE_WHY_MAX])
{
    SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes};
    DWORD written = 0;
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(
            SECRET_LIST, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL)) {
        return refuse(ret_why, "cannot protect", path);
    }
    HANDLE file = open_file(path, GENERIC_WRITE | DELETE, CREATE_NEW, &attributes);
    bool good = file != INVALID_HANDLE_VALUE;
    if (!good) {
        refuse(ret_why, "cannot create", path);
    }
    LocalFree(attributes.lpSecurityDescriptor);
    if (!good) {
        return false;
    }
    good = WriteFile(file, data, (DWORD)len, &written, NULL) && written == len &&
           FlushFileBuffers(file);
    if (!good) {
        FILE_DISPOSITION_INFO away = {TRUE};
        refuse(ret_why, "cannot write", path);
        SetFileInformationByHandle(file, FileDispositionInfo, &away, sizeof away);
    }
    CloseHandle(file);
    return good;
}

bool cli_file_write_stdout(const char *data, size_t len, char ret_why[CLI_FILE_WHY_MAX])
{
    DWORD written = 0;
    HANDLE out = GetStdHandle(STD_OUTPUT_HANDLE);
    return (WriteFile(out, data, (DWORD)len, &written, NULL) && written == len) ||
           refuse(ret_why, "cannot write", "stdout");
}

void cli_file_wipe(void *secret, size_t len)
{
    SecureZeroMemory(secret, len);
}
