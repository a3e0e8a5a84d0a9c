// SPDX-License-Identifier: MIT
// What the candidates of a lookup have said: the cold part of them.
#include "dht/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int64_t dht_lookup_seq_seen(const struct dht_lookup *lookup, uint16_t index)
{
    assert(index < lookup->count);
    return lookup->candidates[index].has_seq ? lookup->replies[index].seq_seen : DHT_SEQ_NONE;
}

// Where what it says is kept; NULL where memory is short. Most lookups of our own upkeep need none.
static struct dht_candidate_reply *reply_of(struct dht_lookup *lookup, uint16_t index)
{
    assert(index < lookup->count);
    if (lookup->replies == NULL)
        lookup->replies = malloc(lookup->capacity * sizeof *lookup->replies);
    return lookup->replies != NULL ? &lookup->replies[index] : NULL;
}

void dht_lookup_saw_seq(struct dht_lookup *lookup, uint16_t index, int64_t seq)
{
    struct dht_candidate_reply *reply = reply_of(lookup, index);
    if (reply == NULL)
        return;
    lookup->candidates[index].has_seq = 1;
    reply->seq_seen = seq;
}

void dht_lookup_owes(struct dht_lookup *lookup, uint16_t index, int64_t seq)
{
    struct dht_candidate_reply *reply = reply_of(lookup, index);
    if (reply == NULL)
        return;
    lookup->candidates[index].owes = 1;
    reply->seq_owed = seq;
}

struct dht_span dht_lookup_token(const struct dht_lookup *lookup, uint16_t index)
{
    assert(index < lookup->count);
    if (lookup->candidates[index].token_len == 0)
        return (struct dht_span){0};
    return (struct dht_span){lookup->replies[index].token, lookup->candidates[index].token_len};
}

void dht_lookup_take_token(struct dht_lookup *lookup, uint16_t index, struct dht_span token)
{
    struct dht_candidate_reply *reply = reply_of(lookup, index);
    assert(token.len <= DHT_LOOKUP_TOKEN_MAX);
    if (reply == NULL)
        return;
    lookup->candidates[index].token_len = (uint8_t)token.len;
    memcpy(reply->token, token.data, token.len);
}
