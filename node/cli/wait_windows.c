// SPDX-License-Identifier: MIT
#include "node/cli/wait.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

#define LOOK_MS          50          // how late a word to stop may be seen
#define EXIT_INTERRUPTED 0xC000013Au // as the system ends who does not handle Ctrl+C

static _Atomic bool stopped;

static BOOL WINAPI on_console(DWORD type)
{
    (void)type;
    atomic_store(&stopped, true);
    return TRUE;
}

void cli_wait_hold(void)
{
    SetConsoleCtrlHandler(on_console, TRUE);
}

void cli_wait_release(void)
{
    SetConsoleCtrlHandler(on_console, FALSE);
    if (atomic_load(&stopped)) {
        fflush(stdout);
        ExitProcess(EXIT_INTERRUPTED);
    }
}

bool cli_wait_is_stopped(void)
{
    return atomic_load(&stopped);
}

// Waits in slices: nothing but a socket can be waited for together with a socket.
void cli_wait(struct pnr_client *client, int wait_ms)
{
    unsigned wants = pnr_client_wants(client);
    SOCKET socket = (SOCKET)pnr_client_fd(client);
    fd_set reads, writes, excepts;
    int64_t end_us = cli_wait_now_us() + (int64_t)wait_ms * 1000;
    int ready = 0;
    if (socket == INVALID_SOCKET) {
        Sleep(wait_ms < 0 || wait_ms > LOOK_MS ? LOOK_MS : (DWORD)wait_ms);
        return;
    }
    while (ready == 0 && !cli_wait_is_stopped() && (wait_ms < 0 || cli_wait_now_us() < end_us)) {
        int slice_ms = wait_ms >= 0 && wait_ms < LOOK_MS ? wait_ms : LOOK_MS;
        struct timeval slice = {0, slice_ms * 1000};
        FD_ZERO(&reads);
        FD_ZERO(&writes);
        FD_ZERO(&excepts);
        if ((wants & PNR_WANTS_READ) != 0) {
            FD_SET(socket, &reads);
        }
        if ((wants & PNR_WANTS_WRITE) != 0) {
            FD_SET(socket, &writes);
        }
        FD_SET(socket, &excepts);
        ready = select(0, &reads, &writes, &excepts, &slice);
    }
}

int64_t cli_wait_now_us(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    int64_t seconds = count.QuadPart / frequency.QuadPart;
    int64_t rest = count.QuadPart % frequency.QuadPart;
    return seconds * 1000000 + rest * 1000000 / frequency.QuadPart;
}
