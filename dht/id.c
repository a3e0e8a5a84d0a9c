// SPDX-License-Identifier: MIT
#include "dht/id.h"

#include "dht/addr.h"

#include <assert.h>
#include <string.h>

// Written out, for compilers make one load of it in this form.
static uint64_t load_be64(const uint8_t *bytes)
{
    return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 | (uint64_t)bytes[2] << 40 |
           (uint64_t)bytes[3] << 32 | (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 |
           (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
}

static uint32_t load_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool dht_id_equal(const struct dht_id *a, const struct dht_id *b)
{
    return memcmp(a->bytes, b->bytes, DHT_ID_LEN) == 0;
}

bool dht_id_is_zero(const struct dht_id *id)
{
    static const struct dht_id zero;
    return dht_id_equal(id, &zero);
}

// The distance of a and b, a word at a time: most distances differ within the first.

static uint64_t distance_high(const struct dht_id *a, const struct dht_id *b)
{
    return load_be64(a->bytes) ^ load_be64(b->bytes);
}

static uint64_t distance_middle(const struct dht_id *a, const struct dht_id *b)
{
    return load_be64(a->bytes + 8) ^ load_be64(b->bytes + 8);
}

static uint32_t distance_low(const struct dht_id *a, const struct dht_id *b)
{
    return load_be32(a->bytes + 16) ^ load_be32(b->bytes + 16);
}

static int compare_words(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int dht_id_compare(const struct dht_id *target, const struct dht_id *a, const struct dht_id *b)
{
    int order = compare_words(distance_high(target, a), distance_high(target, b));
    if (order != 0) {
        return order;
    }
    order = compare_words(distance_middle(target, a), distance_middle(target, b));
    if (order != 0) {
        return order;
    }
    return compare_words(distance_low(target, a), distance_low(target, b));
}

uint32_t dht_id_common_bits(const struct dht_id *a, const struct dht_id *b)
{
    // The count of leading zeros is undefined for 0, so a word of zeros is passed by.
    uint64_t word = distance_high(a, b);
    if (word != 0) {
        return (uint32_t)__builtin_clzll(word);
    }
    word = distance_middle(a, b);
    if (word != 0) {
        return 64 + (uint32_t)__builtin_clzll(word);
    }
    // Moved up, so that its 32 bits are the leading ones.
    word = (uint64_t)distance_low(a, b) << 32;
    return word != 0 ? 128 + (uint32_t)__builtin_clzll(word) : 8 * DHT_ID_LEN;
}

uint64_t dht_id_distance64(const struct dht_id *a, const struct dht_id *b)
{
    return distance_high(a, b);
}

uint64_t dht_id_head(const struct dht_id *id)
{
    return load_be64(id->bytes);
}

// The polynomial 0x82f63b78 (0x1edc6f41 reflected) for each value of 4 bits: small enough to stay
// in the cache between the few times it is needed.
static const uint32_t crc32c_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t dht_id_crc32c(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ crc32c_table[crc & 0xf];
        crc = crc >> 4 ^ crc32c_table[crc & 0xf];
    }
    return ~crc;
}

// The hash whose first 21 bits an id of this address begins with; salt is the id's last byte.
static uint32_t prefix_hash(const struct dht_addr *addr, uint8_t salt)
{
    static const uint8_t mask4[4] = {0x03, 0x0f, 0x3f, 0xff};
    static const uint8_t mask6[8] = {0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff};
    assert(addr->ip_len == 4 || addr->ip_len == 16);
    const uint8_t *mask = addr->ip_len == 4 ? mask4 : mask6;
    size_t len = addr->ip_len == 4 ? sizeof(mask4) : sizeof(mask6);
    uint8_t hashed[8];
    for (size_t i = 0; i < len; i++) {
        hashed[i] = addr->ip[i] & mask[i];
    }
    hashed[0] |= (uint8_t)((salt & 7) << 5);
    return dht_id_crc32c(hashed, len);
}

// BEP 42 exempts the local addresses but for the shared ones, which it does not know.
static bool is_exempt(const struct dht_addr *addr)
{
    bool is_shared = addr->ip_len == 4 && addr->ip[0] == 100;
    return dht_addr_is_local(addr) && !is_shared;
}

bool dht_id_fits(const struct dht_id *id, const struct dht_addr *addr)
{
    if (is_exempt(addr)) {
        return true;
    }
    uint32_t wanted = prefix_hash(addr, id->bytes[DHT_ID_LEN - 1]);
    // The upper 21 bits have to be the same.
    return (load_be32(id->bytes) ^ wanted) >> 11 == 0;
}

void dht_id_make(const struct dht_addr *addr, const uint8_t random[DHT_ID_LEN],
                 struct dht_id *ret_id)
{
    uint32_t hash = prefix_hash(addr, random[DHT_ID_LEN - 1]);
    memcpy(ret_id->bytes, random, DHT_ID_LEN);
    ret_id->bytes[0] = (uint8_t)(hash >> 24);
    ret_id->bytes[1] = (uint8_t)(hash >> 16);
    ret_id->bytes[2] = (uint8_t)((hash >> 8 & 0xf8) | (random[2] & 7));
}
