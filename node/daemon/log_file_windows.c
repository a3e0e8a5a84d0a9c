// SPDX-License-Identifier: MIT
#include "node/daemon/log_file_windows.h"

#include "node/daemon/file.h"
#include "node/daemon/wide_windows.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

struct daemon_log_file {
    SRWLOCK lock;
    HANDLE handle; // INVALID_HANDLE_VALUE: it could not be opened again
    uint64_t bytes;
    uint64_t bytes_max;
    uint64_t lost;
    char path[DAEMON_FILE_PATH_MAX];
};

// number 0: the one that is written.
static bool wide_path(const char *path, int number, wchar_t ret_wide[DAEMON_WIDE_PATH_MAX])
{
    char numbered[DAEMON_FILE_PATH_MAX + 8];
    if (number == 0)
        return daemon_wide_path(path, ret_wide);
    snprintf(numbered, sizeof numbered, "%s.%d", path, number);
    return daemon_wide_path(numbered, ret_wide);
}

// Others may read it meanwhile, and move it away.
static bool open_handle(struct daemon_log_file *file)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    LARGE_INTEGER size;
    if (!wide_path(file->path, 0, wide))
        return false;
    file->handle =
        CreateFileW(wide, FILE_APPEND_DATA | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL,
                    OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
    if (file->handle == INVALID_HANDLE_VALUE)
        return false;
    file->bytes = GetFileSizeEx(file->handle, &size) ? (uint64_t)size.QuadPart : 0;
    return true;
}

struct daemon_log_file *daemon_log_file_open(const char *path, uint64_t bytes_max,
                                             struct daemon_error *ret_error)
{
    struct daemon_error why;
    struct daemon_log_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        daemon_error_set(ret_error, "no memory for a log");
        return NULL;
    }
    InitializeSRWLock(&file->lock);
    file->bytes_max = bytes_max;
    snprintf(file->path, sizeof file->path, "%s", path);
    if (open_handle(file))
        return file;
    daemon_wide_fail(&why);
    daemon_error_set(ret_error, "cannot open the log %.300s: %.200s", path, why.text);
    free(file);
    return NULL;
}

static void begin_anew(struct daemon_log_file *file)
{
    CloseHandle(file->handle);
    for (int number = DAEMON_LOG_FILE_KEPT; number > 0; number--) {
        wchar_t from[DAEMON_WIDE_PATH_MAX];
        wchar_t to[DAEMON_WIDE_PATH_MAX];
        if (wide_path(file->path, number - 1, from) && wide_path(file->path, number, to))
            MoveFileExW(from, to, MOVEFILE_REPLACE_EXISTING);
    }
    if (!open_handle(file))
        file->handle = INVALID_HANDLE_VALUE;
}

void daemon_log_file_write(struct daemon_log_file *file, struct dht_span line)
{
    DWORD written = 0;
    AcquireSRWLockExclusive(&file->lock);
    if (file->handle == INVALID_HANDLE_VALUE)
        (void)open_handle(file);
    if (file->handle != INVALID_HANDLE_VALUE && file->bytes > 0 &&
        file->bytes + line.len > file->bytes_max)
        begin_anew(file);
    // A file that could not be moved, since somebody holds it, is full nevertheless.
    bool fits = file->bytes == 0 || file->bytes + line.len <= file->bytes_max;
    if (file->handle != INVALID_HANDLE_VALUE && fits &&
        WriteFile(file->handle, line.data, (DWORD)line.len, &written, NULL))
        file->bytes += written;
    file->lost += written != line.len;
    ReleaseSRWLockExclusive(&file->lock);
}

void daemon_log_file_take_stderr(struct daemon_log_file *file)
{
    HANDLE self = GetCurrentProcess();
    HANDLE copy;
    // A stream that had no descriptor at the start has none before it is opened anew.
    if (freopen("NUL", "w", stderr) == NULL ||
        !DuplicateHandle(self, file->handle, self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS))
        return;
    int fd = _open_osfhandle((intptr_t)copy, _O_BINARY | _O_APPEND);
    if (fd < 0) {
        CloseHandle(copy);
        return;
    }
    _dup2(fd, _fileno(stderr));
    _close(fd);
    setvbuf(stderr, NULL, _IONBF, 0); // what follows may be the end
}

uint64_t daemon_log_file_lost(struct daemon_log_file *file)
{
    AcquireSRWLockShared(&file->lock);
    uint64_t lost = file->lost;
    ReleaseSRWLockShared(&file->lock);
    return lost;
}

void daemon_log_file_close(struct daemon_log_file *file)
{
    if (file == NULL)
        return;
    if (file->handle != INVALID_HANDLE_VALUE)
        CloseHandle(file->handle);
    free(file);
}

void daemon_log_file_remove(const char *path)
{
    for (int number = 0; number <= DAEMON_LOG_FILE_KEPT; number++) {
        wchar_t wide[DAEMON_WIDE_PATH_MAX];
        if (wide_path(path, number, wide))
            DeleteFileW(wide);
    }
}
