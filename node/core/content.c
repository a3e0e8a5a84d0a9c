// SPDX-License-Identifier: MIT
#include "node/core/content.h"

#include <stdlib.h>
#include <string.h>

static bool read_endpoints(struct dht_span arguments, struct core_publication_content *content)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t count;
    if (!control_fields_endpoints(arguments, endpoints, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct core_record_endpoint *endpoint = &content->endpoints[i];
        endpoint->protocol = endpoints[i].proto;
        endpoint->addr.ip_len = endpoints[i].ip_len;
        endpoint->addr.port = endpoints[i].port;
        memcpy(endpoint->addr.ip, endpoints[i].ip, endpoints[i].ip_len);
    }
    content->endpoint_count = (uint32_t)count;
    return true;
}

static bool has_too_many_endpoints(struct dht_span arguments)
{
    struct dht_bencode_cursor walk = control_fields_list(arguments, CONTROL_KEY_ENDPOINTS);
    struct dht_span raw;
    size_t count = 0;
    while (control_fields_next(&walk, &raw))
        count++;
    return count > CORE_RECORD_ENDPOINTS_MAX;
}

static const char *read_comment(struct dht_span arguments, struct core_publication_content *content)
{
    struct dht_span comment;
    if (!control_fields_string(arguments, CONTROL_KEY_COMMENT, &comment))
        return NULL;
    if (comment.len > sizeof content->comment || comment.len % 2 != 0)
        return "a comment has at most 39 UTF-16 units";
    memcpy(content->comment, comment.data, comment.len);
    content->comment_len = (uint16_t)comment.len;
    return NULL;
}

static const char *read_payload(struct dht_span arguments, struct core_publication_content *content)
{
    struct dht_span payload;
    int64_t type = CORE_RECORD_PAYLOAD_BINARY;
    struct control_fields_range range = {CORE_RECORD_PAYLOAD_BINARY, CORE_RECORD_PAYLOAD_STRING};
    if (!control_fields_string(arguments, CONTROL_KEY_PAYLOAD, &payload) || payload.len == 0)
        return NULL;
    control_fields_int(arguments, CONTROL_KEY_PAYLOAD_TYPE, range, &type);
    if (payload.len > CORE_RECORD_PAYLOAD_MAX)
        return "a payload has at most 4096 bytes";
    if (type == CORE_RECORD_PAYLOAD_STRING && payload.len % 2 != 0)
        return "a payload of UTF-16 text has an even number of bytes";
    content->payload = malloc(payload.len);
    if (content->payload == NULL)
        return "out of memory";
    memcpy(content->payload, payload.data, payload.len);
    content->payload_len = (uint16_t)payload.len;
    content->payload_type = (enum core_record_payload_type)type;
    return NULL;
}

static const char *read(struct dht_span arguments, struct core_publication_content *content)
{
    int64_t ttl_s = 0;
    struct control_fields_range ttls = {CORE_RECORD_TTL_MIN_S, CORE_RECORD_TTL_MAX_S};
    struct dht_span raw;
    if (!read_endpoints(arguments, content))
        return "each endpoint is an address, a port and a protocol";
    if (control_fields_find(arguments, CONTROL_KEY_TTL_S, &raw) &&
        !control_fields_int(arguments, CONTROL_KEY_TTL_S, ttls, &ttl_s))
        return "ttl is 300 to 86400 seconds";
    content->ttl_s = (uint32_t)ttl_s;
    const char *wrong = read_comment(arguments, content);
    if (wrong == NULL)
        wrong = read_payload(arguments, content);
    if (wrong == NULL && content->endpoint_count == 0 && content->payload_len == 0)
        wrong = "there is nothing to publish: give at least one endpoint";
    return wrong;
}

const char *core_content_read(struct dht_span arguments, struct core_publication_content *content,
                              enum control_error *ret_code)
{
    bool over = has_too_many_endpoints(arguments);
    const char *wrong = over ? "a name has at most 10 endpoints" : read(arguments, content);
    if (wrong != NULL)
        *ret_code = over ? CONTROL_ERROR_REFUSED : CONTROL_ERROR_USAGE;
    return wrong;
}
