// SPDX-License-Identifier: MIT
#include "node/daemon/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

// Sets ret_why from errno.
static bool fail(struct daemon_error *ret_why)
{
    daemon_error_set(ret_why, "%s", strerror(errno));
    return false;
}

bool daemon_file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool daemon_file_identify(const char *path, struct daemon_file_id *ret_id)
{
    struct stat status;
    if (lstat(path, &status) != 0)
        return false;
    *ret_id = (struct daemon_file_id){.volume = status.st_dev, .number = status.st_ino};
    return true;
}

void daemon_file_remove(const char *path)
{
    unlink(path);
}

// ---- folders ----

bool daemon_file_make_folder(const char *path, enum daemon_file_readers readers,
                             struct daemon_error *ret_why)
{
    mode_t mode = readers == DAEMON_FILE_OWNER ? 0700 : 0755;
    return mkdir(path, mode) == 0 || errno == EEXIST || fail(ret_why);
}

bool daemon_file_make_temporary(const char *name, char *ret_path, size_t path_len,
                                struct daemon_error *ret_why)
{
    const char *base = getenv("TMPDIR");
    char path[DAEMON_FILE_PATH_MAX];
    snprintf(path, sizeof path, "%.400s/%s-XXXXXX", base == NULL ? "/tmp" : base, name);
    errno = ENAMETOOLONG;
    if (strlen(path) >= path_len || mkdtemp(path) == NULL)
        return fail(ret_why);
    memcpy(ret_path, path, strlen(path) + 1);
    return true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

void daemon_file_remove_folder(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

bool daemon_file_list(const char *path, daemon_file_entry_fn fn, void *ctx,
                      struct daemon_error *ret_why)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    if (dir == NULL)
        return fail(ret_why);
    while ((entry = readdir(dir)) != NULL) {
        struct stat status;
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0)
            fn(ctx, entry->d_name, S_ISDIR(status.st_mode));
    }
    closedir(dir);
    return true;
}

bool daemon_file_look(const char *path, struct daemon_file_folder *ret_folder,
                      struct daemon_error *ret_why)
{
    struct stat status;
    struct statvfs space;
    if (stat(path, &status) != 0 || access(path, W_OK | X_OK) != 0 || statvfs(path, &space) != 0)
        return fail(ret_why);
    *ret_folder =
        (struct daemon_file_folder){.free_bytes = (uint64_t)space.f_bavail * space.f_frsize,
                                    .others_may_write = (status.st_mode & 022) != 0};
    return true;
}

// ---- files ----

bool daemon_file_make_private(const char *path, struct daemon_error *ret_why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(ret_why);
    close(fd);
    return true;
}

bool daemon_file_replace(const char *path, struct dht_span text, enum daemon_file_readers readers,
                         unsigned group, struct daemon_error *ret_why)
{
    static const mode_t modes[] = {
        [DAEMON_FILE_OWNER] = 0600, [DAEMON_FILE_GROUP] = 0640, [DAEMON_FILE_EVERYONE] = 0644};
    char draft[DAEMON_FILE_PATH_MAX + 8];
    snprintf(draft, sizeof draft, "%s.new", path);
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return fail(ret_why);
    errno = ENOSPC; // where less is written than was asked
    bool ok = write(fd, text.data, text.len) == (ssize_t)text.len;
    ok = ok && (readers != DAEMON_FILE_GROUP || fchown(fd, (uid_t)-1, group) == 0);
    ok = ok && fchmod(fd, modes[readers]) == 0;
    ok = close(fd) == 0 && ok;
    ok = ok && rename(draft, path) == 0;
    if (ok)
        return true;
    fail(ret_why);
    unlink(draft);
    return false;
}

FILE *daemon_file_open(const char *path, struct daemon_error *ret_why)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        fail(ret_why);
    return file;
}

FILE *daemon_file_create(const char *path, struct daemon_error *ret_why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file != NULL)
        return file;
    fail(ret_why);
    if (fd >= 0)
        close(fd);
    return NULL;
}

bool daemon_file_keeps(const char *path, struct daemon_error *ret_why)
{
    (void)path;
    (void)ret_why;
    return true;
}
