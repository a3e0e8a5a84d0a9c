// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_WINSOCK_PROGRAM_H
#define PNR_TESTS_WINE_WINSOCK_PROGRAM_H

// What the Winsock programs share. They know ws2_32 and PNRP's structures and nothing of pnr.

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0600
#endif
// clang-format off
#include <winsock2.h>
#include <ws2tcpip.h>
#include <windows.h>
#include <pnrpns.h>
// clang-format on

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define RESULTS_MAX 64

static GUID winsock_class = {
    0xc2239ce7, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};

// Set when standard input has ended: time to go.
static HANDLE winsock_stop;

static DWORD WINAPI winsock_await_end(void *context)
{
    char buf[64];
    (void)context;
    while (fgets(buf, sizeof buf, stdin) != NULL) {
    }
    SetEvent(winsock_stop);
    return 0;
}

static inline void winsock_watch_input(void)
{
    winsock_stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    CloseHandle(CreateThread(NULL, 0, winsock_await_end, NULL, 0, NULL));
}

static inline void winsock_say(const char *what)
{
    printf("%s\n", what);
    fflush(stdout);
}

static inline int winsock_error(const char *where)
{
    printf("error %d in %s\n", WSAGetLastError(), where);
    fflush(stdout);
    return 1;
}

static inline void winsock_widen(const char *text, WCHAR *buf, int units)
{
    MultiByteToWideChar(CP_UTF8, 0, text, -1, buf, units);
}

// Begins to look a name up: as many results as there are, within 20 s.
static inline INT winsock_begin(WCHAR *name, HANDLE *ret_lookup)
{
    PNRPINFO info = {.dwSize = sizeof info,
                     .nMaxResolve = RESULTS_MAX,
                     .dwTimeout = 20,
                     .enResolveCriteria = PNRP_RESOLVE_CRITERIA_NON_CURRENT_PROCESS_PEER_NAME};
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set = {.dwSize = sizeof set,
                        .lpszServiceInstanceName = name,
                        .lpServiceClassId = &winsock_class,
                        .dwNameSpace = NS_PNRPNAME,
                        .lpBlob = &blob};
    return WSALookupServiceBeginW(&set, LUP_RETURN_NAME | LUP_RETURN_COMMENT | LUP_RETURN_ADDR,
                                  ret_lookup);
}

// One Next, in a buffer that grows as it says. NULL: it failed, the error is WSAGetLastError();
// else the caller frees it.
static inline WSAQUERYSETW *winsock_next(HANDLE lookup)
{
    DWORD len = 64;
    while (true) {
        WSAQUERYSETW *set = malloc(len);
        if (WSALookupServiceNextW(lookup, 0, &len, set) == 0) {
            return set;
        }
        int error = WSAGetLastError();
        free(set);
        WSASetLastError(error);
        if (error != WSAEFAULT) {
            return NULL;
        }
    }
}

// The port of a result's first address.
static inline int winsock_port(const WSAQUERYSETW *set)
{
    if (set->dwNumberOfCsAddrs == 0) {
        return 0;
    }
    // A sockaddr_in6 has its port at the same place.
    const SOCKADDR_IN *addr = (const SOCKADDR_IN *)set->lpcsaBuffer[0].RemoteAddr.lpSockaddr;
    return ntohs(addr->sin_port);
}

#endif
