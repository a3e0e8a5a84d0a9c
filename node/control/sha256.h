// SPDX-License-Identifier: MIT
#ifndef PNR_CONTROL_SHA256_H
#define PNR_CONTROL_SHA256_H

// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104): the one hash that clients need, for the proofs
// of the handshake, so that libpnr links no library of cryptography. The daemon and the brain use
// their driver's. Nothing here allocates or fails.

#include <stddef.h>
#include <stdint.h>

#define CONTROL_SHA256_LEN       32
#define CONTROL_SHA256_BLOCK_LEN 64

// A hash under way. Its fields are this file's own.
struct control_sha256 {
    uint32_t state[8];
    uint64_t total_len; // bytes hashed so far; the last total_len % 64 of them wait in block
    uint8_t block[CONTROL_SHA256_BLOCK_LEN];
};

void control_sha256_init(struct control_sha256 *sha256);
void control_sha256_update(struct control_sha256 *sha256, const void *data, size_t len);
// Ends the hash and wipes its state, which then has to be initialised again.
void control_sha256_final(struct control_sha256 *sha256, uint8_t ret_digest[CONTROL_SHA256_LEN]);

// An HMAC under way. Its fields are this file's own.
struct control_sha256_hmac {
    struct control_sha256 inner;
    struct control_sha256 outer;
};

// Keys may have any length; those of more than 64 bytes are hashed first (RFC 2104, section 2).
void control_sha256_hmac_init(struct control_sha256_hmac *hmac, const void *key, size_t key_len);
void control_sha256_hmac_update(struct control_sha256_hmac *hmac, const void *data, size_t len);
// Ends the HMAC and wipes its state.
void control_sha256_hmac_final(struct control_sha256_hmac *hmac,
                               uint8_t ret_mac[CONTROL_SHA256_LEN]);

#endif
