// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_ID_H
#define PNR_DHT_ID_H

// 160-bit ids under the XOR metric, and ids made from addresses (BEP 42).

#include "pnr/dht.h"

bool dht_id_equal(const struct dht_id *a, const struct dht_id *b);
bool dht_id_is_zero(const struct dht_id *id);

// Orders a and b by their distance to target: negative where a is closer, 0 where a equals b.
int dht_id_compare(const struct dht_id *target, const struct dht_id *a, const struct dht_id *b);

// How many leading bits a and b share: 0 to 160.
uint32_t dht_id_common_bits(const struct dht_id *a, const struct dht_id *b);

// The first 8 bytes of a XOR b, big endian: the distance, coarsely, for sorting and for estimates.
uint64_t dht_id_distance64(const struct dht_id *a, const struct dht_id *b);

// The first 8 bytes of an id, big endian: the distance64 of two ids is the XOR of their heads.
uint64_t dht_id_head(const struct dht_id *id);

// Whether the id fits the address (BEP 42): its first 21 bits are those that the address and the
// id's last byte give. True for addresses that are exempt (private, loopback, link-local; shared
// ones, 100.64/10, are not). The address is set (asserted).
bool dht_id_fits(const struct dht_id *id, const struct dht_addr *addr);

// Makes an id that fits addr (BEP 42), also where addr is exempt, from 20 random bytes: only the
// first 21 bits are not random's, and ret_id->bytes[19] is random[19]. addr is set (asserted).
void dht_id_make(const struct dht_addr *addr, const uint8_t random[DHT_ID_LEN],
                 struct dht_id *ret_id);

// CRC-32C (Castagnoli; RFC 3720, B.4), as BEP 42 uses it.
uint32_t dht_id_crc32c(const uint8_t *data, size_t len);

#endif
