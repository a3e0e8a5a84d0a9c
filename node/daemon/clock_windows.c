// SPDX-License-Identifier: MIT
#include "node/daemon/clock.h"

#include <windows.h>

#define TICKS_TO_1970 INT64_C(116444736000000000) // of 100 ns, since 1601

int64_t daemon_clock_now_us(void)
{
    // The counter goes on while the machine is asleep.
    LARGE_INTEGER count, frequency;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&frequency);
    int64_t seconds = count.QuadPart / frequency.QuadPart;
    int64_t rest = count.QuadPart % frequency.QuadPart;
    return seconds * 1000000 + rest * 1000000 / frequency.QuadPart;
}

int64_t daemon_clock_wall_us(void)
{
    FILETIME now;
    GetSystemTimePreciseAsFileTime(&now);
    int64_t ticks = (int64_t)((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime);
    return (ticks - TICKS_TO_1970) / 10;
}

bool daemon_clock_is_kept(void)
{
    SERVICE_STATUS status;
    bool runs = false;
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    SC_HANDLE service =
        manager == NULL ? NULL : OpenServiceW(manager, L"W32Time", SERVICE_QUERY_STATUS);
    if (service != NULL) {
        runs = QueryServiceStatus(service, &status) && status.dwCurrentState == SERVICE_RUNNING;
        CloseServiceHandle(service);
    }
    if (manager != NULL)
        CloseServiceHandle(manager);
    return runs;
}
