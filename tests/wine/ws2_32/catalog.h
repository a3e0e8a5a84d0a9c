// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_WS2_32_CATALOG_H
#define PNR_TESTS_WINE_WS2_32_CATALOG_H

// The catalog of namespace providers as Windows keeps it in the registry: below
// HKLM\SYSTEM\CurrentControlSet\Services\WinSock2\Parameters, Current_NameSpace_Catalog names a key
// whose Catalog_Entries (32 bits) or Catalog_Entries64 has a key for each provider. Reading takes a
// copy; each change is written through at once.

// clang-format off
#include <winsock2.h>
#include <ws2spi.h>
// clang-format on

#define SHIM_CATALOG_MAX 64
#define SHIM_INFO_MAX    512 // bytes that a provider has stored with its entry

enum shim_view {
    SHIM_VIEW_OWN, // of this process's bitness
    SHIM_VIEW_32,
};

struct shim_entry {
    GUID id;
    DWORD name_space;
    DWORD version;
    DWORD enabled;
    WCHAR display[256];
    WCHAR path[MAX_PATH]; // may name environment variables
    DWORD info_len;
    BYTE info[SHIM_INFO_MAX];
};

struct shim_catalog {
    size_t count;
    struct shim_entry entries[SHIM_CATALOG_MAX];
};

// Reads all of it, in the order of installation. 0, or WSANO_RECOVERY; where there is none: empty.
int shim_catalog_read(enum shim_view view, struct shim_catalog *ret_catalog);

// Adds an entry at the end. WSANO_RECOVERY: its id is there already, or it is full.
int shim_catalog_install(enum shim_view view, const struct shim_entry *entry);

// WSAEINVAL: no entry has this id.
int shim_catalog_uninstall(enum shim_view view, const GUID *id);
int shim_catalog_enable(enum shim_view view, const GUID *id, BOOL enabled);

struct shim_order {
    const GUID *ids;
    size_t count;
};

// Puts the entries into this order. WSAEINVAL: it has not each of them once.
int shim_catalog_arrange(enum shim_view view, const struct shim_order *order);

#endif
