// SPDX-License-Identifier: MIT
#include "node/daemon/stream.h"

#include "node/daemon/wide_windows.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
// clang-format on

#define BACKLOG 128

// What every socket of clients has: it never waits, and children do not get it.
static bool prepare(SOCKET socket)
{
    u_long nonblocking = 1;
    SetHandleInformation((HANDLE)socket, HANDLE_FLAG_INHERIT, 0);
    return ioctlsocket(socket, FIONBIO, &nonblocking) == 0;
}

int daemon_stream_listen_tcp(uint16_t port, uint16_t *ret_port, struct daemon_error *ret_error)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int len = sizeof addr;
    BOOL on = TRUE;
    char why[DAEMON_WIDE_REASON_MAX];
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    // Without this, another program could take the port over.
    if (listening != INVALID_SOCKET)
        (void)setsockopt(listening, SOL_SOCKET, SO_EXCLUSIVEADDRUSE, (const char *)&on, sizeof on);
    if (listening != INVALID_SOCKET && prepare(listening) &&
        bind(listening, (const struct sockaddr *)&addr, sizeof addr) == 0 &&
        listen(listening, BACKLOG) == 0 &&
        getsockname(listening, (struct sockaddr *)&addr, &len) == 0) {
        *ret_port = ntohs(addr.sin_port);
        return (int)listening;
    }
    daemon_error_set(ret_error, "cannot listen on loopback TCP, port %u: %s", port,
                     daemon_wide_reason((unsigned)WSAGetLastError(), why));
    if (listening != INVALID_SOCKET)
        closesocket(listening);
    return -1;
}

size_t daemon_stream_unix_max(void)
{
    return 0;
}

int daemon_stream_listen_unix(const char *path, enum daemon_file_readers who, unsigned group,
                              struct daemon_file_id *ret_id, struct daemon_error *ret_error)
{
    (void)who;
    (void)group;
    (void)ret_id;
    daemon_error_set(ret_error, "cannot listen at %s: there are no Unix sockets here", path);
    return -1;
}

enum daemon_stream_accepted daemon_stream_accept(int listening, int *ret_stream,
                                                 struct daemon_error *ret_why)
{
    char why[DAEMON_WIDE_REASON_MAX];
    SOCKET stream = accept((SOCKET)listening, NULL, NULL);
    int error = stream == INVALID_SOCKET ? WSAGetLastError() : 0;
    if (stream != INVALID_SOCKET && !prepare(stream)) {
        closesocket(stream);
        return DAEMON_STREAM_LOST;
    }
    switch (error) {
    case 0:
        *ret_stream = (int)stream;
        return DAEMON_STREAM_ACCEPTED;
    case WSAEWOULDBLOCK:
        return DAEMON_STREAM_NOBODY;
    case WSAEMFILE:
    case WSAENOBUFS:
        daemon_error_set(ret_why, "%s", daemon_wide_reason((unsigned)error, why));
        return DAEMON_STREAM_EXHAUSTED;
    default:
        return DAEMON_STREAM_LOST;
    }
}

ptrdiff_t daemon_stream_receive(int stream, void *buf, size_t buf_len)
{
    int len = recv((SOCKET)stream, buf, (int)buf_len, 0);
    if (len > 0)
        return len;
    return len < 0 && WSAGetLastError() == WSAEWOULDBLOCK ? 0 : -1;
}

void daemon_stream_send(int stream, const void *data, size_t len)
{
    (void)send((SOCKET)stream, data, (int)len, 0);
}

bool daemon_stream_would_wait(void)
{
    return WSAGetLastError() == WSAEWOULDBLOCK;
}

void daemon_stream_end(int stream)
{
    shutdown((SOCKET)stream, SD_SEND);
}

void daemon_stream_close(int stream)
{
    if (stream >= 0)
        closesocket((SOCKET)stream);
}
