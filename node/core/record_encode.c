// SPDX-License-Identifier: MIT
#include "node/core/foreign.h"
#include "node/core/record.h"
#include "node/core/record_form.h"

#include <assert.h>
#include <string.h>

#define STRING_MAX    255 // of a TXT string
#define MARK_TEXT_LEN (sizeof(CORE_RECORD_MARK_TEXT) - 1)

// Writes an integer in len bytes, big endian.
static void store(uint8_t *at, size_t len, uint64_t value)
{
    for (size_t i = len; i > 0; i--) {
        at[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

// One encoding under way.
struct encoding {
    const struct core_record *record;
    struct core_dns_writer writer;
    struct core_dns_head head; // of the apex; each record sets its type
    struct core_dns_name mark;
};

// Writes the addresses of one family at the apex, each once.
static void encode_addrs(struct encoding *encoding, uint8_t ip_len)
{
    const struct core_record *record = encoding->record;
    const struct dht_addr *addrs[CORE_RECORD_ENDPOINTS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < record->endpoint_count; i++) {
        const struct dht_addr *addr = &record->endpoints[i].addr;
        uint32_t at = count;
        if (addr->ip_len != ip_len) {
            continue;
        }
        while (at > 0 && memcmp(addrs[at - 1]->ip, addr->ip, ip_len) > 0) {
            at--;
        }
        if (at > 0 && memcmp(addrs[at - 1]->ip, addr->ip, ip_len) == 0) {
            continue;
        }
        memmove(&addrs[at + 1], &addrs[at], (count - at) * sizeof(addrs[0]));
        addrs[at] = addr;
        count++;
    }
    struct dht_span foreign = {record->foreign, record->foreign_len};
    encoding->head.type = ip_len == 4 ? CORE_DNS_A : CORE_DNS_AAAA;
    for (uint32_t i = 0; i < count; i++) {
        if (!core_foreign_has_addr(foreign, &encoding->head.name, addrs[i])) {
            core_dns_open(&encoding->writer, &encoding->head);
            core_dns_put_bytes(&encoding->writer, addrs[i]->ip, ip_len);
            core_dns_close(&encoding->writer);
        }
    }
}

// Whether two endpoints stand in one service.
static bool same_service(const struct core_record_endpoint *a, const struct core_record_endpoint *b)
{
    return a->entry == b->entry && a->protocol == b->protocol && a->addr.port == b->addr.port;
}

// Writes one hint parameter with the addresses of a family among count endpoints of one service.
static void encode_hints(struct encoding *encoding, const struct core_record_endpoint *endpoints,
                         uint32_t count, uint8_t ip_len)
{
    uint32_t matches = 0;
    for (uint32_t i = 0; i < count; i++) {
        matches += endpoints[i].addr.ip_len == ip_len;
    }
    if (matches == 0) {
        return;
    }
    core_dns_put_u16(&encoding->writer, ip_len == 4 ? CORE_DNS_IPV4HINT : CORE_DNS_IPV6HINT);
    core_dns_put_u16(&encoding->writer, (uint16_t)(matches * ip_len));
    for (uint32_t i = 0; i < count; i++) {
        if (endpoints[i].addr.ip_len == ip_len) {
            core_dns_put_bytes(&encoding->writer, endpoints[i].addr.ip, ip_len);
        }
    }
}

// Writes one service. before: the endpoint before, or NULL; where it has the same entry and
// protocol, they are not told again.
static void encode_service(struct encoding *encoding, const struct core_record_endpoint *endpoints,
                           uint32_t count, const struct core_record_endpoint *before)
{
    struct core_dns_writer *writer = &encoding->writer;
    encoding->head.type = CORE_DNS_SVCB;
    core_dns_open(writer, &encoding->head);
    core_dns_put_u16(writer, 1);
    core_dns_put_u8(writer, 0); // the target is the apex itself
    if (endpoints->addr.port != 0) {
        core_dns_put_u16(writer, CORE_DNS_PORT);
        core_dns_put_u16(writer, 2);
        core_dns_put_u16(writer, endpoints->addr.port);
    }
    encode_hints(encoding, endpoints, count, 4);
    encode_hints(encoding, endpoints, count, 16);
    if (before == NULL || before->entry != endpoints->entry ||
        before->protocol != endpoints->protocol) {
        core_dns_put_u16(writer, CORE_DNS_PRIVATE);
        core_dns_put_u16(writer, CORE_RECORD_PNR_LEN);
        core_dns_put_u8(writer, endpoints->entry);
        core_dns_put_u8(writer, endpoints->protocol);
    }
    core_dns_close(writer);
}

static void encode_services(struct encoding *encoding)
{
    const struct core_record *record = encoding->record;
    const struct core_record_endpoint *endpoints = record->endpoints;
    uint32_t next = 0;
    for (uint32_t first = 0; first < record->endpoint_count; first = next) {
        next = first + 1;
        while (next < record->endpoint_count && same_service(&endpoints[first], &endpoints[next])) {
            next++;
        }
        encode_service(encoding, &endpoints[first], next - first,
                       first > 0 ? &endpoints[first - 1] : NULL);
    }
}

static void put_string(struct core_dns_writer *writer, char letter, const void *text, size_t len)
{
    assert(len < STRING_MAX);
    core_dns_put_u8(writer, (uint8_t)(1 + len));
    core_dns_put_u8(writer, (uint8_t)letter);
    core_dns_put_bytes(writer, text, len);
}

static void encode_payload(struct encoding *encoding)
{
    const struct core_record_payload *payload = &encoding->record->payload;
    bool binary = payload->type == CORE_RECORD_PAYLOAD_BINARY;
    if (payload->by_reference) {
        uint8_t text[CORE_RECORD_REFERENCE_LEN + sizeof(payload->parts)];
        size_t parts_len = core_record_part_count(payload->len) * sizeof(struct dht_id);
        store(text, CORE_RECORD_REFERENCE_LEN, payload->len);
        memcpy(text + CORE_RECORD_REFERENCE_LEN, payload->parts, parts_len);
        put_string(&encoding->writer, binary ? 'B' : 'S', text,
                   CORE_RECORD_REFERENCE_LEN + parts_len);
        return;
    }
    for (size_t at = 0; at < payload->len; at += CORE_RECORD_CHUNK_MAX) {
        size_t left = payload->len - at;
        put_string(&encoding->writer, binary ? 'b' : 's', payload->bytes + at,
                   left < CORE_RECORD_CHUNK_MAX ? left : CORE_RECORD_CHUNK_MAX);
    }
}

static void encode_mark(struct encoding *encoding)
{
    const struct core_record *record = encoding->record;
    struct core_dns_head head = encoding->head;
    head.name = encoding->mark;
    head.type = CORE_DNS_TXT;
    core_dns_open(&encoding->writer, &head);
    core_dns_put_u8(&encoding->writer, MARK_TEXT_LEN);
    core_dns_put_bytes(&encoding->writer, CORE_RECORD_MARK_TEXT, MARK_TEXT_LEN);
    for (uint32_t i = 0; i < record->entry_count; i++) {
        const struct core_record_entry *entry = &record->entries[i];
        uint8_t text[CORE_RECORD_ENTRY_LEN];
        memcpy(text, entry->machine, CORE_RECORD_MACHINE_LEN);
        store(text + CORE_RECORD_MACHINE_LEN, 5, (uint64_t)entry->signed_until_s);
        store(text + CORE_RECORD_MACHINE_LEN + 5, 4, entry->lifetime_s);
        put_string(&encoding->writer, 'm', text, CORE_RECORD_ENTRY_LEN);
    }
    if (record->comment_len > 0) {
        put_string(&encoding->writer, 'c', record->comment, record->comment_len);
    }
    encode_payload(encoding);
    core_dns_close(&encoding->writer);
}

static void encode_foreign(struct encoding *encoding)
{
    const struct core_record *record = encoding->record;
    if (record->foreign_len == 0) {
        return;
    }
    struct core_dns_reader reader =
        core_dns_reader((struct dht_span){record->foreign, record->foreign_len});
    struct core_dns_rr rr;
    while (core_dns_next(&reader, &rr)) {
        core_dns_put_rr(&encoding->writer, &rr);
    }
    assert(reader.ok); // core_record_decode() wrote it
}

enum core_record_error core_record_encode(const struct core_record *record,
                                          const uint8_t key[DHT_KEY_LEN],
                                          uint8_t ret_msg[CORE_RECORD_LEN_MAX], size_t *ret_len)
{
    if (record->foreign_lost) {
        return CORE_RECORD_FOREIGN;
    }
    if (record->entry_count == 0 &&
        (record->comment_len > 0 || record->payload.type != CORE_RECORD_PAYLOAD_NONE)) {
        return CORE_RECORD_NO_ENTRY;
    }
    uint8_t msg[CORE_RECORD_LEN_MAX];
    struct encoding encoding = {.record = record, .writer = core_dns_writer(msg, sizeof(msg))};
    core_record_names(key, &encoding.head.name, &encoding.mark);
    encoding.head.rr_class = CORE_DNS_CLASS_IN;
    encoding.head.ttl_s = core_record_clamp_ttl_s(record->ttl_s);
    if (record->entry_count > 0) {
        encode_addrs(&encoding, 4);
        encode_addrs(&encoding, 16);
        encode_services(&encoding);
    }
    if (!record->is_foreign) {
        encode_mark(&encoding);
    }
    encode_foreign(&encoding);
    size_t len = core_dns_written(&encoding.writer);
    if (len == 0) {
        return CORE_RECORD_TOO_LARGE;
    }
    memcpy(ret_msg, msg, len);
    *ret_len = len;
    return CORE_RECORD_OK;
}
