// SPDX-License-Identifier: MIT
// Plays a dialogue against a real engine: runner FILE. The language is tests/dialogue/README.md.
// Every datagram that the engine emits also passes the strict decoder.
#include "dht/addr.h"
#include "dht/id.h"
#include "dht/krpc.h"
#include "tests/core/crypto_helper.h"
#include "tests/dialogue/play.h"

#include <stdlib.h>

// ---- the set-up ----

static bool set_number(struct play *play)
{
    struct dht_config *config = &play->config;
    const struct {
        const char *word;
        uint32_t *field;
    } numbers[] = {
        {"bucket_size=", &config->bucket_size},
        {"first_bucket_size=", &config->first_bucket_size},
        {"items_max=", &config->items_max},
        {"items_per_source=", &config->items_per_source_max},
        {"peers_max=", &config->peers_max},
        {"registrations_max=", &config->registrations_max},
        {"in_flight=", &config->in_flight},
        {"lookup_width=", &config->lookup_width},
        {"store_width=", &config->store_width},
        {"queries_max=", &config->queries_max},
        {"queries_per_source=", &config->queries_per_source},
        {"verifies_per_second=", &config->verifies_per_second},
        {"watches_max=", &config->watches_max},
        {"watchers_max=", &config->watchers_max},
        {"watchers_per_target=", &config->watchers_per_target_max},
        {"watchers_per_source=", &config->watchers_per_source_max},
        {"pushes_max=", &config->pushes_max},
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
            config->addr = play_read_addr(play);
        else if (text_take(text, "random_id"))
            memset(&config->id, 0, sizeof config->id);
        else if (text_take(text, "id="))
            config->id = play_read_id(play);
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
    dht_pair(play_engine(play), play->sibling);
}

// node NAME ADDRESS [id STRING | secure]
static void do_node(struct play *play)
{
    char name[64];
    uint8_t compact[DHT_ID_LEN + DHT_ADDR_COMPACT_MAX];
    struct dht_id id;
    text_word(&play->text, name);
    struct dht_addr addr = play_read_addr(play);
    memset(id.bytes, name[0], sizeof id.bytes);
    if (text_take(&play->text, "id"))
        id = play_read_id(play);
    if (text_take(&play->text, "secure")) {
        struct dht_id random = id;
        dht_id_make(&addr, random.bytes, &id);
    }
    memcpy(compact, id.bytes, sizeof id.bytes);
    size_t len = DHT_ID_LEN + dht_addr_to_compact(&addr, compact + DHT_ID_LEN);
    play_set_part(play, name, "id", compact, DHT_ID_LEN);
    play_set_part(play, name, "peer", compact + DHT_ID_LEN, len - DHT_ID_LEN);
    play_set_part(play, name, "node", compact, len);
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

static struct text_bytes read_value(struct play *play)
{
    struct text_bytes bytes = {0};
    text_bencode(&play->text, &bytes);
    return bytes;
}

// ---- what the engine is told ----

// send FROM MESSAGE
static void do_send(struct play *play)
{
    struct dht_addr from = play_read_addr(play);
    struct text_bytes message = read_value(play);
    play_receive(play, &from, message.bytes, message.len);
}

// wait N s|ms
static void do_wait(struct play *play)
{
    int64_t duration = text_int(&play->text);
    if (text_take(&play->text, "ms"))
        play_pass_time(play, duration * 1000);
    else if (text_take(&play->text, "s"))
        play_pass_time(play, duration * 1000000);
    else
        text_fail(&play->text, "s or ms is missing");
}

static void note_op(struct play *play, uint32_t op)
{
    assert(play->op_count < 64);
    play->op = op;
    play->ops[play->op_count++] = op;
    play_drain(play);
}

// get TARGET [salt STRING] [seq N] [settle N] [hold]
static void do_get(struct play *play)
{
    struct text_bytes salt = {0};
    struct dht_get get = {.target = play_read_id(play), .seq_known = DHT_SEQ_NONE};
    if (text_take(&play->text, "salt"))
        text_string(&play->text, &salt);
    if (text_take(&play->text, "seq"))
        get.seq_known = text_int(&play->text);
    if (text_take(&play->text, "settle"))
        get.settle = (uint32_t)text_int(&play->text);
    get.hold = text_take(&play->text, "hold");
    get.trace = text_take(&play->text, "trace");
    get.salt = (struct dht_span){salt.bytes, salt.len};
    note_op(play, dht_get(play_engine(play), play->now_us, &get));
}

// put ITEM [cas N] [held]
static void do_put(struct play *play)
{
    char name[64];
    int64_t cas = DHT_SEQ_NONE;
    text_word(&play->text, name);
    struct dht_item item = play_item(play, name);
    if (text_take(&play->text, "cas"))
        cas = text_int(&play->text);
    uint32_t held = text_take(&play->text, "held") ? play->op : 0;
    note_op(play, dht_put(play_engine(play), play->now_us, &item, cas, held));
}

// watch TARGET [peers] [since MS] [salt STRING] [seq N] [held] [poll]
static void do_watch(struct play *play)
{
    struct text_bytes salt = {0};
    struct dht_watch watch = {.target = play_read_id(play), .seq_known = DHT_SEQ_NONE};
    if (text_take(&play->text, "peers"))
        watch.kind = DHT_WATCH_PEERS;
    if (text_take(&play->text, "since"))
        watch.since_us = play->now_us - text_int(&play->text) * 1000;
    if (text_take(&play->text, "salt"))
        text_string(&play->text, &salt);
    if (text_take(&play->text, "seq"))
        watch.seq_known = text_int(&play->text);
    if (text_take(&play->text, "held"))
        watch.held_op = play->op;
    watch.poll_only = text_take(&play->text, "poll");
    watch.salt = (struct dht_span){salt.bytes, salt.len};
    note_op(play, dht_watch(play_engine(play), play->now_us, &watch));
}

static void do_find_node(struct play *play)
{
    struct dht_id target = play_read_id(play);
    note_op(play, dht_find_node(play_engine(play), play->now_us, &target, false));
}

static void do_get_peers(struct play *play)
{
    struct dht_id info_hash = play_read_id(play);
    note_op(play, dht_get_peers(play_engine(play), play->now_us, &info_hash, false));
}

static void do_announce(struct play *play)
{
    struct dht_id info_hash = play_read_id(play);
    uint16_t port = (uint16_t)text_int(&play->text);
    if (text_take(&play->text, "changed"))
        note_op(play, dht_announce_changed(play_engine(play), play->now_us, &info_hash, port));
    else
        note_op(play, dht_announce(play_engine(play), play->now_us, &info_hash, port));
}

static void do_ping(struct play *play)
{
    struct dht_addr addr = play_read_addr(play);
    note_op(play, dht_ping(play_engine(play), play->now_us, &addr));
}

// register INFOHASH DESCRIPTION [payload STRING] [refused]
static void do_register(struct play *play)
{
    struct text_bytes payload = {0};
    struct dht_registration registration = {.info_hash = play_read_id(play)};
    struct text_bytes description = read_value(play);
    if (text_take(&play->text, "payload"))
        text_string(&play->text, &payload);
    registration.description = (struct dht_span){description.bytes, description.len};
    registration.payload = (struct dht_span){payload.bytes, payload.len};
    if (dht_register(play_engine(play), &registration) == text_take(&play->text, "refused"))
        text_fail(&play->text, "it was registered, or refused");
}

static void do_unregister(struct play *play)
{
    struct dht_id info_hash = play_read_id(play);
    if (!dht_unregister(play_engine(play), &info_hash))
        text_fail(&play->text, "nothing was registered there");
}

// who NODE INFOHASH
static void do_who(struct play *play)
{
    struct dht_addr addr = play_read_addr(play);
    struct dht_id info_hash = play_read_id(play);
    note_op(play, dht_who(play_engine(play), play->now_us, &addr, &info_hash));
}

// cancel [N]
static void do_cancel(struct play *play)
{
    if (!text_at_end(&play->text)) {
        int64_t number = text_int(&play->text);
        if (number < 1 || (size_t)number > play->op_count)
            text_fail(&play->text, "no such operation");
        play->op = play->ops[number - 1];
    }
    dht_cancel(play_engine(play), play->op);
    play->holds_outputs = false;
    play_drain(play);
}

static void do_bootstrap(struct play *play)
{
    struct dht_addr addr = play_read_addr(play);
    dht_bootstrap(play_engine(play), play->now_us, &addr, 1);
    play_drain(play);
}

static void do_unreachable(struct play *play)
{
    struct dht_addr addr = play_read_addr(play);
    dht_unreachable(play_engine(play), play->now_us, &addr);
    play_drain(play);
}

// meet NODE...: each is pinged and answers, so that it stands in the routing table. From then on
// the engine's upkeep is answered out of sight.
static void do_meet(struct play *play)
{
    play->quiet = true;
    while (!text_at_end(&play->text)) {
        struct dht_krpc msg;
        struct dht_addr addr = play_read_addr(play);
        size_t before = play->pending_count;
        note_op(play, dht_ping(play_engine(play), play->now_us, &addr));
        bool parsed = play->pending_count == before + 1 &&
                      dht_krpc_parse(play->pending[before].out.datagram.bytes, &msg);
        assert(parsed);
        uint8_t tid[4];
        memcpy(tid, msg.tid.data, sizeof tid);
        play->pending_count = before;
        play->now_us += 20 * 1000;
        play_answer(play, &addr, play_id_at(play, &addr), tid);
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
    {"sign", item_sign},
    {"hash", item_hash},
    {"send", do_send},
    {"wait", do_wait},
    {"get", do_get},
    {"put", do_put},
    {"watch", do_watch},
    {"find_node", do_find_node},
    {"get_peers", do_get_peers},
    {"announce", do_announce},
    {"ping", do_ping},
    {"register", do_register},
    {"unregister", do_unregister},
    {"who", do_who},
    {"cancel", do_cancel},
    {"bootstrap", do_bootstrap},
    {"unreachable", do_unreachable},
    {"meet", do_meet},
    {"expect", expect_datagram},
    {"drop", expect_drop},
    {"event", expect_event},
    {"count", expect_count},
    {"contact", expect_contact},
    {"no_contact", expect_no_contact},
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
    play.pending = calloc(PLAY_PENDING_MAX, sizeof *play.pending);
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
