// SPDX-License-Identifier: MIT
#include "tests/dialogue/play.h"

#include "dht/addr.h"
#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/strict.h"

// ---- the engine ----

// The spans of an output point into its own entry.
static void point_into(struct play_output *pending)
{
    struct dht_out *out = &pending->out;
    if (out->type == DHT_OUT_DATAGRAM)
        out->datagram.bytes.data = pending->bytes;
    if (out->type == DHT_OUT_ITEM)
        out->found.item.value.data = pending->bytes;
    if (out->type == DHT_OUT_WHO) {
        out->who.description.data = pending->bytes;
        out->who.payload.data = pending->bytes + out->who.description.len;
    }
}

static void keep(struct play *play, const struct dht_out *out)
{
    if (play->pending_count == PLAY_PENDING_MAX)
        text_fail(&play->text, "too many outputs wait");
    struct play_output *pending = &play->pending[play->pending_count++];
    pending->out = *out;
    if (out->type == DHT_OUT_DATAGRAM) {
        memcpy(pending->bytes, out->datagram.bytes.data, out->datagram.bytes.len);
        pending->out.datagram.bytes.data = pending->bytes;
    } else if (out->type == DHT_OUT_ITEM) {
        const struct dht_item *item = &out->found.item;
        memcpy(pending->bytes, item->value.data, item->value.len);
        pending->out.found.item.value.data = pending->bytes;
    } else if (out->type == DHT_OUT_WHO) {
        memcpy(pending->bytes, out->who.description.data, out->who.description.len);
        memcpy(pending->bytes + out->who.description.len, out->who.payload.data,
               out->who.payload.len);
        point_into(pending);
    } else if (out->type == DHT_OUT_PEERS) {
        for (size_t i = 0; i < out->peers.count && i < 64; i++)
            pending->peers[i] = out->peers.addrs[i];
    }
}

static void check_strictly(struct play *play, const struct dht_datagram *datagram)
{
    struct strict_rules rules = {
        .family = play->config.family, .any_reply_tid = true, .any_value = true};
    const char *fault = play->loose ? NULL : strict_check(datagram->bytes, &rules);
    if (fault == NULL)
        return;
    text_print(datagram->bytes);
    text_fail(&play->text, "the strict decoder refuses: %s", fault);
}

static void answer_upkeep(struct play *play);

void play_drain(struct play *play)
{
    struct dht_out out;
    while (!play->holds_outputs && dht_next(play->dht, &out)) {
        if (out.type == DHT_OUT_DATAGRAM)
            check_strictly(play, &out.datagram);
        keep(play, &out);
    }
    if (play->quiet && !play->answering)
        answer_upkeep(play);
}

struct dht *play_engine(struct play *play)
{
    static uint8_t seed[32] = {1};
    static uint8_t no_key[32];
    struct dht_crypto crypto = helper_crypto(no_key);
    if (play->dht != NULL)
        return play->dht;
    play->dht = dht_new(&play->config, &crypto, seed, play->now_us);
    if (play->dht == NULL)
        text_fail(&play->text, "no engine from this configuration");
    return play->dht;
}

void play_pass_time(struct play *play, int64_t duration_us)
{
    int64_t end_us = play->now_us + duration_us;
    struct dht *dht = play_engine(play);
    while (dht_deadline(dht) <= end_us) {
        if (dht_deadline(dht) > play->now_us)
            play->now_us = dht_deadline(dht);
        dht_tick(dht, play->now_us);
        play_drain(play);
    }
    play->now_us = end_us;
}

void play_take_out(struct play *play, size_t index)
{
    memmove(play->pending + index, play->pending + index + 1,
            (play->pending_count - index - 1) * sizeof *play->pending);
    play->pending_count--;
    for (size_t i = index; i < play->pending_count; i++)
        point_into(&play->pending[i]);
}

void play_receive(struct play *play, const struct dht_addr *from, const void *bytes, size_t len)
{
    struct dht_datagram datagram = {*from, {bytes, len}};
    dht_receive(play_engine(play), play->now_us, &datagram, 1);
    play_drain(play);
}

// ---- the engine's upkeep ----

// Whether it is a query that no statement has asked for.
static bool is_upkeep(const struct play *play, const struct dht_out *out, struct dht_krpc *ret_msg)
{
    if (out->type != DHT_OUT_DATAGRAM || !dht_krpc_parse(out->datagram.bytes, ret_msg) ||
        ret_msg->type != DHT_KRPC_QUERY)
        return false;
    // Upkeep asks nothing else; the lookups of a watch, which are the engine's own too, ask more.
    if (ret_msg->method != DHT_KRPC_PING && ret_msg->method != DHT_KRPC_FIND_NODE)
        return false;
    for (size_t i = 0; i < play->op_count; i++)
        if (play->ops[i] == out->op)
            return false;
    return true;
}

// The id of the node at that address; NULL where the dialogue knows none.
const uint8_t *play_id_at(const struct play *play, const struct dht_addr *addr)
{
    uint8_t compact[DHT_ADDR_COMPACT_MAX];
    size_t len = dht_addr_to_compact(addr, compact);
    for (size_t i = 0; i < play->text.variable_count; i++) {
        const struct text_variable *variable = &play->text.variables[i];
        if (variable->len == DHT_ID_LEN + len && strstr(variable->name, ".node") != NULL &&
            memcmp(variable->bytes + DHT_ID_LEN, compact, len) == 0)
            return variable->bytes;
    }
    return NULL;
}

// A reply that says nothing but who is there.
void play_answer(struct play *play, const struct dht_addr *from, const uint8_t *id,
                 const uint8_t *tid)
{
    uint8_t reply[64] = "d1:rd2:id20:....................e1:t4:....1:y1:re";
    size_t len = strlen((const char *)reply);
    memcpy(reply + 12, id, DHT_ID_LEN);
    memcpy(reply + 38, tid, 4);
    play_receive(play, from, reply, len);
}

static void answer_upkeep(struct play *play)
{
    play->answering = true;
    for (size_t i = 0; i < play->pending_count;) {
        struct dht_krpc msg;
        struct dht_out *out = &play->pending[i].out;
        if (!is_upkeep(play, out, &msg)) {
            i++;
            continue;
        }
        struct dht_addr addr = out->datagram.addr;
        uint8_t tid[4];
        memcpy(tid, msg.tid.data, sizeof tid);
        play_take_out(play, i);
        const uint8_t *id = play_id_at(play, &addr);
        if (id != NULL)
            play_answer(play, &addr, id, tid);
    }
    play->answering = false;
}

// ---- reading statements ----

struct dht_addr play_read_addr(struct play *play)
{
    char word[64];
    char key[80];
    struct dht_addr addr;
    text_word(&play->text, word);
    snprintf(key, sizeof key, "%s.peer", word);
    const struct text_variable *peer = text_get(&play->text, key);
    if (peer != NULL && dht_addr_from_compact(peer->bytes, peer->len, &addr))
        return addr;
    if (!dht_addr_from_text(word, &addr))
        text_fail(&play->text, "no address or node: %s", word);
    return addr;
}

struct dht_id play_read_id(struct play *play)
{
    struct text_bytes bytes;
    struct dht_id id;
    text_string(&play->text, &bytes);
    if (bytes.len != sizeof id.bytes)
        text_fail(&play->text, "an id has 20 bytes, not %zu", bytes.len);
    memcpy(id.bytes, bytes.bytes, sizeof id.bytes);
    return id;
}

void play_set_part(struct play *play, const char *name, const char *part, const void *bytes,
                   size_t len)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", name, part);
    text_set(&play->text, key, bytes, len);
}

// The settings of `engine`, one word each.
const struct text_variable *play_part(struct play *play, const char *name, const char *part)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", name, part);
    const struct text_variable *variable = text_get(&play->text, key);
    if (variable == NULL)
        text_fail(&play->text, "no item %s", name);
    return variable;
}

struct dht_item play_item(struct play *play, const char *name)
{
    struct dht_item item = {.is_mutable = true};
    const struct text_variable *salt = play_part(play, name, "salt");
    const struct text_variable *value = play_part(play, name, "v");
    memcpy(item.key, play_part(play, name, "k")->bytes, sizeof item.key);
    memcpy(item.sig, play_part(play, name, "sig")->bytes, sizeof item.sig);
    memcpy(&item.seq, play_part(play, name, "seq")->bytes, sizeof item.seq);
    memcpy(item.target.bytes, play_part(play, name, "target")->bytes, sizeof item.target.bytes);
    item.salt = (struct dht_span){salt->bytes, salt->len};
    item.value = (struct dht_span){value->bytes, value->len};
    return item;
}
