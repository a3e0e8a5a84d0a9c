// SPDX-License-Identifier: MIT
// A Winsock program, as far as the provider can see: it has NSPStartup, and calls the entries as
// ws2_32 does. It does what lines on stdin say, and answers each with one line; codes are
// Winsock's.
//
//     begin NAME MAX   "begun", "error CODE"; with SECONDS behind it, that is the time for it
//     criteria N       "criteria N"; PNRP's criteria of all that is begun from then on
//     flush N          "flush N"; whether that has LUP_FLUSHCACHE
//     in NAME          "in NAME"; the cloud in which it looks
//     clouds           as begin, of all clouds
//     register NAME PORT [IDENTITY], withdraw NAME
//                      "set CODE"
//     next             "cloud NAME STATE", "result PORT", of a link "result PORT%SCOPE", and
//                      perhaps "added", "changed", "deleted"; "error CODE"
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
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static GUID provider; // what programs pass is not const
static NSP_ROUTINE nsp;
static HANDLE lookup;
static unsigned criteria = PNRP_RESOLVE_CRITERIA_ANY_PEER_NAME;
static unsigned flush;
static WCHAR context[256]; // the cloud
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

static void widen(const char *text, WCHAR units[256])
{
    units[0] = 0;
    for (size_t i = 0; i < 255 && text[i] != '\0'; i++) {
        units[i] = (WCHAR)(unsigned char)text[i];
        units[i + 1] = 0;
    }
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
    info.enResolveCriteria = (PNRP_RESOLVE_CRITERIA)criteria;
    widen(name, units);
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = units;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPNAME;
    set.lpBlob = &blob;
    set.lpszContext = context;
    DWORD flags = LUP_RETURN_NAME | LUP_RETURN_ADDR | (flush ? LUP_FLUSHCACHE : 0);
    return code_of(nsp.NSPLookupServiceBegin(&provider, &set, NULL, flags, &lookup));
}

static int begin_clouds(void)
{
    GUID class_id = SVCID_PNRPCLOUD, cloud_provider = NS_PROVIDER_PNRPCLOUD;
    WSAQUERYSETW set;
    memset(&set, 0, sizeof set);
    set.dwSize = sizeof set;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPCLOUD;
    return code_of(nsp.NSPLookupServiceBegin(&cloud_provider, &set, NULL,
                                             LUP_RETURN_NAME | LUP_RETURN_BLOB, &lookup));
}

// An address 192.0.2.7 over TCP; identity NULL: none.
static int set_service(WSAESETSERVICEOP operation, const char *name, unsigned port,
                       const char *identity)
{
    static WCHAR units[256], label[256];
    GUID class_id = SVCID_PNRPNAME_V2;
    uint8_t at[8] = {0, 0, (uint8_t)(port >> 8), (uint8_t)port, 192, 0, 2, 7};
    SOCKADDR_IN socket_address;
    CSADDR_INFO address;
    PNRPINFO info;
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set;
    memset(&info, 0, sizeof info);
    memset(&set, 0, sizeof set);
    memset(&address, 0, sizeof address);
    memset(&socket_address, 0, sizeof socket_address);
    memcpy(&socket_address, at, sizeof at);
    socket_address.sin_family = AF_INET;
    address.LocalAddr.lpSockaddr = (SOCKADDR *)(void *)&socket_address;
    address.LocalAddr.iSockaddrLength = sizeof socket_address;
    address.iProtocol = IPPROTO_TCP;
    address.iSocketType = SOCK_STREAM;
    widen(name, units);
    info.dwSize = sizeof info;
    if (identity != NULL) {
        widen(identity, label);
        info.lpwszIdentity = label;
    }
    set.dwSize = sizeof set;
    set.lpszServiceInstanceName = units;
    set.lpServiceClassId = &class_id;
    set.dwNameSpace = NS_PNRPNAME;
    set.lpBlob = &blob;
    set.dwNumberOfCsAddrs = 1;
    set.lpcsaBuffer = &address;
    return code_of(nsp.NSPSetService(&provider, NULL, &set, operation, 0));
}

static uint32_t scope_id; // of the last result's first address
static char cloud[128];   // "NAME STATE" of the last result, where it was one

static void read_cloud(const WSAQUERYSETW *set)
{
    PNRPCLOUDINFO info;
    size_t len = 0;
    memcpy(&info, set->lpBlob->pBlobData, sizeof info);
    while (set->lpszServiceInstanceName[len] != 0 && len < 100) {
        cloud[len] = (char)set->lpszServiceInstanceName[len];
        len++;
    }
    snprintf(cloud + len, sizeof cloud - len, " %d", (int)info.enCloudState);
}

// Calls Next as programs do: with a buffer as large as it says. Returns the port, of clouds 0, and
// writes what has happened; negative: the code.
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
    if (code == 0 && set->dwNameSpace == NS_PNRPCLOUD) {
        *ret_change = changes[set->dwOutputFlags >> 4];
        read_cloud(set);
    } else if (code == 0) {
        const SOCKADDR *addr = set->lpcsaBuffer[0].RemoteAddr.lpSockaddr;
        *ret_change = changes[set->dwOutputFlags >> 4];
        // The port is at the same place of either family.
        bool is_ipv6 = addr->sa_family == AF_INET6;
        scope_id = is_ipv6 ? ((const SOCKADDR_IN6 *)(const void *)addr)->sin6_scope_id : 0;
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
    else if (port == 0)
        printf("cloud %s%s\n", cloud, change);
    else if (scope_id != 0)
        printf("result %d%%%u%s\n", port, scope_id, change);
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

// Whether the line is about registering.
static bool obey_set(const char *line)
{
    char name[256], identity[64];
    unsigned port;
    int count = sscanf(line, "register %255s %u %63s", name, &port, identity);
    if (count >= 2) {
        const char *who = count == 3 ? identity : NULL;
        printf("set %d\n", set_service(RNRSERVICE_REGISTER, name, port, who));
    } else if (sscanf(line, "withdraw %255s", name) == 1) {
        printf("set %d\n", set_service(RNRSERVICE_DELETE, name, 0, NULL));
    } else {
        return false;
    }
    return true;
}

static void obey(const char *line)
{
    char name[256];
    unsigned max, timeout_s = 0;
    if (sscanf(line, "begin %255s %u %u", name, &max, &timeout_s) >= 2) {
        int code = begin(name, max, timeout_s);
        printf(code == 0 ? "begun\n" : "error %d\n", code);
    } else if (sscanf(line, "criteria %u", &criteria) == 1 ||
               sscanf(line, "flush %u", &flush) == 1) {
        printf("%s\n", line);
    } else if (sscanf(line, "in %255s", name) == 1) {
        widen(name, context);
        printf("%s\n", line);
    } else if (strcmp(line, "clouds") == 0) {
        int code = begin_clouds();
        printf(code == 0 ? "begun\n" : "error %d\n", code);
    } else if (obey_set(line)) {
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
