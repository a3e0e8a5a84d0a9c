// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_ADVERSARY_H
#define PNR_SIMNET_ADVERSARY_H

// Machines with another brain. All speak the real wire and share what they know in a league
// (simnet/league.h). They come into the network in two ways: an honest machine is turned, with its
// id and its places in the tables of others, which is what a share of colluders with random ids is;
// or new machines join, with ids of the attacker's choice, and introduce themselves to the honest
// nodes near those ids, again and again, which is what Sybils around one key do.
//
// They answer what they are asked; a flooder asks. None is honest: is_honest is false.

#include "simnet/claim.h"
#include "simnet/league.h"
#include "simnet/world.h"

enum simnet_adversary_kind {
    SIMNET_ADVERSARY_SILENT, // answers nothing
    // Names the members of its league that are closest to the target and nobody else; hands out
    // tokens, accepts puts, keeps nothing. The active Sybil of de Moura Netto et al. (2025).
    SIMNET_ADVERSARY_DENIER,
    SIMNET_ADVERSARY_LIAR,       // names nodes next to the target that do not exist; denies
    SIMNET_ADVERSARY_STALE,      // a denier that returns the oldest item put to its league
    SIMNET_ADVERSARY_FORGER,     // a denier that returns items with wrong signatures or keys
    SIMNET_ADVERSARY_CHANGELING, // a denier that shows another id in each reply
    SIMNET_ADVERSARY_KINDS,
};

// The word for a kind, as scenarios have it: "denier".
const char *simnet_adversary_name(enum simnet_adversary_kind kind);
// The kind of that name; SIMNET_ADVERSARY_KINDS where there is none.
enum simnet_adversary_kind simnet_adversary_kind_of(const char *name);

// Turns a machine that is up: its brain goes, its id and address stay.
void simnet_adversary_turn(struct simnet_world *world, struct simnet_machine *machine,
                           struct simnet_league *league, enum simnet_adversary_kind kind);

// Turns a share of the machines that are up among [first, first + count), drawn from the world's
// seed; returns how many.
uint32_t simnet_adversary_turn_share(struct simnet_world *world, uint32_t first, uint32_t count,
                                     double share, struct simnet_league *league,
                                     enum simnet_adversary_kind kind);

// Adds a machine, up, with an id of its own choice.
struct simnet_machine *simnet_adversary_add(struct simnet_world *world,
                                            const struct simnet_profile *profile,
                                            const struct simnet_league_member *self,
                                            struct simnet_league *league,
                                            enum simnet_adversary_kind kind);

// New adversaries.
struct simnet_adversary_crowd {
    enum simnet_adversary_kind kind;
    uint32_t count;
    enum simnet_claim_range range;
    struct dht_addr base;       // names the /16 or /32
    const struct dht_addr *few; // of SIMNET_CLAIM_FEW: the addresses, used by turns
    uint32_t few_count;
    const struct dht_id *target; // packed around it; NULL: random ids that fit the addresses
    uint32_t victims;            // how many honest nodes each introduces itself to
};

// Adds the crowd, and has each member introduce itself to its victims (the honest nodes closest to
// the target, or, without one, to the member's id) once a minute for 10 minutes. Where the range
// allows no fit id near the target the ids are there all the same, and do not fit. Returns how many
// fit.
uint32_t simnet_adversary_join(struct simnet_world *world, const struct simnet_profile *profile,
                               const struct simnet_adversary_crowd *crowd,
                               struct simnet_league *league);

#endif
