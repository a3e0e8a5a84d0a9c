// SPDX-License-Identifier: MIT
#include "node/cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool refuse(char why[CLI_FILE_WHY_MAX], const char *what, const char *path)
{
    snprintf(why, CLI_FILE_WHY_MAX, "%s %.300s: %s", what, path, strerror(errno));
    return false;
}

static bool read_whole(int fd, uint8_t *buf, size_t max, size_t *ret_len)
{
    size_t len = 0;
    while (len < max) {
        ssize_t got = read(fd, buf + len, max - len);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return false;
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    uint8_t more;
    if (len == max && read(fd, &more, 1) == 1) {
        errno = EFBIG;
        return false;
    }
    *ret_len = len;
    return true;
}

bool cli_file_read(const char *path, uint8_t *buf, size_t max, size_t *ret_len,
                   char ret_why[CLI_FILE_WHY_MAX])
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return refuse(ret_why, "cannot open", path);
    }
    bool good = read_whole(fd, buf, max, ret_len);
    if (!good && errno == EFBIG) {
        snprintf(ret_why, CLI_FILE_WHY_MAX, "%.300s is longer than %zu bytes",
                 is_stdin ? "stdin" : path, max);
    } else if (!good) {
        refuse(ret_why, "cannot read", path);
    }
    if (!is_stdin) {
        close(fd);
    }
    return good;
}

static bool write_whole(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t put = write(fd, data, len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        data += put;
        len -= (size_t)put;
    }
    return true;
}

bool cli_file_create_secret(const char *path, const char *data, size_t len,
                            char ret_why[CLI_FILE_WHY_MAX])
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return refuse(ret_why, "cannot create", path);
    }
    bool good = write_whole(fd, data, len) && fsync(fd) == 0;
    if (!good) {
        refuse(ret_why, "cannot write", path);
        unlink(path);
    }
    close(fd);
    return good;
}

bool cli_file_write_stdout(const char *data, size_t len, char ret_why[CLI_FILE_WHY_MAX])
{
    return write_whole(STDOUT_FILENO, data, len) || refuse(ret_why, "cannot write", "stdout");
}

void cli_file_wipe(void *secret, size_t len)
{
    explicit_bzero(secret, len);
}
