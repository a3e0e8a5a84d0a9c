// SPDX-License-Identifier: MIT
#include "node/cli/terminal.h"

#include <fcntl.h>
#include <io.h>
#include <stdlib.h>

// clang-format off
#include <winsock2.h>
#include <windows.h>
#include <shellapi.h>
// clang-format on

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 4
#endif

static HANDLE handle_of(int fd)
{
    return GetStdHandle(fd == 1 ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
}

bool cli_terminal_is(int fd)
{
    DWORD mode;
    return GetConsoleMode(handle_of(fd), &mode) != 0;
}

bool cli_terminal_is_smart(int fd)
{
    DWORD mode;
    return GetConsoleMode(handle_of(fd), &mode) &&
           SetConsoleMode(handle_of(fd), mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING);
}

size_t cli_terminal_columns(int fd)
{
    CONSOLE_SCREEN_BUFFER_INFO info;
    if (!GetConsoleScreenBufferInfo(handle_of(fd), &info)) {
        return 0;
    }
    return (size_t)(info.srWindow.Right - info.srWindow.Left + 1);
}

// One argument in UTF-8. NULL where memory is short.
static char *to_utf8(const wchar_t *wide)
{
    int len = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = len <= 0 ? NULL : malloc((size_t)len);
    if (text != NULL) {
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, len, NULL, NULL);
    }
    return text;
}

// main()'s own arguments are in whatever code page the system has.
static void take_arguments(int *inout_argc, char ***inout_argv)
{
    int count;
    wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **list = wide == NULL ? NULL : calloc((size_t)count + 1, sizeof *list);
    bool ok = list != NULL;
    for (int i = 0; ok && i < count; i++) {
        list[i] = to_utf8(wide[i]);
        ok = list[i] != NULL;
    }
    LocalFree(wide);
    if (ok) {
        *inout_argc = count;
        *inout_argv = list;
    }
}

bool cli_terminal_startup(int *inout_argc, char ***inout_argv)
{
    WSADATA data;
    take_arguments(inout_argc, inout_argv);
    for (int fd = 0; fd <= 2; fd++) {
        (void)_setmode(fd, _O_BINARY);
    }
    SetConsoleOutputCP(CP_UTF8);
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}
