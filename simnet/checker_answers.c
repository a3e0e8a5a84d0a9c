// SPDX-License-Identifier: MIT
// Of a checker: each request is answered once and in time, and nothing comes by a session that was
// hung up on.
#include "simnet/checker_part.h"

#include <stdlib.h>

// Those that cost the network nothing are answered at once.
#define AT_ONCE_US SIMNET_SECOND_US

static int64_t allowed_us(const struct simnet_checker *checker,
                          const struct simnet_client_request *request)
{
    switch (request->kind) {
    case CONTROL_REQUEST_CANCEL:
    case CONTROL_REQUEST_STATUS:
    case CONTROL_REQUEST_PEERS:
    case CONTROL_REQUEST_PUBLICATIONS:
        return AT_ONCE_US + checker->config.slack_us;
    default:
        break;
    }
    int64_t timeout_us = request->timeout_us != 0 ? request->timeout_us : checker->config.other_us;
    return timeout_us + checker->config.slack_us;
}

// Of a request that is under way. One that was answered late is no failure by itself: its machine
// may have slept past the deadline, and cannot answer before it is awake. One that is still not
// answered while it is awake is.
static void judge_time(struct simnet_checker *checker, const struct simnet_client *client,
                       const struct simnet_client_request *request)
{
    const struct simnet_machine *machine = simnet_client_machine(client);
    if (machine->state != SIMNET_MACHINE_UP || !request->is_said)
        return;
    int64_t took_us = simnet_machine_now(machine) - request->machine_us;
    if (took_us > allowed_us(checker, request))
        simnet_checker_fail(checker, machine, "%s %u of session %u takes %.3f s already",
                            control_protocol_request_word(request->kind), request->id,
                            simnet_client_session(client), (double)took_us / 1e6);
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct simnet_checker *checker = ctx;
    const struct simnet_machine *machine = simnet_client_machine(client);
    if (answer->id != 0 && answer->request == NULL)
        simnet_checker_fail(checker, machine, "session %u: %s for %u, which is not under way",
                            simnet_client_session(client),
                            control_protocol_answer_word(answer->kind), answer->id);
}

static void ended(void *ctx, struct simnet_client *client, enum simnet_client_end end)
{
    struct simnet_checker *checker = ctx;
    const struct simnet_machine *machine = simnet_client_machine(client);
    if (end == SIMNET_CLIENT_BROKEN)
        simnet_checker_fail(checker, machine, "session %u: what came is no answer",
                            simnet_client_session(client));
    uint64_t life = simnet_checker_life(machine);
    int64_t *closed = simnet_ledger_take(
        &checker->closed, simnet_stream_pair(life, simnet_client_session(client), 0));
    *closed = simnet_world_now(checker->world);
}

void simnet_checker_answers_bytes(struct simnet_checker *checker,
                                  const struct simnet_machine *machine, uint32_t session)
{
    uint64_t life = simnet_checker_life(machine);
    const int64_t *closed =
        simnet_ledger_find(&checker->closed, simnet_stream_pair(life, session, 0));
    if (closed != NULL && *closed < simnet_world_now(checker->world))
        simnet_checker_fail(checker, machine, "bytes for session %u, which was closed at %.3f s",
                            session, (double)*closed / 1e6);
}

void simnet_checker_answers_sample(struct simnet_checker *checker)
{
    for (const struct simnet_checker_client *watched = checker->clients; watched != NULL;
         watched = watched->next) {
        size_t count = simnet_client_pending(watched->client);
        for (size_t i = 0; simnet_client_is_open(watched->client) && i < count; i++)
            judge_time(checker, watched->client, simnet_client_request(watched->client, i));
    }
}

void simnet_checker_client(struct simnet_checker *checker, struct simnet_client *client)
{
    if ((checker->config.parts & SIMNET_CHECKER_ANSWERS) == 0)
        return;
    struct simnet_checker_client *watched = simnet_world_need(calloc(1, sizeof *watched));
    watched->checker = checker;
    watched->client = client;
    watched->watch =
        (struct simnet_client_watch){.answered = answered, .ended = ended, .ctx = checker};
    watched->next = checker->clients;
    checker->clients = watched;
    simnet_client_watch(client, &watched->watch);
}
