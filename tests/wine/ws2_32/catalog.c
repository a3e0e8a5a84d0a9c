// SPDX-License-Identifier: MIT
#include "tests/wine/ws2_32/catalog.h"

#include <stdio.h>
#include <wchar.h>

#define PARAMETERS L"SYSTEM\\CurrentControlSet\\Services\\WinSock2\\Parameters"
#define CATALOG    L"NameSpace_Catalog5"

static const WCHAR *entries_name(enum shim_view view)
{
    return sizeof(void *) == 8 && view == SHIM_VIEW_OWN ? L"Catalog_Entries64" : L"Catalog_Entries";
}

static const WCHAR *count_name(enum shim_view view)
{
    return sizeof(void *) == 8 && view == SHIM_VIEW_OWN ? L"Num_Catalog_Entries64"
                                                        : L"Num_Catalog_Entries";
}

static LSTATUS set_number(HKEY key, const WCHAR *name, DWORD value)
{
    return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&value, sizeof value);
}

static LSTATUS set_text(HKEY key, const WCHAR *name, const WCHAR *text)
{
    DWORD len = (DWORD)((wcslen(text) + 1) * sizeof *text);
    return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, len);
}

static LSTATUS get(HKEY key, const WCHAR *name, void *buf, DWORD buf_len)
{
    return RegGetValueW(key, NULL, name, RRF_RT_ANY | RRF_NOEXPAND, NULL, buf, &buf_len);
}

// Opens the key that Current_NameSpace_Catalog names, and makes both where they are not there.
static LSTATUS open_catalog(HKEY *ret_key)
{
    HKEY parameters;
    WCHAR name[64];
    LSTATUS status = RegCreateKeyExW(HKEY_LOCAL_MACHINE, PARAMETERS, 0, NULL, 0, KEY_ALL_ACCESS,
                                     NULL, &parameters, NULL);
    if (status != ERROR_SUCCESS) {
        return status;
    }
    if (get(parameters, L"Current_NameSpace_Catalog", name, sizeof name) != ERROR_SUCCESS) {
        wcscpy(name, CATALOG);
        (void)set_text(parameters, L"Current_NameSpace_Catalog", name);
    }
    status = RegCreateKeyExW(parameters, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, ret_key, NULL);
    RegCloseKey(parameters);
    return status;
}

static LSTATUS read_entry(HKEY entries, size_t number, struct shim_entry *ret_entry)
{
    HKEY key;
    WCHAR name[16];
    struct shim_entry entry = {.enabled = 0};
    swprintf(name, 16, L"%012u", (unsigned)number);
    LSTATUS status = RegOpenKeyExW(entries, name, 0, KEY_READ, &key);
    if (status != ERROR_SUCCESS) {
        return status;
    }
    status = get(key, L"ProviderId", &entry.id, sizeof entry.id);
    if (status == ERROR_SUCCESS) {
        status = get(key, L"LibraryPath", entry.path, sizeof entry.path);
    }
    (void)get(key, L"DisplayString", entry.display, sizeof entry.display);
    (void)get(key, L"SupportedNamespace", &entry.name_space, sizeof entry.name_space);
    (void)get(key, L"Version", &entry.version, sizeof entry.version);
    (void)get(key, L"Enabled", &entry.enabled, sizeof entry.enabled);
    entry.info_len = sizeof entry.info;
    if (RegGetValueW(key, NULL, L"ProviderInfo", RRF_RT_REG_BINARY, NULL, entry.info,
                     &entry.info_len) != ERROR_SUCCESS) {
        entry.info_len = 0;
    }
    RegCloseKey(key);
    *ret_entry = entry;
    return status;
}

int shim_catalog_read(enum shim_view view, struct shim_catalog *ret_catalog)
{
    HKEY catalog, entries;
    ret_catalog->count = 0;
    if (open_catalog(&catalog) != ERROR_SUCCESS) {
        return WSANO_RECOVERY;
    }
    if (RegOpenKeyExW(catalog, entries_name(view), 0, KEY_READ, &entries) == ERROR_SUCCESS) {
        while (ret_catalog->count < SHIM_CATALOG_MAX &&
               read_entry(entries, ret_catalog->count + 1,
                          &ret_catalog->entries[ret_catalog->count]) == ERROR_SUCCESS) {
            ret_catalog->count++;
        }
        RegCloseKey(entries);
    }
    RegCloseKey(catalog);
    return 0;
}

static LSTATUS write_entry(HKEY entries, size_t number, const struct shim_entry *entry)
{
    HKEY key;
    WCHAR name[16];
    swprintf(name, 16, L"%012u", (unsigned)number);
    LSTATUS status = RegCreateKeyExW(entries, name, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL);
    if (status != ERROR_SUCCESS) {
        return status;
    }
    status = RegSetValueExW(key, L"ProviderId", 0, REG_BINARY, (const BYTE *)&entry->id,
                            sizeof entry->id);
    if (status == ERROR_SUCCESS) {
        status = set_text(key, L"LibraryPath", entry->path);
    }
    (void)set_text(key, L"DisplayString", entry->display);
    (void)set_number(key, L"SupportedNamespace", entry->name_space);
    (void)set_number(key, L"Version", entry->version);
    (void)set_number(key, L"Enabled", entry->enabled);
    (void)set_number(key, L"StoresServiceClassInfo", 0);
    (void)RegSetValueExW(key, L"ProviderInfo", 0, REG_BINARY, entry->info, entry->info_len);
    RegCloseKey(key);
    return status;
}

// Writes the whole anew, as the numbers of the entries have no gaps.
static int write_all(enum shim_view view, const struct shim_catalog *written)
{
    HKEY catalog, entries;
    DWORD serial = 0;
    if (open_catalog(&catalog) != ERROR_SUCCESS) {
        return WSANO_RECOVERY;
    }
    (void)RegDeleteTreeW(catalog, entries_name(view));
    LSTATUS status = RegCreateKeyExW(catalog, entries_name(view), 0, NULL, 0, KEY_ALL_ACCESS, NULL,
                                     &entries, NULL);
    if (status == ERROR_SUCCESS) {
        for (size_t i = 0; i < written->count && status == ERROR_SUCCESS; i++) {
            status = write_entry(entries, i + 1, &written->entries[i]);
        }
        RegCloseKey(entries);
    }
    (void)set_number(catalog, count_name(view), (DWORD)written->count);
    (void)get(catalog, L"Serial_Access_Num", &serial, sizeof serial);
    (void)set_number(catalog, L"Serial_Access_Num", serial + 1);
    RegCloseKey(catalog);
    return status == ERROR_SUCCESS ? 0 : WSANO_RECOVERY;
}

static struct shim_entry *find(struct shim_catalog *catalog, const GUID *id)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (IsEqualGUID(&catalog->entries[i].id, id)) {
            return &catalog->entries[i];
        }
    }
    return NULL;
}

// What a change does to the catalog that was read. 0 or an error code.
typedef int (*change_fn)(struct shim_catalog *catalog, const void *what);

static int change(enum shim_view view, change_fn function, const void *what)
{
    struct shim_catalog *catalog = calloc(1, sizeof *catalog);
    if (catalog == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    int error = shim_catalog_read(view, catalog);
    if (error == 0) {
        error = function(catalog, what);
    }
    if (error == 0) {
        error = write_all(view, catalog);
    }
    free(catalog);
    return error;
}

static int add(struct shim_catalog *catalog, const void *what)
{
    const struct shim_entry *entry = what;
    if (catalog->count == SHIM_CATALOG_MAX || find(catalog, &entry->id) != NULL) {
        return WSANO_RECOVERY;
    }
    catalog->entries[catalog->count++] = *entry;
    return 0;
}

static int remove_one(struct shim_catalog *catalog, const void *what)
{
    struct shim_entry *entry = find(catalog, what);
    if (entry == NULL) {
        return WSAEINVAL;
    }
    catalog->count--;
    memmove(entry, entry + 1, (size_t)(&catalog->entries[catalog->count] - entry) * sizeof *entry);
    return 0;
}

static int enable_one(struct shim_catalog *catalog, const void *what)
{
    struct shim_entry *entry = find(catalog, what);
    if (entry == NULL) {
        return WSAEINVAL;
    }
    entry->enabled = TRUE;
    return 0;
}

static int disable_one(struct shim_catalog *catalog, const void *what)
{
    struct shim_entry *entry = find(catalog, what);
    if (entry == NULL) {
        return WSAEINVAL;
    }
    entry->enabled = FALSE;
    return 0;
}

static int arrange(struct shim_catalog *catalog, const void *what)
{
    const struct shim_order *order = what;
    if (order->count != catalog->count) {
        return WSAEINVAL;
    }
    for (size_t i = 0; i < order->count; i++) {
        struct shim_entry *entry = find(catalog, &order->ids[i]);
        if (entry == NULL || entry < &catalog->entries[i]) {
            return WSAEINVAL;
        }
        struct shim_entry moved = *entry;
        *entry = catalog->entries[i];
        catalog->entries[i] = moved;
    }
    return 0;
}

int shim_catalog_install(enum shim_view view, const struct shim_entry *entry)
{
    return change(view, add, entry);
}

int shim_catalog_uninstall(enum shim_view view, const GUID *id)
{
    return change(view, remove_one, id);
}

int shim_catalog_enable(enum shim_view view, const GUID *id, BOOL enabled)
{
    return change(view, enabled ? enable_one : disable_one, id);
}

int shim_catalog_arrange(enum shim_view view, const struct shim_order *order)
{
    return change(view, arrange, order);
}
