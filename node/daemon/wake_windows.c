// SPDX-License-Identifier: MIT
#include "node/daemon/wake.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
// clang-format on

// A UDP socket of loopback at a port of the system's choice, which nobody else may bind.
static SOCKET open_end(struct sockaddr_in *ret_addr)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int len = sizeof addr;
    u_long nonblocking = 1;
    BOOL on = TRUE;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET end = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    if (end == INVALID_SOCKET)
        return end;
    SetHandleInformation((HANDLE)end, HANDLE_FLAG_INHERIT, 0);
    (void)setsockopt(end, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
    if (ioctlsocket(end, FIONBIO, &nonblocking) == 0 &&
        bind(end, (const struct sockaddr *)&addr, sizeof addr) == 0 &&
        getsockname(end, (struct sockaddr *)ret_addr, &len) == 0)
        return end;
    closesocket(end);
    return INVALID_SOCKET;
}

bool daemon_wake_open(int ret_fds[2])
{
    struct sockaddr_in addrs[2];
    SOCKET ends[2] = {open_end(&addrs[0]), open_end(&addrs[1])};
    bool ok = ends[0] != INVALID_SOCKET && ends[1] != INVALID_SOCKET;
    // Connected, a socket takes nothing but what the other one sent.
    for (int i = 0; ok && i < 2; i++)
        ok = connect(ends[i], (const struct sockaddr *)&addrs[1 - i], sizeof addrs[0]) == 0;
    for (int i = 0; i < 2; i++) {
        if (ok)
            ret_fds[i] = (int)ends[i];
        else if (ends[i] != INVALID_SOCKET)
            closesocket(ends[i]);
    }
    return ok;
}

void daemon_wake_ring(int ring_fd)
{
    (void)send((SOCKET)ring_fd, "", 1, 0);
}

void daemon_wake_hush(int poll_fd)
{
    char byte;
    // That the other end is gone (WSAECONNRESET) was one datagram's news as well.
    while (recv((SOCKET)poll_fd, &byte, 1, 0) >= 0 || WSAGetLastError() == WSAECONNRESET) {
    }
}

void daemon_wake_close(int fd)
{
    if (fd >= 0)
        closesocket((SOCKET)fd);
}
