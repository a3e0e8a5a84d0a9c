// SPDX-License-Identifier: MIT
#include "node/daemon/service_folders_windows.h"

#include "node/daemon/acl_windows.h"
#include "node/daemon/log_file_windows.h"
#include "node/daemon/service_account_windows.h"
#include "node/daemon/service_options.h"
#include "node/daemon/wide_windows.h"

#include <stdio.h>
#include <string.h>

struct folders {
    char base[DAEMON_PATHS_MAX];
    char log[DAEMON_PATHS_MAX + 8];
    char state[DAEMON_PATHS_MAX];
    char keys[DAEMON_PATHS_MAX + 8];
};

bool daemon_service_folders_is_usual(const char *name)
{
    return strcmp(name, DAEMON_SERVICE_OPTIONS_NAME) == 0 ||
           strcmp(name, DAEMON_SERVICE_OPTIONS_PNRP_NAME) == 0;
}

static void name_base(const char *name, char ret_base[DAEMON_PATHS_MAX])
{
    char path[DAEMON_PATHS_MAX];
    bool is_usual = daemon_service_folders_is_usual(name);
    snprintf(ret_base, DAEMON_PATHS_MAX, "%.900s%s%.64s", daemon_paths_standard("/run/pnr", path),
             is_usual ? "" : "-", is_usual ? "" : name);
}

static void name_folders(const char *name, const struct daemon_config *config,
                         struct folders *ret_folders)
{
    name_base(name, ret_folders->base);
    snprintf(ret_folders->log, sizeof ret_folders->log, "%s\\log", ret_folders->base);
    snprintf(ret_folders->state, DAEMON_PATHS_MAX, "%s", config->state_dir.text);
    if (config->keys_dir.text[0] != '\0')
        snprintf(ret_folders->keys, sizeof ret_folders->keys, "%s", config->keys_dir.text);
    else
        snprintf(ret_folders->keys, sizeof ret_folders->keys, "%s\\keys", ret_folders->state);
}

const char *daemon_service_folders_log(const char *name, char ret_path[DAEMON_PATHS_MAX])
{
    char base[DAEMON_PATHS_MAX];
    name_base(name, base);
    snprintf(ret_path, DAEMON_PATHS_MAX, "%.900s\\log\\%.64s.log", base, name);
    return ret_path;
}

// ---- what is pnrd's in them ----

typedef bool (*own_fn)(const char *name);

static bool begins(const char *name, const char *with)
{
    return strncmp(name, with, strlen(with)) == 0;
}

static bool is_log(const char *name)
{
    return strstr(name, ".log") != NULL;
}

// The folders of clouds are an earlier version's.
static bool is_state(const char *name)
{
    return begins(name, "state.db") || strcmp(name, "lock") == 0 || strcmp(name, "keys") == 0 ||
           begins(name, "cloud-");
}

static bool is_key(const char *name)
{
    size_t len = strlen(name);
    return begins(name, ".new-") || (len > 4 && strcmp(name + len - 4, ".pem") == 0);
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
    own_fn is_own;
    char foreign[DAEMON_FILE_PATH_MAX]; // the first that is not ours; "": none
    struct daemon_error *error;
    bool ok;
};

static void look_at_entry(void *ctx, const char *name, bool is_folder)
{
    struct walk *walk = ctx;
    (void)is_folder;
    if (!walk->is_own(name) && walk->foreign[0] == '\0')
        snprintf(walk->foreign, sizeof walk->foreign, "%s", name);
}

static void admit_entry(void *ctx, const char *name, bool is_folder)
{
    struct walk *walk = ctx;
    char path[DAEMON_PATHS_MAX];
    int len = snprintf(path, sizeof path, "%s\\%s", walk->folder, name);
    walk->ok = walk->ok && len > 0 && (size_t)len < sizeof path &&
               (is_folder || daemon_acl_put(path, DAEMON_FILE_OWNER, walk->error));
}

// What an earlier pnrd has left in a folder. That of somebody else would be locked.
static bool admit_content(const char *path, own_fn is_own, struct daemon_error *ret_error)
{
    struct walk walk = {.folder = path, .is_own = is_own, .error = ret_error, .ok = true};
    if (!daemon_file_list(path, look_at_entry, &walk, ret_error))
        return false;
    if (walk.foreign[0] != '\0') {
        daemon_error_set(ret_error, "%.200s in it is not pnrd's; remedy: a folder of its own",
                         walk.foreign);
        return false;
    }
    return daemon_file_list(path, admit_entry, &walk, ret_error) && walk.ok;
}

// is_own: NULL: what is in it is left alone.
static bool admit_folder(const char *path, own_fn is_own, struct daemon_error *ret_error)
{
    struct daemon_error why;
    if (daemon_file_exists(path) && !is_safe(path, ret_error))
        return false;
    if (daemon_file_make_folder(path, DAEMON_FILE_OWNER, &why) &&
        (is_own == NULL || admit_content(path, is_own, &why)) &&
        daemon_acl_put(path, DAEMON_FILE_OWNER, &why))
        return true;
    daemon_error_set(ret_error, "cannot make %.300s ready for the service: %.200s", path, why.text);
    return false;
}

static bool trust(const char *name, void (*take)(const wchar_t *sid),
                  struct daemon_error *ret_error)
{
    wchar_t sid[DAEMON_SERVICE_ACCOUNT_MAX];
    if (daemon_service_account_sid(name, sid)) {
        take(sid);
        return true;
    }
    daemon_error_set(ret_error, "there is no SHA-1");
    return false;
}

bool daemon_service_folders_admit(const char *name, const struct daemon_config *config,
                                  struct daemon_error *ret_error)
{
    struct folders folders;
    char path[DAEMON_PATHS_MAX];
    name_folders(name, config, &folders);
    if (!daemon_service_folders_is_usual(name) &&
        strcmp(folders.state, daemon_paths_standard("/var/lib/pnr", path)) == 0) {
        daemon_error_set(ret_error,
                         "the service %s needs a --state and a --control of its own, such as in "
                         "%.300s",
                         name, folders.base);
        return false;
    }
    // The rendezvous file, which others may read, lies in the first of them. What was the service's
    // under its other name is taken over.
    return trust(DAEMON_SERVICE_OPTIONS_NAME, daemon_acl_trust, ret_error) &&
           trust(DAEMON_SERVICE_OPTIONS_PNRP_NAME, daemon_acl_trust, ret_error) &&
           trust(name, daemon_acl_admit, ret_error) &&
           admit_folder(folders.base, NULL, ret_error) &&
           admit_folder(folders.log, is_log, ret_error) &&
           admit_folder(folders.state, is_state, ret_error) &&
           admit_folder(folders.keys, is_key, ret_error);
}

// ---- removing ----

struct removal {
    const char *folder;
    own_fn is_own;
};

static void remove_entry(void *ctx, const char *name, bool is_folder)
{
    const struct removal *removal = ctx;
    char path[DAEMON_PATHS_MAX];
    int len = snprintf(path, sizeof path, "%s\\%s", removal->folder, name);
    if (!is_folder && removal->is_own(name) && len > 0 && (size_t)len < sizeof path)
        daemon_file_remove(path);
}

static void remove_own(const char *path, own_fn is_own)
{
    struct removal removal = {.folder = path, .is_own = is_own};
    struct daemon_error ignored;
    (void)daemon_file_list(path, remove_entry, &removal, &ignored);
}

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
    name_folders(name, config, &folders);
    if (purge) {
        daemon_log_file_remove(daemon_service_folders_log(name, path));
        remove_own(folders.keys, is_key);
        remove_own(folders.state, is_state);
    }
    remove_empty(folders.keys);
    remove_empty(folders.state);
    remove_empty(folders.log);
    remove_empty(folders.base);
}
