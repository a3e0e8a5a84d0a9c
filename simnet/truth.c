// SPDX-License-Identifier: MIT
#include "simnet/truth.h"

#include "dht/id.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BITS (8 * DHT_ID_LEN)

struct simnet_truth {
    struct simnet_world *world;
    enum dht_family family;
    struct simnet_truth_node *nodes; // sorted by id
    uint32_t count, capacity;
};

struct simnet_truth *simnet_truth_new(struct simnet_world *world, enum dht_family family)
{
    struct simnet_truth *truth = simnet_world_need(calloc(1, sizeof *truth));
    truth->world = world;
    truth->family = family;
    simnet_truth_take(truth);
    return truth;
}

void simnet_truth_free(struct simnet_truth *truth)
{
    if (truth == NULL)
        return;
    free(truth->nodes);
    free(truth);
}

// ---- the picture ----

static void add(struct simnet_truth *truth, const struct simnet_machine *machine)
{
    struct dht_info info;
    if (machine->state != SIMNET_MACHINE_UP || machine->node == NULL || !machine->is_honest ||
        machine->way_out != NULL)
        return;
    for (uint8_t i = 0; i < machine->address_count; i++) {
        if ((machine->addrs[i].ip_len == 4) != (truth->family == DHT_IPV4))
            continue;
        dht_info(node_engine(machine->node, i), &info);
        if (info.role != DHT_ROLE_SERVER)
            continue;
        if (truth->count == truth->capacity) {
            truth->capacity = truth->capacity == 0 ? 64 : 2 * truth->capacity;
            truth->nodes =
                simnet_world_need(realloc(truth->nodes, truth->capacity * sizeof *truth->nodes));
        }
        truth->nodes[truth->count++] = (struct simnet_truth_node){info.id, machine->number};
    }
}

static int compare(const void *a, const void *b)
{
    const struct simnet_truth_node *left = a;
    const struct simnet_truth_node *right = b;
    int order = memcmp(left->id.bytes, right->id.bytes, DHT_ID_LEN);
    if (order != 0)
        return order;
    return left->machine < right->machine ? -1 : left->machine > right->machine;
}

void simnet_truth_take(struct simnet_truth *truth)
{
    truth->count = 0;
    for (uint32_t i = 0; i < simnet_world_machines(truth->world); i++)
        add(truth, simnet_world_machine(truth->world, i));
    if (truth->count > 0)
        qsort(truth->nodes, truth->count, sizeof *truth->nodes, compare);
}

uint32_t simnet_truth_count(const struct simnet_truth *truth)
{
    return truth->count;
}

// ---- the closest ----
// Ids that share their first bits are neighbours in the array. A range of them is cut at the next
// bit, and the half on the target's side holds all that is closer than the other half: walking that
// one first finds the closest in their order.

static bool bit_of(const struct dht_id *id, uint32_t bit)
{
    return (id->bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

struct walk {
    const struct simnet_truth *truth;
    const struct dht_id *target;
    uint32_t except;
    size_t k;
    struct simnet_truth_node *found;
    size_t count;
};

// The first of [low, high) whose bit is set.
static uint32_t cut_at(const struct simnet_truth *truth, uint32_t low, uint32_t high, uint32_t bit)
{
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (bit_of(&truth->nodes[middle].id, bit))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void find(struct walk *walk, uint32_t low, uint32_t high, uint32_t bit)
{
    if (low == high || walk->count == walk->k)
        return;
    if (high - low == 1 || bit == BITS) {
        if (walk->truth->nodes[low].machine != walk->except)
            walk->found[walk->count++] = walk->truth->nodes[low];
        if (high - low > 1)
            find(walk, low + 1, high, bit);
        return;
    }
    uint32_t middle = cut_at(walk->truth, low, high, bit);
    bool is_upper = bit_of(walk->target, bit);
    find(walk, is_upper ? middle : low, is_upper ? high : middle, bit + 1);
    find(walk, is_upper ? low : middle, is_upper ? middle : high, bit + 1);
}

size_t simnet_truth_closest(const struct simnet_truth *truth, const struct dht_id *target,
                            uint32_t except, size_t k, struct simnet_truth_node *ret_nodes)
{
    struct walk walk = {truth, target, except, k, ret_nodes, 0};
    find(&walk, 0, truth->count, 0);
    return walk.count;
}

double simnet_truth_recall(const struct simnet_truth *truth,
                           const struct simnet_truth_lookup *lookup, const struct dht_id *found,
                           size_t count)
{
    struct simnet_truth_node closest[DHT_CLOSEST_MAX];
    assert(lookup->k <= DHT_CLOSEST_MAX);
    size_t wanted = simnet_truth_closest(truth, lookup->target, lookup->except, lookup->k, closest);
    size_t there = 0;
    for (size_t i = 0; i < wanted; i++)
        for (size_t j = 0; j < count; j++)
            if (dht_id_equal(&closest[i].id, &found[j])) {
                there++;
                break;
            }
    return wanted == 0 ? 1 : (double)there / (double)wanted;
}

double simnet_truth_density(const struct simnet_truth *truth, const struct dht_id *target, size_t k)
{
    struct simnet_truth_node closest[DHT_CLOSEST_MAX];
    assert(k > 1 && k <= DHT_CLOSEST_MAX);
    size_t count = simnet_truth_closest(truth, target, SIMNET_TRUTH_NOBODY, k, closest);
    if (count < 2)
        return (double)count;
    // The k-th of n spread evenly lies at k / (n + 1) of the whole, in the mean.
    double farthest = (double)dht_id_distance64(target, &closest[count - 1].id) * 0x1p-64;
    return farthest > 0 ? (double)(count - 1) / farthest : (double)truth->count;
}
