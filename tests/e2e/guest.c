// SPDX-License-Identifier: MIT
// A Winsock program, as far as the provider can see: it has NSPStartup, and calls the entries as
// ws2_32 does. It does what lines on stdin say, and answers each with one line; codes are
// Winsock's.
//
//     begin NAME MAX   "begun", "error CODE"; with SECONDS behind it, that is the time for it
//     next             "result PORT", and perhaps "added", "changed", "deleted"; "error CODE"
//     poll             "poll CODE"
//     changed          the same, once it is something else than 10035
//     arm              "armed CODE"; an event
//     await            "fired CODE", once the event is set
//     wait             "waiting"; another thread is in Next from then on
//     end              "ended CODE", the code of that thread's Next
//     cleanup          "clean CODE"
#define _DEFAULT_SOURCE
#include "pnr/winsock.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GUID provider; // what programs pass is not const
static NSP_ROUTINE nsp;
static HANDLE lookup;
static OVERLAPPED overlapped;

static struct {
    pthread_t thread;
    int code;
    int is_there;
} waiter;

static int code_of(INT status)
{
    return status == NO_ERROR ? 0 : WSAGetLastError();
}

static int begin(const char *name, DWORD max, DWORD timeout_s)
{
    static WCHAR units[256];
    GUID class_id = SVCID_PNRPNAME_V2;
    PNRPINFO info;
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set;
    memset(&info, 0, sizeof info);
    memset(&set, 0, sizeof set);
    info.dwSize = sizeof info;
    info.nMaxResolve = max;
    info.dwTimeout = timeout_s;
    info.enResolveCriteria = PNRP_RESOLVE_CRITERIA_ANY_PEER_NAME;
    for (size_t i = 0; i < 255 && name[i] != '\0'; i++) {
        units[i] = (WCHAR)(unsigned char)name[i];
        units[i + 1] = 0;
    }
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = units;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPNAME;
    set.lpBlob = &blob;
    return code_of(nsp.NSPLookupServiceBegin(&provider, &set, NULL,
                                             LUP_RETURN_NAME | LUP_RETURN_ADDR, &lookup));
}

// Calls Next as programs do: with a buffer as large as it says. Returns the port and writes what
// has happened; negative: the code.
static int next(const char **ret_change)
{
    static const char *const changes[] = {"", " added", " changed", "", " deleted"};
    DWORD len = 8;
    WSAQUERYSETW *set = NULL;
    int code;
    do {
        free(set);
        set = malloc(len);
        code = code_of(nsp.NSPLookupServiceNext(lookup, 0, &len, set));
    } while (code == WSAEFAULT);
    int port = -code;
    if (code == 0) {
        const SOCKADDR *addr = set->lpcsaBuffer[0].RemoteAddr.lpSockaddr;
        *ret_change = changes[set->dwOutputFlags >> 4];
        port = ntohs(((const SOCKADDR_IN *)(const void *)addr)->sin_port);
    }
    free(set);
    return port;
}

static void say_next(void)
{
    const char *change;
    int port = next(&change);
    if (port < 0)
        printf("error %d\n", -port);
    else
        printf("result %d%s\n", port, change);
}

static int notify(WSACOMPLETION *how)
{
    DWORD bytes;
    return code_of(
        nsp.NSPIoctl(lookup, SIO_NSP_NOTIFY_CHANGE, NULL, 0, NULL, 0, &bytes, how, NULL));
}

static int arm(void)
{
    WSACOMPLETION how;
    memset(&how, 0, sizeof how);
    how.Type = NSP_NOTIFY_EVENT;
    how.Parameters.Event.lpOverlapped = &overlapped;
    return notify(&how);
}

static int await(void)
{
    DWORD bytes;
    WaitForSingleObject(overlapped.hEvent, INFINITE);
    return GetOverlappedResult(NULL, &overlapped, &bytes, FALSE) ? 0 : (int)GetLastError();
}

static void *wait_in_next(void *ctx)
{
    const char *change;
    (void)ctx;
    waiter.code = -next(&change);
    return NULL;
}

static void start_waiting(void)
{
    waiter.is_there = pthread_create(&waiter.thread, NULL, wait_in_next, NULL) == 0;
    printf("waiting\n");
}

static void end(void)
{
    int code = code_of(nsp.NSPLookupServiceEnd(lookup));
    if (code == 0 && waiter.is_there) {
        pthread_join(waiter.thread, NULL);
        waiter.is_there = 0;
        code = waiter.code;
    }
    printf("ended %d\n", code);
}

static void poll_until_changed(void)
{
    int code;
    while ((code = notify(NULL)) == WSAEWOULDBLOCK)
        sched_yield();
    printf("poll %d\n", code);
}

static void obey(const char *line)
{
    char name[256];
    unsigned max, timeout_s = 0;
    if (sscanf(line, "begin %255s %u %u", name, &max, &timeout_s) >= 2) {
        int code = begin(name, max, timeout_s);
        printf(code == 0 ? "begun\n" : "error %d\n", code);
    } else if (strcmp(line, "next") == 0)
        say_next();
    else if (strcmp(line, "poll") == 0)
        printf("poll %d\n", notify(NULL));
    else if (strcmp(line, "changed") == 0)
        poll_until_changed();
    else if (strcmp(line, "arm") == 0)
        printf("armed %d\n", arm());
    else if (strcmp(line, "await") == 0)
        printf("fired %d\n", await());
    else if (strcmp(line, "wait") == 0)
        start_waiting();
    else if (strcmp(line, "end") == 0)
        end();
    else if (strcmp(line, "cleanup") == 0)
        printf("clean %d\n", code_of(nsp.NSPCleanup(&provider)));
    else
        printf("what is %s\n", line);
    fflush(stdout);
}

int main(void)
{
    char line[512];
    provider = NS_PROVIDER_PNRPNAME;
    nsp.cbSize = sizeof nsp;
    overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (NSPStartup(&provider, &nsp) != 0)
        return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        obey(line);
    }
    CloseHandle(overlapped.hEvent);
    return 0;
}
