// SPDX-License-Identifier: MIT
#include "simnet/publisher.h"

#include "node/core/name.h"
#include "node/core/zbase32.h"
#include "simnet/crypto.h"
#include "simnet/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_LEN   12
#define RETRY_US      (3 * SIMNET_SECOND_US)
#define RETRY_MOST_US SIMNET_MINUTE_US       // after failures in a row
#define WRITERS_AT    100                    // 192.0.2.101 is the endpoint of writer 1
#define RUDE_US       (4 * SIMNET_SECOND_US) // a request is broken off within this

static const char magic[4] = {'s', 'i', 'm', '1'};

static void write_payload(const struct simnet_publisher *publisher,
                          uint8_t ret_payload[PAYLOAD_LEN])
{
    memcpy(ret_payload, magic, 4);
    for (int i = 0; i < 4; i++) {
        ret_payload[4 + i] = (uint8_t)(publisher->number >> (24 - 8 * i));
        ret_payload[8 + i] = (uint8_t)(publisher->version >> (24 - 8 * i));
    }
}

bool simnet_publisher_read(struct dht_span payload, uint32_t *ret_number, uint32_t *ret_version)
{
    uint32_t number = 0;
    uint32_t version = 0;
    if (payload.len != PAYLOAD_LEN || memcmp(payload.data, magic, 4) != 0)
        return false;
    for (int i = 0; i < 4; i++) {
        number = number << 8 | payload.data[4 + i];
        version = version << 8 | payload.data[8 + i];
    }
    *ret_number = number;
    *ret_version = version;
    return true;
}

static struct control_endpoint endpoint_of(const struct simnet_publisher *publisher)
{
    struct control_endpoint endpoint = {.ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6};
    endpoint.port = (uint16_t)publisher->version;
    if (publisher->habits.writer > 0)
        endpoint.ip[3] = (uint8_t)(WRITERS_AT + publisher->habits.writer);
    return endpoint;
}

bool simnet_publisher_read_endpoint(const struct control_endpoint *endpoint, uint32_t *ret_writer,
                                    uint32_t *ret_version)
{
    static const uint8_t net[3] = {192, 0, 2};
    uint32_t writer = endpoint->ip[3] - (uint32_t)WRITERS_AT; // wraps below
    if (endpoint->ip_len != 4 || memcmp(endpoint->ip, net, 3) != 0 || writer < 1 ||
        writer > SIMNET_PUBLISHER_WRITERS)
        return false;
    *ret_writer = writer;
    *ret_version = endpoint->port;
    return true;
}

// ---- what it does ----

static void act(struct simnet_world *world, void *ctx, uint64_t round);

// Its next deed; what was planned before is off.
static void plan(struct simnet_publisher *publisher, int64_t delay_us)
{
    publisher->round++;
    simnet_world_at(publisher->world, simnet_world_now(publisher->world) + delay_us, act, publisher,
                    publisher->round);
}

static void plan_change(struct simnet_publisher *publisher)
{
    if (publisher->habits.change_us == 0 || publisher->is_quiet)
        return;
    double mean = (double)publisher->habits.change_us;
    plan(publisher, 1 + (int64_t)simnet_stream_exponential(&publisher->stream, mean));
}

static void ask(struct simnet_publisher *publisher)
{
    uint8_t payload[PAYLOAD_LEN];
    struct control_endpoint endpoint = endpoint_of(publisher);
    struct simnet_client_publish publish = {.name = publisher->name,
                                            .endpoints = &endpoint,
                                            .endpoint_count = 1,
                                            .payload = {payload, PAYLOAD_LEN},
                                            .ttl_s = publisher->habits.ttl_s};
    write_payload(publisher, payload);
    if (publisher->habits.writer > 0)
        publish.payload = (struct dht_span){0};
    if (publisher->is_wanted)
        simnet_client_publish(publisher->client, &publish);
    else
        simnet_client_unpublish(publisher->client, publisher->name);
}

// Breaks off what it asks for.
static void be_rude(struct simnet_publisher *publisher)
{
    publisher->interrupted++;
    if (simnet_stream_chance(&publisher->stream, 0.5)) {
        publisher->request = 0;
        simnet_client_close(publisher->client);
        return;
    }
    simnet_client_cancel(publisher->client, publisher->request);
}

static void want(struct simnet_publisher *publisher, bool withdraws)
{
    publisher->is_settled = false;
    publisher->is_wanted = !withdraws;
    publisher->is_withdrawn |= withdraws;
    publisher->withdrawals += withdraws;
    if (!withdraws)
        publisher->version++;
}

static void change(struct simnet_publisher *publisher)
{
    bool withdraws = publisher->is_wanted && !publisher->is_quiet &&
                     simnet_stream_chance(&publisher->stream, publisher->habits.withdraw_share);
    want(publisher, withdraws);
}

static void act(struct simnet_world *world, void *ctx, uint64_t round)
{
    struct simnet_publisher *publisher = ctx;
    (void)world;
    if (publisher->round != round)
        return;
    if (publisher->request != 0) {
        be_rude(publisher);
        plan(publisher, RETRY_US);
        return;
    }
    if (!simnet_client_is_open(publisher->client) &&
        !simnet_client_open(publisher->client, publisher->machine, NODE_ACCESS_CONTROL)) {
        plan(publisher, RETRY_US);
        return;
    }
    if (publisher->is_settled && !publisher->is_quiet)
        change(publisher);
    if (publisher->is_settled)
        return;
    // Before it asks, which may be answered at once.
    bool is_rude = !publisher->is_quiet && publisher->version > 1 &&
                   simnet_stream_chance(&publisher->stream, publisher->habits.rude_share);
    if (is_rude)
        plan(publisher, (int64_t)simnet_stream_below(&publisher->stream, RUDE_US));
    ask(publisher);
}

// ---- what it hears ----

static void take_final(struct simnet_publisher *publisher, const struct simnet_answer_final *final)
{
    // Where there is nothing left to withdraw, it is withdrawn.
    bool is_done = final->code == CONTROL_ERROR_OK ||
                   (final->code == CONTROL_ERROR_NOT_FOUND && !publisher->is_wanted);
    publisher->request = 0;
    if (publisher->is_wanted && (is_done || final->targets > 0)) {
        publisher->stored = final->stored;
        publisher->targets = final->targets;
    }
    if (!is_done) {
        publisher->failed++;
        plan(publisher, publisher->retry_us);
        publisher->retry_us *= 2;
        if (publisher->retry_us > RETRY_MOST_US)
            publisher->retry_us = RETRY_MOST_US;
        return;
    }
    publisher->is_settled = true;
    publisher->retry_us = RETRY_US;
    if (publisher->is_wanted) {
        publisher->acked = publisher->version;
        publisher->is_withdrawn = false;
    }
    publisher->round++; // what was to break it off
    plan_change(publisher);
}

static void asked(void *ctx, struct simnet_client *client,
                  const struct simnet_client_request *request)
{
    struct simnet_publisher *publisher = ctx;
    (void)client;
    // Now, for it may be answered before it is said to the end.
    if (request->kind != CONTROL_REQUEST_CANCEL)
        publisher->request = request->id;
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct simnet_publisher *publisher = ctx;
    struct simnet_answer_final final;
    (void)client;
    if (answer->id == publisher->request && answer->id != 0 &&
        simnet_answer_final(answer->kind, answer->fields, &final))
        take_final(publisher, &final);
}

static void ended(void *ctx, struct simnet_client *client, enum simnet_client_end end)
{
    struct simnet_publisher *publisher = ctx;
    (void)client;
    if (end == SIMNET_CLIENT_CLOSED)
        return;
    publisher->interrupted += publisher->request != 0;
    publisher->request = 0;
    if (!publisher->is_settled)
        plan(publisher, RETRY_US);
}

// ---- life ----

static void find_target(struct simnet_publisher *publisher)
{
    struct dht_span key = {publisher->key, DHT_KEY_LEN};
    simnet_crypto_sha1(NULL, &key, 1, publisher->target.bytes);
}

struct simnet_publisher *simnet_publisher_new(struct simnet_machine *machine, uint32_t number,
                                              int64_t at_us,
                                              const struct simnet_publisher_habits *habits)
{
    struct simnet_publisher *publisher = simnet_world_need(calloc(1, sizeof *publisher));
    char label[CORE_NAME_LABEL_LEN_MAX + 1];
    publisher->world = machine->world;
    publisher->machine = machine;
    publisher->habits = *habits;
    publisher->number = number;
    publisher->version = 1;
    publisher->is_wanted = true;
    publisher->retry_us = RETRY_US;
    simnet_stream_init(&publisher->stream, simnet_world_seed(machine->world), "publisher",
                       number + ((uint64_t)habits->writer << 32));
    snprintf(label, sizeof label, "publisher-%u", number);
    simnet_host_add_key(machine, label, number, publisher->key);
    core_zbase32_encode(publisher->key, publisher->name);
    find_target(publisher);
    publisher->client = simnet_client_new(machine->world);
    publisher->watch = (struct simnet_client_watch){
        .asked = asked, .answered = answered, .ended = ended, .ctx = publisher};
    simnet_client_watch(publisher->client, &publisher->watch);
    plan(publisher, at_us - simnet_world_now(machine->world));
    return publisher;
}

void simnet_publisher_free(struct simnet_publisher *publisher)
{
    if (publisher == NULL)
        return;
    simnet_client_free(publisher->client);
    free(publisher);
}

void simnet_publisher_change(struct simnet_publisher *publisher)
{
    want(publisher, false);
    publisher->request = 0; // what it asked for before, it does not wait for any more
    plan(publisher, 0);
}

void simnet_publisher_withdraw(struct simnet_publisher *publisher)
{
    want(publisher, true);
    publisher->request = 0;
    plan(publisher, 0);
}

void simnet_publisher_calm(struct simnet_publisher *publisher)
{
    publisher->is_quiet = true;
    publisher->retry_us = RETRY_US; // what made it fail is over, or will be soon
    if (publisher->request == 0 && !publisher->is_settled)
        plan(publisher, 0);
    else
        publisher->round++; // nothing that was planned is done
}
