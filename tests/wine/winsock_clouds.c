// SPDX-License-Identifier: MIT
// A program that lists the clouds, as Microsoft's samples do, and waits for what becomes of them:
// Next blocks after the WSA_E_NO_MORE that stands between.
//
// winsock_clouds.exe [SCOPE] says "cloud NAME SCOPE STATE" of each and "end"; then "added",
// "changed" or "gone" with the name (and state) as it is told. At the end of its input another
// thread ends the query, and it says "cancelled". SCOPE: a PNRP_SCOPE, of which alone clouds are
// wanted.
#include "tests/wine/winsock_program.h"

static GUID cloud_class = {
    0xc2239ce6, 0x00c0, 0x4fbf, {0xba, 0xd6, 0x18, 0x13, 0x93, 0x85, 0xa4, 0x9a}};
static HANDLE lookup;

static INT begin(int scope)
{
    PNRPCLOUDINFO info = {.dwSize = sizeof info, .Cloud = {.Scope = (PNRP_SCOPE)scope}};
    BLOB blob = {sizeof info, (BYTE *)&info};
    WSAQUERYSETW set = {.dwSize = sizeof set,
                        .lpServiceClassId = &cloud_class,
                        .dwNameSpace = NS_PNRPCLOUD,
                        .lpBlob = scope != 0 ? &blob : NULL};
    return WSALookupServiceBeginW(&set, LUP_RETURN_NAME | LUP_RETURN_BLOB, &lookup);
}

static void say_cloud(const WSAQUERYSETW *set)
{
    const char *word = (set->dwOutputFlags & RESULT_IS_ADDED) != 0     ? "added"
                       : (set->dwOutputFlags & RESULT_IS_CHANGED) != 0 ? "changed"
                       : (set->dwOutputFlags & RESULT_IS_DELETED) != 0 ? "gone"
                                                                       : "cloud";
    const PNRPCLOUDINFO *info = (const PNRPCLOUDINFO *)(void *)set->lpBlob->pBlobData;
    printf("%s %ls %d %d\n", word, set->lpszServiceInstanceName, (int)info->Cloud.Scope,
           (int)info->enCloudState);
    fflush(stdout);
}

static DWORD WINAPI end_in_time(void *context)
{
    (void)context;
    WaitForSingleObject(winsock_stop, INFINITE);
    WSALookupServiceEnd(lookup);
    return 0;
}

int main(int argc, char **argv)
{
    WSADATA data;
    bool was_told = false;
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0) {
        return 2;
    }
    winsock_watch_input();
    if (begin(argc > 1 ? atoi(argv[1]) : 0) != 0) {
        return winsock_error("Begin");
    }
    HANDLE other = CreateThread(NULL, 0, end_in_time, NULL, 0, NULL);
    while (true) {
        WSAQUERYSETW *set = winsock_next(lookup);
        if (set != NULL) {
            say_cloud(set);
            free(set);
        } else if (WSAGetLastError() == WSA_E_NO_MORE && !was_told) {
            was_told = true;
            winsock_say("end");
        } else {
            break;
        }
    }
    // Ended while it waited, or just before it asked again.
    if (WSAGetLastError() != WSA_E_CANCELLED &&
        (WSAGetLastError() != WSA_INVALID_HANDLE ||
         WaitForSingleObject(winsock_stop, 0) != WAIT_OBJECT_0)) {
        return winsock_error("Next");
    }
    winsock_say("cancelled");
    WaitForSingleObject(other, INFINITE);
    CloseHandle(other);
    return WSACleanup() == 0 ? 0 : winsock_error("WSACleanup");
}
