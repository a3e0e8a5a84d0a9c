// SPDX-License-Identifier: MIT
#include "node/daemon/state_dir.h"

#include "node/daemon/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Says who holds the directory, as far as the lock file tells.
static void report_holder(int fd, const char *path, struct daemon_error *ret_error)
{
    char text[32] = "";
    long pid = 0;
    if (pread(fd, text, sizeof text - 1, 0) > 0 && sscanf(text, "%ld", &pid) == 1 && pid > 0)
        daemon_error_set(ret_error,
                         "the state directory %s is in use by process %ld; remedy: stop that pnrd, "
                         "or give this one a state-dir of its own",
                         path, pid);
    else
        daemon_error_set(ret_error, "the state directory %s is in use by another process", path);
}

static int open_lock(const char *path, struct daemon_error *ret_error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        daemon_error_set(ret_error, "cannot make the state directory %s: %s", path,
                         strerror(errno));
        return -1;
    }
    int dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = -1;
    if (dir_fd >= 0)
        fd = openat(dir_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        daemon_error_set(ret_error, "cannot write in the state directory %s: %s", path,
                         strerror(errno));
    if (dir_fd >= 0)
        close(dir_fd);
    return fd;
}

int daemon_state_dir_hold(const char *path, struct daemon_error *ret_error)
{
    int fd = open_lock(path, ret_error);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            report_holder(fd, path, ret_error);
        else
            daemon_error_set(ret_error, "cannot lock the state directory %s: %s", path,
                             strerror(errno));
        close(fd);
        return -1;
    }
    char text[32];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    // The lock holds without the number in it: on a full disk only a later message is poorer.
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        errno = 0;
    return fd;
}

void daemon_state_dir_warn(const char *path)
{
    static const char prefix[] = "cloud-";
    char name[256] = "";
    int count = 0;
    DIR *dir = opendir(path);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        struct stat about;
        bool is_former = strncmp(entry->d_name, prefix, sizeof prefix - 1) == 0 &&
                         fstatat(dirfd(dir), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
                         S_ISDIR(about.st_mode);
        if (is_former && count++ == 0)
            snprintf(name, sizeof name, "%s", entry->d_name);
    }
    if (dir != NULL)
        closedir(dir);
    if (count > 0)
        daemon_log(DAEMON_LOG_WARN,
                   "folders of an earlier version are not read any more: publish anew what was "
                   "published in those clouds, and remove them folder=%s/%s folders=%d",
                   path, name, count);
}

void daemon_state_dir_release(int lock_fd)
{
    // The file stays: removing it could take away the lock of a process that just opened it.
    if (lock_fd >= 0)
        close(lock_fd);
}
