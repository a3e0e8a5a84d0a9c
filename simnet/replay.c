// SPDX-License-Identifier: MIT
#include "simnet/replay.h"

#include "simnet/crypto.h"
#include "simnet/replay_guard.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// How far the replay has come. It leaves RUNNING once and for all.
enum progress {
    RUNNING,
    ENDED, // the recording has ended
    DIFFERS,
    BROKEN,
};

struct replay {
    enum progress progress;
    struct recording_reader reader;
    struct recording_room *input; // the input that the brain works on, and what it points to
    struct recording_room *other; // what follows it
    struct node *brain;
    struct simnet_replay_guard guard;
    struct node_driver_counter counters[NODE_DRIVER_COUNTERS_MAX]; // as the brain sees them
    char counter_names[NODE_DRIVER_COUNTERS_MAX][SIMNET_REPLAY_COUNTER_NAME_MAX];
    uint64_t outputs_of_input;
    int64_t birth_us;
    struct simnet_replay_result *result;
};

// ---- how it ends ----

static void end(struct replay *replay, enum progress progress, const char *text)
{
    struct simnet_replay_result *result = replay->result;
    if (replay->progress != RUNNING)
        return;
    replay->progress = progress;
    result->entry = replay->reader.number;
    result->offset = replay->reader.offset;
    snprintf(result->text, sizeof result->text, "%s", text);
}

static void differs(struct replay *replay, const char *expected, const char *got)
{
    char text[SIMNET_REPLAY_TEXT_MAX];
    snprintf(text, sizeof text, "expected %s, got %s", expected, got);
    end(replay, DIFFERS, text);
}

// Reads the next entry into room. False where there is none, and the replay has ended.
static bool next_entry(struct replay *replay, struct recording_room *room)
{
    switch (recording_reader_next(&replay->reader, room)) {
    case RECORDING_READ:
        replay->result->entries++;
        return true;
    case RECORDING_BROKEN:
        end(replay, BROKEN, replay->reader.why);
        return false;
    case RECORDING_CUT:
        replay->result->is_cut = true;
        break;
    case RECORDING_OVER:
        break;
    }
    // Of nothing it cannot be said that it is the same.
    if (replay->brain == NULL)
        end(replay, BROKEN, "the recording ends before the node was made");
    else
        end(replay, ENDED, "");
    return false;
}

// ---- cryptography ----

// The entry that the recorded brain's request left. NULL where this brain asks for something else.
static const struct recording_entry *crypto_entry(struct replay *replay, enum recording_kind kind,
                                                  uint64_t digest)
{
    const struct recording_entry *entry = &replay->other->entry;
    char got[64];
    if (replay->progress != RUNNING || !next_entry(replay, replay->other))
        return NULL;
    if (entry->kind == kind && entry->crypto.digest == digest)
        return entry;
    snprintf(got, sizeof got, "%s of %s", recording_entry_kind_text((int)kind),
             entry->kind == kind ? "other bytes" : "something");
    differs(replay, recording_entry_kind_text((int)entry->kind), got);
    return NULL;
}

static bool verify(void *ctx, const uint8_t key[DHT_KEY_LEN], const uint8_t sig[DHT_SIG_LEN],
                   struct dht_span msg)
{
    uint64_t digest = recording_output_digest_signed(key, sig, msg);
    const struct recording_entry *entry = crypto_entry(ctx, RECORDING_VERIFY, digest);
    return entry != NULL && entry->crypto.ok;
}

static bool sign(void *ctx, const uint8_t key[DHT_KEY_LEN], struct dht_span msg,
                 uint8_t ret_sig[DHT_SIG_LEN])
{
    uint64_t digest = recording_output_digest_signed(key, NULL, msg);
    const struct recording_entry *entry = crypto_entry(ctx, RECORDING_SIGN, digest);
    if (entry == NULL || !entry->crypto.ok)
        return false;
    memcpy(ret_sig, entry->crypto.sig, DHT_SIG_LEN);
    return true;
}

// ---- inputs ----

static void make_brain(struct replay *replay, const struct recording_entry *entry)
{
    struct dht_crypto crypto = {.ctx = replay,
                                .sha1 = simnet_crypto_sha1,
                                .sha256 = simnet_crypto_sha256,
                                .verify = verify,
                                .sign = sign};
    replay->birth_us = entry->now_us;
    memcpy(replay->result->version, entry->birth.config.version, sizeof replay->result->version);
    replay->brain = node_new(&entry->birth.config, &crypto, entry->birth.seed, entry->now_us,
                             entry->birth.wall_us);
    if (replay->brain == NULL)
        end(replay, BROKEN, "no memory for the node");
}

// The brain reads them later, so they are kept.
static void set_counters(struct replay *replay, const struct recording_entry *entry)
{
    size_t count = entry->counters.count;
    for (size_t i = 0; i < count; i++) {
        snprintf(replay->counter_names[i], sizeof replay->counter_names[i], "%s",
                 entry->counters.list[i].name);
        replay->counters[i] =
            (struct node_driver_counter){replay->counter_names[i], entry->counters.list[i].value};
    }
    node_driver_counters(replay->brain, replay->counters, count);
}

// The next entry tells what the call before it returned.
static void check_result(struct replay *replay, int64_t got)
{
    char texts[2][64];
    const struct recording_entry *entry = &replay->other->entry;
    if (replay->progress != RUNNING || !next_entry(replay, replay->other))
        return;
    snprintf(texts[1], sizeof texts[1], "result %" PRId64, got);
    snprintf(texts[0], sizeof texts[0], "%s", recording_entry_kind_text((int)entry->kind));
    if (entry->kind == RECORDING_RESULT)
        snprintf(texts[0], sizeof texts[0], "result %" PRId64, entry->result);
    if (entry->kind != RECORDING_RESULT || entry->result != got)
        differs(replay, texts[0], texts[1]);
}

static void tell_session(struct replay *replay, const struct recording_entry *entry)
{
    struct node *brain = replay->brain;
    uint32_t number = entry->session.number;
    switch (entry->kind) {
    case RECORDING_SESSION_OPEN:
        check_result(replay, node_session_open(brain, entry->now_us, entry->session.access));
        break;
    case RECORDING_SESSION_BYTES:
        node_session_bytes(brain, entry->now_us, number, entry->session.bytes);
        break;
    case RECORDING_SESSION_SENT:
        node_session_sent(brain, entry->now_us, number, (size_t)entry->session.sent);
        break;
    case RECORDING_SESSION_CLOSED:
        node_session_closed(brain, entry->now_us, number);
        break;
    case RECORDING_COUNTERS:
        set_counters(replay, entry);
        break;
    default:
        node_key_answered(brain, entry->now_us, &entry->key_answered.answer);
        break;
    }
}

// What comes from the network, the disk and the clock.
static void tell_world(struct replay *replay, const struct recording_entry *entry)
{
    struct node *brain = replay->brain;
    int64_t now_us = entry->now_us;
    switch (entry->kind) {
    case RECORDING_WALL:
        node_wall(brain, now_us, entry->wall_us);
        break;
    case RECORDING_RECEIVE:
        node_receive(brain, now_us, (int)entry->receive.engine, entry->receive.datagrams,
                     entry->receive.count);
        break;
    case RECORDING_HEARD:
        node_heard(brain, now_us, (int)entry->receive.engine, entry->receive.datagrams,
                   entry->receive.count);
        break;
    case RECORDING_UNREACHABLE:
        node_unreachable(brain, now_us, (int)entry->addrs.engine, entry->addrs.addrs);
        break;
    case RECORDING_BOOTSTRAP:
        node_bootstrap(brain, now_us, (int)entry->addrs.engine, entry->addrs.addrs,
                       entry->addrs.count);
        break;
    case RECORDING_NETWORK_CHANGED:
        node_network_changed(brain, now_us);
        break;
    case RECORDING_TICK:
        node_tick(brain, now_us);
        break;
    case RECORDING_WRITTEN:
        node_written(brain, now_us, entry->written.id, entry->written.ok);
        break;
    default:
        tell_session(replay, entry);
        break;
    }
}

static void tell_added(struct replay *replay, const struct recording_entry *entry)
{
    int result = entry->kind == RECORDING_ADD_CLOUD
                     ? node_add_cloud(replay->brain, entry->now_us, &entry->cloud)
                     : node_add_engine(replay->brain, entry->now_us, (int)entry->engine.cloud,
                                       &entry->engine.config);
    simnet_replay_guard_added(&replay->guard, entry, result);
    check_result(replay, result);
}

static void tell(struct replay *replay, const struct recording_entry *entry)
{
    struct node *brain = replay->brain;
    switch (entry->kind) {
    case RECORDING_NEW:
        make_brain(replay, entry);
        break;
    case RECORDING_ADD_CLOUD:
    case RECORDING_ADD_ENGINE:
        tell_added(replay, entry);
        break;
    case RECORDING_REMOVE_CLOUD:
        node_remove_cloud(brain, entry->now_us, (int)entry->number);
        break;
    case RECORDING_REMOVE_ENGINE:
        node_remove_engine(brain, entry->now_us, (int)entry->number);
        break;
    case RECORDING_RESTORE:
        check_result(replay,
                     node_restore(brain, entry->row.kind, entry->row.key, entry->row.value));
        break;
    case RECORDING_KEY_ADDED:
        check_result(replay,
                     node_key_added(brain, entry->key.label, entry->key.key, entry->key.path));
        break;
    case RECORDING_KEY_REMOVED:
        node_key_removed(brain, entry->key.label);
        break;
    case RECORDING_START:
        node_start(brain, entry->now_us);
        break;
    case RECORDING_SET_PUBLISHING:
        node_set_publishing(brain, entry->publishing.ttl_s, entry->publishing.renew_us);
        break;
    case RECORDING_STOP:
        node_stop(brain, entry->now_us);
        break;
    default:
        tell_world(replay, entry);
        break;
    }
}

static void take_input(struct replay *replay, const struct recording_entry *entry)
{
    struct simnet_replay_result *result = replay->result;
    const char *why = simnet_replay_guard_input(&replay->guard, entry);
    if (why != NULL) {
        end(replay, BROKEN, why);
        return;
    }
    result->inputs++;
    result->input_entry = replay->input->number;
    result->input = entry->kind;
    replay->outputs_of_input = 0;
    tell(replay, entry);
    result->input_at_us = replay->guard.now_us - replay->birth_us;
}

// ---- outputs ----

static void take_output(struct replay *replay, const struct recording_output *expected)
{
    char texts[2][RECORDING_OUTPUT_TEXT_MAX] = {"", "nothing"};
    struct node_out out;
    struct recording_output got;
    replay->outputs_of_input++;
    bool is_there = node_next(replay->brain, &out);
    if (is_there) {
        got = recording_output_of(&out);
        recording_output_to_text(&got, texts[1]);
    }
    if (is_there && recording_output_equal(expected, &got)) {
        replay->result->outputs++;
        simnet_replay_guard_output(&replay->guard, &out);
        return;
    }
    recording_output_to_text(expected, texts[0]);
    replay->result->output = replay->outputs_of_input;
    differs(replay, texts[0], texts[1]);
}

static void take_drained(struct replay *replay)
{
    char text[RECORDING_OUTPUT_TEXT_MAX];
    struct node_out out;
    if (!node_next(replay->brain, &out))
        return;
    struct recording_output got = recording_output_of(&out);
    recording_output_to_text(&got, text);
    replay->result->output = replay->outputs_of_input + 1;
    differs(replay, "nothing", text);
}

static void take_entry(struct replay *replay, const struct recording_entry *entry)
{
    const char *kind = recording_entry_kind_text((int)entry->kind);
    if (replay->brain == NULL && entry->kind != RECORDING_NEW) {
        end(replay, BROKEN, "a recording begins with the making of the node");
    } else if (recording_entry_is_input(entry->kind)) {
        take_input(replay, entry);
    } else if (entry->kind == RECORDING_OUTPUT) {
        take_output(replay, &entry->output);
    } else if (entry->kind == RECORDING_DRAINED) {
        take_drained(replay);
    } else if (entry->kind == RECORDING_END) {
        replay->result->end = entry->end; // what follows, if anything, breaks it
    } else {
        differs(replay, kind, "none");
    }
}

// ---- the whole ----

static void run(struct replay *replay)
{
    while (replay->progress == RUNNING && next_entry(replay, replay->input))
        take_entry(replay, &replay->input->entry);
}

void simnet_replay(recording_read_fn read, void *ctx, struct simnet_replay_result *ret_result)
{
    static const enum simnet_replay_verdict verdicts[] = {
        [ENDED] = SIMNET_REPLAY_SAME,
        [DIFFERS] = SIMNET_REPLAY_DIFFERS,
        [BROKEN] = SIMNET_REPLAY_BROKEN,
    };
    struct replay *replay = calloc(1, sizeof *replay);
    struct recording_room *rooms = calloc(2, sizeof *rooms);
    memset(ret_result, 0, sizeof *ret_result);
    ret_result->verdict = SIMNET_REPLAY_BROKEN;
    if (replay == NULL || rooms == NULL) {
        snprintf(ret_result->text, sizeof ret_result->text, "no memory for a replay");
    } else {
        replay->input = &rooms[0];
        replay->other = &rooms[1];
        replay->result = ret_result;
        recording_reader_init(&replay->reader, read, ctx);
        run(replay);
        ret_result->verdict = verdicts[replay->progress];
        ret_result->span_us = ret_result->input_at_us;
        node_free(replay->brain);
        simnet_replay_guard_fini(&replay->guard);
    }
    free(replay);
    free(rooms);
}
