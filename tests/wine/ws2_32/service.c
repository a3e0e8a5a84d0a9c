// SPDX-License-Identifier: MIT
// WSASetServiceW: every provider that the set names is told.
#include "tests/wine/ws2_32/provider.h"

INT WSAAPI WSASetServiceW(LPWSAQUERYSETW set, WSAESETSERVICEOP operation, DWORD flags)
{
    struct shim_providers providers;
    int error;
    if (!shim_provider_is_open()) {
        error = WSANOTINITIALISED;
    } else if (set == NULL || set->lpServiceClassId == NULL) {
        error = WSAEFAULT;
    } else if (set->dwSize < sizeof *set) {
        error = WSAEINVAL;
    } else {
        error = shim_provider_select(set, &providers);
    }
    if (error != 0) {
        SetLastError((DWORD)error);
        return SOCKET_ERROR;
    }
    WSASERVICECLASSINFOW class_info = {.lpServiceClassId = set->lpServiceClassId};
    size_t taken = 0;
    for (size_t i = 0; i < providers.count; i++) {
        struct shim_provider *provider = providers.list[i];
        GUID id = provider->entry.id;
        if (provider->routine.NSPSetService(&id, &class_info, set, operation, flags) == 0) {
            taken++;
        } else {
            error = (int)GetLastError();
        }
        shim_provider_release(provider);
    }
    if (taken == 0) {
        SetLastError((DWORD)error);
        return SOCKET_ERROR;
    }
    return 0;
}
