// SPDX-License-Identifier: MIT
#include "nsp/result.h"

#include "nsp/text.h"

#include <string.h>

#define GLOBAL u"Global_"

// What of a result has a length of its own, and goes behind it in the same block.
struct parts {
    const WCHAR *cloud; // its NUL counts in cloud_units here
    size_t cloud_units;
    const WCHAR *comment;
    size_t comment_units; // likewise
    const struct nsp_result_endpoint *endpoints;
    size_t endpoint_count;
    const uint8_t *payload;
    size_t payload_len; // without what goes behind it
};

// Makes a result of zeros with its parts: what is aligned most comes first.
static struct nsp_result *make(const struct parts *parts, const struct nsp_memory *memory)
{
    size_t endpoints_size = parts->endpoint_count * sizeof *parts->endpoints;
    size_t cloud_size = parts->cloud_units * sizeof(WCHAR);
    size_t comment_size = parts->comment_units * sizeof(WCHAR);
    size_t payload_size = parts->payload_len > 0 ? parts->payload_len + sizeof(WCHAR) : 0;
    size_t size =
        sizeof(struct nsp_result) + endpoints_size + cloud_size + comment_size + payload_size;
    struct nsp_result *result = nsp_memory_take(memory, size);
    if (result == NULL) {
        return NULL;
    }
    char *at = (char *)(result + 1);
    if (endpoints_size > 0) {
        result->endpoints = memcpy(at, parts->endpoints, endpoints_size);
        result->endpoint_count = parts->endpoint_count;
    }
    at += endpoints_size;
    result->cloud = memcpy(at, parts->cloud, cloud_size);
    result->cloud_units = parts->cloud_units - 1;
    at += cloud_size;
    if (comment_size > 0) {
        result->comment = memcpy(at, parts->comment, comment_size);
        result->comment_units = parts->comment_units - 1;
    }
    at += comment_size;
    if (payload_size > 0) {
        result->payload = memcpy(at, parts->payload, parts->payload_len);
        result->payload_len = parts->payload_len;
    }
    return result;
}

static struct nsp_result_endpoint read_endpoint(const struct pnr_endpoint *from)
{
    struct nsp_result_endpoint endpoint;
    memset(&endpoint, 0, sizeof endpoint);
    // Network order, wherever we run.
    uint8_t port[2] = {(uint8_t)(from->port >> 8), (uint8_t)from->port};
    if (from->ip_len == 4) {
        endpoint.address.ipv4.sin_family = AF_INET;
        memcpy(&endpoint.address.ipv4.sin_port, port, sizeof port);
        memcpy(&endpoint.address.ipv4.sin_addr, from->ip, 4);
        endpoint.address_len = sizeof(SOCKADDR_IN);
    } else {
        endpoint.address.ipv6.sin6_family = AF_INET6;
        memcpy(&endpoint.address.ipv6.sin6_port, port, sizeof port);
        memcpy(&endpoint.address.ipv6.sin6_addr, from->ip, 16);
        endpoint.address.ipv6.sin6_scope_id = from->scope_id;
        endpoint.address_len = sizeof(SOCKADDR_IN6);
    }
    endpoint.protocol = from->proto;
    endpoint.type = from->proto == IPPROTO_TCP   ? SOCK_STREAM
                    : from->proto == IPPROTO_UDP ? SOCK_DGRAM
                                                 : 0;
    return endpoint;
}

// Bytes of UTF-16LE as units, whatever they are, and a NUL; how many with it, or 0 where there are
// none.
static size_t read_comment(const struct pnr_result *from, WCHAR *ret_units)
{
    size_t count = from->comment_len / 2;
    for (size_t i = 0; i < count; i++) {
        ret_units[i] = (WCHAR)(from->comment[2 * i] | from->comment[2 * i + 1] << 8);
    }
    ret_units[count] = 0;
    return count == 0 ? 0 : count + 1;
}

static void read_payload(const struct pnr_result *from, struct parts *parts,
                         PNRP_EXTENDED_PAYLOAD_TYPE *ret_type)
{
    size_t len = from->payload_len <= PNR_PAYLOAD_MAX ? from->payload_len : PNR_PAYLOAD_MAX;
    *ret_type = PNRP_EXTENDED_PAYLOAD_TYPE_NONE;
    if (from->payload_type == PNR_PAYLOAD_STRING) {
        len -= len % sizeof(WCHAR); // half a unit is none
    }
    if (len > 0 && from->payload_type != PNR_PAYLOAD_NONE) {
        parts->payload = from->payload;
        parts->payload_len = len;
        *ret_type = from->payload_type == PNR_PAYLOAD_STRING ? PNRP_EXTENDED_PAYLOAD_TYPE_STRING
                                                             : PNRP_EXTENDED_PAYLOAD_TYPE_BINARY;
    }
}

// Where a publisher was found. False: what the daemon says is no text.
static bool read_cloud(const struct pnr_result *from, const struct nsp_query *query, WCHAR *buf,
                       struct parts *parts)
{
    if (from->cloud[0] != '\0') {
        size_t units = nsp_text_to_utf16(from->cloud, strlen(from->cloud), buf, PNR_WORD_MAX);
        parts->cloud = buf;
        parts->cloud_units = units + 1;
        return units != NSP_TEXT_BAD;
    }
    bool is_default = query->cloud == NULL;
    parts->cloud = is_default ? (const WCHAR *)GLOBAL : query->cloud;
    parts->cloud_units = is_default ? sizeof GLOBAL / sizeof(WCHAR) : query->cloud_units + 1;
    return true;
}

int nsp_result_copy(const struct pnr_result *from, const struct nsp_query *query,
                    const struct nsp_memory *memory, struct nsp_result **ret_result)
{
    WCHAR cloud[PNR_WORD_MAX], comment[PNR_COMMENT_MAX / 2 + 1];
    struct nsp_result_endpoint endpoints[PNR_ENDPOINTS_MAX];
    PNRP_EXTENDED_PAYLOAD_TYPE payload_type;
    struct parts parts = {.comment = comment, .endpoints = endpoints};
    if (!read_cloud(from, query, cloud, &parts)) {
        return WSANO_RECOVERY;
    }
    while (parts.endpoint_count < from->endpoint_count &&
           parts.endpoint_count < PNR_ENDPOINTS_MAX) {
        endpoints[parts.endpoint_count] = read_endpoint(&from->endpoints[parts.endpoint_count]);
        parts.endpoint_count++;
    }
    parts.comment_units = read_comment(from, comment);
    read_payload(from, &parts, &payload_type);
    struct nsp_result *result = make(&parts, memory);
    if (result == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    result->payload_type = payload_type;
    memcpy(result->known.publisher, from->publisher, PNR_PUBLISHER_LEN);
    memcpy(result->known.mark, from->mark, PNR_MARK_LEN);
    *ret_result = result;
    return 0;
}

static PNRPCLOUDINFO read_info(const struct pnr_cloud_info *from)
{
    unsigned flags =
        strcmp(from->name, "Global_") == 0 ? PNRP_CLOUD_NO_FLAGS : PNRP_CLOUD_NAME_LOCAL;
    if (from->state != PNR_CLOUD_STATE_DISABLED) {
        flags |= PNRP_CLOUD_FULL_PARTICIPANT;
    }
    return (PNRPCLOUDINFO){
        .dwSize = sizeof(PNRPCLOUDINFO),
        .Cloud = {.AddressFamily = from->has_ipv4 && !from->has_ipv6 ? AF_INET : AF_INET6,
                  .Scope = nsp_query_scope(from->scope),
                  .ScopeId = from->scope_id},
        .enCloudState = (PNRP_CLOUD_STATE)from->state, // the same numbers
        .enCloudFlags = (PNRP_CLOUD_FLAGS)flags,
    };
}

int nsp_result_copy_cloud(const struct pnr_cloud_info *from, const struct nsp_memory *memory,
                          struct nsp_result **ret_result)
{
    static const DWORD flags[] = {
        [PNR_CLOUD_EVENT_NONE] = 0,
        [PNR_CLOUD_EVENT_ADDED] = RESULT_IS_ADDED,
        [PNR_CLOUD_EVENT_CHANGED] = RESULT_IS_CHANGED,
        [PNR_CLOUD_EVENT_GONE] = RESULT_IS_DELETED,
    };
    WCHAR name[PNR_WORD_MAX];
    size_t units = nsp_text_to_utf16(from->name, strlen(from->name), name, PNR_WORD_MAX);
    if (units == NSP_TEXT_BAD) {
        return WSANO_RECOVERY;
    }
    struct parts parts = {.cloud = name, .cloud_units = units + 1};
    struct nsp_result *result = make(&parts, memory);
    if (result == NULL) {
        return WSA_NOT_ENOUGH_MEMORY;
    }
    result->output_flags = flags[from->event];
    result->cloud_info = read_info(from);
    *ret_result = result;
    return 0;
}

void nsp_result_drop(struct nsp_result *result, const struct nsp_memory *memory)
{
    nsp_memory_give(memory, result);
}
