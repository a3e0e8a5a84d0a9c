// SPDX-License-Identifier: MIT
#include "dht/watch.h"

#include "dht/found.h"
#include "dht/id.h"
#include "dht/keeper.h"
#include "dht/push.h"
#include "dht/search.h"

#include <assert.h>
#include <string.h>

#define LOOKUP_EVERY_US       (60 * DHT_MINUTE_US)
#define LOOKUP_PAUSE_FIRST_US (15 * DHT_SECOND_US)
#define LOOKUP_PAUSE_MOST_US  (10 * DHT_MINUTE_US)
#define POLL_PAUSE_FIRST_US   DHT_MINUTE_US
#define MOVED_WITHIN_US       (2 * DHT_SECOND_US)

uint32_t dht_watch_count(const struct dht *dht)
{
    return dht->watches != NULL ? dht->watches->slots.count : 0;
}

struct dht_watching *dht_watch_find(const struct dht *dht, uint32_t id)
{
    return dht->watches != NULL ? dht_watch_table_find(dht->watches, id) : NULL;
}

bool dht_watch_rest(struct dht *dht)
{
    if (dht->watches != NULL && dht->watches->slots.count == 0) {
        dht_watch_table_free(dht->watches);
        dht->watches = NULL;
    }
    if (dht->watchers != NULL && dht->watchers->watchers.count == 0) {
        dht_watcher_table_free(dht->watchers);
        dht->watchers = NULL;
    }
    return dht->watches == NULL && dht->watchers == NULL;
}

static void wake(struct dht *dht, struct dht_watching *watching)
{
    dht_timer_set(&dht->timers, &watching->timer, dht->now_us);
}

// ---- sharing ----

// The next of those that share their keepers with a watch, itself among them; NULL at the end.
static struct dht_watching *next_sharing(const struct dht *dht, const struct dht_watching *watching,
                                         uint32_t *cursor)
{
    struct dht_watching *other;
    while ((other = dht_watch_table_next(dht->watches, &watching->target,
                                         (enum dht_watch_kind)watching->kind, cursor)) != NULL)
        if (other->poll_only == watching->poll_only)
            return other;
    return NULL;
}

// Another of them that leads, or listens; NULL where there is none.
static struct dht_watching *find_other(const struct dht *dht, const struct dht_watching *watching,
                                       bool listens)
{
    struct dht_watching *other;
    uint32_t cursor = DHT_INDEX_START;
    while ((other = next_sharing(dht, watching, &cursor)) != NULL)
        if (other != watching && other->listens == listens)
            return other;
    return NULL;
}

// Has seen what there is; from now on it listens.
static void only_listen(struct dht_watching *watching)
{
    watching->wanted = 0;
    watching->next_lookup_us = INT64_MAX;
}

// Listens where another leads. What that one knows already it has to look up itself.
static void join(const struct dht *dht, struct dht_watching *watching)
{
    const struct dht_watching *leader = find_other(dht, watching, false);
    watching->listens = leader != NULL;
    if (leader != NULL && watching->kind == DHT_WATCH_ITEM &&
        watching->seq_known >= leader->seq_known && (leader->has_item || !watching->has_item))
        only_listen(watching);
}

// One that listened takes the place of the one that led.
static void hand_over(struct dht *dht, struct dht_watching *leader, struct dht_watching *heir)
{
    struct dht_transaction *transaction;
    uint32_t cursor = 0;
    heir->listens = false;
    memcpy(heir->nonce, leader->nonce, sizeof heir->nonce);
    memcpy(heir->keepers, leader->keepers, sizeof heir->keepers);
    heir->keeper_count = leader->keeper_count;
    heir->poll_next = leader->poll_next;
    heir->wanted = leader->wanted;
    heir->suspects_gone = leader->suspects_gone;
    heir->looked_us = leader->looked_us;
    heir->next_lookup_us = leader->next_lookup_us;
    heir->lookup_pause_us = leader->lookup_pause_us;
    heir->next_poll_us = leader->next_poll_us;
    heir->poll_pause_us = leader->poll_pause_us;
    while ((transaction = dht_transaction_walk(&dht->transactions, &cursor)) != NULL)
        if (transaction->op == leader->id)
            transaction->op = heir->id;
    leader->keeper_count = 0;
    leader->listens = true;
    wake(dht, heir);
}

// ---- news ----

static void emit_item(struct dht *dht, const struct dht_watching *watching,
                      const struct dht_item *item, const struct dht_addr *from)
{
    dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_ITEM,
                                           .op = watching->id,
                                           .found = {.item = *item, .from = *from}});
}

// Tells our own watches.
static bool tell(struct dht *dht, const struct dht_item *item, const struct dht_addr *from)
{
    struct dht_watching *watching;
    uint32_t cursor = DHT_INDEX_START;
    bool any = false;
    if (dht->watches == NULL)
        return false;
    while ((watching = dht_watch_table_next(dht->watches, &item->target, DHT_WATCH_ITEM,
                                            &cursor)) != NULL) {
        if (item->seq <= watching->seq_known)
            continue;
        watching->seq_known = item->seq;
        watching->has_item = true;
        watching->suspects_gone = false;
        emit_item(dht, watching, item, from);
        dht_keeper_hurry(dht, watching);
        wake(dht, watching);
        any = true;
    }
    return any;
}

void dht_watch_stored(struct dht *dht, const struct dht_item *item, const struct dht_addr *from)
{
    dht_push_item(dht, item, from);
    tell(dht, item, from != NULL ? from : &dht->config.addr);
}

bool dht_watch_news(struct dht *dht, const struct dht_item *item, const struct dht_addr *from)
{
    const struct dht_stored_item *stored =
        dht->items != NULL ? dht_item_store_find(dht->items, &item->target) : NULL;
    if (stored != NULL && item->is_mutable && stored->seq < item->seq &&
        dht_engine_keep_item(dht, 0, item))
        dht_push_item(dht, item, from);
    return tell(dht, item, from);
}

static void tell_peers(struct dht *dht, struct dht_watching *watching,
                       const struct dht_watch_heard *heard)
{
    struct dht_addr fresh[DHT_FOUND_PEERS_MAX];
    size_t fresh_count = 0;
    if (heard->is_pushed && heard->count > 0)
        watching->heard_us = dht->now_us;
    for (size_t i = 0; i < heard->count; i++)
        if (dht_watch_table_tells(dht->watches, watching, &heard->peers[i], heard->is_pushed,
                                  dht_engine_now_s(dht)))
            fresh[fresh_count++] = heard->peers[i];
    if (fresh_count == 0)
        return;
    dht_engine_emit(dht, &(struct dht_out){
                             .type = DHT_OUT_PEERS,
                             .op = watching->id,
                             .peers = {.addrs = fresh,
                                       .count = fresh_count,
                                       .from = *heard->from,
                                       .pushed = heard->is_pushed},
                         });
    dht_keeper_hurry(dht, watching);
    wake(dht, watching);
}

void dht_watch_peers(struct dht *dht, const struct dht_watching *watching,
                     const struct dht_watch_heard *heard)
{
    struct dht_watching *other;
    uint32_t cursor = DHT_INDEX_START;
    assert(heard->count <= DHT_FOUND_PEERS_MAX);
    while ((other = next_sharing(dht, watching, &cursor)) != NULL)
        tell_peers(dht, other, heard);
}

// What was announced before the keepers were asked to tell they have told nobody. So those who
// watch are told that there is something, and ask themselves.
void dht_watch_peers_news(struct dht *dht, const struct dht_watching *watching, int64_t news_us)
{
    struct dht_watching *other;
    uint32_t cursor = DHT_INDEX_START;
    while ((other = next_sharing(dht, watching, &cursor)) != NULL) {
        if (news_us <= other->heard_us)
            continue;
        other->heard_us = dht->now_us;
        DHT_COUNT(dht, watch_missed);
        dht_engine_emit(
            dht,
            &(struct dht_out){.type = DHT_OUT_PEERS, .op = other->id, .peers = {.pushed = true}});
        dht_keeper_hurry(dht, other);
        wake(dht, other);
    }
}

// ---- pushes ----

// In constant time: a forger learns nothing from how long it takes.
static bool same_nonce(const uint8_t *a, const uint8_t *b)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < DHT_KRPC_NONCE_LEN; i++)
        difference |= (uint8_t)(a[i] ^ b[i]);
    return difference == 0;
}

// The watch that a push is for, and who pushed; NULL where there is none.
static struct dht_keeper *find_keeper(const struct dht *dht, const struct dht_watch_push *push,
                                      struct dht_watching **ret_watching)
{
    const struct dht_krpc *msg = push->msg;
    struct dht_id target;
    if (dht->watches == NULL || msg->nonce.data == NULL || msg->target.data == NULL)
        return NULL;
    memcpy(target.bytes, msg->target.data, sizeof target.bytes);
    for (int kind = DHT_WATCH_ITEM; kind <= DHT_WATCH_PEERS; kind++) {
        struct dht_watching *watching;
        uint32_t cursor = DHT_INDEX_START;
        while ((watching = dht_watch_table_next(dht->watches, &target, (enum dht_watch_kind)kind,
                                                &cursor)) != NULL) {
            struct dht_keeper *keeper = dht_watch_table_keeper(watching, push->from);
            if (keeper == NULL || keeper->state == DHT_KEEPER_LOST || watching->poll_only ||
                !same_nonce(watching->nonce, msg->nonce.data))
                continue;
            *ret_watching = watching;
            return keeper;
        }
    }
    return NULL;
}

bool dht_watch_expects(const struct dht *dht, const struct dht_watch_push *push)
{
    struct dht_watching *watching;
    return find_keeper(dht, push, &watching) != NULL;
}

static void take_item(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                      const struct dht_watch_push *push)
{
    struct dht_item item;
    struct dht_span salt = {watching->salt, watching->salt_len};
    if (!dht_found_read(push->msg, &watching->target, salt, &item))
        return;
    keeper->holds = item.seq >= watching->seq_known;
    // What is known already is not verified again.
    if (item.seq <= watching->seq_known)
        return;
    if (!dht_found_verify(dht, &item)) {
        DHT_COUNT(dht, found_invalid);
        dht_keeper_lose(dht, watching, keeper);
        return;
    }
    DHT_COUNT(dht, watch_news);
    dht_watch_news(dht, &item, push->from);
}

void dht_watch_take(struct dht *dht, const struct dht_watch_push *push)
{
    const struct dht_krpc *msg = push->msg;
    struct dht_addr peers[DHT_FOUND_PEERS_MAX];
    struct dht_watching *watching;
    struct dht_keeper *keeper = find_keeper(dht, push, &watching);
    assert(keeper != NULL);
    dht_keeper_pushed(dht, watching, keeper);
    if (watching->kind == DHT_WATCH_PEERS)
        dht_watch_peers(dht, watching,
                        &(struct dht_watch_heard){.peers = peers,
                                                  .count = dht_found_read_peers(dht, msg, peers),
                                                  .from = push->from,
                                                  .is_pushed = true});
    else if (msg->gone)
        keeper->holds = false;
    else if (msg->value.data != NULL)
        take_item(dht, watching, keeper, push);
    dht_watch_doubt(watching);
    wake(dht, watching);
}

// ---- lookups of keepers ----

void dht_watch_doubt(struct dht_watching *watching)
{
    bool is_doubtful =
        watching->kind == DHT_WATCH_ITEM && watching->has_item && !dht_keeper_holds(watching);
    if (is_doubtful && watching->lookup_op == 0)
        watching->suspects_gone = true;
}

static void look_up(struct dht *dht, struct dht_watching *watching)
{
    enum dht_op_kind kind = watching->kind == DHT_WATCH_ITEM ? DHT_OP_GET : DHT_OP_GET_PEERS;
    struct dht_op *op = dht_op_open(&dht->ops, kind);
    if (op == NULL) {
        DHT_COUNT(dht, ops_refused);
        watching->looked_us = dht->now_us;
        watching->next_lookup_us = dht->now_us + watching->lookup_pause_us;
        return;
    }
    op->internal = true;
    op->watch = watching->id;
    op->settle = (uint8_t)dht->config.lookup_width;
    op->seq_known = watching->seq_known;
    op->best_generation = 1;
    op->salt_len = watching->salt_len;
    memcpy(op->salt, watching->salt, watching->salt_len);
    watching->lookup_op = op->id;
    dht_search_start(dht, op, &watching->target, dht->config.lookup_width);
}

// Whether another lookup is wanted before its time.
static bool wants_lookup(const struct dht_watching *watching)
{
    return watching->suspects_gone || 2 * dht_keeper_left(watching) < watching->wanted;
}

// When the next lookup is to begin.
static int64_t lookup_due_us(const struct dht_watching *watching)
{
    if (watching->lookup_op != 0)
        return INT64_MAX;
    int64_t soon_us = watching->looked_us + watching->lookup_pause_us;
    return wants_lookup(watching) && soon_us < watching->next_lookup_us ? soon_us
                                                                        : watching->next_lookup_us;
}

void dht_watch_found_item(struct dht *dht, const struct dht_op *op, const struct dht_addr *from)
{
    dht_watch_news(dht, &op->best->item, from);
}

void dht_watch_found_peers(struct dht *dht, const struct dht_op *op, const struct dht_addr *peers,
                           size_t count, const struct dht_addr *from)
{
    struct dht_watching *watching = dht_watch_find(dht, op->watch);
    assert(watching != NULL); // a lookup goes with its watch
    dht_watch_peers(dht, watching,
                    &(struct dht_watch_heard){.peers = peers, .count = count, .from = from});
}

static void gone(struct dht *dht, struct dht_watching *watching)
{
    watching->has_item = false;
    // The same item may come again; an older one may not.
    watching->seq_known--;
    dht_engine_emit(dht, &(struct dht_out){.type = DHT_OUT_GONE, .op = watching->id});
}

// Nobody holds the item: all are told who were told of it.
static void tell_gone(struct dht *dht, const struct dht_watching *watching)
{
    struct dht_watching *other;
    uint32_t cursor = DHT_INDEX_START;
    while ((other = next_sharing(dht, watching, &cursor)) != NULL)
        if (other->has_item)
            gone(dht, other);
}

// One that listens has looked up. Where the one that leads has the item, it is to see whether that
// is gone.
static void settle_listener(struct dht *dht, struct dht_watching *watching, bool is_found)
{
    struct dht_watching *leader = find_other(dht, watching, false);
    only_listen(watching);
    if (is_found || !watching->has_item)
        return;
    if (leader->has_item) {
        leader->suspects_gone = true;
        wake(dht, leader);
    } else {
        gone(dht, watching);
    }
}

// The keepers of a lookup that somebody has answered.
static void settle(struct dht *dht, struct dht_watching *watching, const struct dht_op *op)
{
    struct dht_tally tally = dht_search_tally(op);
    watching->next_lookup_us =
        dht->now_us + LOOKUP_EVERY_US -
        (int64_t)dht_random_below(&dht->random, (uint64_t)LOOKUP_EVERY_US / 10);
    if (tally.answered == 0)
        return;
    bool is_found = watching->kind == DHT_WATCH_PEERS || tally.copies > 0 || op->best != NULL;
    if (watching->listens) {
        settle_listener(dht, watching, is_found);
        return;
    }
    dht_keeper_choose(dht, watching, op);
    watching->suspects_gone = false;
    if (!is_found)
        tell_gone(dht, watching);
}

void dht_watch_looked(struct dht *dht, const struct dht_op *op)
{
    struct dht_watching *watching = dht_watch_find(dht, op->watch);
    assert(watching != NULL && watching->lookup_op == op->id);
    bool was_early = wants_lookup(watching) && watching->next_lookup_us > dht->now_us;
    watching->lookup_op = 0;
    watching->looked_us = dht->now_us;
    settle(dht, watching, op);
    watching->lookup_pause_us = was_early ? watching->lookup_pause_us * 2 : LOOKUP_PAUSE_FIRST_US;
    if (watching->lookup_pause_us > LOOKUP_PAUSE_MOST_US)
        watching->lookup_pause_us = LOOKUP_PAUSE_MOST_US;
    wake(dht, watching);
}

void dht_watch_ring(struct dht *dht, struct dht_watching *watching)
{
    // Set first, so that its room in the heap is taken.
    dht_timer_set(&dht->timers, &watching->timer, INT64_MAX);
    int64_t next_us = dht_keeper_step(dht, watching);
    if (lookup_due_us(watching) <= dht->now_us)
        look_up(dht, watching);
    int64_t due_us = lookup_due_us(watching);
    if (due_us > next_us)
        due_us = next_us;
    // A lookup that ended at once has set it.
    if (due_us < watching->timer.due_us)
        dht_timer_set(&dht->timers, &watching->timer,
                      due_us > dht->now_us ? due_us : dht->now_us + 1);
}

// ---- life ----

static struct dht_watching *open_watch(struct dht *dht, const struct dht_watch *watch)
{
    if (dht->watches == NULL)
        dht->watches =
            dht_watch_table_new(dht->config.ops_max, dht->config.watches_max, &dht->hash_key);
    if (dht->watches == NULL)
        return NULL;
    return dht_watch_table_open(dht->watches, &dht->timers, watch->kind, &watch->target);
}

// The keepers of a lookup that the caller has had done.
static void take_held(struct dht *dht, struct dht_watching *watching, uint32_t held_op)
{
    struct dht_op *held = dht_op_find(&dht->ops, held_op);
    if (held == NULL || held->state != DHT_OP_HELD ||
        !dht_id_equal(&held->lookup.target, &watching->target))
        return;
    watching->looked_us = dht->now_us;
    if (held->best != NULL)
        dht_watch_news(dht, &held->best->item, &dht->config.addr);
    settle(dht, watching, held);
    dht_op_close(&dht->ops, held);
}

static void take_own(struct dht *dht, const struct dht_watching *watching)
{
    const struct dht_stored_item *stored =
        dht->items != NULL ? dht_item_store_find(dht->items, &watching->target) : NULL;
    if (stored == NULL || watching->kind != DHT_WATCH_ITEM)
        return;
    struct dht_item item = dht_item_store_view(stored);
    tell(dht, &item, &dht->config.addr);
}

uint32_t dht_watch(struct dht *dht, int64_t now_us, const struct dht_watch *watch)
{
    assert(watch->salt.len <= DHT_SALT_LEN_MAX);
    dht_engine_enter(dht, now_us);
    struct dht_watching *watching = open_watch(dht, watch);
    if (watching == NULL) {
        DHT_COUNT(dht, watches_refused);
        return 0;
    }
    DHT_COUNT(dht, watches_started);
    watching->poll_only = watch->poll_only;
    watching->seq_known = watch->seq_known;
    watching->has_item = watch->seq_known != DHT_SEQ_NONE;
    watching->salt_len = (uint8_t)watch->salt.len;
    if (watch->salt.len > 0)
        memcpy(watching->salt, watch->salt.data, watch->salt.len);
    watching->heard_us = watch->since_us != 0 ? watch->since_us : now_us;
    watching->wanted = 1;
    watching->looked_us = watching->next_lookup_us = now_us;
    watching->lookup_pause_us = LOOKUP_PAUSE_FIRST_US;
    watching->next_poll_us = INT64_MAX;
    watching->poll_pause_us = POLL_PAUSE_FIRST_US;
    dht_random_bytes(&dht->random, watching->nonce, sizeof watching->nonce);
    join(dht, watching);
    uint32_t id = watching->id;
    dht_timer_set(&dht->timers, &watching->timer, now_us);
    take_own(dht, watching);
    take_held(dht, watching, watch->held_op);
    dht_watch_ring(dht, watching);
    return id;
}

bool dht_watch_cancel(struct dht *dht, uint32_t id)
{
    struct dht_watching *watching = dht_watch_find(dht, id);
    if (watching == NULL)
        return false;
    struct dht_op *op = dht_op_find(&dht->ops, watching->lookup_op);
    if (op != NULL) {
        dht_outbox_forget(&dht->outbox, op->id);
        dht_search_abandon(dht, op->id);
        dht_op_close(&dht->ops, op);
    }
    struct dht_watching *heir = watching->listens ? NULL : find_other(dht, watching, true);
    if (heir != NULL)
        hand_over(dht, watching, heir);
    dht_search_abandon(dht, id);
    dht_keeper_part(dht, watching);
    dht_watch_table_close(dht->watches, &dht->timers, watching);
    DHT_COUNT(dht, ops_cancelled);
    return true;
}

// Tokens are bound to our address: others are asked for first.
void dht_watch_moved(struct dht *dht)
{
    if (dht->watches == NULL)
        return;
    for (uint32_t slot = 0; slot < dht->watches->slots.capacity; slot++) {
        struct dht_watching *watching = dht_slots_at(&dht->watches->slots, slot);
        if (watching == NULL)
            continue;
        for (uint8_t i = 0; i < watching->keeper_count; i++) {
            struct dht_keeper *keeper = &watching->keepers[i];
            keeper->token_len = 0;
            if (keeper->state == DHT_KEEPER_PUSHING)
                keeper->due_us =
                    dht->now_us + (int64_t)dht_random_below(&dht->random, MOVED_WITHIN_US);
        }
        wake(dht, watching);
    }
}
