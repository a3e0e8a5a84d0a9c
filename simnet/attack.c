// SPDX-License-Identifier: MIT
#include "simnet/attack.h"

#include "simnet/adversary.h"
#include "simnet/flooder.h"
#include "simnet/population.h"

#include <assert.h>
#include <stdlib.h>

#define VICTIMS      32                            // that a new one introduces itself to
#define BASE_NUMBER  UINT32_C(0x70000000)          // of the address that names their /16
#define FEW_NUMBER   UINT32_C(0x70000001)          // of the first of their few addresses
#define KIND_FLOODER ((int)SIMNET_ADVERSARY_KINDS) // the scenario's word after all others

struct simnet_attack {
    struct simnet_network *network;
    const struct simnet_application *application;
    struct simnet_league *league;
    struct simnet_stream stream;
    struct simnet_flood flood; // what flooders share
    uint32_t count;
};

// Turns nodes into flooders, drawn one by one.
static uint32_t turn_flooders(struct simnet_attack *attack,
                              const struct simnet_scenario_adversary *adversary, uint32_t wanted)
{
    struct simnet_network *network = attack->network;
    uint32_t turned = 0;
    attack->flood.packets_per_second = (uint32_t)adversary->rate;
    attack->flood.sends = adversary->sends;
    for (uint32_t tries = 0; turned < wanted && tries < 64 * wanted; tries++) {
        struct simnet_machine *machine =
            simnet_population_draw(network->world, &attack->stream, network->first, network->count);
        if (machine == NULL || !machine->is_honest)
            continue;
        simnet_flooder_turn(machine, &attack->flood);
        turned++;
    }
    return turned;
}

static uint32_t join(struct simnet_attack *attack,
                     const struct simnet_scenario_adversary *adversary)
{
    struct simnet_network *network = attack->network;
    bool is_around = adversary->placement == SIMNET_SCENARIO_AROUND_NAME;
    uint64_t seed = simnet_world_seed(network->world);
    enum simnet_claim_range range = (enum simnet_claim_range)adversary->addresses;
    struct dht_addr few[SIMNET_SCENARIO_FEW_MAX];
    for (uint32_t i = 0; i < (uint32_t)adversary->few; i++)
        few[i] = simnet_population_ipv4(seed, FEW_NUMBER + i);
    struct simnet_adversary_crowd crowd = {
        .kind = (enum simnet_adversary_kind)adversary->kind,
        .count = (uint32_t)adversary->count,
        .range = range,
        .base = simnet_claim_ip_len(range) == 4 ? simnet_population_ipv4(seed, BASE_NUMBER)
                                                : simnet_population_ipv6(seed, BASE_NUMBER),
        .few = few,
        .few_count = (uint32_t)adversary->few,
        .victims = VICTIMS,
    };
    if (is_around && simnet_application_begun(attack->application) > 0)
        crowd.target = &simnet_application_publisher(attack->application, 0)->target;
    simnet_adversary_join(network->world, &network->profile, &crowd, attack->league);
    return crowd.count;
}

static void begin(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_attack *attack = ctx;
    struct simnet_network *network = attack->network;
    const struct simnet_scenario_adversary *adversary = &network->scenario->adversaries[number];
    if (adversary->kind == KIND_FLOODER)
        attack->count +=
            turn_flooders(attack, adversary,
                          adversary->share > 0 ? (uint32_t)(adversary->share * network->count + 0.5)
                                               : (uint32_t)adversary->count);
    else if (adversary->share > 0)
        attack->count += simnet_adversary_turn_share(world, network->first, network->count,
                                                     adversary->share, attack->league,
                                                     (enum simnet_adversary_kind)adversary->kind);
    else if (adversary->count > 0)
        attack->count += join(attack, adversary);
}

struct simnet_attack *simnet_attack_new(struct simnet_network *network,
                                        const struct simnet_application *application,
                                        int64_t publish_us, int64_t t0_us)
{
    const struct simnet_scenario *scenario = network->scenario;
    struct simnet_attack *attack = simnet_world_need(calloc(1, sizeof *attack));
    attack->network = network;
    attack->application = application;
    attack->league = simnet_world_need(simnet_league_new());
    simnet_stream_init(&attack->stream, simnet_world_seed(network->world), "attack", 0);
    simnet_flood_init(&attack->flood, network->world, network->first, network->count);
    for (size_t i = 0; i < scenario->adversary_count; i++) {
        const struct simnet_scenario_adversary *adversary = &scenario->adversaries[i];
        bool is_early = adversary->from == SIMNET_SCENARIO_FROM_PUBLISH;
        simnet_world_at(network->world, is_early ? publish_us : t0_us + adversary->at_us, begin,
                        attack, i);
    }
    return attack;
}

void simnet_attack_free(struct simnet_attack *attack)
{
    if (attack == NULL)
        return;
    simnet_league_drop(attack->league);
    free(attack);
}

uint32_t simnet_attack_count(const struct simnet_attack *attack)
{
    return attack->count;
}

uint64_t simnet_attack_floods(const struct simnet_attack *attack)
{
    return attack->flood.sent;
}

uint64_t simnet_attack_proven(const struct simnet_attack *attack)
{
    return attack->flood.proven;
}

const struct simnet_league_counters *simnet_attack_counters(const struct simnet_attack *attack)
{
    return simnet_league_counters(attack->league);
}
