// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_CONTACT_H
#define PNR_DHT_CONTACT_H

// One contact of the routing table, packed: a table is most of the memory of an idle node, and
// every query reads contacts that are cold in the cache. 32 bytes for IPv4 and 44 for IPv6; the
// first 8 bytes of the id, its head, stand apart, densely (dht/table.h). The table owns contacts;
// it knows their family, and so their length.
//
// Times are whole seconds since the engine's birth (dht_engine_now_s()). Where only the last
// minutes count, the low 16 bits of a time are kept: once in 18 hours a time long past looks recent
// for a few seconds.

#include "pnr/dht.h"

#define DHT_CONTACT_HEAD_LEN   8
#define DHT_CONTACT_TAIL_LEN   (DHT_ID_LEN - DHT_CONTACT_HEAD_LEN)
#define DHT_CONTACT_RTT_MAX_US 0xffffff // 16 s; no reply counts that late
#define DHT_CONTACT_FAILS_MAX  15
#define DHT_CONTACT_LEN_MAX    44

struct dht_contact {
    uint32_t answered_s;    // when it last answered us
    uint32_t rtt_us : 24;   // smoothed round trip; 0: not measured
    uint32_t fails : 4;     // queries in a row that it did not answer
    uint32_t has_get : 2;   // enum dht_has_get
    uint32_t is_secure : 1; // its id fits its address (BEP 42)
    uint16_t heard_after_s; // so long after answered_s it last sent anything; stops at UINT16_MAX
    uint16_t asked_s;       // when it was last asked anything, the low bits
    uint16_t failed_s;      // when a failure was last counted, the low bits
    uint8_t node[];         // the rest of its id, and its compact address
};

// One of its own on the stack.
union dht_contact_room {
    struct dht_contact contact;
    uint8_t bytes[DHT_CONTACT_LEN_MAX];
};

// A contact and what of its id stands apart.
struct dht_contact_ref {
    uint64_t head; // dht_id_head()
    struct dht_contact *contact;
};

// The bytes of a contact of that family.
size_t dht_contact_len(enum dht_family family);

// Writes id (but for its head) and address.
void dht_contact_name(struct dht_contact *contact, const struct dht_id *id,
                      const struct dht_addr *addr);

struct dht_id dht_contact_id(struct dht_contact_ref ref);
// len: dht_contact_len().
struct dht_addr dht_contact_addr(const struct dht_contact *contact, size_t len);
// Writes id and compact address, as `nodes` has them; returns how many bytes: 26 or 38.
size_t dht_contact_write(struct dht_contact_ref ref, size_t len, uint8_t *ret_node);

// It has sent something now.
void dht_contact_heard(struct dht_contact *contact, uint32_t now_s);
// Good in the sense of BEP 5: has answered, at some time, and sent anything within 15 minutes.
bool dht_contact_is_good(const struct dht_contact *contact, uint32_t now_s);
// A time up to now_s of which the low bits are known.
uint32_t dht_contact_time_s(uint16_t low_s, uint32_t now_s);

#endif
