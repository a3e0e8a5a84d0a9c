// SPDX-License-Identifier: MIT
#include "simnet/follower.h"

#include <assert.h>
#include <stdlib.h>

static struct simnet_follower_name *find_name(struct simnet_follower *follower, uint32_t request)
{
    for (uint32_t i = 0; i < follower->count; i++)
        if (follower->names[i].request == request)
            return &follower->names[i];
    return NULL;
}

static void take_result(struct simnet_follower_name *name, struct dht_span fields, int64_t now_us)
{
    struct simnet_answer_result result;
    uint32_t number, version;
    int event = simnet_answer_event(fields);
    name->news += name->is_watching;
    if (event == CONTROL_EVENT_GONE) {
        name->is_there = false;
        name->told_us = now_us;
    } else if (simnet_answer_result(fields, &result) &&
               simnet_publisher_read(result.payload, &number, &version) &&
               number == name->publisher->number) {
        name->is_there = true;
        name->version = version;
        name->told_us = now_us;
    }
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct simnet_follower *follower = ctx;
    struct simnet_follower_name *name = find_name(follower, answer->id);
    int64_t now_us = simnet_world_now(simnet_client_machine(client)->world);
    if (name == NULL)
        return;
    if (answer->kind == CONTROL_ANSWER_RESULT)
        take_result(name, answer->fields, now_us);
    else if (answer->kind == CONTROL_ANSWER_PROGRESS)
        name->is_watching = true; // the one step that a watch tells
    else
        name->has_failed = true; // a watch never ends by itself
}

static void asked(void *ctx, struct simnet_client *client,
                  const struct simnet_client_request *request)
{
    struct simnet_follower *follower = ctx;
    (void)client;
    // Now, for it may be answered before it is said to the end.
    follower->names[follower->count - 1].request = request->id;
}

struct simnet_follower *simnet_follower_new(struct simnet_machine *machine)
{
    struct simnet_follower *follower = simnet_world_need(calloc(1, sizeof *follower));
    follower->client = simnet_client_new(machine->world);
    follower->watch =
        (struct simnet_client_watch){.asked = asked, .answered = answered, .ctx = follower};
    simnet_client_watch(follower->client, &follower->watch);
    bool is_open = simnet_client_open(follower->client, machine, NODE_ACCESS_RESOLVE);
    assert(is_open);
    (void)is_open;
    return follower;
}

void simnet_follower_free(struct simnet_follower *follower)
{
    if (follower == NULL)
        return;
    simnet_client_free(follower->client);
    free(follower);
}

void simnet_follower_add(struct simnet_follower *follower, const struct simnet_publisher *publisher)
{
    assert(follower->count < SIMNET_FOLLOWER_NAMES_MAX);
    follower->names[follower->count++] = (struct simnet_follower_name){.publisher = publisher};
    simnet_client_follow(follower->client, publisher->name);
}

void simnet_follower_end(struct simnet_follower *follower)
{
    simnet_client_close(follower->client);
}

bool simnet_follower_is_up(const struct simnet_follower *follower)
{
    return simnet_client_is_open(follower->client);
}
