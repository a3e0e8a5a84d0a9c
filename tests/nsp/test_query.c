// SPDX-License-Identifier: MIT
#include "nsp/query.h"

#include "nsp/platform.h"
#include "tests/nsp/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define TEN(s)      s s s s s s s s s s

// A query set and all that it points to; rows of tables change one thing in it.
struct ask {
    WSAQUERYSETW set;
    GUID class;
    GUID provider;
    WCHAR name[256];
    WCHAR context[128];
    BLOB blob;
    union {
        DWORD size;
        PNRPINFO_V1 v1;
        PNRPINFO_V2 v2;
        PNRPCLOUDINFO cloud;
    } info;
    SOCKADDR_IN6 hint;
};

static void set_text(WCHAR *field, const WCHAR *text)
{
    size_t at = 0;
    do {
        field[at] = text[at];
    } while (text[at++] != 0);
}

// As the documentation has it: PNRP, the whole set, a PNRPINFO of the second version.
static void ask_for_name(struct ask *ask)
{
    memset(ask, 0, sizeof *ask);
    ask->class = SVCID_PNRPNAME_V2;
    ask->provider = NS_PROVIDER_PNRPNAME;
    set_text(ask->name, u"0.chat");
    set_text(ask->context, u"Global_");
    ask->info.v2.dwSize = sizeof ask->info.v2;
    ask->blob = (BLOB){sizeof ask->info.v2, (BYTE *)&ask->info};
    ask->hint.sin6_family = AF_INET6;
    ask->hint.sin6_addr.s6_addr[0] = 0x20;
    ask->hint.sin6_addr.s6_addr[15] = 7;
    ask->info.v2.saHint.lpSockaddr = (LPSOCKADDR)&ask->hint;
    ask->info.v2.saHint.iSockaddrLength = sizeof ask->hint;
    ask->set.dwSize = sizeof ask->set;
    ask->set.lpszServiceInstanceName = ask->name;
    ask->set.lpServiceClassId = &ask->class;
    ask->set.dwNameSpace = NS_PNRPNAME;
    ask->set.lpszContext = ask->context;
    ask->set.lpBlob = &ask->blob;
}

static void ask_for_clouds(struct ask *ask)
{
    memset(ask, 0, sizeof *ask);
    ask->class = SVCID_PNRPCLOUD;
    ask->provider = NS_PROVIDER_PNRPCLOUD;
    ask->info.cloud.dwSize = sizeof ask->info.cloud;
    ask->blob = (BLOB){sizeof ask->info.cloud, (BYTE *)&ask->info};
    ask->set.dwSize = sizeof ask->set;
    ask->set.lpServiceClassId = &ask->class;
    ask->set.dwNameSpace = NS_PNRPCLOUD;
    ask->set.lpBlob = &ask->blob;
}

// ---- what is taken and what is refused ----

struct row {
    const char *name;
    void (*edit)(struct ask *ask);
    DWORD flags;
    int error;
};

static void nothing(struct ask *ask)
{
    (void)ask;
}

static void no_class(struct ask *ask)
{
    ask->set.lpServiceClassId = NULL;
}

static void foreign_class(struct ask *ask)
{
    ask->class.Data1 ^= 0x100;
}

static void almost_our_class(struct ask *ask)
{
    ask->class.Data4[7] ^= 0x80;
}

static void class_v1(struct ask *ask)
{
    ask->class = SVCID_PNRPNAME_V1;
}

static void cloud_class(struct ask *ask)
{
    ask->class = SVCID_PNRPCLOUD;
}

static void name_class(struct ask *ask)
{
    ask->class = SVCID_PNRPNAME_V2;
}

static void set_too_small(struct ask *ask)
{
    ask->set.dwSize = sizeof ask->set - 1;
}

static void set_of_zero(struct ask *ask)
{
    ask->set.dwSize = 0;
}

static void set_of_the_future(struct ask *ask)
{
    ask->set.dwSize = sizeof ask->set + 8;
}

static void all_namespaces(struct ask *ask)
{
    ask->set.dwNameSpace = NS_ALL;
}

static void dns(struct ask *ask)
{
    ask->set.dwNameSpace = NS_DNS;
}

static void names(struct ask *ask)
{
    ask->set.dwNameSpace = NS_PNRPNAME;
}

static void clouds(struct ask *ask)
{
    ask->set.dwNameSpace = NS_PNRPCLOUD;
}

static void own_provider(struct ask *ask)
{
    ask->set.lpNSProviderId = &ask->provider;
}

static void own_provider_and_dns(struct ask *ask)
{
    ask->set.lpNSProviderId = &ask->provider;
    ask->set.dwNameSpace = NS_DNS;
}

static void foreign_provider(struct ask *ask)
{
    ask->provider.Data3++;
    ask->set.lpNSProviderId = &ask->provider;
}

static void provider_of_clouds(struct ask *ask)
{
    ask->provider = NS_PROVIDER_PNRPCLOUD;
    ask->set.lpNSProviderId = &ask->provider;
}

static void provider_of_names(struct ask *ask)
{
    ask->provider = NS_PROVIDER_PNRPNAME;
    ask->set.lpNSProviderId = &ask->provider;
}

static void no_name(struct ask *ask)
{
    ask->set.lpszServiceInstanceName = NULL;
}

static void empty_name(struct ask *ask)
{
    ask->name[0] = 0;
    ask->set.lpszServiceInstanceName = ask->name;
}

static void a_name(struct ask *ask)
{
    set_text(ask->name, u"0.chat");
    ask->set.lpszServiceInstanceName = ask->name;
}

static void name_without_dot(struct ask *ask)
{
    set_text(ask->name, u"Chat");
}

static void half_a_pair(struct ask *ask)
{
    set_text(ask->name, u"0.\xd83d");
}

static void classifier_of_149(struct ask *ask)
{
    set_text(ask->name, u"0." TEN(TEN(u"a")) TEN(u"abcd") u"123456789");
}

static void classifier_of_150(struct ask *ask)
{
    set_text(ask->name, u"0." TEN(TEN(u"a")) TEN(u"abcd") u"1234567890");
}

static void name_of_205(struct ask *ask)
{
    set_text(ask->name, u"pk:47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy." TEN(TEN(u"a"))
                            TEN(u"abcd") u"123456789");
}

static void name_of_250(struct ask *ask)
{
    set_text(ask->name, TEN(TEN(u"ab")) TEN(u"abcde"));
}

static void no_context(struct ask *ask)
{
    ask->set.lpszContext = NULL;
}

static void empty_context(struct ask *ask)
{
    ask->context[0] = 0;
    ask->set.lpszContext = ask->context;
}

static void a_context(struct ask *ask)
{
    set_text(ask->context, u"Global_");
    ask->set.lpszContext = ask->context;
}

static void context_of_63(struct ask *ask)
{
    set_text(ask->context, TEN(u"abcdef") u"abc");
}

static void context_of_64(struct ask *ask)
{
    set_text(ask->context, TEN(u"abcdef") u"abcd");
}

static void context_of_63_wide_units(struct ask *ask)
{
    set_text(ask->context, TEN(u"\x20ac\x20ac\x20ac\x20ac\x20ac\x20ac") u"\x20ac\x20ac\x20ac");
}

static void context_with_half_a_pair(struct ask *ask)
{
    set_text(ask->context, u"a\xdc00");
}

static void a_version(struct ask *ask)
{
    static WSAVERSION version;
    ask->set.lpVersion = &version;
}

static void protocols(struct ask *ask)
{
    static AFPROTOCOLS one;
    ask->set.lpafpProtocols = &one;
    ask->set.dwNumberOfProtocols = 1;
}

static void a_query_string(struct ask *ask)
{
    static WCHAR text[] = u"x";
    ask->set.lpszQueryString = text;
}

static void empty_query_string(struct ask *ask)
{
    static WCHAR text[] = u"";
    ask->set.lpszQueryString = text;
}

static void what_queries_ignore(struct ask *ask)
{
    ask->set.lpszComment = (LPWSTR)&ask->class;
    ask->set.dwNumberOfCsAddrs = 3;
    ask->set.lpcsaBuffer = NULL;
    ask->set.dwOutputFlags = 0xffff;
    ask->info.v2.lpwszIdentity = (LPWSTR)&ask->class;
    ask->info.v2.dwLifetime = 86400;
    ask->info.v2.enNameState = PNRP_REGISTERED_ID_STATE_PROBLEM;
    ask->info.v2.enExtendedPayloadType = PNRP_EXTENDED_PAYLOAD_TYPE_BINARY;
    ask->info.v2.blobPayload.cbSize = 5;
}

static void no_blob(struct ask *ask)
{
    ask->set.lpBlob = NULL;
}

static void blob_of_nothing(struct ask *ask)
{
    ask->blob = (BLOB){0, NULL};
}

static void blob_without_data(struct ask *ask)
{
    ask->blob.pBlobData = NULL;
}

static void blob_of_3(struct ask *ask)
{
    ask->blob.cbSize = 3;
}

static void blob_too_small(struct ask *ask)
{
    ask->blob.cbSize--;
}

static void blob_of_more(struct ask *ask)
{
    ask->blob.cbSize = sizeof ask->info;
}

static void info_v1(struct ask *ask)
{
    ask->info.size = sizeof(PNRPINFO_V1);
    ask->blob.cbSize = sizeof(PNRPINFO_V1);
}

static void info_in_between(struct ask *ask)
{
    ask->info.size = sizeof(PNRPINFO_V1) + 4;
}

static void info_of_zero(struct ask *ask)
{
    ask->info.size = 0;
}

static void info_too_large(struct ask *ask)
{
    ask->info.size++;
    ask->blob.cbSize++;
}

static void timeout_600(struct ask *ask)
{
    ask->info.v2.dwTimeout = 600;
}

static void timeout_601(struct ask *ask)
{
    ask->info.v2.dwTimeout = 601;
}

static void timeout_most(struct ask *ask)
{
    ask->info.v2.dwTimeout = 0xffffffff;
}

static void criteria_7(struct ask *ask)
{
    ask->info.v2.enResolveCriteria = (PNRP_RESOLVE_CRITERIA)7;
}

static void criteria_negative(struct ask *ask)
{
    ask->info.v2.enResolveCriteria = (PNRP_RESOLVE_CRITERIA)-1;
}

static void unknown_flag(struct ask *ask)
{
    ask->info.v2.dwFlags = PNRPINFO_HINT | 2;
}

static void hint(struct ask *ask)
{
    ask->info.v2.dwFlags = PNRPINFO_HINT;
}

static void hint_missing(struct ask *ask)
{
    hint(ask);
    ask->info.v2.saHint.lpSockaddr = NULL;
}

static void hint_too_short(struct ask *ask)
{
    hint(ask);
    ask->info.v2.saHint.iSockaddrLength--;
}

static void hint_negative(struct ask *ask)
{
    hint(ask);
    ask->info.v2.saHint.iSockaddrLength = -1;
}

static void hint_of_ipv4(struct ask *ask)
{
    hint(ask);
    ask->hint.sin6_family = AF_INET;
}

static void hint_of_storage(struct ask *ask)
{
    hint(ask);
    ask->info.v2.saHint.iSockaddrLength = 128;
}

static const struct row name_rows[] = {
    {"as documented", nothing, LUP_RETURN_NAME | LUP_RETURN_ADDR, 0},
    {"first version of the class", class_v1, 0, 0},
    {"no class", no_class, 0, WSAEINVAL},
    {"a foreign class", foreign_class, 0, WSASERVICE_NOT_FOUND},
    {"a class that differs in its last byte", almost_our_class, 0, WSASERVICE_NOT_FOUND},
    {"the class of clouds", cloud_class, 0, WSASERVICE_NOT_FOUND},
    {"set one byte too small", set_too_small, 0, WSAEINVAL},
    {"set of size 0", set_of_zero, 0, WSAEINVAL},
    {"set of a later version", set_of_the_future, 0, 0},
    {"all namespaces", all_namespaces, 0, 0},
    {"namespace of DNS", dns, 0, WSASERVICE_NOT_FOUND},
    {"namespace of clouds", clouds, 0, WSASERVICE_NOT_FOUND},
    {"our provider", own_provider, 0, 0},
    {"our provider, and a namespace that does not count then", own_provider_and_dns, 0, 0},
    {"a foreign provider", foreign_provider, 0, WSASERVICE_NOT_FOUND},
    {"the provider of clouds", provider_of_clouds, 0, WSASERVICE_NOT_FOUND},
    {"no name", no_name, 0, WSAEINVAL},
    {"empty name", empty_name, 0, WSAEINVAL},
    {"a name without authority", name_without_dot, 0, WSAEINVAL},
    {"a name that is no text", half_a_pair, 0, WSAEINVAL},
    {"classifier of 149 units", classifier_of_149, 0, 0},
    {"classifier of 150 units", classifier_of_150, 0, WSAEINVAL},
    {"the longest name, 205 units", name_of_205, 0, 0},
    {"a name of 250 units", name_of_250, 0, WSAEINVAL},
    {"no context", no_context, 0, 0},
    {"empty context", empty_context, 0, 0},
    {"context of 63 units", context_of_63, 0, 0},
    {"context of 64 units", context_of_64, 0, WSA_PNRP_CLOUD_NOT_FOUND},
    {"context of 189 bytes", context_of_63_wide_units, 0, WSA_PNRP_CLOUD_NOT_FOUND},
    {"context that is no text", context_with_half_a_pair, 0, WSA_PNRP_CLOUD_NOT_FOUND},
    {"a version", a_version, 0, WSAEINVAL},
    {"protocols", protocols, 0, WSAEINVAL},
    {"a query string", a_query_string, 0, WSAEINVAL},
    {"an empty query string", empty_query_string, 0, 0},
    {"what queries ignore", what_queries_ignore, 0, 0},
    {"containers", nothing, LUP_CONTAINERS, WSANO_DATA},
    {"containers, of a foreign class", foreign_class, LUP_CONTAINERS, WSASERVICE_NOT_FOUND},
    {"no containers", nothing, LUP_NOCONTAINERS, 0},
    {"all other flags", nothing, ~(DWORD)LUP_CONTAINERS, 0},
    {"no blob", no_blob, 0, 0},
    {"a blob of nothing", blob_of_nothing, 0, WSAEINVAL},
    {"a blob without data", blob_without_data, 0, WSAEINVAL},
    {"a blob of 3 bytes", blob_of_3, 0, WSAEINVAL},
    {"a blob one byte too small", blob_too_small, 0, WSAEINVAL},
    {"a blob with something behind", blob_of_more, 0, 0},
    {"info of the first version", info_v1, 0, 0},
    {"info of neither version", info_in_between, 0, WSAEINVAL},
    {"info of size 0", info_of_zero, 0, WSAEINVAL},
    {"info one byte too large", info_too_large, 0, WSAEINVAL},
    {"600 seconds", timeout_600, 0, 0},
    {"601 seconds", timeout_601, 0, WSAEINVAL},
    {"136 years", timeout_most, 0, WSAEINVAL},
    {"criteria 7", criteria_7, 0, WSAEINVAL},
    {"criteria -1", criteria_negative, 0, WSAEINVAL},
    {"an unknown flag of the info", unknown_flag, 0, WSAEINVAL},
    {"a hint", hint, 0, 0},
    {"a hint that is missing", hint_missing, 0, WSAEINVAL},
    {"a hint one byte too short", hint_too_short, 0, WSAEINVAL},
    {"a hint of negative length", hint_negative, 0, WSAEINVAL},
    {"a hint of IPv4", hint_of_ipv4, 0, WSAEINVAL},
    {"a hint in a SOCKADDR_STORAGE", hint_of_storage, 0, 0},
};

static void check_rows(const struct row *rows, size_t count, void (*begin)(struct ask *))
{
    for (size_t i = 0; i < count; i++) {
        struct failing_memory memory;
        struct nsp_query query;
        struct ask ask;
        failing_memory_init(&memory, 0);
        begin(&ask);
        rows[i].edit(&ask);
        memset(&query, 0x5a, sizeof query);
        int error = nsp_query_read(&ask.set, rows[i].flags, &memory.memory, &query);
        if (error != rows[i].error) {
            fail_msg("%s: %d", rows[i].name, error);
        }
        if (error == 0) {
            nsp_query_drop(&query, &memory.memory);
        } else if (*(const unsigned char *)&query != 0x5a) {
            fail_msg("%s: something was written", rows[i].name);
        }
        assert_int_equal(failing_memory_live(&memory), 0);
    }
}

static void test_names(void **state)
{
    (void)state;
    check_rows(name_rows, COUNT(name_rows), ask_for_name);
}

static void scope_3(struct ask *ask)
{
    ask->info.cloud.Cloud.Scope = PNRP_LINK_LOCAL_SCOPE;
}

static void scope_4(struct ask *ask)
{
    ask->info.cloud.Cloud.Scope = (PNRP_SCOPE)4;
}

static void scope_negative(struct ask *ask)
{
    ask->info.cloud.Cloud.Scope = (PNRP_SCOPE)-1;
}

static void family_ipv6(struct ask *ask)
{
    ask->info.cloud.Cloud.AddressFamily = AF_INET6;
}

static void family_ipv4(struct ask *ask)
{
    ask->info.cloud.Cloud.AddressFamily = AF_INET;
}

static void family_unknown(struct ask *ask)
{
    ask->info.cloud.Cloud.AddressFamily = 99;
}

static void state_dead(struct ask *ask)
{
    ask->info.cloud.enCloudState = PNRP_CLOUD_STATE_DEAD;
    ask->info.cloud.enCloudFlags = (PNRP_CLOUD_FLAGS)0x7f;
}

static const struct row cloud_rows[] = {
    {"as documented", nothing, LUP_RETURN_NAME | LUP_RETURN_BLOB, 0},
    {"no class", no_class, 0, WSAEINVAL},
    {"a foreign class", foreign_class, 0, WSASERVICE_NOT_FOUND},
    {"the class of names", name_class, 0, WSASERVICE_NOT_FOUND},
    {"set one byte too small", set_too_small, 0, WSAEINVAL},
    {"all namespaces", all_namespaces, 0, 0},
    {"namespace of names", names, 0, WSASERVICE_NOT_FOUND},
    {"our provider", own_provider, 0, 0},
    {"the provider of names", provider_of_names, 0, WSASERVICE_NOT_FOUND},
    {"empty name", empty_name, 0, 0},
    {"a name", a_name, 0, WSAEINVAL},
    {"empty context", empty_context, 0, 0},
    {"a context", a_context, 0, WSAEINVAL},
    {"a version", a_version, 0, WSAEINVAL},
    {"containers", nothing, LUP_CONTAINERS, WSANO_DATA},
    {"no blob", no_blob, 0, 0},
    {"a blob without data", blob_without_data, 0, WSAEINVAL},
    {"a blob one byte too small", blob_too_small, 0, WSAEINVAL},
    {"a blob with something behind", blob_of_more, 0, 0},
    {"info of size 0", info_of_zero, 0, WSAEINVAL},
    {"info one byte too large", info_too_large, 0, WSAEINVAL},
    {"info of a name", info_v1, 0, WSAEINVAL},
    {"scope 3", scope_3, 0, 0},
    {"scope 4", scope_4, 0, WSAEINVAL},
    {"scope -1", scope_negative, 0, WSAEINVAL},
    {"IPv6", family_ipv6, 0, 0},
    {"IPv4", family_ipv4, 0, 0},
    {"an unknown family", family_unknown, 0, WSAEINVAL},
    {"what is to be 0, is not, and does not count", state_dead, 0, 0},
};

static void test_clouds(void **state)
{
    (void)state;
    check_rows(cloud_rows, COUNT(cloud_rows), ask_for_clouds);
}

static void test_no_set(void **state)
{
    (void)state;
    struct nsp_query query;
    assert_int_equal(nsp_query_read(NULL, 0, &nsp_memory_default, &query), WSAEINVAL);
}

// In memory of its own, so that reading on is found out.
static void test_short_blob(void **state)
{
    (void)state;
    struct nsp_query query;
    struct ask ask;
    ask_for_name(&ask);
    ask.blob = (BLOB){3, calloc(1, 3)};
    assert_int_equal(nsp_query_read(&ask.set, 0, &nsp_memory_default, &query), WSAEINVAL);
    free(ask.blob.pBlobData);
}

// ---- what cannot be read ----

#define NOWHERE ((void *)(uintptr_t)16)

static void class_nowhere(struct ask *ask)
{
    ask->set.lpServiceClassId = NOWHERE;
}

static void provider_nowhere(struct ask *ask)
{
    ask->set.lpNSProviderId = NOWHERE;
}

static void name_nowhere(struct ask *ask)
{
    ask->set.lpszServiceInstanceName = NOWHERE;
}

static void context_nowhere(struct ask *ask)
{
    ask->set.lpszContext = NOWHERE;
}

static void query_string_nowhere(struct ask *ask)
{
    ask->set.lpszQueryString = NOWHERE;
}

static void blob_nowhere(struct ask *ask)
{
    ask->set.lpBlob = NOWHERE;
}

static void info_nowhere(struct ask *ask)
{
    ask->blob.pBlobData = NOWHERE;
}

static void hint_nowhere(struct ask *ask)
{
    hint(ask);
    ask->info.v2.saHint.lpSockaddr = NOWHERE;
}

static const struct row nowhere_rows[] = {
    {"class", class_nowhere, 0, WSAEFAULT},
    {"provider", provider_nowhere, 0, WSAEFAULT},
    {"name", name_nowhere, 0, WSAEFAULT},
    {"context", context_nowhere, 0, WSAEFAULT},
    {"query string", query_string_nowhere, 0, WSAEFAULT},
    {"blob", blob_nowhere, 0, WSAEFAULT},
    {"info", info_nowhere, 0, WSAEFAULT},
    {"hint", hint_nowhere, 0, WSAEFAULT},
};

// Only Windows can tell; natively there is nothing to try.
static void test_nowhere(void **state)
{
    (void)state;
    struct nsp_query query;
    if (nsp_platform_readable(NOWHERE, 1)) {
        return;
    }
    assert_int_equal(nsp_query_read(NOWHERE, 0, &nsp_memory_default, &query), WSAEFAULT);
    check_rows(nowhere_rows, COUNT(nowhere_rows), ask_for_name);
}

// Of a foreign class nothing else is looked at: all of it may be rubbish.
static void test_foreign(void **state)
{
    (void)state;
    WSAQUERYSETW set;
    GUID class = SVCID_PNRPNAME_V1;
    struct nsp_query query;
    class.Data1 ^= 0x100;
    memset(&set, 0x11, sizeof set);
    set.lpServiceClassId = &class;
    assert_int_equal(nsp_query_read(&set, 0, NULL, &query), WSASERVICE_NOT_FOUND);
}

// ---- what is read ----

struct value_row {
    const char *name;
    DWORD criteria, results, timeout; // in
    enum pnr_criteria which;          // out
    uint32_t max_resolve, timeout_s;
};

static const struct value_row value_rows[] = {
    {"all defaults", 0, 0, 0, PNR_CRITERIA_NON_CURRENT, 1, 30},
    {"remote", 1, 1, 1, PNR_CRITERIA_REMOTE, 1, 1},
    {"nearest remote", 2, 2, 30, PNR_CRITERIA_NEAREST_REMOTE, 2, 30},
    {"not of this process", 3, 10, 599, PNR_CRITERIA_NON_CURRENT, 10, 599},
    {"nearest not of this process", 4, 1000000, 600, PNR_CRITERIA_NEAREST_NON_CURRENT, 1000000,
     600},
    {"any", 5, 1000001, 0, PNR_CRITERIA_ANY, 1000000, 30},
    {"nearest", 6, 0xffffffff, 0, PNR_CRITERIA_NEAREST, 1000000, 30},
};

// The first version of PNRPINFO and the second are read alike.
static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT(value_rows); i++) {
        const struct value_row *row = &value_rows[i / 2];
        struct nsp_query query;
        struct ask ask;
        ask_for_name(&ask);
        ask.info.v2.enResolveCriteria = (PNRP_RESOLVE_CRITERIA)row->criteria;
        ask.info.v2.nMaxResolve = row->results;
        ask.info.v2.dwTimeout = row->timeout;
        if (i % 2 == 1) {
            info_v1(&ask);
        }
        assert_int_equal(nsp_query_read(&ask.set, 0, &nsp_memory_default, &query), 0);
        if (query.criteria != row->which || query.max_resolve != row->max_resolve ||
            query.timeout_s != row->timeout_s || query.has_hint) {
            fail_msg("%s", row->name);
        }
        nsp_query_drop(&query, &nsp_memory_default);
    }
}

// What was read is ours: the caller scribbles over all of his at once.
static void test_copies(void **state)
{
    (void)state;
    struct nsp_query query;
    struct ask ask;
    ask_for_name(&ask);
    hint(&ask);
    set_text(ask.name, u"0.caf\x00e9");
    set_text(ask.context, u"l\x00e4n");
    SOCKADDR_IN6 wanted = ask.hint;
    assert_int_equal(nsp_query_read(&ask.set, LUP_FLUSHCACHE, &nsp_memory_default, &query), 0);
    memset(&ask, 0xa5, sizeof ask);
    assert_int_equal(query.kind, NSP_QUERY_NAME);
    assert_int_equal(query.version, 2);
    assert_int_equal(query.name_units, 6);
    assert_memory_equal(query.name, u"0.caf\x00e9", sizeof u"0.caf\x00e9");
    assert_string_equal(query.name_utf8, "0.caf\xc3\xa9");
    assert_int_equal(query.cloud_units, 3);
    assert_memory_equal(query.cloud, u"l\x00e4n", sizeof u"l\x00e4n");
    assert_string_equal(query.cloud_utf8, "l\xc3\xa4n");
    assert_true(query.has_hint);
    assert_memory_equal(query.hint, &wanted.sin6_addr, 16);
    assert_true(query.flush_cache);
    nsp_query_drop(&query, &nsp_memory_default);
    nsp_query_drop(&query, &nsp_memory_default);
}

static void test_defaults(void **state)
{
    (void)state;
    struct nsp_query query;
    struct ask ask;
    ask_for_name(&ask);
    no_blob(&ask);
    empty_context(&ask);
    class_v1(&ask);
    assert_int_equal(nsp_query_read(&ask.set, 0, &nsp_memory_default, &query), 0);
    assert_int_equal(query.version, 1);
    assert_null(query.cloud);
    assert_null(query.cloud_utf8);
    assert_int_equal(query.criteria, PNR_CRITERIA_NON_CURRENT);
    assert_int_equal(query.max_resolve, 1);
    assert_int_equal(query.timeout_s, 30);
    assert_false(query.has_hint);
    assert_false(query.flush_cache);
    nsp_query_drop(&query, &nsp_memory_default);
}

// A caller's structures may lie at any address.
static void test_unaligned(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        static char room[1 + 8 + sizeof(WSAQUERYSETW) + sizeof(GUID) + sizeof(BLOB) +
                         sizeof(PNRPINFO_V2) + sizeof(SOCKADDR_IN6) + 32];
        struct nsp_query query;
        struct ask ask;
        ask_for_name(&ask);
        hint(&ask);
        char *set = room + shift, *class = set + sizeof ask.set, *blob = class + sizeof(GUID);
        char *info = blob + sizeof(BLOB), *address = info + sizeof(PNRPINFO_V2);
        char *name = address + sizeof ask.hint;
        void *pointers[] = {class, blob, info, address, name};
        memcpy(class, &ask.class, sizeof ask.class);
        memcpy(address, &ask.hint, sizeof ask.hint);
        memcpy(&ask.info.v2.saHint.lpSockaddr, &pointers[3], sizeof(void *));
        memcpy(info, &ask.info, sizeof(PNRPINFO_V2));
        memcpy(&ask.blob.pBlobData, &pointers[2], sizeof(void *));
        memcpy(blob, &ask.blob, sizeof(BLOB));
        memcpy(name, ask.name, 7 * sizeof(WCHAR));
        memcpy(&ask.set.lpServiceClassId, &pointers[0], sizeof(void *));
        memcpy(&ask.set.lpBlob, &pointers[1], sizeof(void *));
        memcpy(&ask.set.lpszServiceInstanceName, &pointers[4], sizeof(void *));
        memcpy(set, &ask.set, sizeof ask.set);
        assert_int_equal(nsp_query_read((void *)set, 0, &nsp_memory_default, &query), 0);
        assert_string_equal(query.name_utf8, "0.chat");
        assert_int_equal(query.hint[15], 7);
        nsp_query_drop(&query, &nsp_memory_default);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct failing_memory memory;
    struct nsp_query query;
    struct ask ask;
    failing_memory_init(&memory, 1);
    ask_for_name(&ask);
    assert_int_equal(nsp_query_read(&ask.set, 0, &memory.memory, &query), WSA_NOT_ENOUGH_MEMORY);
    assert_int_equal(failing_memory_live(&memory), 0);
}

// ---- what Next returns of it ----

struct mask_row {
    const char *name;
    DWORD begin, next, mask;
};

static const struct mask_row mask_rows[] = {
    {"nothing said", 0, 0, LUP_RETURN_ALL},
    {"Begin alone", LUP_RETURN_NAME | LUP_RETURN_ADDR, 0, LUP_RETURN_NAME | LUP_RETURN_ADDR},
    {"Next alone", 0, LUP_RETURN_NAME, LUP_RETURN_NAME},
    {"all, and Next", LUP_RETURN_ALL, LUP_RETURN_BLOB, LUP_RETURN_BLOB},
    {"both", LUP_RETURN_NAME | LUP_RETURN_ADDR, LUP_RETURN_ADDR | LUP_RETURN_BLOB, LUP_RETURN_ADDR},
    {"nothing in common", LUP_RETURN_NAME, LUP_RETURN_ADDR, 0},
    {"Next has other flags", LUP_RETURN_NAME, LUP_FLUSHPREVIOUS, LUP_RETURN_NAME},
    {"Begin has other flags", LUP_FLUSHCACHE | LUP_DEEP, 0, LUP_RETURN_ALL},
    {"C's", 0xff0, 0, LUP_RETURN_ALL},
};

static void test_masks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mask_rows); i++) {
        struct nsp_query query;
        struct ask ask;
        ask_for_clouds(&ask);
        assert_int_equal(nsp_query_read(&ask.set, mask_rows[i].begin, &nsp_memory_default, &query),
                         0);
        if (nsp_query_mask(&query, mask_rows[i].next) != mask_rows[i].mask) {
            fail_msg("%s", mask_rows[i].name);
        }
        nsp_query_drop(&query, &nsp_memory_default);
    }
}

// ---- which clouds ----

#define GLOBAL_CLOUD                                                                               \
    {                                                                                              \
        .scope = PNR_SCOPE_GLOBAL, .has_ipv4 = true                                                \
    }
#define LINK_CLOUD                                                                                 \
    {                                                                                              \
        .scope = PNR_SCOPE_LINK, .scope_id = 3, .has_ipv6 = true                                   \
    }

struct filter_row {
    const char *name;
    PNRP_CLOUD_ID filter;
    struct pnr_cloud_info cloud;
    bool is_wanted;
};

static const struct filter_row filter_rows[] = {
    {"any", {0, PNRP_SCOPE_ANY, 0}, GLOBAL_CLOUD, true},
    {"any, a link", {0, PNRP_SCOPE_ANY, 0}, LINK_CLOUD, true},
    {"global", {0, PNRP_GLOBAL_SCOPE, 0}, GLOBAL_CLOUD, true},
    {"global, a link", {0, PNRP_GLOBAL_SCOPE, 0}, LINK_CLOUD, false},
    {"sites, global", {0, PNRP_SITE_LOCAL_SCOPE, 0}, GLOBAL_CLOUD, false},
    {"sites", {0, PNRP_SITE_LOCAL_SCOPE, 0}, {.scope = PNR_SCOPE_SITE}, true},
    {"links", {0, PNRP_LINK_LOCAL_SCOPE, 0}, LINK_CLOUD, true},
    {"this link", {0, PNRP_LINK_LOCAL_SCOPE, 3}, LINK_CLOUD, true},
    {"another link", {0, PNRP_LINK_LOCAL_SCOPE, 4}, LINK_CLOUD, false},
    {"this link, of any scope", {0, PNRP_SCOPE_ANY, 3}, GLOBAL_CLOUD, false},
    // PNRP's clouds are of IPv6, so programs say so and mean all of them.
    {"IPv6, one of IPv4", {AF_INET6, PNRP_SCOPE_ANY, 0}, GLOBAL_CLOUD, true},
    {"IPv4", {AF_INET, PNRP_SCOPE_ANY, 0}, GLOBAL_CLOUD, true},
    {"IPv4, one of IPv6", {AF_INET, PNRP_SCOPE_ANY, 0}, LINK_CLOUD, false},
};

static void test_filters(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(filter_rows); i++) {
        struct nsp_query query;
        struct ask ask;
        ask_for_clouds(&ask);
        ask.info.cloud.Cloud = filter_rows[i].filter;
        assert_int_equal(nsp_query_read(&ask.set, 0, &nsp_memory_default, &query), 0);
        assert_int_equal(query.kind, NSP_QUERY_CLOUD);
        if (nsp_query_wants_cloud(&query, &filter_rows[i].cloud) != filter_rows[i].is_wanted) {
            fail_msg("%s", filter_rows[i].name);
        }
        nsp_query_drop(&query, &nsp_memory_default);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),     cmocka_unit_test(test_clouds),
        cmocka_unit_test(test_no_set),    cmocka_unit_test(test_short_blob),
        cmocka_unit_test(test_nowhere),   cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_values),    cmocka_unit_test(test_copies),
        cmocka_unit_test(test_defaults),  cmocka_unit_test(test_unaligned),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_masks),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
