// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CRYPTO_H
#define PNR_SIMNET_CRYPTO_H

// The crypto table of simulated nodes. Hashes are the real ones, from OpenSSL. Signatures are of
// two kinds: real Ed25519, or cheap ones, a keyed hash that anybody could compute but nobody in a
// simulation does without holding the key, so that a million nodes spend their time on the DHT.
// A cheap verdict is as strict as the real one: any other key, message or signature fails.

#include "pnr/dht.h"

enum simnet_signature {
    SIMNET_SIGNATURE_CHEAP,
    SIMNET_SIGNATURE_ED25519,
};

// The public half of a secret of 32 bytes.
void simnet_crypto_public(enum simnet_signature kind, const uint8_t secret[32],
                          uint8_t ret_key[DHT_KEY_LEN]);
void simnet_crypto_sign(enum simnet_signature kind, const uint8_t secret[32],
                        const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                        uint8_t ret_sig[DHT_SIG_LEN]);
bool simnet_crypto_verify(enum simnet_signature kind, const uint8_t key[DHT_KEY_LEN],
                          const uint8_t sig[DHT_SIG_LEN], struct dht_span msg);

// The table's hashes; ctx is not used.
void simnet_crypto_sha1(void *ctx, const struct dht_span *parts, size_t part_count,
                        uint8_t ret_digest[20]);
void simnet_crypto_sha256(void *ctx, const struct dht_span *parts, size_t part_count,
                          uint8_t ret_digest[32]);

#endif
