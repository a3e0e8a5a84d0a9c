// SPDX-License-Identifier: MIT
#ifndef PNR_DHT_VOTE_H
#define PNR_DHT_VOTE_H

// Our external address by vote: nodes that answer tell us where they see us (BEP 42's `ip`). One
// prefix (/24, /48) has one vote, the latest; an address is settled once DHT_VOTE_QUORUM voters say
// so and they are more than half. Ports are voted on apart from addresses: behind a symmetric NAT
// each voter sees another one.

#include "pnr/dht.h"

#define DHT_VOTE_VOTERS 24
#define DHT_VOTE_QUORUM 4

// Most voters agree, so each address stands once, and the votes name it.
struct dht_vote_choice {
    struct dht_addr addr;
    uint32_t count; // who votes for it; 0: free
};

struct dht_vote {
    struct dht_vote_choice *choices; // grows on demand, up to DHT_VOTE_VOTERS
    uint32_t voters[DHT_VOTE_VOTERS];
    uint8_t votes[DHT_VOTE_VOTERS]; // which choice
    uint8_t choice_capacity;
    uint8_t count;
    uint8_t oldest; // the next to be overwritten
};

void dht_vote_init(struct dht_vote *vote);
void dht_vote_fini(struct dht_vote *vote);

// voter: its prefix, which is remembered in 32 bits. Returns whether the winner may be another one
// now. Where memory is short the vote does not count.
bool dht_vote_cast(struct dht_vote *vote, uint64_t voter, const struct dht_addr *addr);

// The address most voters see, or ip_len 0 where no address has the quorum. The port is the one
// most of its voters see, or 0 where they do not agree.
struct dht_addr dht_vote_winner(const struct dht_vote *vote);

#endif
