// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_SIMNET_PEER_H
#define PNR_TESTS_SIMNET_PEER_H

// Machines without a brain, which send what they are told to and remember what came last.

#include "simnet/world.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

struct peer {
    struct simnet_actor actor;
    struct simnet_machine *machine;
    struct dht_addr from; // of what came last
    uint32_t count;       // how much has come
};

static void peer_receive(struct simnet_actor *actor, struct simnet_world *world,
                         struct simnet_machine *machine, const struct dht_datagram *datagram,
                         int engine)
{
    (void)world;
    (void)machine;
    (void)engine;
    struct peer *peer = (struct peer *)actor;
    peer->from = datagram->addr;
    peer->count++;
}

static inline struct dht_addr peer_addr(const char *ip, uint16_t port)
{
    struct dht_addr addr = {.port = port, .ip_len = 4};
    unsigned part[4];
    int got = sscanf(ip, "%u.%u.%u.%u", &part[0], &part[1], &part[2], &part[3]);
    assert(got == 4);
    for (int i = 0; i < 4; i++)
        addr.ip[i] = (uint8_t)part[i];
    return addr;
}

// A machine that is up.
static inline void peer_init(struct peer *peer, struct simnet_world *world, const char *ip,
                             uint16_t port)
{
    static const struct simnet_actor_class class = {"peer", peer_receive, NULL, NULL, NULL};
    static struct simnet_profile profile;
    struct dht_addr addr = peer_addr(ip, port);
    *peer = (struct peer){.actor.class = &class};
    peer->machine = simnet_world_add(world, &profile, &addr, 1, NULL);
    peer->machine->actor = &peer->actor;
    simnet_machine_start(peer->machine, NULL, 0);
}

// Sends, and lets the world run for a moment. Returns whether `to` has got it.
static inline bool peer_reaches(struct peer *peer, const struct dht_addr *addr, struct peer *to)
{
    static const uint8_t bytes[4] = {'p', 'e', 'e', 'r'};
    uint32_t count = to->count;
    struct simnet_world *world = peer->machine->world;
    simnet_machine_send(peer->machine, 0, addr, (struct dht_span){bytes, sizeof bytes});
    simnet_world_run(world, simnet_world_now(world) + 10000);
    return to->count > count;
}

static inline bool peer_is_ip(const struct dht_addr *addr, const char *ip)
{
    struct dht_addr other = peer_addr(ip, 0);
    return addr->ip_len == 4 && memcmp(addr->ip, other.ip, 4) == 0;
}

#endif
