// SPDX-License-Identifier: MIT
// Results in buffers: the input decides a result, a mask, and where a buffer lies and how long it
// is. Whatever it says, nothing outside of the buffer is written, every pointer of what was written
// lies inside and is aligned, exactly what was told is enough and one byte less is not, and a
// refusal writes nothing but the length.
#include "nsp/packer.h"
#include "nsp/query.h"
#include "tests/fuzz/fuzz.h"

#define ROOM  8192 // more than any result needs
#define GUARD 64
#define WHOLE (GUARD + 16 + ROOM + GUARD)
#define FILL  0xc7

struct buffer {
    uint8_t *bytes; // WHOLE of them
    uint8_t *from;  // where the program's begins
    DWORD len;      // and what it says is there
};

static void fill(struct buffer *buffer)
{
    memset(buffer->bytes, FILL, WHOLE);
}

static bool is_untouched(const struct buffer *buffer, size_t len)
{
    static uint8_t fresh[WHOLE];
    size_t before = (size_t)(buffer->from - buffer->bytes), behind = WHOLE - before - len;
    memset(fresh, FILL, WHOLE);
    return memcmp(buffer->bytes, fresh, before) == 0 &&
           memcmp(buffer->from + len, fresh, behind) == 0;
}

// ---- a result ----

static struct nsp_result *make_name(struct fuzz_input *input, const struct nsp_query *query)
{
    struct pnr_result from;
    struct nsp_result *result = NULL;
    const uint8_t *bytes;
    memset(&from, 0, sizeof from);
    from.endpoint_count = fuzz_u8(input) % (PNR_ENDPOINTS_MAX + 1);
    for (size_t i = 0; i < from.endpoint_count; i++) {
        uint8_t how = fuzz_u8(input);
        from.endpoints[i].ip_len = how & 1 ? 4 : 16;
        from.endpoints[i].proto = how & 2 ? 6 : how;
        from.endpoints[i].port = fuzz_u16(input);
    }
    from.comment_len = fuzz_u8(input) % (PNR_COMMENT_MAX + 1);
    for (size_t i = 0; i < from.comment_len; i++) {
        from.comment[i] = fuzz_u8(input);
    }
    from.payload_type = (enum pnr_payload)(fuzz_u8(input) % 3);
    size_t times = fuzz_u8(input);
    size_t len = fuzz_take(input, PNR_PAYLOAD_MAX / 16, &bytes);
    static uint8_t payload[2 * PNR_PAYLOAD_MAX];
    while (times-- > 0 && from.payload_len + len <= PNR_PAYLOAD_MAX + 1 && len > 0) {
        memcpy(payload + from.payload_len, bytes, len);
        from.payload_len += len;
    }
    from.payload = payload;
    if (fuzz_u8(input) & 1) {
        memcpy(from.cloud, "lab", 4);
    }
    FUZZ_CHECK(nsp_result_copy(&from, query, &nsp_memory_default, &result) == 0);
    result->output_flags = fuzz_u8(input);
    return result;
}

static struct nsp_result *make_cloud(struct fuzz_input *input)
{
    struct pnr_cloud_info from;
    struct nsp_result *result = NULL;
    memset(&from, 0, sizeof from);
    size_t len = fuzz_u8(input) % (PNR_WORD_MAX - 1);
    for (size_t i = 0; i < len; i++) {
        from.name[i] = (char)fuzz_u8(input);
    }
    from.scope = (enum pnr_scope)(fuzz_u8(input) % 3);
    from.scope_id = fuzz_u8(input);
    from.state = (enum pnr_cloud_state)(fuzz_u8(input) % 7);
    from.event = (enum pnr_cloud_event)(fuzz_u8(input) % 4);
    int error = nsp_result_copy_cloud(&from, &nsp_memory_default, &result);
    FUZZ_CHECK(error == 0 || error == WSANO_RECOVERY);
    return result;
}

// ---- what was written ----

struct bounds {
    const uint8_t *from;
    const uint8_t *to;
};

static void check_object(const struct bounds *bounds, const void *pointer, size_t size,
                         size_t alignment)
{
    const uint8_t *at = pointer;
    if (at != NULL) {
        FUZZ_CHECK(at >= bounds->from && at <= bounds->to && (size_t)(bounds->to - at) >= size);
        FUZZ_CHECK((uintptr_t)at % alignment == 0);
    }
}

static void check_text(const struct bounds *bounds, const WCHAR *text)
{
    check_object(bounds, text, sizeof *text, sizeof *text);
    while (text != NULL && *text != 0) {
        check_object(bounds, ++text, sizeof *text, sizeof *text);
    }
}

static void check_addresses(const struct bounds *bounds, const WSAQUERYSETW *set)
{
    const CSADDR_INFO *infos = set->lpcsaBuffer;
    FUZZ_CHECK((infos == NULL) == (set->dwNumberOfCsAddrs == 0));
    check_object(bounds, infos, set->dwNumberOfCsAddrs * sizeof *infos, _Alignof(CSADDR_INFO));
    for (DWORD i = 0; i < set->dwNumberOfCsAddrs; i++) {
        const SOCKET_ADDRESS *both[] = {&infos[i].LocalAddr, &infos[i].RemoteAddr};
        for (size_t j = 0; j < 2; j++) {
            FUZZ_CHECK(both[j]->lpSockaddr != NULL);
            check_object(bounds, both[j]->lpSockaddr, (size_t)both[j]->iSockaddrLength, 8);
            FUZZ_CHECK(both[j]->iSockaddrLength == (both[j]->lpSockaddr->sa_family == AF_INET
                                                        ? (INT)sizeof(SOCKADDR_IN)
                                                        : (INT)sizeof(SOCKADDR_IN6)));
        }
    }
}

static void check_blob(const struct bounds *bounds, const WSAQUERYSETW *set)
{
    const BLOB *blob = set->lpBlob;
    check_object(bounds, blob, sizeof *blob, _Alignof(BLOB));
    if (blob == NULL) {
        return;
    }
    FUZZ_CHECK(blob->pBlobData != NULL);
    check_object(bounds, blob->pBlobData, blob->cbSize, _Alignof(PNRPCLOUDINFO));
    if (set->dwNameSpace == NS_PNRPCLOUD) {
        FUZZ_CHECK(blob->cbSize == sizeof(PNRPCLOUDINFO));
        return;
    }
    const PNRPINFO_V2 *info = (const void *)blob->pBlobData;
    FUZZ_CHECK(blob->cbSize == sizeof *info && info->dwSize == sizeof *info);
    check_object(bounds, info, sizeof *info, _Alignof(PNRPINFO_V2));
    if (info->enExtendedPayloadType == PNRP_EXTENDED_PAYLOAD_TYPE_STRING) {
        check_text(bounds, info->pwszPayload);
    } else {
        check_object(bounds, info->blobPayload.pBlobData, info->blobPayload.cbSize, 8);
    }
}

static void check_written(const struct buffer *buffer, size_t needed)
{
    WSAQUERYSETW set;
    struct bounds bounds = {buffer->from + sizeof set, buffer->from + needed};
    FUZZ_CHECK(is_untouched(buffer, needed));
    memcpy(&set, buffer->from, sizeof set);
    FUZZ_CHECK(set.dwSize == sizeof set && set.lpServiceClassId != NULL);
    FUZZ_CHECK(set.lpNSProviderId != NULL);
    check_text(&bounds, set.lpszServiceInstanceName);
    check_text(&bounds, set.lpszComment);
    check_text(&bounds, set.lpszContext);
    check_object(&bounds, set.lpServiceClassId, sizeof(GUID), _Alignof(GUID));
    check_object(&bounds, set.lpNSProviderId, sizeof(GUID), _Alignof(GUID));
    check_addresses(&bounds, &set);
    check_blob(&bounds, &set);
}

// Once into a buffer of this length. The length that is needed is the same at every address.
static void check_pack(struct buffer *buffer, DWORD needed, const struct nsp_result *result,
                       const struct nsp_query *query, DWORD mask)
{
    DWORD len = buffer->len;
    fill(buffer);
    int error = nsp_packer_pack(result, query, mask, buffer->from, &len);
    if (buffer->len >= needed) {
        FUZZ_CHECK(error == 0 && len == buffer->len);
        check_written(buffer, needed);
    } else {
        FUZZ_CHECK(error == WSAEFAULT && len == needed);
        FUZZ_CHECK(is_untouched(buffer, 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(16) uint8_t bytes[WHOLE];
    struct fuzz_input input = {data, data + size};
    uint8_t how = fuzz_u8(&input);
    struct nsp_query query = {.kind = how & 1 ? NSP_QUERY_CLOUD : NSP_QUERY_NAME,
                              .version = how & 2 ? 1 : 2,
                              .mask = LUP_RETURN_ALL,
                              .name = u"0.chat",
                              .name_units = 6};
    struct buffer buffer = {bytes, bytes + GUARD + (how >> 4), fuzz_u16(&input) % ROOM};
    DWORD mask = nsp_query_mask(&query, how & 4 ? fuzz_u16(&input) : 0), needed = 0;
    struct nsp_result *result = how & 1 ? make_cloud(&input) : make_name(&input, &query);
    if (result == NULL) {
        return 0;
    }
    FUZZ_CHECK(nsp_packer_pack(result, &query, mask, NULL, &needed) == WSAEFAULT);
    FUZZ_CHECK(needed >= sizeof(WSAQUERYSETW) && needed <= ROOM);
    check_pack(&buffer, needed, result, &query, mask);
    buffer.len = needed;
    check_pack(&buffer, needed, result, &query, mask);
    buffer.len = needed - 1;
    check_pack(&buffer, needed, result, &query, mask);
    nsp_result_drop(result, &nsp_memory_default);
    return 0;
}
