// SPDX-License-Identifier: MIT
#include "dht/contact.h"

#include "dht/addr.h"

#include <assert.h>
#include <string.h>

#define GOOD_S (15u * 60) // BEP 5

static_assert(sizeof(struct dht_contact) == 14 || sizeof(struct dht_contact) == 16,
              "a contact is packed");

#define FIXED_LEN offsetof(struct dht_contact, node)

static_assert(FIXED_LEN + DHT_CONTACT_TAIL_LEN + DHT_ADDR_COMPACT_MAX == DHT_CONTACT_LEN_MAX,
              "the greatest contact");

size_t dht_contact_len(enum dht_family family)
{
    return FIXED_LEN + DHT_CONTACT_TAIL_LEN + (family == DHT_IPV4 ? 6 : 18);
}

void dht_contact_name(struct dht_contact *contact, const struct dht_id *id,
                      const struct dht_addr *addr)
{
    memcpy(contact->node, id->bytes + DHT_CONTACT_HEAD_LEN, DHT_CONTACT_TAIL_LEN);
    dht_addr_to_compact(addr, contact->node + DHT_CONTACT_TAIL_LEN);
}

// Written out, for compilers make one store of it in this form.
static void write_head(uint64_t head, uint8_t *ret_bytes)
{
    ret_bytes[0] = (uint8_t)(head >> 56);
    ret_bytes[1] = (uint8_t)(head >> 48);
    ret_bytes[2] = (uint8_t)(head >> 40);
    ret_bytes[3] = (uint8_t)(head >> 32);
    ret_bytes[4] = (uint8_t)(head >> 24);
    ret_bytes[5] = (uint8_t)(head >> 16);
    ret_bytes[6] = (uint8_t)(head >> 8);
    ret_bytes[7] = (uint8_t)head;
}

struct dht_id dht_contact_id(struct dht_contact_ref ref)
{
    struct dht_id id;
    write_head(ref.head, id.bytes);
    memcpy(id.bytes + DHT_CONTACT_HEAD_LEN, ref.contact->node, DHT_CONTACT_TAIL_LEN);
    return id;
}

struct dht_addr dht_contact_addr(const struct dht_contact *contact, size_t len)
{
    struct dht_addr addr = {0};
    bool is_read = dht_addr_from_compact(contact->node + DHT_CONTACT_TAIL_LEN,
                                         len - FIXED_LEN - DHT_CONTACT_TAIL_LEN, &addr);
    assert(is_read);
    (void)is_read;
    return addr;
}

size_t dht_contact_write(struct dht_contact_ref ref, size_t len, uint8_t *ret_node)
{
    write_head(ref.head, ret_node);
    if (len == FIXED_LEN + DHT_CONTACT_TAIL_LEN + 6) // IPv4: a length known to the compiler
        memcpy(ret_node + DHT_CONTACT_HEAD_LEN, ref.contact->node, DHT_CONTACT_TAIL_LEN + 6);
    else
        memcpy(ret_node + DHT_CONTACT_HEAD_LEN, ref.contact->node, len - FIXED_LEN);
    return DHT_CONTACT_HEAD_LEN + len - FIXED_LEN;
}

void dht_contact_heard(struct dht_contact *contact, uint32_t now_s)
{
    uint32_t after_s = now_s - contact->answered_s;
    contact->heard_after_s = (uint16_t)(after_s < UINT16_MAX ? after_s : UINT16_MAX);
}

bool dht_contact_is_good(const struct dht_contact *contact, uint32_t now_s)
{
    // What is in the table has answered before, so hearing from it lately is enough.
    return contact->fails == 0 && now_s - contact->answered_s < GOOD_S + contact->heard_after_s;
}

uint32_t dht_contact_time_s(uint16_t low_s, uint32_t now_s)
{
    return now_s - (uint16_t)(now_s - low_s);
}
