// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_REGISTRY_H
#define PNR_NSP_SETUP_REGISTRY_H

// What of a setup is in Windows' registry. Winsock's own functions do not tell a provider's path,
// so its catalogs are read where Windows keeps them, and never written there: below
// HKLM\SYSTEM\CurrentControlSet\Services\WinSock2\Parameters, Current_NameSpace_Catalog names a key
// that has Catalog_Entries64 and Catalog_Entries (of 32-bit programs), and in each a key of twelve
// digits for every entry.
//
// What was replaced is remembered below HKLM\SOFTWARE\pnr, in the registry's 64-bit part, with the
// values that the catalog has for an entry and what stood before it. What was cut off while it was
// being written counts for nothing. Each function returns 0 or a code (system.h).

#include "nsp/setup/system.h"

// Whether this process may write both places: 0 or ERROR_ACCESS_DENIED.
int setup_registry_access(void);

// An empty one where there is none.
int setup_registry_catalog(enum setup_view view, struct setup_catalog *ret_catalog);
int setup_registry_memory(enum setup_view view, struct setup_memory *ret_memory);

int setup_registry_remember(enum setup_view view, size_t provider, const struct setup_kept *kept);
// Leaves no empty key of ours behind.
int setup_registry_forget(enum setup_view view, size_t provider);

#endif
