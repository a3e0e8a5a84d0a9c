// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_QUERY_H
#define PNR_NSP_QUERY_H

// What a program asks for: the WSAQUERYSETW of Begin, with the PNRPINFO or PNRPCLOUDINFO in it,
// read into a plain structure. Nothing of the caller's is kept, he may free it as soon as Begin is
// back.
//
// The structure owns one block of memory, with the texts; nsp_query_drop() gives it back. It is not
// changed while a lookup lives, so threads may share it.
//
// Source of the rules: Microsoft's pages of NSPLookupServiceBegin and of PNRP's WSAQUERYSET,
// PNRPINFO and PNRPCLOUDINFO. What generic Winsock says of queries to ignore (lpszComment,
// dwNumberOfCsAddrs, lpcsaBuffer, dwOutputFlags), and what PNRP wants empty though nothing follows
// from it (identity, lifetime and state in a PNRPINFO, the state in a PNRPCLOUDINFO), is not looked
// at. What would narrow the result, and cannot be honoured, is refused.

#include "nsp/memory.h"
#include "pnr/client.h"
#include "pnr/clouds.h"
#include "pnr/winsock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NSP_QUERY_TIMEOUT_S_DEFAULT 30
#define NSP_QUERY_TIMEOUT_S_MAX     600
#define NSP_QUERY_RESULTS_MAX       1000000 // as many as the daemon lets one ask for

enum nsp_query_kind {
    NSP_QUERY_NAME,  // SVCID_PNRPNAME_V1, SVCID_PNRPNAME_V2
    NSP_QUERY_CLOUD, // SVCID_PNRPCLOUD
};

// Which clouds are wanted.
struct nsp_query_filter {
    INT family; // AF_INET: those with IPv4; any other: all
    PNRP_SCOPE scope;
    ULONG scope_id; // 0: any
};

struct nsp_query {
    enum nsp_query_kind kind;
    unsigned version;       // of the service class: 1 or 2; of clouds 1
    DWORD mask;             // LUP_RETURN_*: what is wanted of each result, never 0
    bool flush_cache;       // LUP_FLUSHCACHE: ask the network, whatever the daemon has
    const WCHAR *name;      // of the peer; NULL of clouds; as it was given, not made canonical
    const char *name_utf8;  // the same
    size_t name_units;      // of name, without its NUL
    const WCHAR *cloud;     // where to look; NULL: wherever the daemon does
    const char *cloud_utf8; // the same
    size_t cloud_units;     // of cloud, without its NUL
    uint32_t max_resolve;   // nMaxResolve: results at most, 1 to NSP_QUERY_RESULTS_MAX
    uint32_t timeout_s;     // of the search: 1 to NSP_QUERY_TIMEOUT_S_MAX
    enum pnr_criteria criteria;
    bool has_hint;
    uint8_t hint[16];               // an IPv6 address; with has_hint
    struct nsp_query_filter filter; // of clouds
    void *block;                    // where the texts are
};

// Which of our classes a query set is about, told with no system call, since with NS_ALL every host
// lookup of every program comes here. Returns 0; WSAEINVAL: no set, or no class in it; WSAEFAULT:
// one of them cannot be read; WSASERVICE_NOT_FOUND: the class is not ours.
int nsp_query_class(const WSAQUERYSETW *set, enum nsp_query_kind *ret_kind, unsigned *ret_version);

// Whether a query set, of which a copy is passed, is for the provider of such names or clouds. A
// provider that is named decides alone: Winsock does not look at the namespace then. 0,
// WSASERVICE_NOT_FOUND or WSAEFAULT.
int nsp_query_check_provider(const WSAQUERYSETW *set, enum nsp_query_kind kind);

// What a blob holds: where, all of it being readable, and the dwSize that it begins with; NULL and
// 0 where there is no blob. WSAEINVAL: not as much as it says; WSAEFAULT.
int nsp_query_open_blob(const BLOB *blob, const void **ret_data, DWORD *ret_size);

// Reads a query set and the flags of Begin. Returns 0, or, nothing being kept:
//
// WSASERVICE_NOT_FOUND  the class is not ours; or a provider is named that is not the class's; or
//                       none is, and the namespace is neither the class's nor NS_ALL
// WSANO_DATA            LUP_CONTAINERS: names are in no containers
// WSAEFAULT             something that is pointed to cannot be read
// WSA_PNRP_CLOUD_NOT_FOUND   no cloud can be called so: too long, or no UTF-16
// WSA_NOT_ENOUGH_MEMORY
// WSAEINVAL             no set, too small a dwSize, no class;
//                       no name, a name that is none (nsp/name.h); of clouds any name or context;
//                       a version, protocols or a query string: PNRP has none to choose by;
//                       a blob that holds no PNRPINFO of either version, of clouds no
//                       PNRPCLOUDINFO; more than 600 seconds of dwTimeout: PNRP's most, and also
//                       the daemon's; to wait for less than was asked for would be a lie; unknown
//                       criteria, flags, scope or address family; PNRPINFO_HINT without a whole
//                       IPv6 address
int nsp_query_read(const WSAQUERYSETW *set, DWORD flags, const struct nsp_memory *memory,
                   struct nsp_query *ret_query);

// Gives back what it owns. A query of zeros, or one dropped before, is no error.
void nsp_query_drop(struct nsp_query *query, const struct nsp_memory *memory);

// What Next has to return of a result: of what Begin asked for, what the flags of Next name; all of
// it where they name nothing, as every known program has it.
DWORD nsp_query_mask(const struct nsp_query *query, DWORD next_flags);

// The scope of a cloud in PNRP's numbers.
PNRP_SCOPE nsp_query_scope(enum pnr_scope scope);

// Whether a cloud passes the filter.
bool nsp_query_wants_cloud(const struct nsp_query *query, const struct pnr_cloud_info *cloud);

#endif
