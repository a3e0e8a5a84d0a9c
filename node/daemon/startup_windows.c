// SPDX-License-Identifier: MIT
#include "node/daemon/startup.h"

#include "node/daemon/arguments_windows.h"

#include <fcntl.h>
#include <io.h>

// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

bool daemon_startup(int *inout_argc, char ***inout_argv)
{
    WSADATA data;
    daemon_arguments_take(inout_argc, inout_argv);
    // "\n" stays "\n": what is printed is read by programs.
    for (int fd = 0; fd <= 2; fd++)
        (void)_setmode(fd, _O_BINARY);
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
}
