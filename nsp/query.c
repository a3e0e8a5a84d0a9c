// SPDX-License-Identifier: MIT
#include "nsp/query.h"

#include "nsp/guid.h"
#include "nsp/name.h"
#include "nsp/platform.h"
#include "nsp/text.h"

#include <string.h>

#define PNRPINFO_FLAGS ((DWORD)PNRPINFO_HINT)

// The texts of a query while it is read, as units and as bytes.
struct texts {
    WCHAR name[NSP_NAME_UNITS_MAX + 1];
    WCHAR cloud[PNR_WORD_MAX];
    char name_utf8[PNR_NAME_MAX];
    char cloud_utf8[PNR_WORD_MAX];
};

// ---- whose it is ----

int nsp_query_class(const WSAQUERYSETW *set, enum nsp_query_kind *ret_kind, unsigned *ret_version)
{
    LPGUID class_id;
    if (set == NULL) {
        return WSAEINVAL;
    }
    if (!nsp_platform_peekable(set, sizeof *set)) {
        return WSAEFAULT;
    }
    memcpy(&class_id, (const char *)set + offsetof(WSAQUERYSETW, lpServiceClassId),
           sizeof class_id);
    if (class_id == NULL) {
        return WSAEINVAL;
    }
    if (!nsp_platform_peekable(class_id, sizeof *class_id)) {
        return WSAEFAULT;
    }
    enum nsp_class class = nsp_guid_class(class_id);
    if (class == NSP_CLASS_FOREIGN) {
        return WSASERVICE_NOT_FOUND;
    }
    *ret_kind = class == NSP_CLASS_CLOUD ? NSP_QUERY_CLOUD : NSP_QUERY_NAME;
    *ret_version = class == NSP_CLASS_NAME_V2 ? 2 : 1;
    return 0;
}

int nsp_query_check_provider(const WSAQUERYSETW *set, enum nsp_query_kind kind)
{
    bool is_name = kind == NSP_QUERY_NAME;
    if (set->lpNSProviderId == NULL) {
        DWORD own = is_name ? NS_PNRPNAME : NS_PNRPCLOUD;
        bool is_ours = set->dwNameSpace == own || set->dwNameSpace == NS_ALL;
        return is_ours ? 0 : WSASERVICE_NOT_FOUND;
    }
    if (!nsp_platform_readable(set->lpNSProviderId, sizeof *set->lpNSProviderId)) {
        return WSAEFAULT;
    }
    enum nsp_provider provider = nsp_guid_provider(set->lpNSProviderId);
    bool is_own = provider == (is_name ? NSP_PROVIDER_NAME : NSP_PROVIDER_CLOUD);
    return is_own ? 0 : WSASERVICE_NOT_FOUND;
}

// ---- texts ----

// Of a text that says the same when it is left out: 0 where it is NULL or "".
static int check_empty(const WCHAR *text)
{
    WCHAR nothing[1];
    size_t units;
    return text == NULL ? 0 : nsp_text_take(text, nothing, 1, &units);
}

// ---- blobs ----

int nsp_query_open_blob(const BLOB *blob, const void **ret_data, DWORD *ret_size)
{
    BLOB copy;
    *ret_data = NULL;
    *ret_size = 0;
    if (blob == NULL) {
        return 0;
    }
    if (!nsp_platform_readable(blob, sizeof copy)) {
        return WSAEFAULT;
    }
    memcpy(&copy, blob, sizeof copy);
    if (copy.pBlobData == NULL || copy.cbSize < sizeof *ret_size) {
        return WSAEINVAL;
    }
    if (!nsp_platform_readable(copy.pBlobData, copy.cbSize)) {
        return WSAEFAULT;
    }
    memcpy(ret_size, copy.pBlobData, sizeof *ret_size); // dwSize is the first member of all of them
    *ret_data = copy.pBlobData;
    return *ret_size <= copy.cbSize ? 0 : WSAEINVAL;
}

static int read_hint(const SOCKET_ADDRESS *address, struct nsp_query *query)
{
    struct sockaddr_in6 hint;
    if (address->lpSockaddr == NULL || address->iSockaddrLength < (INT)sizeof hint) {
        return WSAEINVAL;
    }
    if (!nsp_platform_readable(address->lpSockaddr, sizeof hint)) {
        return WSAEFAULT;
    }
    memcpy(&hint, address->lpSockaddr, sizeof hint);
    if (hint.sin6_family != AF_INET6) {
        return WSAEINVAL;
    }
    memcpy(query->hint, &hint.sin6_addr, sizeof query->hint);
    query->has_hint = true;
    return 0;
}

// PNRP's criteria, by number.
static const enum pnr_criteria criteria_of[] = {
    [PNRP_RESOLVE_CRITERIA_DEFAULT] = PNR_CRITERIA_NON_CURRENT,
    [PNRP_RESOLVE_CRITERIA_REMOTE_PEER_NAME] = PNR_CRITERIA_REMOTE,
    [PNRP_RESOLVE_CRITERIA_NEAREST_REMOTE_PEER_NAME] = PNR_CRITERIA_NEAREST_REMOTE,
    [PNRP_RESOLVE_CRITERIA_NON_CURRENT_PROCESS_PEER_NAME] = PNR_CRITERIA_NON_CURRENT,
    [PNRP_RESOLVE_CRITERIA_NEAREST_NON_CURRENT_PROCESS_PEER_NAME] =
        PNR_CRITERIA_NEAREST_NON_CURRENT,
    [PNRP_RESOLVE_CRITERIA_ANY_PEER_NAME] = PNR_CRITERIA_ANY,
    [PNRP_RESOLVE_CRITERIA_NEAREST_PEER_NAME] = PNR_CRITERIA_NEAREST,
};
#define CRITERIA_COUNT (sizeof criteria_of / sizeof criteria_of[0])

// A PNRPINFO of either version: they begin alike, and what the second has more is for publishers.
static int read_info(const BLOB *blob, struct nsp_query *query)
{
    const void *data;
    DWORD size;
    PNRPINFO_V1 info;
    int error = nsp_query_open_blob(blob, &data, &size);
    memset(&info, 0, sizeof info);
    if (error == 0 && data != NULL) {
        bool is_info = size == sizeof(PNRPINFO_V1) || size == sizeof(PNRPINFO_V2);
        error = is_info ? 0 : WSAEINVAL;
        memcpy(&info, data, is_info ? sizeof info : 0);
    }
    if (error != 0) {
        return error;
    }
    // As a number: an enum's sign is the compiler's choice.
    DWORD criteria = (DWORD)info.enResolveCriteria;
    if (criteria >= CRITERIA_COUNT || (info.dwFlags & ~PNRPINFO_FLAGS) != 0 ||
        info.dwTimeout > NSP_QUERY_TIMEOUT_S_MAX) {
        return WSAEINVAL;
    }
    query->criteria = criteria_of[criteria];
    query->timeout_s = info.dwTimeout == 0 ? NSP_QUERY_TIMEOUT_S_DEFAULT : info.dwTimeout;
    query->max_resolve = info.nMaxResolve == 0                      ? 1
                         : info.nMaxResolve > NSP_QUERY_RESULTS_MAX ? NSP_QUERY_RESULTS_MAX
                                                                    : info.nMaxResolve;
    return (info.dwFlags & PNRPINFO_HINT) != 0 ? read_hint(&info.saHint, query) : 0;
}

static int read_cloud_info(const BLOB *blob, struct nsp_query_filter *filter)
{
    const void *data;
    DWORD size;
    PNRPCLOUDINFO info;
    int error = nsp_query_open_blob(blob, &data, &size);
    if (error != 0 || data == NULL) {
        return error;
    }
    if (size != sizeof info) {
        return WSAEINVAL;
    }
    memcpy(&info, data, sizeof info);
    INT family = info.Cloud.AddressFamily;
    DWORD scope = (DWORD)info.Cloud.Scope;
    if (scope > PNRP_LINK_LOCAL_SCOPE ||
        (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)) {
        return WSAEINVAL;
    }
    filter->family = family;
    filter->scope = (PNRP_SCOPE)scope;
    filter->scope_id = info.Cloud.ScopeId;
    return 0;
}

// ---- the whole ----

// What may not be chosen by, of either kind of query.
static int check_restrictions(const WSAQUERYSETW *set, DWORD flags)
{
    if (set->dwSize < sizeof *set || set->lpVersion != NULL || set->dwNumberOfProtocols != 0) {
        return WSAEINVAL;
    }
    return (flags & LUP_CONTAINERS) != 0 ? WSANO_DATA : check_empty(set->lpszQueryString);
}

static int read_name_query(const WSAQUERYSETW *set, struct nsp_query *query, struct texts *texts)
{
    int error = nsp_name_take(set->lpszServiceInstanceName, texts->name, texts->name_utf8);
    if (error == 0) {
        error = nsp_name_take_cloud(set->lpszContext, texts->cloud, texts->cloud_utf8);
    }
    return error != 0 ? error : read_info(set->lpBlob, query);
}

static int read_cloud_query(const WSAQUERYSETW *set, struct nsp_query *query)
{
    int error = check_empty(set->lpszServiceInstanceName);
    if (error == 0) {
        error = check_empty(set->lpszContext);
    }
    return error != 0 ? error : read_cloud_info(set->lpBlob, &query->filter);
}

static size_t units_of(const WCHAR *text)
{
    size_t units = 0;
    while (text[units] != 0) {
        units++;
    }
    return units;
}

// Moves the texts into one block: units first, for their alignment.
static int keep(const struct texts *texts, const struct nsp_memory *memory, struct nsp_query *query)
{
    size_t name_size = (units_of(texts->name) + 1) * sizeof(WCHAR);
    size_t cloud_size = (units_of(texts->cloud) + 1) * sizeof(WCHAR);
    size_t name_utf8_size = strlen(texts->name_utf8) + 1;
    size_t cloud_utf8_size = strlen(texts->cloud_utf8) + 1;
    char *at = nsp_memory_take(memory, name_size + cloud_size + name_utf8_size + cloud_utf8_size);
    if (at == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    bool has_cloud = cloud_utf8_size > 1;
    query->block = at;
    query->name = memcpy(at, texts->name, name_size);
    query->name_units = name_size / sizeof(WCHAR) - 1;
    at += name_size;
    if (has_cloud) {
        query->cloud = memcpy(at, texts->cloud, cloud_size);
        query->cloud_units = cloud_size / sizeof(WCHAR) - 1;
    }
    at += cloud_size;
    query->name_utf8 = memcpy(at, texts->name_utf8, name_utf8_size);
    at += name_utf8_size;
    if (has_cloud) {
        query->cloud_utf8 = memcpy(at, texts->cloud_utf8, cloud_utf8_size);
    }
    return 0;
}

int nsp_query_read(const WSAQUERYSETW *set, DWORD flags, const struct nsp_memory *memory,
                   struct nsp_query *ret_query)
{
    struct nsp_query query;
    struct texts texts;
    WSAQUERYSETW copy;
    memset(&query, 0, sizeof query);
    int error = nsp_query_class(set, &query.kind, &query.version);
    if (error != 0) {
        return error;
    }
    memcpy(&copy, set, sizeof copy);
    memset(&texts, 0, sizeof texts);
    query.flush_cache = (flags & LUP_FLUSHCACHE) != 0;
    query.mask = (flags & LUP_RETURN_ALL) != 0 ? flags & LUP_RETURN_ALL : LUP_RETURN_ALL;
    query.max_resolve = NSP_QUERY_RESULTS_MAX;
    query.timeout_s = NSP_QUERY_TIMEOUT_S_DEFAULT;
    error = nsp_query_check_provider(&copy, query.kind);
    if (error == 0) {
        error = check_restrictions(&copy, flags);
    }
    if (error == 0) {
        error = query.kind == NSP_QUERY_NAME ? read_name_query(&copy, &query, &texts)
                                             : read_cloud_query(&copy, &query);
    }
    if (error == 0 && query.kind == NSP_QUERY_NAME) {
        error = keep(&texts, memory, &query);
    }
    if (error == 0) {
        *ret_query = query;
    }
    return error;
}

void nsp_query_drop(struct nsp_query *query, const struct nsp_memory *memory)
{
    nsp_memory_give(memory, query->block);
    memset(query, 0, sizeof *query);
}

DWORD nsp_query_mask(const struct nsp_query *query, DWORD next_flags)
{
    DWORD next = next_flags & LUP_RETURN_ALL;
    return next == 0 ? query->mask : query->mask & next;
}

PNRP_SCOPE nsp_query_scope(enum pnr_scope scope)
{
    static const PNRP_SCOPE scopes[] = {
        [PNR_SCOPE_GLOBAL] = PNRP_GLOBAL_SCOPE,
        [PNR_SCOPE_SITE] = PNRP_SITE_LOCAL_SCOPE,
        [PNR_SCOPE_LINK] = PNRP_LINK_LOCAL_SCOPE,
    };
    return scopes[scope];
}

bool nsp_query_wants_cloud(const struct nsp_query *query, const struct pnr_cloud_info *cloud)
{
    const struct nsp_query_filter *filter = &query->filter;
    return (filter->scope == PNRP_SCOPE_ANY || filter->scope == nsp_query_scope(cloud->scope)) &&
           (filter->scope_id == 0 || filter->scope_id == cloud->scope_id) &&
           (filter->family != AF_INET || cloud->has_ipv4);
}
