// SPDX-License-Identifier: MIT
// Adversaries: each kind does what it is called for, ids are claimed honestly, and a small network
// under attack publishes and resolves all the same.
#include "simnet/adversary.h"

#include "dht/id.h"
#include "dht/krpc.h"
#include "node/core/zbase32.h"
#include "simnet/client.h"
#include "simnet/crypto.h"
#include "simnet/host.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

// ---- kinds ----

// A machine that asks, and keeps the last answer.
struct asker {
    struct simnet_actor actor;
    uint32_t answers;
    uint8_t bytes[DHT_DATAGRAM_MAX];
    size_t len;
};

static void take(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    struct asker *asker = (struct asker *)actor;
    (void)world;
    (void)machine;
    (void)engine;
    asker->answers++;
    asker->len = datagram->bytes.len;
    memcpy(asker->bytes, datagram->bytes.data, asker->len);
}

static const struct simnet_actor_class asker_class = {"asker", take, NULL, NULL, NULL};
static struct simnet_profile profile;

static void ask(struct simnet_world *world, struct simnet_machine *machine,
                const struct dht_addr *to, const char *text)
{
    simnet_machine_send(machine, 0, to, (struct dht_span){(const uint8_t *)text, strlen(text)});
    simnet_world_run(world, simnet_world_now(world) + SIMNET_SECOND_US);
}

static const struct kind_row {
    const char *name;
    bool answers, league_alone, same_id, item_before, item_after;
} kind_rows[] = {
    {"silent", false, false, false, false, false}, {"denier", true, true, true, false, false},
    {"liar", true, false, true, false, false},     {"stale", true, true, true, false, true},
    {"forger", true, true, true, true, true},      {"changeling", true, true, false, false, false},
};

// A put of an item with seq 5, whose key and signature are nobody's.
static const char put_text[] =
    "d1:ad2:id20:AAAAAAAAAAAAAAAAAAAA1:k32:KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK3:seqi5e"
    "3:sig64:SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS"
    "6:target20:TTTTTTTTTTTTTTTTTTTT5:token6:league1:v3:olde1:q3:put1:t2:aa1:y1:qe";
static const char get_text[] =
    "d1:ad2:id20:AAAAAAAAAAAAAAAAAAAA6:target20:TTTTTTTTTTTTTTTTTTTTe1:q3:get1:t2:bb1:y1:qe";

static void check_names(const struct kind_row *row, const struct simnet_world *world,
                        const struct dht_krpc *msg)
{
    assert_int_equal(msg->nodes.len, 8 * 26);
    for (size_t i = 0; i < 8; i++) {
        struct dht_krpc_node node;
        dht_krpc_node(msg->nodes, 26, i, &node);
        if ((simnet_world_find(world, &node.addr) != NULL) != row->league_alone)
            fail_msg("%s names the wrong ones", row->name);
    }
}

static void check_kind(const struct kind_row *row, struct simnet_world *world,
                       struct simnet_machine *machine, const struct simnet_league_member *self)
{
    struct asker *asker = (struct asker *)machine->actor;
    struct dht_krpc msg;
    for (int after = 0; after < 2; after++) {
        uint32_t before = asker->answers;
        ask(world, machine, &self->addr, get_text);
        if ((asker->answers > before) != row->answers)
            fail_msg("%s: answered or not", row->name);
        if (!row->answers)
            return;
        assert_true(dht_krpc_parse((struct dht_span){asker->bytes, asker->len}, &msg));
        assert_int_equal(msg.type, DHT_KRPC_REPLY);
        assert_int_equal(msg.token.len, 6);
        check_names(row, world, &msg);
        if ((memcmp(msg.id.data, self->id.bytes, DHT_ID_LEN) == 0) != row->same_id)
            fail_msg("%s: id", row->name);
        if ((msg.value.data != NULL) != (after ? row->item_after : row->item_before))
            fail_msg("%s: item %d", row->name, after);
        ask(world, machine, &self->addr, put_text);
        assert_int_equal(asker->answers, before + 2); // the put is taken
    }
    // A stale item is as it was put, a forged one is not.
    bool as_put = msg.value.data != NULL && msg.seq == 5;
    assert_int_equal(as_put, strcmp(row->name, "stale") == 0);
}

static void test_kinds(struct twice *twice)
{
    for (size_t i = 0; i < sizeof kind_rows / sizeof kind_rows[0]; i++) {
        struct simnet_world *world = simnet_world_new(3);
        struct simnet_league *league = simnet_league_new();
        enum simnet_adversary_kind kind = simnet_adversary_kind_of(kind_rows[i].name);
        struct simnet_league_member self;
        struct asker asker = {.actor = {&asker_class}};
        assert_string_equal(simnet_adversary_name(kind), kind_rows[i].name);
        for (uint32_t member = 0; member < 10; member++) {
            self.addr = simnet_population_ipv4(3, member);
            self.id = (struct dht_id){{(uint8_t)member, 1}};
            const struct simnet_machine *one =
                simnet_adversary_add(world, &profile, &self, league, kind);
            assert_false(one->is_honest);
        }
        struct dht_addr addr = simnet_population_ipv4(3, 10);
        struct simnet_machine *machine = simnet_world_add(world, &profile, &addr, 1, NULL);
        machine->actor = &asker.actor;
        simnet_machine_start(machine, NULL, 0);
        check_kind(&kind_rows[i], world, machine, &self);
        simnet_league_drop(league);
        twice_end(twice, world);
    }
    assert_int_equal(simnet_adversary_kind_of("friend"), SIMNET_ADVERSARY_KINDS);
}

// ---- ids ----

static const struct claim_row {
    const char *name;
    enum simnet_claim_range range;
    size_t ip_len, base_len; // bytes of the address that are not the attacker's to choose
    int least, most;         // of 50 targets, how many can be claimed
} claim_rows[] = {
    {"any IPv4", SIMNET_CLAIM_ANY4, 4, 0, 50, 50},
    {"one /16: 2 to the 17 choices for 21 bits", SIMNET_CLAIM_SLASH16, 4, 2, 0, 12},
    {"any IPv6", SIMNET_CLAIM_ANY6, 16, 0, 50, 50},
    {"one /32: 2 to the 29", SIMNET_CLAIM_SLASH32, 16, 4, 50, 50},
    {"one address: 8 choices", SIMNET_CLAIM_FEW, 4, 4, 0, 0},
};

static void test_claims(void **state)
{
    static const struct dht_addr base = {.ip = {0x2a, 0x0a, 0x11, 0x22}, .ip_len = 16};
    struct simnet_stream stream;
    (void)state;
    simnet_stream_init(&stream, 5, "claims", 0);
    for (size_t i = 0; i < sizeof claim_rows / sizeof claim_rows[0]; i++) {
        const struct claim_row *row = &claim_rows[i];
        int claimed = 0;
        for (int round = 0; round < 50; round++) {
            struct dht_id wanted, id;
            struct dht_addr addr;
            simnet_stream_bytes(&stream, wanted.bytes, DHT_ID_LEN);
            if (!simnet_claim_near(row->range, &base, &wanted, &stream, &addr, &id))
                continue;
            claimed++;
            assert_true(dht_id_fits(&id, &addr) && dht_id_common_bits(&id, &wanted) >= 21);
            assert_true(addr.ip_len == row->ip_len && memcmp(addr.ip, base.ip, row->base_len) == 0);
        }
        if (claimed < row->least || claimed > row->most)
            fail_msg("%s: %d", row->name, claimed);
    }
}

// ---- small networks under attack ----

#define MACHINES  200
#define RESOLVERS 20

struct heard {
    struct simnet_client_watch watch;
    bool done, found, suspect;
    uint32_t hops;   // of a trace
    int64_t density; // percent, of its end; -1: it was not told
};

static void hear(void *ctx, struct simnet_client *client, const struct simnet_client_answer *answer)
{
    struct heard *heard = ctx;
    (void)client;
    struct control_fields_range any = {0, INT64_MAX};
    heard->hops += answer->kind == CONTROL_ANSWER_PROGRESS;
    if (answer->kind == CONTROL_ANSWER_RESULT)
        heard->found = true;
    if (answer->kind != CONTROL_ANSWER_DONE && answer->kind != CONTROL_ANSWER_ERROR)
        return;
    heard->done = answer->kind == CONTROL_ANSWER_DONE;
    control_fields_bool(answer->fields, CONTROL_KEY_SUSPECT, &heard->suspect);
    control_fields_int(answer->fields, CONTROL_KEY_DENSITY, any, &heard->density);
}

// A share of all machines turned, and so many Sybils around the name before it is published.
static const struct attack_row {
    const char *name;
    double share;
    enum simnet_adversary_kind kind;
    uint32_t sybils;
    enum simnet_claim_range range;
    uint32_t found_least; // of RESOLVERS
    bool alarm;           // of all that look at the whole; else of none
} attack_rows[] = {
    {"nobody", 0, SIMNET_ADVERSARY_DENIER, 0, SIMNET_CLAIM_ANY4, 20, false},
    {"20 % deny", 0.2, SIMNET_ADVERSARY_DENIER, 0, SIMNET_CLAIM_ANY4, 20, false},
    {"20 % lie", 0.2, SIMNET_ADVERSARY_LIAR, 0, SIMNET_CLAIM_ANY4, 20, false},
    {"20 % forge", 0.2, SIMNET_ADVERSARY_FORGER, 0, SIMNET_CLAIM_ANY4, 20, false},
    {"40 Sybils, 10 % deny", 0.1, SIMNET_ADVERSARY_DENIER, 40, SIMNET_CLAIM_ANY4, 19, true},
    {"40 of one /16", 0.1, SIMNET_ADVERSARY_DENIER, 40, SIMNET_CLAIM_SLASH16, 19, true},
};

struct attack {
    struct simnet_world *world;
    struct simnet_league *league;
    struct simnet_machine *publisher;
    char name[64];
};

static void run(struct attack *attack, int64_t seconds)
{
    simnet_world_run(attack->world, simnet_world_now(attack->world) + seconds * SIMNET_SECOND_US);
}

static void set_up(struct attack *attack, const struct attack_row *row)
{
    uint8_t key[DHT_KEY_LEN];
    struct dht_id around;
    attack->world = simnet_world_new(11);
    attack->league = simnet_league_new();
    simnet_world_internet(attack->world, simnet_latency_lognormal(11, 80000, 0.5, 1000));
    simnet_population_join(attack->world, &profile, MACHINES, 20 * SIMNET_SECOND_US);
    run(attack, 1200);
    simnet_adversary_turn_share(attack->world, 1, MACHINES - 1, row->share, attack->league,
                                row->kind);
    attack->publisher = simnet_world_machine(attack->world, 0);
    simnet_host_add_key(attack->publisher, "key", 1, key);
    core_zbase32_encode(key, attack->name);
    simnet_crypto_sha1(NULL, &(struct dht_span){key, sizeof key}, 1, around.bytes);
    struct simnet_adversary_crowd crowd = {.kind = row->kind,
                                           .count = row->sybils,
                                           .range = row->range,
                                           .base = {.ip = {0x2a, 0x0a}, .ip_len = 4},
                                           .target = &around,
                                           .victims = 50};
    simnet_adversary_join(attack->world, &profile, &crowd, attack->league);
    run(attack, 240);
}

static void publish(struct attack *attack)
{
    struct control_endpoint endpoint = {.ip = {192, 0, 2, 7}, .ip_len = 4, .port = 443};
    struct heard heard = {.watch = {.answered = hear, .ctx = &heard}};
    struct simnet_client *client = simnet_client_new(attack->world);
    simnet_client_watch(client, &heard.watch);
    assert_true(simnet_client_open(client, attack->publisher, NODE_ACCESS_CONTROL));
    simnet_client_publish(client, &(struct simnet_client_publish){.name = attack->name,
                                                                  .endpoints = &endpoint,
                                                                  .endpoint_count = 1});
    run(attack, 60);
    assert_true(heard.done);
    simnet_client_close(client);
    simnet_client_free(client);
}

// Whether it was found; counts an alarm. It is what `pnr resolve --trace` warns by: hops, and at
// the end how dense the neighbourhood is.
static bool resolves(struct attack *attack, struct simnet_machine *machine, uint32_t *alarms)
{
    struct heard heard = {.watch = {.answered = hear, .ctx = &heard}, .density = -1};
    struct simnet_client *client = simnet_client_new(attack->world);
    simnet_client_watch(client, &heard.watch);
    assert_true(simnet_client_open(client, machine, NODE_ACCESS_RESOLVE));
    struct simnet_client_resolve resolve = {
        .name = attack->name, .wait = CONTROL_WAIT_ALL, .trace = true};
    simnet_client_resolve(client, &resolve);
    run(attack, 40);
    *alarms += heard.suspect;
    assert_true(heard.hops > 0 && heard.density >= 0);
    // Of 40 Sybils around the name those that were met make it many times as dense.
    assert_true(!heard.suspect || heard.density >= 200);
    simnet_client_close(client);
    simnet_client_free(client);
    return heard.found;
}

static void test_attacks(struct twice *twice)
{
    for (size_t i = 0; i < sizeof attack_rows / sizeof attack_rows[0]; i++) {
        const struct attack_row *row = &attack_rows[i];
        struct attack attack;
        uint32_t found = 0;
        uint32_t alarms = 0;
        uint32_t asked = 0;
        set_up(&attack, row);
        publish(&attack);
        for (uint32_t number = 1; asked < RESOLVERS; number++) {
            struct simnet_machine *machine = simnet_world_machine(attack.world, number);
            if (!machine->is_honest)
                continue;
            asked++;
            found += resolves(&attack, machine, &alarms);
        }
        if (found < row->found_least || alarms > (row->alarm ? asked : 0) ||
            (row->alarm && alarms < asked - 1))
            fail_msg("%s: %u found, %u alarms", row->name, found, alarms);
        twice_note(twice, "found", found);
        twice_note(twice, "alarms", alarms);
        simnet_league_drop(attack.league);
        twice_end(twice, attack.world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(test_kinds),
        cmocka_unit_test(test_claims),
        twice_scenario(test_attacks),
    };
    simnet_profile_init(&profile);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
