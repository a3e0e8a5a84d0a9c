// SPDX-License-Identifier: MIT
#include "node/core/resolve.h"

#include "dht/id.h"
#include "node/core/publication.h"
#include "node/core/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JOINING_PAUSE_US (200 * 1000)
#define SETTLE_CLOSEST   3 // live nodes that have to agree, for `settled` to end early
#define KEY_KEPT_US      (24 * 60 * CORE_MINUTE_US)

// ---- life ----

static struct core_resolve *find_equal(const struct node *node, const struct core_cloud *cloud,
                                       const struct core_name *name, enum control_wait wait)
{
    for (struct core_resolve *other = node->resolves; other != NULL; other = other->next)
        if (!other->trace && !other->ending && other->wait == wait && other->cloud == cloud &&
            core_name_equal(&other->name, name) &&
            // `all` is authoritative: its lookup may not have begun before it was asked for.
            (wait != CONTROL_WAIT_ALL || other->started_us == node->now_us))
            return other;
    return NULL;
}

static struct core_resolve *open_resolve(struct node *node, struct core_cloud *cloud,
                                         const struct core_name *name, enum control_wait wait)
{
    struct core_resolve *resolve = NULL;
    if (node->resolve_count < node->config.resolves_max && core_brain_timer_room(node))
        resolve = calloc(1, sizeof *resolve);
    if (resolve == NULL)
        return NULL;
    dht_timer_init(&resolve->timer, CORE_TIMER_RESOLVE);
    resolve->cloud = resolve->lookup.cloud = cloud;
    resolve->name = *name;
    resolve->wait = wait;
    resolve->started_us = node->now_us;
    resolve->seq = DHT_SEQ_NONE;
    resolve->next = node->resolves;
    if (resolve->next != NULL)
        resolve->next->prev = resolve;
    node->resolves = resolve;
    node->resolve_count++;
    return resolve;
}

static void close_resolve(struct node *node, struct core_resolve *resolve)
{
    assert(resolve->waiters == NULL);
    core_lookup_cancel(node, &resolve->lookup);
    dht_timer_clear(&node->timers, &resolve->timer);
    if (resolve->next != NULL)
        resolve->next->prev = resolve->prev;
    if (resolve->prev != NULL)
        resolve->prev->next = resolve->next;
    else
        node->resolves = resolve->next;
    node->resolve_count--;
    free(resolve->record);
    free(resolve->payload);
    free(resolve);
}

void core_resolve_free_all(struct node *node)
{
    while (node->resolves != NULL)
        close_resolve(node, node->resolves);
}

static void join_waiters(struct core_resolve *resolve, struct core_request *request)
{
    request->resolve = resolve;
    request->next_waiter = resolve->waiters;
    resolve->waiters = request;
}

void core_resolve_leave(struct node *node, struct core_resolve *resolve,
                        struct core_request *request)
{
    struct core_request **link = &resolve->waiters;
    while (*link != request)
        link = &(*link)->next_waiter;
    *link = request->next_waiter;
    request->resolve = NULL;
    if (resolve->waiters == NULL && !resolve->ending)
        close_resolve(node, resolve);
}

// ---- the end ----

static void end_not_found(struct node *node, struct core_resolve *resolve, const char *text)
{
    struct core_result result = {
        .name = &resolve->name,
        .seq = resolve->seq,
        .tally = resolve->tally,
    };
    resolve->ending = true;
    CORE_COUNT(node, resolves_not_found);
    while (resolve->waiters != NULL)
        core_result_answer_none(node, resolve->waiters, &result, text);
    close_resolve(node, resolve);
}

// The engines would not take it.
static void end_refused(struct node *node, struct core_resolve *resolve)
{
    resolve->ending = true;
    CORE_COUNT(node, resolves_refused);
    while (resolve->waiters != NULL)
        core_request_fail(node, resolve->waiters, CONTROL_ERROR_FULL,
                          "too many lookups are under way");
    close_resolve(node, resolve);
}

static void end_found(struct node *node, struct core_resolve *resolve, struct dht_span payload)
{
    struct core_result result = {
        .name = &resolve->name,
        .key = resolve->key,
        .record = resolve->record,
        .payload = payload,
        .seq = resolve->seq,
        .source = CONTROL_SOURCE_DHT,
        .tally = resolve->tally,
    };
    resolve->ending = true;
    CORE_COUNT(node, resolves_found);
    while (resolve->waiters != NULL)
        core_result_answer(node, resolve->waiters, &result);
    close_resolve(node, resolve);
}

// ---- payloads kept apart ----

static void look_for_part(struct node *node, struct core_resolve *resolve)
{
    struct dht_get get = {
        .target = resolve->record->payload.parts[resolve->part],
        .seq_known = DHT_SEQ_NONE,
        .settle = 1, // its hash says that it is the right one
        .trace = resolve->trace,
    };
    resolve->state = CORE_RESOLVE_PAYLOAD;
    if (!core_lookup_get(node, &resolve->lookup, CORE_OWNER_RESOLVE, resolve, &get))
        end_found(node, resolve, (struct dht_span){0});
}

// A payload that cannot be had is no reason to keep the endpoints back.
static void part_ended(struct node *node, struct core_resolve *resolve)
{
    size_t whole = resolve->record->payload.len;
    size_t at = (size_t)resolve->part * CORE_RECORD_PART_LEN;
    size_t wanted = whole - at < CORE_RECORD_PART_LEN ? whole - at : CORE_RECORD_PART_LEN;
    struct dht_span part = core_lookup_string(&resolve->lookup);
    if (part.len != wanted) {
        end_found(node, resolve, (struct dht_span){0});
        return;
    }
    memcpy(resolve->payload + at, part.data, wanted);
    resolve->part++;
    if (resolve->part < core_record_part_count(whole))
        look_for_part(node, resolve);
    else
        end_found(node, resolve, (struct dht_span){resolve->payload, whole});
}

// ---- the record ----

static void keep_in_cache(struct node *node, const struct core_resolve *resolve, bool found)
{
    int64_t ttl_s = found ? core_record_ttl_s(resolve->record) : node->config.negative_ttl_s;
    struct dht_span value = found ? core_lookup_string(&resolve->lookup) : (struct dht_span){0};
    struct core_cache_entry entry = {
        .cloud = resolve->cloud->number,
        .target = resolve->target,
        .seq = resolve->seq,
        .verified_us = node->now_us,
        .expires_us = node->now_us + ttl_s * CORE_SECOND_US,
        .value_len = (uint16_t)value.len,
    };
    uint8_t copy[DHT_VALUE_LEN_MAX];
    memcpy(copy, value.data != NULL ? value.data : copy, value.len);
    entry.value = copy;
    memcpy(entry.key, resolve->key, sizeof entry.key);
    core_cache_put(&node->cache, &entry);
}

static void look_for_record(struct node *node, struct core_resolve *resolve);

// Reads what the lookup found. False where it is nothing that a name resolves to.
static bool read_record(struct node *node, struct core_resolve *resolve)
{
    struct dht_span value = core_lookup_string(&resolve->lookup);
    if (resolve->record == NULL)
        resolve->record = malloc(sizeof *resolve->record);
    if (resolve->record == NULL)
        return false;
    resolve->seq = resolve->lookup.seq;
    if (!resolve->lookup.is_mutable ||
        core_record_decode(resolve->key, value, resolve->record) != CORE_RECORD_OK) {
        CORE_COUNT(node, records_malformed);
        return false;
    }
    core_record_prune(resolve->record, core_brain_wall_us(node) / CORE_SECOND_US);
    return core_result_is_found(resolve->record);
}

static void record_ended(struct node *node, struct core_resolve *resolve)
{
    resolve->tally = resolve->lookup.tally;
    bool found = resolve->lookup.found && read_record(node, resolve);
    if (!found && resolve->early && !resolve->thorough) {
        resolve->thorough = true;
        look_for_record(node, resolve);
        return;
    }
    keep_in_cache(node, resolve, found);
    if (!found) {
        end_not_found(node, resolve,
                      resolve->lookup.found
                          ? "the name is withdrawn, or holds nothing to resolve to"
                          : "no record of this name was found");
        return;
    }
    const struct core_record_payload *payload = &resolve->record->payload;
    if (payload->type == CORE_RECORD_PAYLOAD_NONE) {
        end_found(node, resolve, (struct dht_span){0});
    } else if (!payload->by_reference) {
        end_found(node, resolve, (struct dht_span){payload->bytes, payload->len});
    } else {
        resolve->payload = malloc(payload->len);
        if (resolve->payload == NULL)
            end_found(node, resolve, (struct dht_span){0});
        else
            look_for_part(node, resolve);
    }
}

// How many of the closest nodes have to agree before the lookup may end; 0: it goes to its end.
static uint32_t settle_for(const struct core_resolve *resolve)
{
    if (resolve->thorough || resolve->wait == CONTROL_WAIT_ALL)
        return 0;
    // `first` ends with the first answer anyway (item_found); what this node holds itself is one as
    // soon as anybody else has answered.
    return resolve->wait == CONTROL_WAIT_SETTLED ? SETTLE_CLOSEST : 1;
}

static void look_for_record(struct node *node, struct core_resolve *resolve)
{
    struct dht_span classifier = {resolve->name.classifier, resolve->name.classifier_len};
    resolve->state = CORE_RESOLVE_RECORD;
    resolve->early = false;
    resolve->salt_len = core_name_salt(&node->crypto, classifier, resolve->salt);
    struct dht_span salt = {resolve->salt, resolve->salt_len};
    core_name_target(&node->crypto, resolve->key, salt, &resolve->target);
    struct dht_get get = {
        .target = resolve->target,
        .salt = salt,
        .seq_known = DHT_SEQ_NONE,
        .settle = settle_for(resolve),
        .trace = resolve->trace,
    };
    if (!core_lookup_get(node, &resolve->lookup, CORE_OWNER_RESOLVE, resolve, &get))
        end_refused(node, resolve);
}

// ---- the key of a 40-hex authority ----

static void look_for_key(struct node *node, struct core_resolve *resolve)
{
    struct dht_get get = {.seq_known = DHT_SEQ_NONE, .settle = 1, .trace = resolve->trace};
    resolve->state = CORE_RESOLVE_KEY;
    memcpy(get.target.bytes, resolve->name.hash, DHT_ID_LEN);
    if (!core_lookup_get(node, &resolve->lookup, CORE_OWNER_RESOLVE, resolve, &get))
        end_refused(node, resolve);
}

static void keep_key(struct node *node, const struct core_resolve *resolve)
{
    struct core_cache_entry entry = {
        .cloud = resolve->cloud->number,
        .is_key = true,
        .seq = DHT_SEQ_NONE,
        .verified_us = node->now_us,
        .expires_us = node->now_us + KEY_KEPT_US,
    };
    memcpy(entry.target.bytes, resolve->name.hash, DHT_ID_LEN);
    memcpy(entry.key, resolve->key, sizeof entry.key);
    core_cache_put(&node->cache, &entry);
}

static void key_ended(struct node *node, struct core_resolve *resolve)
{
    // The engine has checked that the key hashes to the target.
    if (!resolve->lookup.found || !resolve->lookup.is_mutable) {
        resolve->tally = resolve->lookup.tally;
        end_not_found(node, resolve, "no key with this hash was found");
        return;
    }
    memcpy(resolve->key, resolve->lookup.key, DHT_KEY_LEN);
    resolve->has_key = true;
    keep_key(node, resolve);
    look_for_record(node, resolve);
}

// ---- going on ----

static void go_on(struct node *node, struct core_resolve *resolve)
{
    if (!core_cloud_has_contacts(resolve->cloud)) {
        resolve->state = CORE_RESOLVE_JOINING;
        dht_timer_set(&node->timers, &resolve->timer, node->now_us + JOINING_PAUSE_US);
        return;
    }
    if (resolve->has_key)
        look_for_record(node, resolve);
    else
        look_for_key(node, resolve);
}

void core_resolve_timer(struct node *node, struct core_resolve *resolve)
{
    go_on(node, resolve);
}

// ---- what is known here ----

// The key of a name, where that has it, or the keyring; NULL: neither.
static const uint8_t *key_of(const struct node *node, const struct core_name *name)
{
    const struct core_key *held = core_keyring_by_name(&node->keyring, name);
    if (name->kind == CORE_NAME_KEY)
        return name->key;
    return held != NULL ? held->key : NULL;
}

// The key that the cache knows to have the name's hash; NULL: none.
static const uint8_t *cached_key(struct node *node, const struct core_cloud *cloud,
                                 const struct core_name *name, uint8_t copy[DHT_KEY_LEN])
{
    struct dht_id target;
    memcpy(target.bytes, name->hash, DHT_ID_LEN);
    const struct core_cache_entry *entry =
        core_cache_find(&node->cache, node->now_us, cloud->number, &target);
    return entry != NULL ? memcpy(copy, entry->key, DHT_KEY_LEN) : NULL;
}

// The record that the cache holds for the key and name of *result. False where it holds none;
// ret_negative tells whether it knows that there is none.
static bool from_cache(struct node *node, const struct core_cloud *cloud,
                       struct core_result *result, struct core_record *ret_record,
                       bool *ret_negative)
{
    const struct core_name *name = result->name;
    const uint8_t *key = result->key;
    uint8_t salt[DHT_SALT_LEN_MAX];
    struct dht_id target;
    struct dht_span classifier = {name->classifier, name->classifier_len};
    size_t salt_len = core_name_salt(&node->crypto, classifier, salt);
    core_name_target(&node->crypto, key, (struct dht_span){salt, salt_len}, &target);
    const struct core_cache_entry *entry =
        core_cache_find(&node->cache, node->now_us, cloud->number, &target);
    const struct core_publication *own =
        core_publication_table_find(&node->publications, cloud, key, classifier);
    *ret_negative = entry != NULL && entry->value_len == 0 && !entry->is_key;
    // What this node has withdrawn, others may hold for a moment yet, and so may the cache.
    if (entry == NULL || entry->value_len == 0 || (own != NULL && own->withdrawn))
        return false;
    struct dht_span value = {entry->value, entry->value_len};
    if (core_record_decode(key, value, ret_record) != CORE_RECORD_OK)
        return false;
    core_record_prune(ret_record, core_brain_wall_us(node) / CORE_SECOND_US);
    // A payload kept apart is not in the cache: the network has to be asked.
    if (!core_result_is_found(ret_record) || ret_record->payload.by_reference)
        return false;
    result->seq = entry->seq;
    result->age_s = (node->now_us - entry->verified_us) / CORE_SECOND_US;
    result->source = CONTROL_SOURCE_CACHE;
    if (ret_record->payload.type != CORE_RECORD_PAYLOAD_NONE)
        result->payload = (struct dht_span){ret_record->payload.bytes, ret_record->payload.len};
    return true;
}

// Answers from what is known here, however old, as `cache` and `first` have it. Whether it did; the
// request is gone then.
static bool answer_here(struct node *node, struct core_request *request,
                        const struct core_name *name, const uint8_t *key, enum control_wait wait)
{
    struct core_record record;
    struct core_result result = {.name = name, .key = key, .record = &record};
    bool negative = false;
    if (key != NULL && core_publication_result(node, request->cloud, &record, &result)) {
        core_result_answer(node, request, &result);
        return true;
    }
    if (key != NULL && from_cache(node, request->cloud, &result, &record, &negative)) {
        CORE_COUNT(node, cache_hits);
        core_result_answer(node, request, &result);
        return true;
    }
    if (wait == CONTROL_WAIT_FIRST && !negative)
        return false;
    core_result_not_found(node, request, &result.tally,
                          negative ? "no record of this name was found a moment ago"
                                   : "the name is not in the cache");
    return true;
}

// Tells what is known here and no older than its record says that it may get, of two records the
// newer one. Whether that was all that is wanted; the request is gone then.
static bool answer_fresh(struct node *node, struct core_request *request,
                         const struct core_name *name, const uint8_t *key)
{
    struct core_record records[2];
    struct core_result own = {.name = name, .key = key, .record = &records[0]};
    struct core_result cached = {.name = name, .key = key, .record = &records[1]};
    bool negative;
    bool is_own = core_publication_result(node, request->cloud, &records[0], &own);
    bool is_fresh = is_own && own.age_s < core_record_ttl_s(&records[0]);
    bool is_cached = from_cache(node, request->cloud, &cached, &records[1], &negative) &&
                     (!is_own || cached.seq >= own.seq + is_fresh);
    if (is_cached)
        CORE_COUNT(node, cache_hits);
    return (is_cached || is_fresh) &&
           core_result_answer_first(node, request, is_cached ? &cached : &own);
}

// ---- starting ----

// Starts a lookup for the request, or joins one that is under way.
static void look(struct node *node, struct core_request *request, const struct core_name *name,
                 const uint8_t *key, enum control_wait wait)
{
    struct core_resolve *equal =
        request->trace ? NULL : find_equal(node, request->cloud, name, wait);
    if (equal != NULL) {
        CORE_COUNT(node, resolves_joined);
        join_waiters(equal, request);
        return;
    }
    struct core_resolve *resolve = open_resolve(node, request->cloud, name, wait);
    if (resolve == NULL) {
        CORE_COUNT(node, resolves_refused);
        core_request_fail(node, request, CONTROL_ERROR_FULL, "too many lookups are under way");
        return;
    }
    CORE_COUNT(node, resolves);
    resolve->trace = request->trace;
    resolve->has_key = key != NULL;
    if (key != NULL)
        memcpy(resolve->key, key, DHT_KEY_LEN);
    join_waiters(resolve, request);
    go_on(node, resolve);
}

void core_resolve_start(struct node *node, struct core_request *request,
                        const struct core_name *name, enum control_wait wait)
{
    uint8_t copy[DHT_KEY_LEN];
    const uint8_t *key = key_of(node, name);
    bool takes_any = wait == CONTROL_WAIT_CACHE || wait == CONTROL_WAIT_FIRST;
    if (key == NULL && (takes_any || request->cached))
        key = cached_key(node, request->cloud, name, copy);
    if (takes_any && answer_here(node, request, name, key, wait))
        return;
    if (!takes_any && request->cached && key != NULL && answer_fresh(node, request, name, key))
        return;
    look(node, request, name, key, wait);
}

bool core_resolve_timeout(struct node *node, struct core_request *request)
{
    if (request->results == 0)
        return false;
    core_result_done(node, request, &request->resolve->lookup.tally);
    return true;
}

// ---- events ----

static void lookup_ended(struct node *node, struct core_resolve *resolve)
{
    switch (resolve->state) {
    case CORE_RESOLVE_KEY:
        key_ended(node, resolve);
        break;
    case CORE_RESOLVE_RECORD:
        record_ended(node, resolve);
        break;
    case CORE_RESOLVE_PAYLOAD:
        part_ended(node, resolve);
        break;
    case CORE_RESOLVE_JOINING:
        break;
    }
}

// Whether the item just found ends the lookup: a key or a part of a payload is what its hash says;
// for `first` it has to be a record that resolves to something, and somebody else's answer.
static bool is_enough(struct node *node, struct core_resolve *resolve, const struct dht_out *event)
{
    if (resolve->state != CORE_RESOLVE_RECORD)
        return true;
    return resolve->wait == CONTROL_WAIT_FIRST && event->found.tally.answered > 0 &&
           read_record(node, resolve);
}

static void item_found(struct node *node, struct core_resolve *resolve, const struct dht_out *event)
{
    if (!core_lookup_item(&resolve->lookup, &event->found.item) || !is_enough(node, resolve, event))
        return;
    resolve->lookup.tally = event->found.tally;
    core_lookup_cancel(node, &resolve->lookup);
    lookup_ended(node, resolve);
}

void core_resolve_event(struct node *node, struct core_resolve *resolve, int engine,
                        const struct dht_out *event)
{
    switch (event->type) {
    case DHT_OUT_ITEM:
        item_found(node, resolve, event);
        break;
    case DHT_OUT_HOP:
        for (struct core_request *request = resolve->waiters; request != NULL;
             request = request->next_waiter)
            core_result_hop(node, request, &resolve->lookup.target, event, CONTROL_STEP_HOP);
        break;
    case DHT_OUT_DONE:
        resolve->early = resolve->early || event->done.ended_early;
        if (core_lookup_done(node, &resolve->lookup, engine, &event->done.tally, false))
            lookup_ended(node, resolve);
        break;
    default:
        break;
    }
}
