// SPDX-License-Identifier: MIT
#include "node/daemon/key_dir.h"

#include "node/daemon/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMP_PREFIX ".new-"

struct daemon_key_dir {
    int fd;
    char path[DAEMON_FILE_PATH_MAX];
};

// Whether nobody but us (or root) owns or may touch what status is of: the thing at path, which has
// to have that mode.
static bool is_private(const struct stat *status, unsigned mode, const char *what, const char *path,
                       struct daemon_error *ret_error)
{
    if (status->st_uid != geteuid() && status->st_uid != 0) {
        daemon_error_set(ret_error, "%s belongs to user %u, pnrd runs as %u; remedy: chown %u %s",
                         what, (unsigned)status->st_uid, (unsigned)geteuid(), (unsigned)geteuid(),
                         path);
        return false;
    }
    if ((status->st_mode & 077) != 0) {
        daemon_error_set(ret_error,
                         "%s has mode %04o: others can get at the keys; remedy: chmod %o %s, and "
                         "replace the keys if somebody may have read them",
                         what, (unsigned)status->st_mode & 07777, mode, path);
        return false;
    }
    return true;
}

// ---- the directory ----

static int open_dir(const char *path, struct daemon_error *ret_error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        daemon_error_set(ret_error, "cannot make the key directory %s: %s", path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        daemon_error_set(ret_error, "cannot open the key directory %s: %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    char what[256];
    snprintf(what, sizeof what, "the key directory %.200s", path);
    if (!is_private(&status, 0700, what, path, ret_error)) {
        close(fd);
        return -1;
    }
    return fd;
}

struct daemon_key_dir *daemon_key_dir_open(const char *path, struct daemon_error *ret_error)
{
    struct daemon_key_dir *dir = calloc(1, sizeof *dir);
    if (dir == NULL) {
        daemon_error_set(ret_error, "no memory for keys");
        return NULL;
    }
    snprintf(dir->path, sizeof dir->path, "%s", path);
    dir->fd = open_dir(path, ret_error);
    if (dir->fd >= 0)
        return dir;
    free(dir);
    return NULL;
}

void daemon_key_dir_close(struct daemon_key_dir *dir)
{
    if (dir == NULL)
        return;
    close(dir->fd);
    free(dir);
}

const char *daemon_key_dir_path(const struct daemon_key_dir *dir)
{
    return dir->path;
}

bool daemon_key_dir_list(const struct daemon_key_dir *dir, daemon_key_dir_fn fn, void *ctx,
                         struct daemon_error *ret_error)
{
    int fd = openat(dir->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *walk = fd < 0 ? NULL : fdopendir(fd);
    if (walk == NULL) {
        daemon_error_set(ret_error, "cannot list %s: %s", dir->path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    const struct dirent *entry;
    bool ok = true;
    while (ok && (entry = readdir(walk)) != NULL)
        ok = fn(ctx, entry->d_name);
    closedir(walk);
    return ok;
}

// ---- files ----

// Reads all of fd. False where it cannot be read or does not fit.
static bool read_whole(int fd, uint8_t *out, size_t out_len, size_t *ret_len)
{
    size_t used = 0;
    while (used < out_len) {
        ssize_t got = read(fd, out + used, out_len - used);
        if (got == 0) {
            *ret_len = used;
            return true;
        }
        if (got < 0 && errno != EINTR)
            return false;
        used += got > 0 ? (size_t)got : 0;
    }
    errno = EFBIG;
    return false;
}

bool daemon_key_dir_read(const struct daemon_key_dir *dir, const char *name, uint8_t *buf,
                         size_t buf_len, size_t *ret_len, struct daemon_error *ret_error)
{
    char file[256];
    snprintf(file, sizeof file, "%.180s/%.60s", dir->path, name);
    // O_NONBLOCK: a FIFO of that name must not hold us up.
    int fd = openat(dir->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        daemon_error_set(ret_error, "cannot read %s: %s", file,
                         errno == ELOOP
                             ? "it is a symbolic link; remedy: put the file itself in its place"
                             : strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool ok = false;
    if (!S_ISREG(status.st_mode)) {
        daemon_error_set(ret_error, "%s is not a plain file; remedy: move it away", file);
    } else if (is_private(&status, 0600, file, file, ret_error)) {
        ok = read_whole(fd, buf, buf_len, ret_len);
        if (!ok)
            daemon_error_set(ret_error, "cannot read %s: %s", file, strerror(errno));
    }
    close(fd);
    return ok;
}

static bool write_whole(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, text, len);
        if (written < 0 && errno != EINTR)
            return false;
        text += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

// Writes text to a new file `temp` and makes it durable.
static bool write_temp(int dir_fd, const char *temp, const char *text)
{
    int fd = openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool ok = fchmod(fd, 0600) == 0 && write_whole(fd, text, strlen(text)) && fsync(fd) == 0;
    int saved_errno = errno;
    ok = close(fd) == 0 && ok;
    errno = saved_errno;
    return ok;
}

bool daemon_key_dir_create(const struct daemon_key_dir *dir, const char *name, const char *text,
                           struct daemon_error *ret_error)
{
    char temp[NAME_MAX + 1];
    snprintf(temp, sizeof temp, TEMP_PREFIX "%ld-%.200s", (long)getpid(), name);
    // A link, unlike a rename, fails where the name is taken.
    bool linked = write_temp(dir->fd, temp, text) && linkat(dir->fd, temp, dir->fd, name, 0) == 0;
    int saved_errno = errno;
    unlinkat(dir->fd, temp, 0);
    if (linked && fsync(dir->fd) == 0)
        return true;
    if (linked) {
        saved_errno = errno;
        unlinkat(dir->fd, name, 0);
    }
    daemon_error_set_kind(ret_error,
                          saved_errno == EEXIST ? DAEMON_ERROR_TAKEN : DAEMON_ERROR_FAILED,
                          "cannot write the key file %s: %s", name,
                          saved_errno == EEXIST ? "it is there already" : strerror(saved_errno));
    return false;
}

static bool tidy_entry(void *ctx, const char *name)
{
    const struct daemon_key_dir *dir = ctx;
    if (strncmp(name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0)
        unlinkat(dir->fd, name, 0);
    return true;
}

void daemon_key_dir_tidy(const struct daemon_key_dir *dir)
{
    struct daemon_key_dir same = *dir;
    struct daemon_error ignored;
    (void)daemon_key_dir_list(dir, tidy_entry, &same, &ignored);
}
