// SPDX-License-Identifier: MIT
#include "nsp/result.h"

#include "tests/nsp/failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct nsp_query anywhere = {.kind = NSP_QUERY_NAME, .version = 2};

static struct nsp_result *copy(const struct pnr_result *from, const struct nsp_query *query)
{
    struct nsp_result *result;
    assert_int_equal(nsp_result_copy(from, query, &nsp_memory_default, &result), 0);
    return result;
}

// ---- addresses ----

struct address_row {
    const char *name;
    struct pnr_endpoint endpoint;
    int family, len, protocol, type;
};

static const struct address_row address_rows[] = {
    {"TCP over IPv4", {{192, 0, 2, 1}, 4, 6, 3540, 0}, AF_INET, 16, IPPROTO_TCP, SOCK_STREAM},
    {"UDP over IPv4", {{192, 0, 2, 1}, 4, 17, 1, 0}, AF_INET, 16, IPPROTO_UDP, SOCK_DGRAM},
    {"any over IPv4", {{192, 0, 2, 1}, 4, 0, 65535, 0}, AF_INET, 16, 0, 0},
    {"TCP over IPv6", {{0x20, 1, [15] = 1}, 16, 6, 258, 0}, AF_INET6, 28, 6, SOCK_STREAM},
    {"SCTP over IPv6", {{0x20, 1, [15] = 1}, 16, 132, 0, 0}, AF_INET6, 28, 132, 0},
    {"on a link", {{0xfe, 0x80, [15] = 1}, 16, 6, 80, 70000}, AF_INET6, 28, 6, SOCK_STREAM},
};

static void test_addresses(void **state)
{
    (void)state;
    struct pnr_result from;
    memset(&from, 0, sizeof from);
    for (size_t i = 0; i < COUNT(address_rows); i++) {
        from.endpoints[from.endpoint_count++] = address_rows[i].endpoint;
    }
    struct nsp_result *result = copy(&from, &anywhere);
    assert_int_equal(result->endpoint_count, COUNT(address_rows));
    for (size_t i = 0; i < COUNT(address_rows); i++) {
        const struct address_row *row = &address_rows[i];
        const struct nsp_result_endpoint *endpoint = &result->endpoints[i];
        bool is_ipv4 = row->family == AF_INET;
        const void *ip = is_ipv4 ? (const void *)&endpoint->address.ipv4.sin_addr
                                 : (const void *)&endpoint->address.ipv6.sin6_addr;
        const uint8_t *port = is_ipv4 ? (const void *)&endpoint->address.ipv4.sin_port
                                      : (const void *)&endpoint->address.ipv6.sin6_port;
        if (endpoint->address.ipv4.sin_family != row->family || endpoint->address_len != row->len ||
            endpoint->protocol != row->protocol || endpoint->type != row->type ||
            memcmp(ip, row->endpoint.ip, is_ipv4 ? 4 : 16) != 0 ||
            (!is_ipv4 && endpoint->address.ipv6.sin6_scope_id != row->endpoint.scope_id) ||
            port[0] * 256 + port[1] != row->endpoint.port) {
            fail_msg("%s", row->name);
        }
    }
    nsp_result_drop(result, &nsp_memory_default);
}

// ---- comments ----

struct comment_row {
    const char *name;
    uint8_t bytes[PNR_COMMENT_MAX];
    size_t len;
    WCHAR units[PNR_COMMENT_MAX / 2 + 1];
    size_t count;
};

static const struct comment_row comment_rows[] = {
    {"one letter", {'A', 0}, 2, u"A", 1},
    {"both bytes", {0xac, 0x20}, 2, u"\x20ac", 1},
    {"a pair", {0x3d, 0xd8, 0, 0xde}, 4, u"\xd83d\xde00", 2},
    {"a low half, then a high one", {0, 0xde, 0x3d, 0xd8}, 4, {0xde00, 0xd83d}, 2},
    {"a NUL inside", {'A', 0, 0, 0, 'B', 0}, 6, {'A', 0, 'B'}, 3},
    {"units that are no characters", {0xff, 0xff, 0xfe, 0xff}, 4, {0xffff, 0xfffe}, 2},
    {"the longest", {[0] = 1, [76] = 0x34, [77] = 0x12}, 78, {[0] = 1, [38] = 0x1234}, 39},
};

static void test_comments(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(comment_rows); i++) {
        struct pnr_result from;
        memset(&from, 0, sizeof from);
        memcpy(from.comment, comment_rows[i].bytes, comment_rows[i].len);
        from.comment_len = comment_rows[i].len;
        struct nsp_result *result = copy(&from, &anywhere);
        if (result->comment == NULL || result->comment_units != comment_rows[i].count ||
            memcmp(result->comment, comment_rows[i].units,
                   (comment_rows[i].count + 1) * sizeof(WCHAR)) != 0) {
            fail_msg("%s", comment_rows[i].name);
        }
        nsp_result_drop(result, &nsp_memory_default);
    }
}

// ---- payloads ----

struct payload_row {
    const char *name;
    enum pnr_payload type;
    size_t len;
    PNRP_EXTENDED_PAYLOAD_TYPE kept_type;
    size_t kept_len;
};

static const struct payload_row payload_rows[] = {
    {"none", PNR_PAYLOAD_NONE, 0, PNRP_EXTENDED_PAYLOAD_TYPE_NONE, 0},
    {"bytes of no type", PNR_PAYLOAD_NONE, 5, PNRP_EXTENDED_PAYLOAD_TYPE_NONE, 0},
    {"binary of nothing", PNR_PAYLOAD_BINARY, 0, PNRP_EXTENDED_PAYLOAD_TYPE_NONE, 0},
    {"binary", PNR_PAYLOAD_BINARY, 5, PNRP_EXTENDED_PAYLOAD_TYPE_BINARY, 5},
    {"the longest", PNR_PAYLOAD_BINARY, 4096, PNRP_EXTENDED_PAYLOAD_TYPE_BINARY, 4096},
    {"string", PNR_PAYLOAD_STRING, 6, PNRP_EXTENDED_PAYLOAD_TYPE_STRING, 6},
    {"string with half a unit", PNR_PAYLOAD_STRING, 7, PNRP_EXTENDED_PAYLOAD_TYPE_STRING, 6},
    {"half a unit", PNR_PAYLOAD_STRING, 1, PNRP_EXTENDED_PAYLOAD_TYPE_NONE, 0},
};

static void test_payloads(void **state)
{
    (void)state;
    uint8_t bytes[PNR_PAYLOAD_MAX], zeros[2] = {0, 0};
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < COUNT(payload_rows); i++) {
        const struct payload_row *row = &payload_rows[i];
        struct pnr_result from;
        memset(&from, 0, sizeof from);
        from.payload = bytes;
        from.payload_len = row->len;
        from.payload_type = row->type;
        struct nsp_result *result = copy(&from, &anywhere);
        if (result->payload_type != row->kept_type || result->payload_len != row->kept_len ||
            (result->payload == NULL) != (row->kept_len == 0)) {
            fail_msg("%s", row->name);
        }
        if (row->kept_len > 0 && (memcmp(result->payload, bytes, row->kept_len) != 0 ||
                                  memcmp(result->payload + row->kept_len, zeros, 2) != 0)) {
            fail_msg("%s: bytes", row->name);
        }
        nsp_result_drop(result, &nsp_memory_default);
    }
}

// ---- the rest of a publisher ----

struct cloud_row {
    const char *name;
    const char *told;
    const WCHAR *asked;
    const WCHAR *kept;
    int error;
};

static const struct cloud_row where_rows[] = {
    {"told", "lab", NULL, u"lab", 0},
    {"told, another one was asked for", "lab", u"other", u"lab", 0},
    {"told, not ASCII", "l\xc3\xa4n", NULL, u"l\x00e4n", 0},
    {"not told", "", u"lab", u"lab", 0},
    {"not told, not asked for", "", NULL, u"Global_", 0},
    {"told, and no text", "l\xe4n", NULL, NULL, WSANO_RECOVERY},
};

static size_t units_of(const WCHAR *text)
{
    size_t units = 0;
    while (text[units] != 0) {
        units++;
    }
    return units;
}

static void test_where(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(where_rows); i++) {
        const struct cloud_row *row = &where_rows[i];
        struct nsp_query query = anywhere;
        struct nsp_result *result = NULL;
        struct pnr_result from;
        memset(&from, 0, sizeof from);
        memcpy(from.cloud, row->told, strlen(row->told));
        query.cloud = row->asked;
        query.cloud_units = row->asked == NULL ? 0 : units_of(row->asked);
        int error = nsp_result_copy(&from, &query, &nsp_memory_default, &result);
        if (error != row->error || (result == NULL) != (row->kept == NULL)) {
            fail_msg("%s: %d", row->name, error);
        }
        if (result != NULL &&
            (result->cloud_units != units_of(row->kept) ||
             memcmp(result->cloud, row->kept, (units_of(row->kept) + 1) * sizeof(WCHAR)) != 0)) {
            fail_msg("%s: which", row->name);
        }
        nsp_result_drop(result, &nsp_memory_default);
    }
}

static void test_publisher(void **state)
{
    (void)state;
    struct nsp_result *result;
    struct pnr_result from;
    memset(&from, 0, sizeof from);
    memset(from.publisher, 7, sizeof from.publisher);
    memset(from.mark, 9, sizeof from.mark);
    from.publisher_len = PNR_PUBLISHER_LEN;
    from.mark_len = PNR_MARK_LEN;
    assert_int_equal(nsp_result_copy(&from, &anywhere, &nsp_memory_default, &result), 0);
    assert_memory_equal(result->known.publisher, from.publisher, sizeof from.publisher);
    assert_memory_equal(result->known.mark, from.mark, sizeof from.mark);
    assert_int_equal(result->output_flags, 0);
    assert_null(result->next);
    assert_null(result->comment);
    assert_null(result->payload);
    assert_int_equal(result->endpoint_count, 0);
    nsp_result_drop(result, &nsp_memory_default);
    nsp_result_drop(NULL, &nsp_memory_default);
}

// More endpoints than there can be are not read.
static void test_too_many(void **state)
{
    (void)state;
    struct pnr_result from;
    memset(&from, 0, sizeof from);
    from.endpoint_count = PNR_ENDPOINTS_MAX + 1;
    struct nsp_result *result = copy(&from, &anywhere);
    assert_int_equal(result->endpoint_count, PNR_ENDPOINTS_MAX);
    nsp_result_drop(result, &nsp_memory_default);
}

// ---- clouds ----

struct info_row {
    const char *name;
    struct pnr_cloud_info from;
    DWORD output_flags;
    int family;
    PNRP_SCOPE scope;
    ULONG scope_id;
    PNRP_CLOUD_STATE state;
    unsigned flags;
};

static const struct info_row info_rows[] = {
    {"the public network",
     {"Global_", PNR_SCOPE_GLOBAL, 0, PNR_CLOUD_STATE_ACTIVE, true, true, PNR_CLOUD_EVENT_NONE},
     0,
     AF_INET6,
     PNRP_GLOBAL_SCOPE,
     0,
     PNRP_CLOUD_STATE_ACTIVE,
     PNRP_CLOUD_FULL_PARTICIPANT},
    {"a site of IPv4, new",
     {"lab", PNR_SCOPE_SITE, 0, PNR_CLOUD_STATE_SYNCHRONISING, true, false, PNR_CLOUD_EVENT_ADDED},
     RESULT_IS_ADDED,
     AF_INET,
     PNRP_SITE_LOCAL_SCOPE,
     0,
     PNRP_CLOUD_STATE_SYNCHRONISING,
     PNRP_CLOUD_FULL_PARTICIPANT | PNRP_CLOUD_NAME_LOCAL},
    {"a link of IPv6, changed",
     {"lan%eth0", PNR_SCOPE_LINK, 3, PNR_CLOUD_STATE_ALONE, false, true, PNR_CLOUD_EVENT_CHANGED},
     RESULT_IS_CHANGED,
     AF_INET6,
     PNRP_LINK_LOCAL_SCOPE,
     3,
     PNRP_CLOUD_STATE_ALONE,
     PNRP_CLOUD_FULL_PARTICIPANT | PNRP_CLOUD_NAME_LOCAL},
    {"switched off, gone",
     {"lab", PNR_SCOPE_SITE, 0, PNR_CLOUD_STATE_DISABLED, false, false, PNR_CLOUD_EVENT_GONE},
     RESULT_IS_DELETED,
     AF_INET6,
     PNRP_SITE_LOCAL_SCOPE,
     0,
     PNRP_CLOUD_STATE_DISABLED,
     PNRP_CLOUD_NAME_LOCAL},
};

static void test_clouds(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(info_rows); i++) {
        const struct info_row *row = &info_rows[i];
        struct nsp_result *result;
        assert_int_equal(nsp_result_copy_cloud(&row->from, &nsp_memory_default, &result), 0);
        const PNRPCLOUDINFO *info = &result->cloud_info;
        if (result->output_flags != row->output_flags || info->dwSize != sizeof *info ||
            info->Cloud.AddressFamily != row->family || info->Cloud.Scope != row->scope ||
            info->Cloud.ScopeId != row->scope_id || info->enCloudState != row->state ||
            info->enCloudFlags != row->flags || result->cloud_units != strlen(row->from.name) ||
            result->cloud[0] != (WCHAR)row->from.name[0]) {
            fail_msg("%s", row->name);
        }
        nsp_result_drop(result, &nsp_memory_default);
    }
}

static void test_no_memory(void **state)
{
    (void)state;
    struct failing_memory memory;
    struct nsp_result *result = NULL;
    struct pnr_result from;
    memset(&from, 0, sizeof from);
    failing_memory_init(&memory, 1);
    assert_int_equal(nsp_result_copy(&from, &anywhere, &memory.memory, &result),
                     WSA_NOT_ENOUGH_MEMORY);
    failing_memory_init(&memory, 1);
    assert_int_equal(nsp_result_copy_cloud(&info_rows[0].from, &memory.memory, &result),
                     WSA_NOT_ENOUGH_MEMORY);
    assert_null(result);
    assert_int_equal(failing_memory_live(&memory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_comments),
        cmocka_unit_test(test_payloads),  cmocka_unit_test(test_where),
        cmocka_unit_test(test_publisher), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_clouds),    cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
