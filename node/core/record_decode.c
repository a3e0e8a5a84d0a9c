// SPDX-License-Identifier: MIT
#include "node/core/foreign.h"
#include "node/core/record.h"
#include "node/core/record_form.h"

#include <string.h>

#define MARK_TEXT_LEN (sizeof(CORE_RECORD_MARK_TEXT) - 1)

// Reads an integer of len bytes, big endian.
static uint64_t load(const uint8_t *at, size_t len)
{
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

// ---- the mark ----

enum mark_part { // what of the mark has been read
    MARK_ENTRIES,
    MARK_COMMENT,
    MARK_PAYLOAD, // more of it may follow
    MARK_ALL,
};

static bool is_mark(const struct core_dns_rr *rr, const struct core_dns_name *mark)
{
    return rr->head.type == CORE_DNS_TXT && rr->head.rr_class == CORE_DNS_CLASS_IN &&
           core_dns_name_equal(&rr->head.name, mark) && rr->rdata[0] == MARK_TEXT_LEN &&
           memcmp(rr->rdata + 1, CORE_RECORD_MARK_TEXT, MARK_TEXT_LEN) == 0;
}

static bool read_entry(struct core_record *record, struct dht_span text)
{
    if (text.len != CORE_RECORD_ENTRY_LEN || record->entry_count == CORE_RECORD_ENTRIES_MAX) {
        return false;
    }
    struct core_record_entry *entry = &record->entries[record->entry_count];
    memcpy(entry->machine, text.data, CORE_RECORD_MACHINE_LEN);
    entry->signed_until_s = (int64_t)load(text.data + CORE_RECORD_MACHINE_LEN, 5);
    entry->lifetime_s = (uint32_t)load(text.data + CORE_RECORD_MACHINE_LEN + 5, 4);
    record->entry_count++;
    return record->entry_count == 1 ||
           memcmp(entry[-1].machine, entry->machine, CORE_RECORD_MACHINE_LEN) < 0;
}

static bool read_comment(struct core_record *record, struct dht_span text)
{
    if (text.len == 0 || text.len % 2 != 0 || text.len > CORE_RECORD_COMMENT_MAX) {
        return false;
    }
    memcpy(record->comment, text.data, text.len);
    record->comment_len = (uint16_t)text.len;
    return true;
}

// Reads the first string of a payload within the record, or one more.
static bool read_chunk(struct core_record *record, enum core_record_payload_type type,
                       struct dht_span text)
{
    struct core_record_payload *payload = &record->payload;
    if (payload->type == CORE_RECORD_PAYLOAD_NONE) {
        payload->type = type;
    }
    if (payload->type != type || payload->len % CORE_RECORD_CHUNK_MAX != 0 || text.len == 0 ||
        text.len > CORE_RECORD_LEN_MAX - (size_t)payload->len) {
        return false;
    }
    memcpy(payload->bytes + payload->len, text.data, text.len);
    payload->len = (uint16_t)(payload->len + text.len);
    return true;
}

static bool read_reference(struct core_record *record, enum core_record_payload_type type,
                           struct dht_span text)
{
    if (text.len < CORE_RECORD_REFERENCE_LEN) {
        return false;
    }
    size_t len = load(text.data, CORE_RECORD_REFERENCE_LEN);
    size_t parts_len = core_record_part_count(len) * sizeof(struct dht_id);
    if (len == 0 || len > CORE_RECORD_PAYLOAD_MAX ||
        text.len != CORE_RECORD_REFERENCE_LEN + parts_len) {
        return false;
    }
    struct core_record_payload *payload = &record->payload;
    payload->type = type;
    payload->by_reference = true;
    payload->len = (uint16_t)len;
    memcpy(payload->parts, text.data + CORE_RECORD_REFERENCE_LEN, parts_len);
    return true;
}

// Reads one string behind the first; part tells what came before it, and is moved on.
static bool read_mark_string(struct core_record *record, struct dht_span string,
                             enum mark_part *part)
{
    if (string.len == 0) {
        return false;
    }
    struct dht_span text = {string.data + 1, string.len - 1};
    switch (string.data[0]) {
    case 'm':
        return *part == MARK_ENTRIES && read_entry(record, text);
    case 'c':
        if (*part >= MARK_COMMENT) {
            return false;
        }
        *part = MARK_COMMENT;
        return read_comment(record, text);
    case 'b':
    case 's':
        if (*part > MARK_PAYLOAD) {
            return false;
        }
        *part = MARK_PAYLOAD;
        return read_chunk(
            record, string.data[0] == 'b' ? CORE_RECORD_PAYLOAD_BINARY : CORE_RECORD_PAYLOAD_STRING,
            text);
    case 'B':
    case 'S':
        if (*part >= MARK_PAYLOAD) {
            return false;
        }
        *part = MARK_ALL;
        return read_reference(
            record, string.data[0] == 'B' ? CORE_RECORD_PAYLOAD_BINARY : CORE_RECORD_PAYLOAD_STRING,
            text);
    default:
        return false;
    }
}

// Reads the mark's entries, comment and payload into record.
static bool read_mark(struct core_record *record, const struct core_dns_rr *rr)
{
    struct dht_span rest = {rr->rdata, rr->rdata_len};
    struct dht_span string;
    enum mark_part part = MARK_ENTRIES;
    core_dns_txt_next(&rest, &string); // "pnr1"
    while (core_dns_txt_next(&rest, &string)) {
        if (!read_mark_string(record, string, &part)) {
            return false;
        }
    }
    bool odd = record->payload.type == CORE_RECORD_PAYLOAD_STRING && record->payload.len % 2 != 0;
    return !odd && (record->entry_count > 0 || part == MARK_ENTRIES);
}

// ---- the message ----

// One decoding under way. Records are numbered by their place in the message.
struct decoding {
    struct dht_span msg;
    struct core_dns_name apex;
    struct core_dns_name mark;
    bool has_mark;
    uint32_t mark_at;                      // 0 without a mark
    bool service_at[CORE_DNS_ANSWERS_MAX]; // which records are services of ours
    uint32_t ours_ttl_s;                   // the least of our own records
};

// Finds the mark and reads it. False where the message or the mark is malformed, or there are two.
static bool decode_mark(struct decoding *decoding, struct core_record *record)
{
    struct core_dns_reader reader = core_dns_reader(decoding->msg);
    struct core_dns_rr rr;
    for (uint32_t at = 0; core_dns_next(&reader, &rr); at++) {
        if (!is_mark(&rr, &decoding->mark)) {
            continue;
        }
        if (decoding->has_mark || !read_mark(record, &rr)) {
            return false;
        }
        decoding->has_mark = true;
        decoding->mark_at = at;
    }
    return reader.ok;
}

// One parameter's value, empty where it is missing; adds what it takes up to *ret_len.
static struct dht_span find_param(const struct core_dns_svcb *svcb, uint16_t key, size_t *ret_len)
{
    struct dht_span value = {NULL, 0};
    if (core_dns_svcb_param(svcb, key, &value)) {
        *ret_len += 4 + value.len;
    }
    return value;
}

// The parts of an SVCB record of ours.
struct service {
    uint16_t port;
    struct dht_span ipv4;
    struct dht_span ipv6;
    uint8_t entry;
    uint8_t protocol;
};

// Whether rr, which stands before the mark, is one of ours. before: the record before it, where
// that is one; from it comes what rr leaves out. The spans of ret_service point into rr.
static bool is_our_service(const struct decoding *decoding, const struct core_dns_rr *rr,
                           const struct service *before, struct service *ret_service)
{
    struct core_dns_svcb svcb;
    if (rr->head.type != CORE_DNS_SVCB || rr->head.rr_class != CORE_DNS_CLASS_IN ||
        !core_dns_name_equal(&rr->head.name, &decoding->apex) ||
        !core_dns_svcb((struct dht_span){rr->rdata, rr->rdata_len}, &svcb)) {
        return false;
    }
    size_t known_len = 0; // a parameter beside ours would get lost: such a record is not ours
    struct dht_span port = find_param(&svcb, CORE_DNS_PORT, &known_len);
    struct dht_span ipv4 = find_param(&svcb, CORE_DNS_IPV4HINT, &known_len);
    struct dht_span ipv6 = find_param(&svcb, CORE_DNS_IPV6HINT, &known_len);
    struct dht_span pnr = find_param(&svcb, CORE_DNS_PRIVATE, &known_len);
    if (svcb.priority != 1 || svcb.target.len != 1 || known_len != svcb.params.len ||
        ipv4.len + ipv6.len == 0) {
        return false;
    }
    struct service service = {.port = (uint16_t)load(port.data, port.len)};
    service.ipv4 = ipv4;
    service.ipv6 = ipv6;
    if (pnr.len == CORE_RECORD_PNR_LEN) {
        service.entry = pnr.data[0];
        service.protocol = pnr.data[1];
    } else if (pnr.data == NULL && before != NULL) {
        service.entry = before->entry;
        service.protocol = before->protocol;
    } else {
        return false;
    }
    *ret_service = service;
    return true;
}

static bool add_hints(struct core_record *record, const struct service *service,
                      struct dht_span hints, uint8_t ip_len)
{
    for (size_t at = 0; at < hints.len; at += ip_len) {
        struct core_record_endpoint endpoint = {.protocol = service->protocol,
                                                .entry = service->entry};
        endpoint.addr.port = service->port;
        endpoint.addr.ip_len = ip_len;
        memcpy(endpoint.addr.ip, hints.data + at, ip_len);
        if (!core_record_insert_endpoint(record, &endpoint)) {
            return false;
        }
    }
    return true;
}

// Finds our services and reads the endpoints out of them. False where one makes no sense.
static bool decode_services(struct decoding *decoding, struct core_record *record)
{
    struct core_dns_reader reader = core_dns_reader(decoding->msg);
    struct core_dns_rr rr;
    struct service service;
    bool follows = false; // the record before was a service of ours
    for (uint32_t at = 0; at < decoding->mark_at && core_dns_next(&reader, &rr); at++) {
        follows = is_our_service(decoding, &rr, follows ? &service : NULL, &service);
        decoding->service_at[at] = follows;
        if (follows && (service.entry >= record->entry_count ||
                        !add_hints(record, &service, service.ipv4, 4) ||
                        !add_hints(record, &service, service.ipv6, 16))) {
            return false;
        }
    }
    return true;
}

// Whether rr, at place `at`, is the mark, a service of ours, or an address that one of them hints.
static bool is_ours(const struct decoding *decoding, uint32_t at, const struct core_dns_rr *rr,
                    const struct core_record *record)
{
    struct dht_addr addr;
    if (!decoding->has_mark || at > decoding->mark_at) {
        return false;
    }
    if (at == decoding->mark_at || decoding->service_at[at]) {
        return true;
    }
    if (!core_foreign_addr(rr, &decoding->apex, &addr)) {
        return false;
    }
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        const struct dht_addr *have = &record->endpoints[i].addr;
        if (have->ip_len == addr.ip_len && memcmp(have->ip, addr.ip, addr.ip_len) == 0) {
            return true;
        }
    }
    return false;
}

// Keeps all that is not ours, and reads what it resolves to.
static void decode_foreign(struct decoding *decoding, struct core_record *record)
{
    struct core_dns_reader reader = core_dns_reader(decoding->msg);
    struct core_dns_writer writer = core_dns_writer(record->foreign, sizeof(record->foreign));
    struct core_dns_rr rr;
    bool any = false;
    for (uint32_t at = 0; core_dns_next(&reader, &rr); at++) {
        bool ours = is_ours(decoding, at, &rr, record);
        uint32_t *ttl_s = ours ? &decoding->ours_ttl_s : &record->foreign_ttl_s;
        *ttl_s = rr.head.ttl_s < *ttl_s ? rr.head.ttl_s : *ttl_s;
        if (!ours) {
            core_dns_put_rr(&writer, &rr);
            any = true;
        }
    }
    record->foreign_len = any ? (uint16_t)core_dns_written(&writer) : 0;
    record->foreign_lost = any && record->foreign_len == 0;
    // Without a mark all is foreign, and the message itself is never lost.
    struct dht_span foreign = {record->foreign, record->foreign_len};
    record->foreign_endpoint_count =
        core_foreign_endpoints(decoding->has_mark ? foreign : decoding->msg, &decoding->apex,
                               record->foreign_endpoints, &record->foreign_cut);
}

enum core_record_error core_record_decode(const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                                          struct core_record *ret_record)
{
    struct core_record record;
    struct decoding decoding = {.msg = msg, .ours_ttl_s = UINT32_MAX};
    core_record_init(&record);
    core_record_names(key, &decoding.apex, &decoding.mark);
    if (!decode_mark(&decoding, &record) || !decode_services(&decoding, &record)) {
        return CORE_RECORD_MALFORMED;
    }
    decode_foreign(&decoding, &record);
    record.is_foreign = !decoding.has_mark;
    if (decoding.has_mark) {
        record.ttl_s = core_record_clamp_ttl_s(decoding.ours_ttl_s);
    }
    core_record_fall_back(&record);
    *ret_record = record;
    return CORE_RECORD_OK;
}
