// SPDX-License-Identifier: MIT
#include "tests/wine/ws2_32/socket.h"

#include <assert.h>
#include <stddef.h>

// Held together by those that make calls, by one alone that closes.
static SRWLOCK calls = SRWLOCK_INIT;

#define REAL(name) ((__typeof__(&name))(void (*)(void))shim_socket_real(#name))

FARPROC shim_socket_real(const char *name)
{
    FARPROC found = GetProcAddress(GetModuleHandleA(SHIM_REAL), name);
    assert(found != NULL);
    return found;
}

void shim_socket_close_begin(void)
{
    AcquireSRWLockExclusive(&calls);
}

void shim_socket_close_end(void)
{
    ReleaseSRWLockExclusive(&calls);
}

// Returns what the call did, with the error that it left.
static int leave(int status)
{
    DWORD error = GetLastError();
    ReleaseSRWLockShared(&calls);
    SetLastError(error);
    return status;
}

int WSAAPI connect(SOCKET socket, const struct sockaddr *addr, int addr_len)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(connect)(socket, addr, addr_len));
}

int WSAAPI recv(SOCKET socket, char *buf, int buf_len, int flags)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(recv)(socket, buf, buf_len, flags));
}

int WSAAPI send(SOCKET socket, const char *data, int len, int flags)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(send)(socket, data, len, flags));
}

int WSAAPI getsockopt(SOCKET socket, int level, int name, char *ret_value, int *ret_len)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(getsockopt)(socket, level, name, ret_value, ret_len));
}

int WSAAPI setsockopt(SOCKET socket, int level, int name, const char *value, int len)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(setsockopt)(socket, level, name, value, len));
}

int WSAAPI ioctlsocket(SOCKET socket, long command, u_long *value)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(ioctlsocket)(socket, command, value));
}

int WSAAPI closesocket(SOCKET socket)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(closesocket)(socket));
}

int WSAAPI WSAEventSelect(SOCKET socket, WSAEVENT event, LONG events)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(WSAEventSelect)(socket, event, events));
}

int WSAAPI WSAEnumNetworkEvents(SOCKET socket, WSAEVENT event, LPWSANETWORKEVENTS ret_events)
{
    AcquireSRWLockShared(&calls);
    return leave(REAL(WSAEnumNetworkEvents)(socket, event, ret_events));
}

int WSAAPI select(int count, fd_set *reads, fd_set *writes, fd_set *excepts, const PTIMEVAL timeout)
{
    if (timeout == NULL || timeout->tv_sec != 0 || timeout->tv_usec != 0) {
        return REAL(select)(count, reads, writes, excepts, timeout);
    }
    AcquireSRWLockShared(&calls);
    return leave(REAL(select)(count, reads, writes, excepts, timeout));
}
