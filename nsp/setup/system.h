// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_SYSTEM_H
#define PNR_NSP_SETUP_SYSTEM_H

// What a setup does to the machine, as a table of functions: Windows' own (windows.c), or a fake's
// in tests. Each function does one thing wholly or not at all and returns 0, a code of Winsock or
// of Windows (both above 0), or one of ours.

#include "nsp/setup/plan.h"

enum setup_code {
    SETUP_CODE_NOT_KEPT = -1,   // Winsock said that it was done, and its catalog tells otherwise
    SETUP_CODE_MISSING = -2,    // this ws2_32.dll has no such function
    SETUP_CODE_UNREADABLE = -3, // Winsock tells of an entry of ours that is not where it should be
    SETUP_CODE_FULL = -4,       // the catalog has more than SETUP_ENTRIES_MAX entries
    SETUP_CODE_CUT = -5,        // an entry in the way is too large to be remembered
    SETUP_CODE_LONG_PATH = -6,  // the library's path has SETUP_PATH_MAX units or more
    SETUP_CODE_NO_LIBRARY = -7, // there is no such file
    SETUP_CODE_NOT_LIBRARY = -8,
    SETUP_CODE_WRONG_BITS = -9, // a library of the other kind of programs
};

struct setup_system {
    void *ctx;
    // Whether this process may change the catalogs: 0, or ERROR_ACCESS_DENIED.
    int (*access)(void *ctx);
    // Reads a catalog, and what is remembered of it.
    int (*read)(void *ctx, enum setup_view view, struct setup_state *ret_state);
    // Puts an entry in at the catalog's end, as enabled as it is.
    int (*install)(void *ctx, enum setup_view view, const struct setup_entry *entry);
    int (*uninstall)(void *ctx, enum setup_view view, const GUID *id);
    // Puts the entries into this order, which has all of them. NULL where this Windows cannot.
    int (*arrange)(void *ctx, enum setup_view view, const struct setup_order *order);
    // Remembers an entry, in place of what was remembered of the provider.
    int (*remember)(void *ctx, enum setup_view view, size_t provider,
                    const struct setup_kept *kept);
    int (*forget)(void *ctx, enum setup_view view, size_t provider); // 0 also where there is none
};

#endif
