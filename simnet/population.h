// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_POPULATION_H
#define PNR_SIMNET_POPULATION_H

// Many machines at once: gives them addresses and lets them join one after the other.
//
// What the live Mainline network is like, for those who configure: in crawls about half of the
// contacts that nodes hand out do not answer (its developers' guides), 20 % of the nodes met by 95
// % of lookups were dead (Crosby and Wallach 2007), and one in three nodes could be reached well,
// the others behind firewalls and NATs or gone (Jimenez, Osmani, Knutsson 2009).

#include "simnet/world.h"

// The public IPv4 address and port of the machine with that number: spread over the whole internet,
// no two the same. IPv6 likewise, over many /32 and /48.
struct dht_addr simnet_population_ipv4(uint64_t seed, uint32_t number);
struct dht_addr simnet_population_ipv6(uint64_t seed, uint32_t number);

// Adds count machines, and starts them between now and joined_us from now, evenly: each is told
// about profile->bootstrap_count machines that were started before it. The first machine's number
// is returned. The tasks run as the world does.
uint32_t simnet_population_join(struct simnet_world *world, const struct simnet_profile *profile,
                                uint32_t count, int64_t join_us);

enum simnet_population_schedule {
    SIMNET_POPULATION_EVEN,    // so many a second
    SIMNET_POPULATION_AT_ONCE, // all at the beginning
    // The network doubles in equal times, from SIMNET_POPULATION_SEEDS machines on: however many
    // join, each that is there is asked by the same few newcomers a second.
    SIMNET_POPULATION_GROWING,
};

#define SIMNET_POPULATION_SEEDS 32

struct simnet_population_config {
    uint32_t count;
    enum simnet_population_schedule schedule;
    int64_t join_us;
    bool has_ipv4, has_ipv6;  // either or both
    double dual_share;        // where both: machines that have both; the others have one, drawn
    double unreachable_share; // behind a firewall (simnet/shield.h)
    double shared_share;      // of machines, that live at an address with others, by port:
    uint32_t sharing;         // so many at each
    // Addresses as providers have them. 0: spread over the whole internet. Else there are so many
    // machines to each /16 (/32 of IPv6), on average: the few large providers have many more than
    // the many small ones. per_net: how many to each /24 (/48) of these that is in use.
    uint32_t per_provider, per_net;
    double dead_share; // of the addresses that a newcomer is told: nobody is there
};

// All have one IPv4 address each, spread, and join evenly within a minute.
void simnet_population_config_init(struct simnet_population_config *config);

// Adds the machines, and starts them from now on: see simnet_population_join(), which is this with
// an ordinary configuration. config is copied. Returns the first one's number; they are count in a
// row. Where dead_share is not 0, a few more follow that never run.
uint32_t simnet_population_add(struct simnet_world *world, const struct simnet_profile *profile,
                               const struct simnet_population_config *config);

// A public address of the same /16 (/32), drawn, where nobody is; anywhere, where addr is private.
struct dht_addr simnet_population_near(struct simnet_world *world, struct simnet_stream *stream,
                                       const struct dht_addr *addr);
// Adds a machine, which is off, in the same networks and as reachable as another: behind a firewall
// of its own where that has one, behind the same NAT where that is behind one.
struct simnet_machine *simnet_population_add_like(struct simnet_world *world,
                                                  struct simnet_stream *stream,
                                                  const struct simnet_machine *like);

// Draws a machine out of [first, first + count) that is up; NULL where 64 draws find none.
struct simnet_machine *simnet_population_draw(struct simnet_world *world,
                                              struct simnet_stream *stream, uint32_t first,
                                              uint32_t count);

#endif
