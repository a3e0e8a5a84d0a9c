// SPDX-License-Identifier: MIT
#include "node/daemon/wake.h"

#include <fcntl.h>
#include <unistd.h>

bool daemon_wake_open(int ret_fds[2])
{
    return pipe2(ret_fds, O_NONBLOCK | O_CLOEXEC) == 0;
}

void daemon_wake_ring(int ring_fd)
{
    // A pipe that is full is readable already, and where nobody listens any more nobody misses it.
    ssize_t sent = write(ring_fd, "", 1);
    (void)sent;
}

void daemon_wake_hush(int poll_fd)
{
    char bytes[64];
    while (read(poll_fd, bytes, sizeof bytes) > 0) {
    }
}

void daemon_wake_close(int fd)
{
    if (fd >= 0)
        close(fd);
}
