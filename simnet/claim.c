// SPDX-License-Identifier: MIT
#include "simnet/claim.h"

#include "dht/addr.h"
#include "dht/id.h"

#include <string.h>

#define PREFIX_BITS 21
#define BITS_MAX    40 // that are hashed and may be chosen: 35 of an IPv6 address, and 3 of the id
#define TRIES_MAX   64

// What the hash sees of an address (BEP 42), and may be chosen in the range: bits of its bytes.
static void chosen_mask(enum simnet_claim_range range, uint8_t ret_mask[16])
{
    static const uint8_t mask4[4] = {0x03, 0x0f, 0x3f, 0xff};
    static const uint8_t mask6[8] = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
    memset(ret_mask, 0, 16);
    switch (range) {
    case SIMNET_CLAIM_ANY4:
        memcpy(ret_mask, mask4, 4);
        break;
    case SIMNET_CLAIM_SLASH16:
        memcpy(ret_mask + 2, mask4 + 2, 2);
        break;
    case SIMNET_CLAIM_ANY6:
        memcpy(ret_mask + 1, mask6 + 1, 7);
        break;
    case SIMNET_CLAIM_SLASH32:
        memcpy(ret_mask + 4, mask6 + 4, 4);
        break;
    case SIMNET_CLAIM_FEW:
        break;
    }
}

uint8_t simnet_claim_ip_len(enum simnet_claim_range range)
{
    return range == SIMNET_CLAIM_ANY6 || range == SIMNET_CLAIM_SLASH32 ? 16 : 4;
}

struct dht_addr simnet_claim_any(enum simnet_claim_range range, const struct dht_addr *base,
                                 struct simnet_stream *stream)
{
    struct dht_addr addr = {.ip_len = simnet_claim_ip_len(range)};
    do {
        simnet_stream_bytes(stream, addr.ip, addr.ip_len);
        addr.port = (uint16_t)(1024 + simnet_stream_below(stream, 64000));
        if (range == SIMNET_CLAIM_SLASH16)
            memcpy(addr.ip, base->ip, 2);
        if (range == SIMNET_CLAIM_FEW)
            memcpy(addr.ip, base->ip, 4);
        if (range == SIMNET_CLAIM_SLASH32)
            memcpy(addr.ip, base->ip, 4);
        if (range == SIMNET_CLAIM_ANY6)
            addr.ip[0] = (uint8_t)(0x24 | (addr.ip[0] & 3));
    } while (dht_addr_is_martian(&addr) || dht_addr_is_local(&addr));
    return addr;
}

// The first 21 bits of the ids of that address and last byte.
static uint32_t prefix_of(const struct dht_addr *addr, uint8_t last)
{
    uint8_t random[DHT_ID_LEN] = {0};
    struct dht_id id;
    random[DHT_ID_LEN - 1] = last;
    dht_id_make(addr, random, &id);
    return (uint32_t)(dht_id_head(&id) >> (64 - PREFIX_BITS));
}

// One choice that can be made: a bit of the address, or, where byte is 16, of the id's last byte.
struct choice {
    uint8_t byte, bit;
};

static uint32_t list_choices(enum simnet_claim_range range, struct choice ret_choices[BITS_MAX])
{
    uint8_t mask[16];
    uint32_t count = 0;
    chosen_mask(range, mask);
    for (uint8_t byte = 0; byte < 16; byte++)
        for (uint8_t bit = 0; bit < 8; bit++)
            if (mask[byte] >> bit & 1)
                ret_choices[count++] = (struct choice){byte, bit};
    for (uint8_t bit = 0; bit < 3; bit++)
        ret_choices[count++] = (struct choice){16, bit};
    return count;
}

static void flip(struct choice choice, struct dht_addr *addr, uint8_t *last)
{
    uint8_t *byte = choice.byte == 16 ? last : &addr->ip[choice.byte];
    *byte ^= (uint8_t)(1u << choice.bit);
}

// Which choices to flip so that the prefix changes by `wanted`: Gauss's elimination over two. Each
// row is what a set of choices changes, and the set.
static bool solve(const uint32_t *changes, uint32_t count, uint32_t wanted, uint64_t *ret_set)
{
    uint32_t pivots[PREFIX_BITS] = {0};
    uint64_t sets[PREFIX_BITS] = {0};
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = changes[i];
        uint64_t set = UINT64_C(1) << i;
        for (uint32_t bit = PREFIX_BITS; bit-- > 0 && row != 0;) {
            if (!(row >> bit & 1))
                continue;
            if (pivots[bit] == 0) {
                pivots[bit] = row;
                sets[bit] = set;
                break;
            }
            row ^= pivots[bit];
            set ^= sets[bit];
        }
    }
    *ret_set = 0;
    for (uint32_t bit = PREFIX_BITS; bit-- > 0;)
        if (wanted >> bit & 1) {
            if (pivots[bit] == 0)
                return false;
            wanted ^= pivots[bit];
            *ret_set ^= sets[bit];
        }
    return true;
}

// Mends a random address so that it and ret_last hash to the target's prefix.
static bool mend(enum simnet_claim_range range, const struct dht_id *target, struct dht_addr *addr,
                 uint8_t *last)
{
    struct choice choices[BITS_MAX];
    uint32_t changes[BITS_MAX];
    uint64_t set;
    uint32_t count = list_choices(range, choices);
    uint32_t now = prefix_of(addr, *last);
    uint32_t wanted = now ^ (uint32_t)(dht_id_head(target) >> (64 - PREFIX_BITS));
    for (uint32_t i = 0; i < count; i++) {
        flip(choices[i], addr, last);
        changes[i] = prefix_of(addr, *last) ^ now;
        flip(choices[i], addr, last);
    }
    if (!solve(changes, count, wanted, &set))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (set >> i & 1)
            flip(choices[i], addr, last);
    return true;
}

bool simnet_claim_near(enum simnet_claim_range range, const struct dht_addr *base,
                       const struct dht_id *target, struct simnet_stream *stream,
                       struct dht_addr *ret_addr, struct dht_id *ret_id)
{
    for (int i = 0; i < TRIES_MAX; i++) {
        struct dht_addr addr = simnet_claim_any(range, base, stream);
        uint8_t last = (uint8_t)simnet_stream_below(stream, 256);
        if (!mend(range, target, &addr, &last) || dht_addr_is_martian(&addr) ||
            dht_addr_is_local(&addr))
            continue;
        *ret_addr = addr;
        *ret_id = *target;
        simnet_stream_bytes(stream, ret_id->bytes + 3, DHT_ID_LEN - 4);
        ret_id->bytes[DHT_ID_LEN - 1] = last;
        return true;
    }
    return false;
}
