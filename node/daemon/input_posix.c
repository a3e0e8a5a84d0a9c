// SPDX-License-Identifier: MIT
#include "node/daemon/input.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int daemon_input_open(int fd)
{
    struct stat status;
    bool is_stream = fstat(fd, &status) == 0 &&
                     (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode) || isatty(fd));
    return is_stream ? fd : -1;
}

void daemon_input_close(int polled_fd)
{
    (void)polled_fd; // it was not ours
}

ptrdiff_t daemon_input_read(int polled_fd, void *buf, size_t buf_len)
{
    // Left blocking, since stdin may be shared with a shell; it was said to be readable.
    ssize_t len = read(polled_fd, buf, buf_len);
    if (len < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    return len > 0 ? len : -1;
}
