// SPDX-License-Identifier: MIT
#include "node/core/watch.h"

#include "dht/id.h"
#include "node/core/publication_item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define JOINING_PAUSE_US (1 * CORE_SECOND_US)
#define MISS_PAUSE_US    (10 * CORE_SECOND_US) // after a lookup that came to nothing
#define POLL_PAUSE_US    (60 * CORE_SECOND_US) // where nobody tells of changes
#define MISSES_MAX       2 // what stood is gone where so many lookups have not found it
#define DOUBLINGS_MAX    4
#define APART_US         (10 * 1000)          // between watches that all look again
#define APART_MOST_US    (5 * CORE_SECOND_US) // for all of them

// ---- life ----

static struct core_watch *find_equal(const struct node *node, const struct core_cloud *cloud,
                                     const struct core_name *name)
{
    struct core_watch *watch = node->watches;
    while (watch != NULL && (watch->cloud != cloud || !core_name_equal(&watch->name, name)))
        watch = watch->next;
    return watch;
}

static struct core_watch *open_watch(struct node *node, struct core_cloud *cloud,
                                     const struct core_name *name)
{
    struct core_watch *watch = NULL;
    if (node->watch_count + node->swarm_count < node->config.watches_max &&
        core_brain_timer_room(node))
        watch = calloc(1, sizeof *watch);
    if (watch == NULL)
        return NULL;
    dht_timer_init(&watch->timer, CORE_TIMER_WATCH);
    watch->cloud = watch->lookup.cloud = watch->teller.cloud = cloud;
    watch->name = *name;
    watch->standing.seq = DHT_SEQ_NONE;
    watch->next = node->watches;
    if (watch->next != NULL)
        watch->next->prev = watch;
    node->watches = watch;
    node->watch_count++;
    return watch;
}

static void close_watch(struct node *node, struct core_watch *watch)
{
    assert(watch->watchers == NULL);
    core_lookup_cancel(node, &watch->lookup);
    core_teller_end(node, &watch->teller);
    dht_timer_clear(&node->timers, &watch->timer);
    if (watch->next != NULL)
        watch->next->prev = watch->prev;
    if (watch->prev != NULL)
        watch->prev->next = watch->next;
    else
        node->watches = watch->next;
    node->watch_count--;
    core_apart_drop(&watch->payload);
    free(watch);
}

void core_watch_leave(struct node *node, struct core_watcher *watcher)
{
    struct core_watch *watch = watcher->watch;
    watcher->request->watcher = NULL;
    if (watch != NULL) {
        struct core_watcher **link = &watch->watchers;
        while (*link != watcher)
            link = &(*link)->next;
        *link = watcher->next;
        if (watch->watchers == NULL)
            close_watch(node, watch);
    }
    core_watcher_free(watcher);
}

// ---- telling ----

static void show(struct node *node, struct core_watch *watch, struct core_watcher *watcher)
{
    struct core_result what = {
        .name = &watch->name,
        .key = watch->key,
        .record = watch->is_there ? &watch->record : NULL,
        .payload = core_apart_payload(&watch->payload, &watch->record.payload),
        .seq = watch->standing.seq,
        .source = watch->source,
        .tally = watch->tally,
    };
    core_watcher_show_record(node, watcher, &what, watch->whole);
}

static void show_all(struct node *node, struct core_watch *watch)
{
    for (struct core_watcher *watcher = watch->watchers; watcher != NULL; watcher = watcher->next)
        show(node, watch, watcher);
}

void core_watch_catch_up(struct node *node, struct core_watcher *watcher)
{
    if (watcher->behind)
        show(node, watcher->watch, watcher);
}

// ---- states ----

// When the next entry of the record expires; INT64_MAX where none does.
static int64_t expiry_us(const struct node *node, const struct core_watch *watch)
{
    int64_t expiry_s = watch->is_there ? core_record_expiry_s(&watch->record) : INT64_MAX;
    if (expiry_s == INT64_MAX)
        return INT64_MAX;
    int64_t wall_us = expiry_s * CORE_SECOND_US;
    int64_t pause_us = wall_us - core_brain_wall_us(node);
    return node->now_us + (pause_us > 0 ? pause_us : 0);
}

// The one place that changes the state. due_us: when the timer rings; INT64_MAX: never.
static void enter(struct node *node, struct core_watch *watch, enum core_watch_state state,
                  int64_t due_us)
{
    watch->state = state;
    if (due_us == INT64_MAX)
        dht_timer_clear(&node->timers, &watch->timer);
    else
        dht_timer_set(&node->timers, &watch->timer, due_us);
}

static void stand(struct node *node, struct core_watch *watch)
{
    int64_t due_us = expiry_us(node, watch);
    due_us = watch->look_us < due_us ? watch->look_us : due_us;
    enter(node, watch, CORE_WATCH_STANDING, due_us);
}

static void try_again(struct node *node, struct core_watch *watch, int64_t pause_us)
{
    core_lookup_cancel(node, &watch->lookup);
    enter(node, watch, CORE_WATCH_JOINING, node->now_us + pause_us);
}

// ---- the item that stands ----

// Takes in an item. Whether it is newer than what stood.
static bool take(struct core_watch *watch, const struct dht_item *item, enum control_source source)
{
    if (!item->is_mutable)
        return false;
    watch->is_confirmed =
        watch->is_confirmed || !watch->standing.found || item->seq >= watch->standing.seq;
    if (!core_lookup_item(&watch->standing, item))
        return false;
    watch->source = source;
    return true;
}

static bool take_looked_up(struct core_watch *watch)
{
    const struct core_lookup *lookup = &watch->lookup;
    struct dht_item item = {
        .is_mutable = lookup->is_mutable,
        .seq = lookup->seq,
        .value = {lookup->value, lookup->value_len},
    };
    memcpy(item.key, lookup->key, sizeof item.key);
    memcpy(item.sig, lookup->sig, sizeof item.sig);
    return lookup->found && take(watch, &item, CONTROL_SOURCE_DHT);
}

// Reads what stands. False where it is nothing that a name resolves to.
static bool read_standing(struct node *node, const struct core_watch *watch,
                          struct core_record *ret_record)
{
    if (!watch->standing.found)
        return false;
    struct dht_span value = core_lookup_string(&watch->standing);
    if (core_record_decode(watch->key, value, ret_record) != CORE_RECORD_OK) {
        CORE_COUNT(node, records_malformed);
        return false;
    }
    core_record_prune(ret_record, core_brain_wall_us(node) / CORE_SECOND_US);
    return core_result_is_found(ret_record);
}

// What stands goes into the cache; a name that nobody holds any more goes out of it.
static void tell_cache(struct node *node, const struct core_watch *watch)
{
    struct dht_span value = core_lookup_string(&watch->standing);
    int64_t ttl_s =
        watch->is_there ? core_record_ttl_s(&watch->record) : node->config.negative_ttl_s;
    uint8_t copy[DHT_VALUE_LEN_MAX];
    struct core_cache_entry entry = {
        .cloud = watch->cloud->number,
        .target = watch->target,
        .seq = watch->standing.seq,
        .verified_us = node->now_us,
        .expires_us = node->now_us + ttl_s * CORE_SECOND_US,
        .value_len = watch->is_there ? (uint16_t)value.len : 0,
        .value = copy,
    };
    if (!watch->standing.found) {
        core_cache_forget(&node->cache, watch->cloud->number, &watch->target);
        return;
    }
    memcpy(copy, value.data != NULL ? value.data : copy, value.len);
    memcpy(entry.key, watch->key, sizeof entry.key);
    core_cache_put(&node->cache, &entry);
}

// Whether something is under way, or waited for, that ends with settle().
static bool is_looking(const struct core_watch *watch)
{
    return watch->state != CORE_WATCH_STANDING && watch->state != CORE_WATCH_PAYLOAD;
}

// ---- payloads kept apart ----

static bool look_for_part(struct node *node, struct core_watch *watch)
{
    struct dht_get get = {
        .target = watch->payload.parts[watch->payload.part],
        .seq_known = DHT_SEQ_NONE,
        .settle = 1, // its hash says that it is the right one
    };
    enter(node, watch, CORE_WATCH_PAYLOAD, INT64_MAX);
    return core_lookup_get(node, &watch->lookup, CORE_OWNER_WATCH, watch, &get);
}

// Begins to fetch a payload, in place of what is fetched. Whether it did.
static bool look_for_payload(struct node *node, struct core_watch *watch,
                             const struct core_record_payload *payload)
{
    core_apart_begin(&watch->payload, payload);
    if (!watch->payload.is_missed && !look_for_part(node, watch))
        watch->payload.is_missed = true;
    return !watch->payload.is_missed;
}

// ---- what there is ----

// Takes what stands for what there is, once its payload is here, and tells of it.
static void settle(struct node *node, struct core_watch *watch)
{
    struct core_record record;
    bool is_there = read_standing(node, watch, &record);
    bool apart =
        is_there && record.payload.type != CORE_RECORD_PAYLOAD_NONE && record.payload.by_reference;
    // It was fetched, or is known to be missed.
    bool is_here = apart && core_apart_is_of(&watch->payload, &record.payload) &&
                   core_apart_is_ended(&watch->payload);
    if (apart && !is_here && (is_looking(watch) || look_for_payload(node, watch, &record.payload)))
        return;
    bool was_there = watch->is_there;
    watch->is_there = is_there;
    if (is_there)
        watch->record = record;
    if (!is_looking(watch))
        stand(node, watch);
    if (watch->source != CONTROL_SOURCE_LOCAL && (is_there || was_there))
        tell_cache(node, watch);
    show_all(node, watch);
}

// A payload that cannot be had is no reason to keep the endpoints back.
static void part_ended(struct node *node, struct core_watch *watch)
{
    core_apart_take(&watch->payload, core_lookup_string(&watch->lookup));
    if (!core_apart_is_ended(&watch->payload) && !look_for_part(node, watch))
        watch->payload.is_missed = true;
    if (core_apart_is_ended(&watch->payload))
        settle(node, watch);
}

// A newer item has come: what is fetched may be of no use.
static void stop_payload(struct node *node, struct core_watch *watch)
{
    if (watch->state == CORE_WATCH_PAYLOAD)
        core_lookup_cancel(node, &watch->lookup);
}

// ---- what this node publishes itself ----

// Takes what was signed last, and its payload. Whether it is newer than what stood.
static bool take_publication(struct core_watch *watch, const struct core_publication *publication)
{
    uint8_t value[DHT_VALUE_LEN_MAX];
    struct dht_item item = core_publication_item_own(publication, value);
    const struct core_record_payload *payload = &publication->record.payload;
    if (!take(watch, &item, CONTROL_SOURCE_LOCAL))
        return false;
    bool is_ours = payload->type != CORE_RECORD_PAYLOAD_NONE && payload->by_reference &&
                   publication->content.payload_len == payload->len;
    if (is_ours && !core_apart_is_of(&watch->payload, payload)) {
        core_apart_begin(&watch->payload, payload);
        core_apart_fill(&watch->payload, publication->content.payload);
    }
    return true;
}

// What stands was published from here, so that it stands whatever others hold.
static bool take_own(struct node *node, struct core_watch *watch)
{
    struct dht_span classifier = {watch->name.classifier, watch->name.classifier_len};
    const struct core_publication *own =
        core_publication_table_find(&node->publications, watch->cloud, watch->key, classifier);
    bool is_stored =
        own != NULL && own->stored_us != 0 && own->is_signed &&
        (own->state == CORE_PUBLICATION_IDLE || own->state == CORE_PUBLICATION_READING);
    return is_stored && (take_publication(watch, own) || own->seq == watch->standing.seq);
}

void core_watch_published(struct node *node, const struct core_publication *publication)
{
    for (struct core_watch *watch = node->watches; watch != NULL; watch = watch->next) {
        if (!watch->has_key || publication->foreign_anchor || watch->cloud != publication->cloud ||
            !dht_id_equal(&watch->target, &publication->target) ||
            !take_publication(watch, publication))
            continue;
        stop_payload(node, watch);
        settle(node, watch);
    }
}

// ---- looking ----

static void look_for_record(struct node *node, struct core_watch *watch)
{
    struct dht_get get = {
        .target = watch->target,
        .salt = {watch->salt, watch->salt_len},
        .seq_known = DHT_SEQ_NONE,
        .hold = true,
    };
    CORE_COUNT(node, watch_looks);
    watch->look_again = false;
    watch->is_confirmed = false;
    enter(node, watch, CORE_WATCH_RECORD, INT64_MAX);
    if (!core_lookup_get(node, &watch->lookup, CORE_OWNER_WATCH, watch, &get))
        try_again(node, watch, JOINING_PAUSE_US);
}

static void look_for_key(struct node *node, struct core_watch *watch)
{
    struct dht_get get = {.seq_known = DHT_SEQ_NONE, .settle = 1, .hold = true};
    memcpy(get.target.bytes, watch->name.hash, DHT_ID_LEN);
    enter(node, watch, CORE_WATCH_KEY, INT64_MAX);
    if (!core_lookup_get(node, &watch->lookup, CORE_OWNER_WATCH, watch, &get))
        try_again(node, watch, JOINING_PAUSE_US);
}

static void look(struct node *node, struct core_watch *watch)
{
    if (!core_cloud_has_contacts(watch->cloud))
        try_again(node, watch, JOINING_PAUSE_US);
    else if (watch->has_key)
        look_for_record(node, watch);
    else
        look_for_key(node, watch);
}

// After a lookup that nobody has answered; it grows.
static int64_t silence_pause_us(struct core_watch *watch)
{
    uint32_t doublings = watch->silences < DOUBLINGS_MAX ? watch->silences : DOUBLINGS_MAX;
    watch->silences++;
    return MISS_PAUSE_US << doublings;
}

static void set_key(struct node *node, struct core_watch *watch, const uint8_t key[DHT_KEY_LEN])
{
    struct dht_span classifier = {watch->name.classifier, watch->name.classifier_len};
    memcpy(watch->key, key, DHT_KEY_LEN);
    watch->has_key = true;
    watch->salt_len = core_name_salt(&node->crypto, classifier, watch->salt);
    struct dht_span salt = {watch->salt, watch->salt_len};
    core_name_target(&node->crypto, key, salt, &watch->target);
}

// Has the engines watch an item. False where none will: one has to look now and then.
static bool have_it_told(struct node *node, struct core_watch *watch, const struct dht_id *target)
{
    struct dht_watch asked = {
        .kind = DHT_WATCH_ITEM,
        .target = *target,
        .salt = {watch->salt, watch->salt_len}, // none, of a key's own record
        .seq_known = watch->standing.seq,
    };
    struct core_teller_owner owner = {CORE_OWNER_WATCH, watch};
    return core_teller_begin(node, &watch->teller, &watch->lookup, &asked, &owner);
}

// The key, which the engine has checked: it hashes to what was looked for.
static void key_found(struct node *node, struct core_watch *watch, const uint8_t key[DHT_KEY_LEN])
{
    set_key(node, watch, key);
    core_teller_end(node, &watch->teller);
    watch->silences = 0;
    look_for_record(node, watch);
}

// Where nobody knows the key, the nodes that would hold its record tell when it comes.
static void key_ended(struct node *node, struct core_watch *watch)
{
    const struct core_lookup *lookup = &watch->lookup;
    struct dht_id target;
    if (lookup->found && lookup->is_mutable) {
        key_found(node, watch, lookup->key);
        return;
    }
    if (lookup->tally.answered == 0) {
        try_again(node, watch, silence_pause_us(watch));
        return;
    }
    memcpy(target.bytes, watch->name.hash, DHT_ID_LEN);
    bool is_told = have_it_told(node, watch, &target);
    enter(node, watch, CORE_WATCH_JOINING, is_told ? INT64_MAX : node->now_us + POLL_PAUSE_US);
    if (!watch->whole) {
        watch->whole = true;
        show_all(node, watch);
    }
}

static void record_ended(struct node *node, struct core_watch *watch)
{
    const struct core_lookup *lookup = &watch->lookup;
    bool is_missed =
        !lookup->found && watch->standing.found && !watch->is_confirmed && !take_own(node, watch);
    bool is_deaf = !lookup->found && lookup->tally.answered == 0;
    watch->tally = lookup->tally;
    if (is_deaf) {
        try_again(node, watch, silence_pause_us(watch));
        return;
    }
    watch->silences = 0;
    if (is_missed && ++watch->misses < MISSES_MAX) { // it may only be out of reach
        try_again(node, watch, MISS_PAUSE_US);
        return;
    }
    if (is_missed)
        watch->standing = (struct core_lookup){.seq = DHT_SEQ_NONE};
    take_looked_up(watch);
    if (watch->payload.is_missed) // it is tried again with each lookup
        core_apart_drop(&watch->payload);
    watch->misses = 0;
    watch->whole = true;
    bool is_told = have_it_told(node, watch, &watch->target);
    watch->look_us = is_told ? INT64_MAX : node->now_us + POLL_PAUSE_US;
    if (watch->look_again)
        watch->look_us = node->now_us;
    enter(node, watch, CORE_WATCH_STANDING, INT64_MAX);
    settle(node, watch);
}

void core_watch_look_all(struct node *node, const struct core_cloud *cloud)
{
    int64_t spread_us = (int64_t)node->watch_count * APART_US;
    spread_us = spread_us < APART_MOST_US ? spread_us : APART_MOST_US;
    for (struct core_watch *watch = node->watches; watch != NULL; watch = watch->next) {
        if (cloud != NULL && watch->cloud != cloud)
            continue;
        uint64_t pause_us = dht_random_below(&node->random, (uint64_t)spread_us);
        watch->look_us = node->now_us + (int64_t)pause_us;
        watch->look_again = true;
        if (watch->state == CORE_WATCH_STANDING)
            stand(node, watch);
        else if (watch->state == CORE_WATCH_JOINING)
            enter(node, watch, CORE_WATCH_JOINING, watch->look_us);
    }
}

void core_watch_clock_set(struct node *node)
{
    for (struct core_watch *watch = node->watches; watch != NULL; watch = watch->next)
        if (watch->state == CORE_WATCH_STANDING)
            settle(node, watch);
}

void core_watch_timer(struct node *node, struct core_watch *watch)
{
    if (watch->state == CORE_WATCH_JOINING || watch->look_us <= node->now_us)
        look(node, watch);
    else
        settle(node, watch);
}

// ---- starting ----

void core_watch_start(struct node *node, struct core_watcher *watcher, const struct core_name *name)
{
    struct core_cloud *cloud = watcher->request->cloud;
    struct core_watch *watch = find_equal(node, cloud, name);
    bool is_new = watch == NULL;
    if (is_new)
        watch = open_watch(node, cloud, name);
    if (watch == NULL) {
        CORE_COUNT(node, watches_refused);
        core_request_fail(node, watcher->request, CONTROL_ERROR_FULL, "too many names are watched");
        return;
    }
    watcher->watch = watch;
    watcher->next = watch->watchers;
    watch->watchers = watcher;
    if (!is_new) {
        CORE_COUNT(node, watches_joined);
        show(node, watch, watcher);
        return;
    }
    CORE_COUNT(node, watches);
    const struct core_key *held = core_keyring_by_name(&node->keyring, name);
    if (name->kind == CORE_NAME_KEY || held != NULL)
        set_key(node, watch, name->kind == CORE_NAME_KEY ? name->key : held->key);
    if (watch->has_key && take_own(node, watch))
        settle(node, watch);
    look(node, watch);
}

// ---- events ----

static void lookup_ended(struct node *node, struct core_watch *watch)
{
    switch (watch->state) {
    case CORE_WATCH_KEY:
        key_ended(node, watch);
        break;
    case CORE_WATCH_RECORD:
        record_ended(node, watch);
        break;
    case CORE_WATCH_PAYLOAD:
        part_ended(node, watch);
        break;
    case CORE_WATCH_JOINING:
    case CORE_WATCH_STANDING:
        break;
    }
}

// Looks again as soon as nothing else is under way.
static void look_soon(struct node *node, struct core_watch *watch)
{
    watch->look_us = node->now_us;
    watch->look_again = true;
    if (watch->state == CORE_WATCH_STANDING)
        stand(node, watch);
    else if (watch->state == CORE_WATCH_JOINING)
        enter(node, watch, CORE_WATCH_JOINING, node->now_us);
}

// An engine has something to tell of the key's own record, by which the key is known.
static void key_told(struct node *node, struct core_watch *watch, const struct dht_out *event)
{
    uint8_t key[DHT_KEY_LEN];
    if (event->type != DHT_OUT_ITEM || !event->found.item.is_mutable)
        return;
    memcpy(key, event->found.item.key, sizeof key); // the event goes with what the engine watches
    core_lookup_cancel(node, &watch->lookup);
    key_found(node, watch, key);
}

// An engine has something to tell of what it watches.
static void told(struct node *node, struct core_watch *watch, int engine,
                 const struct dht_out *event)
{
    if (!watch->has_key && event->type != DHT_OUT_DONE) {
        key_told(node, watch, event);
    } else if (event->type == DHT_OUT_ITEM && take(watch, &event->found.item, CONTROL_SOURCE_DHT)) {
        stop_payload(node, watch);
        settle(node, watch);
    } else if (event->type == DHT_OUT_GONE) { // so says one address family
        look_soon(node, watch);
    } else if (event->type == DHT_OUT_DONE) { // the engine is going
        core_teller_lost(node, &watch->teller, engine, event->op);
        look_soon(node, watch);
    }
}

void core_watch_event(struct node *node, struct core_watch *watch, int engine,
                      const struct dht_out *event)
{
    if (core_teller_has(&watch->teller, engine, event->op))
        told(node, watch, engine, event);
    else if (event->type == DHT_OUT_ITEM && core_lookup_item(&watch->lookup, &event->found.item) &&
             watch->state != CORE_WATCH_RECORD) { // a key or a part is what its hash says
        watch->lookup.tally = event->found.tally;
        core_lookup_cancel(node, &watch->lookup);
        lookup_ended(node, watch);
    } else if (event->type == DHT_OUT_DONE &&
               core_lookup_done(node, &watch->lookup, engine, &event->done.tally,
                                watch->state != CORE_WATCH_PAYLOAD)) {
        lookup_ended(node, watch);
    }
}
