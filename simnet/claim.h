// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CLAIM_H
#define PNR_SIMNET_CLAIM_H

// The addresses from which an attacker may, under BEP 42, claim an id that begins like a target:
// its 21 bits are a CRC of the address and of three bits of the id, and a CRC is linear, so the
// addresses are the solutions of 21 equations over two. Where the attacker's addresses leave fewer
// than 21 bits to choose there may be none, and then there is none: nothing is assumed here that
// the internet does not give.

#include "pnr/dht.h"
#include "simnet/stream.h"

// What addresses the attacker has.
enum simnet_claim_range {
    SIMNET_CLAIM_ANY4,    // any of IPv4
    SIMNET_CLAIM_SLASH16, // one /16 of IPv4
    SIMNET_CLAIM_ANY6,    // any of 2400::/6
    SIMNET_CLAIM_SLASH32, // one /32 of IPv6
    SIMNET_CLAIM_FEW,     // a few addresses of IPv4, with all their ports
};

// 4 or 16.
uint8_t simnet_claim_ip_len(enum simnet_claim_range range);

// A random address of the range. base: an address in it, which names the /16 or /32; of the few,
// the one to take, with a random port.
struct dht_addr simnet_claim_any(enum simnet_claim_range range, const struct dht_addr *base,
                                 struct simnet_stream *stream);

// A random address of the range, and an id that shares with target at least its first 21 bits and
// is fit for the address. False where the range holds none, or none is found: of an address alone
// there are 8 such prefixes in 2 to the 21.
bool simnet_claim_near(enum simnet_claim_range range, const struct dht_addr *base,
                       const struct dht_id *target, struct simnet_stream *stream,
                       struct dht_addr *ret_addr, struct dht_id *ret_id);

#endif
