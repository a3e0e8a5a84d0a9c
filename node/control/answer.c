// SPDX-License-Identifier: MIT
// The answers of include/pnr/client.h: pnr_read_*(). What a structure takes from
// which key stands in a table for each; one reader walks them.
#include "node/control/client.h"

#include "node/control/endpoint.h"
#include "node/control/fields.h"

#include <string.h>

_Static_assert(PNR_NAME_MAX > CONTROL_NAME_LEN_MAX, "room for every name");
_Static_assert(PNR_TEXT_MAX > CONTROL_TEXT_LEN_MAX, "room for every text");
_Static_assert(PNR_PEM_MAX > CONTROL_PEM_LEN_MAX, "room for every PEM text");
_Static_assert(PNR_LABEL_MAX > CONTROL_LABEL_LEN_MAX, "room for every label");
_Static_assert(PNR_MACHINE_MAX == CONTROL_MACHINE_MAX, "one bound");

#define SAME(name) _Static_assert((int)PNR_##name == (int)CONTROL_##name, "one number")
SAME(SOURCE_CACHE);
SAME(SOURCE_DHT);
SAME(SOURCE_LOCAL);
SAME(OUTCOME_ANSWERED);
SAME(OUTCOME_FOUND);
SAME(OUTCOME_ERROR);
SAME(OUTCOME_SILENT);
SAME(STEP_READING);
SAME(STEP_SAVING);
SAME(STEP_STORING);
SAME(STEP_WATCHING);
SAME(STATE_READING);
SAME(STATE_SAVING);
SAME(STATE_STORING);
SAME(STATE_KEPT);
SAME(STATE_FAILED);
SAME(STATE_WITHDRAWING);
SAME(STATE_CHECKING);
SAME(PAYLOAD_BINARY);
SAME(PAYLOAD_STRING);
#undef SAME
_Static_assert((int)PNR_CHANGE_ADDED == (int)CONTROL_EVENT_ADDED, "one number");
_Static_assert((int)PNR_CHANGE_CHANGED == (int)CONTROL_EVENT_CHANGED, "one number");
_Static_assert((int)PNR_CHANGE_GONE == (int)CONTROL_EVENT_GONE, "one number");

// ---- tables of fields ----

enum kind {
    KIND_COUNT,  // uint32_t, not negative
    KIND_NUMBER, // int64_t, not negative
    KIND_BOOL,
    KIND_TEXT,  // a char array of `size`, ended by a NUL
    KIND_BYTES, // a uint8_t array of `size`, its length in a size_t at len_offset
};

struct field {
    const char *key;
    enum kind kind;
    bool required;
    size_t offset;
    size_t size;
    size_t len_offset;
};

#define FIELD(structure, member, key, kind, required)                                              \
    {                                                                                              \
        key, kind, required, offsetof(struct structure, member),                                   \
            sizeof(((struct structure *)0)->member), 0                                             \
    }
#define BYTES_FIELD(structure, member, key, required)                                              \
    {                                                                                              \
        key, KIND_BYTES, required, offsetof(struct structure, member),                             \
            sizeof(((struct structure *)0)->member), offsetof(struct structure, member##_len)      \
    }
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static bool read_int(struct dht_span dict, const struct field *field, void *target)
{
    int64_t max = field->kind == KIND_NUMBER ? INT64_MAX
                  : field->kind == KIND_BOOL ? 1
                                             : UINT32_MAX;
    int64_t value;
    if (!control_fields_int(dict, field->key, (struct control_fields_range){0, max}, &value)) {
        return false;
    }
    if (field->kind == KIND_NUMBER) {
        memcpy(target, &value, sizeof value);
    } else if (field->kind == KIND_BOOL) {
        bool flag = value == 1;
        memcpy(target, &flag, sizeof flag);
    } else {
        uint32_t count = (uint32_t)value;
        memcpy(target, &count, sizeof count);
    }
    return true;
}

static bool read_field(struct dht_span dict, const struct field *field, uint8_t *structure)
{
    struct dht_span string;
    if (field->kind < KIND_TEXT) {
        return read_int(dict, field, structure + field->offset);
    }
    if (!control_fields_string(dict, field->key, &string)) {
        return false;
    }
    if (field->kind == KIND_TEXT) {
        return control_fields_copy(string, (char *)structure + field->offset, field->size);
    }
    if (string.len > field->size) {
        return false;
    }
    memcpy(structure + field->offset, string.data, string.len);
    memcpy(structure + field->len_offset, &string.len, sizeof string.len);
    return true;
}

// Reads what a table names. False where a required field is missing, or any makes no sense.
static bool read_fields(struct dht_span dict, const struct field *table, size_t count,
                        void *structure)
{
    for (size_t i = 0; i < count; i++) {
        struct dht_span raw;
        bool is_there = control_fields_find(dict, table[i].key, &raw);
        if (is_there ? !read_field(dict, &table[i], structure) : table[i].required) {
            return false;
        }
    }
    return true;
}

// Reads a word of a vocabulary; ret_value is an enum's.
static bool read_word(struct dht_span dict, const char *key, enum control_vocabulary vocabulary,
                      int *ret_value)
{
    struct dht_span word;
    if (!control_fields_string(dict, key, &word)) {
        return false;
    }
    int value = control_protocol_value(vocabulary, word);
    if (value < 0) {
        return false;
    }
    *ret_value = value;
    return true;
}

static struct dht_span span_of(struct pnr_fields fields)
{
    return (struct dht_span){fields.data, fields.len};
}

// The element at index of the list at key: a dict. False where there is none.
static bool find_element(struct dht_span dict, const char *key, size_t index,
                         struct dht_span *ret_element)
{
    struct dht_bencode_cursor walk = control_fields_list(dict, key);
    struct dht_span raw;
    for (size_t i = 0; control_fields_next(&walk, &raw); i++) {
        if (i == index) {
            *ret_element = raw;
            return raw.data[0] == 'd';
        }
    }
    return false;
}

static size_t count_elements(struct dht_span dict, const char *key)
{
    struct dht_bencode_cursor walk = control_fields_list(dict, key);
    struct dht_span raw;
    size_t count = 0;
    while (control_fields_next(&walk, &raw)) {
        count++;
    }
    return count;
}

static struct pnr_fields dict_at(struct dht_span dict, const char *key)
{
    struct pnr_fields found = {(const uint8_t *)"de", 2};
    (void)pnr_field_dict((struct pnr_fields){dict.data, dict.len}, key, &found);
    return found;
}

// ---- resolving ----

static const struct field tally_fields[] = {
    FIELD(pnr_tally, count, CONTROL_KEY_COUNT, KIND_COUNT, false),
    FIELD(pnr_tally, nodes_asked, CONTROL_KEY_NODES_ASKED, KIND_COUNT, false),
    FIELD(pnr_tally, nodes_answered, CONTROL_KEY_NODES_ANSWERED, KIND_COUNT, false),
    FIELD(pnr_tally, copies, CONTROL_KEY_COPIES, KIND_COUNT, false),
    FIELD(pnr_tally, hops, CONTROL_KEY_HOPS, KIND_COUNT, false),
    FIELD(pnr_tally, elapsed_us, CONTROL_KEY_ELAPSED_US, KIND_NUMBER, false),
    FIELD(pnr_tally, density, CONTROL_KEY_DENSITY, KIND_COUNT, false),
    FIELD(pnr_tally, suspect, CONTROL_KEY_SUSPECT, KIND_BOOL, false),
};

static bool read_tally(struct dht_span dict, struct pnr_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    tally->elapsed_us = -1;
    return read_fields(dict, tally_fields, COUNT_OF(tally_fields), tally);
}

bool pnr_read_tally(const struct pnr_event *event, struct pnr_tally *ret_tally)
{
    struct pnr_tally tally;
    if (!read_tally(span_of(event->fields), &tally)) {
        return false;
    }
    *ret_tally = tally;
    return true;
}

static const struct field result_fields[] = {
    FIELD(pnr_result, name, CONTROL_KEY_NAME, KIND_TEXT, true),
    FIELD(pnr_result, authority, CONTROL_KEY_AUTHORITY, KIND_TEXT, false),
    FIELD(pnr_result, classifier, CONTROL_KEY_CLASSIFIER, KIND_TEXT, false),
    FIELD(pnr_result, cloud, CONTROL_KEY_CLOUD, KIND_TEXT, false),
    BYTES_FIELD(pnr_result, comment, CONTROL_KEY_COMMENT, false),
    BYTES_FIELD(pnr_result, machine, CONTROL_KEY_MACHINE, false),
    BYTES_FIELD(pnr_result, publisher, CONTROL_KEY_PUBLISHER, false),
    BYTES_FIELD(pnr_result, mark, CONTROL_KEY_MARK, false),
    FIELD(pnr_result, seq, CONTROL_KEY_SEQ, KIND_NUMBER, false),
    FIELD(pnr_result, ttl_s, CONTROL_KEY_TTL_S, KIND_NUMBER, false),
    FIELD(pnr_result, age_s, CONTROL_KEY_AGE_S, KIND_NUMBER, false),
    FIELD(pnr_result, rtt_us, CONTROL_KEY_RTT_US, KIND_NUMBER, false),
    FIELD(pnr_result, final, CONTROL_KEY_FINAL, KIND_BOOL, false),
};

// The payload and what it is; either may be left out.
static bool read_payload(struct dht_span dict, struct pnr_result *result)
{
    struct dht_span raw, payload;
    int64_t type = PNR_PAYLOAD_NONE;
    if (control_fields_find(dict, CONTROL_KEY_PAYLOAD, &raw)) {
        if (!control_fields_string(dict, CONTROL_KEY_PAYLOAD, &payload) ||
            payload.len > PNR_PAYLOAD_MAX) {
            return false;
        }
        result->payload = payload.data;
        result->payload_len = payload.len;
    }
    if (control_fields_find(dict, CONTROL_KEY_PAYLOAD_TYPE, &raw) &&
        !control_fields_int(dict, CONTROL_KEY_PAYLOAD_TYPE,
                            (struct control_fields_range){0, PNR_PAYLOAD_STRING}, &type)) {
        return false;
    }
    result->payload_type = (enum pnr_payload)type;
    return true;
}

// Of a result that has nothing yet.
static void begin_result(struct pnr_result *result)
{
    memset(result, 0, sizeof *result);
    result->seq = result->ttl_s = result->age_s = result->rtt_us = -1;
    result->tally.elapsed_us = -1;
}

bool pnr_read_result(const struct pnr_event *event, struct pnr_result *ret_result)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_result result;
    int source;
    begin_result(&result);
    if (event->type != PNR_EVENT_RESULT ||
        !read_fields(dict, result_fields, COUNT_OF(result_fields), &result) ||
        !control_endpoint_read(dict, result.endpoints, &result.endpoint_count) ||
        !read_payload(dict, &result) || !read_tally(dict, &result.tally) ||
        !read_word(dict, CONTROL_KEY_SOURCE, CONTROL_VOCABULARY_SOURCE, &source)) {
        return false;
    }
    result.source = (enum pnr_source)source;
    *ret_result = result;
    return true;
}

// Of one that is gone there is no more than its identity.
static bool read_gone(struct dht_span dict, struct pnr_result *ret_result)
{
    struct pnr_result result;
    begin_result(&result);
    if (!read_fields(dict, result_fields, COUNT_OF(result_fields), &result) ||
        result.publisher_len != PNR_PUBLISHER_LEN) {
        return false;
    }
    *ret_result = result;
    return true;
}

bool pnr_read_change(const struct pnr_event *event, enum pnr_change *ret_change,
                     struct pnr_result *ret_result)
{
    struct dht_span dict = span_of(event->fields);
    int change;
    if (event->type != PNR_EVENT_RESULT ||
        !read_word(dict, CONTROL_KEY_EVENT, CONTROL_VOCABULARY_EVENT, &change)) {
        return false;
    }
    bool good = change == CONTROL_EVENT_GONE ? read_gone(dict, ret_result)
                                             : pnr_read_result(event, ret_result);
    if (good) {
        *ret_change = (enum pnr_change)change;
    }
    return good;
}

static const struct field hop_fields[] = {
    FIELD(pnr_hop, addr, CONTROL_KEY_ADDR, KIND_TEXT, true),
    BYTES_FIELD(pnr_hop, id, CONTROL_KEY_NODE_ID, false),
    FIELD(pnr_hop, depth, CONTROL_KEY_DEPTH, KIND_COUNT, false),
    FIELD(pnr_hop, named, CONTROL_KEY_NAMED, KIND_COUNT, false),
    FIELD(pnr_hop, rtt_us, CONTROL_KEY_RTT_US, KIND_NUMBER, false),
    BYTES_FIELD(pnr_hop, target, CONTROL_KEY_TARGET, false),
};

bool pnr_read_hop(const struct pnr_event *event, struct pnr_hop *ret_hop)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_hop hop;
    int step, outcome;
    memset(&hop, 0, sizeof hop);
    hop.rtt_us = -1;
    if (event->type != PNR_EVENT_PROGRESS ||
        !read_word(dict, CONTROL_KEY_STEP, CONTROL_VOCABULARY_STEP, &step) ||
        (step != CONTROL_STEP_HOP && step != CONTROL_STEP_WHO) ||
        !read_word(dict, CONTROL_KEY_OUTCOME, CONTROL_VOCABULARY_OUTCOME, &outcome) ||
        !read_fields(dict, hop_fields, COUNT_OF(hop_fields), &hop)) {
        return false;
    }
    hop.outcome = (enum pnr_outcome)outcome;
    hop.is_publisher = step == CONTROL_STEP_WHO;
    *ret_hop = hop;
    return true;
}

// ---- publishing ----

static const struct field progress_fields[] = {
    FIELD(pnr_progress, stored, CONTROL_KEY_STORED, KIND_COUNT, false),
    FIELD(pnr_progress, targets, CONTROL_KEY_TARGETS, KIND_COUNT, false),
};

bool pnr_read_step(const struct pnr_event *event, struct pnr_progress *ret_progress)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_progress progress;
    int step;
    memset(&progress, 0, sizeof progress);
    if (event->type != PNR_EVENT_PROGRESS ||
        !read_word(dict, CONTROL_KEY_STEP, CONTROL_VOCABULARY_STEP, &step) ||
        step == CONTROL_STEP_HOP || step == CONTROL_STEP_WHO ||
        !read_fields(dict, progress_fields, COUNT_OF(progress_fields), &progress)) {
        return false;
    }
    progress.step = (enum pnr_step)step;
    *ret_progress = progress;
    return true;
}

static const struct field report_fields[] = {
    FIELD(pnr_report, name, CONTROL_KEY_NAME, KIND_TEXT, true),
    FIELD(pnr_report, authority, CONTROL_KEY_AUTHORITY, KIND_TEXT, false),
    FIELD(pnr_report, seq, CONTROL_KEY_SEQ, KIND_NUMBER, false),
    FIELD(pnr_report, stored, CONTROL_KEY_STORED, KIND_COUNT, true),
    FIELD(pnr_report, targets, CONTROL_KEY_TARGETS, KIND_COUNT, true),
    FIELD(pnr_report, renew_s, CONTROL_KEY_RENEW_S, KIND_NUMBER, false),
};

bool pnr_read_report(const struct pnr_event *event, struct pnr_report *ret_report)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_report report;
    memset(&report, 0, sizeof report);
    report.seq = report.renew_s = -1;
    if (event->type != PNR_EVENT_DONE ||
        !read_fields(dict, report_fields, COUNT_OF(report_fields), &report) ||
        !read_tally(dict, &report.tally)) {
        return false;
    }
    report.refused_count = count_elements(dict, CONTROL_KEY_REFUSED);
    *ret_report = report;
    return true;
}

bool pnr_read_refusal(const struct pnr_event *event, size_t index, struct pnr_refusal *ret_refusal)
{
    static const struct field fields[] = {
        FIELD(pnr_refusal, addr, CONTROL_KEY_ADDR, KIND_TEXT, true),
        FIELD(pnr_refusal, code, CONTROL_KEY_CODE, KIND_NUMBER, true),
    };
    struct dht_span element;
    struct pnr_refusal refusal;
    memset(&refusal, 0, sizeof refusal);
    if (!find_element(span_of(event->fields), CONTROL_KEY_REFUSED, index, &element) ||
        !read_fields(element, fields, COUNT_OF(fields), &refusal)) {
        return false;
    }
    *ret_refusal = refusal;
    return true;
}

static const struct field publication_fields[] = {
    FIELD(pnr_publication, name, CONTROL_KEY_NAME, KIND_TEXT, true),
    BYTES_FIELD(pnr_publication, comment, CONTROL_KEY_COMMENT, false),
    FIELD(pnr_publication, seq, CONTROL_KEY_SEQ, KIND_NUMBER, false),
    FIELD(pnr_publication, stored, CONTROL_KEY_STORED, KIND_COUNT, false),
    FIELD(pnr_publication, targets, CONTROL_KEY_TARGETS, KIND_COUNT, false),
    FIELD(pnr_publication, copies, CONTROL_KEY_COPIES, KIND_COUNT, false),
    FIELD(pnr_publication, renew_s, CONTROL_KEY_RENEW_S, KIND_NUMBER, false),
    FIELD(pnr_publication, last_error, CONTROL_KEY_LAST_ERROR, KIND_TEXT, false),
    FIELD(pnr_publication, session, CONTROL_KEY_SESSION, KIND_BOOL, false),
    FIELD(pnr_publication, cloud, CONTROL_KEY_CLOUD, KIND_TEXT, false),
};

bool pnr_read_publication(const struct pnr_event *event, struct pnr_publication *ret_publication)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_publication publication;
    int state;
    memset(&publication, 0, sizeof publication);
    publication.seq = publication.renew_s = -1;
    if (event->type != PNR_EVENT_RESULT ||
        !read_fields(dict, publication_fields, COUNT_OF(publication_fields), &publication) ||
        !control_endpoint_read(dict, publication.endpoints, &publication.endpoint_count) ||
        !read_word(dict, CONTROL_KEY_STATE, CONTROL_VOCABULARY_STATE, &state)) {
        return false;
    }
    publication.state = (enum pnr_state)state;
    *ret_publication = publication;
    return true;
}

// ---- keys ----

bool pnr_read_key(const struct pnr_event *event, struct pnr_key *ret_key)
{
    static const struct field fields[] = {
        FIELD(pnr_key, label, CONTROL_KEY_LABEL, KIND_TEXT, true),
        FIELD(pnr_key, z32, CONTROL_KEY_Z32, KIND_TEXT, false),
        FIELD(pnr_key, hex40, CONTROL_KEY_HEX40, KIND_TEXT, false),
        FIELD(pnr_key, path, CONTROL_KEY_PATH, KIND_TEXT, false),
    };
    struct pnr_key key;
    memset(&key, 0, sizeof key);
    if (!read_fields(span_of(event->fields), fields, COUNT_OF(fields), &key)) {
        return false;
    }
    *ret_key = key;
    return true;
}

// ---- the daemon ----

static const struct field status_fields[] = {
    FIELD(pnr_status, version, CONTROL_KEY_VERSION, KIND_TEXT, true),
    FIELD(pnr_status, node, CONTROL_KEY_NODE, KIND_COUNT, false),
    FIELD(pnr_status, nodes, CONTROL_KEY_NODES, KIND_COUNT, false),
    FIELD(pnr_status, uptime_s, CONTROL_KEY_UPTIME_S, KIND_NUMBER, false),
    FIELD(pnr_status, publications, CONTROL_KEY_PUBLICATIONS, KIND_COUNT, false),
    FIELD(pnr_status, keys, CONTROL_KEY_KEYS, KIND_COUNT, false),
    FIELD(pnr_status, sessions, CONTROL_KEY_SESSIONS, KIND_COUNT, false),
    FIELD(pnr_status, requests, CONTROL_KEY_REQUESTS, KIND_COUNT, false),
};

bool pnr_read_status(const struct pnr_event *event, struct pnr_status *ret_status)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_status status;
    memset(&status, 0, sizeof status);
    status.uptime_s = -1;
    if (event->type != PNR_EVENT_DONE ||
        !read_fields(dict, status_fields, COUNT_OF(status_fields), &status)) {
        return false;
    }
    status.cloud_count = count_elements(dict, CONTROL_KEY_CLOUDS);
    status.counters = dict_at(dict, CONTROL_KEY_COUNTERS);
    *ret_status = status;
    return true;
}

static const struct field cloud_fields[] = {
    FIELD(pnr_cloud, name, CONTROL_KEY_NAME, KIND_TEXT, true),
    FIELD(pnr_cloud, family, CONTROL_KEY_FAMILY, KIND_COUNT, true),
    BYTES_FIELD(pnr_cloud, id, CONTROL_KEY_NODE_ID, false),
    FIELD(pnr_cloud, listen, CONTROL_KEY_LISTEN, KIND_TEXT, false),
    FIELD(pnr_cloud, external, CONTROL_KEY_EXTERNAL, KIND_TEXT, false),
    FIELD(pnr_cloud, joined, CONTROL_KEY_JOINED, KIND_BOOL, false),
    FIELD(pnr_cloud, contacts, CONTROL_KEY_CONTACTS, KIND_COUNT, false),
    FIELD(pnr_cloud, contacts_good, CONTROL_KEY_CONTACTS_GOOD, KIND_COUNT, false),
    FIELD(pnr_cloud, nodes_estimate, CONTROL_KEY_NODES_ESTIMATE, KIND_NUMBER, false),
    FIELD(pnr_cloud, ops, CONTROL_KEY_OPS, KIND_COUNT, false),
    FIELD(pnr_cloud, items, CONTROL_KEY_ITEMS, KIND_COUNT, false),
    FIELD(pnr_cloud, items_bytes, CONTROL_KEY_ITEMS_BYTES, KIND_NUMBER, false),
};

bool pnr_read_cloud(const struct pnr_event *event, size_t index, struct pnr_cloud *ret_cloud)
{
    struct dht_span element, role = {(const uint8_t *)"", 0};
    struct pnr_cloud cloud;
    memset(&cloud, 0, sizeof cloud);
    cloud.items_bytes = -1;
    if (!find_element(span_of(event->fields), CONTROL_KEY_CLOUDS, index, &element) ||
        !read_fields(element, cloud_fields, COUNT_OF(cloud_fields), &cloud)) {
        return false;
    }
    (void)control_fields_string(element, CONTROL_KEY_ROLE, &role);
    bool is_server = role.len == strlen(CONTROL_ROLE_TEXT_SERVER) &&
                     memcmp(role.data, CONTROL_ROLE_TEXT_SERVER, role.len) == 0;
    cloud.role = is_server ? PNR_ROLE_SERVER : PNR_ROLE_CLIENT;
    cloud.counters = dict_at(element, CONTROL_KEY_COUNTERS);
    *ret_cloud = cloud;
    return true;
}

bool pnr_read_counter(struct pnr_fields counters, size_t index, struct pnr_counter *ret_counter)
{
    struct dht_bencode_cursor cursor = dht_bencode_cursor(span_of(counters));
    struct pnr_counter counter;
    if (!dht_bencode_dict(&cursor)) {
        return false;
    }
    for (size_t i = 0; !dht_bencode_close(&cursor); i++) {
        struct dht_span name, raw;
        if (!dht_bencode_string(&cursor, &name) || !dht_bencode_skip(&cursor, &raw)) {
            return false;
        }
        if (i == index) {
            struct dht_bencode_cursor value = dht_bencode_cursor(raw);
            if (!control_fields_copy(name, counter.name, sizeof counter.name) ||
                !dht_bencode_int(&value, &counter.value)) {
                return false;
            }
            *ret_counter = counter;
            return true;
        }
    }
    return false;
}

static const struct field peer_fields[] = {
    BYTES_FIELD(pnr_peer, id, CONTROL_KEY_NODE_ID, false),
    FIELD(pnr_peer, addr, CONTROL_KEY_ADDR, KIND_TEXT, false),
    FIELD(pnr_peer, cloud, CONTROL_KEY_CLOUD, KIND_TEXT, false),
    FIELD(pnr_peer, rtt_us, CONTROL_KEY_RTT_US, KIND_NUMBER, false),
    FIELD(pnr_peer, good, CONTROL_KEY_GOOD, KIND_BOOL, false),
    FIELD(pnr_peer, secure, CONTROL_KEY_SECURE, KIND_BOOL, false),
    FIELD(pnr_peer, family, CONTROL_KEY_FAMILY, KIND_COUNT, false),
};

bool pnr_read_peer(const struct pnr_event *event, struct pnr_peer *ret_peer)
{
    struct pnr_peer peer;
    memset(&peer, 0, sizeof peer);
    peer.rtt_us = -1;
    if (!read_fields(span_of(event->fields), peer_fields, COUNT_OF(peer_fields), &peer)) {
        return false;
    }
    *ret_peer = peer;
    return true;
}

static const struct field finding_fields[] = {
    FIELD(pnr_finding, check, CONTROL_KEY_CHECK, KIND_TEXT, true),
    FIELD(pnr_finding, text, CONTROL_KEY_TEXT, KIND_TEXT, true),
    FIELD(pnr_finding, remedy, CONTROL_KEY_REMEDY, KIND_TEXT, false),
};

bool pnr_read_finding(const struct pnr_event *event, struct pnr_finding *ret_finding)
{
    struct dht_span dict = span_of(event->fields);
    struct pnr_finding finding;
    int state;
    memset(&finding, 0, sizeof finding);
    if (!read_word(dict, CONTROL_KEY_STATE, CONTROL_VOCABULARY_FINDING, &state) ||
        !read_fields(dict, finding_fields, COUNT_OF(finding_fields), &finding)) {
        return false;
    }
    finding.state = (enum pnr_finding_state)state;
    *ret_finding = finding;
    return true;
}
