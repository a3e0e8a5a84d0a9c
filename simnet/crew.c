// SPDX-License-Identifier: MIT
#include "simnet/crew.h"

#include "dht/krpc.h"
#include "node/core/record.h"
#include "simnet/host.h"
#include "simnet/ledger.h"
#include "simnet/partition.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_US         (10 * SIMNET_SECOND_US)
#define LOOK_TIMEOUT_MS 30000
#define GHOST_SLACK_US  (2 * SIMNET_MINUTE_US)  // between notes, and that a round takes
#define HEALS_US        (20 * SIMNET_MINUTE_US) // until all who were cut off know each other again
#define GRACE_US        (CORE_RECORD_GRACE_S * SIMNET_SECOND_US)

// One who looks: a client of an observer's.
struct simnet_crew_looker {
    struct simnet_crew *crew;
    struct simnet_machine *machine;
    struct simnet_client *client;
    struct simnet_client_watch watch;
    int64_t asked_us;
    int64_t seq; // found
    uint32_t found[SIMNET_PUBLISHER_WRITERS];
};

static void fail(struct simnet_crew *crew, uint32_t writer, const char *what, int64_t value)
{
    if (crew->failures++ > 0)
        return;
    snprintf(crew->line, sizeof crew->line,
             "writer %" PRIu32 " (machine %" PRIu32 ") at %" PRId64 " s: %s (%" PRId64 ")",
             writer + 1, crew->config.machines[writer],
             simnet_world_now(crew->world) / SIMNET_SECOND_US, what, value);
}

// ---- what is the case ----

static bool is_split(const struct simnet_crew *crew)
{
    return crew->config.partition != NULL && simnet_partition_is_split(crew->config.partition);
}

// The side of the network on which the machine is, in the split under way.
static uint32_t side_of(const struct simnet_crew *crew, const struct simnet_machine *machine)
{
    return is_split(crew) ? simnet_partition_group_of(crew->config.partition, machine->place) : 0;
}

static bool is_up(const struct simnet_machine *machine)
{
    return machine->state == SIMNET_MACHINE_UP && !machine->is_unplugged;
}

// Whether the entry has to be found: it was acknowledged, and nothing else is wanted since.
static bool is_due(const struct simnet_publisher *publisher)
{
    return is_up(publisher->machine) && publisher->is_wanted && publisher->is_settled;
}

// Whether the machine may sign the entry now.
static bool may_sign(const struct simnet_publisher *publisher)
{
    bool wants = publisher->is_wanted || !publisher->is_settled;
    return publisher->machine->state != SIMNET_MACHINE_OFF && wants;
}

static void note_one(struct simnet_crew *crew, struct simnet_crew_writer *writer)
{
    const struct simnet_publisher *publisher = writer->publisher;
    int64_t now_us = simnet_world_now(crew->world);
    bool due = is_due(publisher);
    for (uint32_t side = 0; side < SIMNET_CREW_GROUPS; side++) {
        bool here = !is_split(crew) || side == side_of(crew, publisher->machine);
        if (!due || !here)
            writer->seen_us[side] = now_us;
    }
    if (!may_sign(publisher))
        return;
    int64_t ahead_us = simnet_host_wall(publisher->machine) - simnet_world_wall(crew->world);
    int64_t until_us = now_us + ahead_us + crew->config.lifetime_us + GRACE_US + GHOST_SLACK_US;
    if (until_us > writer->ghost_us)
        writer->ghost_us = until_us;
}

// The network has become two, or one again.
static void note_split(struct simnet_crew *crew, bool split)
{
    int64_t now_us = simnet_world_now(crew->world);
    int64_t older = crew->seq[0] < crew->seq[1] ? crew->seq[0] : crew->seq[1];
    crew->was_split = split;
    if (!split) {
        // What is found now is no older than what either side had, once the sides know each other
        // again: which is not at once.
        crew->seq[0] = older;
        crew->whole_us = now_us;
        return;
    }
    // Both sides go on from what the whole network had, if it was one for so long that all of it
    // can have what one side had written before.
    bool was_whole = now_us - crew->whole_us > crew->config.missing_us;
    crew->seq[0] = was_whole ? crew->seq[0] : DHT_SEQ_NONE;
    crew->seq[1] = crew->seq[0];
}

void simnet_crew_note(struct simnet_crew *crew)
{
    if (is_split(crew) != crew->was_split)
        note_split(crew, !crew->was_split);
    for (uint32_t i = 0; i < crew->config.size; i++)
        note_one(crew, &crew->writers[i]);
}

static void note_again(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_crew *crew = ctx;
    simnet_crew_note(crew);
    simnet_world_at(world, simnet_world_now(world) + NOTE_US, note_again, crew, number);
}

// ---- what is found ----

static void judge_entry(struct simnet_crew *crew, uint32_t number, uint32_t side, uint32_t version)
{
    struct simnet_crew_writer *writer = &crew->writers[number];
    const struct simnet_publisher *publisher = writer->publisher;
    int64_t now_us = simnet_world_now(crew->world);
    bool here = !is_split(crew) || side == side_of(crew, publisher->machine);
    writer->found = version;
    crew->entries += version != 0;
    if (version > publisher->version)
        fail(crew, number, "a version that it never had", version);
    if (is_due(publisher) && here) {
        if (version >= publisher->acked)
            writer->seen_us[side] = now_us;
        int64_t missing_us = now_us - writer->seen_us[side];
        if (missing_us > crew->longest_missing_us)
            crew->longest_missing_us = missing_us;
        if (missing_us > crew->config.missing_us)
            fail(crew, number, version == 0 ? "its entry is lost, for so many seconds" : "stale",
                 missing_us / SIMNET_SECOND_US);
    } else if (version != 0 && !may_sign(publisher)) {
        int64_t full_us = crew->config.lifetime_us + GRACE_US + GHOST_SLACK_US;
        int64_t ghost_us = now_us - (writer->ghost_us - full_us);
        if (ghost_us > crew->longest_ghost_us)
            crew->longest_ghost_us = ghost_us;
        if (now_us > writer->ghost_us)
            fail(crew, number, "a ghost, for so many seconds too long",
                 (now_us - writer->ghost_us) / SIMNET_SECOND_US);
    }
}

static void judge(struct simnet_crew_looker *looker)
{
    struct simnet_crew *crew = looker->crew;
    uint32_t side = side_of(crew, looker->machine);
    simnet_crew_note(crew);
    crew->looks++;
    if (looker->seq != DHT_SEQ_NONE && looker->seq < crew->seq[side])
        fail(crew, 0, "an older record was found than before, by so many us",
             crew->seq[side] - looker->seq);
    bool heals = !is_split(crew) && simnet_world_now(crew->world) - crew->whole_us < HEALS_US;
    if (looker->seq > crew->seq[side] && !heals)
        crew->seq[side] = looker->seq;
    for (uint32_t i = 0; i < crew->config.size; i++)
        judge_entry(crew, i, side, looker->found[i]);
}

static void take_result(struct simnet_crew_looker *looker,
                        const struct simnet_answer_result *result)
{
    uint32_t writer;
    uint32_t version;
    bool is_ours = result->endpoint_count == 1 &&
                   simnet_publisher_read_endpoint(&result->endpoints[0], &writer, &version) &&
                   writer <= looker->crew->config.size;
    if (!is_ours || looker->found[writer - 1] != 0) {
        fail(looker->crew, 0, "a result that is no writer's, or the second of one", 0);
        return;
    }
    looker->found[writer - 1] = version;
    looker->seq = result->seq;
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct simnet_crew_looker *looker = ctx;
    struct simnet_answer_result result;
    struct simnet_answer_final final;
    if (answer->request == NULL)
        return;
    if (answer->kind == CONTROL_ANSWER_RESULT && simnet_answer_result(answer->fields, &result))
        take_result(looker, &result);
    if (!simnet_answer_final(answer->kind, answer->fields, &final))
        return;
    if (final.code == CONTROL_ERROR_OK || final.code == CONTROL_ERROR_NOT_FOUND)
        judge(looker);
    else
        looker->crew->looks_failed++;
    simnet_client_close(client);
}

void simnet_crew_look(struct simnet_crew *crew)
{
    uint32_t next = crew->next_looker++ % crew->config.observer_count;
    struct simnet_crew_looker *looker = crew->lookers[next];
    if (simnet_client_is_open(looker->client) ||
        !simnet_client_open(looker->client, looker->machine, NODE_ACCESS_RESOLVE)) {
        crew->looks_failed++;
        return;
    }
    looker->asked_us = simnet_world_now(crew->world);
    looker->seq = DHT_SEQ_NONE;
    memset(looker->found, 0, sizeof looker->found);
    simnet_client_resolve(looker->client, &(struct simnet_client_resolve){
                                              .name = crew->writers[0].publisher->name,
                                              .wait = CONTROL_WAIT_ALL,
                                              .timeout_ms = LOOK_TIMEOUT_MS,
                                          });
}

static void look_again(struct simnet_world *world, void *ctx, uint64_t number)
{
    struct simnet_crew *crew = ctx;
    simnet_crew_look(crew);
    simnet_world_at(world, simnet_world_now(world) + crew->config.look_us, look_again, crew,
                    number);
}

// ---- what is sent ----

static void see_put(struct simnet_crew *crew, uint32_t number, const struct dht_krpc *msg)
{
    struct simnet_crew_writer *writer = &crew->writers[number];
    uint64_t hash = simnet_ledger_hash(1, msg->value.data, msg->value.len);
    if (msg->seq < writer->sent_seq)
        fail(crew, number, "it puts an older record than before, by so many us",
             writer->sent_seq - msg->seq);
    if (msg->seq == writer->sent_seq && hash != writer->sent_hash)
        fail(crew, number, "it signs two records with one sequence number", msg->seq);
    writer->sent_seq = msg->seq;
    writer->sent_hash = hash;
}

static void see(void *ctx, struct simnet_world *world, enum simnet_tap_event event,
                const struct simnet_machine *machine, const struct simnet_element *element,
                const struct simnet_packet *packet)
{
    struct simnet_crew *crew = ctx;
    struct dht_krpc msg;
    struct dht_span bytes = {packet->bytes, packet->len};
    (void)world;
    (void)element;
    if (event != SIMNET_TAP_SENT)
        return;
    for (uint32_t i = 0; i < crew->config.size; i++) {
        const struct simnet_publisher *publisher = crew->writers[i].publisher;
        if (publisher->machine == machine && dht_krpc_parse(bytes, &msg) &&
            msg.type == DHT_KRPC_QUERY && msg.method == DHT_KRPC_PUT && msg.key.data != NULL &&
            memcmp(msg.key.data, publisher->key, DHT_KEY_LEN) == 0)
            see_put(crew, i, &msg);
    }
}

// ---- life ----

static struct simnet_crew_looker *new_looker(struct simnet_crew *crew, uint32_t machine)
{
    struct simnet_crew_looker *looker = simnet_world_need(calloc(1, sizeof *looker));
    looker->crew = crew;
    looker->machine = simnet_world_machine(crew->world, machine);
    looker->client = simnet_client_new(crew->world);
    looker->watch = (struct simnet_client_watch){.answered = answered, .ctx = looker};
    simnet_client_watch(looker->client, &looker->watch);
    return looker;
}

static void add_writer(struct simnet_crew *crew, uint32_t number)
{
    const struct simnet_crew_config *config = &crew->config;
    struct simnet_crew_writer *writer = &crew->writers[number];
    struct simnet_publisher_habits habits = config->habits;
    struct simnet_machine *machine = simnet_world_machine(crew->world, config->machines[number]);
    habits.writer = number + 1;
    writer->sent_seq = DHT_SEQ_NONE;
    writer->publisher =
        simnet_publisher_new(machine, config->number, config->at_us[number], &habits);
}

struct simnet_crew *simnet_crew_new(struct simnet_world *world,
                                    const struct simnet_crew_config *config)
{
    struct simnet_crew *crew = simnet_world_need(calloc(1, sizeof *crew));
    assert(config->size > 0 && config->size <= SIMNET_PUBLISHER_WRITERS);
    assert(config->observer_count > 0 && config->observer_count <= SIMNET_CREW_OBSERVERS_MAX);
    crew->world = world;
    crew->config = *config;
    for (uint32_t i = 0; i < SIMNET_CREW_GROUPS; i++)
        crew->seq[i] = DHT_SEQ_NONE;
    for (uint32_t i = 0; i < config->size; i++)
        add_writer(crew, i);
    for (uint32_t i = 0; i < config->observer_count; i++)
        crew->lookers[i] = new_looker(crew, config->observers[i]);
    crew->tap = (struct simnet_tap){.see = see, .ctx = crew};
    simnet_world_tap(world, &crew->tap);
    note_again(world, crew, 0);
    if (config->look_us > 0)
        look_again(world, crew, 0);
    return crew;
}

void simnet_crew_free(struct simnet_crew *crew)
{
    if (crew == NULL)
        return;
    simnet_world_untap(crew->world, &crew->tap);
    for (uint32_t i = 0; i < crew->config.size; i++)
        simnet_publisher_free(crew->writers[i].publisher);
    for (uint32_t i = 0; i < crew->config.observer_count; i++) {
        simnet_client_free(crew->lookers[i]->client);
        free(crew->lookers[i]);
    }
    free(crew);
}

// ---- looking in ----

uint64_t simnet_crew_changes(const struct simnet_crew *crew)
{
    uint64_t changes = 0;
    for (uint32_t i = 0; i < crew->config.size; i++)
        changes += crew->writers[i].publisher->acked + crew->writers[i].publisher->withdrawals;
    return changes;
}

uint32_t simnet_crew_found(const struct simnet_crew *crew)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < crew->config.size; i++)
        found += crew->writers[i].found != 0;
    return found;
}

uint32_t simnet_crew_version(const struct simnet_crew *crew, uint32_t writer)
{
    return crew->writers[writer].found;
}
