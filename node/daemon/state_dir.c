// SPDX-License-Identifier: MIT
#include "node/daemon/state_dir.h"

#include "node/daemon/file.h"
#include "node/daemon/lock.h"
#include "node/daemon/log.h"

#include <stdio.h>
#include <string.h>

// Says who holds the directory, as far as the lock file tells.
static void report_holder(long pid, const char *path, struct daemon_error *ret_error)
{
    if (pid > 0)
        daemon_error_set(ret_error,
                         "the state directory %s is in use by process %ld; remedy: stop that pnrd, "
                         "or give this one a state-dir of its own",
                         path, pid);
    else
        daemon_error_set(ret_error, "the state directory %s is in use by another process", path);
}

int daemon_state_dir_hold(const char *path, struct daemon_error *ret_error)
{
    char file[DAEMON_FILE_PATH_MAX];
    struct daemon_error why;
    int lock = -1;
    long holder = 0;
    if (!daemon_file_make_folder(path, DAEMON_FILE_OWNER, &why)) {
        daemon_error_set(ret_error, "cannot make the state directory %.200s: %.200s", path,
                         why.text);
        return -1;
    }
    snprintf(file, sizeof file, "%.1000s/lock", path);
    switch (daemon_lock_take(file, &lock, &holder, &why)) {
    case DAEMON_LOCK_TAKEN:
        return lock;
    case DAEMON_LOCK_HELD:
        report_holder(holder, path, ret_error);
        return -1;
    case DAEMON_LOCK_FAILED:
        break;
    }
    daemon_error_set(ret_error, "cannot write in the state directory %.200s: %.200s", path,
                     why.text);
    return -1;
}

struct former {
    char name[256]; // of the first
    int count;
};

static void note_former(void *ctx, const char *name, bool is_folder)
{
    static const char prefix[] = "cloud-";
    struct former *former = ctx;
    if (is_folder && strncmp(name, prefix, sizeof prefix - 1) == 0 && former->count++ == 0)
        snprintf(former->name, sizeof former->name, "%s", name);
}

void daemon_state_dir_warn(const char *path)
{
    struct former former = {.count = 0};
    struct daemon_error ignored;
    (void)daemon_file_list(path, note_former, &former, &ignored);
    if (former.count > 0)
        daemon_log(DAEMON_LOG_WARN,
                   "folders of an earlier version are not read any more: publish anew what was "
                   "published in those clouds, and remove them folder=%s/%s folders=%d",
                   path, former.name, former.count);
}

void daemon_state_dir_release(int lock_fd)
{
    daemon_lock_release(lock_fd);
}
