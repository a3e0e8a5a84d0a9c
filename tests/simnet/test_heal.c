// SPDX-License-Identifier: MIT
// A network that was cut in two for so long that each half has forgotten the other is one again
// minutes after the cut heals; and where many come at once, all soon know their neighbours.
#include "dht/id.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "simnet/truth.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define MACHINES 100
#define CLOSEST  8

struct cut {
    struct simnet_element element;
    bool is_on;
};

// Machines of odd numbers do not reach those of even ones.
static void forward(struct simnet_element *element, struct simnet_world *world,
                    struct simnet_packet *packet)
{
    const struct cut *cut = (struct cut *)element;
    if (cut->is_on && (packet->place_from ^ packet->place_to) & 1)
        simnet_element_drop(element, world, packet);
    else
        simnet_element_pass(element, world, packet);
}

static void free_cut(struct simnet_element *element)
{
    free(element);
}

static size_t known_of(const struct simnet_truth *truth, const struct simnet_machine *machine)
{
    struct dht_contact_info contacts[512];
    struct simnet_truth_node closest[CLOSEST];
    struct dht_info info;
    const struct dht *dht = node_engine(machine->node, 0);
    size_t known = 0;
    dht_info(dht, &info);
    size_t count = simnet_truth_closest(truth, &info.id, machine->number, CLOSEST, closest);
    size_t contact_count = dht_contacts(dht, contacts, 512);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < contact_count; j++)
            known += dht_id_equal(&closest[i].id, &contacts[j].id);
    return known;
}

// The share of all machines' closest neighbours that they have in their tables.
static double known_share(struct simnet_world *world)
{
    struct simnet_truth *truth = simnet_truth_new(world, DHT_IPV4);
    size_t known = 0;
    simnet_truth_take(truth);
    for (uint32_t i = 0; i < MACHINES; i++)
        known += known_of(truth, simnet_world_machine(world, i));
    simnet_truth_free(truth);
    return (double)known / (MACHINES * CLOSEST);
}

static void two_halves_become_one(struct twice *twice)
{
    static const struct simnet_element_class class = {"cut", forward, free_cut};
    static struct simnet_profile profile;
    struct simnet_world *world = simnet_world_new(1);
    struct cut *cut = calloc(1, sizeof *cut);
    assert_non_null(cut);
    cut->element.class = &class;
    simnet_profile_init(&profile);
    simnet_world_internet(world, &cut->element);
    simnet_world_internet(world, simnet_latency_lognormal(1, 100000, 0.6, 1000));
    simnet_population_join(world, &profile, MACHINES, 20 * SIMNET_SECOND_US);
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    assert_true(known_share(world) > 0.95);
    cut->is_on = true;
    simnet_world_run(world, 8 * SIMNET_HOUR_US);
    assert_true(known_share(world) < 0.6);
    cut->is_on = false;
    simnet_world_run(world, 8 * SIMNET_HOUR_US + 15 * SIMNET_MINUTE_US);
    assert_true(known_share(world) > 0.95);
    twice_end(twice, world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {twice_scenario(two_halves_become_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
