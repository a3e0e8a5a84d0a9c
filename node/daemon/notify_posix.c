// SPDX-License-Identifier: MIT
#include "node/daemon/notify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// The number that name holds in the environment; 0 where there is none or it is no number.
static int64_t environment_number(const char *name)
{
    const char *text = getenv(name);
    char *end = NULL;
    if (text == NULL || *text < '0' || *text > '9')
        return 0;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    return errno != 0 || *end != '\0' ? 0 : number;
}

// WATCHDOG_PID says whom the watchdog is meant for: a child inherits the variables too.
static int64_t watchdog_interval_us(void)
{
    int64_t pid = environment_number("WATCHDOG_PID");
    if (pid != 0 && pid != getpid())
        return 0;
    return environment_number("WATCHDOG_USEC") / 2;
}

// Fills in notify's address from path. False where it is no address.
static bool set_address(struct daemon_notify *notify, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    _Static_assert(sizeof addr <= sizeof notify->addr, "any address of a Unix socket fits");
    size_t len = strlen(path);
    if ((path[0] != '/' && path[0] != '@') || len < 2 || len >= sizeof addr.sun_path)
        return false;
    memcpy(addr.sun_path, path, len + 1);
    notify->addr_len = (unsigned)(offsetof(struct sockaddr_un, sun_path) + len);
    if (path[0] == '@')
        addr.sun_path[0] = '\0'; // abstract: neither a path nor ended by NUL
    else
        notify->addr_len++;
    memcpy(notify->addr, &addr, sizeof addr);
    return true;
}

bool daemon_notify_open(struct daemon_notify *ret_notify, struct daemon_error *ret_error)
{
    struct daemon_notify notify = {.fd = -1};
    const char *path = getenv("NOTIFY_SOCKET");
    bool ok = true;
    if (path != NULL && !set_address(&notify, path)) {
        daemon_error_set(ret_error, "NOTIFY_SOCKET is neither a path nor an abstract name");
        ok = false;
    } else if (path != NULL) {
        notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        notify.watchdog_us = watchdog_interval_us();
        if (notify.fd < 0) {
            daemon_error_set(ret_error, "no socket for NOTIFY_SOCKET: %s", strerror(errno));
            ok = false;
        }
    }
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    *ret_notify = ok ? notify : (struct daemon_notify){.fd = -1};
    return ok;
}

static bool send_message(const struct daemon_notify *notify, const char *message)
{
    if (notify->fd < 0)
        return true;
    size_t len = strlen(message);
    struct sockaddr_un addr;
    memcpy(&addr, notify->addr, sizeof addr);
    ssize_t sent = sendto(notify->fd, message, len, MSG_NOSIGNAL, (const struct sockaddr *)&addr,
                          notify->addr_len);
    return sent == (ssize_t)len;
}

bool daemon_notify_ready(const struct daemon_notify *notify)
{
    return send_message(notify, "READY=1");
}

bool daemon_notify_reloading(const struct daemon_notify *notify)
{
    struct timespec now;
    char message[64];
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long now_us = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    snprintf(message, sizeof message, "RELOADING=1\nMONOTONIC_USEC=%lld", now_us);
    return send_message(notify, message);
}

bool daemon_notify_stopping(const struct daemon_notify *notify)
{
    return send_message(notify, "STOPPING=1");
}

bool daemon_notify_watchdog(const struct daemon_notify *notify)
{
    return send_message(notify, "WATCHDOG=1");
}

bool daemon_notify_status(const struct daemon_notify *notify, const char *text)
{
    char message[512];
    snprintf(message, sizeof message, "STATUS=%s", text);
    for (char *at = message; *at != '\0'; at++) {
        if (*at == '\n')
            *at = ' '; // a second line would be a second assignment
    }
    return send_message(notify, message);
}

void daemon_notify_close(struct daemon_notify *notify)
{
    if (notify->fd >= 0)
        close(notify->fd);
    notify->fd = -1;
}
