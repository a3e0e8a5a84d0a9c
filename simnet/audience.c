// SPDX-License-Identifier: MIT
#include "simnet/audience.h"

#include "dht/engine.h"
#include "dht/watcher.h"
#include "simnet/population.h"
#include "simnet/truth.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// ---- who takes part ----

static void draw_machines(struct simnet_audience *audience)
{
    const struct simnet_audience_config *config = &audience->config;
    uint32_t watching = config->is_one ? 1 : config->names * config->watchers;
    audience->machine_count = config->names + watching;
    assert(config->names > 0 && audience->machine_count <= config->count);
    audience->machines = simnet_world_need(calloc(config->count, sizeof *audience->machines));
    for (uint32_t i = 0; i < config->count; i++)
        audience->machines[i] = config->first + i;
    for (uint32_t i = 0; i < audience->machine_count; i++) {
        uint32_t with = i + (uint32_t)simnet_stream_below(&audience->stream, config->count - i);
        uint32_t machine = audience->machines[i];
        audience->machines[i] = audience->machines[with];
        audience->machines[with] = machine;
    }
}

// The machine of that place among those drawn.
static struct simnet_machine *machine_at(const struct simnet_audience *audience, uint32_t place)
{
    return simnet_world_machine(audience->world, audience->machines[place]);
}

struct simnet_audience *simnet_audience_new(struct simnet_world *world,
                                            const struct simnet_audience_config *config,
                                            int64_t over_us)
{
    struct simnet_audience *audience = simnet_world_need(calloc(1, sizeof *audience));
    struct simnet_publisher_habits habits = {0};
    audience->world = world;
    audience->config = *config;
    simnet_stream_init(&audience->stream, simnet_world_seed(world), "audience", 0);
    draw_machines(audience);
    audience->publishers =
        simnet_world_need(calloc(config->names, sizeof(struct simnet_publisher *)));
    audience->changed_us = simnet_world_need(calloc(config->names, sizeof *audience->changed_us));
    // Of one machine each follower has as many names as it takes, else one.
    audience->followers =
        simnet_world_need(calloc(audience->machine_count, sizeof(struct simnet_follower *)));
    for (uint32_t i = 0; i < config->names; i++)
        audience->publishers[i] = simnet_publisher_new(
            machine_at(audience, i), i,
            simnet_world_now(world) + over_us / config->names * (int64_t)i, &habits);
    return audience;
}

void simnet_audience_free(struct simnet_audience *audience)
{
    if (audience == NULL)
        return;
    for (uint32_t i = 0; i < audience->follower_count; i++)
        simnet_follower_free(audience->followers[i]);
    for (uint32_t i = 0; i < audience->config.names; i++)
        simnet_publisher_free(audience->publishers[i]);
    free(audience->followers);
    free(audience->publishers);
    free(audience->changed_us);
    free(audience->machines);
    free(audience);
}

// ---- watching ----

static struct simnet_follower *add_follower(struct simnet_audience *audience, uint32_t place)
{
    struct simnet_follower *follower = simnet_follower_new(machine_at(audience, place));
    audience->followers[audience->follower_count++] = follower;
    return follower;
}

// The next watch begins.
static void follow(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_audience *audience = ctx;
    uint32_t names = audience->config.names;
    struct simnet_follower *follower = NULL;
    (void)world;
    if (!audience->config.is_one)
        follower = add_follower(audience, names + (uint32_t)number);
    else if (number % SIMNET_FOLLOWER_NAMES_MAX == 0)
        follower = add_follower(audience, names);
    else
        follower = audience->followers[audience->follower_count - 1];
    simnet_follower_add(follower, audience->publishers[number % names]);
}

void simnet_audience_follow(struct simnet_audience *audience, int64_t over_us)
{
    uint32_t names = audience->config.names;
    uint32_t count = audience->config.is_one ? names : names * audience->config.watchers;
    for (uint32_t i = 0; i < count; i++)
        simnet_world_at(audience->world,
                        simnet_world_now(audience->world) + over_us / count * (int64_t)i, follow,
                        audience, i);
}

void simnet_audience_leave(struct simnet_audience *audience)
{
    for (uint32_t i = 0; i < audience->follower_count; i++)
        simnet_follower_end(audience->followers[i]);
}

// ---- changes ----

static void change(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_audience *audience = ctx;
    audience->changed_us[number] = simnet_world_now(world);
    simnet_publisher_change(audience->publishers[number]);
}

void simnet_audience_change(struct simnet_audience *audience, int64_t apart_us)
{
    for (uint32_t i = 0; i < audience->config.names; i++)
        simnet_world_at(audience->world, simnet_world_now(audience->world) + apart_us * (int64_t)i,
                        change, audience, i);
}

static bool is_reachable(const struct simnet_machine *machine)
{
    return machine->state == SIMNET_MACHINE_UP && machine->node != NULL && !machine->is_unplugged;
}

void simnet_audience_told(const struct simnet_audience *audience,
                          struct simnet_audience_told *ret_told)
{
    *ret_told = (struct simnet_audience_told){0};
    for (uint32_t i = 0; i < audience->follower_count; i++) {
        const struct simnet_follower *follower = audience->followers[i];
        if (!simnet_follower_is_up(follower) ||
            !is_reachable(simnet_client_machine(follower->client)))
            continue;
        for (uint32_t j = 0; j < follower->count; j++) {
            const struct simnet_follower_name *name = &follower->names[j];
            ret_told->watches++;
            if (name->version != name->publisher->version)
                continue;
            int64_t changed_us = audience->changed_us[name->publisher->number];
            ret_told->told++;
            simnet_tally_add(&ret_told->us, (uint64_t)(name->told_us - changed_us));
        }
    }
}

// ---- mishaps ----

// Crashes, moves, or loses its cable: by turns.
static void strike(struct simnet_audience *audience, struct simnet_machine *machine, uint32_t turn)
{
    if (turn % 3 == 0) {
        simnet_machine_crash(machine);
    } else if (turn % 3 == 1) {
        struct dht_addr addr =
            simnet_population_near(audience->world, &audience->stream, &machine->addrs[0]);
        simnet_machine_move(machine, 0, &addr);
    } else {
        simnet_machine_unplug(machine);
    }
}

void simnet_audience_strike_watchers(struct simnet_audience *audience)
{
    assert(!audience->config.is_one);
    for (uint32_t i = audience->config.names; i < audience->machine_count; i++)
        strike(audience, machine_at(audience, i), i - audience->config.names);
}

static bool takes_part(const struct simnet_audience *audience, uint32_t machine)
{
    for (uint32_t i = 0; i < audience->machine_count; i++)
        if (audience->machines[i] == machine)
            return true;
    return false;
}

uint32_t simnet_audience_strike_keepers(struct simnet_audience *audience, uint32_t count)
{
    struct simnet_truth_node closest[DHT_CLOSEST_MAX];
    struct simnet_truth *truth = simnet_truth_new(audience->world, DHT_IPV4);
    uint32_t struck = 0;
    assert(count <= DHT_CLOSEST_MAX);
    simnet_truth_take(truth);
    for (uint32_t i = 0; i < audience->config.names; i++) {
        size_t found = simnet_truth_closest(truth, &audience->publishers[i]->target,
                                            SIMNET_TRUTH_NOBODY, count, closest);
        for (size_t j = 0; j < found; j++) {
            struct simnet_machine *machine =
                simnet_world_machine(audience->world, closest[j].machine);
            if (is_reachable(machine) && !takes_part(audience, machine->number))
                strike(audience, machine, struck++);
        }
    }
    simnet_truth_free(truth);
    return struck;
}

// ---- what is left ----

// Which machines have a client that watches: a flag for each of the world's.
static bool *watching_machines(const struct simnet_audience *audience)
{
    bool *is_watching =
        simnet_world_need(calloc(simnet_world_machines(audience->world), sizeof *is_watching));
    for (uint32_t i = 0; i < audience->follower_count; i++) {
        const struct simnet_follower *follower = audience->followers[i];
        if (simnet_follower_is_up(follower))
            is_watching[simnet_client_machine(follower->client)->number] = true;
    }
    return is_watching;
}

static void count_ghosts(const struct simnet_audience *audience,
                         const struct simnet_machine *keeper, const bool *is_watching,
                         struct simnet_audience_left *left)
{
    const struct dht_watcher_table *table = node_engine(keeper->node, 0)->watchers;
    for (uint32_t slot = 0; table != NULL && slot < table->watchers.capacity; slot++) {
        const struct dht_watcher *watcher = dht_watcher_at(table, slot);
        if (watcher == NULL)
            continue;
        const struct simnet_machine *machine = simnet_world_find(audience->world, &watcher->addr);
        left->ghosts += keeper->is_unplugged || machine == NULL || !is_reachable(machine) ||
                        !is_watching[machine->number];
    }
}

void simnet_audience_left(const struct simnet_audience *audience,
                          struct simnet_audience_left *ret_left)
{
    struct simnet_audience_left left = {0};
    bool *is_watching = watching_machines(audience);
    for (uint32_t i = 0; i < simnet_world_machines(audience->world); i++) {
        const struct simnet_machine *machine = simnet_world_machine(audience->world, i);
        struct node_info node;
        struct dht_info info;
        if (machine->state != SIMNET_MACHINE_UP || machine->node == NULL)
            continue;
        node_info(machine->node, &node);
        dht_info(node_engine(machine->node, 0), &info);
        left.watches += node.watches;
        left.watchers += info.watchers;
        left.most = info.watchers > left.most ? info.watchers : left.most;
        left.pushes += info.pushes;
        left.pushes_sent += info.counters.pushes_sent;
        left.pushes_repeated += info.counters.pushes_repeated;
        count_ghosts(audience, machine, is_watching, &left);
    }
    free(is_watching);
    *ret_left = left;
}
