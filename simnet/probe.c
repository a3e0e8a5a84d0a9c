// SPDX-License-Identifier: MIT
#include "simnet/probe.h"

#include "dht/id.h"
#include "node/core/zbase32.h"
#include "simnet/crypto.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define STOP_US (2 * SIMNET_SECOND_US) // that one that stops reading does not read

const char *simnet_probe_word(enum simnet_probe_outcome outcome)
{
    static const char *const words[SIMNET_PROBE_OUTCOMES] = {"found",  "not found", "timed out",
                                                             "failed", "gone",      "dropped",
                                                             "wrong",  "refused",   "withdrawn"};
    assert(outcome < SIMNET_PROBE_OUTCOMES);
    return words[outcome];
}

const char *simnet_probe_manner_word(enum simnet_probe_manner manner)
{
    static const char *const words[SIMNET_PROBE_MANNERS] = {"polite", "cancelled", "hung up",
                                                            "asked twice", "stopped reading"};
    assert(manner < SIMNET_PROBE_MANNERS);
    return words[manner];
}

bool simnet_probe_is_stale(const struct simnet_probe *probe)
{
    bool was_gone = !probe->was_wanted && probe->was_settled;
    return probe->plan.publisher != NULL && probe->outcome == SIMNET_PROBE_FOUND &&
           (probe->version < probe->acked || (was_gone && probe->version == probe->acked));
}

static void end(struct simnet_probe *probe, enum simnet_probe_outcome outcome)
{
    if (!probe->is_busy)
        return;
    probe->is_busy = false;
    probe->run++;
    // What never was published is worse than any way to end.
    if (probe->outcome != SIMNET_PROBE_WRONG)
        probe->outcome = outcome;
    probe->end_us = simnet_world_now(probe->plan.machine->world);
    simnet_client_close(probe->client);
    if (probe->ended != NULL)
        probe->ended(probe->ctx, probe);
}

// Whether at some time since it was asked the network could hold the name's withdrawal.
static bool was_withdrawn(const struct simnet_probe *probe)
{
    const struct simnet_publisher *publisher = probe->plan.publisher;
    return publisher != NULL && (probe->was_withdrawn || publisher->is_withdrawn ||
                                 publisher->withdrawals != probe->withdrawals);
}

static void end_without(struct simnet_probe *probe)
{
    end(probe, was_withdrawn(probe) ? SIMNET_PROBE_WITHDRAWN : SIMNET_PROBE_NOT_FOUND);
}

// ---- what it hears ----

static void take_result(struct simnet_probe *probe, const struct simnet_answer_result *result)
{
    uint32_t number;
    uint32_t version;
    const struct simnet_publisher *publisher = probe->plan.publisher;
    if (!simnet_publisher_read(result->payload, &number, &version) || number != publisher->number ||
        version > publisher->version || version == 0) {
        probe->outcome = SIMNET_PROBE_WRONG;
        return;
    }
    if (probe->first_us < 0) {
        probe->first_us = simnet_world_now(probe->plan.machine->world);
        probe->first = result->work;
        probe->source = result->source;
    }
    if (version > probe->version)
        probe->version = version;
    if (result->seq > probe->seq)
        probe->seq = result->seq;
}

// Keeps the closest to the target, sorted.
static void keep(struct simnet_probe_ids *kept, const struct dht_id *target,
                 const struct dht_id *id)
{
    size_t at = kept->count;
    if (at == SIMNET_PROBE_IDS_MAX) {
        if (dht_id_compare(target, id, &kept->ids[at - 1]) >= 0)
            return;
        at--;
    } else {
        kept->count++;
    }
    for (; at > 0 && dht_id_compare(target, id, &kept->ids[at - 1]) < 0; at--)
        kept->ids[at] = kept->ids[at - 1];
    kept->ids[at] = *id;
}

static void take_hop(struct simnet_probe *probe, const struct simnet_answer_hop *hop)
{
    if (!hop->has_id)
        return;
    keep(&probe->asked, &probe->target, &hop->id);
    if (hop->outcome == CONTROL_OUTCOME_ANSWERED || hop->outcome == CONTROL_OUTCOME_FOUND)
        keep(&probe->answered, &probe->target, &hop->id);
}

static void take_final(struct simnet_probe *probe, const struct simnet_answer_final *final)
{
    probe->end = final->work;
    switch (final->code) {
    case CONTROL_ERROR_OK:
        if (probe->first_us >= 0)
            end(probe, SIMNET_PROBE_FOUND);
        else
            end_without(probe);
        return;
    case CONTROL_ERROR_NOT_FOUND:
        end_without(probe);
        return;
    case CONTROL_ERROR_TIMED_OUT:
        end(probe, SIMNET_PROBE_TIMED_OUT);
        return;
    case CONTROL_ERROR_CANCELLED:
        // By itself, or because its machine is being stopped.
        end(probe,
            probe->plan.manner == SIMNET_PROBE_CANCELS ? SIMNET_PROBE_DROPPED : SIMNET_PROBE_GONE);
        return;
    default:
        end(probe, SIMNET_PROBE_FAILED);
    }
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct simnet_probe *probe = ctx;
    struct simnet_answer_result result;
    struct simnet_answer_hop hop;
    struct simnet_answer_final final;
    (void)client;
    if (!probe->is_busy || answer->request == NULL ||
        answer->request->kind != CONTROL_REQUEST_RESOLVE)
        return;
    if (probe->heard != NULL)
        probe->heard(probe->ctx, probe, answer);
    if (answer->kind == CONTROL_ANSWER_RESULT && simnet_answer_result(answer->fields, &result))
        take_result(probe, &result);
    else if (answer->kind == CONTROL_ANSWER_PROGRESS && simnet_answer_hop(answer->fields, &hop))
        take_hop(probe, &hop);
    else if (simnet_answer_final(answer->kind, answer->fields, &final))
        take_final(probe, &final);
}

static void session_ended(void *ctx, struct simnet_client *client, enum simnet_client_end how)
{
    struct simnet_probe *probe = ctx;
    (void)client;
    if (how == SIMNET_CLIENT_CLOSED)
        return;
    bool is_own = how == SIMNET_CLIENT_HUNG_UP && probe->plan.manner == SIMNET_PROBE_ASKS_TWICE;
    end(probe, is_own ? SIMNET_PROBE_DROPPED : SIMNET_PROBE_GONE);
}

// ---- what it does ----

static uint32_t ask(struct simnet_probe *probe)
{
    const struct simnet_probe_plan *plan = &probe->plan;
    return simnet_client_resolve(probe->client,
                                 &(struct simnet_client_resolve){.name = probe->name,
                                                                 .wait = plan->wait,
                                                                 .timeout_ms = plan->timeout_ms,
                                                                 .trace = plan->trace});
}

static void misbehave(struct simnet_world *world, void *ctx, uint64_t run)
{
    struct simnet_probe *probe = ctx;
    if (probe->run != run || !probe->is_busy)
        return;
    if (probe->plan.manner != SIMNET_PROBE_POLITE)
        probe->shown = probe->plan.manner;
    switch (probe->plan.manner) {
    case SIMNET_PROBE_CANCELS:
        if (simnet_client_pending(probe->client) > 0)
            simnet_client_cancel(probe->client, simnet_client_request(probe->client, 0)->id);
        return;
    case SIMNET_PROBE_HANGS_UP:
        simnet_client_close(probe->client);
        end(probe, SIMNET_PROBE_DROPPED);
        return;
    case SIMNET_PROBE_STOPS:
        probe->plan.manner = SIMNET_PROBE_POLITE;
        simnet_client_read(probe->client, false);
        simnet_world_at(world, simnet_world_now(world) + STOP_US, misbehave, probe, run);
        return;
    default:
        simnet_client_read(probe->client, true);
    }
}

static void begin(struct simnet_probe *probe)
{
    uint32_t run = probe->run;
    uint32_t id = ask(probe);
    if (!probe->is_busy || probe->run != run || probe->plan.manner == SIMNET_PROBE_POLITE)
        return;
    if (probe->plan.manner == SIMNET_PROBE_ASKS_TWICE) {
        probe->shown = SIMNET_PROBE_ASKS_TWICE;
        simnet_client_next_id(probe->client, id);
        ask(probe);
        return;
    }
    struct simnet_world *world = probe->plan.machine->world;
    simnet_world_at(world, simnet_world_now(world) + probe->plan.manner_us, misbehave, probe, run);
}

// What is asked for, and what is known of it now.
static void aim(struct simnet_probe *probe)
{
    const struct simnet_publisher *publisher = probe->plan.publisher;
    if (publisher != NULL) {
        memcpy(probe->name, publisher->name, sizeof probe->name);
        probe->target = publisher->target;
        probe->acked = publisher->acked;
        probe->was_wanted = publisher->is_wanted;
        probe->was_settled = publisher->is_settled;
        probe->was_withdrawn = publisher->is_withdrawn;
        probe->withdrawals = publisher->withdrawals;
        return;
    }
    struct dht_span key = {probe->plan.key, DHT_KEY_LEN};
    core_zbase32_encode(probe->plan.key, probe->name);
    simnet_crypto_sha1(NULL, &key, 1, probe->target.bytes);
    probe->acked = 0;
    probe->was_wanted = false;
    probe->was_settled = true;
    probe->was_withdrawn = false;
    probe->withdrawals = 0;
}

void simnet_probe_run(struct simnet_probe *probe, const struct simnet_probe_plan *plan)
{
    assert(!probe->is_busy);
    probe->plan = *plan;
    probe->run++;
    probe->is_busy = true;
    aim(probe);
    probe->asked_us = simnet_world_now(plan->machine->world);
    probe->first_us = -1;
    probe->first = probe->end = (struct simnet_answer_work){0};
    probe->version = 0;
    probe->seq = DHT_SEQ_NONE;
    probe->source = -1;
    probe->shown = SIMNET_PROBE_POLITE;
    probe->answered.count = probe->asked.count = 0;
    probe->outcome = SIMNET_PROBE_FOUND;
    simnet_client_cut(probe->client, plan->cut);
    if (!simnet_client_open(probe->client, plan->machine, NODE_ACCESS_RESOLVE))
        end(probe, plan->machine->node != NULL ? SIMNET_PROBE_REFUSED : SIMNET_PROBE_GONE);
    else
        begin(probe);
}

// ---- life ----

struct simnet_probe *simnet_probe_new(struct simnet_world *world)
{
    struct simnet_probe *probe = simnet_world_need(calloc(1, sizeof *probe));
    probe->client = simnet_client_new(world);
    probe->watch =
        (struct simnet_client_watch){.answered = answered, .ended = session_ended, .ctx = probe};
    simnet_client_watch(probe->client, &probe->watch);
    return probe;
}

void simnet_probe_free(struct simnet_probe *probe)
{
    if (probe == NULL)
        return;
    simnet_client_free(probe->client);
    free(probe);
}
