// SPDX-License-Identifier: MIT
#include "nsp/setup/catalog.h"

#include "nsp/guid.h"

#include <string.h>

static const struct {
    const GUID *id;
    DWORD name_space;
    const char *name;
    const WCHAR *display;
} own[SETUP_PROVIDERS] = {
    {&NS_PROVIDER_PNRPNAME, NS_PNRPNAME, "NS_PNRPNAME", u"pnr: peer names"},
    {&NS_PROVIDER_PNRPCLOUD, NS_PNRPCLOUD, "NS_PNRPCLOUD", u"pnr: clouds of peer names"},
};

const GUID *setup_catalog_provider(size_t provider)
{
    return own[provider].id;
}

const char *setup_catalog_namespace(size_t provider)
{
    return own[provider].name;
}

const char *setup_catalog_view(enum setup_view view)
{
    return view == SETUP_VIEW_64 ? "64-bit" : "32-bit";
}

const char *setup_catalog_owner_name(enum setup_owner owner)
{
    static const char *const names[] = {"pnr", "microsoft", "other"};
    return names[owner];
}

bool setup_catalog_own(size_t provider, const WCHAR *path, struct setup_entry *ret_entry)
{
    if (setup_text_len(path) >= SETUP_PATH_MAX) {
        return false;
    }
    memset(ret_entry, 0, sizeof *ret_entry);
    ret_entry->id = *own[provider].id;
    ret_entry->name_space = own[provider].name_space;
    ret_entry->version = SETUP_VERSION;
    ret_entry->enabled = true;
    (void)setup_text_copy(own[provider].display, ret_entry->display, SETUP_DISPLAY_MAX);
    (void)setup_text_copy(path, ret_entry->path, SETUP_PATH_MAX);
    return true;
}

enum setup_owner setup_catalog_owner(const struct setup_entry *entry)
{
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (setup_text_same(entry->display, own[i].display)) {
            return SETUP_OWNER_PNR;
        }
    }
    const WCHAR *library = setup_text_file_name(entry->path);
    if (setup_text_same(library, SETUP_LIBRARY_NAME)) {
        return SETUP_OWNER_PNR;
    }
    return setup_text_same(library, u"pnrpnsp.dll") ? SETUP_OWNER_MICROSOFT : SETUP_OWNER_OTHER;
}

static bool same_text(const WCHAR *a, const WCHAR *b)
{
    size_t len = setup_text_len(a);
    return len == setup_text_len(b) && memcmp(a, b, len * sizeof *a) == 0;
}

bool setup_catalog_same(const struct setup_entry *a, const struct setup_entry *b)
{
    return nsp_guid_equal(&a->id, &b->id) && a->name_space == b->name_space &&
           a->version == b->version && a->enabled == b->enabled && !a->cut && !b->cut &&
           same_text(a->display, b->display) && same_text(a->path, b->path) &&
           a->blob_len == b->blob_len && memcmp(a->blob, b->blob, a->blob_len) == 0;
}

const struct setup_entry *setup_catalog_find(const struct setup_catalog *catalog, const GUID *id)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (nsp_guid_equal(&catalog->entries[i].id, id)) {
            return &catalog->entries[i];
        }
    }
    return NULL;
}

void setup_catalog_order(const struct setup_catalog *catalog, size_t count,
                         struct setup_order *ret_order)
{
    ret_order->count = 0;
    for (size_t i = 0; i < count && i < catalog->count; i++) {
        setup_order_append(ret_order, &catalog->entries[i].id);
    }
}

size_t setup_order_find(const struct setup_order *order, const GUID *id)
{
    size_t at = 0;
    while (at < order->count && !nsp_guid_equal(&order->ids[at], id)) {
        at++;
    }
    return at;
}

bool setup_order_same(const struct setup_order *a, const struct setup_order *b)
{
    return a->count == b->count && memcmp(a->ids, b->ids, a->count * sizeof a->ids[0]) == 0;
}

void setup_order_append(struct setup_order *order, const GUID *id)
{
    if (order->count < SETUP_ENTRIES_MAX) {
        order->ids[order->count++] = *id;
    }
}

void setup_order_remove(struct setup_order *order, const GUID *id)
{
    size_t at = setup_order_find(order, id);
    if (at < order->count) {
        order->count--;
        memmove(&order->ids[at], &order->ids[at + 1], (order->count - at) * sizeof order->ids[0]);
    }
}

void setup_order_place(struct setup_order *order, const GUID *id, const struct setup_order *before)
{
    setup_order_remove(order, id);
    if (order->count == SETUP_ENTRIES_MAX) {
        return;
    }
    size_t at = 0;
    for (size_t i = before->count; i > 0 && at == 0; i--) {
        size_t neighbour = setup_order_find(order, &before->ids[i - 1]);
        at = neighbour < order->count ? neighbour + 1 : 0;
    }
    memmove(&order->ids[at + 1], &order->ids[at], (order->count - at) * sizeof order->ids[0]);
    order->ids[at] = *id;
    order->count++;
}
