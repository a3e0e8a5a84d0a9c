// SPDX-License-Identifier: MIT
#include "dht/token.h"

#include <assert.h>
#include <string.h>

// Address, its length, port and target.
#define MESSAGE_LEN (16 + 1 + 2 + DHT_ID_LEN)

static void new_secret(struct dht_siphash_key *secret, struct dht_random *random)
{
    secret->k0 = dht_random_u64(random);
    secret->k1 = dht_random_u64(random);
}

void dht_token_init(struct dht_token *token, struct dht_random *random, int64_t now_us)
{
    // The old secret is random too: a secret that anybody knows would accept forged tokens.
    new_secret(&token->secrets[0], random);
    new_secret(&token->secrets[1], random);
    token->rotated_us = now_us;
}

int64_t dht_token_rotate(struct dht_token *token, struct dht_random *random, int64_t now_us)
{
    if (now_us - token->rotated_us >= DHT_TOKEN_ROTATION_US) {
        token->secrets[1] = token->secrets[0];
        new_secret(&token->secrets[0], random);
        // Not the time when it was due: tokens were made of the old secret until now, and each is
        // to be good for 10 minutes more.
        token->rotated_us = now_us;
    }
    return token->rotated_us + DHT_TOKEN_ROTATION_US;
}

static uint64_t token_of(const struct dht_siphash_key *secret, const struct dht_addr *addr,
                         const struct dht_id *target)
{
    uint8_t message[MESSAGE_LEN] = {0};
    assert(addr->ip_len <= sizeof(addr->ip));
    memcpy(message, addr->ip, addr->ip_len);
    message[16] = addr->ip_len;
    message[17] = (uint8_t)(addr->port >> 8);
    message[18] = (uint8_t)addr->port;
    memcpy(message + 19, target->bytes, DHT_ID_LEN);
    return dht_siphash(secret, message, sizeof(message));
}

void dht_token_make(const struct dht_token *token, const struct dht_addr *addr,
                    const struct dht_id *target, uint8_t ret_token[DHT_TOKEN_LEN])
{
    uint64_t value = token_of(&token->secrets[0], addr, target);
    for (int i = 0; i < DHT_TOKEN_LEN; i++) {
        ret_token[i] = (uint8_t)(value >> (8 * i));
    }
}

bool dht_token_check(const struct dht_token *token, const struct dht_addr *addr,
                     const struct dht_id *target, struct dht_span given)
{
    if (given.len != DHT_TOKEN_LEN) {
        return false;
    }
    uint64_t value = 0;
    for (int i = 0; i < DHT_TOKEN_LEN; i++) {
        value |= (uint64_t)given.data[i] << (8 * i);
    }
    // Both secrets are always tried, and whole numbers compared, so that the time tells nothing.
    uint64_t new_difference = value ^ token_of(&token->secrets[0], addr, target);
    uint64_t old_difference = value ^ token_of(&token->secrets[1], addr, target);
    return (int)(new_difference == 0) | (int)(old_difference == 0);
}
