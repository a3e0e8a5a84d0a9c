// SPDX-License-Identifier: MIT
#include "nsp/query.h"

#include "nsp/platform.h"
#include "tests/nsp/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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

// Has it read: with an error, nothing is written and nothing is left.
static void check_read(const char *name, const struct ask *ask, DWORD flags, int wanted)
{
    struct failing_memory memory;
    struct nsp_query query;
    failing_memory_init(&memory, 0);
    memset(&query, 0x5a, sizeof query);
    int error = nsp_query_read(&ask->set, flags, &memory.memory, &query);
    if (error != wanted) {
        fail_msg("%s: %d", name, error);
    }
    if (error == 0) {
        nsp_query_drop(&query, &memory.memory);
    } else if (*(const unsigned char *)&query != 0x5a) {
        fail_msg("%s: something was written", name);
    }
    assert_int_equal(failing_memory_live(&memory), 0);
}

// A field of 32 bits is another number.
struct number_row {
    const char *name;
    size_t at; // NUMBER(field)
    DWORD value;
    int error;
};

// The place of a field of struct ask. Does not compile for one of another size.
#define PLACE(field, type)                                                                         \
    (offsetof(struct ask, field) +                                                                 \
     0 * sizeof(char[sizeof(((struct ask *)NULL)->field) == sizeof(type) ? 1 : -1]))
#define NUMBER(field)  PLACE(field, DWORD)
#define POINTER(field) PLACE(field, void *)

static void check_numbers(const struct number_row *rows, size_t count, void (*begin)(struct ask *))
{
    for (size_t i = 0; i < count; i++) {
        struct ask ask;
        begin(&ask);
        memcpy((char *)&ask + rows[i].at, &rows[i].value, sizeof rows[i].value);
        check_read(rows[i].name, &ask, 0, rows[i].error);
    }
}

// The name or the context is another text.
struct text_row {
    const char *name;
    bool is_context;
    const WCHAR *text;
    int error;
};

static void check_texts(const struct text_row *rows, size_t count, void (*begin)(struct ask *))
{
    for (size_t i = 0; i < count; i++) {
        struct ask ask;
        begin(&ask);
        if (rows[i].is_context) {
            set_text(ask.context, rows[i].text);
            ask.set.lpszContext = ask.context;
        } else {
            set_text(ask.name, rows[i].text);
            ask.set.lpszServiceInstanceName = ask.name;
        }
        check_read(rows[i].name, &ask, 0, rows[i].error);
    }
}

// Whatever else is changed.
struct row {
    const char *name;
    void (*edit)(struct ask *ask);
    DWORD flags;
    int error;
};

static void check_rows(const struct row *rows, size_t count, void (*begin)(struct ask *))
{
    for (size_t i = 0; i < count; i++) {
        struct ask ask;
        begin(&ask);
        rows[i].edit(&ask);
        check_read(rows[i].name, &ask, rows[i].flags, rows[i].error);
    }
}

// ---- of names ----

static void nothing(struct ask *ask)
{
    (void)ask;
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

static void blob_of_nothing(struct ask *ask)
{
    ask->blob = (BLOB){0, NULL};
}

static void info_v1(struct ask *ask)
{
    ask->info.size = sizeof(PNRPINFO_V1);
    ask->blob.cbSize = sizeof(PNRPINFO_V1);
}

static void info_too_large(struct ask *ask)
{
    ask->info.size++;
    ask->blob.cbSize++;
}

static void hint(struct ask *ask)
{
    ask->info.v2.dwFlags = PNRPINFO_HINT;
}

static void hint_of_ipv4(struct ask *ask)
{
    hint(ask);
    ask->hint.sin6_family = AF_INET;
}

static void ask_with_hint(struct ask *ask)
{
    ask_for_name(ask);
    hint(ask);
}

static const struct row name_rows[] = {
    {"as documented", nothing, LUP_RETURN_NAME | LUP_RETURN_ADDR, 0},
    {"first version of the class", class_v1, 0, 0},
    {"a foreign class", foreign_class, 0, WSASERVICE_NOT_FOUND},
    {"a class that differs in its last byte", almost_our_class, 0, WSASERVICE_NOT_FOUND},
    {"the class of clouds", cloud_class, 0, WSASERVICE_NOT_FOUND},
    {"our provider", own_provider, 0, 0},
    {"our provider, and a namespace that does not count then", own_provider_and_dns, 0, 0},
    {"a foreign provider", foreign_provider, 0, WSASERVICE_NOT_FOUND},
    {"the provider of clouds", provider_of_clouds, 0, WSASERVICE_NOT_FOUND},
    {"a version", a_version, 0, WSAEINVAL},
    {"protocols", protocols, 0, WSAEINVAL},
    {"a query string", a_query_string, 0, WSAEINVAL},
    {"an empty query string", empty_query_string, 0, 0},
    {"what queries ignore", what_queries_ignore, 0, 0},
    {"containers", nothing, LUP_CONTAINERS, WSANO_DATA},
    {"containers, of a foreign class", foreign_class, LUP_CONTAINERS, WSASERVICE_NOT_FOUND},
    {"no containers", nothing, LUP_NOCONTAINERS, 0},
    {"all other flags", nothing, ~(DWORD)LUP_CONTAINERS, 0},
    {"a blob of nothing", blob_of_nothing, 0, WSAEINVAL},
    {"info of the first version", info_v1, 0, 0},
    {"info one byte too large", info_too_large, 0, WSAEINVAL},
    {"a hint", hint, 0, 0},
    {"a hint of IPv4", hint_of_ipv4, 0, WSAEINVAL},
};

static const struct number_row name_number_rows[] = {
    {"set one byte too small", NUMBER(set.dwSize), sizeof(WSAQUERYSETW) - 1, WSAEINVAL},
    {"set of size 0", NUMBER(set.dwSize), 0, WSAEINVAL},
    {"set of a later version", NUMBER(set.dwSize), sizeof(WSAQUERYSETW) + 8, 0},
    {"all namespaces", NUMBER(set.dwNameSpace), NS_ALL, 0},
    {"namespace of DNS", NUMBER(set.dwNameSpace), NS_DNS, WSASERVICE_NOT_FOUND},
    {"namespace of clouds", NUMBER(set.dwNameSpace), NS_PNRPCLOUD, WSASERVICE_NOT_FOUND},
    {"a blob of 3 bytes", NUMBER(blob.cbSize), 3, WSAEINVAL},
    {"a blob one byte too small", NUMBER(blob.cbSize), sizeof(PNRPINFO_V2) - 1, WSAEINVAL},
    {"a blob with something behind", NUMBER(blob.cbSize), sizeof(PNRPINFO_V2) + 1, 0},
    {"info of neither version", NUMBER(info.size), sizeof(PNRPINFO_V1) + 4, WSAEINVAL},
    {"info of size 0", NUMBER(info.size), 0, WSAEINVAL},
    {"600 seconds", NUMBER(info.v2.dwTimeout), 600, 0},
    {"601 seconds", NUMBER(info.v2.dwTimeout), 601, WSAEINVAL},
    {"136 years", NUMBER(info.v2.dwTimeout), 0xffffffff, WSAEINVAL},
    {"criteria 7", NUMBER(info.v2.enResolveCriteria), 7, WSAEINVAL},
    {"criteria -1", NUMBER(info.v2.enResolveCriteria), (DWORD)-1, WSAEINVAL},
    {"an unknown flag of the info", NUMBER(info.v2.dwFlags), PNRPINFO_HINT | 2, WSAEINVAL},
};

static const struct number_row hint_number_rows[] = {
    {"a hint one byte too short", NUMBER(info.v2.saHint.iSockaddrLength), sizeof(SOCKADDR_IN6) - 1,
     WSAEINVAL},
    {"a hint of negative length", NUMBER(info.v2.saHint.iSockaddrLength), (DWORD)-1, WSAEINVAL},
    {"a hint in a SOCKADDR_STORAGE", NUMBER(info.v2.saHint.iSockaddrLength), 128, 0},
};

static const struct text_row name_text_rows[] = {
    {"empty name", false, u"", WSAEINVAL},
    {"a name without authority", false, u"Chat", WSAEINVAL},
    {"a name that is no text", false, u"0.\xd83d", WSAEINVAL},
    {"classifier of 149 units", false, u"0." TEN(TEN(u"a")) TEN(u"abcd") u"123456789", 0},
    {"classifier of 150 units", false, u"0." TEN(TEN(u"a")) TEN(u"abcd") u"1234567890", WSAEINVAL},
    {"the longest name, 205 units", false,
     u"pk:47pjoycnsrfmxikm95jh13y88e8qnhzu5kungjpxyepgt7a8krpy." TEN(TEN(u"a"))
         TEN(u"abcd") u"123456789",
     0},
    {"a name of 250 units", false, TEN(TEN(u"ab")) TEN(u"abcde"), WSAEINVAL},
    {"empty context", true, u"", 0},
    {"context of 63 units", true, TEN(u"abcdef") u"abc", 0},
    {"context of 64 units", true, TEN(u"abcdef") u"abcd", WSA_PNRP_CLOUD_NOT_FOUND},
    {"context of 189 bytes", true,
     TEN(u"\x20ac\x20ac\x20ac\x20ac\x20ac\x20ac") u"\x20ac\x20ac\x20ac", WSA_PNRP_CLOUD_NOT_FOUND},
    {"context that is no text", true, u"a\xdc00", WSA_PNRP_CLOUD_NOT_FOUND},
};

static void test_names(void **state)
{
    (void)state;
    check_rows(name_rows, COUNT(name_rows), ask_for_name);
    check_numbers(name_number_rows, COUNT(name_number_rows), ask_for_name);
    check_numbers(hint_number_rows, COUNT(hint_number_rows), ask_with_hint);
    check_texts(name_text_rows, COUNT(name_text_rows), ask_for_name);
}

// ---- of clouds ----

static void state_dead(struct ask *ask)
{
    ask->info.cloud.enCloudState = PNRP_CLOUD_STATE_DEAD;
    ask->info.cloud.enCloudFlags = (PNRP_CLOUD_FLAGS)0x7f;
}

static const struct row cloud_rows[] = {
    {"as documented", nothing, LUP_RETURN_NAME | LUP_RETURN_BLOB, 0},
    {"a foreign class", foreign_class, 0, WSASERVICE_NOT_FOUND},
    {"the class of names", name_class, 0, WSASERVICE_NOT_FOUND},
    {"our provider", own_provider, 0, 0},
    {"the provider of names", provider_of_names, 0, WSASERVICE_NOT_FOUND},
    {"a version", a_version, 0, WSAEINVAL},
    {"containers", nothing, LUP_CONTAINERS, WSANO_DATA},
    {"info one byte too large", info_too_large, 0, WSAEINVAL},
    {"info of a name", info_v1, 0, WSAEINVAL},
    {"what is to be 0, is not, and does not count", state_dead, 0, 0},
};

static const struct number_row cloud_number_rows[] = {
    {"set one byte too small", NUMBER(set.dwSize), sizeof(WSAQUERYSETW) - 1, WSAEINVAL},
    {"all namespaces", NUMBER(set.dwNameSpace), NS_ALL, 0},
    {"namespace of names", NUMBER(set.dwNameSpace), NS_PNRPNAME, WSASERVICE_NOT_FOUND},
    {"a blob one byte too small", NUMBER(blob.cbSize), sizeof(PNRPCLOUDINFO) - 1, WSAEINVAL},
    {"a blob with something behind", NUMBER(blob.cbSize), sizeof(PNRPINFO_V2), 0},
    {"info of size 0", NUMBER(info.size), 0, WSAEINVAL},
    {"scope 3", NUMBER(info.cloud.Cloud.Scope), PNRP_LINK_LOCAL_SCOPE, 0},
    {"scope 4", NUMBER(info.cloud.Cloud.Scope), 4, WSAEINVAL},
    {"scope -1", NUMBER(info.cloud.Cloud.Scope), (DWORD)-1, WSAEINVAL},
    {"IPv6", NUMBER(info.cloud.Cloud.AddressFamily), AF_INET6, 0},
    {"IPv4", NUMBER(info.cloud.Cloud.AddressFamily), AF_INET, 0},
    {"an unknown family", NUMBER(info.cloud.Cloud.AddressFamily), 99, WSAEINVAL},
};

static const struct text_row cloud_text_rows[] = {
    {"empty name", false, u"", 0},
    {"a name", false, u"0.chat", WSAEINVAL},
    {"empty context", true, u"", 0},
    {"a context", true, u"Global_", WSAEINVAL},
};

static void test_clouds(void **state)
{
    (void)state;
    check_rows(cloud_rows, COUNT(cloud_rows), ask_for_clouds);
    check_numbers(cloud_number_rows, COUNT(cloud_number_rows), ask_for_clouds);
    check_texts(cloud_text_rows, COUNT(cloud_text_rows), ask_for_clouds);
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

// ---- pointers ----

#define NOWHERE ((void *)(uintptr_t)16)

static const struct pointer_row {
    const char *name;
    size_t at;       // POINTER(field)
    int error;       // where it is NULL, of a name
    int cloud_error; // of clouds
} pointer_rows[] = {
    {"no class", POINTER(set.lpServiceClassId), WSAEINVAL, WSAEINVAL},
    {"no provider", POINTER(set.lpNSProviderId), 0, 0},
    {"no name", POINTER(set.lpszServiceInstanceName), WSAEINVAL, 0},
    {"no context", POINTER(set.lpszContext), 0, 0},
    {"no query string", POINTER(set.lpszQueryString), 0, 0},
    {"no blob", POINTER(set.lpBlob), 0, 0},
    {"a blob without data", POINTER(blob.pBlobData), WSAEINVAL, WSAEINVAL},
};
static const struct pointer_row hint_pointer_rows[] = {
    {"a hint that is missing", POINTER(info.v2.saHint.lpSockaddr), WSAEINVAL, 0},
};

static void check_pointer(const struct pointer_row *row, void (*begin)(struct ask *), void *to,
                          int error)
{
    char name[64];
    struct ask ask;
    begin(&ask);
    memcpy((char *)&ask + row->at, &to, sizeof to);
    snprintf(name, sizeof name, "%s%s", row->name, to == NULL ? "" : ", but nowhere");
    check_read(name, &ask, 0, error);
}

static void test_null(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pointer_rows); i++) {
        check_pointer(&pointer_rows[i], ask_for_name, NULL, pointer_rows[i].error);
        check_pointer(&pointer_rows[i], ask_for_clouds, NULL, pointer_rows[i].cloud_error);
    }
    check_pointer(&hint_pointer_rows[0], ask_with_hint, NULL, hint_pointer_rows[0].error);
}

// Only Windows can tell; natively there is nothing to try.
static void test_nowhere(void **state)
{
    (void)state;
    struct nsp_query query;
    if (nsp_platform_readable(NOWHERE, 1)) {
        return;
    }
    assert_int_equal(nsp_query_read(NOWHERE, 0, &nsp_memory_default, &query), WSAEFAULT);
    for (size_t i = 0; i < COUNT(pointer_rows); i++) {
        check_pointer(&pointer_rows[i], ask_for_name, NOWHERE, WSAEFAULT);
    }
    check_pointer(&hint_pointer_rows[0], ask_with_hint, NOWHERE, WSAEFAULT);
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
    ask.set.lpBlob = NULL;
    set_text(ask.context, u"");
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
        cmocka_unit_test(test_null),      cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_foreign),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_copies),    cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_unaligned), cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_masks),     cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
