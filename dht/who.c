// SPDX-License-Identifier: MIT
#include "dht/who.h"

#include "dht/query.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 3
#define STEPS_MAX 16
// What a repeated query waits for: longer each time, so that a slow node is heard too.
#define AGAIN_RTT_US (DHT_SECOND_US * 2 / 3)

enum who_state {
    WHO_TOKEN,
    WHO_DESCRIPTION,
    WHO_PART,
};

// The node asked, and what it has told so far.
struct dht_who_answer {
    enum who_state state;
    uint16_t step;  // of queries sent; a transaction's `candidate`
    uint16_t tries; // of this step
    struct dht_addr addr;
    struct dht_id info_hash;
    struct dht_id id; // known from the first reply on
    int64_t rtt_us;   // the shortest; -1: none yet
    uint8_t token[DHT_LOOKUP_TOKEN_MAX];
    uint8_t token_len;
    uint16_t description_len;
    uint16_t payload_len; // got so far,
    uint16_t size;        // of so many
    uint8_t description[DHT_DESCRIPTION_LEN_MAX];
    uint8_t payload[DHT_PAYLOAD_LEN_MAX];
};

static bool ask(struct dht *dht, const struct dht_op *op)
{
    struct dht_who_answer *who = op->who;
    struct dht_query query = {
        .method = DHT_KRPC_WHO,
        .purpose = DHT_PURPOSE_WHO,
        .addr = &who->addr,
        .id = who->state == WHO_TOKEN ? NULL : &who->id,
        .target = &who->info_hash,
        .op = op->id,
        .candidate = who->step,
        .rtt_us = who->tries == 0 ? 0 : (uint32_t)(who->tries * AGAIN_RTT_US),
        .seq_known = DHT_SEQ_NONE,
        .cas = DHT_SEQ_NONE,
        .offset = who->state == WHO_PART ? who->payload_len : 0,
        .token = {who->token, who->token_len},
    };
    who->tries++;
    return dht_query_send(dht, &query) != NULL;
}

bool dht_who_start(struct dht *dht, struct dht_op *op, const struct dht_addr *addr,
                   const struct dht_id *info_hash)
{
    if (!dht_engine_is_acceptable(dht, addr))
        return false;
    op->who = calloc(1, sizeof *op->who);
    if (op->who == NULL)
        return false;
    op->state = DHT_OP_ASKING;
    op->who->addr = *addr;
    op->who->info_hash = *info_hash;
    op->who->rtt_us = -1;
    return ask(dht, op);
}

// The operation that waits for this transaction; NULL where none does any more.
static struct dht_op *waiting_op(const struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op = dht_op_find(&dht->ops, transaction->op);
    return op != NULL && op->who->step == transaction->candidate ? op : NULL;
}

// found: all of it was told. Else code is the error's that ended it; 0: none did.
static void finish(struct dht *dht, struct dht_op *op, bool found, int32_t code)
{
    const struct dht_who_answer *who = op->who;
    struct dht_out done = {.type = DHT_OUT_DONE, .op = op->id, .done = {.rtt_us = who->rtt_us}};
    done.done.code = code;
    done.done.tally.asked = 1;
    done.done.tally.answered = who->rtt_us >= 0;
    struct dht_out event = {.type = DHT_OUT_WHO, .op = op->id};
    event.who.from = who->addr;
    event.who.id = who->id;
    event.who.description = (struct dht_span){who->description, who->description_len};
    event.who.payload = (struct dht_span){who->payload, who->payload_len};
    event.who.rtt_us = who->rtt_us;
    if (found)
        dht_engine_emit(dht, &event);
    dht_op_close(&dht->ops, op);
    dht_engine_emit(dht, &done);
}

static void next_step(struct dht *dht, struct dht_op *op, enum who_state state)
{
    op->who->state = state;
    op->who->step++;
    op->who->tries = 0;
    if (op->who->step >= STEPS_MAX || !ask(dht, op))
        finish(dht, op, false, 0);
}

// ---- replies ----

// A node that does not know the method gives no token, or later no description.
static bool take_token(struct dht_who_answer *who, const struct dht_krpc *msg)
{
    if (msg->token.len == 0 || msg->token.len > sizeof who->token)
        return false;
    memcpy(who->token, msg->token.data, msg->token.len);
    who->token_len = (uint8_t)msg->token.len;
    memcpy(who->id.bytes, msg->id.data, sizeof who->id.bytes);
    return true;
}

static bool take_description(struct dht_who_answer *who, const struct dht_krpc *msg)
{
    bool fits = msg->value.len >= 2 && msg->value.len <= sizeof who->description &&
                msg->value.data[0] == 'd' && msg->size >= 0 && msg->size <= DHT_PAYLOAD_LEN_MAX;
    if (!fits)
        return false;
    memcpy(who->description, msg->value.data, msg->value.len);
    who->description_len = (uint16_t)msg->value.len;
    who->size = (uint16_t)msg->size;
    who->payload_len = 0;
    return true;
}

// False where it brings nothing, or more than there is.
static bool take_part(struct dht_who_answer *who, struct dht_span part)
{
    size_t left = (size_t)(who->size - who->payload_len);
    if (part.len > left || (part.len == 0 && left > 0))
        return false;
    if (part.len > 0)
        memcpy(who->payload + who->payload_len, part.data, part.len);
    who->payload_len = (uint16_t)(who->payload_len + part.len);
    return true;
}

static void note_rtt(struct dht_who_answer *who, int64_t rtt_us)
{
    if (who->rtt_us < 0 || rtt_us < who->rtt_us)
        who->rtt_us = rtt_us;
}

void dht_who_reply(struct dht *dht, const struct dht_transaction *transaction,
                   const struct dht_krpc *msg)
{
    struct dht_op *op = waiting_op(dht, transaction);
    if (op == NULL)
        return;
    struct dht_who_answer *who = op->who;
    note_rtt(who, dht->now_us - transaction->sent_us);
    if (who->state == WHO_TOKEN) {
        if (take_token(who, msg))
            next_step(dht, op, WHO_DESCRIPTION);
        else
            finish(dht, op, false, 0);
        return;
    }
    if (who->state == WHO_PART && msg->size != who->size) {
        next_step(dht, op, WHO_DESCRIPTION);
        return;
    }
    bool good = who->state == WHO_PART || take_description(who, msg);
    if (!good || !take_part(who, msg->part))
        finish(dht, op, false, 0);
    else if (who->payload_len < who->size)
        next_step(dht, op, WHO_PART);
    else
        finish(dht, op, true, 0);
}

void dht_who_silent(struct dht *dht, const struct dht_transaction *transaction)
{
    struct dht_op *op = waiting_op(dht, transaction);
    if (op == NULL)
        return;
    if (op->who->tries >= TRIES_MAX || !ask(dht, op))
        finish(dht, op, false, 0);
}

void dht_who_refused(struct dht *dht, const struct dht_transaction *transaction, int32_t code)
{
    struct dht_op *op = waiting_op(dht, transaction);
    if (op == NULL)
        return;
    // The rest of a payload that has become shorter is refused: it was replaced meanwhile.
    if (op->who->state == WHO_PART)
        next_step(dht, op, WHO_DESCRIPTION);
    else
        finish(dht, op, false, code);
}

void dht_who_failed(struct dht *dht, const struct dht_transaction *transaction)
{
    dht_who_refused(dht, transaction, 0);
}
