// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_FIELDS_H
#define PNR_CONTROL_FIELDS_H

// The fields of a dictionary, found by their keys. Both sides use it, for arguments and answers. A
// dictionary here is a span of bencoded text, from its 'd' to its 'e', that control_fields_check()
// or one of control_frame_open_*() has found good, or that was found inside such a one. Nothing is
// copied or allocated; of equal keys the first counts.

#include "node/control/protocol.h"

// Whether span is exactly one dictionary, sound to its last byte.
bool control_fields_check(struct dht_span span);

// Finds a field; ret_raw is its bencoded value. False where there is none.
bool control_fields_find(struct dht_span dict, const char *key, struct dht_span *ret_raw);

// Finds a field of one type. False where it is left out, of another type, or out of range.
struct control_fields_range {
    int64_t min;
    int64_t max;
};
bool control_fields_int(struct dht_span dict, const char *key, struct control_fields_range range,
                        int64_t *ret_value);
bool control_fields_string(struct dht_span dict, const char *key, struct dht_span *ret_string);
bool control_fields_bool(struct dht_span dict, const char *key, bool *ret_value);

// Copies text and a NUL. False where it does not fit or has a NUL inside.
bool control_fields_copy(struct dht_span text, char *buf, size_t buf_len);

// Walks what a field holds: the elements of a list, or the keys and values of a dict by turns. The
// walk is empty where there is no such field of that type.
struct dht_bencode_cursor control_fields_list(struct dht_span dict, const char *key);
struct dht_bencode_cursor control_fields_dict(struct dht_span dict, const char *key);
// The next element's bencoded text. False at the end.
bool control_fields_next(struct dht_bencode_cursor *cursor, struct dht_span *ret_raw);

// ---- endpoints ----

struct control_endpoint {
    uint8_t ip[16];
    uint8_t ip_len; // 4 or 16
    uint8_t proto;  // IP protocol number; 0: any
    uint16_t port;
};

// Reads the list at CONTROL_KEY_ENDPOINTS; a missing list is an empty one. False where an endpoint
// makes no sense or there are more than CONTROL_ENDPOINTS_MAX.
bool control_fields_endpoints(struct dht_span dict,
                              struct control_endpoint ret_endpoints[CONTROL_ENDPOINTS_MAX],
                              size_t *ret_count);
// Writes the list, without its key.
void control_fields_put_endpoints(struct dht_bencode_writer *writer,
                                  const struct control_endpoint *endpoints, size_t count);

#endif
