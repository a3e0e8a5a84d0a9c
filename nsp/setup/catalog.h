// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_CATALOG_H
#define PNR_NSP_SETUP_CATALOG_H

// Winsock's catalogs of namespace providers, as values: which entries there are and whose they are,
// and what our own look like. A Windows of 64 bits has two, one for its 64-bit programs and one for
// its 32-bit programs; one of 32 bits has the latter. Pure: registry.h reads and winsock.h's calls
// change them.
//
// We serve PNRP's two namespaces under the provider ids that Microsoft's own entries have, because
// that is what programs name. An id stands in a catalog once, so its entry there is Microsoft's,
// ours or somebody else's.

#include "nsp/setup/text.h"

#include <stdint.h>

#define SETUP_ENTRIES_MAX  64   // entries of a catalog; Windows comes with seven to ten
#define SETUP_DISPLAY_MAX  256  // units of a display string, with its NUL
#define SETUP_PATH_MAX     260  // units of a path, with its NUL: Windows' MAX_PATH
#define SETUP_BLOB_MAX     1024 // bytes that a provider has stored with its entry
#define SETUP_PROVIDERS    2    // ids that we take: 0 is of names, 1 of clouds
#define SETUP_VERSION      1    // of our entries
#define SETUP_LIBRARY_NAME u"pnrnsp.dll"

enum setup_view {
    SETUP_VIEW_64,
    SETUP_VIEW_32,
    SETUP_VIEWS,
};

enum setup_owner {
    SETUP_OWNER_PNR,
    SETUP_OWNER_MICROSOFT,
    SETUP_OWNER_OTHER,
};

struct setup_entry {
    GUID id;
    DWORD name_space;
    DWORD version;
    bool enabled;
    bool cut;                         // a text or the blob was longer than there is room for here
    WCHAR display[SETUP_DISPLAY_MAX]; // as it is stored; may be a reference to a resource
    WCHAR path[SETUP_PATH_MAX];       // as it is stored; may name environment variables
    size_t blob_len;
    uint8_t blob[SETUP_BLOB_MAX];
};

// In the order in which Winsock asks them.
struct setup_catalog {
    size_t count;
    struct setup_entry entries[SETUP_ENTRIES_MAX];
};

struct setup_order {
    size_t count;
    GUID ids[SETUP_ENTRIES_MAX];
};

// An entry that ours has replaced, and what stood before it: all that it takes to put it back.
struct setup_kept {
    struct setup_entry entry;
    struct setup_order before;
};

// What is remembered of one catalog.
struct setup_memory {
    bool has[SETUP_PROVIDERS];
    struct setup_kept kept[SETUP_PROVIDERS];
};

const GUID *setup_catalog_provider(size_t provider);          // its id
const char *setup_catalog_namespace(size_t provider);         // "NS_PNRPNAME", "NS_PNRPCLOUD"
const char *setup_catalog_view(enum setup_view view);         // "64-bit", "32-bit"
const char *setup_catalog_owner_name(enum setup_owner owner); // "pnr", "microsoft", "other"

// Our entry of a provider, enabled. False where path does not fit, which has SETUP_PATH_MAX units.
bool setup_catalog_own(size_t provider, const WCHAR *path, struct setup_entry *ret_entry);

// Whose an entry is. Ours is known by its display string or by its library's name, and Microsoft's
// by its library's, so that neither hangs on anything that was remembered. A display string tells
// ours whatever the library is called.
enum setup_owner setup_catalog_owner(const struct setup_entry *entry);

// Whether two entries are the same in all that an entry is.
bool setup_catalog_same(const struct setup_entry *a, const struct setup_entry *b);

// The entry of an id; NULL where there is none.
const struct setup_entry *setup_catalog_find(const struct setup_catalog *catalog, const GUID *id);

// The ids of the catalog's first count entries, in their order.
void setup_catalog_order(const struct setup_catalog *catalog, size_t count,
                         struct setup_order *ret_order);

// Where an id stands; order->count where it is not there.
size_t setup_order_find(const struct setup_order *order, const GUID *id);
bool setup_order_same(const struct setup_order *a, const struct setup_order *b);
void setup_order_append(struct setup_order *order, const GUID *id); // no effect where it is full
void setup_order_remove(struct setup_order *order, const GUID *id);
// Puts an id, which may be there already, behind the last one of `before` that is there: at the
// front where none is. What stands between others keeps its place.
void setup_order_place(struct setup_order *order, const GUID *id, const struct setup_order *before);

#endif
