// SPDX-License-Identifier: MIT
#include "node/daemon/key_dir.h"

#include "node/daemon/acl_windows.h"
#include "node/daemon/file.h"
#include "node/daemon/wide_windows.h"

#include <stdlib.h>
#include <string.h>

#define TEMP_PREFIX ".new-"

// Held open, so that nobody puts another in its place meanwhile.
struct daemon_key_dir {
    HANDLE handle;
    char path[DAEMON_FILE_PATH_MAX];
};

// Whether nobody else may read or change what handle is of.
static bool is_private(HANDLE handle, const char *what, struct daemon_error *ret_error)
{
    if (daemon_acl_others(handle) == DAEMON_ACL_NOTHING)
        return true;
    daemon_error_set(ret_error,
                     "%s is open to others, or theirs: they can get at the keys; remedy: icacls "
                     "with /inheritance:r and /grant:r for its user alone, and replace the keys if "
                     "somebody may have read them",
                     what);
    return false;
}

static HANDLE open_handle(const char *path, DWORD access, DWORD share)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    if (!daemon_wide_path(path, wide))
        return INVALID_HANDLE_VALUE;
    return CreateFileW(wide, access, share, NULL, OPEN_EXISTING,
                       FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
}

// ---- the directory ----

static HANDLE open_dir(const char *path, struct daemon_error *ret_error)
{
    struct daemon_error why;
    char what[256];
    BY_HANDLE_FILE_INFORMATION about;
    if (!daemon_file_make_folder(path, DAEMON_FILE_OWNER, &why)) {
        daemon_error_set(ret_error, "cannot make the key directory %.200s: %.200s", path, why.text);
        return INVALID_HANDLE_VALUE;
    }
    HANDLE handle = open_handle(path, READ_CONTROL | FILE_READ_ATTRIBUTES | FILE_LIST_DIRECTORY,
                                FILE_SHARE_READ | FILE_SHARE_WRITE);
    if (handle == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(handle, &about)) {
        daemon_wide_fail(&why);
        daemon_error_set(ret_error, "cannot open the key directory %.200s: %.200s", path, why.text);
        if (handle != INVALID_HANDLE_VALUE)
            CloseHandle(handle);
        return INVALID_HANDLE_VALUE;
    }
    snprintf(what, sizeof what, "the key directory %.200s", path);
    bool is_folder = (about.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    if (!is_folder)
        daemon_error_set(ret_error, "%s is no directory", what);
    if (is_folder && is_private(handle, what, ret_error))
        return handle;
    CloseHandle(handle);
    return INVALID_HANDLE_VALUE;
}

struct daemon_key_dir *daemon_key_dir_open(const char *path, struct daemon_error *ret_error)
{
    struct daemon_key_dir *dir = calloc(1, sizeof *dir);
    if (dir == NULL) {
        daemon_error_set(ret_error, "no memory for keys");
        return NULL;
    }
    snprintf(dir->path, sizeof dir->path, "%s", path);
    dir->handle = open_dir(path, ret_error);
    if (dir->handle != INVALID_HANDLE_VALUE)
        return dir;
    free(dir);
    return NULL;
}

void daemon_key_dir_close(struct daemon_key_dir *dir)
{
    if (dir == NULL)
        return;
    CloseHandle(dir->handle);
    free(dir);
}

const char *daemon_key_dir_path(const struct daemon_key_dir *dir)
{
    return dir->path;
}

struct walk {
    daemon_key_dir_fn fn;
    void *ctx;
    bool goes_on;
};

static void on_entry(void *ctx, const char *name, bool is_folder)
{
    struct walk *walk = ctx;
    (void)is_folder;
    walk->goes_on = walk->goes_on && walk->fn(walk->ctx, name);
}

bool daemon_key_dir_list(const struct daemon_key_dir *dir, daemon_key_dir_fn fn, void *ctx,
                         struct daemon_error *ret_error)
{
    struct walk walk = {.fn = fn, .ctx = ctx, .goes_on = true};
    struct daemon_error why;
    if (!daemon_file_list(dir->path, on_entry, &walk, &why)) {
        daemon_error_set(ret_error, "cannot list %.200s: %.200s", dir->path, why.text);
        return false;
    }
    return walk.goes_on;
}

// ---- files ----

// False where it does not fit. name is a label, or was listed.
static bool join(const struct daemon_key_dir *dir, const char *name,
                 char ret_path[DAEMON_FILE_PATH_MAX])
{
    int len = snprintf(ret_path, DAEMON_FILE_PATH_MAX, "%s\\%s", dir->path, name);
    SetLastError(ERROR_FILENAME_EXCED_RANGE);
    return len > 0 && len < DAEMON_FILE_PATH_MAX;
}

bool daemon_key_dir_read(const struct daemon_key_dir *dir, const char *name, uint8_t *buf,
                         size_t buf_len, size_t *ret_len, struct daemon_error *ret_error)
{
    char path[DAEMON_FILE_PATH_MAX];
    struct daemon_error why;
    BY_HANDLE_FILE_INFORMATION about;
    DWORD len = 0;
    HANDLE file = join(dir, name, path) ? open_handle(path, GENERIC_READ, FILE_SHARE_READ)
                                        : INVALID_HANDLE_VALUE;
    if (file == INVALID_HANDLE_VALUE || !GetFileInformationByHandle(file, &about)) {
        daemon_wide_fail(&why);
        daemon_error_set(ret_error, "cannot read %.200s: %.200s", path, why.text);
        if (file != INVALID_HANDLE_VALUE)
            CloseHandle(file);
        return false;
    }
    bool ok = false;
    if ((about.dwFileAttributes & (FILE_ATTRIBUTE_DIRECTORY | FILE_ATTRIBUTE_REPARSE_POINT)) != 0) {
        daemon_error_set(ret_error, "%.200s is not a plain file", path);
    } else if (is_private(file, path, ret_error)) {
        ok = ReadFile(file, buf, (DWORD)buf_len, &len, NULL) && len < buf_len;
        *ret_len = len;
        if (!ok)
            daemon_error_set(ret_error, "cannot read %.200s, or it is too long", path);
    }
    CloseHandle(file);
    return ok;
}

// Writes text to a new file at path and makes it durable.
static bool write_new(const char *path, const char *text)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    SECURITY_ATTRIBUTES attributes;
    DWORD written = 0;
    if (!daemon_acl_make(path, DAEMON_FILE_OWNER, wide, &attributes, NULL))
        return false;
    HANDLE file =
        CreateFileW(wide, GENERIC_WRITE, 0, &attributes, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
    DWORD error = GetLastError();
    daemon_acl_free(&attributes);
    SetLastError(error);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool ok = WriteFile(file, text, (DWORD)strlen(text), &written, NULL) &&
              written == strlen(text) && FlushFileBuffers(file);
    error = GetLastError();
    CloseHandle(file);
    SetLastError(error);
    return ok;
}

bool daemon_key_dir_create(const struct daemon_key_dir *dir, const char *name, const char *text,
                           struct daemon_error *ret_error)
{
    char temp_name[128];
    char temp[DAEMON_FILE_PATH_MAX];
    char path[DAEMON_FILE_PATH_MAX];
    wchar_t wide_temp[DAEMON_WIDE_PATH_MAX];
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    char reason[DAEMON_WIDE_REASON_MAX];
    snprintf(temp_name, sizeof temp_name, TEMP_PREFIX "%lu-%.60s", GetCurrentProcessId(), name);
    // Without MOVEFILE_REPLACE_EXISTING, it fails where the name is taken.
    bool ok = join(dir, temp_name, temp) && join(dir, name, path) && write_new(temp, text) &&
              daemon_wide_path(temp, wide_temp) && daemon_wide_path(path, wide) &&
              MoveFileExW(wide_temp, wide, MOVEFILE_WRITE_THROUGH);
    DWORD error = GetLastError();
    if (ok)
        return true;
    daemon_file_remove(temp);
    bool taken = error == ERROR_ALREADY_EXISTS || error == ERROR_FILE_EXISTS;
    daemon_error_set_kind(ret_error, taken ? DAEMON_ERROR_TAKEN : DAEMON_ERROR_FAILED,
                          "cannot write the key file %s: %s", name,
                          taken ? "it is there already" : daemon_wide_reason(error, reason));
    return false;
}

static bool tidy_entry(void *ctx, const char *name)
{
    const struct daemon_key_dir *dir = ctx;
    char path[DAEMON_FILE_PATH_MAX];
    if (strncmp(name, TEMP_PREFIX, strlen(TEMP_PREFIX)) == 0 && join(dir, name, path))
        daemon_file_remove(path);
    return true;
}

void daemon_key_dir_tidy(const struct daemon_key_dir *dir)
{
    struct daemon_key_dir same = *dir;
    struct daemon_error ignored;
    (void)daemon_key_dir_list(dir, tidy_entry, &same, &ignored);
}
