// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_TOKEN_H
#define PNR_DHT_TOKEN_H

// Write tokens (BEP 5): who brings one back has received what we sent to that address. A token is a
// keyed hash over address, port and target (quirks Q12, Q23: not over the node id). Two secrets are
// kept; each is the new one for 10 minutes and the old one for 10 more, so a token is good for 10
// to 20 minutes (a rotation that comes late makes it longer, never shorter).

#include "dht/random.h"
#include "dht/siphash.h"
#include "pnr/dht.h"

#define DHT_TOKEN_LEN         8
#define DHT_TOKEN_ROTATION_US (10 * 60 * INT64_C(1000000))

struct dht_token {
    struct dht_siphash_key secrets[2]; // the new one, the old one
    int64_t rotated_us;
};

// Takes both secrets from random; the old one has made no token yet.
void dht_token_init(struct dht_token *token, struct dht_random *random, int64_t now_us);
// Takes a new secret where the current one is due; returns when the next one is.
int64_t dht_token_rotate(struct dht_token *token, struct dht_random *random, int64_t now_us);
// Makes the token that this address may write with.
void dht_token_make(const struct dht_token *token, const struct dht_addr *addr,
                    const struct dht_id *target, uint8_t ret_token[DHT_TOKEN_LEN]);
// Whether given is a token that was made for this address, port and target and is still good.
// Compares in constant time.
bool dht_token_check(const struct dht_token *token, const struct dht_addr *addr,
                     const struct dht_id *target, struct dht_span given);

#endif
