// SPDX-License-Identifier: MIT
// WSAStartup and WSACleanup, counted: the first reads the catalog, the last ends the providers.
#include "tests/wine/ws2_32/query.h"
#include "tests/wine/ws2_32/socket.h"

static CRITICAL_SECTION lock; // of the count, and so that first and last do not meet
static unsigned startups;

int WSAAPI WSAStartup(WORD version, LPWSADATA ret_data)
{
    typedef int(WSAAPI * startup_fn)(WORD, LPWSADATA);
    startup_fn startup = (startup_fn)(void (*)(void))shim_socket_real("WSAStartup");
    EnterCriticalSection(&lock);
    int error = startup(version, ret_data);
    if (error == 0 && startups++ == 0) {
        shim_provider_open();
    }
    LeaveCriticalSection(&lock);
    return error;
}

// The sockets are gone when NSPCleanup is called: a provider must not count on them.
int WSAAPI WSACleanup(void)
{
    typedef int(WSAAPI * cleanup_fn)(void);
    cleanup_fn cleanup = (cleanup_fn)(void (*)(void))shim_socket_real("WSACleanup");
    EnterCriticalSection(&lock);
    shim_socket_close_begin();
    int status = cleanup();
    DWORD error = GetLastError();
    shim_socket_close_end();
    if (status == 0 && --startups == 0) {
        shim_query_forget_all();
        shim_provider_close();
    }
    LeaveCriticalSection(&lock);
    SetLastError(error);
    return status;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved);
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module;
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH) {
        InitializeCriticalSection(&lock);
        shim_provider_setup();
        shim_query_setup();
        return LoadLibraryA(SHIM_REAL) != NULL;
    }
    if (reason == DLL_THREAD_DETACH) {
        shim_query_thread_exit();
    }
    return TRUE;
}
