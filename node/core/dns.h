// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_DNS_H
#define PNR_CORE_DNS_H

// DNS messages (RFC 1035) as pkarr signs them: a reply with id 0 of which only the answer section
// counts. Read without trust and written with compressed names.
//
// Reading: a reader walks the answers of one message that the caller owns, one record a call, and
// copies each out; so there is no limit on records but the message's 1000 bytes. Every step is
// checked. Compression pointers have to point backwards, before the name they are part of, which
// ends every chain. The names inside the data of NS, CNAME, SOA, PTR, MX, DNAME and SRV records are
// written out in full, for they would mean nothing in another message; all other data is carried
// byte for byte (RFC 3597).
//
// Writing: a writer fills a buffer that the caller owns. Owner names are compressed, and names in
// the data of NS, CNAME, SOA, PTR and MX records too, which RFC 3597 allows; matching is byte for
// byte, so that a name keeps its case. Past the end of the buffer it writes nothing and sets
// `full`.

#include "pnr/dht.h"

#define CORE_DNS_READ_MAX    1000 // longest message that is read, pkarr's limit
#define CORE_DNS_WRITE_MAX   996  // longest message that BEP 44's storing nodes take
#define CORE_DNS_NAME_MAX    255  // RFC 1035, with the root's zero byte
#define CORE_DNS_RDATA_MAX   1024 // of one record read; names inside are written out in full
#define CORE_DNS_HEADER_LEN  12
#define CORE_DNS_ANSWERS_MAX 90 // that a message of CORE_DNS_READ_MAX bytes can hold: 11 bytes each
#define CORE_DNS_SUFFIXES    64 // names that a writer remembers to point at
#define CORE_DNS_CLASS_IN    1
#define CORE_DNS_FLAGS_REPLY 0x8000 // QR and nothing else, as pkarr writes it

enum core_dns_type {
    CORE_DNS_A = 1,
    CORE_DNS_NS = 2,
    CORE_DNS_CNAME = 5,
    CORE_DNS_SOA = 6,
    CORE_DNS_PTR = 12,
    CORE_DNS_MX = 15,
    CORE_DNS_TXT = 16,
    CORE_DNS_AAAA = 28,
    CORE_DNS_SRV = 33,
    CORE_DNS_DNAME = 39,
    CORE_DNS_SVCB = 64,  // RFC 9460
    CORE_DNS_HTTPS = 65, // RFC 9460, SVCB's form
};

// SvcParamKeys (RFC 9460 section 14.3.2).
enum core_dns_svcparam {
    CORE_DNS_MANDATORY = 0,
    CORE_DNS_ALPN = 1,
    CORE_DNS_NO_DEFAULT_ALPN = 2,
    CORE_DNS_PORT = 3,
    CORE_DNS_IPV4HINT = 4,
    CORE_DNS_ECH = 5,
    CORE_DNS_IPV6HINT = 6,
    CORE_DNS_PRIVATE = 65280, // the first key for private use
};

// A name in wire form, uncompressed, with the root's zero byte; len 1 is the root.
struct core_dns_name {
    uint8_t bytes[CORE_DNS_NAME_MAX];
    uint8_t len;
};

// The root, to which core_dns_name_prepend() adds labels, the last one first.
void core_dns_name_root(struct core_dns_name *ret_name);
// Puts one label before name. False, and nothing done, where the label is empty or longer than 63
// bytes, or the name would become longer than 255.
bool core_dns_name_prepend(struct core_dns_name *name, const void *label, size_t label_len);
// Byte for byte, ASCII letters without regard to case (RFC 4343).
bool core_dns_name_equal(const struct core_dns_name *a, const struct core_dns_name *b);

// ---- reading ----

struct core_dns_head {
    struct core_dns_name name;
    uint16_t type; // enum core_dns_type, or any other
    uint16_t rr_class;
    uint32_t ttl_s;
};

// One resource record. Its data stands alone: no pointers into the message are left in it.
struct core_dns_rr {
    struct core_dns_head head;
    uint16_t rdata_len;
    uint8_t rdata[CORE_DNS_RDATA_MAX];
};

struct core_dns_reader {
    struct dht_span msg;
    size_t at;
    uint16_t left; // answers not read yet
    uint16_t answers;
    uint16_t flags;
    bool ok; // false from the first error on
};

// Reads the header and passes over questions. Where msg is no message (shorter than a header,
// longer than CORE_DNS_READ_MAX, broken questions), ok is false.
struct core_dns_reader core_dns_reader(struct dht_span msg);

// Reads the next answer. False at the end, and at the first error, which clears ok. What follows
// the answers is not looked at. ret_rr is written only on success. Errors: a record that is cut
// off; a name with a forward pointer, a bad label, or more than 255 bytes; names inside data that
// do not end where the data ends; and in class IN: A and AAAA data of another length than 4 and 16,
// TXT data that is no sequence of one string or more, SVCB and HTTPS data that core_dns_svcb()
// refuses.
bool core_dns_next(struct core_dns_reader *reader, struct core_dns_rr *ret_rr);

// The data of an SVCB or HTTPS record.
struct core_dns_svcb {
    uint16_t priority; // 0: AliasMode
    struct core_dns_name target;
    struct dht_span params; // into the data
};

// Parses rdata. False where it is malformed (RFC 9460 section 2.2): cut off, a compressed target,
// keys not strictly ascending, or the value of mandatory, port, ipv4hint or ipv6hint of a length it
// cannot have. ret_svcb is written only on success.
bool core_dns_svcb(struct dht_span rdata, struct core_dns_svcb *ret_svcb);
// Finds one parameter's value, which may be empty. False where it is missing.
bool core_dns_svcb_param(const struct core_dns_svcb *svcb, uint16_t key,
                         struct dht_span *ret_value);

// Walks the strings of TXT data of class IN that core_dns_next() let pass. rest starts as the whole
// data. False at the end.
bool core_dns_txt_next(struct dht_span *rest, struct dht_span *ret_string);

// ---- writing ----

struct core_dns_writer {
    uint8_t *buf;
    size_t cap;
    size_t len;
    size_t rdlength_at; // of the open record; 0 where none is open
    uint16_t suffixes[CORE_DNS_SUFFIXES];
    uint16_t suffix_count;
    bool full;
};

// Starts a reply (id 0, flags 0x8000) in buf; cap is at least CORE_DNS_HEADER_LEN.
struct core_dns_writer core_dns_writer(uint8_t *buf, size_t cap);

// Opens a record; its data follows by the put functions, then core_dns_close().
void core_dns_open(struct core_dns_writer *writer, const struct core_dns_head *head);
void core_dns_put_u8(struct core_dns_writer *writer, uint8_t value);
void core_dns_put_u16(struct core_dns_writer *writer, uint16_t value);
void core_dns_put_bytes(struct core_dns_writer *writer, const void *data, size_t len);
// Closes the record: writes the length of its data and counts it.
void core_dns_close(struct core_dns_writer *writer);

// Writes a record as it was read.
void core_dns_put_rr(struct core_dns_writer *writer, const struct core_dns_rr *rr);

// The length of the message; 0 where it did not fit.
size_t core_dns_written(const struct core_dns_writer *writer);

#endif
