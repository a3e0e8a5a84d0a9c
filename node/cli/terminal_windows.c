// SPDX-License-Identifier: MIT
#include "node/cli/terminal.h"

#include "node/daemon/arguments_windows.h"

#include <fcntl.h>
#include <io.h>

// clang-format off
#include <winsock2.h>
#include <windows.h>
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

bool cli_terminal_startup(int *inout_argc, char ***inout_argv)
{
    WSADATA data;
    daemon_arguments_take(inout_argc, inout_argv);
    for (int fd = 0; fd <= 2; fd++) {
        (void)_setmode(fd, _O_BINARY);
    }
    SetConsoleOutputCP(CP_UTF8);
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}
