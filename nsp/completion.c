// SPDX-License-Identifier: MIT
#include "nsp/completion.h"

#include <string.h>

// What an OVERLAPPED says of an error, so that GetOverlappedResult() gives the same error back.
#define FACILITY_NTWIN32_ERROR 0xC0070000u

static DWORD status_of(DWORD error)
{
    if (error == 0) {
        return (DWORD)STATUS_SUCCESS;
    }
    return error == WSA_OPERATION_ABORTED ? (DWORD)STATUS_CANCELLED
                                          : FACILITY_NTWIN32_ERROR | (error & 0xFFFFu);
}

static LPWSAOVERLAPPED overlapped_of(const WSACOMPLETION *how)
{
    switch (how->Type) {
    case NSP_NOTIFY_EVENT:
        return how->Parameters.Event.lpOverlapped;
    case NSP_NOTIFY_PORT:
        return how->Parameters.Port.lpOverlapped;
    case NSP_NOTIFY_APC:
        return how->Parameters.Apc.lpOverlapped;
    case NSP_NOTIFY_HWND:
    case NSP_NOTIFY_IMMEDIATELY:
        break;
    }
    return NULL;
}

static void set_status(const struct nsp_completion *completion, DWORD status)
{
    LPWSAOVERLAPPED overlapped = overlapped_of(&completion->how);
    if (overlapped != NULL) {
        overlapped->InternalHigh = 0;
        // Whoever sees it end by this word alone may take his memory back at once.
        __atomic_store_n(&overlapped->Internal, status, __ATOMIC_RELEASE);
    }
}

// ---- preparing ----

// What the program says is to be told: a handle of its own. 0, WSAEINVAL or WSAEFAULT.
static int find_target(const WSACOMPLETION *how, const WSATHREADID *thread, HANDLE *ret_target)
{
    LPWSAOVERLAPPED overlapped = overlapped_of(how);
    if (overlapped != NULL && !nsp_platform_writable(overlapped, sizeof *overlapped)) {
        return WSAEFAULT;
    }
    *ret_target = NULL;
    switch (how->Type) {
    case NSP_NOTIFY_HWND:
        return IsWindow(how->Parameters.WindowMessage.hWnd) ? 0 : WSAEINVAL;
    case NSP_NOTIFY_EVENT:
        *ret_target = overlapped != NULL ? overlapped->hEvent : NULL;
        break;
    case NSP_NOTIFY_PORT:
        *ret_target = how->Parameters.Port.hPort;
        break;
    case NSP_NOTIFY_APC:
        if (how->Parameters.Apc.lpfnCompletionProc == NULL || thread == NULL) {
            return WSAEINVAL;
        }
        if (!nsp_platform_readable(thread, sizeof *thread)) {
            return WSAEFAULT;
        }
        *ret_target = thread->ThreadHandle;
        break;
    case NSP_NOTIFY_IMMEDIATELY:
        break;
    }
    return *ret_target != NULL ? 0 : WSAEINVAL;
}

int nsp_completion_new(const WSACOMPLETION *how, const WSATHREADID *thread,
                       const struct nsp_memory *memory, struct nsp_completion **ret_completion)
{
    // The program may write to its own while we look.
    WSACOMPLETION copy = *how;
    HANDLE target;
    int error = find_target(&copy, thread, &target);
    if (error != 0) {
        return error;
    }
    struct nsp_completion *completion = nsp_memory_take(memory, sizeof *completion);
    if (completion == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    memset(completion, 0, sizeof *completion);
    completion->memory = memory;
    completion->how = copy;
    completion->thread_id = nsp_platform_thread_id();
    if (target != NULL && !DuplicateHandle(GetCurrentProcess(), target, GetCurrentProcess(),
                                           &completion->target, 0, FALSE, DUPLICATE_SAME_ACCESS)) {
        error = GetLastError() == ERROR_NOT_ENOUGH_MEMORY ? WSA_NOT_ENOUGH_MEMORY : WSAEINVAL;
    } else if (copy.Type == NSP_NOTIFY_APC && !nsp_platform_pin(&completion->pin)) {
        CloseHandle(completion->target);
        error = WSA_NOT_ENOUGH_MEMORY;
    }
    if (error != 0) {
        nsp_memory_give(memory, completion);
        return error;
    }
    *ret_completion = completion;
    return 0;
}

void nsp_completion_begin(struct nsp_completion *completion)
{
    set_status(completion, WSS_OPERATION_IN_PROGRESS);
    if (completion->how.Type == NSP_NOTIFY_EVENT) {
        // As every overlapped request does that is told by an event.
        ResetEvent(completion->target);
    }
}

// ---- telling ----

// What the APC has to say, in the completion's own memory.
struct message {
    const struct nsp_memory *memory;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    LPWSAOVERLAPPED overlapped;
    DWORD error;
    struct nsp_pin pin;
};

static void CALLBACK run_routine(ULONG_PTR data)
{
    struct message message = *(struct message *)data;
    nsp_memory_give(message.memory, (void *)data);
    message.routine(message.error, 0, message.overlapped, 0);
    nsp_platform_unpin_after_apc(message.pin);
}

static void queue_apc(struct nsp_completion *completion, DWORD error)
{
    _Static_assert(sizeof(struct message) <= sizeof(struct nsp_completion), "it fits");
    HANDLE thread = completion->target;
    struct nsp_pin pin = completion->pin;
    const struct nsp_memory *memory = completion->memory;
    struct message message = {.memory = memory,
                              .routine = completion->how.Parameters.Apc.lpfnCompletionProc,
                              .overlapped = completion->how.Parameters.Apc.lpOverlapped,
                              .error = error,
                              .pin = pin};
    void *data = completion;
    memcpy(data, &message, sizeof message);
    if (!QueueUserAPC(run_routine, thread, (ULONG_PTR)data)) {
        // The thread has ended: there is nobody to tell.
        nsp_memory_give(memory, data);
        nsp_platform_unpin(pin);
    }
    CloseHandle(thread);
}

static void post_to_port(const struct nsp_completion *completion, DWORD error)
{
    HANDLE port = completion->target;
    ULONG_PTR key = completion->how.Parameters.Port.Key;
    LPWSAOVERLAPPED overlapped = completion->how.Parameters.Port.lpOverlapped;
    if (error == 0) {
        PostQueuedCompletionStatus(port, 0, key, overlapped);
    } else {
        NtSetIoCompletion(port, (PVOID)key, overlapped, (NTSTATUS)status_of(error), 0);
    }
}

void nsp_completion_deliver(struct nsp_completion *completion, DWORD error)
{
    set_status(completion, status_of(error));
    switch (completion->how.Type) {
    case NSP_NOTIFY_HWND:
        if (error != WSA_OPERATION_ABORTED) {
            PostMessageW(completion->how.Parameters.WindowMessage.hWnd,
                         completion->how.Parameters.WindowMessage.uMsg,
                         completion->how.Parameters.WindowMessage.context, 0);
        }
        break;
    case NSP_NOTIFY_EVENT:
        SetEvent(completion->target);
        break;
    case NSP_NOTIFY_PORT:
        post_to_port(completion, error);
        break;
    case NSP_NOTIFY_APC:
        queue_apc(completion, error);
        return;
    case NSP_NOTIFY_IMMEDIATELY:
        break;
    }
    if (completion->target != NULL) {
        CloseHandle(completion->target);
    }
    nsp_memory_give(completion->memory, completion);
}

void nsp_completion_abandon(struct nsp_completion *completion)
{
    if (completion->how.Type == NSP_NOTIFY_APC) {
        set_status(completion, (DWORD)STATUS_CANCELLED);
        nsp_completion_discard(completion);
    } else {
        nsp_completion_deliver(completion, WSA_OPERATION_ABORTED);
    }
}

void nsp_completion_discard(struct nsp_completion *completion)
{
    if (completion->how.Type == NSP_NOTIFY_APC) {
        nsp_platform_unpin(completion->pin);
    }
    if (completion->target != NULL) {
        CloseHandle(completion->target);
    }
    nsp_memory_give(completion->memory, completion);
}
