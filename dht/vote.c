// SPDX-License-Identifier: MIT
#include "dht/vote.h"

#include "dht/addr.h"

#include <stdlib.h>
#include <string.h>

void dht_vote_init(struct dht_vote *vote)
{
    *vote = (struct dht_vote){0};
}

void dht_vote_fini(struct dht_vote *vote)
{
    free(vote->choices);
    vote->choices = NULL;
    vote->choice_capacity = 0;
}

static uint32_t short_name(uint64_t voter)
{
    return (uint32_t)(voter * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

// The choice of that address, or a free one; NULL where memory is short.
static struct dht_vote_choice *choice_of(struct dht_vote *vote, const struct dht_addr *addr)
{
    struct dht_vote_choice *empty = NULL;
    for (uint8_t i = 0; i < vote->choice_capacity; i++) {
        struct dht_vote_choice *choice = &vote->choices[i];
        if (choice->count == 0)
            empty = choice;
        else if (dht_addr_equal(&choice->addr, addr))
            return choice;
    }
    if (empty == NULL) {
        // One more than there are voters, for the one that is about to be overwritten.
        uint32_t capacity = vote->choice_capacity == 0 ? 1 : 2u * vote->choice_capacity;
        if (capacity > DHT_VOTE_VOTERS + 1)
            capacity = DHT_VOTE_VOTERS + 1;
        struct dht_vote_choice *choices = realloc(vote->choices, capacity * sizeof *choices);
        if (choices == NULL)
            return NULL;
        memset(choices + vote->choice_capacity, 0,
               (capacity - vote->choice_capacity) * sizeof *choices);
        empty = &choices[vote->choice_capacity];
        vote->choices = choices;
        vote->choice_capacity = (uint8_t)capacity;
    }
    empty->addr = *addr;
    return empty;
}

bool dht_vote_cast(struct dht_vote *vote, uint64_t voter, const struct dht_addr *addr)
{
    uint32_t name = short_name(voter);
    struct dht_vote_choice *choice = choice_of(vote, addr);
    if (choice == NULL)
        return false;
    uint8_t chosen = (uint8_t)(choice - vote->choices);
    uint8_t at = 0;
    while (at < vote->count && vote->voters[at] != name)
        at++;
    bool is_new = at == vote->count && vote->count < DHT_VOTE_VOTERS;
    if (is_new) {
        vote->count++;
    } else if (at == vote->count) {
        at = vote->oldest;
        vote->oldest = (uint8_t)((vote->oldest + 1) % DHT_VOTE_VOTERS);
    }
    bool changed = is_new || vote->votes[at] != chosen;
    vote->voters[at] = name;
    choice->count++;
    if (!is_new)
        vote->choices[vote->votes[at]].count--;
    vote->votes[at] = chosen;
    return changed;
}

// How many vote for the address, whatever the port.
static uint32_t votes_by_ip(const struct dht_vote *vote, const struct dht_addr *addr)
{
    uint32_t count = 0;
    for (uint8_t i = 0; i < vote->choice_capacity; i++)
        if (vote->choices[i].count > 0 && dht_addr_equal_ip(&vote->choices[i].addr, addr))
            count += vote->choices[i].count;
    return count;
}

struct dht_addr dht_vote_winner(const struct dht_vote *vote)
{
    struct dht_addr winner = {0};
    uint32_t votes = 0;
    uint32_t votes_with_port = 0;
    for (uint8_t i = 0; i < vote->choice_capacity; i++) {
        const struct dht_vote_choice *choice = &vote->choices[i];
        uint32_t by_ip = choice->count > 0 ? votes_by_ip(vote, &choice->addr) : 0;
        if (by_ip < votes || (by_ip == votes && choice->count <= votes_with_port))
            continue;
        winner = choice->addr;
        votes = by_ip;
        votes_with_port = choice->count;
    }
    if (votes < DHT_VOTE_QUORUM || votes * 2 <= vote->count)
        return (struct dht_addr){0};
    if (votes_with_port * 2 <= votes)
        winner.port = 0;
    return winner;
}
