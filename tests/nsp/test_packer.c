// SPDX-License-Identifier: MIT
#include "nsp/packer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define GUARD       64 // bytes before and behind a buffer that nobody may touch
#define FILL        0xc7
#define ROOM        8192

// ---- results ----

static const struct nsp_query name_v2 = {
    .kind = NSP_QUERY_NAME, .version = 2, .name = u"0.chat", .name_units = 6};
static const struct nsp_query name_v1 = {
    .kind = NSP_QUERY_NAME, .version = 1, .name = u"0.chat", .name_units = 6};
static const struct nsp_query of_clouds = {.kind = NSP_QUERY_CLOUD, .version = 1};

enum what { BARE, FULL, TEXT, LARGEST, CLOUD };

static const uint8_t string_payload[] = {'h', 0, 0, 0xd8, 'i', 0};

static struct nsp_result *make_name(enum what what)
{
    static uint8_t bytes[PNR_PAYLOAD_MAX];
    struct pnr_result from;
    struct nsp_result *result;
    memset(&from, 0, sizeof from);
    memcpy(from.cloud, "lab", 4);
    if (what != BARE) {
        memcpy(from.comment, "A\0\0\xd8", 4); // a lone surrogate
        from.comment_len = what == LARGEST ? PNR_COMMENT_MAX : 4;
        from.endpoint_count = what == LARGEST ? PNR_ENDPOINTS_MAX : 2;
        for (size_t i = 0; i < from.endpoint_count; i++) {
            from.endpoints[i] = (struct pnr_endpoint){
                {0x20, 1}, i == 0 && what == FULL ? 4 : 16, i == 1 ? 17 : 6, 3540, 0};
        }
        from.payload = what == TEXT ? string_payload : bytes;
        from.payload_len = what == TEXT ? sizeof string_payload : what == FULL ? 5 : sizeof bytes;
        from.payload_type = what == TEXT ? PNR_PAYLOAD_STRING : PNR_PAYLOAD_BINARY;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i + 1);
    }
    assert_int_equal(nsp_result_copy(&from, &name_v2, &nsp_memory_default, &result), 0);
    result->output_flags = RESULT_IS_ADDED;
    return result;
}

static struct nsp_result *make(enum what what)
{
    static const struct pnr_cloud_info info = {.name = "lan%eth0",
                                               .scope = PNR_SCOPE_LINK,
                                               .scope_id = 3,
                                               .state = PNR_CLOUD_STATE_ACTIVE,
                                               .has_ipv6 = true,
                                               .event = PNR_CLOUD_EVENT_CHANGED};
    struct nsp_result *result;
    if (what != CLOUD) {
        return make_name(what);
    }
    assert_int_equal(nsp_result_copy_cloud(&info, &nsp_memory_default, &result), 0);
    return result;
}

struct row {
    const char *name;
    enum what what;
    const struct nsp_query *query;
    DWORD mask;
};

static const struct row rows[] = {
    {"nothing but what is always there", FULL, &name_v2, 0},
    {"bare, everything", BARE, &name_v2, LUP_RETURN_ALL},
    {"name", FULL, &name_v2, LUP_RETURN_NAME},
    {"comment", FULL, &name_v2, LUP_RETURN_COMMENT},
    {"addresses", FULL, &name_v2, LUP_RETURN_ADDR},
    {"blob", FULL, &name_v2, LUP_RETURN_BLOB},
    {"everything", FULL, &name_v2, LUP_RETURN_ALL},
    {"everything, first version", FULL, &name_v1, LUP_RETURN_ALL},
    {"everything, with a string", TEXT, &name_v2, LUP_RETURN_ALL},
    {"the largest", LARGEST, &name_v2, LUP_RETURN_ALL},
    {"a cloud, nothing", CLOUD, &of_clouds, 0},
    {"a cloud's name", CLOUD, &of_clouds, LUP_RETURN_NAME},
    {"a cloud's blob", CLOUD, &of_clouds, LUP_RETURN_BLOB},
    {"a cloud, everything", CLOUD, &of_clouds, LUP_RETURN_ALL},
};

static DWORD needed_of(const struct row *row, const struct nsp_result *result)
{
    DWORD len = 0;
    assert_int_equal(nsp_packer_pack(result, row->query, row->mask, NULL, &len), WSAEFAULT);
    return len;
}

// ---- buffers ----

// Memory with a guard on both sides. shift is how far from an aligned address the buffer begins.
struct room {
    _Alignas(16) uint8_t bytes[GUARD + ROOM + GUARD];
};

static uint8_t *open_room(struct room *room, size_t shift)
{
    memset(room->bytes, FILL, sizeof room->bytes);
    return room->bytes + GUARD + shift;
}

static bool is_untouched(const struct room *room, const uint8_t *from, const uint8_t *to)
{
    for (const uint8_t *at = room->bytes; at < room->bytes + sizeof room->bytes; at++) {
        if ((at < from || at >= to) && *at != FILL) {
            return false;
        }
    }
    return true;
}

// What is written lies inside, one byte less is refused, and the length is the same anywhere.
static void test_fit(void **state)
{
    (void)state;
    static struct room room;
    for (size_t i = 0; i < 16 * COUNT(rows); i++) {
        const struct row *row = &rows[i / 16];
        struct nsp_result *result = make(row->what);
        DWORD needed = needed_of(row, result), len = needed;
        uint8_t *buf = open_room(&room, i % 16);
        if (nsp_packer_pack(result, row->query, row->mask, buf, &len) != 0 || len != needed) {
            fail_msg("%s, at %zu: exact fit", row->name, i % 16);
        }
        if (!is_untouched(&room, buf, buf + needed)) {
            fail_msg("%s, at %zu: outside", row->name, i % 16);
        }
        buf = open_room(&room, i % 16);
        len = needed - 1;
        if (nsp_packer_pack(result, row->query, row->mask, buf, &len) != WSAEFAULT ||
            len != needed || !is_untouched(&room, buf, buf)) {
            fail_msg("%s, at %zu: one byte less", row->name, i % 16);
        }
        nsp_result_drop(result, &nsp_memory_default);
    }
}

// More room is no matter, and the caller's length stays what it was.
static void test_more_room(void **state)
{
    (void)state;
    static struct room room;
    static const struct row row = {"everything", FULL, &name_v2, LUP_RETURN_ALL};
    struct nsp_result *result = make(FULL);
    DWORD len = ROOM;
    uint8_t *buf = open_room(&room, 0);
    assert_int_equal(nsp_packer_pack(result, &name_v2, LUP_RETURN_ALL, buf, &len), 0);
    assert_int_equal(len, ROOM);
    len = ROOM;
    assert_int_equal(nsp_packer_pack(result, &name_v2, LUP_RETURN_ALL, NULL, &len), WSAEFAULT);
    assert_int_equal(len, needed_of(&row, result));
    nsp_result_drop(result, &nsp_memory_default);
}

// ---- pointers ----

struct bounds {
    const uint8_t *from;
    const uint8_t *to;
};

static bool is_inside(const struct bounds *bounds, const void *pointer, size_t size,
                      size_t alignment)
{
    const uint8_t *at = pointer;
    return pointer == NULL || (at >= bounds->from && at <= bounds->to &&
                               (size_t)(bounds->to - at) >= size && (uintptr_t)at % alignment == 0);
}

static bool is_text(const struct bounds *bounds, const WCHAR *text)
{
    if (!is_inside(bounds, text, sizeof(WCHAR), sizeof(WCHAR))) {
        return false;
    }
    while (text != NULL && *text != 0) {
        if (!is_inside(bounds, ++text, sizeof(WCHAR), sizeof(WCHAR))) {
            return false;
        }
    }
    return true;
}

static bool are_addresses(const struct bounds *bounds, const WSAQUERYSETW *set)
{
    const CSADDR_INFO *infos = set->lpcsaBuffer;
    bool is =
        is_inside(bounds, infos, set->dwNumberOfCsAddrs * sizeof *infos, _Alignof(CSADDR_INFO)) &&
        (infos != NULL || set->dwNumberOfCsAddrs == 0);
    for (DWORD i = 0; is && i < set->dwNumberOfCsAddrs; i++) {
        is = infos[i].LocalAddr.lpSockaddr != NULL && infos[i].RemoteAddr.lpSockaddr != NULL &&
             is_inside(bounds, infos[i].LocalAddr.lpSockaddr,
                       (size_t)infos[i].LocalAddr.iSockaddrLength, 8) &&
             is_inside(bounds, infos[i].RemoteAddr.lpSockaddr,
                       (size_t)infos[i].RemoteAddr.iSockaddrLength, 8);
    }
    return is;
}

static bool is_blob(const struct bounds *bounds, const WSAQUERYSETW *set)
{
    const BLOB *blob = set->lpBlob;
    if (!is_inside(bounds, blob, sizeof *blob, _Alignof(BLOB)) || blob == NULL) {
        return blob == NULL;
    }
    if (blob->pBlobData == NULL ||
        !is_inside(bounds, blob->pBlobData, blob->cbSize, _Alignof(PNRPCLOUDINFO))) {
        return false;
    }
    if (set->dwNameSpace == NS_PNRPCLOUD) {
        return blob->cbSize == sizeof(PNRPCLOUDINFO);
    }
    const PNRPINFO_V2 *info = (const void *)blob->pBlobData;
    if (blob->cbSize != sizeof *info || (uintptr_t)info % _Alignof(PNRPINFO_V2) != 0) {
        return false;
    }
    return info->enExtendedPayloadType == PNRP_EXTENDED_PAYLOAD_TYPE_STRING
               ? is_text(bounds, info->pwszPayload)
               : is_inside(bounds, info->blobPayload.pBlobData, info->blobPayload.cbSize, 8);
}

static void test_pointers(void **state)
{
    (void)state;
    static struct room room;
    for (size_t i = 0; i < 16 * COUNT(rows); i++) {
        const struct row *row = &rows[i / 16];
        struct nsp_result *result = make(row->what);
        DWORD len = needed_of(row, result);
        uint8_t *buf = open_room(&room, i % 16);
        struct bounds bounds = {buf + sizeof(WSAQUERYSETW), buf + len};
        WSAQUERYSETW set;
        assert_int_equal(nsp_packer_pack(result, row->query, row->mask, buf, &len), 0);
        nsp_result_drop(result, &nsp_memory_default); // nothing points there
        memcpy(&set, buf, sizeof set);
        if (!is_text(&bounds, set.lpszServiceInstanceName) || !is_text(&bounds, set.lpszComment) ||
            !is_text(&bounds, set.lpszContext) ||
            !is_inside(&bounds, set.lpServiceClassId, sizeof(GUID), _Alignof(GUID)) ||
            !is_inside(&bounds, set.lpNSProviderId, sizeof(GUID), _Alignof(GUID)) ||
            !are_addresses(&bounds, &set) || !is_blob(&bounds, &set)) {
            fail_msg("%s, at %zu", row->name, i % 16);
        }
    }
}

// ---- contents ----

static WSAQUERYSETW pack(const struct row *row)
{
    static union {
        WSAQUERYSETW set;
        uint8_t bytes[ROOM];
    } buf;
    struct nsp_result *result = make(row->what);
    DWORD len = sizeof buf;
    memset(&buf, FILL, sizeof buf);
    assert_int_equal(nsp_packer_pack(result, row->query, row->mask, &buf, &len), 0);
    nsp_result_drop(result, &nsp_memory_default);
    return buf.set;
}

static bool says(const WCHAR *text, const WCHAR *wanted)
{
    size_t at = 0;
    if (text == NULL || wanted == NULL) {
        return text == wanted;
    }
    while (text[at] == wanted[at] && text[at] != 0) {
        at++;
    }
    return text[at] == wanted[at];
}

// Every member of the set, for every row.
static void test_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        WSAQUERYSETW set = pack(row);
        bool is_cloud = row->what == CLOUD, is_full = row->what != BARE && !is_cloud;
        bool has_name = (row->mask & LUP_RETURN_NAME) != 0;
        bool has_comment = is_full && (row->mask & LUP_RETURN_COMMENT) != 0;
        bool has_addresses = is_full && (row->mask & LUP_RETURN_ADDR) != 0;
        bool has_blob = (is_cloud || (is_full && row->query->version == 2)) &&
                        (row->mask & LUP_RETURN_BLOB) != 0;
        const GUID *class = is_cloud                   ? &SVCID_PNRPCLOUD
                            : row->query->version == 1 ? &SVCID_PNRPNAME_V1
                                                       : &SVCID_PNRPNAME_V2;
        const GUID *provider = is_cloud ? &NS_PROVIDER_PNRPCLOUD : &NS_PROVIDER_PNRPNAME;
        if (set.dwSize != sizeof set ||
            set.dwOutputFlags != (DWORD)(is_cloud ? RESULT_IS_CHANGED : RESULT_IS_ADDED) ||
            set.dwNameSpace != (DWORD)(is_cloud ? NS_PNRPCLOUD : NS_PNRPNAME) ||
            memcmp(set.lpServiceClassId, class, sizeof *class) != 0 ||
            memcmp(set.lpNSProviderId, provider, sizeof *provider) != 0) {
            fail_msg("%s: what is always there", row->name);
        }
        if (!says(set.lpszServiceInstanceName, !has_name  ? NULL
                                               : is_cloud ? u"lan%eth0"
                                                          : u"0.chat") ||
            !says(set.lpszContext, has_name && !is_cloud ? u"lab" : NULL) ||
            !says(set.lpszComment, has_comment ? u"A\xd800" : NULL)) {
            fail_msg("%s: texts", row->name);
        }
        if ((set.dwNumberOfCsAddrs != 0) != has_addresses || (set.lpBlob != NULL) != has_blob) {
            fail_msg("%s: parts", row->name);
        }
        if (set.lpVersion != NULL || set.lpafpProtocols != NULL || set.dwNumberOfProtocols != 0 ||
            set.lpszQueryString != NULL) {
            fail_msg("%s: what is never there", row->name);
        }
    }
}

static void test_addresses(void **state)
{
    (void)state;
    static const struct row row = {"addresses", FULL, &name_v2, LUP_RETURN_ADDR};
    WSAQUERYSETW set = pack(&row);
    assert_int_equal(set.dwNumberOfCsAddrs, 2);
    for (DWORD i = 0; i < 2; i++) {
        const CSADDR_INFO *info = &set.lpcsaBuffer[i];
        int len = i == 0 ? (int)sizeof(SOCKADDR_IN) : (int)sizeof(SOCKADDR_IN6);
        assert_int_equal(info->LocalAddr.iSockaddrLength, len);
        assert_int_equal(info->RemoteAddr.iSockaddrLength, len);
        assert_memory_equal(info->LocalAddr.lpSockaddr, info->RemoteAddr.lpSockaddr, (size_t)len);
        assert_int_equal(info->LocalAddr.lpSockaddr->sa_family, i == 0 ? AF_INET : AF_INET6);
        assert_int_equal(info->iProtocol, i == 0 ? IPPROTO_TCP : IPPROTO_UDP);
        assert_int_equal(info->iSocketType, i == 0 ? SOCK_STREAM : SOCK_DGRAM);
    }
}

static void test_payload(void **state)
{
    (void)state;
    static const struct row binary = {"binary", FULL, &name_v2, LUP_RETURN_BLOB};
    static const struct row string = {"string", TEXT, &name_v2, LUP_RETURN_BLOB};
    WSAQUERYSETW set = pack(&binary);
    const PNRPINFO_V2 *info = (const void *)set.lpBlob->pBlobData;
    assert_int_equal(set.lpBlob->cbSize, sizeof *info);
    assert_int_equal(info->dwSize, sizeof *info);
    assert_int_equal(info->enExtendedPayloadType, PNRP_EXTENDED_PAYLOAD_TYPE_BINARY);
    assert_int_equal(info->blobPayload.cbSize, 5);
    assert_memory_equal(info->blobPayload.pBlobData, "\1\2\3\4\5", 5);
    set = pack(&string);
    info = (const void *)set.lpBlob->pBlobData;
    assert_int_equal(info->enExtendedPayloadType, PNRP_EXTENDED_PAYLOAD_TYPE_STRING);
    assert_true(says(info->pwszPayload, u"h\xd800i"));
}

static void test_cloud_info(void **state)
{
    (void)state;
    static const struct row row = {"blob", CLOUD, &of_clouds, LUP_RETURN_BLOB};
    WSAQUERYSETW set = pack(&row);
    const PNRPCLOUDINFO *info = (const void *)set.lpBlob->pBlobData;
    assert_int_equal(info->dwSize, sizeof *info);
    assert_int_equal(info->Cloud.Scope, PNRP_LINK_LOCAL_SCOPE);
    assert_int_equal(info->Cloud.ScopeId, 3);
    assert_int_equal(info->enCloudState, PNRP_CLOUD_STATE_ACTIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fit),        cmocka_unit_test(test_more_room),
        cmocka_unit_test(test_pointers),   cmocka_unit_test(test_members),
        cmocka_unit_test(test_addresses),  cmocka_unit_test(test_payload),
        cmocka_unit_test(test_cloud_info),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
