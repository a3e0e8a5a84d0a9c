// SPDX-License-Identifier: MIT
#include "node/control/fields.h"

#include <string.h>

bool control_fields_check(struct dht_span span)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span);
    struct dht_span raw;
    if (dht_bencode_peek(&cursor) != DHT_BENCODE_DICT || !dht_bencode_skip(&cursor, &raw)) {
        return false;
    }
    return raw.len == span.len;
}

bool control_fields_find(struct dht_span dict, const char *key, struct dht_span *ret_raw)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(dict);
    size_t key_len = strlen(key);
    if (!dht_bencode_dict(&cursor)) {
        return false;
    }
    while (!dht_bencode_close(&cursor)) {
        struct dht_span name, raw;
        if (!dht_bencode_string(&cursor, &name) || !dht_bencode_skip(&cursor, &raw)) {
            return false;
        }
        if (name.len == key_len && memcmp(name.data, key, key_len) == 0) {
            *ret_raw = raw;
            return true;
        }
    }
    return false;
}

bool control_fields_int(struct dht_span dict, const char *key, struct control_fields_range range,
                        int64_t *ret_value)
{
    struct dht_span raw;
    int64_t value;
    if (!control_fields_find(dict, key, &raw)) {
        return false;
    }
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    if (!dht_bencode_int(&cursor, &value) || value < range.min || value > range.max) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool control_fields_string(struct dht_span dict, const char *key, struct dht_span *ret_string)
{
    struct dht_span raw;
    if (!control_fields_find(dict, key, &raw)) {
        return false;
    }
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    return dht_bencode_string(&cursor, ret_string);
}

bool control_fields_bool(struct dht_span dict, const char *key, bool *ret_value)
{
    int64_t value;
    if (!control_fields_int(dict, key, (struct control_fields_range){0, 1}, &value)) {
        return false;
    }
    *ret_value = value == 1;
    return true;
}

bool control_fields_copy(struct dht_span text, char *buf, size_t buf_len)
{
    if (text.len >= buf_len || (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)) {
        return false;
    }
    memcpy(buf, text.data, text.len);
    buf[text.len] = '\0';
    return true;
}

// A walk with nothing in it.
static struct dht_bencode_cursor empty_walk(void)
{
    return dht_bencode_cursor((struct dht_span){(const uint8_t *)"", 0});
}

struct dht_bencode_cursor control_fields_list(struct dht_span dict, const char *key)
{
    struct dht_span raw;
    if (!control_fields_find(dict, key, &raw)) {
        return empty_walk();
    }
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    return dht_bencode_list(&cursor) ? cursor : empty_walk();
}

struct dht_bencode_cursor control_fields_dict(struct dht_span dict, const char *key)
{
    struct dht_span raw;
    if (!control_fields_find(dict, key, &raw)) {
        return empty_walk();
    }
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    return dht_bencode_dict(&cursor) ? cursor : empty_walk();
}

bool control_fields_next(struct dht_bencode_cursor *cursor, struct dht_span *ret_raw)
{
    enum dht_bencode_type type = dht_bencode_peek(cursor);
    if (type == DHT_BENCODE_CLOSE || type == DHT_BENCODE_NONE) {
        return false;
    }
    return dht_bencode_skip(cursor, ret_raw);
}

// ---- endpoints ----

static bool read_endpoint(struct dht_span raw, struct control_endpoint *ret_endpoint)
{
    struct control_endpoint endpoint = {0};
    struct dht_span ip;
    int64_t port, proto = 0;
    struct dht_span unused;
    if (!control_fields_string(raw, CONTROL_KEY_IP, &ip) || (ip.len != 4 && ip.len != 16) ||
        !control_fields_int(raw, CONTROL_KEY_PORT, (struct control_fields_range){0, 65535},
                            &port)) {
        return false;
    }
    if (control_fields_find(raw, CONTROL_KEY_PROTO, &unused) &&
        !control_fields_int(raw, CONTROL_KEY_PROTO, (struct control_fields_range){0, 255},
                            &proto)) {
        return false;
    }
    memcpy(endpoint.ip, ip.data, ip.len);
    endpoint.ip_len = (uint8_t)ip.len;
    endpoint.port = (uint16_t)port;
    endpoint.proto = (uint8_t)proto;
    *ret_endpoint = endpoint;
    return true;
}

bool control_fields_endpoints(struct dht_span dict,
                              struct control_endpoint ret_endpoints[CONTROL_ENDPOINTS_MAX],
                              size_t *ret_count)
{
    struct control_endpoint endpoints[CONTROL_ENDPOINTS_MAX];
    struct dht_span raw;
    size_t count = 0;
    if (control_fields_find(dict, CONTROL_KEY_ENDPOINTS, &raw) && raw.data[0] != 'l') {
        return false;
    }
    struct dht_bencode_cursor walk = control_fields_list(dict, CONTROL_KEY_ENDPOINTS);
    while (control_fields_next(&walk, &raw)) {
        if (count == CONTROL_ENDPOINTS_MAX || !read_endpoint(raw, &endpoints[count])) {
            return false;
        }
        count++;
    }
    memcpy(ret_endpoints, endpoints, count * sizeof endpoints[0]);
    *ret_count = count;
    return true;
}

void control_fields_put_endpoints(struct dht_bencode_writer *writer,
                                  const struct control_endpoint *endpoints, size_t count)
{
    dht_bencode_open_list(writer);
    for (size_t i = 0; i < count; i++) {
        dht_bencode_open_dict(writer);
        dht_bencode_pair_string(writer, CONTROL_KEY_IP, endpoints[i].ip, endpoints[i].ip_len);
        dht_bencode_pair_int(writer, CONTROL_KEY_PORT, endpoints[i].port);
        dht_bencode_pair_int(writer, CONTROL_KEY_PROTO, endpoints[i].proto);
        dht_bencode_end(writer);
    }
    dht_bencode_end(writer);
}
