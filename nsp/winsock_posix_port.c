// SPDX-License-Identifier: MIT
// Completion ports and overlapped results of pnr/winsock.h.
#include "nsp/winsock_posix.h"

HANDLE CreateIoCompletionPort(HANDLE file, HANDLE port, ULONG_PTR key, DWORD threads)
{
    HANDLE handle = NULL;
    (void)key;
    (void)threads;
    if (file != INVALID_HANDLE_VALUE || port != NULL) {
        SetLastError(ERROR_INVALID_PARAMETER);
        return NULL;
    }
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *object = winsock_object_new(WINSOCK_PORT);
    if (object != NULL) {
        handle = winsock_handle_new(object);
    } else {
        SetLastError(ERROR_NOT_ENOUGH_MEMORY);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return handle;
}

static DWORD post(HANDLE port, const struct winsock_entry *entry)
{
    DWORD error = NO_ERROR;
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *object = winsock_object_of(port, WINSOCK_PORT);
    if (object == NULL) {
        error = GetLastError();
    } else if (!winsock_queue_add(&object->queue, entry, PNR_WINSOCK_PACKETS)) {
        error = ERROR_NOT_ENOUGH_MEMORY;
    } else {
        winsock_wake(object);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    return error;
}

BOOL PostQueuedCompletionStatus(HANDLE port, DWORD bytes, ULONG_PTR key, LPOVERLAPPED overlapped)
{
    struct winsock_entry entry = {.packet = {key, overlapped, STATUS_SUCCESS, bytes}};
    DWORD error = post(port, &entry);
    if (error != NO_ERROR) {
        SetLastError(error);
    }
    return error == NO_ERROR;
}

NTSTATUS NtSetIoCompletion(HANDLE port, PVOID key, PVOID overlapped, NTSTATUS status,
                           ULONG_PTR bytes)
{
    struct winsock_entry entry = {.packet = {(ULONG_PTR)key, overlapped, status, (DWORD)bytes}};
    switch (post(port, &entry)) {
    case NO_ERROR:
        return STATUS_SUCCESS;
    case ERROR_INVALID_HANDLE:
        return STATUS_INVALID_HANDLE;
    default:
        return STATUS_NO_MEMORY;
    }
}

// A status that carries an error of Win32 itself, as HRESULT_FROM_WIN32() does.
#define CARRIES_ERROR(status) (((uint32_t)(status) >> 16) == 0xC007)

static DWORD error_of(NTSTATUS status)
{
    if (status == STATUS_SUCCESS) {
        return NO_ERROR;
    }
    if (status == STATUS_CANCELLED) {
        return ERROR_OPERATION_ABORTED;
    }
    return CARRIES_ERROR(status) ? (uint32_t)status & 0xFFFF : ERROR_MR_MID_NOT_FOUND;
}

BOOL GetQueuedCompletionStatus(HANDLE port, LPDWORD ret_bytes, PULONG_PTR ret_key,
                               LPOVERLAPPED *ret_overlapped, DWORD timeout_ms)
{
    struct winsock_entry entry;
    struct winsock_deadline deadline = winsock_deadline_in(timeout_ms);
    bool is_found = false;
    bool in_time = timeout_ms != 0;
    *ret_overlapped = NULL; // tells a wait that failed from a packet of something that did
    (void)pthread_mutex_lock(&winsock_lock);
    struct winsock_object *object = winsock_object_of(port, WINSOCK_PORT);
    DWORD error = object == NULL ? GetLastError() : WAIT_TIMEOUT;
    if (object != NULL) {
        object->refs++;
        while (object->queue.count == 0 && in_time) {
            in_time = winsock_wait(&object, 1, &deadline);
        }
        is_found = object->queue.count > 0;
        if (is_found) {
            winsock_queue_take(&object->queue, &object->queue.first, &entry);
        }
        winsock_object_drop(object);
    }
    (void)pthread_mutex_unlock(&winsock_lock);
    if (is_found) {
        *ret_bytes = entry.packet.bytes;
        *ret_key = entry.packet.key;
        *ret_overlapped = entry.packet.overlapped;
        error = error_of(entry.packet.status);
    }
    if (error != NO_ERROR) {
        SetLastError(error);
    }
    return error == NO_ERROR;
}

BOOL GetOverlappedResult(HANDLE file, LPOVERLAPPED overlapped, LPDWORD ret_bytes, BOOL wait)
{
    (void)file;
    // Whoever completes it writes this from another thread.
    ULONG_PTR status = __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE);
    if (status == STATUS_PENDING && wait) {
        if (WaitForSingleObject(overlapped->hEvent, INFINITE) == WAIT_FAILED) {
            return FALSE;
        }
        status = __atomic_load_n(&overlapped->Internal, __ATOMIC_ACQUIRE);
    }
    if (status == STATUS_PENDING) {
        SetLastError(ERROR_IO_INCOMPLETE);
        return FALSE;
    }
    *ret_bytes = (DWORD)__atomic_load_n(&overlapped->InternalHigh, __ATOMIC_RELAXED);
    DWORD error = error_of((NTSTATUS)(uint32_t)status);
    if (error != NO_ERROR) {
        SetLastError(error);
        return FALSE;
    }
    return TRUE;
}
