// SPDX-License-Identifier: MIT
#include "node/daemon/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static long read_holder(int fd)
{
    char text[32] = "";
    long pid = 0;
    bool told = pread(fd, text, sizeof text - 1, 0) > 0 && sscanf(text, "%ld", &pid) == 1;
    return told && pid > 0 ? pid : 0;
}

enum daemon_lock_taken daemon_lock_take(const char *path, int *ret_lock, long *ret_holder,
                                        struct daemon_error *ret_why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool is_held = fd >= 0 && errno == EWOULDBLOCK;
        if (is_held)
            *ret_holder = read_holder(fd);
        else
            daemon_error_set(ret_why, "%s", strerror(errno));
        daemon_lock_release(fd);
        return is_held ? DAEMON_LOCK_HELD : DAEMON_LOCK_FAILED;
    }
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    // The lock holds without the number in it: on a full disk only a later message is poorer.
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        errno = 0;
    *ret_lock = fd;
    return DAEMON_LOCK_TAKEN;
}

void daemon_lock_release(int lock)
{
    if (lock >= 0)
        close(lock);
}
