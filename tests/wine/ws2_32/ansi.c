// SPDX-License-Identifier: MIT
// The functions for texts of one byte: what they are given is made wide, what the others return is
// made narrow where it stands.
#include "tests/wine/ws2_32/catalog.h"

#include <wchar.h>

#define TEXT_MAX 1024

struct wide {
    WSAQUERYSETW set;
    WCHAR name[TEXT_MAX], comment[TEXT_MAX], context[TEXT_MAX], query[TEXT_MAX];
};

// The layouts are the same but for what the texts consist of.
C_ASSERT(sizeof(WSAQUERYSETA) == sizeof(WSAQUERYSETW));
C_ASSERT(sizeof(WSANAMESPACE_INFOA) == sizeof(WSANAMESPACE_INFOW));

static WCHAR *widen(const char *text, WCHAR buf[TEXT_MAX])
{
    if (text == NULL || MultiByteToWideChar(CP_ACP, 0, text, -1, buf, TEXT_MAX) == 0) {
        return NULL;
    }
    return buf;
}

static struct wide *widen_set(const WSAQUERYSETA *set)
{
    struct wide *wide = malloc(sizeof *wide);
    if (wide != NULL) {
        memcpy(&wide->set, set, sizeof wide->set);
        wide->set.lpszServiceInstanceName = widen(set->lpszServiceInstanceName, wide->name);
        wide->set.lpszComment = widen(set->lpszComment, wide->comment);
        wide->set.lpszContext = widen(set->lpszContext, wide->context);
        wide->set.lpszQueryString = widen(set->lpszQueryString, wide->query);
    }
    return wide;
}

// A narrow text takes no more room than the wide one; characters that the code page lacks are '?'.
static void narrow(WCHAR *text)
{
    char buf[TEXT_MAX];
    if (text != NULL) {
        size_t room = (wcslen(text) + 1) * sizeof *text;
        int len = WideCharToMultiByte(CP_ACP, 0, text, -1, buf,
                                      (int)(room < sizeof buf ? room : sizeof buf), NULL, NULL);
        memcpy(text, len > 0 ? buf : "", len > 0 ? (size_t)len : 1);
    }
}

static int fail(int error)
{
    SetLastError((DWORD)error);
    return SOCKET_ERROR;
}

INT WSAAPI WSALookupServiceBeginA(LPWSAQUERYSETA restrictions, DWORD flags, LPHANDLE ret_lookup)
{
    if (restrictions == NULL) {
        return fail(WSAEFAULT);
    }
    struct wide *wide = widen_set(restrictions);
    if (wide == NULL) {
        return fail(WSA_NOT_ENOUGH_MEMORY);
    }
    INT status = WSALookupServiceBeginW(&wide->set, flags, ret_lookup);
    int error = (int)GetLastError();
    free(wide);
    return status == 0 ? 0 : fail(error);
}

INT WSAAPI WSALookupServiceNextA(HANDLE lookup, DWORD flags, LPDWORD len, LPWSAQUERYSETA results)
{
    INT status = WSALookupServiceNextW(lookup, flags, len, (LPWSAQUERYSETW)(void *)results);
    if (status == 0) {
        LPWSAQUERYSETW set = (LPWSAQUERYSETW)(void *)results;
        narrow(set->lpszServiceInstanceName);
        narrow(set->lpszComment);
        narrow(set->lpszContext);
        narrow(set->lpszQueryString);
    }
    return status;
}

INT WSAAPI WSASetServiceA(LPWSAQUERYSETA set, WSAESETSERVICEOP operation, DWORD flags)
{
    if (set == NULL) {
        return fail(WSAEFAULT);
    }
    struct wide *wide = widen_set(set);
    if (wide == NULL) {
        return fail(WSA_NOT_ENOUGH_MEMORY);
    }
    INT status = WSASetServiceW(&wide->set, operation, flags);
    int error = (int)GetLastError();
    free(wide);
    return status == 0 ? 0 : fail(error);
}

INT WSAAPI WSAEnumNameSpaceProvidersA(LPDWORD len, LPWSANAMESPACE_INFOA infos)
{
    LPWSANAMESPACE_INFOW wide = (LPWSANAMESPACE_INFOW)(void *)infos;
    INT count = WSAEnumNameSpaceProvidersW(len, wide);
    for (INT i = 0; i < count; i++) {
        narrow(wide[i].lpszIdentifier);
    }
    return count;
}
