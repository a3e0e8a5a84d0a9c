// SPDX-License-Identifier: MIT
#include "node/daemon/file.h"

#include "node/daemon/acl_windows.h"
#include "node/daemon/random.h"
#include "node/daemon/wide_windows.h"

#include <fcntl.h>
#include <io.h>
#include <string.h>

#define MOVE_TRIES    20
#define MOVE_PAUSE_MS 10

bool daemon_file_exists(const char *path)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    return daemon_wide_path(path, wide) && GetFileAttributesW(wide) != INVALID_FILE_ATTRIBUTES;
}

// Opens a file or folder to ask about it. A link is itself.
static HANDLE open_to_look(const char *path, DWORD access)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    if (!daemon_wide_path(path, wide))
        return INVALID_HANDLE_VALUE;
    return CreateFileW(wide, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                       OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT,
                       NULL);
}

bool daemon_file_identify(const char *path, struct daemon_file_id *ret_id)
{
    BY_HANDLE_FILE_INFORMATION about;
    HANDLE file = open_to_look(path, FILE_READ_ATTRIBUTES);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool ok = GetFileInformationByHandle(file, &about);
    CloseHandle(file);
    if (ok)
        *ret_id = (struct daemon_file_id){.volume = about.dwVolumeSerialNumber,
                                          .number = (uint64_t)about.nFileIndexHigh << 32 |
                                                    about.nFileIndexLow};
    return ok;
}

void daemon_file_remove(const char *path)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    if (daemon_wide_path(path, wide))
        DeleteFileW(wide);
}

// ---- folders ----

bool daemon_file_make_folder(const char *path, enum daemon_file_readers readers,
                             struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    SECURITY_ATTRIBUTES attributes;
    if (!daemon_acl_make(path, readers, wide, &attributes, ret_why))
        return false;
    bool ok = CreateDirectoryW(wide, &attributes) || GetLastError() == ERROR_ALREADY_EXISTS;
    if (!ok)
        daemon_wide_fail(ret_why);
    daemon_acl_free(&attributes);
    return ok;
}

bool daemon_file_make_temporary(const char *name, char *ret_path, size_t path_len,
                                struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    char base[DAEMON_FILE_PATH_MAX];
    uint32_t number = 0;
    if (GetTempPathW(DAEMON_WIDE_PATH_MAX, wide) == 0 ||
        !daemon_wide_text(wide, base, sizeof base) || !daemon_random(&number, sizeof number))
        return daemon_wide_fail(ret_why);
    int len = snprintf(ret_path, path_len, "%s%s-%08x", base, name, number);
    SetLastError(ERROR_FILENAME_EXCED_RANGE);
    if (len < 0 || (size_t)len >= path_len)
        return daemon_wide_fail(ret_why);
    if (!daemon_file_exists(ret_path))
        return daemon_file_make_folder(ret_path, DAEMON_FILE_OWNER, ret_why);
    SetLastError(ERROR_ALREADY_EXISTS);
    return daemon_wide_fail(ret_why);
}

static void remove_entry(void *ctx, const char *name, bool is_folder)
{
    const char *folder = ctx;
    char path[DAEMON_FILE_PATH_MAX];
    int len = snprintf(path, sizeof path, "%s\\%s", folder, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return;
    if (is_folder)
        daemon_file_remove_folder(path);
    else
        daemon_file_remove(path);
}

void daemon_file_remove_folder(const char *path)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    char folder[DAEMON_FILE_PATH_MAX];
    struct daemon_error ignored;
    snprintf(folder, sizeof folder, "%s", path);
    (void)daemon_file_list(folder, remove_entry, folder, &ignored);
    if (daemon_wide_path(path, wide))
        RemoveDirectoryW(wide);
}

bool daemon_file_list(const char *path, daemon_file_entry_fn fn, void *ctx,
                      struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    char pattern[DAEMON_FILE_PATH_MAX + 4];
    char name[4 * MAX_PATH];
    WIN32_FIND_DATAW found;
    snprintf(pattern, sizeof pattern, "%s\\*", path);
    HANDLE search =
        daemon_wide_path(pattern, wide) ? FindFirstFileW(wide, &found) : INVALID_HANDLE_VALUE;
    if (search == INVALID_HANDLE_VALUE)
        return daemon_wide_fail(ret_why);
    do {
        bool is_link = (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
        bool is_folder = (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0 && !is_link;
        if (daemon_wide_text(found.cFileName, name, sizeof name) && strcmp(name, ".") != 0 &&
            strcmp(name, "..") != 0)
            fn(ctx, name, is_folder);
    } while (FindNextFileW(search, &found));
    FindClose(search);
    return true;
}

bool daemon_file_look(const char *path, struct daemon_file_folder *ret_folder,
                      struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    ULARGE_INTEGER free_bytes;
    HANDLE folder = open_to_look(path, READ_CONTROL | FILE_ADD_FILE);
    if (folder == INVALID_HANDLE_VALUE)
        return daemon_wide_fail(ret_why);
    bool others = daemon_acl_others(folder) == DAEMON_ACL_CHANGE;
    CloseHandle(folder);
    if (!daemon_wide_path(path, wide) || !GetDiskFreeSpaceExW(wide, &free_bytes, NULL, NULL))
        return daemon_wide_fail(ret_why);
    *ret_folder =
        (struct daemon_file_folder){.free_bytes = free_bytes.QuadPart, .others_may_write = others};
    return true;
}

bool daemon_file_keeps(const char *path, struct daemon_error *ret_why)
{
    struct daemon_file_folder folder;
    if (!daemon_file_look(path, &folder, ret_why))
        return false;
    if (folder.others_may_write)
        daemon_error_set(ret_why, "others may change it, or it is theirs; remedy: look who made it "
                                  "(icacls), then remove it or choose another with control");
    return !folder.others_may_write;
}

// ---- files ----

// disposition: CREATE_NEW, OPEN_ALWAYS or CREATE_ALWAYS. A new file has the readers told.
static HANDLE open_to_write(const char *path, DWORD disposition, enum daemon_file_readers readers,
                            struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    SECURITY_ATTRIBUTES attributes;
    if (!daemon_acl_make(path, readers, wide, &attributes, ret_why))
        return INVALID_HANDLE_VALUE;
    HANDLE file = CreateFileW(wide, GENERIC_WRITE, FILE_SHARE_READ, &attributes, disposition,
                              FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file == INVALID_HANDLE_VALUE)
        daemon_wide_fail(ret_why);
    daemon_acl_free(&attributes);
    return file;
}

bool daemon_file_make_private(const char *path, struct daemon_error *ret_why)
{
    BY_HANDLE_FILE_INFORMATION about;
    HANDLE file = open_to_write(path, OPEN_ALWAYS, DAEMON_FILE_OWNER, ret_why);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool ok = GetFileInformationByHandle(file, &about) &&
              (about.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0;
    CloseHandle(file);
    if (!ok)
        daemon_error_set(ret_why, "it is a symbolic link");
    return ok;
}

// Moves a file to where there is another, which is put aside.
static bool move_past(const wchar_t *from, const wchar_t *to, const wchar_t *aside)
{
    (void)DeleteFileW(aside); // of a daemon that ended half way
    if (!MoveFileExW(to, aside, 0))
        return false;
    if (!MoveFileExW(from, to, MOVEFILE_WRITE_THROUGH)) {
        (void)MoveFileExW(aside, to, 0);
        return false;
    }
    (void)DeleteFileW(aside);
    return true;
}

// Moves a file over another. One that somebody has open cannot be replaced, but where he shares its
// deletion, as a client does while it reads a rendezvous file, it can be put aside, and goes when
// he closes it; a client that looks for the file between the two finds none. Who scans for viruses
// may share nothing, and has it for a moment only.
static bool move_over(const char *from, const char *to, const char *aside)
{
    wchar_t wide_from[DAEMON_WIDE_PATH_MAX];
    wchar_t wide_to[DAEMON_WIDE_PATH_MAX];
    wchar_t wide_aside[DAEMON_WIDE_PATH_MAX];
    if (!daemon_wide_path(from, wide_from) || !daemon_wide_path(to, wide_to) ||
        !daemon_wide_path(aside, wide_aside))
        return false;
    for (int i = 0;; i++) {
        if (MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
            return true;
        DWORD error = GetLastError();
        if (error == ERROR_ACCESS_DENIED && move_past(wide_from, wide_to, wide_aside))
            return true;
        SetLastError(error);
        if (i == MOVE_TRIES || (error != ERROR_SHARING_VIOLATION && error != ERROR_ACCESS_DENIED))
            return false;
        Sleep(MOVE_PAUSE_MS);
    }
}

bool daemon_file_replace(const char *path, struct dht_span text, enum daemon_file_readers readers,
                         unsigned group, struct daemon_error *ret_why)
{
    char draft[DAEMON_FILE_PATH_MAX + 8];
    char aside[DAEMON_FILE_PATH_MAX + 8];
    DWORD written = 0;
    (void)group; // groups have no numbers here
    snprintf(draft, sizeof draft, "%s.new", path);
    snprintf(aside, sizeof aside, "%s.old", path);
    daemon_file_remove(draft);
    HANDLE file = open_to_write(draft, CREATE_NEW, readers, ret_why);
    if (file == INVALID_HANDLE_VALUE)
        return false;
    bool ok = WriteFile(file, text.data, (DWORD)text.len, &written, NULL) && written == text.len &&
              FlushFileBuffers(file);
    if (!ok)
        daemon_wide_fail(ret_why);
    CloseHandle(file);
    if (ok) {
        ok = move_over(draft, path, aside);
        if (!ok)
            daemon_wide_fail(ret_why);
    }
    if (!ok)
        daemon_file_remove(draft);
    return ok;
}

FILE *daemon_file_open(const char *path, struct daemon_error *ret_why)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    FILE *file = daemon_wide_path(path, wide) ? _wfopen(wide, L"rb") : NULL;
    if (file == NULL)
        daemon_wide_fail(ret_why);
    return file;
}

FILE *daemon_file_create(const char *path, struct daemon_error *ret_why)
{
    HANDLE handle = open_to_write(path, CREATE_NEW, DAEMON_FILE_OWNER, ret_why);
    if (handle == INVALID_HANDLE_VALUE)
        return NULL;
    int fd = _open_osfhandle((intptr_t)handle, _O_BINARY);
    FILE *file = fd < 0 ? NULL : _fdopen(fd, "wb");
    if (file != NULL)
        return file;
    daemon_error_set(ret_why, "no stream is left");
    if (fd < 0)
        CloseHandle(handle);
    else
        _close(fd);
    return NULL;
}
