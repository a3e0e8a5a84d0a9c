// SPDX-License-Identifier: MIT
// Installing and listing providers: WSCInstallNameSpace and its kin, WSAEnumNameSpaceProviders.
#include "tests/wine/ws2_32/catalog.h"

#include <wchar.h>

static int answer(int error)
{
    if (error == 0) {
        return 0;
    }
    SetLastError((DWORD)error);
    return SOCKET_ERROR;
}

static int install(enum shim_view view, const WCHAR *display, const WCHAR *path,
                   const struct shim_entry *rest)
{
    struct shim_entry entry = *rest;
    if (wcslen(display) >= sizeof entry.display / sizeof *entry.display ||
        wcslen(path) >= MAX_PATH) {
        return WSAEINVAL;
    }
    wcscpy(entry.display, display);
    wcscpy(entry.path, path);
    return shim_catalog_install(view, &entry);
}

// info: what a provider has stored with it, or NULL.
static INT install_in(enum shim_view view, LPWSTR display, LPWSTR path, DWORD name_space,
                      DWORD version, LPGUID id, const BLOB *info)
{
    if (display == NULL || path == NULL || id == NULL ||
        (info != NULL && info->cbSize > SHIM_INFO_MAX)) {
        return answer(WSAEINVAL);
    }
    struct shim_entry entry = {
        .id = *id, .name_space = name_space, .version = version, .enabled = TRUE};
    if (info != NULL) {
        entry.info_len = info->cbSize;
        memcpy(entry.info, info->pBlobData, info->cbSize);
    }
    return answer(install(view, display, path, &entry));
}

INT WSPAPI WSCInstallNameSpace(LPWSTR display, LPWSTR path, DWORD name_space, DWORD version,
                               LPGUID id)
{
    return install_in(SHIM_VIEW_OWN, display, path, name_space, version, id, NULL);
}

int WSAAPI WSCInstallNameSpaceEx(LPWSTR display, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID id, LPBLOB info)
{
    return install_in(SHIM_VIEW_OWN, display, path, name_space, version, id, info);
}

INT WSPAPI WSCUnInstallNameSpace(LPGUID id)
{
    return answer(id == NULL ? WSAEFAULT : shim_catalog_uninstall(SHIM_VIEW_OWN, id));
}

INT WSPAPI WSCEnableNSProvider(LPGUID id, WINBOOL enabled)
{
    return answer(id == NULL ? WSAEFAULT : shim_catalog_enable(SHIM_VIEW_OWN, id, enabled));
}

// Returns the error itself.
INT WSPAPI WSCWriteNameSpaceOrder(LPGUID ids, DWORD count);
INT WSPAPI WSCWriteNameSpaceOrder(LPGUID ids, DWORD count)
{
    struct shim_order order = {ids, count};
    return ids == NULL ? WSAEFAULT : shim_catalog_arrange(SHIM_VIEW_OWN, &order);
}

// Of the 64-bit library alone, as on Windows.
#ifdef _WIN64
INT WSPAPI WSCWriteNameSpaceOrder32(LPGUID ids, DWORD count);
INT WSPAPI WSCWriteNameSpaceOrder32(LPGUID ids, DWORD count)
{
    struct shim_order order = {ids, count};
    return ids == NULL ? WSAEFAULT : shim_catalog_arrange(SHIM_VIEW_32, &order);
}

INT WSPAPI WSCInstallNameSpace32(LPWSTR display, LPWSTR path, DWORD name_space, DWORD version,
                                 LPGUID id)
{
    return install_in(SHIM_VIEW_32, display, path, name_space, version, id, NULL);
}

int WSAAPI WSCInstallNameSpaceEx32(LPWSTR display, LPWSTR path, DWORD name_space, DWORD version,
                                   LPGUID id, LPBLOB info)
{
    return install_in(SHIM_VIEW_32, display, path, name_space, version, id, info);
}

INT WSPAPI WSCUnInstallNameSpace32(LPGUID id)
{
    return answer(id == NULL ? WSAEFAULT : shim_catalog_uninstall(SHIM_VIEW_32, id));
}

INT WSPAPI WSCEnableNSProvider32(LPGUID id, WINBOOL enabled)
{
    return answer(id == NULL ? WSAEFAULT : shim_catalog_enable(SHIM_VIEW_32, id, enabled));
}

// What WSAEnumNameSpaceProviders would say of the 32-bit catalog.
INT WSPAPI WSCEnumNameSpaceProviders32(LPDWORD len, LPWSANAMESPACE_INFOW infos);
#endif

// Writes the infos and, behind them, their texts. The number of entries, or -1 and *len needed.
static INT list(enum shim_view view, DWORD *len, LPWSANAMESPACE_INFOW infos)
{
    struct shim_catalog *catalog = calloc(1, sizeof *catalog);
    int error = catalog == NULL ? WSA_NOT_ENOUGH_MEMORY : shim_catalog_read(view, catalog);
    if (error != 0) {
        free(catalog);
        return answer(error);
    }
    size_t needed = catalog->count * sizeof *infos;
    for (size_t i = 0; i < catalog->count; i++) {
        needed += (wcslen(catalog->entries[i].display) + 1) * sizeof(WCHAR);
    }
    if (infos == NULL || *len < needed) {
        *len = (DWORD)needed;
        free(catalog);
        return answer(WSAEFAULT);
    }
    WCHAR *text = (WCHAR *)(void *)(infos + catalog->count);
    for (size_t i = 0; i < catalog->count; i++) {
        const struct shim_entry *entry = &catalog->entries[i];
        infos[i] = (WSANAMESPACE_INFOW){entry->id, entry->name_space, (BOOL)entry->enabled,
                                        entry->version, text};
        wcscpy(text, entry->display);
        text += wcslen(text) + 1;
    }
    INT count = (INT)catalog->count;
    free(catalog);
    return count;
}

INT WSAAPI WSAEnumNameSpaceProvidersW(LPDWORD len, LPWSANAMESPACE_INFOW infos)
{
    return len == NULL ? answer(WSAEFAULT) : list(SHIM_VIEW_OWN, len, infos);
}

#ifdef _WIN64
INT WSPAPI WSCEnumNameSpaceProviders32(LPDWORD len, LPWSANAMESPACE_INFOW infos)
{
    return len == NULL ? answer(WSAEFAULT) : list(SHIM_VIEW_32, len, infos);
}
#endif
