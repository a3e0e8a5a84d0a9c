// SPDX-License-Identifier: MIT
#include "dht/vote.h"

#include "dht/addr.h"

void dht_vote_init(struct dht_vote *vote)
{
    *vote = (struct dht_vote){0};
}

void dht_vote_cast(struct dht_vote *vote, uint64_t voter, const struct dht_addr *addr)
{
    uint8_t at = 0;
    while (at < vote->count && vote->votes[at].voter != voter)
        at++;
    if (at == vote->count && vote->count < DHT_VOTE_VOTERS) {
        vote->count++;
    } else if (at == vote->count) {
        at = vote->oldest;
        vote->oldest = (uint8_t)((vote->oldest + 1) % DHT_VOTE_VOTERS);
    }
    vote->votes[at].voter = voter;
    vote->votes[at].addr = *addr;
}

static uint32_t count_votes(const struct dht_vote *vote, const struct dht_addr *addr,
                            bool (*equal)(const struct dht_addr *, const struct dht_addr *))
{
    uint32_t count = 0;
    for (uint8_t i = 0; i < vote->count; i++)
        count += equal(&vote->votes[i].addr, addr);
    return count;
}

struct dht_addr dht_vote_winner(const struct dht_vote *vote)
{
    struct dht_addr winner = {0};
    uint32_t votes = 0;
    uint32_t votes_with_port = 0;
    for (uint8_t i = 0; i < vote->count; i++) {
        const struct dht_addr *addr = &vote->votes[i].addr;
        uint32_t by_ip = count_votes(vote, addr, dht_addr_equal_ip);
        uint32_t by_port = count_votes(vote, addr, dht_addr_equal);
        if (by_ip < votes || (by_ip == votes && by_port <= votes_with_port))
            continue;
        winner = *addr;
        votes = by_ip;
        votes_with_port = by_port;
    }
    if (votes < DHT_VOTE_QUORUM || votes * 2 <= vote->count)
        return (struct dht_addr){0};
    if (votes_with_port * 2 <= votes)
        winner.port = 0;
    return winner;
}
