// SPDX-License-Identifier: MIT
#include "node/recording/entry.h"

#include "dht/id.h"
#include "node/recording/config.h"

#include <string.h>

// ---- lists ----
// A reader sets them in the room; a writer never touches it.

static size_t list_count(struct recording_coder *coder, size_t count, size_t max)
{
    uint32_t narrow = (uint32_t)count;
    recording_coder_check(coder, count <= max, "more in one call than can be recorded");
    recording_coder_u32(coder, &narrow);
    recording_coder_check(coder, narrow <= max, "a list that is too long");
    return coder->ok ? narrow : 0;
}

static void code_set_addr(struct recording_coder *coder, struct dht_addr *addr)
{
    recording_coder_addr(coder, addr);
    recording_coder_check(coder, addr->ip_len != 0, "an address that is not set");
}

static void code_receive(struct recording_coder *coder, struct recording_entry *entry,
                         struct recording_entry_room *room)
{
    recording_coder_u32(coder, &entry->receive.engine);
    size_t count = list_count(coder, entry->receive.count, RECORDING_DATAGRAMS_MAX);
    for (size_t i = 0; coder->ok && i < count; i++) {
        struct dht_datagram datagram = {0};
        if (coder->is_writing)
            datagram = entry->receive.datagrams[i];
        code_set_addr(coder, &datagram.addr);
        recording_coder_span(coder, &datagram.bytes, UINT16_MAX);
        if (!coder->is_writing)
            room->datagrams[i] = datagram;
    }
    if (!coder->is_writing) {
        entry->receive.datagrams = room->datagrams;
        entry->receive.count = count;
    }
}

static void code_addrs(struct recording_coder *coder, struct recording_entry *entry,
                       struct recording_entry_room *room)
{
    recording_coder_u32(coder, &entry->addrs.engine);
    size_t count = list_count(coder, entry->addrs.count, RECORDING_ADDRS_MAX);
    for (size_t i = 0; coder->ok && i < count; i++) {
        struct dht_addr addr = {0};
        if (coder->is_writing)
            addr = entry->addrs.addrs[i];
        code_set_addr(coder, &addr);
        if (!coder->is_writing)
            room->addrs[i] = addr;
    }
    if (!coder->is_writing) {
        entry->addrs.addrs = room->addrs;
        entry->addrs.count = count;
    }
    bool one = entry->kind != RECORDING_UNREACHABLE || count == 1;
    recording_coder_check(coder, one, "not one address");
}

static void code_counters(struct recording_coder *coder, struct recording_entry *entry,
                          struct recording_entry_room *room)
{
    size_t count = list_count(coder, entry->counters.count, NODE_DRIVER_COUNTERS_MAX);
    for (size_t i = 0; coder->ok && i < count; i++) {
        struct node_driver_counter counter = {0};
        if (coder->is_writing)
            counter = entry->counters.list[i];
        recording_coder_text(coder, &counter.name);
        recording_coder_check(coder, counter.name != NULL, "a counter without a name");
        recording_coder_u64(coder, &counter.value);
        if (!coder->is_writing)
            room->counters[i] = counter;
    }
    if (!coder->is_writing) {
        entry->counters.list = room->counters;
        entry->counters.count = count;
    }
}

// ---- payloads ----

// Fixed-size bytes that the entry points to.
static void code_fixed(struct recording_coder *coder, const uint8_t **bytes, size_t len)
{
    struct dht_span span = {*bytes, len};
    recording_coder_span(coder, &span, len);
    recording_coder_check(coder, span.len == len, "bytes of another length");
    if (!coder->is_writing)
        *bytes = span.data;
}

static void code_row(struct recording_coder *coder, struct recording_entry *entry)
{
    int kind = (int)entry->row.kind;
    recording_coder_choice(coder, &kind, NODE_ROW_PUBLICATION, NODE_ROW_META);
    entry->row.kind = (enum node_row_kind)kind;
    recording_coder_span(coder, &entry->row.key, NODE_ROW_KEY_MAX);
    recording_coder_span(coder, &entry->row.value, NODE_ROW_VALUE_MAX);
}

static void code_label(struct recording_coder *coder, const char **label)
{
    recording_coder_text(coder, label);
    recording_coder_check(coder, *label != NULL, "a key without a label");
}

static void code_key_answer(struct recording_coder *coder, struct node_key_answer *answer)
{
    uint32_t code = (uint32_t)answer->code;
    bool has_key = answer->key != NULL;
    recording_coder_u32(coder, &answer->key_request);
    recording_coder_u32(coder, &code);
    recording_coder_check(coder, code <= INT16_MAX, "an error code that there is not");
    recording_coder_text(coder, &answer->label);
    recording_coder_bool(coder, &has_key);
    if (has_key)
        code_fixed(coder, &answer->key, DHT_KEY_LEN);
    recording_coder_text(coder, &answer->path);
    recording_coder_span(coder, &answer->text, UINT16_MAX);
    recording_coder_span(coder, &answer->findings, UINT16_MAX);
    recording_coder_check(coder, code != 0 || answer->label != NULL, "a key without a label");
    recording_coder_check(coder, !has_key || answer->path != NULL, "a key without a path");
    if (coder->ok)
        answer->code = (int)code;
}

static void code_access(struct recording_coder *coder, struct recording_entry *entry)
{
    int access = (int)entry->session.access;
    recording_coder_choice(coder, &access, NODE_ACCESS_RESOLVE, NODE_ACCESS_CONTROL);
    entry->session.access = (enum node_access)access;
}

static void code_crypto(struct recording_coder *coder, struct recording_entry *entry)
{
    recording_coder_u64(coder, &entry->crypto.digest);
    recording_coder_bool(coder, &entry->crypto.ok);
    if (entry->kind == RECORDING_SIGN && entry->crypto.ok)
        recording_coder_bytes(coder, entry->crypto.sig, sizeof entry->crypto.sig);
}

static void code_end(struct recording_coder *coder, struct recording_entry *entry)
{
    int end = (int)entry->end;
    recording_coder_choice(coder, &end, RECORDING_END_CLOSED, RECORDING_END_BEHIND);
    entry->end = (enum recording_end)end;
}

// Inputs that have to do with clouds, clients and keys, and what is not an input.
static void code_rest(struct recording_coder *coder, struct recording_entry *entry,
                      struct recording_entry_room *room)
{
    switch (entry->kind) {
    case RECORDING_ADD_CLOUD:
        recording_config_cloud(coder, &entry->cloud);
        break;
    case RECORDING_REMOVE_CLOUD:
    case RECORDING_REMOVE_ENGINE:
        recording_coder_u32(coder, &entry->number);
        break;
    case RECORDING_COUNTERS:
        code_counters(coder, entry, room);
        break;
    case RECORDING_SESSION_OPEN:
        code_access(coder, entry);
        break;
    case RECORDING_SESSION_BYTES:
        recording_coder_u32(coder, &entry->session.number);
        recording_coder_span(coder, &entry->session.bytes, RECORDING_PAYLOAD_MAX);
        break;
    case RECORDING_SESSION_SENT:
        recording_coder_u32(coder, &entry->session.number);
        recording_coder_u64(coder, &entry->session.sent);
        break;
    case RECORDING_SESSION_CLOSED:
        recording_coder_u32(coder, &entry->session.number);
        break;
    case RECORDING_KEY_ANSWERED:
        code_key_answer(coder, &entry->key_answered.answer);
        break;
    case RECORDING_SIGN:
    case RECORDING_VERIFY:
        code_crypto(coder, entry);
        break;
    case RECORDING_RESULT:
        recording_coder_i64(coder, &entry->result);
        break;
    case RECORDING_OUTPUT:
        recording_output_code(coder, &entry->output);
        break;
    case RECORDING_DRAINED:
        recording_coder_u32(coder, &entry->drained);
        break;
    case RECORDING_END:
        code_end(coder, entry);
        break;
    default:
        recording_coder_fail(coder, "a kind of entry that there is not");
        break;
    }
}

static void code_birth(struct recording_coder *coder, struct recording_entry *entry)
{
    recording_coder_time(coder, &entry->birth.wall_us);
    code_fixed(coder, &entry->birth.seed, RECORDING_SEED_LEN);
    recording_config_node(coder, &entry->birth.config);
}

static void code_payload(struct recording_coder *coder, struct recording_entry *entry,
                         struct recording_entry_room *room)
{
    switch (entry->kind) {
    case RECORDING_NEW:
        code_birth(coder, entry);
        break;
    case RECORDING_ADD_ENGINE:
        recording_coder_u32(coder, &entry->engine.cloud);
        recording_config_dht(coder, &entry->engine.config);
        break;
    case RECORDING_RESTORE:
        code_row(coder, entry);
        break;
    case RECORDING_KEY_ADDED:
        code_label(coder, &entry->key.label);
        code_fixed(coder, &entry->key.key, DHT_KEY_LEN);
        recording_coder_text(coder, &entry->key.path);
        recording_coder_check(coder, entry->key.path != NULL, "a key without a path");
        break;
    case RECORDING_KEY_REMOVED:
        code_label(coder, &entry->key.label);
        break;
    case RECORDING_WALL:
        recording_coder_time(coder, &entry->wall_us);
        break;
    case RECORDING_RECEIVE:
    case RECORDING_HEARD:
        code_receive(coder, entry, room);
        break;
    case RECORDING_UNREACHABLE:
    case RECORDING_BOOTSTRAP:
        code_addrs(coder, entry, room);
        break;
    case RECORDING_SET_PUBLISHING:
        recording_coder_u32(coder, &entry->publishing.ttl_s);
        recording_coder_time(coder, &entry->publishing.renew_us);
        recording_coder_check(coder, entry->publishing.renew_us >= 0, "a time below 0");
        break;
    case RECORDING_WRITTEN:
        recording_coder_u64(coder, &entry->written.id);
        recording_coder_bool(coder, &entry->written.ok);
        break;
    case RECORDING_START:
    case RECORDING_NETWORK_CHANGED:
    case RECORDING_TICK:
    case RECORDING_STOP:
        break; // the time is all there is
    default:
        code_rest(coder, entry, room);
        break;
    }
}

static void code(struct recording_coder *coder, struct recording_entry *entry,
                 struct recording_entry_room *room)
{
    if (recording_entry_has_time(entry->kind))
        recording_coder_time(coder, &entry->now_us);
    recording_coder_check(coder, entry->now_us >= 0, "a time below 0");
    code_payload(coder, entry, room);
}

// ---- the head ----

static void code_head(struct recording_coder *coder, struct recording_entry_head *head)
{
    recording_coder_u8(coder, &head->kind);
    recording_coder_u32(coder, &head->payload_len);
    recording_coder_u32(coder, &head->payload_crc);
}

void recording_entry_head_write(const struct recording_entry_head *head,
                                uint8_t ret_bytes[RECORDING_ENTRY_HEAD_LEN])
{
    struct recording_entry_head copy = *head;
    struct recording_coder coder = recording_coder_writer(ret_bytes, RECORDING_ENTRY_HEAD_LEN);
    code_head(&coder, &copy);
    uint32_t crc = dht_id_crc32c(ret_bytes, RECORDING_ENTRY_HEAD_LEN - 4);
    recording_coder_u32(&coder, &crc);
}

bool recording_entry_head_read(const uint8_t bytes[RECORDING_ENTRY_HEAD_LEN],
                               struct recording_entry_head *ret_head)
{
    struct recording_coder coder =
        recording_coder_reader((struct dht_span){bytes, RECORDING_ENTRY_HEAD_LEN});
    struct recording_entry_head head = {0};
    uint32_t crc = 0;
    code_head(&coder, &head);
    recording_coder_u32(&coder, &crc);
    if (crc != dht_id_crc32c(bytes, RECORDING_ENTRY_HEAD_LEN - 4))
        return false;
    *ret_head = head;
    return true;
}

// ---- both directions ----

size_t recording_entry_write(const struct recording_entry *entry, uint8_t *buf, size_t buf_len)
{
    struct recording_entry copy = *entry;
    if (buf_len < RECORDING_ENTRY_HEAD_LEN)
        return 0;
    size_t payload_max = buf_len - RECORDING_ENTRY_HEAD_LEN;
    if (payload_max > RECORDING_PAYLOAD_MAX)
        payload_max = RECORDING_PAYLOAD_MAX;
    struct recording_coder coder =
        recording_coder_writer(buf + RECORDING_ENTRY_HEAD_LEN, payload_max);
    code(&coder, &copy, NULL);
    if (!coder.ok)
        return 0;
    uint32_t payload_len = (uint32_t)(payload_max - coder.left);
    struct recording_entry_head head = {(uint8_t)entry->kind, payload_len, 0};
    head.payload_crc = dht_id_crc32c(buf + RECORDING_ENTRY_HEAD_LEN, payload_len);
    recording_entry_head_write(&head, buf);
    return RECORDING_ENTRY_HEAD_LEN + payload_len;
}

bool recording_entry_read(uint8_t kind, struct dht_span payload, struct recording_entry_room *room,
                          struct recording_entry *ret_entry, const char **ret_why)
{
    struct recording_coder coder = recording_coder_reader(payload);
    memset(ret_entry, 0, sizeof *ret_entry);
    ret_entry->kind = (enum recording_kind)kind;
    code(&coder, ret_entry, room);
    recording_coder_check(&coder, coder.left == 0, "the entry goes on behind its end");
    if (!coder.ok)
        *ret_why = coder.why;
    return coder.ok;
}

// ---- kinds ----

const char *recording_entry_kind_text(int kind)
{
    switch (kind) {
#define KIND_TEXT(name, number, text)                                                              \
    case number:                                                                                   \
        return text;
        RECORDING_KINDS(KIND_TEXT)
#undef KIND_TEXT
    default:
        return "?";
    }
}

bool recording_entry_is_input(enum recording_kind kind)
{
    return kind >= RECORDING_NEW && kind <= RECORDING_HEARD;
}

bool recording_entry_has_time(enum recording_kind kind)
{
    switch (kind) {
    case RECORDING_RESTORE:
    case RECORDING_KEY_ADDED:
    case RECORDING_KEY_REMOVED:
    case RECORDING_SET_PUBLISHING:
    case RECORDING_COUNTERS:
        return false;
    default:
        return recording_entry_is_input(kind);
    }
}
