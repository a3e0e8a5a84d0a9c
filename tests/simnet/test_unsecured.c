// SPDX-License-Identifier: MIT
// Many publishers of one unsecured name on a simulated internet: whoever resolves it gets each that
// is up, once, and none that is not.
#include "simnet/answer.h"
#include "simnet/client.h"
#include "simnet/latency.h"
#include "simnet/loss.h"
#include "simnet/population.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES   300
#define PUBLISHERS 20
#define KILLED     5
#define NAME       "0.printer"
#define PORT       7000 // of the first publisher; the others count on
#define RESOLVER   299  // nobody's machine

static struct simnet_profile profile;

// What one client has heard.
struct heard {
    struct simnet_client *client;
    struct simnet_client_watch watch;
    uint32_t published;         // requests that are done
    uint32_t times[PUBLISHERS]; // that each publisher was told
    uint32_t results;
    uint32_t ended;
    enum control_error code;
    int64_t first_us, end_us; // from asking
};

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct heard *heard = ctx;
    struct simnet_answer_result result;
    struct simnet_answer_final final;
    int64_t now_us = simnet_world_now(simnet_client_machine(client)->world);
    if (answer->kind == CONTROL_ANSWER_RESULT && simnet_answer_result(answer->fields, &result)) {
        uint32_t number = (uint32_t)(result.endpoints[0].port - PORT);
        assert_true(number < PUBLISHERS);
        heard->times[number]++;
        if (heard->results++ == 0)
            heard->first_us = now_us - answer->request->asked_us;
    } else if (simnet_answer_final(answer->kind, answer->fields, &final)) {
        heard->ended++;
        heard->code = final.code;
        heard->end_us = now_us - answer->request->asked_us;
        heard->published += final.code == CONTROL_ERROR_OK;
    }
}

static void open_client(struct simnet_world *world, uint32_t machine, struct heard *heard)
{
    *heard = (struct heard){.client = simnet_client_new(world)};
    heard->watch = (struct simnet_client_watch){.answered = answered, .ctx = heard};
    simnet_client_watch(heard->client, &heard->watch);
    assert_true(simnet_client_open(heard->client, simnet_world_machine(world, machine),
                                   NODE_ACCESS_CONTROL));
}

static void publish(struct heard *heard, uint32_t number)
{
    struct control_endpoint endpoint = {
        .ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = (uint16_t)(PORT + number)};
    simnet_client_publish(heard->client,
                          &(struct simnet_client_publish){.name = NAME,
                                                          .endpoints = &endpoint,
                                                          .endpoint_count = 1,
                                                          .unsecured = number % 2 == 0});
}

static uint32_t machine_of(uint32_t publisher)
{
    return 10 + publisher * 13;
}

static void run(struct simnet_world *world, int64_t duration_us)
{
    simnet_world_run(world, simnet_world_now(world) + duration_us);
}

// Resolves, and checks that each publisher from `first` on is told once, and nobody else.
static void resolve(struct twice *twice, struct simnet_world *world, uint32_t first)
{
    static struct heard heard;
    open_client(world, RESOLVER, &heard);
    simnet_client_resolve(
        heard.client, &(struct simnet_client_resolve){.name = NAME, .wait = CONTROL_WAIT_SETTLED});
    run(world, 31 * SIMNET_SECOND_US);
    assert_int_equal(heard.ended, 1);
    assert_int_equal(heard.code, CONTROL_ERROR_OK);
    for (uint32_t i = 0; i < PUBLISHERS; i++)
        if (heard.times[i] != (i >= first))
            fail_msg("publisher %u is told %u times", i, heard.times[i]);
    assert_true(heard.first_us < 3 * SIMNET_SECOND_US);
    assert_true(heard.end_us < 20 * SIMNET_SECOND_US);
    twice_note(twice, "first result", (uint64_t)heard.first_us);
    twice_note(twice, "end", (uint64_t)heard.end_us);
    simnet_client_close(heard.client);
    run(world, SIMNET_SECOND_US);
    simnet_client_free(heard.client);
}

static void twenty_publishers(struct twice *twice, uint64_t seed, double loss)
{
    static struct heard publishers[PUBLISHERS];
    struct simnet_world *world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    if (loss > 0)
        simnet_world_internet(world, simnet_loss_new(seed, loss));
    simnet_world_internet(world, simnet_latency_lognormal(seed, 60000, 0.6, 1000));
    simnet_population_join(world, &profile, MACHINES, 20 * SIMNET_SECOND_US);
    simnet_world_run(world, 3 * SIMNET_MINUTE_US);
    for (uint32_t i = 0; i < PUBLISHERS; i++) {
        open_client(world, machine_of(i), &publishers[i]);
        publish(&publishers[i], i);
        run(world, SIMNET_SECOND_US);
    }
    run(world, 30 * SIMNET_SECOND_US);
    for (uint32_t i = 0; i < PUBLISHERS; i++)
        if (publishers[i].published != 1)
            fail_msg("publisher %u: %u ended, code %d", i, publishers[i].ended,
                     (int)publishers[i].code);
    resolve(twice, world, 0);
    for (uint32_t i = 0; i < KILLED; i++)
        simnet_machine_crash(simnet_world_machine(world, machine_of(i)));
    resolve(twice, world, KILLED);
    // An hour and two renewals later.
    run(world, SIMNET_HOUR_US);
    resolve(twice, world, KILLED);
    for (uint32_t i = 0; i < PUBLISHERS; i++)
        simnet_client_free(publishers[i].client);
    twice_end(twice, world);
}

static void each_once(struct twice *twice)
{
    twenty_publishers(twice, 7, 0);
}

static void each_once_with_loss(struct twice *twice)
{
    twenty_publishers(twice, 8, 0.05);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(each_once),
        twice_scenario(each_once_with_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
