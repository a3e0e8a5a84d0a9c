// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_WINE_WS2_32_PROVIDER_H
#define PNR_TESTS_WINE_WS2_32_PROVIDER_H

// The namespace providers of this process. The catalog is read at the first WSAStartup. A
// provider's DLL is loaded and its NSPStartup called when it is first asked for anything, once for
// each GUID; NSPCleanup comes at the last WSACleanup; the DLL is let go when no query of it is
// left.

#include "tests/wine/ws2_32/catalog.h"

#include <stdbool.h>

struct shim_provider {
    struct shim_entry entry;
    HMODULE dll; // NULL until it is first asked
    NSP_ROUTINE routine;
    bool started; // NSPStartup has been called and NSPCleanup has not
    LONG refs;
};

struct shim_providers {
    size_t count;
    struct shim_provider *list[SHIM_CATALOG_MAX];
};

void shim_provider_setup(void);

// By the first WSAStartup and the last WSACleanup.
void shim_provider_open(void);
void shim_provider_close(void);

// Whether WSAStartup has been called, and not as many WSACleanup.
bool shim_provider_is_open(void);

// Those who are asked for what set describes, each started and referenced: with an lpNSProviderId
// that one alone, whatever its namespace; else every enabled one of the namespace, or all for
// NS_ALL. Those that cannot be started are left out. 0; WSAEINVAL: no such provider;
// WSASERVICE_NOT_FOUND: none of this namespace; else why the last of them did not start.
int shim_provider_select(const WSAQUERYSETW *set, struct shim_providers *ret_providers);
void shim_provider_release(struct shim_provider *provider);

// Whether it has an NSPIoctl, as those since Windows XP have.
bool shim_provider_has_ioctl(const struct shim_provider *provider);

#endif
