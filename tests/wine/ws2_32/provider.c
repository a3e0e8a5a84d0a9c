// SPDX-License-Identifier: MIT
#include "tests/wine/ws2_32/provider.h"

static CRITICAL_SECTION lock;
static struct shim_providers known;
static bool is_open;

void shim_provider_setup(void)
{
    InitializeCriticalSection(&lock);
}

bool shim_provider_is_open(void)
{
    EnterCriticalSection(&lock);
    bool open = is_open;
    LeaveCriticalSection(&lock);
    return open;
}

void shim_provider_open(void)
{
    struct shim_catalog *catalog = calloc(1, sizeof *catalog);
    EnterCriticalSection(&lock);
    known.count = 0;
    if (catalog != NULL && shim_catalog_read(SHIM_VIEW_OWN, catalog) == 0) {
        for (size_t i = 0; i < catalog->count; i++) {
            struct shim_provider *provider = calloc(1, sizeof *provider);
            if (provider == NULL) {
                break;
            }
            provider->entry = catalog->entries[i];
            provider->refs = 1;
            known.list[known.count++] = provider;
        }
    }
    is_open = true;
    LeaveCriticalSection(&lock);
    free(catalog);
}

void shim_provider_close(void)
{
    struct shim_providers closed;
    EnterCriticalSection(&lock);
    closed = known;
    known.count = 0;
    is_open = false;
    LeaveCriticalSection(&lock);
    for (size_t i = 0; i < closed.count; i++) {
        struct shim_provider *provider = closed.list[i];
        if (provider->started) {
            provider->started = false;
            GUID id = provider->entry.id;
            (void)provider->routine.NSPCleanup(&id);
        }
        shim_provider_release(provider);
    }
}

void shim_provider_release(struct shim_provider *provider)
{
    if (InterlockedDecrement(&provider->refs) == 0) {
        if (provider->dll != NULL) {
            FreeLibrary(provider->dll);
        }
        free(provider);
    }
}

bool shim_provider_has_ioctl(const struct shim_provider *provider)
{
    return provider->routine.cbSize >= sizeof(NSP_ROUTINE) && provider->routine.NSPIoctl != NULL;
}

static int load(struct shim_provider *provider, LPNSPSTARTUP *ret_startup)
{
    WCHAR path[MAX_PATH];
    if (provider->dll == NULL) {
        DWORD len = ExpandEnvironmentStringsW(provider->entry.path, path, MAX_PATH);
        if (len == 0 || len > MAX_PATH) {
            return WSAEINVAL;
        }
        provider->dll = LoadLibraryW(path);
    }
    if (provider->dll == NULL) {
        return WSAEPROVIDERFAILEDINIT;
    }
    *ret_startup = (LPNSPSTARTUP)(void (*)(void))GetProcAddress(provider->dll, "NSPStartup");
    return *ret_startup == NULL ? WSAEPROVIDERFAILEDINIT : 0;
}

// Under the lock, as Windows does it: the provider has to be quick.
static int start(struct shim_provider *provider)
{
    LPNSPSTARTUP startup;
    GUID id = provider->entry.id;
    if (provider->started) {
        return 0;
    }
    int error = load(provider, &startup);
    if (error != 0) {
        return error;
    }
    provider->routine = (NSP_ROUTINE){.cbSize = sizeof(NSP_ROUTINE)};
    if (startup(&id, &provider->routine) != 0) {
        return (int)GetLastError();
    }
    provider->started = true;
    return 0;
}

static bool is_asked(const struct shim_entry *entry, const WSAQUERYSETW *set)
{
    if (set->lpNSProviderId != NULL) {
        return IsEqualGUID(&entry->id, set->lpNSProviderId);
    }
    return set->dwNameSpace == NS_ALL || entry->name_space == set->dwNameSpace;
}

int shim_provider_select(const WSAQUERYSETW *set, struct shim_providers *ret_providers)
{
    int error = set->lpNSProviderId != NULL ? WSAEINVAL : WSASERVICE_NOT_FOUND;
    ret_providers->count = 0;
    EnterCriticalSection(&lock);
    for (size_t i = 0; i < known.count; i++) {
        struct shim_provider *provider = known.list[i];
        if (!provider->entry.enabled || !is_asked(&provider->entry, set)) {
            continue;
        }
        int started = start(provider);
        if (started != 0) {
            error = started;
            continue;
        }
        InterlockedIncrement(&provider->refs);
        ret_providers->list[ret_providers->count++] = provider;
    }
    LeaveCriticalSection(&lock);
    return ret_providers->count > 0 ? 0 : error;
}
