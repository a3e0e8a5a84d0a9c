// SPDX-License-Identifier: MIT
#include "simnet/adversary.h"

#include "dht/addr.h"
#include "dht/id.h"
#include "dht/krpc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX          8 // in a reply, as everybody does
#define INTRODUCE_ROUNDS   10
#define INTRODUCE_PAUSE_US SIMNET_MINUTE_US
#define INTRODUCE_STEP_US  (20 * 1000) // between two victims

static const char *const names[SIMNET_ADVERSARY_KINDS] = {
    "silent", "denier", "liar", "stale", "forger", "changeling",
};

struct adversary {
    struct simnet_actor actor;
    struct simnet_league *league;
    enum simnet_adversary_kind kind;
    struct dht_id id;
    struct simnet_stream stream;
    struct dht_addr *victims; // to whom it introduces itself
    uint32_t victim_count;
    uint32_t next_victim;
    uint32_t rounds_left;
    int64_t due_us;
};

const char *simnet_adversary_name(enum simnet_adversary_kind kind)
{
    assert(kind < SIMNET_ADVERSARY_KINDS);
    return names[kind];
}

enum simnet_adversary_kind simnet_adversary_kind_of(const char *name)
{
    int kind = 0;
    while (kind < SIMNET_ADVERSARY_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum simnet_adversary_kind)kind;
}

// ---- answering ----

// The keys of a reply in their order, as far as there is something to say.
struct answer {
    const struct simnet_league_item *item;
    bool with_nodes, with_token;
    struct dht_id target;
};

// A node that is not there, next to the target.
static struct simnet_league_member made_up(struct adversary *self, const struct dht_id *target,
                                           uint8_t ip_len)
{
    enum simnet_claim_range range = ip_len == 4 ? SIMNET_CLAIM_ANY4 : SIMNET_CLAIM_ANY6;
    struct simnet_league_member member = {.id = *target};
    member.addr = simnet_claim_any(range, NULL, &self->stream);
    simnet_stream_bytes(&self->stream, member.id.bytes + 3, DHT_ID_LEN - 3);
    return member;
}

static size_t names_for(struct adversary *self, const struct dht_id *target, uint8_t ip_len,
                        struct simnet_league_member ret_names[NAMES_MAX])
{
    if (self->kind != SIMNET_ADVERSARY_LIAR)
        return simnet_league_closest(self->league, target, ip_len, NAMES_MAX, ret_names);
    for (size_t i = 0; i < NAMES_MAX; i++)
        ret_names[i] = made_up(self, target, ip_len);
    return NAMES_MAX;
}

static void put_nodes(struct dht_bencode_writer *writer, struct adversary *self,
                      const struct dht_id *target, uint8_t ip_len)
{
    struct simnet_league_member chosen[NAMES_MAX];
    uint8_t bytes[NAMES_MAX * (DHT_ID_LEN + DHT_ADDR_COMPACT_MAX)];
    size_t count = names_for(self, target, ip_len, chosen);
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + len, chosen[i].id.bytes, DHT_ID_LEN);
        len += DHT_ID_LEN;
        len += dht_addr_to_compact(&chosen[i].addr, bytes + len);
    }
    dht_bencode_pair_string(writer, ip_len == 4 ? "nodes" : "nodes6", bytes, len);
}

static void put_answer(struct dht_bencode_writer *writer, struct adversary *self,
                       const struct answer *answer, uint8_t ip_len)
{
    const struct simnet_league_item *item = answer->item;
    if (item != NULL)
        dht_bencode_pair_string(writer, "k", item->key, sizeof item->key);
    if (answer->with_nodes)
        put_nodes(writer, self, &answer->target, ip_len);
    if (item != NULL) {
        dht_bencode_pair_int(writer, "seq", item->seq);
        dht_bencode_pair_string(writer, "sig", item->sig, sizeof item->sig);
    }
    if (answer->with_token)
        dht_bencode_pair_string(writer, "token", "league", 6);
    if (item != NULL) {
        dht_bencode_put_text(writer, "v");
        dht_bencode_put_raw(writer, item->value, item->value_len);
    }
}

// A forger's item: of a right shape, under another key or with another value than was signed.
static void forge(struct adversary *self, const struct dht_id *target,
                  struct simnet_league_item *ret_item)
{
    const struct simnet_league_item *seen = simnet_league_item(self->league, target);
    *ret_item = (struct simnet_league_item){.target = *target, .seq = INT64_C(1) << 52};
    simnet_stream_bytes(&self->stream, ret_item->key, sizeof ret_item->key);
    simnet_stream_bytes(&self->stream, ret_item->sig, sizeof ret_item->sig);
    if (seen != NULL)
        *ret_item = *seen;
    ret_item->seq += seen != NULL; // newer, with the signature of the old one
    if (ret_item->value_len == 0) {
        memcpy(ret_item->value, "4:fake", 6);
        ret_item->value_len = 6;
    }
}

static void keep_put(struct adversary *self, const struct dht_krpc *msg)
{
    if (msg->target.data == NULL || msg->key.data == NULL || msg->sig.data == NULL ||
        !msg->has_seq || msg->value.data == NULL || msg->value.len > DHT_VALUE_LEN_MAX)
        return;
    struct simnet_league_item item = {.seq = msg->seq, .value_len = (uint16_t)msg->value.len};
    memcpy(item.target.bytes, msg->target.data, DHT_ID_LEN);
    memcpy(item.key, msg->key.data, sizeof item.key);
    memcpy(item.sig, msg->sig.data, sizeof item.sig);
    memcpy(item.value, msg->value.data, msg->value.len);
    simnet_league_keep(self->league, &item);
}

// What there is to say to a query. forged: room for an item that is made up.
static struct answer answer_for(struct adversary *self, const struct dht_krpc *msg,
                                struct simnet_league_item *forged)
{
    struct answer answer = {0};
    struct dht_span target = msg->method == DHT_KRPC_GET_PEERS ? msg->info_hash : msg->target;
    bool is_get = msg->method == DHT_KRPC_GET;
    if (msg->method == DHT_KRPC_PUT) {
        simnet_league_counters(self->league)->swallowed++;
        keep_put(self, msg);
    }
    if (target.data == NULL ||
        (!is_get && msg->method != DHT_KRPC_FIND_NODE && msg->method != DHT_KRPC_GET_PEERS))
        return answer;
    memcpy(answer.target.bytes, target.data, DHT_ID_LEN);
    answer.with_nodes = true;
    answer.with_token = msg->method != DHT_KRPC_FIND_NODE;
    if (is_get && self->kind == SIMNET_ADVERSARY_STALE)
        answer.item = simnet_league_item(self->league, &answer.target);
    if (is_get && self->kind == SIMNET_ADVERSARY_FORGER) {
        forge(self, &answer.target, forged);
        answer.item = forged;
    }
    if (is_get && answer.item != NULL)
        simnet_league_counters(self->league)->handed++;
    else if (is_get)
        simnet_league_counters(self->league)->denied++;
    return answer;
}

static void receive(struct simnet_actor *actor, struct simnet_world *world,
                    struct simnet_machine *machine, const struct dht_datagram *datagram, int engine)
{
    struct adversary *self = (struct adversary *)actor;
    struct simnet_league_item forged;
    struct dht_krpc msg;
    uint8_t out[DHT_DATAGRAM_MAX + DHT_VALUE_LEN_MAX];
    (void)world;
    if (!dht_krpc_parse(datagram->bytes, &msg) || msg.type != DHT_KRPC_QUERY)
        return;
    simnet_league_counters(self->league)->asked++;
    if (self->kind == SIMNET_ADVERSARY_SILENT)
        return;
    struct dht_id id = self->id;
    if (self->kind == SIMNET_ADVERSARY_CHANGELING)
        simnet_stream_bytes(&self->stream, id.bytes + 4, DHT_ID_LEN - 4);
    struct dht_krpc_envelope envelope = {
        .id = &id, .tid = msg.tid, .your = &datagram->addr, .version = "XX\0\1"};
    struct answer answer = answer_for(self, &msg, &forged);
    struct dht_bencode_writer writer = dht_bencode_writer(out, sizeof out);
    dht_krpc_open_reply(&writer, &envelope);
    put_answer(&writer, self, &answer, machine->addrs[engine].ip_len);
    dht_krpc_close_reply(&writer, &envelope);
    if (!writer.full)
        simnet_machine_send(machine, engine, &datagram->addr,
                            (struct dht_span){out, dht_bencode_written(&writer)});
}

// ---- introducing itself ----

static void introduce(struct adversary *self, struct simnet_machine *machine,
                      const struct dht_addr *victim)
{
    uint8_t out[DHT_DATAGRAM_MAX];
    uint8_t tid[DHT_KRPC_TID_LEN];
    simnet_stream_bytes(&self->stream, tid, sizeof tid);
    struct dht_krpc_envelope envelope = {.tid = {tid, sizeof tid}, .version = "XX\0\1"};
    struct dht_bencode_writer writer = dht_bencode_writer(out, sizeof out);
    dht_krpc_open_query(&writer);
    dht_krpc_put_id(&writer, "id", &self->id);
    dht_krpc_put_id(&writer, "target", &self->id);
    dht_krpc_close_query(&writer, &envelope, "find_node");
    simnet_machine_send(machine, 0, victim, (struct dht_span){out, dht_bencode_written(&writer)});
}

static void tick(struct simnet_actor *actor, struct simnet_world *world,
                 struct simnet_machine *machine)
{
    struct adversary *self = (struct adversary *)actor;
    introduce(self, machine, &self->victims[self->next_victim++]);
    self->due_us = simnet_world_now(world) + INTRODUCE_STEP_US;
    if (self->next_victim < self->victim_count)
        return;
    self->next_victim = 0;
    self->due_us = simnet_world_now(world) + INTRODUCE_PAUSE_US;
    if (--self->rounds_left == 0)
        self->due_us = INT64_MAX;
}

static int64_t deadline(const struct simnet_actor *actor)
{
    return ((const struct adversary *)actor)->due_us;
}

// ---- life ----

static void free_adversary(struct simnet_actor *actor)
{
    struct adversary *self = (struct adversary *)actor;
    simnet_league_drop(self->league);
    free(self->victims);
    free(self);
}

static struct adversary *become(struct simnet_machine *machine, const struct dht_id *id,
                                struct simnet_league *league, enum simnet_adversary_kind kind)
{
    static const struct simnet_actor_class class = {"adversary", receive, tick, deadline,
                                                    free_adversary};
    struct adversary *self = simnet_world_need(calloc(1, sizeof *self));
    self->actor.class = &class;
    self->league = simnet_league_hold(league);
    self->kind = kind;
    self->id = *id;
    self->due_us = INT64_MAX;
    simnet_stream_init(&self->stream, simnet_world_seed(machine->world), "adversary",
                       machine->number);
    machine->actor = &self->actor;
    machine->is_honest = false;
    return self;
}

void simnet_adversary_turn(struct simnet_world *world, struct simnet_machine *machine,
                           struct simnet_league *league, enum simnet_adversary_kind kind)
{
    struct dht_info info;
    (void)world;
    assert(machine->node != NULL && machine->state == SIMNET_MACHINE_UP);
    dht_info(node_engine(machine->node, 0), &info);
    simnet_machine_crash(machine);
    become(machine, &info.id, league, kind);
    simnet_machine_start(machine, NULL, 0);
    simnet_league_add(league, &info.id, &machine->addrs[0]);
}

uint32_t simnet_adversary_turn_share(struct simnet_world *world, uint32_t first, uint32_t count,
                                     double share, struct simnet_league *league,
                                     enum simnet_adversary_kind kind)
{
    struct simnet_stream stream;
    uint32_t turned = 0;
    simnet_stream_init(&stream, simnet_world_seed(world), "turn", first);
    for (uint32_t number = first; number < first + count; number++) {
        struct simnet_machine *machine = simnet_world_machine(world, number);
        bool chosen = simnet_stream_chance(&stream, share);
        if (!chosen || machine->node == NULL || machine->state != SIMNET_MACHINE_UP)
            continue;
        simnet_adversary_turn(world, machine, league, kind);
        turned++;
    }
    return turned;
}

struct simnet_machine *simnet_adversary_add(struct simnet_world *world,
                                            const struct simnet_profile *profile,
                                            const struct simnet_league_member *self,
                                            struct simnet_league *league,
                                            enum simnet_adversary_kind kind)
{
    struct simnet_machine *machine = simnet_world_add(world, profile, &self->addr, 1, NULL);
    become(machine, &self->id, league, kind);
    simnet_machine_start(machine, NULL, 0);
    simnet_league_add(league, &self->id, &self->addr);
    return machine;
}

// ---- crowds ----

// An honest node as an attacker sees it who has walked the whole network.
struct victim {
    struct dht_id id;
    struct dht_addr addr;
    uint64_t distance;
};

static uint32_t list_victims(struct simnet_world *world, uint8_t ip_len,
                             struct victim **ret_victims)
{
    uint32_t count = 0;
    uint32_t machines = simnet_world_machines(world);
    struct victim *victims = simnet_world_need(malloc((machines + 1) * sizeof *victims));
    for (uint32_t i = 0; i < machines; i++) {
        const struct simnet_machine *machine = simnet_world_machine(world, i);
        for (int engine = 0; machine->node != NULL && engine < machine->address_count; engine++) {
            struct dht_info info;
            if (machine->addrs[engine].ip_len != ip_len)
                continue;
            dht_info(node_engine(machine->node, engine), &info);
            victims[count++] = (struct victim){.id = info.id, .addr = machine->addrs[engine]};
        }
    }
    *ret_victims = victims;
    return count;
}

static int by_distance(const void *a, const void *b)
{
    uint64_t left = ((const struct victim *)a)->distance;
    uint64_t right = ((const struct victim *)b)->distance;
    return (left > right) - (left < right);
}

static void sort_victims(struct victim *victims, uint32_t count, const struct dht_id *around)
{
    for (uint32_t i = 0; i < count; i++)
        victims[i].distance = dht_id_distance64(&victims[i].id, around);
    qsort(victims, count, sizeof *victims, by_distance);
}

static void aim(struct adversary *self, const struct victim *victims, uint32_t count, int64_t at_us)
{
    if (count == 0)
        return;
    self->victims = simnet_world_need(malloc(count * sizeof *self->victims));
    self->victim_count = count;
    for (uint32_t i = 0; i < count; i++)
        self->victims[i] = victims[i].addr;
    self->rounds_left = INTRODUCE_ROUNDS;
    self->due_us = at_us;
}

// Whether its id fits its address. place: in the crowd.
static bool choose_self(const struct simnet_adversary_crowd *crowd, uint32_t place,
                        struct simnet_stream *stream, struct simnet_league_member *ret_self)
{
    uint8_t random[DHT_ID_LEN];
    const struct dht_addr *base =
        crowd->range == SIMNET_CLAIM_FEW ? &crowd->few[place % crowd->few_count] : &crowd->base;
    if (crowd->target != NULL && simnet_claim_near(crowd->range, base, crowd->target, stream,
                                                   &ret_self->addr, &ret_self->id))
        return true;
    ret_self->addr = simnet_claim_any(crowd->range, base, stream);
    simnet_stream_bytes(stream, random, sizeof random);
    if (crowd->target == NULL) {
        dht_id_make(&ret_self->addr, random, &ret_self->id);
        return true;
    }
    memcpy(random, crowd->target->bytes, 3);
    memcpy(ret_self->id.bytes, random, sizeof random);
    return false;
}

uint32_t simnet_adversary_join(struct simnet_world *world, const struct simnet_profile *profile,
                               const struct simnet_adversary_crowd *crowd,
                               struct simnet_league *league)
{
    struct simnet_stream stream;
    struct victim *victims;
    uint32_t known = list_victims(world, simnet_claim_ip_len(crowd->range), &victims);
    uint32_t count = crowd->victims < known ? crowd->victims : known;
    uint32_t fit = 0;
    simnet_stream_init(&stream, simnet_world_seed(world), "crowd", simnet_world_machines(world));
    if (crowd->target != NULL)
        sort_victims(victims, known, crowd->target);
    for (uint32_t i = 0; i < crowd->count; i++) {
        struct simnet_league_member chosen;
        bool fits = choose_self(crowd, i, &stream, &chosen);
        while (simnet_world_find(world, &chosen.addr) != NULL)
            fits = choose_self(crowd, i, &stream, &chosen);
        fit += fits;
        struct simnet_machine *machine =
            simnet_adversary_add(world, profile, &chosen, league, crowd->kind);
        if (crowd->target == NULL)
            sort_victims(victims, known, &chosen.id);
        aim((struct adversary *)machine->actor, victims, count,
            simnet_world_now(world) + (int64_t)i * INTRODUCE_STEP_US);
        simnet_machine_settle(machine);
    }
    free(victims);
    return fit;
}
