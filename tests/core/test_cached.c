// SPDX-License-Identifier: MIT
// Resolving that takes what is known here, and what the lookup behind it finds different: whole
// brains in virtual time.
#include "node/core/resolve.h"
#include "tests/core/brains_helper.h"

#include <stdio.h>

#define PUBLISHER        3
#define SECOND_PUBLISHER 5 // other machines with the same key
#define THIRD_PUBLISHER  6
#define RESOLVER         8

static struct brains brains;
static uint8_t key[32];

static void begin(uint64_t seed)
{
    uint8_t same[32];
    memset(&brains, 0, sizeof brains);
    brains_init(&brains, 14, seed);
    brains_add_key(&brains, PUBLISHER, "alice", 7, key);
    brains_add_key(&brains, SECOND_PUBLISHER, "alice", 7, same);
    brains_add_key(&brains, THIRD_PUBLISHER, "alice", 7, same);
    brains_run(&brains, 30 * SECOND);
}

static void write_raw(struct dht_bencode_writer *writer, const void *ctx)
{
    dht_bencode_put_raw(writer, ctx, strlen(ctx));
}

// ---- asking, and what came ----

struct wish {
    const char *criteria; // NULL: any
    unsigned max;         // 0: all
    const char *name;     // NULL: by the key
    const char *wait;     // NULL: settled
    unsigned timeout_ms;  // 0: 20,000
};

static uint32_t ask(size_t node, const struct wish *wish)
{
    char arguments[512];
    char max[32] = "";
    const char *criteria = wish->criteria != NULL ? wish->criteria : "any-peer-name";
    const char *name = wish->name != NULL ? wish->name : helper_name(key, ".web");
    const char *wait = wish->wait != NULL ? wish->wait : "settled";
    if (wish->max > 0)
        snprintf(max, sizeof max, "3:maxi%ue", wish->max);
    snprintf(arguments, sizeof arguments,
             "6:cachedi1e8:criteria%zu:%s%s4:name%zu:%s10:timeout_msi%ue4:wait%zu:%s",
             strlen(criteria), criteria, max, strlen(name), name,
             wish->timeout_ms > 0 ? wish->timeout_ms : 20000, strlen(wait), wait);
    return brains_ask(&brains, node, "resolve", write_raw, arguments);
}

static char source_of(const struct brains_answer *answer)
{
    if (helper_has_text(answer, CONTROL_KEY_SOURCE, "cache"))
        return 'c';
    return helper_has_text(answer, CONTROL_KEY_SOURCE, "local") ? 'l' : 'd';
}

// All answers in short: "c1000 d2000? - ." for a port from the cache, one of the network behind
// which more may come of the same publisher, one that is gone, and the end; e3 is error 3.
// Publishers of one record come in the order of their machines' ids, which are random.
static const char *told(size_t node, uint32_t id)
{
    static char text[512];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < brains.answer_counts[node]; i++) {
        const struct brains_answer *answer = &brains.answers[node][i];
        if (answer->id != id)
            continue;
        assert_true(len + 16 < sizeof text);
        if (answer->kind == CONTROL_ANSWER_DONE)
            len += (size_t)sprintf(text + len, ".");
        else if (answer->kind == CONTROL_ANSWER_ERROR)
            len += (size_t)sprintf(text + len, "e%d", brains_error(answer));
        else if (helper_has_text(answer, CONTROL_KEY_EVENT, "gone"))
            len += (size_t)sprintf(text + len, "- ");
        else
            len += (size_t)sprintf(text + len, "%c%d%s ", source_of(answer), helper_port(answer),
                                   helper_number(answer, CONTROL_KEY_FINAL) == 1 ? "" : "?");
    }
    static const char *const pairs[][2] = {{"c2000? c1000?", "c1000? c2000?"},
                                           {"d3000 d2000", "d2000 d3000"}};
    for (size_t i = 0; i < 2; i++) {
        char *pair = strstr(text, pairs[i][0]);
        if (pair != NULL)
            memcpy(pair, pairs[i][1], strlen(pairs[i][1]));
    }
    return text;
}

static const char *resolve(size_t node, const struct wish *wish)
{
    uint32_t id = ask(node, wish);
    helper_end(&brains, node, id);
    return told(node, id);
}

// ---- what is told ----

struct row {
    const char *name;
    const char *script; // see step()
    struct wish wish;
    const char *told;
};

static const struct row rows[] = {
    {"nobody", "", {.max = 1}, "e3"},
    {"nothing is cached", "P1", {.max = 1}, "d1000 ."},
    {"one is cached", "P1R", {.max = 1}, "c1000 ."},
    {"one of two is enough", "P1Q2R", {.criteria = "nearest-peer-name", .max = 1}, "c1000 ."},
    {"all, the lookup says the same", "P1R", {.max = 0}, "c1000? ."},
    {"more than there are", "P1R", {.max = 2}, "c1000? ."},
    {"as many as there are",
     "P1Q2R",
     {.criteria = "remote-peer-name", .max = 3},
     "c1000? c2000? ."},
    {"changed meanwhile", "P1RP2", {.max = 1}, "c1000 ."},
    {"all, changed meanwhile", "P1RP2", {.max = 0}, "c1000? d2000 ."},
    {"all, somebody has come", "P1RQ2", {.max = 0}, "c1000? d2000 ."},
    {"two, two have come", "P1RQ2", {.max = 2}, "c1000? d2000 ."},
    {"two, two others in its place", "P1RUQ2S3", {.max = 2}, "c1000? - d2000 d3000 ."},
    {"all, withdrawn meanwhile", "P1RU", {.max = 0}, "c1000? - ."},
    {"all, one of two withdrawn", "P1Q2RV", {.max = 0}, "c1000? c2000? - ."},
    {"withdrawal was seen", "P1RUR", {.max = 1}, "e3"},
    {"the record's time is over", "P1RT", {.max = 1}, "d1000 ."},
    {"and it has changed", "P1RP2T", {.max = 1}, "d2000 ."},
    {"that there was nobody is not taken", "RP1", {.max = 1}, "d1000 ."},
    {"sorted with what the lookup finds",
     "P1R",
     {.criteria = "nearest-peer-name", .max = 0},
     "d1000 ."},
    {"newer than what others hold", "P1RN", {.max = 0}, "c1000? ."},
    {"newer than what others hold now", "P1RP2N", {.max = 0}, "c1000? ."},
    {"nobody answers any more", "P1RL", {.max = 0}, "c1000? ."},
    {"nobody answers, one is enough", "P1RL", {.max = 1}, "c1000 ."},
    {"the time is over", "P1RL", {.max = 0, .timeout_ms = 50}, "c1000? ."},
    {"the time is over, nothing is cached", "P1L", {.max = 0, .timeout_ms = 50}, "e4"},
    {"of a watch", "P1WP2", {.max = 1}, "c2000 ."},
    {"whatever the lookup", "P1RP2", {.max = 0, .wait = "all"}, "c1000? d2000 ."},
    {"cache as ever", "P1RP2", {.max = 0, .wait = "cache"}, "c1000 ."},
    {"first as ever", "P1RP2", {.max = 0, .wait = "first"}, "c1000 ."},
};

static void check(size_t node, const char *word, const char *arguments)
{
    assert_int_equal(
        helper_end(&brains, node, brains_ask(&brains, node, word, write_raw, arguments)), 0);
}

// What was cached is made to look as if it were newer than anything that others hold.
static void renumber(void)
{
    struct core_cache *cache = &brains.nodes[RESOLVER]->cache;
    for (uint32_t i = 0; i < cache->count; i++)
        cache->entries[i].seq += HOUR;
}

// One step of a script: P, Q and S publish at a port of so many thousands, U and V withdraw, of the
// three publishers; R has the resolver resolve the name, W watch it; T passes more time than a
// record may be cached; L loses every datagram from then on; N is renumber(). Returns what is
// behind it.
static const char *step(const char *at)
{
    char text[128];
    char what = *at++;
    size_t node = what == 'P' || what == 'U' ? PUBLISHER
                  : what == 'S'              ? THIRD_PUBLISHER
                                             : SECOND_PUBLISHER;
    if (what == 'P' || what == 'Q' || what == 'S') {
        uint16_t port = (uint16_t)((*at++ - '0') * 1000);
        assert_int_equal(helper_publish(&brains, node, "alice.web", port), 0);
    } else if (what == 'U' || what == 'V') {
        assert_int_equal(helper_unpublish(&brains, node, "alice.web"), 0);
    } else if (what == 'R') {
        helper_resolve(&brains, RESOLVER, helper_name(key, ".web"), "all");
    } else if (what == 'W') {
        snprintf(text, sizeof text, "4:name56:%s", helper_name(key, ".web"));
        brains_ask(&brains, RESOLVER, "watch", write_raw, text);
        brains_run(&brains, MINUTE);
    } else if (what == 'T') {
        brains_run(&brains, 31 * MINUTE);
    } else if (what == 'L') {
        brains.loss_percent = 100;
    } else {
        renumber();
    }
    brains_run(&brains, 20 * SECOND);
    return at;
}

static void test_what_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(700 + i);
        for (const char *at = rows[i].script; *at != '\0';)
            at = step(at);
        const char *text = resolve(RESOLVER, &rows[i].wish);
        if (strcmp(text, rows[i].told) != 0)
            fail_msg("%s: %s", rows[i].name, text);
        assert_int_equal(helper_info(&brains, RESOLVER).resolves, 0);
        brains_fini(&brains);
    }
}

// What is cached costs no datagram, and no time.
static void test_costs_nothing(void **state)
{
    static const struct wish one = {.max = 1};
    (void)state;
    begin(740);
    step("P1");
    step("R");
    uint64_t lookups = helper_info(&brains, RESOLVER).counters.resolves;
    uint64_t hits = helper_info(&brains, RESOLVER).counters.cache_hits;
    uint32_t id = ask(RESOLVER, &one);
    assert_string_equal(told(RESOLVER, id), "c1000 ."); // no time has passed
    assert_int_equal(helper_info(&brains, RESOLVER).counters.resolves, lookups);
    assert_int_equal(helper_info(&brains, RESOLVER).counters.cache_hits, hits + 1);
    brains_fini(&brains);
}

// A name by the hash of its key: whose the hash is stays known, though the record's time is over.
static void test_by_hash(void **state)
{
    char name[64] = "";
    struct dht_crypto crypto = helper_crypto(NULL);
    struct wish one = {.max = 1, .name = name};
    struct wish all = {.max = 0, .name = name};
    uint8_t hash[DHT_ID_LEN];
    (void)state;
    begin(741);
    core_name_key_hash(&crypto, key, hash);
    for (size_t i = 0; i < DHT_ID_LEN; i++)
        sprintf(name + 2 * i, "%02x", hash[i]);
    strcat(name, ".web");
    step("P1");
    assert_string_equal(resolve(RESOLVER, &one), "d1000 .");
    uint32_t id = ask(RESOLVER, &one);
    assert_string_equal(told(RESOLVER, id), "c1000 .");
    assert_string_equal(resolve(RESOLVER, &all), "c1000? .");
    step("T");
    ask(RESOLVER, &one);
    assert_int_equal(brains.nodes[RESOLVER]->resolves->state, CORE_RESOLVE_RECORD);
    // The key's own record is not there for that.
    assert_int_equal(helper_resolve(&brains, RESOLVER, helper_name(key, ""), "cache"),
                     -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// What this node publishes itself needs no cache; what it withdraws is not told from there.
static void test_at_home(void **state)
{
    static const struct wish one = {.max = 1};
    static const struct wish remote = {.criteria = "remote-peer-name", .max = 1};
    static const struct wish own = {.criteria = "default", .max = 1};
    char text[128];
    (void)state;
    begin(742);
    step("P1");
    assert_string_equal(resolve(PUBLISHER, &one), "l1000 .");
    assert_string_equal(resolve(PUBLISHER, &remote), "e3");
    step("P2");
    assert_string_equal(resolve(PUBLISHER, &one), "l2000 .");
    step("Q3"); // which this node has not seen yet: what it knows is not enough
    assert_string_equal(resolve(PUBLISHER, &remote), "d3000 .");
    assert_string_equal(resolve(PUBLISHER, &remote), "c3000 .");
    step("V");
    step("U");
    snprintf(text, sizeof text, "9:endpointsld2:ip4:abcd4:porti4000e5:protoi6eee4:name9:alice.web");
    check(PUBLISHER, "register", text);
    assert_string_equal(resolve(PUBLISHER, &one), "l4000 .");
    assert_string_equal(resolve(PUBLISHER, &own), "e3");
    brains_fini(&brains);
}

// The cache still has the record while its tombstone waits for the disk.
static void test_withdrawn_here(void **state)
{
    static const struct wish one = {.max = 1};
    (void)state;
    begin(743);
    step("P1");
    helper_resolve(&brains, PUBLISHER, helper_name(key, ".web"), "all"); // and keeps it
    brains.disks[PUBLISHER]->stuck = true;
    brains_unpublish(&brains, PUBLISHER, "alice.web");
    brains_run(&brains, 10 * SECOND);
    assert_string_equal(resolve(PUBLISHER, &one), "d1000 .");
    assert_int_equal(helper_resolve(&brains, PUBLISHER, helper_name(key, ".web"), "cache"),
                     -CONTROL_ERROR_NOT_FOUND);
    brains_fini(&brains);
}

// Of unsecured names nothing is cached: each publisher is asked.
static void test_unsecured(void **state)
{
    static const struct wish one = {.max = 1, .name = "0.s"};
    (void)state;
    begin(744);
    check(PUBLISHER, "register", "9:endpointsld2:ip4:abcd4:porti1000e5:protoi6eee4:name3:0.s");
    assert_string_equal(resolve(RESOLVER, &one), "d1000 .");
    check(PUBLISHER, "unregister", "4:name3:0.s");
    assert_string_equal(resolve(RESOLVER, &one), "e3");
    brains_fini(&brains);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_told),   cmocka_unit_test(test_costs_nothing),
        cmocka_unit_test(test_by_hash),        cmocka_unit_test(test_at_home),
        cmocka_unit_test(test_withdrawn_here), cmocka_unit_test(test_unsecured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
