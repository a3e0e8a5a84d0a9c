// SPDX-License-Identifier: MIT
// The durable form of what is published under an unsecured name: description and payload, in the
// row of a publication whose key is nobody's.
#include "node/core/registration.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROW_DESCRIPTION "description"
#define ROW_PAYLOAD     "payload"

// As core_publication_row_key(), of nobody's key.
static size_t row_key(const struct core_registration *registration,
                      uint8_t ret_key[NODE_ROW_KEY_MAX])
{
    const char *cloud = registration->cloud->config.name;
    size_t len = DHT_KEY_LEN + (size_t)registration->name.classifier_len;
    memset(ret_key, 0, DHT_KEY_LEN);
    memcpy(ret_key + DHT_KEY_LEN, registration->name.classifier, registration->name.classifier_len);
    if (strcmp(cloud, NODE_CLOUD_GLOBAL) == 0)
        return len;
    ret_key[len++] = '\0';
    memcpy(ret_key + len, cloud, strlen(cloud));
    return len + strlen(cloud);
}

uint64_t core_registration_write(struct node *node, const struct core_registration *registration,
                                 bool is_gone)
{
    uint8_t key[NODE_ROW_KEY_MAX];
    uint8_t row[DHT_DESCRIPTION_LEN_MAX + DHT_PAYLOAD_LEN_MAX + 64];
    struct core_description description;
    struct dht_span key_span = {key, row_key(registration, key)};
    struct dht_bencode_writer writer = dht_bencode_writer(row, sizeof row);
    const struct core_publication_content *content = &registration->content;
    if (is_gone)
        return core_brain_write(node, NODE_ROW_PUBLICATION, key_span, (struct dht_span){0}, true);
    core_registration_describe(registration, &description);
    dht_bencode_open_dict(&writer);
    dht_bencode_put_text(&writer, ROW_DESCRIPTION);
    core_description_write(&writer, &description, 1);
    dht_bencode_pair_string(&writer, ROW_PAYLOAD, content->payload, content->payload_len);
    dht_bencode_end(&writer);
    assert(!writer.full);
    struct dht_span value = {row, dht_bencode_written(&writer)};
    return core_brain_write(node, NODE_ROW_PUBLICATION, key_span, value, true);
}

bool core_registration_is_row(struct dht_span key)
{
    static const uint8_t nobody[DHT_KEY_LEN];
    return key.len > DHT_KEY_LEN && memcmp(key.data, nobody, DHT_KEY_LEN) == 0;
}

bool core_registration_read(struct dht_span value, struct core_publication_content *ret_content)
{
    struct core_description description[CORE_DESCRIPTION_PUBLISHERS_MAX];
    struct dht_span raw, payload;
    if (!control_fields_check(value) || !control_fields_find(value, ROW_DESCRIPTION, &raw) ||
        !control_fields_string(value, ROW_PAYLOAD, &payload) ||
        core_description_read(raw, description) != 1 || payload.len != description->payload_len)
        return false;
    *ret_content = (struct core_publication_content){
        .endpoint_count = description->endpoint_count,
        .comment_len = description->comment_len,
        .payload_type = description->payload_type,
        .payload_len = description->payload_len,
        .ttl_s = description->ttl_s,
    };
    memcpy(ret_content->endpoints, description->endpoints, sizeof description->endpoints);
    memcpy(ret_content->comment, description->comment, sizeof description->comment);
    if (payload.len == 0)
        return true;
    ret_content->payload = malloc(payload.len);
    if (ret_content->payload == NULL)
        return false;
    memcpy(ret_content->payload, payload.data, payload.len);
    return true;
}
