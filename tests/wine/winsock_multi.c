// SPDX-License-Identifier: MIT
// A multithreaded program, as Microsoft's page on NSPIoctl describes it: after Begin one thread
// asks for a notification by an event, calls Next each time it comes, and asks again. Another ends
// the query while the first waits.
//
// winsock_multi.exe NAME says "result PORT", "added PORT", "changed PORT", "gone PORT" and "end"
// (of the results) as it is told, until its input ends; then "aborted", once the first thread
// knows.
#include "tests/wine/winsock_program.h"

static HANDLE lookup;
static int worker_code;

static void say_result(const WSAQUERYSETW *set)
{
    const char *word = (set->dwOutputFlags & RESULT_IS_ADDED) != 0     ? "added"
                       : (set->dwOutputFlags & RESULT_IS_CHANGED) != 0 ? "changed"
                       : (set->dwOutputFlags & RESULT_IS_DELETED) != 0 ? "gone"
                                                                       : "result";
    printf("%s %d\n", word, winsock_port(set));
    fflush(stdout);
}

// Asks for a notification and waits for it. The error that it came with, or that refused it.
static DWORD await_notification(HANDLE event)
{
    OVERLAPPED overlapped = {.hEvent = event};
    WSACOMPLETION completion = {.Type = NSP_NOTIFY_EVENT};
    DWORD len;
    completion.Parameters.Event.lpOverlapped = &overlapped;
    ResetEvent(event);
    if (WSANSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &len, &completion) != 0 &&
        WSAGetLastError() != WSA_IO_PENDING) {
        return (DWORD)WSAGetLastError();
    }
    WaitForSingleObject(event, INFINITE);
    return GetOverlappedResult(NULL, &overlapped, &len, FALSE) ? 0 : GetLastError();
}

static DWORD WINAPI work(void *context)
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
    DWORD error;
    (void)context;
    while ((error = await_notification(event)) == 0) {
        WSAQUERYSETW *set = winsock_next(lookup);
        if (set != NULL) {
            say_result(set);
            free(set);
        } else if (WSAGetLastError() == WSA_E_NO_MORE) {
            winsock_say("end");
        } else {
            break;
        }
    }
    // Ended while it waited, or just before it asked again.
    if (error == WSA_OPERATION_ABORTED ||
        (error == WSA_INVALID_HANDLE && WaitForSingleObject(winsock_stop, 0) == WAIT_OBJECT_0)) {
        winsock_say("aborted");
    } else {
        WSASetLastError((int)error);
        worker_code = winsock_error("the notification");
    }
    CloseHandle(event);
    return 0;
}

int main(int argc, char **argv)
{
    WSADATA data;
    WCHAR name[256];
    if (argc < 2 || WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 2;
    }
    winsock_widen(argv[1], name, 256);
    winsock_watch_input();
    if (winsock_begin(name, &lookup) != 0) {
        return winsock_error("Begin");
    }
    HANDLE worker = CreateThread(NULL, 0, work, NULL, 0, NULL);
    WaitForSingleObject(winsock_stop, INFINITE);
    if (WSALookupServiceEnd(lookup) != 0) {
        return winsock_error("End");
    }
    WaitForSingleObject(worker, INFINITE);
    CloseHandle(worker);
    return WSACleanup() == 0 ? worker_code : winsock_error("WSACleanup");
}
