// SPDX-License-Identifier: MIT
#include "node/daemon/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

// ---- loopback TCP ----

int daemon_stream_listen_tcp(uint16_t port, uint16_t *ret_port, struct daemon_error *ret_error)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int yes = 1; // a port of ours may still be settling after a restart
    if (fd >= 0 && port != 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 &&
        listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)&addr, &len) == 0) {
        *ret_port = ntohs(addr.sin_port);
        return fd;
    }
    daemon_error_set(ret_error, "cannot listen on loopback TCP, port %u: %s", port,
                     strerror(errno));
    daemon_stream_close(fd);
    return -1;
}

// ---- Unix sockets ----

size_t daemon_stream_unix_max(void)
{
    return sizeof((struct sockaddr_un *)NULL)->sun_path - 1;
}

// Removes what a crash left at path. False where there is something that must stay.
static bool clear_stale(const struct sockaddr_un *addr, struct daemon_error *ret_error)
{
    struct stat status;
    if (lstat(addr->sun_path, &status) != 0)
        return true;
    if (!S_ISSOCK(status.st_mode)) {
        daemon_error_set(ret_error, "%s is there and is no socket; remedy: remove it",
                         addr->sun_path);
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)addr, sizeof *addr);
    int why = errno;
    daemon_stream_close(fd);
    if (fd >= 0 && result != 0 && why == ECONNREFUSED && unlink(addr->sun_path) == 0)
        return true;
    bool answered = result == 0 || why == EAGAIN; // EAGAIN: its queue is full
    daemon_error_set(ret_error, answered ? "another daemon answers at %s" : "cannot use %s: %s",
                     addr->sun_path, strerror(why == ECONNREFUSED ? errno : why));
    return false;
}

// The mode is set before anybody can connect, since only listen() lets them.
int daemon_stream_listen_unix(const char *path, enum daemon_file_readers who, unsigned group,
                              struct daemon_file_id *ret_id, struct daemon_error *ret_error)
{
    static const mode_t modes[] = {
        [DAEMON_FILE_OWNER] = 0600, [DAEMON_FILE_GROUP] = 0660, [DAEMON_FILE_EVERYONE] = 0666};
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
    if (!clear_stale(&addr, ret_error))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t umask_before = umask(0177);
    bool ok = fd >= 0 && bind(fd, (const struct sockaddr *)&addr, sizeof addr) == 0;
    int why = errno;
    umask(umask_before);
    ok = ok && daemon_file_identify(path, ret_id);
    if (ok) {
        bool grouped = who != DAEMON_FILE_GROUP || lchown(path, (uid_t)-1, group) == 0;
        ok = grouped && chmod(path, modes[who]) == 0 && listen(fd, BACKLOG) == 0;
        why = errno;
    }
    if (ok)
        return fd;
    daemon_error_set(ret_error, "cannot listen at %s: %s", path, strerror(why));
    daemon_stream_close(fd);
    return -1;
}

// ---- clients ----

enum daemon_stream_accepted daemon_stream_accept(int listening, int *ret_stream,
                                                 struct daemon_error *ret_why)
{
    int stream = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (stream >= 0) {
        *ret_stream = stream;
        return DAEMON_STREAM_ACCEPTED;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        daemon_error_set(ret_why, "%s", strerror(errno));
        return DAEMON_STREAM_EXHAUSTED;
    default:
        return errno == EAGAIN || errno == EWOULDBLOCK ? DAEMON_STREAM_NOBODY : DAEMON_STREAM_LOST;
    }
}

ptrdiff_t daemon_stream_receive(int stream, void *buf, size_t buf_len)
{
    ssize_t len = recv(stream, buf, buf_len, 0);
    if (len > 0)
        return len;
    return len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : -1;
}

void daemon_stream_send(int stream, const void *data, size_t len)
{
    ssize_t sent = send(stream, data, len, MSG_NOSIGNAL);
    (void)sent;
}

bool daemon_stream_would_wait(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void daemon_stream_end(int stream)
{
    shutdown(stream, SHUT_WR);
}

void daemon_stream_close(int stream)
{
    if (stream >= 0)
        close(stream);
}
