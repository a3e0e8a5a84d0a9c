// SPDX-License-Identifier: MIT
#include "nsp/setup/registry.h"

#include <stdio.h>
#include <string.h>

#define WINSOCK_KEY L"SYSTEM\\CurrentControlSet\\Services\\WinSock2\\Parameters"
#define OWN_KEY     L"SOFTWARE\\pnr"
#define MEMORY_KEY  OWN_KEY L"\\NamespaceProvider\\Replaced"
#define KEY_LEN_MAX 128 // units of a key's path, with its NUL

// ---- access ----

static int try_open(const WCHAR *key_path, REGSAM access)
{
    HKEY key;
    LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, key_path, 0, access, &key);
    if (status == ERROR_SUCCESS) {
        RegCloseKey(key);
    }
    // Whatever else there may be is told by what is done next.
    return status == ERROR_ACCESS_DENIED ? (int)status : 0;
}

int setup_registry_access(void)
{
    int code = try_open(L"SOFTWARE", KEY_CREATE_SUB_KEY | KEY_WOW64_64KEY);
    return code != 0 ? code : try_open(WINSOCK_KEY, KEY_SET_VALUE);
}

// ---- an entry's values, of the catalog's keys and of ours ----

static bool get(HKEY key, const WCHAR *name, void *buf, DWORD *len)
{
    return RegGetValueW(key, NULL, name, RRF_RT_ANY | RRF_NOEXPAND, NULL, buf, len) ==
           ERROR_SUCCESS;
}

// 0 where there is none.
static DWORD get_number(HKEY key, const WCHAR *name)
{
    DWORD value = 0;
    DWORD len = sizeof value;
    return get(key, name, &value, &len) && len == sizeof value ? value : 0;
}

// Empty where there is none, and where it is too long, which is noted.
static void get_text(HKEY key, const WCHAR *name, WCHAR *ret_text, size_t room, bool *cut)
{
    DWORD len = (DWORD)(room * sizeof *ret_text);
    LSTATUS status = RegGetValueW(key, NULL, name, RRF_RT_ANY | RRF_NOEXPAND, NULL, ret_text, &len);
    if (status != ERROR_SUCCESS) {
        *ret_text = 0;
        *cut = *cut || status == ERROR_MORE_DATA;
    }
}

static size_t get_bytes(HKEY key, const WCHAR *name, void *ret_bytes, size_t room, bool *cut)
{
    DWORD len = (DWORD)room;
    LSTATUS status = RegGetValueW(key, NULL, name, RRF_RT_REG_BINARY, NULL, ret_bytes, &len);
    *cut = *cut || status == ERROR_MORE_DATA;
    return status == ERROR_SUCCESS ? len : 0;
}

// False: it has no id, and so is no entry.
static bool get_entry(HKEY key, struct setup_entry *ret_entry)
{
    DWORD len = sizeof ret_entry->id;
    memset(ret_entry, 0, sizeof *ret_entry);
    if (!get(key, L"ProviderId", &ret_entry->id, &len) || len != sizeof ret_entry->id) {
        return false;
    }
    ret_entry->name_space = get_number(key, L"SupportedNamespace");
    ret_entry->version = get_number(key, L"Version");
    ret_entry->enabled = get_number(key, L"Enabled") != 0;
    get_text(key, L"DisplayString", ret_entry->display, SETUP_DISPLAY_MAX, &ret_entry->cut);
    get_text(key, L"LibraryPath", ret_entry->path, SETUP_PATH_MAX, &ret_entry->cut);
    ret_entry->blob_len =
        get_bytes(key, L"ProviderInfo", ret_entry->blob, SETUP_BLOB_MAX, &ret_entry->cut);
    return true;
}

static bool set_number(HKEY key, const WCHAR *name, DWORD value)
{
    return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&value, sizeof value) ==
           ERROR_SUCCESS;
}

static bool set_text(HKEY key, const WCHAR *name, const WCHAR *text)
{
    DWORD len = (DWORD)((setup_text_len(text) + 1) * sizeof *text);
    return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, len) == ERROR_SUCCESS;
}

static bool set_bytes(HKEY key, const WCHAR *name, const void *bytes, size_t len)
{
    return RegSetValueExW(key, name, 0, REG_BINARY, bytes, (DWORD)len) == ERROR_SUCCESS;
}

static bool set_entry(HKEY key, const struct setup_entry *entry)
{
    return set_bytes(key, L"ProviderId", &entry->id, sizeof entry->id) &&
           set_number(key, L"SupportedNamespace", entry->name_space) &&
           set_number(key, L"Version", entry->version) &&
           set_number(key, L"Enabled", entry->enabled) &&
           set_text(key, L"DisplayString", entry->display) &&
           set_text(key, L"LibraryPath", entry->path) &&
           set_bytes(key, L"ProviderInfo", entry->blob, entry->blob_len);
}

// ---- Winsock's catalogs ----

// Opens the key that has a catalog's entries.
static LSTATUS open_entries(enum setup_view view, HKEY *ret_key)
{
    HKEY parameters;
    WCHAR name[KEY_LEN_MAX];
    WCHAR path[2 * KEY_LEN_MAX];
    bool cut = false;
    LSTATUS status = RegOpenKeyExW(HKEY_LOCAL_MACHINE, WINSOCK_KEY, 0, KEY_READ, &parameters);
    if (status != ERROR_SUCCESS) {
        return status;
    }
    get_text(parameters, L"Current_NameSpace_Catalog", name, KEY_LEN_MAX, &cut);
    swprintf(path, 2 * KEY_LEN_MAX, L"%ls\\%ls", name[0] != 0 ? name : L"NameSpace_Catalog5",
             view == SETUP_VIEW_64 ? L"Catalog_Entries64" : L"Catalog_Entries");
    status = RegOpenKeyExW(parameters, path, 0, KEY_READ, ret_key);
    RegCloseKey(parameters);
    return status;
}

int setup_registry_catalog(enum setup_view view, struct setup_catalog *ret_catalog)
{
    HKEY entries, key;
    WCHAR name[16];
    ret_catalog->count = 0;
    LSTATUS status = open_entries(view, &entries);
    if (status != ERROR_SUCCESS) {
        return status == ERROR_FILE_NOT_FOUND ? 0 : (int)status;
    }
    for (unsigned number = 1;; number++) {
        swprintf(name, 16, L"%012u", number);
        status = RegOpenKeyExW(entries, name, 0, KEY_READ, &key);
        if (status != ERROR_SUCCESS) {
            break;
        }
        bool full = ret_catalog->count == SETUP_ENTRIES_MAX;
        if (!full && get_entry(key, &ret_catalog->entries[ret_catalog->count])) {
            ret_catalog->count++;
        }
        RegCloseKey(key);
        if (full) {
            RegCloseKey(entries);
            return SETUP_CODE_FULL;
        }
    }
    RegCloseKey(entries);
    return status == ERROR_FILE_NOT_FOUND ? 0 : (int)status;
}

// ---- what was replaced ----

// "...\Replaced\64\NS_PNRPNAME"
static void memory_path(enum setup_view view, size_t provider, WCHAR ret_path[KEY_LEN_MAX])
{
    swprintf(ret_path, KEY_LEN_MAX, MEMORY_KEY L"\\%d\\%hs", view == SETUP_VIEW_64 ? 64 : 32,
             setup_catalog_namespace(provider));
}

static bool get_kept(HKEY key, struct setup_kept *ret_kept)
{
    bool cut = false;
    struct setup_order *before = &ret_kept->before;
    size_t len = get_bytes(key, L"Before", before->ids, sizeof before->ids, &cut);
    before->count = len / sizeof before->ids[0];
    return get_number(key, L"Whole") != 0 && get_entry(key, &ret_kept->entry) && !cut &&
           !ret_kept->entry.cut;
}

static bool set_kept(HKEY key, const struct setup_kept *kept)
{
    return set_entry(key, &kept->entry) &&
           set_bytes(key, L"Before", kept->before.ids,
                     kept->before.count * sizeof kept->before.ids[0]) &&
           set_number(key, L"Whole", 1);
}

int setup_registry_memory(enum setup_view view, struct setup_memory *ret_memory)
{
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        HKEY key;
        WCHAR path[KEY_LEN_MAX];
        memory_path(view, i, path);
        ret_memory->has[i] = false;
        LSTATUS status =
            RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &key);
        if (status == ERROR_SUCCESS) {
            ret_memory->has[i] = get_kept(key, &ret_memory->kept[i]);
            RegCloseKey(key);
        } else if (status != ERROR_FILE_NOT_FOUND) {
            return (int)status;
        }
    }
    return 0;
}

static LSTATUS create_key(const WCHAR *path, HKEY *ret_key)
{
    return RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY,
                           NULL, ret_key, NULL);
}

int setup_registry_remember(enum setup_view view, size_t provider, const struct setup_kept *kept)
{
    HKEY key;
    WCHAR path[KEY_LEN_MAX];
    memory_path(view, provider, path);
    int code = setup_registry_forget(view, provider);
    if (code != 0) {
        return code;
    }
    LSTATUS status = create_key(path, &key);
    if (status != ERROR_SUCCESS) {
        return (int)status;
    }
    bool good = set_kept(key, kept);
    RegCloseKey(key);
    if (!good) {
        (void)setup_registry_forget(view, provider);
        return WSASYSCALLFAILURE;
    }
    return 0;
}

static bool is_empty(const WCHAR *path)
{
    HKEY key;
    DWORD keys = 1;
    DWORD values = 1;
    if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &key) !=
        ERROR_SUCCESS) {
        return false;
    }
    LSTATUS status =
        RegQueryInfoKeyW(key, NULL, NULL, NULL, &keys, NULL, NULL, &values, NULL, NULL, NULL, NULL);
    RegCloseKey(key);
    return status == ERROR_SUCCESS && keys == 0 && values == 0;
}

// Deletes the key and those above it, up to ours, as far as they are empty.
static void prune(WCHAR path[KEY_LEN_MAX])
{
    size_t len = setup_text_len(path);
    while (len >= setup_text_len(OWN_KEY) && is_empty(path) &&
           RegDeleteKeyExW(HKEY_LOCAL_MACHINE, path, KEY_WOW64_64KEY, 0) == ERROR_SUCCESS) {
        while (len > 0 && path[len] != '\\') {
            len--;
        }
        path[len] = 0;
    }
}

int setup_registry_forget(enum setup_view view, size_t provider)
{
    HKEY key;
    WCHAR path[KEY_LEN_MAX];
    memory_path(view, provider, path);
    LSTATUS status =
        RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_ALL_ACCESS | KEY_WOW64_64KEY, &key);
    if (status != ERROR_SUCCESS) {
        return status == ERROR_FILE_NOT_FOUND ? 0 : (int)status;
    }
    // What is not whole is nothing, should it end half-way.
    (void)RegDeleteValueW(key, L"Whole");
    status = RegDeleteTreeW(key, NULL);
    RegCloseKey(key);
    prune(path);
    return (int)status;
}
