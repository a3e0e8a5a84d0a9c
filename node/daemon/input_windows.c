// SPDX-License-Identifier: MIT
#include "node/daemon/input.h"

#include "node/daemon/thread.h"
#include "node/daemon/wake.h"

#include <io.h>
#include <stdint.h>

// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

#define CHUNK_BYTES 512
#define STACK_BYTES (64 * 1024)

// The thread's. It stays in its read, and ends with the process: there is no way out of one.
static int source_fd;
static int feed_fd;

static void *thread_main(void *ctx)
{
    char chunk[CHUNK_BYTES];
    int len;
    (void)ctx;
    // One datagram for each read; an empty one is the end. Who types or pipes commands does not
    // outrun the loop by the size of a socket's buffer.
    while ((len = _read(source_fd, chunk, sizeof chunk)) > 0)
        (void)send((SOCKET)feed_fd, chunk, len, 0);
    (void)send((SOCKET)feed_fd, "", 0, 0);
    return NULL;
}

int daemon_input_open(int fd)
{
    int fds[2];
    HANDLE handle = (HANDLE)_get_osfhandle(fd);
    DWORD type = handle == INVALID_HANDLE_VALUE ? FILE_TYPE_UNKNOWN : GetFileType(handle);
    bool is_stream = type == FILE_TYPE_PIPE || type == FILE_TYPE_CHAR;
    if (!is_stream || !daemon_wake_open(fds))
        return -1;
    source_fd = fd;
    feed_fd = fds[1];
    if (daemon_thread_start_alone(thread_main, NULL, STACK_BYTES))
        return fds[0];
    daemon_wake_close(fds[0]);
    daemon_wake_close(fds[1]);
    return -1;
}

void daemon_input_close(int polled_fd)
{
    daemon_wake_close(polled_fd); // the other end is the thread's
}

ptrdiff_t daemon_input_read(int polled_fd, void *buf, size_t buf_len)
{
    char chunk[CHUNK_BYTES];
    // A datagram is read whole or cut: what does not fit the caller's room is the caller's
    // overflow.
    int len = recv((SOCKET)polled_fd, buf_len < sizeof chunk ? chunk : buf,
                   buf_len < sizeof chunk ? (int)sizeof chunk : (int)buf_len, 0);
    if (len < 0 && WSAGetLastError() == WSAEWOULDBLOCK)
        return 0;
    if (len > 0 && buf_len < sizeof chunk) {
        size_t kept = (size_t)len < buf_len ? (size_t)len : buf_len;
        for (size_t i = 0; i < kept; i++)
            ((char *)buf)[i] = chunk[i];
        return (ptrdiff_t)kept;
    }
    return len > 0 ? len : -1;
}
