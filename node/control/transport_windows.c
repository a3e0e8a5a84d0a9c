// SPDX-License-Identifier: MIT
#include "node/control/transport.h"

// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <bcrypt.h>
// clang-format on

#include <string.h>

#define PATH_UNITS_MAX 1024

enum control_transport_state control_transport_connect_unix(const char *path, intptr_t *ret_socket)
{
    (void)path;
    (void)ret_socket;
    return CONTROL_TRANSPORT_ABSENT;
}

static enum control_transport_state state_of(int error)
{
    switch (error) {
    case WSAEACCES:
        return CONTROL_TRANSPORT_DENIED;
    case WSAECONNREFUSED:
        return CONTROL_TRANSPORT_ABSENT;
    case WSAEWOULDBLOCK:
    case WSAEINPROGRESS:
        return CONTROL_TRANSPORT_PENDING;
    default:
        return CONTROL_TRANSPORT_FAILED;
    }
}

enum control_transport_state control_transport_connect_tcp(uint16_t port, intptr_t *ret_socket)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    u_long nonblocking = 1;
    BOOL one = TRUE;
    addr.sin_port = htons(port);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (fd == INVALID_SOCKET) {
        return CONTROL_TRANSPORT_FAILED;
    }
    // Requests are small and wait for their answers.
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
    // Not for the children of a process that knows nothing of this socket.
    SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0);
    enum control_transport_state state = CONTROL_TRANSPORT_FAILED;
    if (ioctlsocket(fd, FIONBIO, &nonblocking) == 0) {
        int status = connect(fd, (const struct sockaddr *)&addr, sizeof addr);
        state = status == 0 ? CONTROL_TRANSPORT_DONE : state_of(WSAGetLastError());
    }
    if (state == CONTROL_TRANSPORT_DONE || state == CONTROL_TRANSPORT_PENDING) {
        *ret_socket = (intptr_t)fd;
    } else {
        closesocket(fd);
    }
    return state;
}

// select() and not WSAPoll(), which for years did not tell of connections that failed. Returns
// whether something is ready; ret_failed: that a connection failed.
static bool select_one(intptr_t socket, unsigned wants, int timeout_ms, bool *ret_failed)
{
    fd_set reads, writes, excepts;
    struct timeval timeout = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_ZERO(&excepts);
    if ((wants & CONTROL_TRANSPORT_READ) != 0) {
        FD_SET((SOCKET)socket, &reads);
    }
    if ((wants & CONTROL_TRANSPORT_WRITE) != 0) {
        FD_SET((SOCKET)socket, &writes);
    }
    FD_SET((SOCKET)socket, &excepts);
    int ready = select(0, &reads, &writes, &excepts, timeout_ms < 0 ? NULL : &timeout);
    *ret_failed = ready > 0 && FD_ISSET((SOCKET)socket, &excepts);
    return ready > 0;
}

enum control_transport_state control_transport_connected(intptr_t socket)
{
    bool failed;
    int error = 0, error_len = sizeof error;
    if (!select_one(socket, CONTROL_TRANSPORT_WRITE, 0, &failed)) {
        return CONTROL_TRANSPORT_PENDING;
    }
    if (!failed) {
        return CONTROL_TRANSPORT_DONE;
    }
    if (getsockopt((SOCKET)socket, SOL_SOCKET, SO_ERROR, (char *)&error, &error_len) != 0) {
        return CONTROL_TRANSPORT_FAILED;
    }
    // It has failed, whatever the code says.
    return error == WSAEACCES ? CONTROL_TRANSPORT_DENIED : CONTROL_TRANSPORT_ABSENT;
}

void control_transport_close(intptr_t socket)
{
    if (socket != CONTROL_TRANSPORT_NONE) {
        closesocket((SOCKET)socket);
    }
}

ptrdiff_t control_transport_receive(intptr_t socket, void *buf, size_t buf_len)
{
    int len = recv((SOCKET)socket, buf, (int)buf_len, 0);
    if (len > 0) {
        return len;
    }
    return len < 0 && WSAGetLastError() == WSAEWOULDBLOCK ? 0 : -1;
}

ptrdiff_t control_transport_send(intptr_t socket, const void *data, size_t len)
{
    int sent = send((SOCKET)socket, data, (int)len, 0);
    if (sent >= 0) {
        return sent;
    }
    return WSAGetLastError() == WSAEWOULDBLOCK ? 0 : -1;
}

void control_transport_poll(intptr_t socket, unsigned wants, int timeout_ms)
{
    bool failed;
    if (socket == CONTROL_TRANSPORT_NONE) {
        Sleep(timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms);
    } else {
        (void)select_one(socket, wants, timeout_ms, &failed);
    }
}

int64_t control_transport_now_us(void)
{
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    int64_t seconds = count.QuadPart / frequency.QuadPart;
    int64_t rest = count.QuadPart % frequency.QuadPart;
    return seconds * 1000000 + rest * 1000000 / frequency.QuadPart;
}

bool control_transport_random(void *buf, size_t len)
{
    return BCryptGenRandom(NULL, buf, (ULONG)len, BCRYPT_USE_SYSTEM_PREFERRED_RNG) == 0;
}

static bool to_wide(const char *text, wchar_t ret_wide[PATH_UNITS_MAX])
{
    return MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, ret_wide, PATH_UNITS_MAX) >
           0;
}

static enum control_transport_state file_state(DWORD error)
{
    switch (error) {
    case ERROR_ACCESS_DENIED:
        return CONTROL_TRANSPORT_DENIED;
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return CONTROL_TRANSPORT_ABSENT;
    default:
        return CONTROL_TRANSPORT_FAILED;
    }
}

enum control_transport_state control_transport_read_file(const char *path, void *buf,
                                                         size_t buf_len, size_t *ret_len,
                                                         unsigned *ret_mode)
{
    wchar_t wide[PATH_UNITS_MAX];
    LARGE_INTEGER size;
    DWORD len = 0;
    if (!to_wide(path, wide)) {
        return CONTROL_TRANSPORT_FAILED;
    }
    HANDLE file =
        CreateFileW(wide, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                    NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    if (file == INVALID_HANDLE_VALUE) {
        return file_state(GetLastError());
    }
    bool ok = GetFileType(file) == FILE_TYPE_DISK && GetFileSizeEx(file, &size) &&
              size.QuadPart >= 0 && (uint64_t)size.QuadPart <= buf_len &&
              ReadFile(file, buf, (DWORD)buf_len, &len, NULL);
    CloseHandle(file);
    if (!ok) {
        return CONTROL_TRANSPORT_FAILED;
    }
    *ret_len = len;
    *ret_mode = 0;
    return CONTROL_TRANSPORT_DONE;
}

bool control_transport_exists(void *ctx, const char *path)
{
    wchar_t wide[PATH_UNITS_MAX];
    (void)ctx;
    return to_wide(path, wide) && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
}

bool control_transport_environment(const char *name, char *buf, size_t buf_len)
{
    wchar_t wide_name[PATH_UNITS_MAX], wide[PATH_UNITS_MAX];
    if (!to_wide(name, wide_name)) {
        return false;
    }
    DWORD len = GetEnvironmentVariableW(wide_name, wide, PATH_UNITS_MAX);
    if (len == 0 || len >= PATH_UNITS_MAX) {
        return false;
    }
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, buf, (int)buf_len, NULL, NULL) > 0;
}
