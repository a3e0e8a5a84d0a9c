// SPDX-License-Identifier: MIT
#include "node/core/lookup.h"

#include "dht/bencode.h"

#include <assert.h>
#include <string.h>

// Notes an operation that has started in a place of the cloud: who waits for it. False where it did
// not start.
static bool took(struct node *node, struct core_lookup *lookup, int place, uint32_t op,
                 const struct core_owner *owner)
{
    const struct core_engine *engine = &lookup->cloud->engines[place];
    if (op == 0)
        return false;
    if (!core_owner_set(&node->owners, engine->number, op, owner->kind, owner->object)) {
        dht_cancel(engine->dht, op);
        return false;
    }
    lookup->engines[place] = engine->number;
    lookup->ops[place] = op;
    lookup->running++;
    return true;
}

// The engine that was asked in that place; NULL where it is gone.
static struct dht *asked(const struct core_lookup *lookup, int place)
{
    const struct core_engine *engine = &lookup->cloud->engines[place];
    return engine->number == lookup->engines[place] ? engine->dht : NULL;
}

bool core_lookup_get(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_get *get)
{
    struct core_owner owner = {.kind = kind, .object = object};
    core_lookup_cancel(node, lookup);
    *lookup =
        (struct core_lookup){.cloud = lookup->cloud, .seq = DHT_SEQ_NONE, .target = get->target};
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht *dht = lookup->cloud->engines[i].dht;
        if (dht != NULL)
            took(node, lookup, i, dht_get(dht, node->now_us, get), &owner);
    }
    return lookup->running > 0;
}

bool core_lookup_put(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_item *item, int64_t cas)
{
    struct core_owner owner = {.kind = kind, .object = object};
    assert(lookup->running == 0);
    lookup->tally = (struct dht_tally){0};
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht *dht = lookup->cloud->engines[i].dht;
        uint32_t held = asked(lookup, i) != NULL ? lookup->held[i] : 0;
        lookup->held[i] = 0;
        if (dht != NULL)
            took(node, lookup, i, dht_put(dht, node->now_us, item, cas, held), &owner);
    }
    return lookup->running > 0;
}

void core_lookup_put_early(struct node *node, struct core_lookup *lookup,
                           const struct dht_item *item, int64_t cas)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht *dht = asked(lookup, i);
        if (dht != NULL && lookup->ops[i] != 0)
            dht_put_early(dht, node->now_us, item, cas, lookup->ops[i]);
    }
}

bool core_lookup_peers(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                       void *object, const struct dht_id *info_hash, bool trace)
{
    struct core_owner owner = {.kind = kind, .object = object};
    core_lookup_cancel(node, lookup);
    *lookup =
        (struct core_lookup){.cloud = lookup->cloud, .seq = DHT_SEQ_NONE, .target = *info_hash};
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        struct dht *dht = lookup->cloud->engines[i].dht;
        if (dht != NULL)
            took(node, lookup, i, dht_get_peers(dht, node->now_us, info_hash, trace), &owner);
    }
    return lookup->running > 0;
}

bool core_lookup_announce(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                          void *object, const struct dht_id *info_hash)
{
    struct core_owner owner = {.kind = kind, .object = object};
    core_lookup_cancel(node, lookup);
    *lookup = (struct core_lookup){.cloud = lookup->cloud,
                                   .has_changed = lookup->has_changed,
                                   .seq = DHT_SEQ_NONE,
                                   .target = *info_hash};
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        const struct core_engine *engine = &lookup->cloud->engines[i];
        if (!core_cloud_is_reached(engine))
            continue;
        uint32_t op = lookup->has_changed
                          ? dht_announce_changed(engine->dht, node->now_us, info_hash, 0)
                          : dht_announce(engine->dht, node->now_us, info_hash, 0);
        took(node, lookup, i, op, &owner);
    }
    return lookup->running > 0;
}

void core_lookup_announce_changed(struct node *node, const struct core_cloud *cloud,
                                  const struct dht_id *info_hash)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++)
        if (core_cloud_is_reached(&cloud->engines[i]))
            dht_announce_changed(cloud->engines[i].dht, node->now_us, info_hash, 0);
}

static bool is_better(const struct dht_item *item, const struct core_lookup *than)
{
    if (!than->found || item->seq != than->seq)
        return !than->found || item->seq > than->seq;
    size_t common = item->value.len < than->value_len ? item->value.len : than->value_len;
    int order = memcmp(item->value.data, than->value, common);
    return order != 0 ? order > 0 : item->value.len > than->value_len;
}

bool core_lookup_item(struct core_lookup *lookup, const struct dht_item *item)
{
    if (item->value.len > sizeof lookup->value || !is_better(item, lookup))
        return false;
    lookup->found = true;
    lookup->is_mutable = item->is_mutable;
    lookup->seq = item->is_mutable ? item->seq : 0;
    memcpy(lookup->key, item->key, sizeof lookup->key);
    memcpy(lookup->sig, item->sig, sizeof lookup->sig);
    memcpy(lookup->value, item->value.data, item->value.len);
    lookup->value_len = (uint16_t)item->value.len;
    return true;
}

static void add_tally(struct dht_tally *sum, const struct dht_tally *tally)
{
    sum->asked += tally->asked;
    sum->answered += tally->answered;
    sum->hops = tally->hops > sum->hops ? tally->hops : sum->hops;
    sum->copies += tally->copies;
    sum->others += tally->others;
    sum->own += tally->own;
    sum->targets += tally->targets;
    sum->stored += tally->stored;
    sum->refused += tally->refused;
    sum->density = tally->density > sum->density ? tally->density : sum->density;
    sum->suspect = sum->suspect || tally->suspect;
}

bool core_lookup_done(struct node *node, struct core_lookup *lookup, int engine,
                      const struct dht_tally *tally, bool keep)
{
    int place = lookup->ops[0] != 0 && lookup->engines[0] == engine ? 0 : 1;
    uint32_t op = lookup->ops[place];
    assert(op != 0 && lookup->engines[place] == engine && lookup->running > 0);
    core_owner_clear(&node->owners, engine, op);
    lookup->ops[place] = 0;
    lookup->held[place] = keep && asked(lookup, place) != NULL ? op : 0;
    add_tally(&lookup->tally, tally);
    return --lookup->running == 0;
}

void core_lookup_cancel(struct node *node, struct core_lookup *lookup)
{
    for (int i = 0; i < NODE_ENGINES_MAX; i++) {
        bool busy = lookup->ops[i] != 0 || lookup->held[i] != 0;
        struct dht *dht = busy ? asked(lookup, i) : NULL;
        if (lookup->ops[i] != 0)
            core_owner_clear(&node->owners, lookup->engines[i], lookup->ops[i]);
        if (dht != NULL && lookup->ops[i] != 0)
            dht_cancel(dht, lookup->ops[i]);
        if (dht != NULL && lookup->held[i] != 0)
            dht_cancel(dht, lookup->held[i]);
        lookup->ops[i] = lookup->held[i] = 0;
    }
    lookup->running = 0;
}

struct dht_span core_lookup_string(const struct core_lookup *lookup)
{
    struct dht_span value = {lookup->value, lookup->value_len};
    struct dht_span string;
    struct dht_bencode_cursor cursor = dht_bencode_cursor(value);
    bool whole = dht_bencode_string(&cursor, &string) && cursor.at == cursor.end;
    return lookup->found && whole ? string : (struct dht_span){0};
}
