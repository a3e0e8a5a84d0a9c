// SPDX-License-Identifier: MIT
// What fires, told to clients that watch a name: whole brains in virtual time.
#include "node/core/watch.h"
#include "tests/core/watch_helper.h"

#include <stdlib.h>

#define PUBLISHER        3
#define SECOND_PUBLISHER 5 // another machine with the same key
#define WATCHER          8
#define LONG             (4 * HOUR) // longer than an entry is signed for

static struct brains brains;
static uint8_t key[32];

static void begin(uint64_t seed)
{
    uint8_t same[32];
    memset(&brains, 0, sizeof brains);
    brains_init(&brains, 16, seed);
    brains_add_key(&brains, PUBLISHER, "alice", 7, key);
    brains_add_key(&brains, SECOND_PUBLISHER, "alice", 7, same);
    brains_run(&brains, 30 * SECOND);
}

// ---- asking ----

struct known {
    const struct core_mark_identity *identities;
    size_t count;
    const char *name;
    const char *criteria; // NULL: left out
};

static void write_watch(struct dht_bencode_writer *writer, const void *ctx)
{
    const struct known *known = ctx;
    if (known->criteria != NULL) {
        dht_bencode_put_text(writer, CONTROL_KEY_CRITERIA);
        dht_bencode_put_text(writer, known->criteria);
    }
    if (known->identities != NULL) {
        dht_bencode_put_text(writer, CONTROL_KEY_KNOWN);
        dht_bencode_open_list(writer);
        for (size_t i = 0; i < known->count; i++) {
            dht_bencode_open_dict(writer);
            dht_bencode_pair_string(writer, CONTROL_KEY_MARK, known->identities[i].mark,
                                    CORE_MARK_LEN);
            dht_bencode_pair_string(writer, CONTROL_KEY_PUBLISHER, known->identities[i].publisher,
                                    CORE_PUBLISHER_LEN);
            dht_bencode_end(writer);
        }
        dht_bencode_end(writer);
    }
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, known->name);
}

static uint32_t watch_known(size_t node, const char *name, const struct known *from)
{
    struct known known = from != NULL ? *from : (struct known){0};
    known.name = name;
    return brains_ask(&brains, node, "watch", write_watch, &known);
}

static uint32_t watch(size_t node, const char *name)
{
    return watch_known(node, name, NULL);
}

// ---- what came ----

static void read_identity(const struct brains_answer *answer, struct core_mark_identity *ret)
{
    struct dht_span mark;
    struct dht_span publisher;
    assert_true(control_fields_string(helper_fields(answer), CONTROL_KEY_MARK, &mark));
    assert_true(control_fields_string(helper_fields(answer), CONTROL_KEY_PUBLISHER, &publisher));
    assert_int_equal(mark.len, CORE_MARK_LEN);
    assert_int_equal(publisher.len, CORE_PUBLISHER_LEN);
    memcpy(ret->mark, mark.data, mark.len);
    memcpy(ret->publisher, publisher.data, publisher.len);
}

static const char *told(size_t node, uint32_t id)
{
    return helper_told(&brains, node, id);
}

// ---- what fires ----

struct row {
    const char *name;
    const char *script; // see step()
    const char *told;
};

static const struct row rows[] = {
    {"nothing there", "W", "w"},
    {"first results", "P1W", "+1000 w"},
    {"two publishers at first", "P1Q2W", "+1000 +2000 w"},
    {"appears", "WP1", "w +1000"},
    {"other content", "P1WP2", "+1000 w ~2000"},
    {"the same content again", "P1WP1", "+1000 w"},
    {"renewed for hours", "P1WTT", "+1000 w"},
    {"withdrawn", "P1WU", "+1000 w -"},
    {"withdrawn, published again", "P1WUP1", "+1000 w - +1000"},
    {"second publisher", "P1WQ2", "+1000 w +2000"},
    {"second publisher goes", "P1Q2WV", "+1000 +2000 w -"},
    {"only one of two changes", "P1Q2WQ3", "+1000 +2000 w ~3000"},
    {"publisher dies", "P1WKT", "+1000 w -"},
    {"one of two dies", "P1Q2WKT", "+1000 +2000 w -"},
    {"dies and comes back", "P1WKTSR", "+1000 w - +1000"},
    {"by the key's hash", "P1HP2U", "+1000 w ~2000 -"},
    {"by a hash that is unknown at first", "HRP1R", "w +1000"},
    {"at home", "P1LP2UP3", "+1000 w ~2000 - +3000"},
    {"at home by label", "P1AP2", "+1000 w ~2000"},
    {"at home, of two", "P1Q2LQ3P4", "+1000 +2000 w ~3000 ~4000"},
    {"our network changes", "P1WNP2N", "+1000 w ~2000"},
};

static const char *hex_name(void)
{
    static char text[64];
    struct dht_crypto crypto = helper_crypto(NULL);
    uint8_t hash[DHT_ID_LEN];
    core_name_key_hash(&crypto, key, hash);
    for (size_t i = 0; i < DHT_ID_LEN; i++)
        sprintf(text + 2 * i, "%02x", hash[i]);
    strcat(text, ".web");
    return text;
}

// Does what a letter says: P and Q publish at a port of so many thousands, U and V withdraw, of the
// two publishers. Returns what is behind it.
static const char *change(const char *at)
{
    size_t node = *at == 'P' || *at == 'U' ? PUBLISHER : SECOND_PUBLISHER;
    if (*at == 'P' || *at == 'Q') {
        uint16_t port = (uint16_t)((at[1] - '0') * 1000);
        assert_int_equal(helper_publish(&brains, node, "alice.web", port), 0);
        return at + 2;
    }
    assert_int_equal(helper_unpublish(&brains, node, "alice.web"), 0);
    return at + 1;
}

// Begins to watch as a letter says: from elsewhere by key or hash, or at home by key or label.
static void begin_watch(char what, size_t *ret_node, uint32_t *ret_id)
{
    const char *name = helper_name(key, ".web");
    if (what == 'H')
        name = hex_name();
    if (what == 'A')
        name = "alice.web";
    *ret_node = what == 'L' || what == 'A' ? PUBLISHER : WATCHER;
    *ret_id = watch(*ret_node, name);
}

// One step of a script; returns what is behind it. K and S kill and start the publisher, N is a
// change of the watcher's network, R and T let time pass.
static const char *step(const char *at, size_t *inout_node, uint32_t *inout_id)
{
    char what = *at;
    if (strchr("PQUV", what) != NULL)
        at = change(at);
    else
        at++;
    if (strchr("WHLA", what) != NULL)
        begin_watch(what, inout_node, inout_id);
    if (what == 'K')
        brains_kill(&brains, PUBLISHER);
    if (what == 'S')
        brains_start(&brains, PUBLISHER);
    if (what == 'N')
        node_network_changed(brains.nodes[*inout_node], brains.now_us);
    brains_run(&brains, what == 'T' ? LONG : what == 'R' ? 10 * MINUTE : 90 * SECOND);
    return at;
}

static void test_what_fires(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = rows[i].script;
        size_t node = 0;
        uint32_t id = 0;
        begin(200 + i);
        while (*at != '\0')
            at = step(at, &node, &id);
        if (strcmp(told(node, id), rows[i].told) != 0)
            fail_msg("%s: %s", rows[i].name, told(node, id));
        brains_fini(&brains);
    }
}

// Changes are pushed: nobody waits for the next poll.
static void test_pushed(void **state)
{
    static const struct {
        const char *name;
        const char *script; // one change
        const char *told;
    } changes[] = {
        {"other content", "P2", "+1000 w ~2000"},
        {"second publisher", "Q3", "+1000 w ~2000 +3000"},
        {"second publisher goes", "V", "+1000 w ~2000 +3000 -"},
        {"withdrawn", "U", "+1000 w ~2000 +3000 - -"},
    };
    (void)state;
    begin(350);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    uint32_t id = watch(WATCHER, helper_name(key, ".web"));
    brains_run(&brains, MINUTE);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        change(changes[i].script);
        brains_run(&brains, 2 * SECOND);
        if (strcmp(told(WATCHER, id), changes[i].told) != 0)
            fail_msg("%s: %s", changes[i].name, told(WATCHER, id));
    }
    brains_fini(&brains);
}

// ---- what the client knows already ----

struct known_row {
    const char *name;
    const char *script; // before the name is watched
    bool is_known[2];   // whether the client knows each publisher, as first published
    const char *told;
    const char *told_home; // where the first publishes; NULL: the same
};

static const struct known_row known_rows[] = {
    {"all of it", "P1Q2", {true, true}, "w", NULL},
    {"one that has changed", "P3Q2", {true, true}, "~3000 w", NULL},
    {"one that has gone", "P1Q2U", {true, true}, "- w", NULL},
    {"one that came", "P1Q2", {false, true}, "+1000 w", NULL},
    {"both gone", "P1Q2UV", {true, true}, "- - w", NULL},
    {"one for another", "P1Q2V", {false, true}, "- +1000 w", "+1000 - w"},
};

static size_t resolve_identities(struct core_mark_identity ret[2])
{
    uint32_t id = brains_resolve(&brains, WATCHER, helper_name(key, ".web"), "all");
    assert_int_equal(helper_end(&brains, WATCHER, id), 0);
    size_t count = brains_count(&brains, WATCHER, id, CONTROL_ANSWER_RESULT);
    for (size_t i = 0; i < count; i++) {
        const struct brains_answer *answer =
            brains_answer(&brains, WATCHER, id, CONTROL_ANSWER_RESULT, i);
        read_identity(answer, &ret[helper_port(answer) == 1000 ? 0 : 1]);
    }
    return count;
}

static void test_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known_rows / sizeof known_rows[0]; i++) {
        const struct known_row *row = &known_rows[i];
        struct core_mark_identity all[2];
        struct core_mark_identity some[2];
        struct known known = {.identities = some};
        size_t node = 0;
        uint32_t id = 0;
        begin(300 + i);
        for (const char *at = "P1Q2"; *at != '\0';)
            at = step(at, &node, &id);
        assert_int_equal(resolve_identities(all), 2);
        for (size_t j = 0; j < 2; j++)
            if (row->is_known[j])
                some[known.count++] = all[j];
        for (const char *at = row->script; *at != '\0';)
            at = step(at, &node, &id);
        for (size_t home = 0; home < 2; home++) {
            node = home == 0 ? WATCHER : PUBLISHER;
            id = watch_known(node, helper_name(key, ".web"), &known);
            brains_run(&brains, MINUTE);
            // At home, what is published there is told before anything is known of the others.
            const char *expected = home == 1 && row->told_home != NULL ? row->told_home : row->told;
            if (strcmp(told(node, id), expected) != 0)
                fail_msg("%s: %s", row->name, told(node, id));
        }
        brains_fini(&brains);
    }
}

// ---- who is wanted ----

// A machine that publishes with others under one key, and watches, hears of the others alone, where
// that is what it wants. Nobody has registered anything, so nobody is of its own process.
static void test_criteria(void **state)
{
    static const struct {
        const char *criteria;
        bool knows; // itself, from before
        const char *told;
    } wants[] = {
        {NULL, false, "+1000 +2000 w ~3000 -"},
        {"nearest-peer-name", false, "+1000 +2000 w ~3000 -"},
        {"default", false, "+1000 +2000 w ~3000 -"},
        {"remote-peer-name", false, "+2000 w -"},
        {"nearest-remote-peer-name", false, "+2000 w -"},
        {NULL, true, "+2000 w ~3000 -"},
        {"remote-peer-name", true, "+2000 - w -"}, // not there, to whom wants no such one
    };
    enum { WANTS = sizeof wants / sizeof wants[0] };
    uint32_t ids[WANTS];
    struct core_mark_identity own;
    (void)state;
    begin(420);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    uint32_t first = brains_resolve(&brains, PUBLISHER, helper_name(key, ".web"), "settled");
    assert_int_equal(helper_end(&brains, PUBLISHER, first), 0);
    read_identity(brains_answer(&brains, PUBLISHER, first, CONTROL_ANSWER_RESULT, 0), &own);
    assert_int_equal(helper_publish(&brains, SECOND_PUBLISHER, "alice.web", 2000), 0);
    brains_run(&brains, 2 * MINUTE);
    for (size_t i = 0; i < WANTS; i++) {
        struct known known = {
            .identities = wants[i].knows ? &own : NULL, .count = 1, .criteria = wants[i].criteria};
        ids[i] = watch_known(PUBLISHER, helper_name(key, ".web"), &known);
    }
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 3000), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_unpublish(&brains, SECOND_PUBLISHER, "alice.web"), 0);
    brains_run(&brains, 2 * MINUTE);
    for (size_t i = 0; i < WANTS; i++)
        if (strcmp(told(PUBLISHER, ids[i]), wants[i].told) != 0)
            fail_msg("%s%s: %s", wants[i].criteria != NULL ? wants[i].criteria : "none",
                     wants[i].knows ? ", known" : "", told(PUBLISHER, ids[i]));
    brains_fini(&brains);
}

// ---- arguments that make no sense ----

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        const char *arguments;
        int code;
    } refusals[] = {
        {"no name", "", CONTROL_ERROR_USAGE},
        {"no such label", "4:name3:bob", CONTROL_ERROR_NOT_FOUND},
        {"odd criteria", "8:criteria3:odd4:name5:alice", CONTROL_ERROR_USAGE},
        {"criteria are no text", "8:criteriai1e4:name5:alice", CONTROL_ERROR_USAGE},
        {"known is no list", "5:knowni1e4:name5:alice", CONTROL_ERROR_USAGE},
        {"known of numbers", "5:knownli1ee4:name5:alice", CONTROL_ERROR_USAGE},
        {"short mark", "5:knownld4:mark2:ab9:publisher16:0123456789abcdefee4:name5:alice",
         CONTROL_ERROR_USAGE},
        {"no publisher", "5:knownld4:mark8:01234567ee4:name5:alice", CONTROL_ERROR_USAGE},
    };
    (void)state;
    begin(400);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        uint32_t id = brains_ask(&brains, PUBLISHER, "watch", write_raw, refusals[i].arguments);
        int code = helper_end(&brains, PUBLISHER, id);
        if (code != refusals[i].code)
            fail_msg("%s: %d", refusals[i].name, code);
    }
    assert_int_equal(helper_info(&brains, PUBLISHER).watches, 0);
    brains_fini(&brains);
}

// ---- bounds, and what is left behind ----

static void cancel(size_t node, uint32_t id)
{
    char arguments[32];
    snprintf(arguments, sizeof arguments, "2:idi%ue", id);
    assert_int_equal(
        helper_end(&brains, node, brains_ask(&brains, node, "cancel", write_raw, arguments)), 0);
}

static void test_one_watch_for_all(void **state)
{
    uint32_t ids[3];
    (void)state;
    begin(401);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    brains_run(&brains, MINUTE);
    uint32_t ops = helper_ops(&brains, WATCHER);
    for (size_t i = 0; i < 3; i++) {
        ids[i] = watch(WATCHER, helper_name(key, ".web"));
        brains_run(&brains, MINUTE);
    }
    assert_int_equal(helper_info(&brains, WATCHER).watches, 1);
    assert_int_equal(helper_info(&brains, WATCHER).counters.watches_joined, 2);
    cancel(WATCHER, ids[1]);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 2000), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_string_equal(told(WATCHER, ids[0]), "+1000 w ~2000");
    assert_string_equal(told(WATCHER, ids[1]), "+1000 w e7");
    assert_string_equal(told(WATCHER, ids[2]), "+1000 w ~2000");
    cancel(WATCHER, ids[0]);
    assert_int_equal(helper_info(&brains, WATCHER).watches, 1);
    node_session_closed(brains.nodes[WATCHER], brains.now_us, brains.sessions[WATCHER]);
    assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
    assert_int_equal(helper_ops(&brains, WATCHER), ops);
    brains_fini(&brains);
}

static void test_cancelled_at_every_moment(void **state)
{
    (void)state;
    begin(402);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    brains_run(&brains, MINUTE);
    uint32_t ops = helper_ops(&brains, WATCHER);
    for (int64_t pause_us = 0; pause_us < 2 * SECOND; pause_us += SECOND / 20) {
        uint32_t id =
            watch(WATCHER, pause_us % (SECOND / 10) == 0 ? hex_name() : helper_name(key, ".web"));
        brains_run(&brains, pause_us);
        cancel(WATCHER, id);
        assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
        assert_int_equal(helper_ops(&brains, WATCHER), ops);
    }
    brains_fini(&brains);
}

// What is published while a watch begins is told as soon as what is published later: the keepers
// are told what is known by then, and tell what they have.
static void test_published_meanwhile(void **state)
{
    uint16_t port = 1000;
    (void)state;
    begin(411);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", port), 0);
    for (int64_t pause_us = 0; pause_us < SECOND; pause_us += SECOND / 50) {
        char wanted[8];
        uint32_t id = watch(WATCHER, helper_name(key, ".web"));
        brains_run(&brains, pause_us);
        port = port == 9000 ? 1000 : (uint16_t)(port + 1000);
        snprintf(wanted, sizeof wanted, "%u", port);
        assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", port), 0);
        if (helper_told_after_us(&brains, WATCHER, id, wanted) > 3 * SECOND)
            fail_msg("%lld ms after it began: %s", (long long)pause_us / 1000, told(WATCHER, id));
        cancel(WATCHER, id);
    }
    brains_fini(&brains);
}

static void test_full(void **state)
{
    (void)state;
    begin(403);
    brains.nodes[WATCHER]->config.watches_max = 1;
    uint32_t first = watch(WATCHER, helper_name(key, ".web"));
    assert_int_equal(helper_end(&brains, WATCHER, watch(WATCHER, helper_name(key, ".dns"))),
                     CONTROL_ERROR_FULL);
    cancel(WATCHER, first);
    uint32_t second = watch(WATCHER, helper_name(key, ".dns"));
    brains_run(&brains, MINUTE);
    assert_string_equal(told(WATCHER, second), "w");
    assert_int_equal(helper_info(&brains, WATCHER).counters.watches_refused, 1);
    brains_fini(&brains);
}

// As many names as a node may watch, all begun at the same moment.
static void test_a_thousand_names(void **state)
{
    enum { NAMES = 1000 };
    static uint32_t ids[NAMES];
    (void)state;
    begin(412);
    brains.nodes[WATCHER]->config.requests_max = NAMES;
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.7", 1000), 0);
    for (uint32_t i = 0; i < NAMES; i++) {
        char classifier[16];
        snprintf(classifier, sizeof classifier, ".%u", i);
        ids[i] = watch(WATCHER, helper_name(key, classifier));
    }
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_info(&brains, WATCHER).watches, NAMES);
    for (uint32_t i = 0; i < NAMES; i++)
        if (strcmp(told(WATCHER, ids[i]), i == 7 ? "+1000 w" : "w") != 0)
            fail_msg("%u: %s", i, told(WATCHER, ids[i]));
    node_session_closed(brains.nodes[WATCHER], brains.now_us, brains.sessions[WATCHER]);
    assert_int_equal(helper_info(&brains, WATCHER).watches, 0);
    assert_int_equal(helper_ops(&brains, WATCHER), 0);
    brains_fini(&brains);
}

// A client that does not read is told the difference once it has.
static void test_slow_client(void **state)
{
    (void)state;
    begin(404);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    uint32_t id = watch(WATCHER, helper_name(key, ".web"));
    brains_run(&brains, MINUTE);
    brains.nodes[WATCHER]->config.session_out_max = 0;
    for (uint16_t port = 2000; port <= 4000; port = (uint16_t)(port + 1000)) {
        assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", port), 0);
        brains_run(&brains, 2 * MINUTE);
    }
    assert_int_equal(helper_publish(&brains, SECOND_PUBLISHER, "alice.web", 5000), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_unpublish(&brains, SECOND_PUBLISHER, "alice.web"), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_string_equal(told(WATCHER, id), "+1000 w");
    brains.nodes[WATCHER]->config.session_out_max = 1 << 20;
    node_session_sent(brains.nodes[WATCHER], brains.now_us, brains.sessions[WATCHER], 0);
    brains_run(&brains, MINUTE);
    assert_string_equal(told(WATCHER, id), "+1000 w ~4000");
    brains_fini(&brains);
}

// ---- payloads ----

struct payload {
    uint8_t byte;
    size_t len;
};

static void write_payload(struct dht_bencode_writer *writer, const void *ctx)
{
    static uint8_t bytes[CORE_RECORD_PAYLOAD_MAX];
    const struct payload *payload = ctx;
    memset(bytes, payload->byte, sizeof bytes);
    dht_bencode_put_text(writer, CONTROL_KEY_NAME);
    dht_bencode_put_text(writer, "alice.web");
    dht_bencode_pair_string(writer, CONTROL_KEY_PAYLOAD, bytes, payload->len);
}

static void test_payloads(void **state)
{
    static const struct {
        const char *name;
        struct payload payload;
        int results; // by then
    } changes[] = {
        {"apart", {1, 4096}, 1},   {"the same again", {1, 4096}, 1}, {"other bytes", {2, 4096}, 2},
        {"shorter", {2, 2000}, 3}, {"inside", {2, 100}, 4},          {"apart again", {2, 2000}, 5},
    };
    (void)state;
    for (size_t home = 0; home < 2; home++) {
        size_t node = home == 0 ? WATCHER : PUBLISHER;
        begin(405 + home);
        uint32_t id = watch(node, helper_name(key, ".web"));
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            const struct payload *payload = &changes[i].payload;
            struct dht_span got = {0};
            uint32_t publish = brains_ask(&brains, PUBLISHER, "publish", write_payload, payload);
            assert_int_equal(helper_end(&brains, PUBLISHER, publish), 0);
            brains_run(&brains, 2 * MINUTE);
            size_t count = brains_count(&brains, node, id, CONTROL_ANSWER_RESULT);
            const struct brains_answer *last =
                brains_answer(&brains, node, id, CONTROL_ANSWER_RESULT, count - 1);
            control_fields_string(helper_fields(last), CONTROL_KEY_PAYLOAD, &got);
            if (count != (size_t)changes[i].results || got.len != payload->len ||
                got.data[got.len - 1] != payload->byte)
                fail_msg("%s: %zu results, %zu bytes", changes[i].name, count, got.len);
        }
        brains_fini(&brains);
    }
}

// ---- clocks, networks, the cache ----

// An entry expires by the wall clock, also where that is set.
static void test_clock(void **state)
{
    (void)state;
    begin(408);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    uint32_t id = watch(WATCHER, helper_name(key, ".web"));
    brains_run(&brains, MINUTE);
    brains_kill(&brains, PUBLISHER);
    brains_run(&brains, HOUR);
    assert_string_equal(told(WATCHER, id), "+1000 w");
    brains_set_clock(&brains, 3 * HOUR);
    brains_run(&brains, MINUTE);
    assert_string_equal(told(WATCHER, id), "+1000 w -");
    brains_fini(&brains);
}

// With nobody to ask there is no first picture, and nothing is said to be gone.
static void test_offline(void **state)
{
    (void)state;
    begin(409);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    uint32_t id = watch(WATCHER, helper_name(key, ".web"));
    brains_run(&brains, MINUTE);
    brains.loss_percent = 100;
    brains_run(&brains, HOUR);
    uint32_t late = watch(WATCHER, helper_name(key, ".dns"));
    brains_run(&brains, 10 * MINUTE);
    assert_string_equal(told(WATCHER, id), "+1000 w");
    assert_string_equal(told(WATCHER, late), "");
    brains.loss_percent = 0;
    node_network_changed(brains.nodes[WATCHER], brains.now_us);
    brains_run(&brains, 10 * MINUTE);
    assert_string_equal(told(WATCHER, late), "w");
    assert_string_equal(told(WATCHER, id), "+1000 w");
    brains_fini(&brains);
}

// A record of other software says nothing of when it ends: it is gone when nobody holds it any
// more.
static void test_foreign_record(void **state)
{
    uint8_t foreign_key[32];
    uint8_t value[1000];
    struct core_mark_identity identity;
    static const uint8_t zeros[CORE_PUBLISHER_LEN];
    (void)state;
    begin(411);
    brains_add_key(&brains, 1, "foreign", 9, foreign_key);
    struct dht_span pkarr = {value, helper_pkarr(foreign_key, value)};
    helper_put_item(&brains, 9, "", 1000, pkarr);
    uint32_t id = watch(WATCHER, helper_name(foreign_key, ""));
    brains_run(&brains, MINUTE);
    assert_string_equal(told(WATCHER, id), "+0 w");
    read_identity(brains_answer(&brains, WATCHER, id, CONTROL_ANSWER_RESULT, 0), &identity);
    assert_memory_equal(identity.publisher, zeros, sizeof zeros);
    helper_put_item(&brains, 9, "", 2000, pkarr); // the same content
    brains_run(&brains, HOUR);
    assert_string_equal(told(WATCHER, id), "+0 w");
    brains_run(&brains, 3 * HOUR); // an item is kept for two
    assert_string_equal(told(WATCHER, id), "+0 w -");
    helper_put_item(&brains, 9, "", 2000, pkarr);
    brains_run(&brains, 11 * MINUTE); // nobody was there to be asked to push
    assert_string_equal(told(WATCHER, id), "+0 w - +0");
    brains_fini(&brains);
}

static void test_cache_learns(void **state)
{
    (void)state;
    begin(410);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 1000), 0);
    watch(WATCHER, helper_name(key, ".web"));
    brains_run(&brains, MINUTE);
    assert_int_equal(helper_resolve(&brains, WATCHER, helper_name(key, ".web"), "cache"), 1000);
    assert_int_equal(helper_publish(&brains, PUBLISHER, "alice.web", 2000), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_resolve(&brains, WATCHER, helper_name(key, ".web"), "cache"), 2000);
    assert_int_equal(helper_unpublish(&brains, PUBLISHER, "alice.web"), 0);
    brains_run(&brains, 2 * MINUTE);
    assert_int_equal(helper_resolve(&brains, WATCHER, helper_name(key, ".web"), "cache"),
                     -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fires),
        cmocka_unit_test(test_pushed),
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_criteria),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_watch_for_all),
        cmocka_unit_test(test_cancelled_at_every_moment),
        cmocka_unit_test(test_published_meanwhile),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_a_thousand_names),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_payloads),
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_foreign_record),
        cmocka_unit_test(test_cache_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
