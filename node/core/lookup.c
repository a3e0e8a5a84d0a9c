// SPDX-License-Identifier: MIT
#include "node/core/lookup.h"

#include "dht/bencode.h"

#include <assert.h>
#include <string.h>

// Notes an operation that has started: who waits for it. False where it did not start.
static bool took(struct node *node, struct core_lookup *lookup, int engine, uint32_t op,
                 const struct core_owner *owner)
{
    if (op == 0)
        return false;
    if (!core_owner_set(&node->owners, engine, op, owner->kind, owner->object)) {
        dht_cancel(node->engines[engine].dht, op);
        return false;
    }
    lookup->ops[engine] = op;
    lookup->running++;
    return true;
}

bool core_lookup_get(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_get *get)
{
    struct core_owner owner = {.kind = kind, .object = object};
    core_lookup_cancel(node, lookup);
    *lookup = (struct core_lookup){.seq = DHT_SEQ_NONE, .target = get->target};
    for (int i = 0; i < node->engine_count; i++)
        took(node, lookup, i, dht_get(node->engines[i].dht, node->now_us, get), &owner);
    return lookup->running > 0;
}

bool core_lookup_put(struct node *node, struct core_lookup *lookup, enum core_owner_kind kind,
                     void *object, const struct dht_item *item, int64_t cas)
{
    struct core_owner owner = {.kind = kind, .object = object};
    assert(lookup->running == 0);
    lookup->tally = (struct dht_tally){0};
    for (int i = 0; i < node->engine_count; i++) {
        uint32_t held = lookup->held[i];
        lookup->held[i] = 0;
        took(node, lookup, i, dht_put(node->engines[i].dht, node->now_us, item, cas, held), &owner);
    }
    return lookup->running > 0;
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
    sum->targets += tally->targets;
    sum->stored += tally->stored;
    sum->refused += tally->refused;
    sum->density = tally->density > sum->density ? tally->density : sum->density;
    sum->suspect = sum->suspect || tally->suspect;
}

bool core_lookup_done(struct node *node, struct core_lookup *lookup, int engine,
                      const struct dht_tally *tally, bool keep)
{
    uint32_t op = lookup->ops[engine];
    assert(op != 0 && lookup->running > 0);
    core_owner_clear(&node->owners, engine, op);
    lookup->ops[engine] = 0;
    lookup->held[engine] = keep ? op : 0;
    add_tally(&lookup->tally, tally);
    return --lookup->running == 0;
}

void core_lookup_cancel(struct node *node, struct core_lookup *lookup)
{
    for (int i = 0; i < node->engine_count; i++) {
        if (lookup->ops[i] != 0) {
            core_owner_clear(&node->owners, i, lookup->ops[i]);
            dht_cancel(node->engines[i].dht, lookup->ops[i]);
        }
        if (lookup->held[i] != 0)
            dht_cancel(node->engines[i].dht, lookup->held[i]);
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
