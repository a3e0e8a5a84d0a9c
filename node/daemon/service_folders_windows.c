// SPDX-License-Identifier: MIT
#include "node/daemon/service_folders_windows.h"

#include "node/daemon/acl_windows.h"
#include "node/daemon/log_file_windows.h"
#include "node/daemon/service_account_windows.h"
#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 4 // folders in folders

struct folders {
    char base[DAEMON_PATHS_MAX];
    char log[DAEMON_PATHS_MAX + 8];
    char state[DAEMON_PATHS_MAX];
    char keys[DAEMON_PATHS_MAX + 8];
};

static void name_folders(const struct daemon_config *config, struct folders *ret_folders)
{
    char path[DAEMON_PATHS_MAX];
    snprintf(ret_folders->base, DAEMON_PATHS_MAX, "%s", daemon_paths_standard("/run/pnr", path));
    snprintf(ret_folders->log, sizeof ret_folders->log, "%s\\log", ret_folders->base);
    snprintf(ret_folders->state, DAEMON_PATHS_MAX, "%s", config->state_dir.text);
    if (config->keys_dir.text[0] != '\0')
        snprintf(ret_folders->keys, sizeof ret_folders->keys, "%s", config->keys_dir.text);
    else
        snprintf(ret_folders->keys, sizeof ret_folders->keys, "%s\\keys", ret_folders->state);
}

const char *daemon_service_folders_log(const char *name, char ret_path[DAEMON_PATHS_MAX])
{
    char path[DAEMON_PATHS_MAX];
    snprintf(ret_path, DAEMON_PATHS_MAX, "%.900s\\log\\%.64s.log",
             daemon_paths_standard("/run/pnr", path), name);
    return ret_path;
}

// ---- making ----

// Whether nobody but those who may anyway can change the folder.
static bool is_safe(const char *path, struct daemon_error *ret_error)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    BY_HANDLE_FILE_INFORMATION about;
    HANDLE folder = INVALID_HANDLE_VALUE;
    if (daemon_wide_path(path, wide))
        folder =
            CreateFileW(wide, READ_CONTROL | FILE_READ_ATTRIBUTES,
                        FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
                        FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (folder == INVALID_HANDLE_VALUE) {
        struct daemon_error why;
        daemon_wide_fail(&why);
        daemon_error_set(ret_error, "cannot look at %.300s: %.200s", path, why.text);
        return false;
    }
    bool is_safe = GetFileInformationByHandle(folder, &about) &&
                   (about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0 &&
                   (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 &&
                   daemon_acl_others(folder) != DAEMON_ACL_CHANGE;
    CloseHandle(folder);
    if (!is_safe)
        daemon_error_set(ret_error,
                         "%.300s is no folder, is somebody else's, or others can change what is in "
                         "it; remedy: look at what is there, and move it away",
                         path);
    return is_safe;
}

struct walk {
    const char *folder;
    int depth;
    struct daemon_error *error;
    bool ok;
};

static bool admit_below(const char *folder, int depth, struct daemon_error *ret_error);

static void admit_entry(void *ctx, const char *name, bool is_folder)
{
    struct walk *walk = ctx;
    char path[DAEMON_PATHS_MAX];
    int len = snprintf(path, sizeof path, "%s\\%s", walk->folder, name);
    walk->ok = walk->ok && len > 0 && (size_t)len < sizeof path &&
               daemon_acl_put(path, DAEMON_FILE_OWNER, walk->error) &&
               (!is_folder || admit_below(path, walk->depth + 1, walk->error));
}

// What an earlier pnrd has left there.
static bool admit_below(const char *folder, int depth, struct daemon_error *ret_error)
{
    struct walk walk = {.folder = folder, .depth = depth, .error = ret_error, .ok = true};
    return depth > DEPTH_MAX ||
           (daemon_file_list(folder, admit_entry, &walk, ret_error) && walk.ok);
}

static bool admit_folder(const char *path, bool with_content, struct daemon_error *ret_error)
{
    struct daemon_error why;
    if (daemon_file_exists(path) && !is_safe(path, ret_error))
        return false;
    if (daemon_file_make_folder(path, DAEMON_FILE_OWNER, &why) &&
        daemon_acl_put(path, DAEMON_FILE_OWNER, &why) &&
        (!with_content || admit_below(path, 0, &why)))
        return true;
    daemon_error_set(ret_error, "cannot make %.300s ready for the service: %.200s", path, why.text);
    return false;
}

bool daemon_service_folders_admit(const char *name, const struct daemon_config *config,
                                  struct daemon_error *ret_error)
{
    struct folders folders;
    wchar_t sid[DAEMON_SERVICE_ACCOUNT_MAX];
    if (!daemon_service_account_sid(name, sid)) {
        daemon_error_set(ret_error, "there is no SHA-1");
        return false;
    }
    daemon_acl_admit(sid);
    name_folders(config, &folders);
    // The rendezvous file, which others may read, lies in the first of them.
    return admit_folder(folders.base, false, ret_error) &&
           admit_folder(folders.log, true, ret_error) &&
           admit_folder(folders.state, true, ret_error) &&
           admit_folder(folders.keys, true, ret_error);
}

// ---- removing ----

static void remove_empty(const char *path)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    if (daemon_wide_path(path, wide))
        RemoveDirectoryW(wide);
}

void daemon_service_folders_remove(const char *name, const struct daemon_config *config, bool purge)
{
    struct folders folders;
    char path[DAEMON_PATHS_MAX];
    name_folders(config, &folders);
    if (purge) {
        daemon_log_file_remove(daemon_service_folders_log(name, path));
        daemon_file_remove_folder(folders.keys);
        daemon_file_remove_folder(folders.state);
    }
    remove_empty(folders.keys);
    remove_empty(folders.state);
    remove_empty(folders.log);
    remove_empty(folders.base);
}
