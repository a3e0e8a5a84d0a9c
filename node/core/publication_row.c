// SPDX-License-Identifier: MIT
// The durable form of a publication: a bencoded dictionary.
#include "node/control/fields.h"
#include "node/core/round.h"

#include <stdlib.h>
#include <string.h>

static void put_endpoints(struct dht_bencode_writer *writer,
                          const struct core_publication_content *content)
{
    struct control_endpoint endpoints[CORE_RECORD_ENDPOINTS_MAX];
    for (uint32_t i = 0; i < content->endpoint_count; i++) {
        const struct core_record_endpoint *endpoint = &content->endpoints[i];
        endpoints[i] = (struct control_endpoint){
            .ip_len = endpoint->addr.ip_len,
            .proto = endpoint->protocol,
            .port = endpoint->addr.port,
        };
        memcpy(endpoints[i].ip, endpoint->addr.ip, sizeof endpoints[i].ip);
    }
    control_fields_put_endpoints(writer, endpoints, content->endpoint_count);
}

size_t core_publication_row_key(const struct core_publication *publication,
                                uint8_t ret_key[NODE_ROW_KEY_MAX])
{
    const char *cloud = publication->cloud->config.name;
    size_t len = DHT_KEY_LEN + (size_t)publication->classifier_len;
    memcpy(ret_key, publication->key, DHT_KEY_LEN);
    memcpy(ret_key + DHT_KEY_LEN, publication->classifier, publication->classifier_len);
    if (strcmp(cloud, NODE_CLOUD_GLOBAL) == 0)
        return len;
    ret_key[len++] = '\0';
    memcpy(ret_key + len, cloud, strlen(cloud));
    return len + strlen(cloud);
}

bool core_publication_open_row_key(struct dht_span key, struct dht_span *ret_classifier,
                                   struct dht_span *ret_cloud)
{
    if (key.len < DHT_KEY_LEN)
        return false;
    struct dht_span rest = {key.data + DHT_KEY_LEN, key.len - DHT_KEY_LEN};
    struct dht_span cloud = {(const uint8_t *)NODE_CLOUD_GLOBAL, sizeof NODE_CLOUD_GLOBAL - 1};
    const uint8_t *nul = rest.len > 0 ? memchr(rest.data, '\0', rest.len) : NULL;
    if (nul != NULL) {
        cloud = (struct dht_span){nul + 1, (size_t)(rest.data + rest.len - nul - 1)};
        rest.len = (size_t)(nul - rest.data);
    }
    if (rest.len > CORE_NAME_CLASSIFIER_LEN_MAX)
        return false;
    *ret_classifier = rest;
    *ret_cloud = cloud;
    return true;
}

// comment endpoints forget payload payload_type session ttl_s withdrawn
size_t core_publication_row(const struct core_publication *publication,
                            uint8_t ret_row[NODE_ROW_VALUE_MAX])
{
    const struct core_publication_content *content = &publication->content;
    struct dht_bencode_writer writer = dht_bencode_writer(ret_row, NODE_ROW_VALUE_MAX);
    dht_bencode_open_dict(&writer);
    dht_bencode_pair_int(&writer, "anchor", publication->anchor);
    dht_bencode_pair_string(&writer, "comment", content->comment, content->comment_len);
    dht_bencode_put_text(&writer, CONTROL_KEY_ENDPOINTS);
    put_endpoints(&writer, content);
    dht_bencode_pair_int(&writer, "forget", publication->forget_wall_us);
    dht_bencode_pair_string(&writer, "payload", content->payload, content->payload_len);
    dht_bencode_pair_int(&writer, "payload_type", (int64_t)content->payload_type);
    if (publication->session != NULL)
        dht_bencode_pair_int(&writer, "session", 1);
    dht_bencode_pair_int(&writer, "ttl_s", content->ttl_s);
    dht_bencode_pair_int(&writer, "withdrawn", publication->withdrawn);
    dht_bencode_end(&writer);
    return writer.full ? 0 : dht_bencode_written(&writer);
}

static bool read_endpoints(struct dht_span row, struct core_publication_content *content)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    size_t count;
    if (!control_fields_endpoints(row, endpoints, &count) || count > CORE_RECORD_ENDPOINTS_MAX)
        return false;
    for (size_t i = 0; i < count; i++) {
        struct core_record_endpoint *endpoint = &content->endpoints[i];
        *endpoint = (struct core_record_endpoint){.protocol = endpoints[i].proto};
        endpoint->addr.ip_len = endpoints[i].ip_len;
        endpoint->addr.port = endpoints[i].port;
        memcpy(endpoint->addr.ip, endpoints[i].ip, endpoints[i].ip_len);
    }
    content->endpoint_count = (uint32_t)count;
    return true;
}

bool core_publication_read_row(struct dht_span row, struct core_publication *publication)
{
    struct core_publication_content *content = &publication->content;
    struct dht_span comment;
    struct dht_span payload;
    int64_t type;
    int64_t ttl_s;
    if (!control_fields_check(row) || !read_endpoints(row, content) ||
        !control_fields_string(row, "comment", &comment) || comment.len > sizeof content->comment ||
        !control_fields_string(row, "payload", &payload) || payload.len > CORE_RECORD_PAYLOAD_MAX ||
        !control_fields_int(row, "payload_type",
                            (struct control_fields_range){0, CORE_RECORD_PAYLOAD_STRING}, &type) ||
        !control_fields_int(row, "ttl_s", (struct control_fields_range){0, UINT32_MAX}, &ttl_s) ||
        !control_fields_int(row, "forget", (struct control_fields_range){0, INT64_MAX},
                            &publication->forget_wall_us) ||
        !control_fields_bool(row, "anchor", &publication->anchor) ||
        !control_fields_bool(row, "withdrawn", &publication->withdrawn))
        return false;
    control_fields_bool(row, "session", &publication->orphaned); // it is orphaned by now
    memcpy(content->comment, comment.data, comment.len);
    content->comment_len = (uint16_t)comment.len;
    content->payload_type = (enum core_record_payload_type)type;
    content->ttl_s = (uint32_t)ttl_s;
    if (payload.len == 0)
        return true;
    content->payload = malloc(payload.len);
    if (content->payload == NULL)
        return false;
    memcpy(content->payload, payload.data, payload.len);
    content->payload_len = (uint16_t)payload.len;
    return true;
}

// Nobody waits for it: if it cannot be written, the next start finds what stood there before.
void core_publication_write(struct node *node, const struct core_publication *publication)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    uint8_t row[NODE_ROW_VALUE_MAX];
    struct dht_span span = {key, core_publication_row_key(publication, key)};
    struct dht_span value = {row, core_publication_row(publication, row)};
    core_brain_write(node, NODE_ROW_PUBLICATION, span, value, true);
}

uint64_t core_publication_delete_row(struct node *node, const struct core_publication *publication)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    struct dht_span span = {key, core_publication_row_key(publication, key)};
    return core_brain_write(node, NODE_ROW_PUBLICATION, span, (struct dht_span){0}, true);
}
