// SPDX-License-Identifier: MIT
#ifndef PNR_CORE_RECORD_H
#define PNR_CORE_RECORD_H

// Records: what a secured name resolves to, and its form as the value of a BEP 44 item: a DNS reply
// message in pkarr's form. docs/record.md fixes that form; this file is its only codec.
//
// A record holds one entry for each machine that publishes the name, the machines' endpoints, at
// most one comment and one payload, and the resource records of other software under the same key,
// which are carried along unchanged. A record of ours without entries is a tombstone: the name is
// withdrawn. A foreign record, anybody's pkarr record, has no entries either, but resolves to the
// addresses that stand in it, with port 0 where it tells none.
//
// A record is a plain value of about 3 KB: it owns nothing and can be copied. The functions here
// keep it canonical (entries by machine id, endpoints by machine, protocol, port and address, none
// twice), so that equal contents give equal bytes on every machine; change it through them only.

#include "node/core/dns.h"
#include "pnr/dht.h"

#define CORE_RECORD_LEN_MAX       996 // encoded: "996:" and 996 bytes are BEP 44's 1000
#define CORE_RECORD_LEN_GOOD      580 // up to here, a reply travels everywhere in one packet
#define CORE_RECORD_ENTRIES_MAX   10
#define CORE_RECORD_ENDPOINTS_MAX 10
#define CORE_RECORD_MACHINE_LEN   8
#define CORE_RECORD_COMMENT_MAX   78   // bytes: 39 UTF-16 units
#define CORE_RECORD_PAYLOAD_MAX   4096 // bytes
#define CORE_RECORD_PART_LEN      996  // bytes of a payload in one immutable item
#define CORE_RECORD_PARTS_MAX     5
#define CORE_RECORD_GRACE_S       300 // an entry counts for so long past its signed-until
#define CORE_RECORD_TTL_MIN_S     300
#define CORE_RECORD_TTL_MAX_S     86400
#define CORE_RECORD_UNTIL_MAX_S   ((INT64_C(1) << 40) - 1) // 40 bits on the wire
#define CORE_RECORD_NO_MACHINE    0xff

// One publishing machine.
struct core_record_entry {
    uint8_t machine[CORE_RECORD_MACHINE_LEN]; // random, made once for an installation
    int64_t signed_until_s;                   // UNIX time; 0 to CORE_RECORD_UNTIL_MAX_S
    uint32_t lifetime_s; // for how long the machine asked to be registered; 0: it did not say
};

struct core_record_endpoint {
    struct dht_addr addr; // port 0: none told
    uint8_t protocol;     // IP protocol number: 6 TCP, 17 UDP; 0: none told
    uint8_t entry;        // index into entries; CORE_RECORD_NO_MACHINE in a foreign record
};

// Winsock's PNRP_EXTENDED_PAYLOAD_TYPE.
enum core_record_payload_type {
    CORE_RECORD_PAYLOAD_NONE = 0,
    CORE_RECORD_PAYLOAD_BINARY = 1,
    CORE_RECORD_PAYLOAD_STRING = 2, // UTF-16LE units as they are, an even number of bytes, no NUL
};

struct core_record_payload {
    enum core_record_payload_type type;
    bool by_reference; // parts tell where it is; otherwise bytes hold it
    uint16_t len;      // of the whole payload; 1 to 4096, 0 with type NONE
    union {
        uint8_t bytes[CORE_RECORD_LEN_MAX];
        struct dht_id parts[CORE_RECORD_PARTS_MAX]; // targets of immutable items, in order
    };
};

struct core_record {
    uint32_t entry_count;
    struct core_record_entry entries[CORE_RECORD_ENTRIES_MAX];
    uint32_t endpoint_count;
    struct core_record_endpoint endpoints[CORE_RECORD_ENDPOINTS_MAX];
    uint16_t comment_len;                     // bytes, even
    uint8_t comment[CORE_RECORD_COMMENT_MAX]; // UTF-16LE units as they are, valid text or not
    struct core_record_payload payload;
    uint32_t ttl_s; // written to our resource records; 300 to 86400
    // Foreign resource records, as a DNS message of their own; foreign_len 0: there are none.
    uint16_t foreign_len;
    uint8_t foreign[CORE_DNS_READ_MAX];
    uint32_t foreign_ttl_s; // the least of theirs; UINT32_MAX where there are none
    // What they resolve to. While there are no entries, these are the endpoints too.
    uint32_t foreign_endpoint_count;
    struct core_record_endpoint foreign_endpoints[CORE_RECORD_ENDPOINTS_MAX];
    bool foreign_cut;  // more than 10 foreign endpoints: the rest was left out
    bool foreign_lost; // some could not be kept: the record can be read but not encoded
    bool is_foreign;   // no mark of ours in it: written by other software
};

enum core_record_error {
    CORE_RECORD_OK,
    CORE_RECORD_MALFORMED,      // decode: not a DNS message, or the part that is ours is broken
    CORE_RECORD_TOO_LARGE,      // more than 996 bytes encoded
    CORE_RECORD_ENDPOINTS,      // more than 10 endpoints in all
    CORE_RECORD_ENTRIES,        // more than 10 machines
    CORE_RECORD_COMMENT,        // a comment of more than 39 units, or of an odd number of bytes
    CORE_RECORD_PAYLOAD,        // a payload of more than 4096 bytes, or a string of odd length
    CORE_RECORD_FOREIGN,        // foreign resource records would be lost
    CORE_RECORD_NO_ENTRY,       // a comment or payload needs a machine's entry to stand beside
    CORE_RECORD_ENTRY_RANGE,    // signed_until_s out of range
    CORE_RECORD_ENDPOINT_FAMILY // an address that is neither IPv4 nor IPv6
};

// What went wrong, in a few words.
const char *core_record_error_text(enum core_record_error error);

// A tombstone: no entries, nothing else; ttl_s is CORE_RECORD_TTL_MIN_S.
void core_record_init(struct core_record *ret_record);

// ---- the bytes ----

// Reads the value of an item of key (the DNS message itself, without bencoding). Expired entries
// are kept: see core_record_prune(). ret_record is written only on success.
enum core_record_error core_record_decode(const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                                          struct core_record *ret_record);

// Writes record as the value of an item of key, without bencoding. The same record gives the same
// bytes. Errors: TOO_LARGE, FOREIGN, NO_ENTRY.
enum core_record_error core_record_encode(const struct core_record *record,
                                          const uint8_t key[DHT_KEY_LEN],
                                          uint8_t ret_msg[CORE_RECORD_LEN_MAX], size_t *ret_len);

// ---- reading it ----

// Whether it says that the name is withdrawn: ours, and without entries. If it has no endpoints
// (of foreign resource records) either, the name resolves as not found.
bool core_record_is_tombstone(const struct core_record *record);

// How long it may be cached: the least TTL of all its resource records, within 300 to 86400 s.
uint32_t core_record_ttl_s(const struct core_record *record);

// When the next of its entries does not count any more, as UNIX time; INT64_MAX where it has none.
int64_t core_record_expiry_s(const struct core_record *record);

// Whether both say the same: all but signed-until, lifetime and the TTL of ours. A republish that
// renews those alone is not a change.
bool core_record_same_content(const struct core_record *a, const struct core_record *b);

// ---- changing it ----
// On error nothing is changed. Size is checked by core_record_encode() alone.

// Puts a machine's entry and endpoints in place of what the machine had before, if anything. The
// endpoints' `entry` is ignored; equal ones are kept once. A foreign record becomes ours with it.
// Errors: ENDPOINTS, ENTRIES, ENTRY_RANGE, ENDPOINT_FAMILY.
enum core_record_error core_record_replace(struct core_record *record,
                                           const struct core_record_entry *entry,
                                           const struct core_record_endpoint *endpoints,
                                           size_t endpoint_count);

// Takes a machine's entry and endpoints out. With the last entry go comment and payload. False
// where the machine had none.
bool core_record_remove(struct core_record *record, const uint8_t machine[CORE_RECORD_MACHINE_LEN]);

// Takes out every entry whose signed-until is more than CORE_RECORD_GRACE_S in the past. Returns
// how many.
uint32_t core_record_prune(struct core_record *record, int64_t wall_s);

// Sets the comment, units of UTF-16LE; len 0 takes it away. Error: COMMENT.
enum core_record_error core_record_set_comment(struct core_record *record, struct dht_span comment);

// Sets the payload, within the record or, by_reference, as the targets of its parts, which then
// have to be stored as immutable items (core_record_part()). A payload belongs into the record
// where it fits: try that first, and where core_record_encode() says TOO_LARGE, set it again by
// reference. Type NONE or len 0 takes it away. Errors: PAYLOAD; TOO_LARGE where it could not fit in
// any record.
enum core_record_error core_record_set_payload(struct core_record *record,
                                               const struct dht_crypto *crypto,
                                               enum core_record_payload_type type,
                                               struct dht_span bytes, bool by_reference);

// Take the comment and the payload out where they are these: what another machine has put in their
// place stays.
void core_record_clear_comment(struct core_record *record, struct dht_span comment);
void core_record_clear_payload(struct core_record *record, const struct dht_crypto *crypto,
                               enum core_record_payload_type type, struct dht_span bytes);

// ---- payloads by reference ----

// How many parts a payload of len bytes has: all but the last of 996 bytes.
uint32_t core_record_part_count(size_t len);
// Part number index of payload: what is stored, as a byte string, in an immutable item.
struct dht_span core_record_part(struct dht_span payload, uint32_t index);
// The target of that item: SHA-1 of the bencoded part.
void core_record_part_target(const struct dht_crypto *crypto, struct dht_span part,
                             struct dht_id *ret_target);

#endif
