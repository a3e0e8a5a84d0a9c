// SPDX-License-Identifier: MIT
// Of a checker: no honest brain holds more than it was configured to.
#include "simnet/checker_part.h"

#include "simnet/population.h"

static void judge(struct simnet_checker *checker, const struct simnet_machine *machine,
                  const char *what, uint64_t held, uint64_t bound)
{
    if (held > bound)
        simnet_checker_fail(checker, machine, "holds %llu %s, at most %llu",
                            (unsigned long long)held, what, (unsigned long long)bound);
}

static void judge_engine(struct simnet_checker *checker, const struct simnet_machine *machine,
                         int engine)
{
    struct dht_info info;
    const struct dht_config *config = &machine->profile->engine;
    dht_info(node_engine(machine->node, engine), &info);
    // The buckets' sizes fall by halves from the first one's to bucket_size.
    uint64_t contacts =
        2 * (uint64_t)config->first_bucket_size + (uint64_t)info.buckets * config->bucket_size;
    judge(checker, machine, "contacts", info.contacts, contacts);
    judge(checker, machine, "operations", info.ops, config->ops_max);
    judge(checker, machine, "queries", info.queries, config->queries_max);
    judge(checker, machine, "items", info.items, config->items_max);
    judge(checker, machine, "bytes of items", info.items_bytes, config->items_bytes_max);
    judge(checker, machine, "swarms", info.swarms, config->swarms_max);
    judge(checker, machine, "peers", info.peers, config->peers_max);
    judge(checker, machine, "watches", info.watches, config->watches_max);
    judge(checker, machine, "watchers", info.watchers, config->watchers_max);
    judge(checker, machine, "pushes", info.pushes, config->pushes_max);
}

static void judge_machine(struct simnet_checker *checker, const struct simnet_machine *machine)
{
    struct node_info info;
    const struct node_config *config = &machine->profile->node;
    if (machine->state != SIMNET_MACHINE_UP || machine->node == NULL || !machine->is_honest)
        return;
    node_info(machine->node, &info);
    judge(checker, machine, "sessions", info.sessions, config->sessions_max);
    // One more a session is a cancel, which is taken all the same.
    judge(checker, machine, "requests", info.requests,
          (uint64_t)info.sessions * (config->requests_max + 1));
    judge(checker, machine, "lookups", info.resolves, config->resolves_max);
    judge(checker, machine, "watches", info.watches, config->watches_max);
    judge(checker, machine, "publications", info.publications, config->publications_max);
    judge(checker, machine, "keys", info.keys, config->keys_max);
    judge(checker, machine, "cached records", info.cached, config->cache_max);
    for (int i = 0; i < machine->address_count; i++)
        judge_engine(checker, machine, i);
}

void simnet_checker_bounds_sample(struct simnet_checker *checker)
{
    if ((checker->config.parts & SIMNET_CHECKER_BOUNDS) == 0)
        return;
    uint32_t count = simnet_world_machines(checker->world);
    uint32_t sample = checker->config.sample;
    if (sample == 0 || count <= sample) {
        for (uint32_t i = 0; i < count; i++)
            judge_machine(checker, simnet_world_machine(checker->world, i));
        return;
    }
    for (uint32_t i = 0; i < sample; i++) {
        const struct simnet_machine *machine =
            simnet_population_draw(checker->world, &checker->stream, 0, count);
        if (machine != NULL)
            judge_machine(checker, machine);
    }
}
