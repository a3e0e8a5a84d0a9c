// SPDX-License-Identifier: MIT
#include "dht/keeper.h"

#include "dht/addr.h"
#include "dht/found.h"
#include "dht/id.h"
#include "dht/query.h"

#include <string.h>

#define WANTED           8 // keepers
#define WANTED_READ_ONLY 3
#define NEVER            INT64_MAX

// A token is good for 10 minutes at least, and a renewal shows the one that came with the last
// lease: so a lease is asked for that is to be renewed before that. Whoever is read-only is mostly
// behind a NAT, which forgets it within a minute or two.
#define LEASE_S            1080
#define LEASE_READ_ONLY_S  120
#define RENEW_READ_ONLY_US (50 * DHT_SECOND_US)
#define LEASE_MOST_S       (24 * 3600)
#define TOKEN_GOOD_US      (570 * DHT_SECOND_US)
#define TOKEN_FRESH_US     (60 * DHT_SECOND_US)
#define TRIAL_US           (20 * DHT_SECOND_US) // for the test push: it is sent for 14 s
#define TRY_AGAIN_US       (2 * DHT_SECOND_US)
#define SILENT_MAX         2
#define POLL_FIRST_US      (60 * DHT_SECOND_US)
#define POLL_MOST_US       (600 * DHT_SECOND_US)
#define RENEW_AGAIN_US     (10 * DHT_SECOND_US)

// Where nobody pushes, two keepers are asked within any minute: what the first has missed, the
// second tells.
#define POLL_ALONE_US (30 * DHT_SECOND_US)

// Less a random tenth, so that not all come at once.
static int64_t jittered(struct dht *dht, int64_t pause_us)
{
    return pause_us - (int64_t)dht_random_below(&dht->random, (uint64_t)pause_us / 10 + 1);
}

static bool has_pushing(const struct dht_watching *watching)
{
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (watching->keepers[i].state == DHT_KEEPER_PUSHING)
            return true;
    return false;
}

uint32_t dht_keeper_left(const struct dht_watching *watching)
{
    uint32_t left = 0;
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        left += watching->keepers[i].state != DHT_KEEPER_LOST;
    return left;
}

bool dht_keeper_holds(const struct dht_watching *watching)
{
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (watching->keepers[i].state != DHT_KEEPER_LOST && watching->keepers[i].holds)
            return true;
    return false;
}

void dht_keeper_hurry(struct dht *dht, struct dht_watching *watching)
{
    watching->poll_pause_us = has_pushing(watching) ? POLL_FIRST_US : POLL_ALONE_US;
    int64_t next_us = dht->now_us + jittered(dht, watching->poll_pause_us);
    if (watching->next_poll_us != NEVER && watching->next_poll_us > next_us)
        watching->next_poll_us = next_us;
}

// The only function that changes a keeper's state.
static void enter(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                  enum dht_keeper_state state)
{
    keeper->state = (uint8_t)state;
    keeper->silent = 0;
    if (state == DHT_KEEPER_PUSHING)
        return;
    keeper->has_granted = false;
    keeper->due_us = state == DHT_KEEPER_TRIED ? dht->now_us : NEVER;
    if (state != DHT_KEEPER_POLLED)
        return;
    if (watching->next_poll_us == NEVER)
        watching->next_poll_us = dht->now_us + jittered(dht, watching->poll_pause_us);
    if (!has_pushing(watching))
        dht_keeper_hurry(dht, watching);
}

void dht_keeper_lose(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    enter(dht, watching, keeper, DHT_KEEPER_LOST);
}

// ---- asking ----

static bool ask(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                enum dht_krpc_method method)
{
    bool is_read_only = dht->role == DHT_ROLE_CLIENT;
    struct dht_query query = {
        .method = method,
        .purpose = DHT_PURPOSE_KEEPER,
        .addr = &keeper->addr,
        .id = &keeper->id,
        .target = &watching->target,
        .op = watching->id,
        .rtt_us = keeper->rtt_us,
        .seq_known = watching->kind == DHT_WATCH_ITEM ? watching->seq_known : DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .token = {keeper->token, keeper->token_len},
        .nonce = watching->nonce,
        .lease_s = is_read_only ? LEASE_READ_ONLY_S : LEASE_S,
        .peers = watching->kind == DHT_WATCH_PEERS,
    };
    keeper->is_asked = dht_query_send(dht, &query) != NULL;
    return keeper->is_asked;
}

static enum dht_krpc_method get_method(const struct dht_watching *watching)
{
    return watching->kind == DHT_WATCH_ITEM ? DHT_KRPC_GET : DHT_KRPC_GET_PEERS;
}

void dht_keeper_ask(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    if (keeper->is_asked)
        return;
    DHT_COUNT(dht, watch_polls);
    ask(dht, watching, keeper, get_method(watching));
}

// Asks for a lease, or for another token first where the last one is too old.
static void ask_lease(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    bool has_token = keeper->token_len > 0 && dht->now_us - keeper->token_us <= TOKEN_GOOD_US;
    bool asked;
    keeper->due_us = NEVER; // until it has answered, or not
    keeper->wants_token = !has_token;
    if (has_token) {
        DHT_COUNT(dht, watch_renewals);
        asked = ask(dht, watching, keeper, DHT_KRPC_PNR_WATCH);
    } else {
        keeper->token_len = 0;
        asked = ask(dht, watching, keeper, get_method(watching));
    }
    if (!asked)
        keeper->due_us = dht->now_us + TRY_AGAIN_US;
}

static void act(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    if (keeper->is_asked)
        keeper->due_us = dht->now_us + TRY_AGAIN_US;
    else if (keeper->state == DHT_KEEPER_TRIED && keeper->has_granted)
        enter(dht, watching, keeper, DHT_KEEPER_POLLED); // pushes do not come through
    else
        ask_lease(dht, watching, keeper);
}

// The polled keeper whose turn it is; NULL where there is none. ret_any: whether there are any,
// though they may be busy.
static struct dht_keeper *next_polled(struct dht_watching *watching, bool *ret_any)
{
    *ret_any = false;
    for (uint8_t i = 0; i < watching->keeper_count; i++) {
        uint8_t at = (uint8_t)((watching->poll_next + i) % watching->keeper_count);
        struct dht_keeper *keeper = &watching->keepers[at];
        if (keeper->state != DHT_KEEPER_POLLED)
            continue;
        *ret_any = true;
        if (keeper->is_asked)
            continue;
        watching->poll_next = (uint8_t)(at + 1);
        return keeper;
    }
    return NULL;
}

static void poll(struct dht *dht, struct dht_watching *watching)
{
    bool any;
    if (dht->now_us < watching->next_poll_us)
        return;
    struct dht_keeper *keeper = next_polled(watching, &any);
    if (!any) {
        watching->next_poll_us = NEVER;
        return;
    }
    if (keeper != NULL) {
        keeper->is_asked_again = false;
        if (dht->now_us - keeper->token_us > TOKEN_GOOD_US)
            keeper->token_len = 0;
        dht_keeper_ask(dht, watching, keeper);
    }
    int64_t most_us = has_pushing(watching) ? POLL_MOST_US : POLL_ALONE_US;
    if (watching->poll_pause_us > most_us)
        watching->poll_pause_us = most_us;
    watching->next_poll_us = dht->now_us + jittered(dht, watching->poll_pause_us);
    watching->poll_pause_us += watching->poll_pause_us / 4;
}

int64_t dht_keeper_step(struct dht *dht, struct dht_watching *watching)
{
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (watching->keepers[i].due_us <= dht->now_us)
            act(dht, watching, &watching->keepers[i]);
    poll(dht, watching);
    int64_t next_us = watching->next_poll_us;
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (watching->keepers[i].due_us < next_us)
            next_us = watching->keepers[i].due_us;
    return next_us;
}

// ---- parting ----

// The word of parting is nobody's: what comes of it finds no watch.
static void part(struct dht *dht, const struct dht_watching *watching,
                 const struct dht_keeper *keeper)
{
    bool may_push =
        keeper->state == DHT_KEEPER_PUSHING ||
        (keeper->state == DHT_KEEPER_TRIED && (keeper->has_granted || keeper->is_asked));
    if (!may_push || keeper->token_len == 0)
        return;
    struct dht_query query = {
        .method = DHT_KRPC_PNR_WATCH,
        .purpose = DHT_PURPOSE_KEEPER,
        .addr = &keeper->addr,
        .id = &keeper->id,
        .target = &watching->target,
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .token = {keeper->token, keeper->token_len},
        .nonce = watching->nonce,
        .peers = watching->kind == DHT_WATCH_PEERS,
    };
    dht_query_send(dht, &query);
}

void dht_keeper_part(struct dht *dht, struct dht_watching *watching)
{
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        part(dht, watching, &watching->keepers[i]);
}

// ---- choosing ----

// A candidate as a keeper: one that there is already stays what it is, but one that is polled is
// tried once more.
static struct dht_keeper make(struct dht *dht, struct dht_watching *watching,
                              const struct dht_lookup *lookup, uint16_t index)
{
    const struct dht_candidate *candidate = &lookup->candidates[index];
    struct dht_span token = dht_lookup_token(lookup, index);
    struct dht_keeper *known = dht_watch_table_keeper(watching, &candidate->addr);
    bool stays = known != NULL && known->state != DHT_KEEPER_LOST &&
                 dht_id_equal(&known->id, &candidate->id);
    struct dht_keeper keeper = {.id = candidate->id,
                                .addr = candidate->addr,
                                .rtt_us = candidate->rtt_us,
                                .state = DHT_KEEPER_LOST,
                                .due_us = NEVER};
    if (stays)
        keeper = *known;
    keeper.token_us = dht->now_us;
    keeper.token_len = (uint8_t)token.len;
    if (token.len > 0)
        memcpy(keeper.token, token.data, token.len);
    if (watching->poll_only)
        enter(dht, watching, &keeper, DHT_KEEPER_POLLED);
    else if (keeper.state == DHT_KEEPER_LOST || keeper.state == DHT_KEEPER_POLLED)
        enter(dht, watching, &keeper, DHT_KEEPER_TRIED);
    return keeper;
}

static bool is_among(const struct dht_keeper *keepers, uint8_t count, const struct dht_addr *addr)
{
    for (uint8_t i = 0; i < count; i++)
        if (dht_addr_equal(&keepers[i].addr, addr))
            return true;
    return false;
}

void dht_keeper_choose(struct dht *dht, struct dht_watching *watching, const struct dht_op *op)
{
    struct dht_keeper chosen[DHT_KEEPERS_MAX];
    uint16_t closest[DHT_CLOSEST_MAX];
    uint8_t chosen_count = 0;
    uint8_t wanted =
        dht->role == DHT_ROLE_CLIENT && !watching->poll_only ? WANTED_READ_ONLY : WANTED;
    size_t count = dht_lookup_answered(&op->lookup, dht->config.store_width, true, closest);
    for (int holding = 1; holding >= 0; holding--) {
        for (size_t i = 0; i < count && chosen_count < wanted; i++) {
            const struct dht_candidate *candidate = &op->lookup.candidates[closest[i]];
            int holds = candidate->holds != 0 && candidate->holds == op->best_generation;
            if (holds != holding)
                continue;
            chosen[chosen_count] = make(dht, watching, &op->lookup, closest[i]);
            chosen[chosen_count++].holds = holds;
        }
    }
    for (uint8_t i = 0; i < watching->keeper_count; i++)
        if (!is_among(chosen, chosen_count, &watching->keepers[i].addr))
            part(dht, watching, &watching->keepers[i]);
    memcpy(watching->keepers, chosen, chosen_count * sizeof chosen[0]);
    watching->keeper_count = chosen_count;
    watching->poll_next = 0;
    watching->wanted = chosen_count > 0 ? chosen_count : 1;
}

// ---- what comes back ----

static void wake(struct dht *dht, struct dht_watching *watching)
{
    dht_timer_set(&dht->timers, &watching->timer, dht->now_us);
}

// The watch and the keeper that asked, neither of them gone or lost since; NULL where there is
// none.
static struct dht_keeper *waiting_keeper(const struct dht *dht,
                                         const struct dht_transaction *transaction,
                                         struct dht_watching **ret_watching)
{
    struct dht_watching *watching = dht_watch_find(dht, transaction->op);
    if (watching == NULL)
        return NULL;
    struct dht_keeper *keeper = dht_watch_table_keeper(watching, &transaction->addr);
    if (keeper == NULL || keeper->state == DHT_KEEPER_LOST)
        return NULL;
    *ret_watching = watching;
    return keeper;
}

static void take_token(struct dht *dht, struct dht_keeper *keeper, const struct dht_krpc *msg)
{
    if (msg->token.data == NULL || msg->token.len > sizeof keeper->token)
        return;
    keeper->token_len = (uint8_t)msg->token.len;
    keeper->token_us = dht->now_us;
    memcpy(keeper->token, msg->token.data, msg->token.len);
}

// It tells which item it holds, and does not send it; or holds none.
static void take_seq(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                     const struct dht_krpc *msg)
{
    if (watching->kind != DHT_WATCH_ITEM)
        return;
    keeper->holds = msg->has_seq && msg->seq >= watching->seq_known;
    if (msg->has_seq && msg->seq > watching->seq_known && !keeper->is_asked_again) {
        keeper->is_asked_again = true;
        dht_keeper_ask(dht, watching, keeper);
    }
}

// It tells how long ago it had news of the peers: so long before the query was sent, or later by no
// more than the query's way. The earlier time misses nothing: what a peer has changed after he had
// answered us came to the keeper by way of him, no sooner than a query that had been sent with ours
// to him.
static void take_news(struct dht *dht, struct dht_watching *watching, int64_t sent_us,
                      const struct dht_krpc *msg)
{
    if (watching->kind == DHT_WATCH_PEERS && msg->has_watch && msg->has_news && msg->news >= 0 &&
        msg->news <= sent_us / 1000)
        dht_watch_peers_news(dht, watching, sent_us - msg->news * 1000);
}

static void take_lease(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                       const struct dht_krpc *msg)
{
    // Others answer a method that they do not know like find_node.
    if (!msg->has_watch || msg->watch <= 0) {
        enter(dht, watching, keeper, DHT_KEEPER_POLLED);
        return;
    }
    int64_t lease_s = msg->watch < LEASE_MOST_S ? msg->watch : LEASE_MOST_S;
    keeper->renew_us = lease_s * DHT_SECOND_US / 2;
    if (dht->role == DHT_ROLE_CLIENT && keeper->renew_us > RENEW_READ_ONLY_US)
        keeper->renew_us = RENEW_READ_ONLY_US;
    if (keeper->state == DHT_KEEPER_POLLED)
        return; // it was given up meanwhile; its push would count
    keeper->has_granted = true;
    keeper->due_us =
        dht->now_us +
        (keeper->state == DHT_KEEPER_PUSHING ? jittered(dht, keeper->renew_us) : TRIAL_US);
    keeper->is_asked_again = false;
    take_seq(dht, watching, keeper, msg);
}

static void take_item(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                      const struct dht_krpc *msg)
{
    struct dht_item item;
    struct dht_span salt = {watching->salt, watching->salt_len};
    if (msg->value.data == NULL) {
        take_seq(dht, watching, keeper, msg);
        return;
    }
    if (!dht_found_read(msg, &watching->target, salt, &item))
        return;
    keeper->holds = item.seq >= watching->seq_known;
    if (item.seq <= watching->seq_known)
        return;
    if (dht_found_verify(dht, &item)) {
        dht_watch_news(dht, &item, &keeper->addr);
        return;
    }
    DHT_COUNT(dht, found_invalid);
    dht_keeper_lose(dht, watching, keeper);
}

static void take_answer(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper,
                        const struct dht_krpc *msg)
{
    struct dht_addr peers[DHT_FOUND_PEERS_MAX];
    if (watching->kind == DHT_WATCH_ITEM) {
        take_item(dht, watching, keeper, msg);
    } else {
        struct dht_watch_heard heard = {.peers = peers, .from = &keeper->addr};
        heard.count = dht_found_read_peers(dht, msg, peers);
        dht_watch_peers(dht, watching, &heard);
    }
    if (!keeper->wants_token || keeper->state == DHT_KEEPER_LOST || keeper->is_asked)
        return;
    if (keeper->token_len > 0)
        ask_lease(dht, watching, keeper);
    else
        enter(dht, watching, keeper, DHT_KEEPER_POLLED);
}

void dht_keeper_reply(struct dht *dht, const struct dht_transaction *transaction,
                      const struct dht_krpc *msg)
{
    struct dht_watching *watching;
    struct dht_keeper *keeper = waiting_keeper(dht, transaction, &watching);
    if (keeper == NULL)
        return;
    keeper->is_asked = false;
    keeper->silent = 0;
    keeper->rtt_us = (uint32_t)(dht->now_us - transaction->sent_us);
    take_token(dht, keeper, msg);
    if (transaction->method == DHT_KRPC_PNR_WATCH) {
        take_lease(dht, watching, keeper, msg);
        take_news(dht, watching, transaction->sent_us, msg);
    } else {
        take_answer(dht, watching, keeper, msg);
    }
    dht_watch_doubt(watching);
    wake(dht, watching);
}

static void note_silence(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    keeper->is_asked = false;
    keeper->wants_token = false;
    keeper->silent++;
    // A poll that nobody answers is none: the next keeper is asked soon.
    int64_t again_us = dht->now_us + TRY_AGAIN_US;
    if (keeper->state == DHT_KEEPER_POLLED && watching->next_poll_us > again_us)
        watching->next_poll_us = again_us;
    if (keeper->silent >= SILENT_MAX) {
        enter(dht, watching, keeper,
              keeper->state == DHT_KEEPER_POLLED ? DHT_KEEPER_LOST : DHT_KEEPER_POLLED);
    } else if (keeper->state != DHT_KEEPER_POLLED) {
        bool pushes = keeper->state == DHT_KEEPER_PUSHING;
        int64_t due_us = dht->now_us + (pushes ? RENEW_AGAIN_US : TRY_AGAIN_US);
        if (due_us < keeper->due_us)
            keeper->due_us = due_us;
    }
    dht_watch_doubt(watching);
    wake(dht, watching);
}

void dht_keeper_error(struct dht *dht, const struct dht_transaction *transaction, int32_t code)
{
    struct dht_watching *watching;
    struct dht_keeper *keeper = waiting_keeper(dht, transaction, &watching);
    if (keeper == NULL)
        return;
    if (transaction->method != DHT_KRPC_PNR_WATCH) {
        note_silence(dht, watching, keeper);
        return;
    }
    keeper->is_asked = false;
    bool is_stale = dht->now_us - keeper->token_us > TOKEN_FRESH_US;
    if (code == DHT_KRPC_ERROR_PROTOCOL && is_stale && keeper->state != DHT_KEEPER_POLLED) {
        keeper->token_len = 0;
        ask_lease(dht, watching, keeper);
    } else {
        enter(dht, watching, keeper, DHT_KEEPER_POLLED);
    }
    wake(dht, watching);
}

void dht_keeper_silent(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_watching *watching;
    struct dht_keeper *keeper = waiting_keeper(dht, transaction, &watching);
    if (keeper != NULL)
        note_silence(dht, watching, keeper);
}

void dht_keeper_dead(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_watching *watching;
    struct dht_keeper *keeper = waiting_keeper(dht, transaction, &watching);
    if (keeper == NULL)
        return;
    enter(dht, watching, keeper, DHT_KEEPER_LOST);
    dht_watch_doubt(watching);
    wake(dht, watching);
}

void dht_keeper_pushed(struct dht *dht, struct dht_watching *watching, struct dht_keeper *keeper)
{
    if (keeper->state == DHT_KEEPER_PUSHING)
        return;
    bool has_granted = keeper->has_granted;
    bool was_polled = keeper->state == DHT_KEEPER_POLLED;
    enter(dht, watching, keeper, DHT_KEEPER_PUSHING);
    // Where its reply to our query has not come yet, that will say when to renew.
    if (has_granted || was_polled)
        keeper->due_us = dht->now_us + (keeper->renew_us > 0 ? jittered(dht, keeper->renew_us) : 0);
}
