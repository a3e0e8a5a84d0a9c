// SPDX-License-Identifier: MIT
// What include/pnr/clouds.h declares.
#include "pnr/clouds.h"

#include "node/control/client.h"
#include "node/control/fields.h"

#include <string.h>

#define ARGUMENTS_LEN (CONTROL_NAME_LEN_MAX + 2 * CONTROL_TEXT_LEN_MAX)

#define SAME(name) _Static_assert((int)PNR_##name == (int)CONTROL_##name, "one number")
SAME(SCOPE_GLOBAL);
SAME(SCOPE_SITE);
SAME(SCOPE_LINK);
SAME(CLOUD_STATE_VIRTUAL);
SAME(CLOUD_STATE_SYNCHRONISING);
SAME(CLOUD_STATE_ACTIVE);
SAME(CLOUD_STATE_DEAD);
SAME(CLOUD_STATE_DISABLED);
SAME(CLOUD_STATE_NO_NET);
SAME(CLOUD_STATE_ALONE);
#undef SAME

// ---- requests ----

enum pnr_error pnr_clouds(struct pnr_client *client, bool watch, uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    enum pnr_error error = control_client_begin(client, ARGUMENTS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    dht_bencode_pair_int(&writer, CONTROL_KEY_WATCH, watch);
    return control_client_end(client, &writer,
                              control_protocol_request_word(CONTROL_REQUEST_CLOUDS), ret_request);
}

// A request about a name in a cloud.
static enum pnr_error send_name_in(struct pnr_client *client, enum control_request kind,
                                   const char *cloud, const char *name, uint32_t *ret_request)
{
    struct dht_bencode_writer writer;
    if (name == NULL || name[0] == '\0' || strlen(name) > CONTROL_NAME_LEN_MAX ||
        cloud[0] == '\0' || strlen(cloud) > CONTROL_TEXT_LEN_MAX) {
        return PNR_ERROR_USAGE;
    }
    enum pnr_error error = control_client_begin(client, ARGUMENTS_LEN, &writer);
    if (error != PNR_OK) {
        return error;
    }
    dht_bencode_pair_text(&writer, CONTROL_KEY_CLOUD, cloud);
    dht_bencode_pair_text(&writer, CONTROL_KEY_NAME, name);
    return control_client_end(client, &writer, control_protocol_request_word(kind), ret_request);
}

enum pnr_error pnr_unpublish_in(struct pnr_client *client, const char *cloud, const char *name,
                                uint32_t *ret_request)
{
    return cloud == NULL
               ? pnr_unpublish(client, name, ret_request)
               : send_name_in(client, CONTROL_REQUEST_UNPUBLISH, cloud, name, ret_request);
}

enum pnr_error pnr_unregister_in(struct pnr_client *client, const char *cloud, const char *name,
                                 uint32_t *ret_request)
{
    return cloud == NULL
               ? pnr_unregister(client, name, ret_request)
               : send_name_in(client, CONTROL_REQUEST_UNREGISTER, cloud, name, ret_request);
}

// ---- answers ----

// Which of the ints of the list `families` there are.
static bool read_families(struct dht_span dict, struct pnr_cloud_info *info)
{
    struct dht_span raw;
    int64_t family;
    if (!control_fields_find(dict, CONTROL_KEY_FAMILIES, &raw)) {
        return true;
    }
    struct dht_bencode_cursor cursor = dht_bencode_cursor(raw);
    if (!dht_bencode_list(&cursor)) {
        return false;
    }
    while (!dht_bencode_close(&cursor)) {
        if (!dht_bencode_int(&cursor, &family)) {
            return false;
        }
        info->has_ipv4 = info->has_ipv4 || family == 4;
        info->has_ipv6 = info->has_ipv6 || family == 6;
    }
    return true;
}

// The value of a word; -1 where there is none, or another one.
static int read_word(struct dht_span dict, const char *key, enum control_vocabulary vocabulary)
{
    struct dht_span word;
    return control_fields_string(dict, key, &word) ? control_protocol_value(vocabulary, word) : -1;
}

bool pnr_read_cloud_info(const struct pnr_event *event, struct pnr_cloud_info *ret_info)
{
    struct dht_span dict = {event->fields.data, event->fields.len}, raw;
    struct pnr_cloud_info info;
    int64_t scope_id = 0;
    struct control_fields_range ids = {0, UINT32_MAX};
    memset(&info, 0, sizeof info);
    int scope = read_word(dict, CONTROL_KEY_SCOPE, CONTROL_VOCABULARY_SCOPE);
    int state = read_word(dict, CONTROL_KEY_STATE, CONTROL_VOCABULARY_CLOUD_STATE);
    bool has_event = control_fields_find(dict, CONTROL_KEY_EVENT, &raw);
    int change = has_event ? read_word(dict, CONTROL_KEY_EVENT, CONTROL_VOCABULARY_EVENT) : 0;
    bool has_id = control_fields_find(dict, CONTROL_KEY_SCOPE_ID, &raw);
    if (scope < 0 || state < 0 || change < 0 || !read_families(dict, &info) ||
        !pnr_field_text(event->fields, CONTROL_KEY_NAME, info.name, sizeof info.name) ||
        (has_id && !control_fields_int(dict, CONTROL_KEY_SCOPE_ID, ids, &scope_id))) {
        return false;
    }
    info.scope = (enum pnr_scope)scope;
    info.scope_id = (uint32_t)scope_id;
    info.state = (enum pnr_cloud_state)state;
    info.event =
        has_event ? (enum pnr_cloud_event)(PNR_CLOUD_EVENT_ADDED + change) : PNR_CLOUD_EVENT_NONE;
    *ret_info = info;
    return true;
}
