// SPDX-License-Identifier: MIT
// Plays a dialogue against a real engine: runner FILE. The language is tests/dialogue/README.md.
// Every datagram that the engine emits also passes the strict decoder.
#include "dht/addr.h"
#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"
#include "tests/dht/strict.h"
#include "tests/dialogue/text.h"

#include <stdlib.h>

#define PENDING_MAX 512

// What the engine has emitted and no statement has taken yet.
struct pending {
    struct dht_out out;
    uint8_t bytes[DHT_DATAGRAM_MAX]; // of a datagram, or salt and value of an item
    struct dht_addr peers[64];
};

struct play {
    struct text text;
    struct dht_config config;
    struct dht *dht;
    struct dht *sibling;
    int64_t now_us;
    uint32_t op;
    uint32_t ops[64]; // all that statements have started
    size_t op_count;
    bool loose; // the strict decoder is not asked
    bool quiet; // the engine's own upkeep is answered here, and no statement sees it
    bool answering;
    bool holds_outputs; // until `cancel`
    struct pending *pending;
    size_t pending_count;
};

// ---- the engine ----

static void keep(struct play *play, const struct dht_out *out)
{
    if (play->pending_count == PENDING_MAX)
        text_fail(&play->text, "too many outputs wait");
    struct pending *pending = &play->pending[play->pending_count++];
    pending->out = *out;
    if (out->type == DHT_OUT_DATAGRAM) {
        memcpy(pending->bytes, out->datagram.bytes.data, out->datagram.bytes.len);
        pending->out.datagram.bytes.data = pending->bytes;
    } else if (out->type == DHT_OUT_ITEM) {
        const struct dht_item *item = &out->found.item;
        memcpy(pending->bytes, item->value.data, item->value.len);
        pending->out.found.item.value.data = pending->bytes;
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

static void drain(struct play *play)
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

static struct dht *engine_of(struct play *play)
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

static void pass_time(struct play *play, int64_t duration_us)
{
    int64_t end_us = play->now_us + duration_us;
    struct dht *dht = engine_of(play);
    while (dht_deadline(dht) <= end_us) {
        if (dht_deadline(dht) > play->now_us)
            play->now_us = dht_deadline(dht);
        dht_tick(dht, play->now_us);
        drain(play);
    }
    play->now_us = end_us;
}

static void take_out(struct play *play, size_t index)
{
    memmove(play->pending + index, play->pending + index + 1,
            (play->pending_count - index - 1) * sizeof *play->pending);
    play->pending_count--;
    // The spans point into their own entries, which have moved.
    for (size_t i = index; i < play->pending_count; i++) {
        struct pending *pending = &play->pending[i];
        if (pending->out.type == DHT_OUT_DATAGRAM)
            pending->out.datagram.bytes.data = pending->bytes;
        if (pending->out.type == DHT_OUT_ITEM)
            pending->out.found.item.value.data = pending->bytes;
    }
}

static void receive(struct play *play, const struct dht_addr *from, const void *bytes, size_t len)
{
    struct dht_datagram datagram = {*from, {bytes, len}};
    dht_receive(engine_of(play), play->now_us, &datagram, 1);
    drain(play);
}

// ---- the engine's upkeep ----

// Whether it is a query that no statement has asked for.
static bool is_upkeep(const struct play *play, const struct dht_out *out, struct dht_krpc *ret_msg)
{
    if (out->type != DHT_OUT_DATAGRAM || !dht_krpc_parse(out->datagram.bytes, ret_msg) ||
        ret_msg->type != DHT_KRPC_QUERY)
        return false;
    for (size_t i = 0; i < play->op_count; i++)
        if (play->ops[i] == out->op)
            return false;
    return true;
}

// The id of the node at that address; NULL where the dialogue knows none.
static const uint8_t *id_at(const struct play *play, const struct dht_addr *addr)
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
static void answer(struct play *play, const struct dht_addr *from, const uint8_t *id,
                   const uint8_t *tid)
{
    uint8_t reply[64] = "d1:rd2:id20:....................e1:t4:....1:y1:re";
    size_t len = strlen((const char *)reply);
    memcpy(reply + 12, id, DHT_ID_LEN);
    memcpy(reply + 38, tid, 4);
    receive(play, from, reply, len);
}

static void take_out(struct play *play, size_t index);

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
        take_out(play, i);
        const uint8_t *id = id_at(play, &addr);
        if (id != NULL)
            answer(play, &addr, id, tid);
    }
    play->answering = false;
}

// ---- reading statements ----

static struct dht_addr read_addr(struct play *play)
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

static struct dht_id read_id(struct play *play)
{
    struct text_bytes bytes;
    struct dht_id id;
    text_string(&play->text, &bytes);
    if (bytes.len != sizeof id.bytes)
        text_fail(&play->text, "an id has 20 bytes, not %zu", bytes.len);
    memcpy(id.bytes, bytes.bytes, sizeof id.bytes);
    return id;
}

static void set_dotted(struct play *play, const char *name, const char *part, const void *bytes,
                       size_t len)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", name, part);
    text_set(&play->text, key, bytes, len);
}

// The settings of `engine`, one word each.
static bool set_number(struct play *play)
{
    struct dht_config *config = &play->config;
    const struct {
        const char *word;
        uint32_t *field;
    } numbers[] = {
        {"items_max=", &config->items_max},
        {"items_per_source=", &config->items_per_source_max},
        {"peers_max=", &config->peers_max},
        {"in_flight=", &config->in_flight},
        {"store_width=", &config->store_width},
        {"queries_max=", &config->queries_max},
        {"queries_per_source=", &config->queries_per_source},
        {"verifies_per_second=", &config->verifies_per_second},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (!text_take(&play->text, numbers[i].word))
            continue;
        *numbers[i].field = (uint32_t)text_int(&play->text);
        return true;
    }
    return false;
}

static void do_engine(struct play *play)
{
    struct text *text = &play->text;
    struct dht_config *config = &play->config;
    while (!text_at_end(text)) {
        if (text_take(text, "ipv6"))
            config->family = DHT_IPV6;
        else if (text_take(text, "lab"))
            config->lab = true;
        else if (text_take(text, "unlimited"))
            config->unlimited = true;
        else if (text_take(text, "auto"))
            config->role = DHT_ROLE_AUTO;
        else if (text_take(text, "client"))
            config->role = DHT_ROLE_CLIENT;
        else if (text_take(text, "addr="))
            config->addr = read_addr(play);
        else if (text_take(text, "random_id"))
            memset(&config->id, 0, sizeof config->id);
        else if (text_take(text, "id="))
            config->id = read_id(play);
        else if (!set_number(play))
            text_fail(text, "unknown setting: %s", text->at);
    }
    text_set(text, "me", config->id.bytes, sizeof config->id.bytes);
}

// An engine of the other family, paired; it takes no part but hands out its contacts.
static void do_sibling(struct play *play)
{
    static uint8_t seed[32] = {2};
    struct dht_config config = play->config;
    struct dht_crypto crypto = helper_crypto(NULL);
    config.family = config.family == DHT_IPV4 ? DHT_IPV6 : DHT_IPV4;
    config.addr = (struct dht_addr){0};
    play->sibling = dht_new(&config, &crypto, seed, play->now_us);
    dht_pair(engine_of(play), play->sibling);
}

// node NAME ADDRESS [id STRING | secure]
static void do_node(struct play *play)
{
    char name[64];
    uint8_t compact[DHT_ID_LEN + DHT_ADDR_COMPACT_MAX];
    struct dht_id id;
    text_word(&play->text, name);
    struct dht_addr addr = read_addr(play);
    memset(id.bytes, name[0], sizeof id.bytes);
    if (text_take(&play->text, "id"))
        id = read_id(play);
    memcpy(compact, id.bytes, sizeof id.bytes);
    size_t len = DHT_ID_LEN + dht_addr_to_compact(&addr, compact + DHT_ID_LEN);
    set_dotted(play, name, "id", compact, DHT_ID_LEN);
    set_dotted(play, name, "peer", compact + DHT_ID_LEN, len - DHT_ID_LEN);
    set_dotted(play, name, "node", compact, len);
}

// let NAME STRING
static void do_let(struct play *play)
{
    char name[64];
    struct text_bytes bytes;
    text_word(&play->text, name);
    text_string(&play->text, &bytes);
    text_set(&play->text, name, bytes.bytes, bytes.len);
}

// ---- items ----

static struct text_bytes read_value(struct play *play)
{
    struct text_bytes bytes = {0};
    text_bencode(&play->text, &bytes);
    return bytes;
}

// sign NAME [key N] [salt STRING] seq N v VALUE: sets NAME.k .sig .v .target .salt; .v is bencoded.
static void do_sign(struct play *play)
{
    char name[64];
    uint8_t secret[32] = {7};
    uint8_t key[32];
    size_t key_len = sizeof key;
    uint8_t sig[64];
    uint8_t target[20];
    struct text_bytes salt = {0};
    char head[40];
    text_word(&play->text, name);
    if (text_take(&play->text, "key"))
        secret[1] = (uint8_t)text_int(&play->text);
    if (text_take(&play->text, "salt"))
        text_string(&play->text, &salt);
    if (!text_take(&play->text, "seq"))
        text_fail(&play->text, "seq is missing");
    int64_t seq = text_int(&play->text);
    if (!text_take(&play->text, "v"))
        text_fail(&play->text, "v is missing");
    struct text_bytes value = read_value(play);

    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, 32);
    assert(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, key, &key_len) == 1);
    EVP_PKEY_free(pkey);
    // BEP 44's text, put together by hand: the engine's own function is what is under test.
    struct text_bytes signed_text = {0};
    if (salt.len > 0) {
        int len = snprintf(head, sizeof head, "4:salt%zu:", salt.len);
        memcpy(signed_text.bytes, head, (size_t)len);
        memcpy(signed_text.bytes + len, salt.bytes, salt.len);
        signed_text.len = (size_t)len + salt.len;
    }
    int len = snprintf(head, sizeof head, "3:seqi%llde1:v", (long long)seq);
    memcpy(signed_text.bytes + signed_text.len, head, (size_t)len);
    signed_text.len += (size_t)len;
    memcpy(signed_text.bytes + signed_text.len, value.bytes, value.len);
    signed_text.len += value.len;
    bool good =
        helper_sign(secret, key, (struct dht_span){signed_text.bytes, signed_text.len}, sig);
    assert(good);
    struct dht_span parts[2] = {{key, sizeof key}, {salt.bytes, salt.len}};
    helper_sha1(NULL, parts, 2, target);
    set_dotted(play, name, "k", key, sizeof key);
    set_dotted(play, name, "sig", sig, sizeof sig);
    set_dotted(play, name, "v", value.bytes, value.len);
    set_dotted(play, name, "salt", salt.bytes, salt.len);
    set_dotted(play, name, "target", target, sizeof target);
    set_dotted(play, name, "seq", &seq, sizeof seq);
}

// hash NAME VALUE: the target of an immutable item, as NAME; its bencoded text as NAME.v.
static void do_hash(struct play *play)
{
    char name[64];
    uint8_t target[20];
    text_word(&play->text, name);
    struct text_bytes value = read_value(play);
    struct dht_span part = {value.bytes, value.len};
    helper_sha1(NULL, &part, 1, target);
    text_set(&play->text, name, target, sizeof target);
    set_dotted(play, name, "v", value.bytes, value.len);
}

static const struct text_variable *part_of(struct play *play, const char *name, const char *part)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", name, part);
    const struct text_variable *variable = text_get(&play->text, key);
    if (variable == NULL)
        text_fail(&play->text, "no item %s", name);
    return variable;
}

static struct dht_item item_of(struct play *play, const char *name)
{
    struct dht_item item = {.is_mutable = true};
    const struct text_variable *salt = part_of(play, name, "salt");
    const struct text_variable *value = part_of(play, name, "v");
    memcpy(item.key, part_of(play, name, "k")->bytes, sizeof item.key);
    memcpy(item.sig, part_of(play, name, "sig")->bytes, sizeof item.sig);
    memcpy(&item.seq, part_of(play, name, "seq")->bytes, sizeof item.seq);
    memcpy(item.target.bytes, part_of(play, name, "target")->bytes, sizeof item.target.bytes);
    item.salt = (struct dht_span){salt->bytes, salt->len};
    item.value = (struct dht_span){value->bytes, value->len};
    return item;
}

// ---- what the engine is told ----

// send FROM MESSAGE
static void do_send(struct play *play)
{
    struct dht_addr from = read_addr(play);
    struct text_bytes message = read_value(play);
    receive(play, &from, message.bytes, message.len);
}

// wait N s|ms
static void do_wait(struct play *play)
{
    int64_t duration = text_int(&play->text);
    if (text_take(&play->text, "ms"))
        pass_time(play, duration * 1000);
    else if (text_take(&play->text, "s"))
        pass_time(play, duration * 1000000);
    else
        text_fail(&play->text, "s or ms is missing");
}

static void note_op(struct play *play, uint32_t op)
{
    assert(play->op_count < 64);
    play->op = op;
    play->ops[play->op_count++] = op;
    drain(play);
}

// get TARGET [salt STRING] [seq N] [settle N] [hold]
static void do_get(struct play *play)
{
    struct text_bytes salt = {0};
    struct dht_get get = {.target = read_id(play), .seq_known = DHT_SEQ_NONE};
    if (text_take(&play->text, "salt"))
        text_string(&play->text, &salt);
    if (text_take(&play->text, "seq"))
        get.seq_known = text_int(&play->text);
    if (text_take(&play->text, "settle"))
        get.settle = (uint32_t)text_int(&play->text);
    get.hold = text_take(&play->text, "hold");
    get.trace = text_take(&play->text, "trace");
    get.salt = (struct dht_span){salt.bytes, salt.len};
    note_op(play, dht_get(engine_of(play), play->now_us, &get));
}

// put ITEM [cas N] [held]
static void do_put(struct play *play)
{
    char name[64];
    int64_t cas = DHT_SEQ_NONE;
    text_word(&play->text, name);
    struct dht_item item = item_of(play, name);
    if (text_take(&play->text, "cas"))
        cas = text_int(&play->text);
    uint32_t held = text_take(&play->text, "held") ? play->op : 0;
    note_op(play, dht_put(engine_of(play), play->now_us, &item, cas, held));
}

static void do_find_node(struct play *play)
{
    struct dht_id target = read_id(play);
    note_op(play, dht_find_node(engine_of(play), play->now_us, &target, false));
}

static void do_get_peers(struct play *play)
{
    struct dht_id info_hash = read_id(play);
    note_op(play, dht_get_peers(engine_of(play), play->now_us, &info_hash, false));
}

static void do_announce(struct play *play)
{
    struct dht_id info_hash = read_id(play);
    uint16_t port = (uint16_t)text_int(&play->text);
    note_op(play, dht_announce(engine_of(play), play->now_us, &info_hash, port));
}

static void do_ping(struct play *play)
{
    struct dht_addr addr = read_addr(play);
    note_op(play, dht_ping(engine_of(play), play->now_us, &addr));
}

static void do_cancel(struct play *play)
{
    dht_cancel(engine_of(play), play->op);
    play->holds_outputs = false;
    drain(play);
}

static void do_bootstrap(struct play *play)
{
    struct dht_addr addr = read_addr(play);
    dht_bootstrap(engine_of(play), play->now_us, &addr, 1);
    drain(play);
}

static void do_unreachable(struct play *play)
{
    struct dht_addr addr = read_addr(play);
    dht_unreachable(engine_of(play), play->now_us, &addr);
    drain(play);
}

// meet NODE...: each is pinged and answers, so that it stands in the routing table. From then on
// the engine's upkeep is answered out of sight.
static void do_meet(struct play *play)
{
    play->quiet = true;
    while (!text_at_end(&play->text)) {
        struct dht_krpc msg;
        struct dht_addr addr = read_addr(play);
        size_t before = play->pending_count;
        note_op(play, dht_ping(engine_of(play), play->now_us, &addr));
        bool parsed = play->pending_count == before + 1 &&
                      dht_krpc_parse(play->pending[before].out.datagram.bytes, &msg);
        assert(parsed);
        uint8_t tid[4];
        memcpy(tid, msg.tid.data, sizeof tid);
        play->pending_count = before;
        play->now_us += 20 * 1000;
        answer(play, &addr, id_at(play, &addr), tid);
        play->pending_count = before; // the event of the ping
        play->op_count--;
    }
}

static void do_hold_outputs(struct play *play)
{
    play->holds_outputs = true;
}

static void do_loud(struct play *play)
{
    play->quiet = false;
}

// ---- what is expected of the engine ----

static void show_pending(const struct play *play)
{
    for (size_t i = 0; i < play->pending_count; i++) {
        const struct dht_out *out = &play->pending[i].out;
        char addr[DHT_ADDR_TEXT_MAX];
        if (out->type != DHT_OUT_DATAGRAM) {
            fprintf(stderr, "  waits: event of type %d\n", (int)out->type);
            continue;
        }
        dht_addr_to_text(&out->datagram.addr, addr);
        fprintf(stderr, "  waits: to %s ", addr);
        text_print(out->datagram.bytes);
        fputc('\n', stderr);
    }
}

// The first datagram to that address.
static size_t find_datagram(const struct play *play, const struct dht_addr *to)
{
    size_t index = 0;
    while (index < play->pending_count &&
           (play->pending[index].out.type != DHT_OUT_DATAGRAM ||
            !dht_addr_equal(&play->pending[index].out.datagram.addr, to)))
        index++;
    return index;
}

static void expect_nothing(struct play *play)
{
    if (play->pending_count == 0)
        return;
    show_pending(play);
    text_fail(&play->text, "nothing was expected");
}

// expect nothing | expect TO PATTERN | expect TO size N..M PATTERN
static void do_expect(struct play *play)
{
    char reason[160];
    if (text_take(&play->text, "nothing")) {
        expect_nothing(play);
        return;
    }
    struct dht_addr to = read_addr(play);
    size_t index = find_datagram(play, &to);
    if (index == play->pending_count) {
        show_pending(play);
        text_fail(&play->text, "no datagram to it");
    }
    struct dht_span bytes = play->pending[index].out.datagram.bytes;
    if (text_take(&play->text, "at_most") && bytes.len > (size_t)text_int(&play->text))
        text_fail(&play->text, "%zu bytes are too many", bytes.len);
    if (!text_match(&play->text, bytes, reason)) {
        show_pending(play);
        text_fail(&play->text, "%s", reason);
    }
    take_out(play, index);
}

// drop [TO]: what waits (for that address) is not looked at.
static void do_drop(struct play *play)
{
    if (text_at_end(&play->text)) {
        play->pending_count = 0;
        return;
    }
    struct dht_addr to = read_addr(play);
    size_t index = find_datagram(play, &to);
    if (index == play->pending_count)
        text_fail(&play->text, "no datagram to it");
    take_out(play, index);
}

static bool is_tally(const struct dht_tally *tally, const char *word, uint32_t *ret_value)
{
    const struct {
        const char *word;
        uint32_t value;
    } counts[] = {
        {"asked=", tally->asked},   {"answered=", tally->answered}, {"hops=", tally->hops},
        {"copies=", tally->copies}, {"others=", tally->others},     {"targets=", tally->targets},
        {"stored=", tally->stored}, {"refused=", tally->refused},
    };
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (strcmp(counts[i].word, word) != 0)
            continue;
        *ret_value = counts[i].value;
        return true;
    }
    return false;
}

static void match_done(struct play *play, const struct dht_out *out)
{
    static const char *const words[] = {
        "asked=", "answered=", "hops=", "copies=", "others=", "targets=", "stored=", "refused="};
    struct text *text = &play->text;
    if (text_take(text, "early") != out->done.ended_early)
        text_fail(text, "ended early: %d", out->done.ended_early);
    if (text_take(text, "failed") && out->done.rtt_us != -1)
        text_fail(text, "it did not fail");
    while (!text_at_end(text)) {
        size_t i = 0;
        uint32_t value = 0;
        while (i < sizeof words / sizeof words[0] && !text_take(text, words[i]))
            i++;
        if (i == sizeof words / sizeof words[0] || !is_tally(&out->done.tally, words[i], &value))
            text_fail(text, "unknown count: %s", text->at);
        if (text_int(text) != value)
            text_fail(text, "%s%u", words[i], value);
    }
}

static void match_item(struct play *play, const struct dht_out *out)
{
    char reason[160];
    const struct dht_item *item = &out->found.item;
    if (text_take(&play->text, "seq") && text_int(&play->text) != item->seq)
        text_fail(&play->text, "seq %lld", (long long)item->seq);
    if (text_take(&play->text, "v") && !text_match(&play->text, item->value, reason))
        text_fail(&play->text, "%s", reason);
}

static void match_addr(struct play *play, const struct dht_addr *addr)
{
    char text[DHT_ADDR_TEXT_MAX];
    struct dht_addr wanted = read_addr(play);
    dht_addr_to_text(addr, text);
    if (!dht_addr_equal(&wanted, addr))
        text_fail(&play->text, "address %s", text);
}

static void match_peers(struct play *play, const struct pending *pending)
{
    size_t count = 0;
    while (!text_at_end(&play->text) && count < pending->out.peers.count)
        match_addr(play, &pending->peers[count++]);
    if (!text_at_end(&play->text) || count != pending->out.peers.count)
        text_fail(&play->text, "%zu peers", pending->out.peers.count);
}

static const char *const event_names[] = {
    [DHT_OUT_DATAGRAM] = "datagram", [DHT_OUT_ITEM] = "item",       [DHT_OUT_PEERS] = "peers",
    [DHT_OUT_HOP] = "hop",           [DHT_OUT_REFUSED] = "refused", [DHT_OUT_DONE] = "done",
    [DHT_OUT_ADDRESS] = "address",   [DHT_OUT_ROLE] = "role",       [DHT_OUT_ID] = "id",
};

static void match_event(struct play *play, const struct pending *pending)
{
    static const char *const hops[] = {"answered", "found", "error", "silent"};
    struct text *text = &play->text;
    const struct dht_out *out = &pending->out;
    if (out->type == DHT_OUT_DONE) {
        match_done(play, out);
    } else if (out->type == DHT_OUT_ITEM) {
        match_item(play, out);
    } else if (out->type == DHT_OUT_PEERS) {
        match_peers(play, pending);
    } else if (out->type == DHT_OUT_ADDRESS) {
        match_addr(play, &out->addr);
    } else if (out->type == DHT_OUT_REFUSED) {
        match_addr(play, &out->refused.addr);
        if (text_int(text) != out->refused.code)
            text_fail(text, "code %d", (int)out->refused.code);
    } else if (out->type == DHT_OUT_ROLE) {
        if (!text_take(text, out->role == DHT_ROLE_SERVER ? "server" : "client"))
            text_fail(text, "another role");
    } else if (out->type == DHT_OUT_ID) {
        text_set(text, "me", out->id.bytes, sizeof out->id.bytes);
    } else if (out->type == DHT_OUT_HOP) {
        match_addr(play, &out->hop.addr);
        if (!text_take(text, hops[out->hop.result]))
            text_fail(text, "the hop was %s", hops[out->hop.result]);
    }
}

// event nothing | event KIND ...: the oldest event that waits is of that kind.
static void do_event(struct play *play)
{
    size_t index = 0;
    while (index < play->pending_count && play->pending[index].out.type == DHT_OUT_DATAGRAM)
        index++;
    if (text_take(&play->text, "nothing")) {
        if (index < play->pending_count)
            text_fail(&play->text, "%s waits", event_names[play->pending[index].out.type]);
        return;
    }
    if (index == play->pending_count)
        text_fail(&play->text, "no event waits");
    const char *name = event_names[play->pending[index].out.type];
    if (!text_take(&play->text, name))
        text_fail(&play->text, "%s came", name);
    match_event(play, &play->pending[index]);
    take_out(play, index);
}

// count NAME N: a counter of the engine, or `contacts`, `items`, `ops`, `queries`, `peers`.
static void do_count(struct play *play)
{
    char name[64];
    struct dht_info info;
    text_word(&play->text, name);
    int64_t wanted = text_int(&play->text);
    dht_info(engine_of(play), &info);
    const struct {
        const char *name;
        uint64_t value;
    } values[] = {
#define COUNTER_ROW(counter, meaning) {#counter, info.counters.counter},
        DHT_COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
            {"contacts", info.contacts},
        {"items", info.items},
        {"ops", info.ops},
        {"queries", info.queries},
        {"peers", info.peers},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        if (strcmp(values[i].name, name) != 0)
            continue;
        if (values[i].value != (uint64_t)wanted)
            text_fail(&play->text, "%s is %llu", name, (unsigned long long)values[i].value);
        return;
    }
    text_fail(&play->text, "no counter %s", name);
}

// contact NODE | no_contact NODE
static bool has_contact(struct play *play)
{
    struct dht_contact_info contacts[64];
    char name[64];
    struct text reader = play->text;
    text_word(&reader, name);
    struct dht_addr addr = read_addr(play);
    size_t count = dht_contacts(engine_of(play), contacts, 64);
    for (size_t i = 0; i < count; i++)
        if (dht_addr_equal(&contacts[i].addr, &addr) &&
            memcmp(contacts[i].id.bytes, part_of(play, name, "id")->bytes, DHT_ID_LEN) == 0)
            return true;
    return false;
}

static void do_contact(struct play *play)
{
    if (!has_contact(play))
        text_fail(&play->text, "not in the table");
}

static void do_no_contact(struct play *play)
{
    if (has_contact(play))
        text_fail(&play->text, "in the table");
}

static void do_loose(struct play *play)
{
    play->loose = true;
}

static const struct {
    const char *word;
    void (*run)(struct play *play);
} statements[] = {
    {"engine", do_engine},
    {"sibling", do_sibling},
    {"node", do_node},
    {"let", do_let},
    {"sign", do_sign},
    {"hash", do_hash},
    {"send", do_send},
    {"wait", do_wait},
    {"get", do_get},
    {"put", do_put},
    {"find_node", do_find_node},
    {"get_peers", do_get_peers},
    {"announce", do_announce},
    {"ping", do_ping},
    {"cancel", do_cancel},
    {"bootstrap", do_bootstrap},
    {"unreachable", do_unreachable},
    {"meet", do_meet},
    {"expect", do_expect},
    {"drop", do_drop},
    {"event", do_event},
    {"count", do_count},
    {"contact", do_contact},
    {"no_contact", do_no_contact},
    {"loose", do_loose},
    {"loud", do_loud},
    {"hold_outputs", do_hold_outputs},
};

static void run_statement(struct play *play, const char *statement)
{
    char word[64];
    size_t len = strcspn(statement, " \n");
    play->text.at = statement + len;
    snprintf(word, sizeof word, "%.*s", (int)(len < 63 ? len : 63), statement);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++) {
        if (strcmp(statements[i].word, word) != 0)
            continue;
        statements[i].run(play);
        if (!text_at_end(&play->text))
            text_fail(&play->text, "more than '%s' wants: %s", word, play->text.at);
        return;
    }
    text_fail(&play->text, "unknown statement '%s'", word);
}

// ---- the file ----

// A statement goes on over the indented lines after it.
static void run_file(struct play *play, FILE *file)
{
    static char statement[16384];
    static char line[8192];
    int number = 0;
    statement[0] = '\0';
    for (bool more = true; more;) {
        more = fgets(line, sizeof line, file) != NULL;
        number++;
        if (more && (line[0] == '#' || strspn(line, " \n") == strlen(line)))
            continue;
        if (more && line[0] == ' ') {
            strncat(statement, line, sizeof statement - strlen(statement) - 1);
            continue;
        }
        if (statement[0] != '\0')
            run_statement(play, statement);
        play->text.line = number;
        snprintf(statement, sizeof statement, "%s", line);
    }
}

int main(int argc, char **argv)
{
    struct play play = {.now_us = INT64_C(1000000000)};
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    if (file == NULL) {
        fprintf(stderr, "usage: runner FILE\n");
        return 2;
    }
    text_init(&play.text, argv[1]);
    play.pending = calloc(PENDING_MAX, sizeof *play.pending);
    dht_config_init(&play.config, DHT_IPV4);
    play.config.role = DHT_ROLE_SERVER;
    memcpy(play.config.id.bytes, "MMMMMMMMMMMMMMMMMMMM", DHT_ID_LEN);
    text_set(&play.text, "me", play.config.id.bytes, DHT_ID_LEN);
    run_file(&play, file);
    expect_nothing(&play);
    fclose(file);
    dht_free(play.dht);
    dht_free(play.sibling);
    free(play.pending);
    text_fini(&play.text);
    return 0;
}
