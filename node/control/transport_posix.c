// SPDX-License-Identifier: MIT
#define _DEFAULT_SOURCE // getentropy
#define _POSIX_C_SOURCE 200809L
#include "node/control/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static enum control_transport_state state_of(int error)
{
    switch (error) {
    case EACCES:
    case EPERM:
        return CONTROL_TRANSPORT_DENIED;
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED:
        return CONTROL_TRANSPORT_ABSENT;
    case EINPROGRESS:
        return CONTROL_TRANSPORT_PENDING;
    case EAGAIN: // of a Unix socket: the listener's queue is full
        return CONTROL_TRANSPORT_BUSY;
    default:
        return CONTROL_TRANSPORT_FAILED;
    }
}

// A socket that never waits and that the children of our process do not get.
static int open_socket(int family)
{
#if defined(SOCK_CLOEXEC) && defined(SOCK_NONBLOCK)
    return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
#else
    int fd = socket(family, SOCK_STREAM, 0);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return -1;
#endif
}

static enum control_transport_state connect_to(const struct sockaddr *addr, socklen_t addr_len,
                                               intptr_t *ret_socket)
{
    int fd = open_socket(addr->sa_family);
    int one = 1;
    if (fd < 0) {
        return CONTROL_TRANSPORT_FAILED;
    }
    if (addr->sa_family == AF_INET) {
        // Requests are small and wait for their answers.
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    enum control_transport_state state = CONTROL_TRANSPORT_DONE;
    if (connect(fd, addr, addr_len) != 0) {
        // An interrupted connect goes on by itself.
        state = errno == EINTR ? CONTROL_TRANSPORT_PENDING : state_of(errno);
    }
    if (state == CONTROL_TRANSPORT_DONE || state == CONTROL_TRANSPORT_PENDING) {
        *ret_socket = fd;
    } else {
        close(fd);
    }
    return state;
}

enum control_transport_state control_transport_connect_unix(const char *path, intptr_t *ret_socket)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof addr.sun_path) {
        return CONTROL_TRANSPORT_FAILED;
    }
    memcpy(addr.sun_path, path, len);
    return connect_to((const struct sockaddr *)&addr, sizeof addr, ret_socket);
}

enum control_transport_state control_transport_connect_tcp(uint16_t port, intptr_t *ret_socket)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect_to((const struct sockaddr *)&addr, sizeof addr, ret_socket);
}

enum control_transport_state control_transport_connected(intptr_t socket)
{
    struct pollfd wanted = {.fd = (int)socket, .events = POLLOUT};
    int error = 0;
    socklen_t error_len = sizeof error;
    if (poll(&wanted, 1, 0) <= 0) {
        return CONTROL_TRANSPORT_PENDING;
    }
    if (getsockopt((int)socket, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0) {
        return CONTROL_TRANSPORT_FAILED;
    }
    return error == 0 ? CONTROL_TRANSPORT_DONE : state_of(error);
}

void control_transport_close(intptr_t socket)
{
    if (socket != CONTROL_TRANSPORT_NONE) {
        close((int)socket);
    }
}

static bool would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

ptrdiff_t control_transport_receive(intptr_t socket, void *buf, size_t buf_len)
{
    ssize_t len = recv((int)socket, buf, buf_len, 0);
    if (len > 0) {
        return len;
    }
    return len < 0 && would_wait() ? 0 : -1;
}

ptrdiff_t control_transport_send(intptr_t socket, const void *data, size_t len)
{
    ssize_t sent = send((int)socket, data, len, MSG_NOSIGNAL);
    if (sent >= 0) {
        return sent;
    }
    return would_wait() ? 0 : -1;
}

void control_transport_poll(intptr_t socket, unsigned wants, int timeout_ms)
{
    struct pollfd wanted = {.fd = (int)socket};
    if ((wants & CONTROL_TRANSPORT_READ) != 0) {
        wanted.events |= POLLIN;
    }
    if ((wants & CONTROL_TRANSPORT_WRITE) != 0) {
        wanted.events |= POLLOUT;
    }
    (void)poll(&wanted, socket == CONTROL_TRANSPORT_NONE ? 0 : 1, timeout_ms);
}

int64_t control_transport_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

bool control_transport_random(void *buf, size_t len)
{
    return getentropy(buf, len) == 0;
}

// Reads until the end of the file, but not past the buffer.
static bool read_all(int fd, uint8_t *buf, size_t buf_len, size_t *ret_len)
{
    size_t len = 0;
    while (len < buf_len) {
        ssize_t part = read(fd, buf + len, buf_len - len);
        if (part == 0) {
            break;
        }
        if (part < 0 && errno != EINTR) {
            return false;
        }
        len += part > 0 ? (size_t)part : 0;
    }
    *ret_len = len;
    return true;
}

enum control_transport_state control_transport_read_file(const char *path, void *buf,
                                                         size_t buf_len, size_t *ret_len,
                                                         unsigned *ret_mode)
{
    struct stat info;
    // Not to be held up where somebody has put a pipe there.
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        enum control_transport_state state = state_of(errno);
        return state == CONTROL_TRANSPORT_DENIED || state == CONTROL_TRANSPORT_ABSENT
                   ? state
                   : CONTROL_TRANSPORT_FAILED;
    }
    bool ok = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= 0 &&
              (uint64_t)info.st_size <= buf_len && read_all(fd, buf, buf_len, ret_len);
    close(fd);
    if (!ok) {
        return CONTROL_TRANSPORT_FAILED;
    }
    *ret_mode = info.st_mode & 07777;
    return CONTROL_TRANSPORT_DONE;
}

bool control_transport_exists(void *ctx, const char *path)
{
    struct stat info;
    (void)ctx;
    // What we may not look at may well exist.
    return stat(path, &info) == 0 || errno == EACCES;
}

bool control_transport_environment(const char *name, char *buf, size_t buf_len)
{
    const char *value = getenv(name);
    size_t len = value == NULL ? buf_len : strlen(value);
    if (value == NULL || len >= buf_len) {
        return false;
    }
    memcpy(buf, value, len + 1);
    return true;
}
