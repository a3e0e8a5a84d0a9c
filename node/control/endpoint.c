// SPDX-License-Identifier: MIT
#include "node/control/endpoint.h"

#include "node/control/fields.h"

#include <string.h>

static bool read_scope(struct dht_span dict, uint32_t *ret_scope_id)
{
    struct dht_span raw;
    int64_t scope_id = 0;
    struct control_fields_range ids = {0, UINT32_MAX};
    if (control_fields_find(dict, CONTROL_KEY_SCOPE_ID, &raw) &&
        !control_fields_int(dict, CONTROL_KEY_SCOPE_ID, ids, &scope_id)) {
        return false;
    }
    *ret_scope_id = (uint32_t)scope_id;
    return true;
}

static bool is_link_local(const struct control_endpoint *endpoint)
{
    return endpoint->ip_len == 16 && endpoint->ip[0] == 0xfe && (endpoint->ip[1] & 0xc0) == 0x80;
}

bool control_endpoint_read(struct dht_span dict,
                           struct pnr_endpoint ret_endpoints[PNR_ENDPOINTS_MAX], size_t *ret_count)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    uint32_t scope_id;
    size_t count;
    if (!control_fields_endpoints(dict, endpoints, &count) || !read_scope(dict, &scope_id)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        struct pnr_endpoint *to = &ret_endpoints[i];
        *to = (struct pnr_endpoint){
            .ip_len = endpoints[i].ip_len,
            .proto = endpoints[i].proto,
            .port = endpoints[i].port,
            .scope_id = is_link_local(&endpoints[i]) ? scope_id : 0,
        };
        memcpy(to->ip, endpoints[i].ip, sizeof to->ip);
    }
    *ret_count = count;
    return true;
}
