// SPDX-License-Identifier: MIT
#include "node/core/teller.h"

static void end_at(struct node *node, struct core_teller *teller, int place)
{
    if (teller->ops[place] == 0)
        return;
    core_owner_clear(&node->owners, teller->engines[place], teller->ops[place]);
    dht_cancel(node_engine(node, teller->engines[place]), teller->ops[place]);
    teller->ops[place] = 0;
}

static void begin_at(struct node *node, struct core_teller *teller, int place,
                     const struct dht_watch *asked, const struct core_teller_owner *owner)
{
    const struct core_engine *engine = &teller->cloud->engines[place];
    teller->ops[place] = dht_watch(engine->dht, node->now_us, asked);
    teller->engines[place] = engine->number;
    if (teller->ops[place] != 0 && !core_owner_set(&node->owners, engine->number,
                                                   teller->ops[place], owner->kind, owner->object))
        end_at(node, teller, place);
}

bool core_teller_begin(struct node *node, struct core_teller *teller, struct core_lookup *lookup,
                       const struct dht_watch *asked, const struct core_teller_owner *owner)
{
    bool any = false;
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        const struct core_engine *engine = &teller->cloud->engines[i];
        struct dht_watch with_held = *asked;
        with_held.held_op = lookup->held[i];
        if (teller->ops[i] == 0 && engine->dht != NULL) {
            begin_at(node, teller, i, &with_held, owner);
            lookup->held[i] = teller->ops[i] != 0 ? 0 : lookup->held[i];
        }
        any = any || teller->ops[i] != 0;
    }
    core_lookup_cancel(node, lookup);
    return any;
}

void core_teller_end(struct node *node, struct core_teller *teller)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        end_at(node, teller, i);
}

bool core_teller_has(const struct core_teller *teller, int engine, uint32_t op)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (teller->ops[i] == op && teller->engines[i] == engine)
            return true;
    return false;
}

void core_teller_lost(struct node *node, struct core_teller *teller, int engine, uint32_t op)
{
    core_owner_clear(&node->owners, engine, op);
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (teller->ops[i] == op && teller->engines[i] == engine)
            teller->ops[i] = 0;
}
