// SPDX-License-Identifier: MIT
#include "node/core/dns.h"

#include <assert.h>
#include <string.h>

#define LABEL_MAX    63
#define POINTER_BITS 0xc0 // the top bits of a label's length byte that make it a pointer
#define POINTER_MAX  0x3fff
#define HEAD_LEN     10 // type, class, TTL and RDLENGTH

static uint16_t load_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t load_u32(const uint8_t *at)
{
    return (uint32_t)load_u16(at) << 16 | load_u16(at + 2);
}

static void store_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

// ---- names ----

void core_dns_name_root(struct core_dns_name *ret_name)
{
    ret_name->bytes[0] = 0;
    ret_name->len = 1;
}

bool core_dns_name_prepend(struct core_dns_name *name, const void *label, size_t label_len)
{
    if (label_len == 0 || label_len > LABEL_MAX || name->len + 1 + label_len > CORE_DNS_NAME_MAX) {
        return false;
    }
    memmove(name->bytes + 1 + label_len, name->bytes, name->len);
    name->bytes[0] = (uint8_t)label_len;
    memcpy(name->bytes + 1, label, label_len);
    name->len = (uint8_t)(name->len + 1 + label_len);
    return true;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

bool core_dns_name_equal(const struct core_dns_name *a, const struct core_dns_name *b)
{
    if (a->len != b->len) {
        return false;
    }
    // Length bytes are below 64 and so are no letters: one loop serves both.
    for (size_t i = 0; i < a->len; i++) {
        if (lower(a->bytes[i]) != lower(b->bytes[i])) {
            return false;
        }
    }
    return true;
}

// Reads the name at `at`, following pointers. Returns where the text goes on behind it; 0 where it
// is malformed.
static size_t read_name(struct dht_span msg, size_t at, struct core_dns_name *ret_name)
{
    size_t behind = 0; // what follows the name; set when the first pointer is met
    size_t floor = at; // a pointer has to lead to before this, and so no chain is endless
    struct core_dns_name name = {.len = 0};
    while (at < msg.len) {
        uint8_t len = msg.data[at];
        if ((len & POINTER_BITS) == POINTER_BITS) {
            if (at + 2 > msg.len) {
                return 0;
            }
            size_t to = load_u16(msg.data + at) & POINTER_MAX;
            if (to >= floor || to < CORE_DNS_HEADER_LEN) {
                return 0;
            }
            behind = behind == 0 ? at + 2 : behind;
            at = to;
            floor = to;
            continue;
        }
        // A label, or the root: LABEL_MAX also refuses the two reserved label types.
        size_t name_len = name.len + (size_t)1 + len;
        if (len > LABEL_MAX || at + 1 + len > msg.len || name_len > CORE_DNS_NAME_MAX) {
            return 0;
        }
        memcpy(name.bytes + name.len, msg.data + at, (size_t)1 + len);
        name.len = (uint8_t)name_len;
        at += (size_t)1 + len;
        if (len == 0) {
            *ret_name = name;
            return behind == 0 ? at : behind;
        }
    }
    return 0;
}

// ---- the data of a record ----

// Types whose data holds names (RFC 1035, RFC 2782, RFC 6672): bytes before the names, how many
// names, bytes behind them, and whether a writer may compress them (RFC 3597 section 4).
struct layout {
    uint16_t type;
    uint8_t before;
    uint8_t names;
    uint8_t behind;
    bool compressible;
};

static const struct layout layouts[] = {
    {CORE_DNS_NS, 0, 1, 0, true},     {CORE_DNS_CNAME, 0, 1, 0, true},
    {CORE_DNS_SOA, 0, 2, 20, true},   {CORE_DNS_PTR, 0, 1, 0, true},
    {CORE_DNS_MX, 2, 1, 0, true},     {CORE_DNS_SRV, 6, 1, 0, false},
    {CORE_DNS_DNAME, 0, 1, 0, false},
};

static const struct layout *find_layout(uint16_t type)
{
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        if (layouts[i].type == type) {
            return &layouts[i];
        }
    }
    return NULL;
}

// Copies msg[at, end), data laid out like layout, with its names written out in full.
static bool expand_rdata(struct dht_span msg, size_t at, size_t end, const struct layout *layout,
                         struct core_dns_rr *rr)
{
    struct dht_span until = {msg.data, end}; // names may not run past their data
    if (end - at < layout->before) {
        return false;
    }
    memcpy(rr->rdata, msg.data + at, layout->before);
    size_t len = layout->before;
    at += layout->before;
    for (uint32_t i = 0; i < layout->names; i++) {
        struct core_dns_name name;
        at = read_name(until, at, &name);
        if (at == 0) {
            return false;
        }
        memcpy(rr->rdata + len, name.bytes, name.len);
        len += name.len;
    }
    if (end - at != layout->behind) {
        return false;
    }
    memcpy(rr->rdata + len, msg.data + at, layout->behind);
    rr->rdata_len = (uint16_t)(len + layout->behind);
    return true;
}

bool core_dns_txt_next(struct dht_span *rest, struct dht_span *ret_string)
{
    if (rest->len == 0) {
        return false;
    }
    size_t len = rest->data[0];
    assert(len < rest->len); // core_dns_next() has checked it
    *ret_string = (struct dht_span){rest->data + 1, len};
    rest->data += 1 + len;
    rest->len -= 1 + len;
    return true;
}

// Whether data is one string or more, to its very end.
static bool check_txt(struct dht_span data)
{
    if (data.len == 0) {
        return false;
    }
    size_t at = 0;
    while (at < data.len) {
        at += (size_t)1 + data.data[at];
    }
    return at == data.len;
}

// Whether the data of a type that is read here has its form in class IN.
static bool check_rdata(uint16_t type, struct dht_span data)
{
    struct core_dns_svcb svcb;
    switch (type) {
    case CORE_DNS_A:
        return data.len == 4;
    case CORE_DNS_AAAA:
        return data.len == 16;
    case CORE_DNS_TXT:
        return check_txt(data);
    case CORE_DNS_SVCB:
    case CORE_DNS_HTTPS:
        return core_dns_svcb(data, &svcb);
    default:
        return true;
    }
}

// ---- SVCB ----

static bool check_svcparam(uint16_t key, size_t len)
{
    switch (key) {
    case CORE_DNS_MANDATORY:
        return len > 0 && len % 2 == 0;
    case CORE_DNS_PORT:
        return len == 2;
    case CORE_DNS_IPV4HINT:
        return len > 0 && len % 4 == 0;
    case CORE_DNS_IPV6HINT:
        return len > 0 && len % 16 == 0;
    default:
        return true;
    }
}

bool core_dns_svcb(struct dht_span rdata, struct core_dns_svcb *ret_svcb)
{
    struct core_dns_svcb svcb;
    if (rdata.len < 3) {
        return false;
    }
    svcb.priority = load_u16(rdata.data);
    // From the start of a span no pointer leads backwards: read_name() refuses a compressed target.
    struct dht_span tail = {rdata.data + 2, rdata.len - 2};
    size_t at = read_name(tail, 0, &svcb.target);
    if (at == 0) {
        return false;
    }
    svcb.params = (struct dht_span){tail.data + at, tail.len - at};
    int32_t last_key = -1;
    while (at < tail.len) {
        if (tail.len - at < 4) {
            return false;
        }
        uint16_t key = load_u16(tail.data + at);
        size_t len = load_u16(tail.data + at + 2);
        at += 4;
        if (len > tail.len - at || key <= last_key || !check_svcparam(key, len)) {
            return false;
        }
        last_key = key;
        at += len;
    }
    *ret_svcb = svcb;
    return true;
}

bool core_dns_svcb_param(const struct core_dns_svcb *svcb, uint16_t key, struct dht_span *ret_value)
{
    const uint8_t *at = svcb->params.data;
    const uint8_t *end = at + svcb->params.len;
    while (at < end) {
        uint16_t found = load_u16(at);
        size_t len = load_u16(at + 2);
        assert(len <= (size_t)(end - at) - 4); // core_dns_svcb() has checked it
        if (found == key) {
            *ret_value = (struct dht_span){at + 4, len};
            return true;
        }
        at += 4 + len;
    }
    return false;
}

// ---- reading ----

struct core_dns_reader core_dns_reader(struct dht_span msg)
{
    struct core_dns_reader reader = {.msg = msg, .at = CORE_DNS_HEADER_LEN};
    if (msg.len < CORE_DNS_HEADER_LEN || msg.len > CORE_DNS_READ_MAX) {
        return reader;
    }
    reader.flags = load_u16(msg.data + 2);
    reader.answers = load_u16(msg.data + 6);
    reader.left = reader.answers;
    for (uint32_t questions = load_u16(msg.data + 4); questions > 0; questions--) {
        struct core_dns_name name;
        size_t at = read_name(msg, reader.at, &name);
        if (at == 0 || msg.len - at < 4) {
            return reader;
        }
        reader.at = at + 4;
    }
    reader.ok = true;
    return reader;
}

// Reads the record at reader->at; returns where the next one starts, 0 where it is malformed.
static size_t read_rr(const struct core_dns_reader *reader, struct core_dns_rr *rr)
{
    struct dht_span msg = reader->msg;
    size_t at = read_name(msg, reader->at, &rr->head.name);
    if (at == 0 || msg.len - at < HEAD_LEN) {
        return 0;
    }
    rr->head.type = load_u16(msg.data + at);
    rr->head.rr_class = load_u16(msg.data + at + 2);
    rr->head.ttl_s = load_u32(msg.data + at + 4);
    size_t len = load_u16(msg.data + at + 8);
    at += HEAD_LEN;
    if (len > msg.len - at) {
        return 0;
    }
    const struct layout *layout = find_layout(rr->head.type);
    if (layout != NULL) {
        return expand_rdata(msg, at, at + len, layout, rr) ? at + len : 0;
    }
    if (rr->head.rr_class == CORE_DNS_CLASS_IN &&
        !check_rdata(rr->head.type, (struct dht_span){msg.data + at, len})) {
        return 0;
    }
    memcpy(rr->rdata, msg.data + at, len);
    rr->rdata_len = (uint16_t)len;
    return at + len;
}

bool core_dns_next(struct core_dns_reader *reader, struct core_dns_rr *ret_rr)
{
    if (!reader->ok || reader->left == 0) {
        return false;
    }
    struct core_dns_rr rr;
    size_t next = read_rr(reader, &rr);
    if (next == 0) {
        reader->ok = false;
        return false;
    }
    reader->at = next;
    reader->left--;
    ret_rr->head = rr.head;
    ret_rr->rdata_len = rr.rdata_len;
    memcpy(ret_rr->rdata, rr.rdata, rr.rdata_len);
    return true;
}

// ---- writing ----

struct core_dns_writer core_dns_writer(uint8_t *buf, size_t cap)
{
    assert(cap >= CORE_DNS_HEADER_LEN);
    memset(buf, 0, CORE_DNS_HEADER_LEN);
    store_u16(buf + 2, CORE_DNS_FLAGS_REPLY);
    return (struct core_dns_writer){.buf = buf, .cap = cap, .len = CORE_DNS_HEADER_LEN};
}

void core_dns_put_bytes(struct core_dns_writer *writer, const void *data, size_t len)
{
    if (writer->full || len > writer->cap - writer->len) {
        writer->full = true;
        return;
    }
    if (len > 0) {
        memcpy(writer->buf + writer->len, data, len);
        writer->len += len;
    }
}

void core_dns_put_u8(struct core_dns_writer *writer, uint8_t value)
{
    core_dns_put_bytes(writer, &value, 1);
}

void core_dns_put_u16(struct core_dns_writer *writer, uint16_t value)
{
    uint8_t bytes[2];
    store_u16(bytes, value);
    core_dns_put_bytes(writer, bytes, 2);
}

static void put_u32(struct core_dns_writer *writer, uint32_t value)
{
    core_dns_put_u16(writer, (uint16_t)(value >> 16));
    core_dns_put_u16(writer, (uint16_t)value);
}

// Whether the name written at `at` is exactly suffix, of suffix_len bytes with the root's.
static bool suffix_is_at(const struct core_dns_writer *writer, size_t at, const uint8_t *suffix,
                         size_t suffix_len)
{
    size_t done = 0;
    while (done < suffix_len) {
        uint8_t len = writer->buf[at];
        if ((len & POINTER_BITS) == POINTER_BITS) {
            at = load_u16(writer->buf + at) & POINTER_MAX; // one of ours: it leads backwards
            continue;
        }
        if (len != suffix[done] || memcmp(writer->buf + at, suffix + done, (size_t)1 + len) != 0) {
            return false;
        }
        done += (size_t)1 + len;
        at += (size_t)1 + len;
    }
    return true;
}

// Where suffix has been written before, among the first `known` suffixes; 0 where it has not.
static size_t find_suffix(const struct core_dns_writer *writer, uint32_t known,
                          const uint8_t *suffix, size_t suffix_len)
{
    for (uint32_t i = 0; i < known; i++) {
        if (suffix_is_at(writer, writer->suffixes[i], suffix, suffix_len)) {
            return writer->suffixes[i];
        }
    }
    return 0;
}

// Writes a name of wire form, with a pointer in place of the longest suffix known. What it adds is
// known from the next name on: a name does not point into itself. A full writer knows nothing, for
// what it knows of may be cut off.
static void put_name(struct core_dns_writer *writer, const uint8_t *name, size_t name_len)
{
    size_t done = 0;
    uint32_t known = writer->suffix_count;
    while (name[done] != 0 && !writer->full) {
        size_t found = find_suffix(writer, known, name + done, name_len - done);
        if (found != 0) {
            core_dns_put_u16(writer, (uint16_t)(POINTER_BITS << 8 | found));
            return;
        }
        if (writer->suffix_count < CORE_DNS_SUFFIXES && writer->len <= POINTER_MAX) {
            writer->suffixes[writer->suffix_count++] = (uint16_t)writer->len;
        }
        core_dns_put_bytes(writer, name + done, (size_t)1 + name[done]);
        done += (size_t)1 + name[done];
    }
    core_dns_put_u8(writer, 0);
}

void core_dns_open(struct core_dns_writer *writer, const struct core_dns_head *head)
{
    assert(writer->rdlength_at == 0);
    put_name(writer, head->name.bytes, head->name.len);
    core_dns_put_u16(writer, head->type);
    core_dns_put_u16(writer, head->rr_class);
    put_u32(writer, head->ttl_s);
    writer->rdlength_at = writer->len;
    core_dns_put_u16(writer, 0);
}

void core_dns_close(struct core_dns_writer *writer)
{
    assert(writer->rdlength_at != 0);
    if (!writer->full) {
        size_t rdata_len = writer->len - writer->rdlength_at - 2;
        store_u16(writer->buf + writer->rdlength_at, (uint16_t)rdata_len);
        store_u16(writer->buf + 6, (uint16_t)(load_u16(writer->buf + 6) + 1));
    }
    writer->rdlength_at = 0;
}

void core_dns_put_rr(struct core_dns_writer *writer, const struct core_dns_rr *rr)
{
    core_dns_open(writer, &rr->head);
    const struct layout *layout = find_layout(rr->head.type);
    size_t at = 0;
    if (layout != NULL && layout->compressible) {
        struct dht_span rdata = {rr->rdata, rr->rdata_len};
        core_dns_put_bytes(writer, rr->rdata, layout->before);
        at = layout->before;
        for (uint32_t i = 0; i < layout->names; i++) {
            struct core_dns_name name;
            size_t behind = read_name(rdata, at, &name);
            assert(behind != 0); // core_dns_next() wrote it out in full
            put_name(writer, name.bytes, name.len);
            at = behind;
        }
    }
    core_dns_put_bytes(writer, rr->rdata + at, rr->rdata_len - at);
    core_dns_close(writer);
}

size_t core_dns_written(const struct core_dns_writer *writer)
{
    assert(writer->rdlength_at == 0);
    return writer->full ? 0 : writer->len;
}
