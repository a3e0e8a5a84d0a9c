// SPDX-License-Identifier: MIT
#include "dht/check.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/maintain.h"
#include "dht/query.h"

#include <stdlib.h>

#define SILENT_S  ((uint32_t)(DHT_CHECK_SILENT_US / DHT_SECOND_US))
#define FAILED_S  10 // a contact that has failed is tried again soon
#define PAUSE_US  (1 * DHT_SECOND_US)
#define ROUND     4 // contacts that are checked one after the other
#define NEAR      4 // so much sooner a neighbour is checked
#define NAMED_MAX 8

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void ask(struct dht *dht, const struct dht_krpc_node *node, const struct dht_id *target)
{
    struct dht_query query = {
        .method = target != NULL ? DHT_KRPC_FIND_NODE : DHT_KRPC_PING,
        .purpose = DHT_PURPOSE_CHECK,
        .addr = &node->addr,
        .id = &node->id,
        .target = target,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
    };
    dht_allowance_spend(&dht->upkeep.allowance, 1);
    dht_query_send(dht, &query);
}

// ---- newcomers ----

static uint32_t depth_of(const struct dht *dht, const struct dht_newcomer *newcomer)
{
    return dht_id_common_bits(&dht->id, &newcomer->id);
}

static bool has_room(struct dht_upkeep *upkeep)
{
    if (upkeep->newcomer_count < upkeep->newcomer_capacity)
        return true;
    uint32_t capacity = upkeep->newcomer_capacity == 0 ? 4 : 2 * upkeep->newcomer_capacity;
    if (capacity > DHT_NEWCOMERS_MAX)
        return false;
    struct dht_newcomer *newcomers = realloc(upkeep->newcomers, capacity * sizeof *newcomers);
    if (newcomers == NULL)
        return false;
    upkeep->newcomers = newcomers;
    upkeep->newcomer_capacity = capacity;
    return true;
}

// The place of the newcomer farthest from us, if it is farther than that one.
static struct dht_newcomer *farthest_past(struct dht *dht, const struct dht_newcomer *than)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    struct dht_newcomer *farthest = NULL;
    uint32_t least = depth_of(dht, than);
    for (uint32_t i = 0; i < upkeep->newcomer_count; i++) {
        uint32_t depth = depth_of(dht, &upkeep->newcomers[i]);
        if (depth >= least)
            continue;
        least = depth;
        farthest = &upkeep->newcomers[i];
    }
    return farthest;
}

// When a newcomer can be asked that is due then: not before the allowance pays for it.
static int64_t paid_us(struct dht *dht, int64_t due_us)
{
    int64_t allowed_us = dht_allowance_due_us(&dht->upkeep.allowance, dht->now_us, 0);
    return due_us > allowed_us ? due_us : allowed_us;
}

// Whoever is to be asked at that address, or NULL.
static struct dht_newcomer *find_newcomer(struct dht_upkeep *upkeep, const struct dht_addr *addr)
{
    for (uint32_t i = 0; i < upkeep->newcomer_count; i++)
        if (dht_addr_equal(&upkeep->newcomers[i].addr, addr))
            return &upkeep->newcomers[i];
    return NULL;
}

void dht_check_asker(struct dht *dht, const struct dht_krpc_node *node, int64_t due_us)
{
    struct dht_newcomer *known = find_newcomer(&dht->upkeep, &node->addr);
    if (known != NULL)
        known->id = node->id;
    else
        dht_check_newcomer(dht, node, due_us);
}

void dht_check_newcomer(struct dht *dht, const struct dht_krpc_node *node, int64_t due_us)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    struct dht_newcomer newcomer = {.id = node->id, .addr = node->addr, .due_us = due_us};
    if (find_newcomer(upkeep, &node->addr) != NULL)
        return;
    struct dht_newcomer *place = has_room(upkeep) ? &upkeep->newcomers[upkeep->newcomer_count++]
                                                  : farthest_past(dht, &newcomer);
    if (place == NULL) {
        DHT_COUNT(dht, contacts_refused);
        return;
    }
    *place = newcomer;
    // The timer knows of the others.
    dht_maintain_hurry(dht, earlier(paid_us(dht, due_us), upkeep->next_check_us));
}

// The newcomer that is due and nearest to us; NULL where none is.
static struct dht_newcomer *nearest_due(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    struct dht_newcomer *nearest = NULL;
    for (uint32_t i = 0; i < upkeep->newcomer_count; i++) {
        struct dht_newcomer *newcomer = &upkeep->newcomers[i];
        if (newcomer->due_us <= dht->now_us &&
            (nearest == NULL || depth_of(dht, newcomer) > depth_of(dht, nearest)))
            nearest = newcomer;
    }
    return nearest;
}

static void ask_newcomers(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    while (dht_allowance_left(&upkeep->allowance, dht->now_us) > 0) {
        struct dht_newcomer *nearest = nearest_due(dht);
        if (nearest == NULL)
            return;
        struct dht_krpc_node node = {nearest->id, nearest->addr};
        *nearest = upkeep->newcomers[--upkeep->newcomer_count];
        if (dht_table_wants(&dht->table, &node.id))
            ask(dht, &node, NULL);
    }
}

void dht_check_named(struct dht *dht, const struct dht_krpc *msg)
{
    size_t node_len = dht_engine_node_len(dht);
    struct dht_span nodes = dht->config.family == DHT_IPV4 ? msg->nodes : msg->nodes6;
    for (size_t i = 0; i < nodes.len / node_len && i < NAMED_MAX; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(nodes, node_len, i, &node);
        if (dht_engine_is_acceptable(dht, &node.addr) && dht_table_wants(&dht->table, &node.id) &&
            dht_table_find(&dht->table, &node.id, &node.addr) == NULL)
            dht_check_newcomer(dht, &node, dht->now_us);
    }
}

// ---- contacts ----

// Whether the bucket is one of our neighbourhood: where buckets are no longer wider than the least.
static bool is_near(const struct dht *dht, uint32_t depth)
{
    return dht_table_bucket_capacity(&dht->table, depth) == dht->config.bucket_size;
}

// The contact to check next.
struct choice {
    struct dht_contact_ref contact;
    uint32_t depth;
    uint32_t silence_s; // weighted
    uint32_t soonest_s; // when there is one to choose, where there is none now
    bool failed;
    bool no_failed; // is to be chosen
};

static void consider(struct choice *choice, struct dht_contact_ref ref, uint32_t now_s,
                     uint32_t weight)
{
    const struct dht_contact *contact = ref.contact;
    bool failed = contact->fails > 0;
    if (failed && choice->no_failed)
        return;
    uint32_t heard_s = contact->answered_s + contact->heard_after_s;
    uint32_t due_s =
        failed ? dht_contact_time_s(contact->failed_s, now_s) + FAILED_S : heard_s + SILENT_S;
    uint32_t not_before_s = dht_contact_time_s(contact->asked_s, now_s) + FAILED_S;
    due_s = due_s > not_before_s ? due_s : not_before_s;
    if (due_s > now_s) {
        choice->soonest_s = due_s < choice->soonest_s ? due_s : choice->soonest_s;
        return;
    }
    uint32_t silence_s = (now_s - heard_s) * weight;
    if (choice->contact.contact != NULL &&
        (failed < choice->failed || (failed == choice->failed && silence_s <= choice->silence_s)))
        return;
    choice->contact = ref;
    choice->silence_s = silence_s;
    choice->failed = failed;
}

static struct choice choose(const struct dht *dht, uint32_t now_s)
{
    struct choice choice = {.soonest_s = now_s + SILENT_S, .no_failed = dht->upkeep.round_failed};
    for (uint32_t depth = 0; depth < dht->table.bucket_count; depth++) {
        const struct dht_bucket *bucket = &dht->table.buckets[depth];
        uint32_t weight = is_near(dht, depth) ? NEAR : 1;
        struct dht_contact *before = choice.contact.contact;
        for (uint32_t i = 0; i < bucket->count; i++)
            consider(&choice, dht_table_at(&dht->table, bucket, i), now_s, weight);
        if (choice.contact.contact != before)
            choice.depth = depth;
    }
    return choice;
}

// The contact that was last heard from: whoever answers, if it is not our own network that is down.
static struct choice choose_witness(const struct dht *dht, uint32_t now_s)
{
    struct choice choice = {.soonest_s = now_s + SILENT_S};
    uint32_t last_s = 0;
    for (uint32_t depth = 0; depth < dht->table.bucket_count; depth++) {
        const struct dht_bucket *bucket = &dht->table.buckets[depth];
        for (uint32_t i = 0; i < bucket->count; i++) {
            struct dht_contact_ref ref = dht_table_at(&dht->table, bucket, i);
            uint32_t heard_s = ref.contact->answered_s + ref.contact->heard_after_s;
            if (ref.contact->fails > 0 || heard_s <= last_s)
                continue;
            last_s = heard_s;
            choice.contact = ref;
            choice.depth = depth;
        }
    }
    return choice;
}

static void check_contact(struct dht *dht, const struct choice *choice)
{
    struct dht_contact_ref ref = choice->contact;
    struct dht_krpc_node node = {dht_contact_id(ref),
                                 dht_contact_addr(ref.contact, dht->table.contact_len)};
    const struct dht_bucket *bucket = &dht->table.buckets[choice->depth];
    bool has_room = bucket->count < dht_table_bucket_capacity(&dht->table, choice->depth);
    bool near = is_near(dht, choice->depth);
    struct dht_id target = dht->id;
    if (!near)
        target = dht_table_random_id(&dht->table, choice->depth, &dht->random);
    ref.contact->asked_s = (uint16_t)dht_engine_now_s(dht);
    ask(dht, &node, !choice->failed && (near || has_room) ? &target : NULL);
}

// Contacts are checked in rounds, one a second, and in a round no two one after the other that have
// failed already: silence counts against a contact only where somebody else has answered meanwhile
// (dht/reply.c), for else it may be our own network that is down. Where very many have died they
// are the ones that have been silent for longest, and nobody in a round answers: then its last
// check goes to a witness.
static void check(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    uint32_t now_s = dht_engine_now_s(dht);
    int32_t least = upkeep->round_left > 0 ? 0 : ROUND - 1;
    upkeep->next_check_us = dht_allowance_due_us(&upkeep->allowance, dht->now_us, least);
    if (upkeep->next_check_us > dht->now_us)
        return;
    if (upkeep->round_left == 0) {
        upkeep->round_left = ROUND;
        upkeep->round_at_us = dht->now_us;
    }
    bool want_witness = upkeep->round_left == 1 && dht->heard_us < upkeep->round_at_us;
    struct choice choice = want_witness ? choose_witness(dht, now_s) : choose(dht, now_s);
    if (choice.contact.contact == NULL) {
        uint32_t soonest_s = choice.no_failed ? now_s + FAILED_S : choice.soonest_s;
        upkeep->round_left = 0;
        upkeep->round_failed = false;
        upkeep->next_check_us = dht->now_us + (int64_t)(soonest_s - now_s) * DHT_SECOND_US;
        return;
    }
    upkeep->round_left--;
    upkeep->round_failed = choice.failed && upkeep->round_left > 0;
    upkeep->next_check_us = dht->now_us + PAUSE_US;
    check_contact(dht, &choice);
}

// ---- both ----

int64_t dht_check_due_us(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    int64_t due_us = INT64_MAX;
    for (uint32_t i = 0; i < upkeep->newcomer_count; i++)
        due_us = earlier(due_us, upkeep->newcomers[i].due_us);
    if (due_us != INT64_MAX)
        due_us = paid_us(dht, due_us);
    return earlier(due_us, upkeep->next_check_us);
}

void dht_check_run(struct dht *dht)
{
    ask_newcomers(dht);
    if (dht->upkeep.next_check_us <= dht->now_us)
        check(dht);
}

void dht_check_start(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    upkeep->next_check_us = earlier(upkeep->next_check_us, dht->now_us + DHT_CHECK_SILENT_US);
}

void dht_check_failed(struct dht *dht)
{
    struct dht_upkeep *upkeep = &dht->upkeep;
    int64_t again_us = dht->now_us + FAILED_S * DHT_SECOND_US;
    upkeep->next_check_us = earlier(upkeep->next_check_us, again_us);
    dht_maintain_hurry(dht, upkeep->next_check_us);
}
