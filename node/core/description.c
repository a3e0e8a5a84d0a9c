// SPDX-License-Identifier: MIT
#include "node/core/description.h"

#include <assert.h>
#include <string.h>

#define KEY_COMMENT   "c"
#define KEY_ENDPOINTS "e"
#define KEY_DIGEST    "h"
#define KEY_PUBLISHER "i"
#define KEY_LEN       "l"
#define KEY_OTHERS    "o"
#define KEY_TYPE      "p"
#define KEY_TTL       "t"

#define ENDPOINT_LEN_MAX (1 + 16 + 2) // protocol, address, port

size_t core_description_endpoints(const struct core_description *description,
                                  struct control_endpoint ret_endpoints[CONTROL_ENDPOINTS_MAX])
{
    static_assert(CORE_RECORD_ENDPOINTS_MAX <= CONTROL_ENDPOINTS_MAX, "all of them fit");
    for (uint32_t i = 0; i < description->endpoint_count; i++) {
        const struct core_record_endpoint *endpoint = &description->endpoints[i];
        ret_endpoints[i] = (struct control_endpoint){
            .ip_len = endpoint->addr.ip_len,
            .proto = endpoint->protocol,
            .port = endpoint->addr.port,
        };
        memcpy(ret_endpoints[i].ip, endpoint->addr.ip, endpoint->addr.ip_len);
    }
    return description->endpoint_count;
}

// ---- writing ----

static void put_endpoint(struct dht_bencode_writer *writer,
                         const struct core_record_endpoint *endpoint)
{
    uint8_t bytes[ENDPOINT_LEN_MAX];
    size_t ip_len = endpoint->addr.ip_len;
    assert(ip_len == 4 || ip_len == 16);
    bytes[0] = endpoint->protocol;
    memcpy(bytes + 1, endpoint->addr.ip, ip_len);
    bytes[1 + ip_len] = (uint8_t)(endpoint->addr.port >> 8);
    bytes[2 + ip_len] = (uint8_t)endpoint->addr.port;
    dht_bencode_put_string(writer, bytes, 3 + ip_len);
}

static void put_others(struct dht_bencode_writer *writer, const struct core_description *others,
                       size_t count);

// c e h i l o p t
static void put_one(struct dht_bencode_writer *writer, const struct core_description *one,
                    const struct core_description *others, size_t other_count)
{
    bool has_payload = one->payload_type != CORE_RECORD_PAYLOAD_NONE;
    dht_bencode_open_dict(writer);
    if (one->comment_len > 0)
        dht_bencode_pair_string(writer, KEY_COMMENT, one->comment, one->comment_len);
    dht_bencode_put_text(writer, KEY_ENDPOINTS);
    dht_bencode_open_list(writer);
    for (uint32_t i = 0; i < one->endpoint_count; i++)
        put_endpoint(writer, &one->endpoints[i]);
    dht_bencode_end(writer);
    if (has_payload)
        dht_bencode_pair_string(writer, KEY_DIGEST, one->digest, sizeof one->digest);
    dht_bencode_pair_string(writer, KEY_PUBLISHER, one->publisher, sizeof one->publisher);
    if (has_payload)
        dht_bencode_pair_int(writer, KEY_LEN, one->payload_len);
    if (other_count > 0)
        put_others(writer, others, other_count);
    if (has_payload)
        dht_bencode_pair_int(writer, KEY_TYPE, (int64_t)one->payload_type);
    if (one->ttl_s > 0)
        dht_bencode_pair_int(writer, KEY_TTL, one->ttl_s);
    dht_bencode_end(writer);
}

static void put_others(struct dht_bencode_writer *writer, const struct core_description *others,
                       size_t count)
{
    dht_bencode_put_text(writer, KEY_OTHERS);
    dht_bencode_open_list(writer);
    for (size_t i = 0; i < count; i++)
        put_one(writer, &others[i], NULL, 0);
    dht_bencode_end(writer);
}

void core_description_write(struct dht_bencode_writer *writer,
                            const struct core_description *publishers, size_t count)
{
    assert(count > 0 && count <= CORE_DESCRIPTION_PUBLISHERS_MAX);
    put_one(writer, &publishers[0], publishers + 1, count - 1);
}

// ---- reading ----

static bool read_endpoint(struct dht_span raw, struct core_record_endpoint *ret_endpoint)
{
    struct dht_span bytes;
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    if (!dht_bencode_string(&cursor, &bytes) || (bytes.len != 7 && bytes.len != ENDPOINT_LEN_MAX))
        return false;
    size_t ip_len = bytes.len - 3;
    *ret_endpoint = (struct core_record_endpoint){.protocol = bytes.data[0]};
    memcpy(ret_endpoint->addr.ip, bytes.data + 1, ip_len);
    ret_endpoint->addr.ip_len = (uint8_t)ip_len;
    ret_endpoint->addr.port = (uint16_t)(bytes.data[1 + ip_len] << 8 | bytes.data[2 + ip_len]);
    return true;
}

static bool read_endpoints(struct dht_span dict, struct core_description *description)
{
    struct dht_span raw;
    if (!control_fields_find(dict, KEY_ENDPOINTS, &raw) || raw.data[0] != 'l')
        return false;
    struct dht_bencode_cursor walk = control_fields_list(dict, KEY_ENDPOINTS);
    while (control_fields_next(&walk, &raw)) {
        if (description->endpoint_count == CORE_RECORD_ENDPOINTS_MAX ||
            !read_endpoint(raw, &description->endpoints[description->endpoint_count]))
            return false;
        description->endpoint_count++;
    }
    return true;
}

// Whether the field is left out; where it is there, it has to be a string of min to max bytes,
// which are written to place.
static bool read_bytes(struct dht_span dict, const char *key, size_t min, size_t max,
                       struct dht_span *ret_bytes)
{
    struct dht_span raw;
    *ret_bytes = (struct dht_span){0};
    if (!control_fields_find(dict, key, &raw))
        return true;
    return control_fields_string(dict, key, ret_bytes) && ret_bytes->len >= min &&
           ret_bytes->len <= max;
}

static bool read_int(struct dht_span dict, const char *key, struct control_fields_range range,
                     int64_t *ret_value)
{
    struct dht_span raw;
    *ret_value = 0;
    return !control_fields_find(dict, key, &raw) || control_fields_int(dict, key, range, ret_value);
}

// What tells of the payload is all there, or nothing of it.
static bool read_payload(struct dht_span dict, struct core_description *description)
{
    struct control_fields_range types = {CORE_RECORD_PAYLOAD_BINARY, CORE_RECORD_PAYLOAD_STRING};
    struct control_fields_range lens = {1, CORE_RECORD_PAYLOAD_MAX};
    struct dht_span digest;
    int64_t type, len;
    if (!read_bytes(dict, KEY_DIGEST, sizeof description->digest, sizeof description->digest,
                    &digest) ||
        !read_int(dict, KEY_TYPE, types, &type) || !read_int(dict, KEY_LEN, lens, &len))
        return false;
    if ((type == 0) != (len == 0) || (type == 0) != (digest.len == 0))
        return false;
    description->payload_type = (enum core_record_payload_type)type;
    description->payload_len = (uint16_t)len;
    if (digest.len > 0)
        memcpy(description->digest, digest.data, digest.len);
    return type != CORE_RECORD_PAYLOAD_STRING || len % 2 == 0;
}

static bool read_one(struct dht_span dict, struct core_description *description)
{
    struct control_fields_range ttls = {CORE_RECORD_TTL_MIN_S, CORE_RECORD_TTL_MAX_S};
    struct dht_span comment, publisher;
    int64_t ttl_s;
    *description = (struct core_description){.endpoint_count = 0};
    if (dict.data[0] != 'd' || !read_endpoints(dict, description) ||
        !read_bytes(dict, KEY_COMMENT, 2, sizeof description->comment, &comment) ||
        comment.len % 2 != 0 || !control_fields_string(dict, KEY_PUBLISHER, &publisher) ||
        publisher.len != sizeof description->publisher || !read_payload(dict, description) ||
        !read_int(dict, KEY_TTL, ttls, &ttl_s))
        return false;
    if (comment.len > 0)
        memcpy(description->comment, comment.data, comment.len);
    description->comment_len = (uint16_t)comment.len;
    memcpy(description->publisher, publisher.data, publisher.len);
    description->ttl_s = (uint32_t)ttl_s;
    return description->endpoint_count > 0 || description->payload_len > 0;
}

size_t
core_description_read(struct dht_span text,
                      struct core_description ret_publishers[CORE_DESCRIPTION_PUBLISHERS_MAX])
{
    struct dht_span raw;
    size_t count = 1;
    if (!control_fields_check(text) || !read_one(text, &ret_publishers[0]))
        return 0;
    struct dht_bencode_cursor walk = control_fields_list(text, KEY_OTHERS);
    while (count < CORE_DESCRIPTION_PUBLISHERS_MAX && control_fields_next(&walk, &raw))
        if (!read_one(raw, &ret_publishers[count++]))
            return 0;
    return count;
}
