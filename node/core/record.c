// SPDX-License-Identifier: MIT
// What a record is and how it changes; record_decode.c and record_encode.c have its bytes.

#include "node/core/record.h"

#include "dht/bencode.h"
#include "node/core/record_form.h"
#include "node/core/zbase32.h"

#include <assert.h>
#include <string.h>

const char *core_record_error_text(enum core_record_error error)
{
    switch (error) {
    case CORE_RECORD_OK:
        return "record is in order";
    case CORE_RECORD_MALFORMED:
        return "record is malformed";
    case CORE_RECORD_TOO_LARGE:
        return "record does not fit into 996 bytes";
    case CORE_RECORD_ENDPOINTS:
        return "record would have more than 10 endpoints";
    case CORE_RECORD_ENTRIES:
        return "record would have entries of more than 10 machines";
    case CORE_RECORD_COMMENT:
        return "comment has to have at most 39 UTF-16 units, of 2 bytes each";
    case CORE_RECORD_PAYLOAD:
        return "payload has to have at most 4096 bytes, in a string an even number of them";
    case CORE_RECORD_FOREIGN:
        return "other resource records of this key could not be kept whole";
    case CORE_RECORD_NO_ENTRY:
        return "comment and payload need a machine that publishes the name";
    case CORE_RECORD_ENTRY_RANGE:
        return "signed-until is out of range";
    case CORE_RECORD_ENDPOINT_FAMILY:
        return "endpoint is neither IPv4 nor IPv6";
    }
    assert(!"an error without a text");
    return "";
}

void core_record_init(struct core_record *ret_record)
{
    memset(ret_record, 0, sizeof(*ret_record));
    ret_record->ttl_s = CORE_RECORD_TTL_MIN_S;
    ret_record->foreign_ttl_s = UINT32_MAX;
}

// ---- what the codec shares ----

void core_record_names(const uint8_t key[DHT_KEY_LEN], struct core_dns_name *ret_apex,
                       struct core_dns_name *ret_mark)
{
    char label[CORE_ZBASE32_LEN + 1];
    core_zbase32_encode(key, label);
    core_dns_name_root(ret_apex);
    bool fits = core_dns_name_prepend(ret_apex, label, CORE_ZBASE32_LEN);
    *ret_mark = *ret_apex;
    fits = core_dns_name_prepend(ret_mark, CORE_RECORD_MARK_LABEL,
                                 sizeof(CORE_RECORD_MARK_LABEL) - 1) &&
           fits;
    assert(fits);
}

uint32_t core_record_clamp_ttl_s(uint32_t ttl_s)
{
    if (ttl_s < CORE_RECORD_TTL_MIN_S) {
        return CORE_RECORD_TTL_MIN_S;
    }
    return ttl_s > CORE_RECORD_TTL_MAX_S ? CORE_RECORD_TTL_MAX_S : ttl_s;
}

// By entry, protocol, port, family and address.
static int compare_endpoints(const struct core_record_endpoint *a,
                             const struct core_record_endpoint *b)
{
    if (a->entry != b->entry) {
        return a->entry < b->entry ? -1 : 1;
    }
    if (a->protocol != b->protocol) {
        return a->protocol < b->protocol ? -1 : 1;
    }
    if (a->addr.port != b->addr.port) {
        return a->addr.port < b->addr.port ? -1 : 1;
    }
    if (a->addr.ip_len != b->addr.ip_len) {
        return a->addr.ip_len < b->addr.ip_len ? -1 : 1;
    }
    return memcmp(a->addr.ip, b->addr.ip, a->addr.ip_len);
}

bool core_record_insert_endpoint(struct core_record *record,
                                 const struct core_record_endpoint *endpoint)
{
    uint32_t at = record->endpoint_count;
    while (at > 0) {
        int order = compare_endpoints(&record->endpoints[at - 1], endpoint);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            break;
        }
        at--;
    }
    if (record->endpoint_count == CORE_RECORD_ENDPOINTS_MAX) {
        return false;
    }
    memmove(&record->endpoints[at + 1], &record->endpoints[at],
            (record->endpoint_count - at) * sizeof(*endpoint));
    record->endpoints[at] = *endpoint;
    record->endpoint_count++;
    return true;
}

void core_record_fall_back(struct core_record *record)
{
    if (record->entry_count > 0) {
        return;
    }
    record->comment_len = 0;
    record->payload = (struct core_record_payload){.type = CORE_RECORD_PAYLOAD_NONE};
    record->endpoint_count = record->foreign_endpoint_count;
    memcpy(record->endpoints, record->foreign_endpoints, sizeof(record->endpoints));
}

// ---- reading it ----

bool core_record_is_tombstone(const struct core_record *record)
{
    return record->entry_count == 0 && !record->is_foreign;
}

uint32_t core_record_ttl_s(const struct core_record *record)
{
    uint32_t ttl_s = record->foreign_ttl_s;
    if (!record->is_foreign && record->ttl_s < ttl_s) {
        ttl_s = record->ttl_s;
    }
    // A message without any record says nothing: it is not worth keeping for long.
    return ttl_s == UINT32_MAX ? CORE_RECORD_TTL_MIN_S : core_record_clamp_ttl_s(ttl_s);
}

int64_t core_record_expiry_s(const struct core_record *record)
{
    int64_t least_s = INT64_MAX;
    for (uint32_t i = 0; i < record->entry_count; i++) {
        int64_t expiry_s = record->entries[i].signed_until_s + CORE_RECORD_GRACE_S + 1;
        least_s = expiry_s < least_s ? expiry_s : least_s;
    }
    return least_s;
}

static bool same_bytes(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && memcmp(a, b, a_len) == 0;
}

static bool same_payload(const struct core_record_payload *a, const struct core_record_payload *b)
{
    if (a->type != b->type || a->by_reference != b->by_reference || a->len != b->len) {
        return false;
    }
    if (a->by_reference) {
        return memcmp(a->parts, b->parts, core_record_part_count(a->len) * sizeof(a->parts[0])) ==
               0;
    }
    return memcmp(a->bytes, b->bytes, a->len) == 0;
}

bool core_record_same_content(const struct core_record *a, const struct core_record *b)
{
    if (a->entry_count != b->entry_count || a->endpoint_count != b->endpoint_count) {
        return false;
    }
    for (uint32_t i = 0; i < a->entry_count; i++) {
        if (memcmp(a->entries[i].machine, b->entries[i].machine, CORE_RECORD_MACHINE_LEN) != 0) {
            return false;
        }
    }
    for (uint32_t i = 0; i < a->endpoint_count; i++) {
        if (compare_endpoints(&a->endpoints[i], &b->endpoints[i]) != 0) {
            return false;
        }
    }
    return same_bytes(a->comment, a->comment_len, b->comment, b->comment_len) &&
           same_payload(&a->payload, &b->payload) && a->foreign_lost == b->foreign_lost &&
           same_bytes(a->foreign, a->foreign_len, b->foreign, b->foreign_len);
}

// ---- changing it ----

// Where machine's entry stands, or would stand; *ret_found tells which.
static uint32_t find_entry(const struct core_record *record,
                           const uint8_t machine[CORE_RECORD_MACHINE_LEN], bool *ret_found)
{
    uint32_t at = 0;
    int order = 1;
    for (; at < record->entry_count; at++) {
        order = memcmp(record->entries[at].machine, machine, CORE_RECORD_MACHINE_LEN);
        if (order >= 0) {
            break;
        }
    }
    *ret_found = order == 0;
    return at;
}

// Takes entry number `at` and its endpoints out, and nothing else.
static void erase_entry(struct core_record *record, uint32_t at)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        struct core_record_endpoint endpoint = record->endpoints[i];
        if (endpoint.entry != at) {
            endpoint.entry = (uint8_t)(endpoint.entry > at ? endpoint.entry - 1 : endpoint.entry);
            record->endpoints[kept++] = endpoint;
        }
    }
    record->endpoint_count = kept;
    record->entry_count--;
    memmove(&record->entries[at], &record->entries[at + 1],
            (record->entry_count - at) * sizeof(record->entries[0]));
}

// Makes room for entry at its place; endpoints of later entries are numbered anew.
static void insert_entry(struct core_record *record, const struct core_record_entry *entry,
                         uint32_t at)
{
    memmove(&record->entries[at + 1], &record->entries[at],
            (record->entry_count - at) * sizeof(record->entries[0]));
    record->entries[at] = *entry;
    record->entry_count++;
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        if (record->endpoints[i].entry >= at) {
            record->endpoints[i].entry++;
        }
    }
}

// Copies endpoint as entry number `at` has it: bytes that don't count are zero.
static struct core_record_endpoint own_endpoint(const struct core_record_endpoint *endpoint,
                                                uint32_t at)
{
    struct core_record_endpoint own = {.protocol = endpoint->protocol, .entry = (uint8_t)at};
    own.addr.port = endpoint->addr.port;
    own.addr.ip_len = endpoint->addr.ip_len;
    memcpy(own.addr.ip, endpoint->addr.ip, endpoint->addr.ip_len);
    return own;
}

enum core_record_error core_record_replace(struct core_record *record,
                                           const struct core_record_entry *entry,
                                           const struct core_record_endpoint *endpoints,
                                           size_t endpoint_count)
{
    if (entry->signed_until_s < 0 || entry->signed_until_s > CORE_RECORD_UNTIL_MAX_S) {
        return CORE_RECORD_ENTRY_RANGE;
    }
    struct core_record changed = *record;
    bool found;
    uint32_t at = find_entry(&changed, entry->machine, &found);
    if (found) {
        erase_entry(&changed, at);
    }
    if (changed.entry_count == CORE_RECORD_ENTRIES_MAX) {
        return CORE_RECORD_ENTRIES;
    }
    if (changed.entry_count == 0) {
        changed.endpoint_count = 0; // foreign ones
    }
    insert_entry(&changed, entry, at);
    for (size_t i = 0; i < endpoint_count; i++) {
        if (endpoints[i].addr.ip_len != 4 && endpoints[i].addr.ip_len != 16) {
            return CORE_RECORD_ENDPOINT_FAMILY;
        }
        struct core_record_endpoint own = own_endpoint(&endpoints[i], at);
        if (!core_record_insert_endpoint(&changed, &own)) {
            return CORE_RECORD_ENDPOINTS;
        }
    }
    changed.is_foreign = false;
    *record = changed;
    return CORE_RECORD_OK;
}

bool core_record_remove(struct core_record *record, const uint8_t machine[CORE_RECORD_MACHINE_LEN])
{
    bool found;
    uint32_t at = find_entry(record, machine, &found);
    if (found) {
        erase_entry(record, at);
        core_record_fall_back(record);
    }
    return found;
}

uint32_t core_record_prune(struct core_record *record, int64_t wall_s)
{
    uint32_t pruned = 0;
    for (uint32_t at = record->entry_count; at > 0; at--) {
        if (record->entries[at - 1].signed_until_s + CORE_RECORD_GRACE_S < wall_s) {
            erase_entry(record, at - 1);
            pruned++;
        }
    }
    if (pruned > 0) {
        core_record_fall_back(record);
    }
    return pruned;
}

enum core_record_error core_record_set_comment(struct core_record *record, struct dht_span comment)
{
    if (comment.len % 2 != 0 || comment.len > CORE_RECORD_COMMENT_MAX) {
        return CORE_RECORD_COMMENT;
    }
    if (comment.len > 0) {
        memcpy(record->comment, comment.data, comment.len);
    }
    record->comment_len = (uint16_t)comment.len;
    return CORE_RECORD_OK;
}

enum core_record_error core_record_set_payload(struct core_record *record,
                                               const struct dht_crypto *crypto,
                                               enum core_record_payload_type type,
                                               struct dht_span bytes, bool by_reference)
{
    if (bytes.len > CORE_RECORD_PAYLOAD_MAX ||
        (type == CORE_RECORD_PAYLOAD_STRING && bytes.len % 2 != 0)) {
        return CORE_RECORD_PAYLOAD;
    }
    struct core_record_payload payload = {.type = CORE_RECORD_PAYLOAD_NONE};
    if (type == CORE_RECORD_PAYLOAD_NONE || bytes.len == 0) {
        record->payload = payload;
        return CORE_RECORD_OK;
    }
    payload.type = type;
    payload.by_reference = by_reference;
    payload.len = (uint16_t)bytes.len;
    if (by_reference) {
        for (uint32_t i = 0; i < core_record_part_count(bytes.len); i++) {
            core_record_part_target(crypto, core_record_part(bytes, i), &payload.parts[i]);
        }
    } else if (bytes.len <= sizeof(payload.bytes)) {
        memcpy(payload.bytes, bytes.data, bytes.len);
    } else {
        return CORE_RECORD_TOO_LARGE;
    }
    record->payload = payload;
    return CORE_RECORD_OK;
}

void core_record_clear_comment(struct core_record *record, struct dht_span comment)
{
    if (same_bytes(record->comment, record->comment_len, comment.data, comment.len)) {
        record->comment_len = 0;
    }
}

void core_record_clear_payload(struct core_record *record, const struct dht_crypto *crypto,
                               enum core_record_payload_type type, struct dht_span bytes)
{
    struct core_record ours = {.entry_count = 0};
    bool by_reference = record->payload.by_reference;
    if (core_record_set_payload(&ours, crypto, type, bytes, by_reference) == CORE_RECORD_OK &&
        same_payload(&record->payload, &ours.payload)) {
        record->payload = (struct core_record_payload){.type = CORE_RECORD_PAYLOAD_NONE};
    }
}

// ---- payloads by reference ----

uint32_t core_record_part_count(size_t len)
{
    return (uint32_t)((len + CORE_RECORD_PART_LEN - 1) / CORE_RECORD_PART_LEN);
}

struct dht_span core_record_part(struct dht_span payload, uint32_t index)
{
    assert(index < core_record_part_count(payload.len));
    size_t start = (size_t)index * CORE_RECORD_PART_LEN;
    size_t left = payload.len - start;
    return (struct dht_span){payload.data + start,
                             left < CORE_RECORD_PART_LEN ? left : CORE_RECORD_PART_LEN};
}

void core_record_part_target(const struct dht_crypto *crypto, struct dht_span part,
                             struct dht_id *ret_target)
{
    assert(part.len <= CORE_RECORD_PART_LEN);
    uint8_t text[CORE_RECORD_PART_LEN + 4]; // "996:" before it at the most
    struct dht_bencode_writer writer = dht_bencode_writer(text, sizeof(text));
    dht_bencode_put_string(&writer, part.data, part.len);
    assert(!writer.full);
    const struct dht_span bencoded = {text, dht_bencode_written(&writer)};
    crypto->sha1(crypto->ctx, &bencoded, 1, ret_target->bytes);
}
