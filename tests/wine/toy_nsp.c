// SPDX-License-Identifier: MIT
#include "tests/wine/toy.h"

#include <stddef.h>
#include <wchar.h>

struct toy_query {
    int number;
    int answered; // results and "no more"s so far
    WCHAR name[32];
    HANDLE ended; // an event
};

static LONG counts[TOY_PROVIDERS + 1][TOY_COUNTS];

LONG toy_count(int number, enum toy_count what);
LONG toy_count(int number, enum toy_count what)
{
    return InterlockedCompareExchange(&counts[number][what], 0, 0);
}

static void count(int number, enum toy_count what)
{
    InterlockedIncrement(&counts[number][what]);
}

static INT fail(int error)
{
    WSASetLastError(error);
    return SOCKET_ERROR;
}

static INT WSAAPI toy_cleanup(LPGUID provider)
{
    count(provider->Data4[7], TOY_CLEANUPS);
    return 0;
}

static INT WSAAPI toy_begin(LPGUID provider, LPWSAQUERYSETW set, LPWSASERVICECLASSINFOW info,
                            DWORD flags, LPHANDLE ret_lookup)
{
    const GUID toy_class = TOY_CLASS;
    int number = provider->Data4[7];
    WCHAR digit[] = {(WCHAR)(L'0' + number), 0};
    (void)info;
    (void)flags;
    count(number, TOY_BEGINS);
    if (!IsEqualGUID(set->lpServiceClassId, &toy_class)) {
        return fail(WSASERVICE_NOT_FOUND);
    }
    const WCHAR *name = set->lpszServiceInstanceName;
    if (wcsncmp(name, L"refuse", 6) == 0 && wcsstr(name, digit) != NULL) {
        return fail(TOY_REFUSED(number));
    }
    struct toy_query *query = calloc(1, sizeof *query);
    query->number = number;
    wcsncpy(query->name, name, 31);
    query->ended = CreateEventW(NULL, TRUE, FALSE, NULL);
    *ret_lookup = query;
    return 0;
}

static INT WSAAPI toy_next(HANDLE lookup, DWORD flags, LPDWORD len, LPWSAQUERYSETW ret_set)
{
    static const WCHAR *const results[] = {L"one", L"two", NULL, L"late"};
    struct toy_query *query = lookup;
    (void)flags;
    count(query->number, TOY_NEXTS);
    if (wcscmp(query->name, L"block") == 0) {
        WaitForSingleObject(query->ended, INFINITE);
        return fail(WSA_E_CANCELLED);
    }
    if (wcscmp(query->name, L"gone") == 0) {
        return fail(WSAENETDOWN);
    }
    const WCHAR *result = query->answered < 4 ? results[query->answered] : NULL;
    size_t needed = sizeof *ret_set + (result == NULL ? 0 : (wcslen(result) + 1) * sizeof *result);
    if (result != NULL && *len < needed) {
        *len = (DWORD)needed;
        return fail(WSAEFAULT);
    }
    query->answered++;
    if (result == NULL) {
        return fail(WSA_E_NO_MORE);
    }
    memset(ret_set, 0, sizeof *ret_set);
    ret_set->dwSize = sizeof *ret_set;
    ret_set->dwOutputFlags = (DWORD)query->number;
    ret_set->lpszServiceInstanceName = wcscpy((WCHAR *)(void *)(ret_set + 1), result);
    return 0;
}

// The query is leaked where a Next is in it: it is a toy.
static INT WSAAPI toy_end(HANDLE lookup)
{
    struct toy_query *query = lookup;
    count(query->number, TOY_ENDS);
    SetEvent(query->ended);
    if (wcscmp(query->name, L"block") != 0) {
        CloseHandle(query->ended);
        free(query);
    }
    return 0;
}

static INT WSAAPI toy_set(LPGUID provider, LPWSASERVICECLASSINFOW info, LPWSAQUERYSETW set,
                          WSAESETSERVICEOP operation, DWORD flags)
{
    int number = provider->Data4[7];
    WCHAR digit[] = {(WCHAR)(L'0' + number), 0};
    (void)info;
    (void)operation;
    (void)flags;
    count(number, TOY_SETS);
    const WCHAR *name = set->lpszServiceInstanceName;
    return wcsncmp(name, L"refuse", 6) == 0 && wcsstr(name, digit) != NULL
               ? fail(TOY_REFUSED(number))
               : 0;
}

static INT WSAAPI toy_install_class(LPGUID provider, LPWSASERVICECLASSINFOW info)
{
    (void)provider;
    (void)info;
    return fail(WSAEOPNOTSUPP);
}

static INT WSAAPI toy_remove_class(LPGUID provider, LPGUID id)
{
    (void)provider;
    (void)id;
    return fail(WSAEOPNOTSUPP);
}

static INT WSAAPI toy_get_class(LPGUID provider, LPDWORD len, LPWSASERVICECLASSINFOW info)
{
    (void)provider;
    (void)len;
    (void)info;
    return fail(WSAEOPNOTSUPP);
}

static void CALLBACK toy_apc(ULONG_PTR context)
{
    LPWSACOMPLETION completion = (LPWSACOMPLETION)context;
    completion->Parameters.Apc.lpfnCompletionProc(0, 0, completion->Parameters.Apc.lpOverlapped, 0);
    free(completion);
}

// Something has always changed: at once, or by an APC.
static INT WSAAPI toy_ioctl(HANDLE lookup, DWORD code, LPVOID in, DWORD in_len, LPVOID out,
                            DWORD out_len, LPDWORD ret_len, LPWSACOMPLETION completion,
                            LPWSATHREADID thread)
{
    (void)lookup;
    (void)in;
    (void)in_len;
    (void)out;
    (void)out_len;
    if (code != SIO_NSP_NOTIFY_CHANGE) {
        return fail(WSAEOPNOTSUPP);
    }
    *ret_len = 0;
    if (completion != NULL && completion->Type == NSP_NOTIFY_APC) {
        LPWSACOMPLETION copy = malloc(sizeof *copy);
        *copy = *completion;
        QueueUserAPC(toy_apc, thread->ThreadHandle, (ULONG_PTR)copy);
        return fail(WSA_IO_PENDING);
    }
    return 0;
}

INT WSAAPI NSPStartup(LPGUID provider, LPNSP_ROUTINE ret_routine)
{
    int number = provider->Data4[7];
    count(number, TOY_STARTUPS);
    *ret_routine = (NSP_ROUTINE){
        .cbSize = number == 2 ? (DWORD)offsetof(NSP_ROUTINE, NSPIoctl) : (DWORD)sizeof(NSP_ROUTINE),
        .dwMajorVersion = 4,
        .dwMinorVersion = 4,
        .NSPCleanup = toy_cleanup,
        .NSPLookupServiceBegin = toy_begin,
        .NSPLookupServiceNext = toy_next,
        .NSPLookupServiceEnd = toy_end,
        .NSPSetService = toy_set,
        .NSPInstallServiceClass = toy_install_class,
        .NSPRemoveServiceClass = toy_remove_class,
        .NSPGetServiceClassInfo = toy_get_class,
        .NSPIoctl = toy_ioctl,
    };
    return 0;
}
