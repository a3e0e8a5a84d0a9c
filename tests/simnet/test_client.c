// SPDX-License-Identifier: MIT
// Clients of simulated machines: what they do, and word for word what they hear.
#include "simnet/client.h"
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

#define MACHINES 16
#define NOBODY   "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy.web"

static struct simnet_profile profile;

// What a client heard: "done 1, error 2: 7, lost".
struct transcript {
    struct simnet_client_watch watch;
    char text[512];
};

static void note(struct transcript *transcript, const char *text)
{
    size_t len = strlen(transcript->text);
    snprintf(transcript->text + len, sizeof transcript->text - len, "%s%s", len > 0 ? ", " : "",
             text);
}

static void answered(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    char text[64];
    struct simnet_answer_result result;
    struct simnet_answer_final final;
    (void)client;
    if (simnet_answer_final(answer->kind, answer->fields, &final)) {
        int code = (int) final.code;
        snprintf(text, sizeof text, code == 0 ? "done %u" : "error %u: %d", answer->id, code);
        note(ctx, text);
    } else if (answer->kind == CONTROL_ANSWER_RESULT &&
               simnet_answer_result(answer->fields, &result)) {
        snprintf(text, sizeof text, "result %u: %u", answer->id, result.endpoints[0].port);
        note(ctx, text);
    }
}

static void ended(void *ctx, struct simnet_client *client, enum simnet_client_end end)
{
    static const char *const words[] = {"closed", "hung up", "lost", "broken"};
    (void)client;
    note(ctx, words[end]);
}

struct scene {
    struct simnet_world *world;
    struct simnet_machine *machine;
    struct simnet_client *client;
    struct transcript transcript;
    struct simnet_stream stream;
};

static void run(struct scene *scene, int64_t duration_us)
{
    simnet_world_run(scene->world, simnet_world_now(scene->world) + duration_us);
}

static void publish(struct scene *scene, const char *name, uint16_t port)
{
    struct control_endpoint endpoint = {
        .ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = port};
    simnet_client_publish(
        scene->client,
        &(struct simnet_client_publish){.name = name, .endpoints = &endpoint, .endpoint_count = 1});
}

static void resolve(struct scene *scene, enum control_wait wait)
{
    simnet_client_resolve(scene->client, &(struct simnet_client_resolve){
                                             .name = NOBODY, .wait = wait, .trace = true});
}

// ---- what they do ----

static void publishes(struct scene *scene)
{
    publish(scene, "mine.web", 443);
    run(scene, 20 * SIMNET_SECOND_US);
    simnet_client_resolve(scene->client, &(struct simnet_client_resolve){.name = "mine.web"});
    run(scene, 20 * SIMNET_SECOND_US);
    simnet_client_unpublish(scene->client, "mine.web");
}

static void finds_nothing(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
}

static void cancels(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
    simnet_client_cancel(scene->client, 1);
}

static void asks_two_at_once(struct scene *scene)
{
    simnet_client_ask(scene->client, CONTROL_REQUEST_STATUS);
    simnet_client_ask(scene->client, CONTROL_REQUEST_PUBLICATIONS);
}

static void asks_the_same_twice(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
    simnet_client_next_id(scene->client, 1);
    resolve(scene, CONTROL_WAIT_ALL);
}

static void hangs_up(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
    simnet_client_close(scene->client);
}

static void crashes(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
    simnet_machine_crash(scene->machine);
}

static void stops(struct scene *scene)
{
    resolve(scene, CONTROL_WAIT_ALL);
    simnet_machine_stop(scene->machine);
}

static void does_not_read(struct scene *scene)
{
    simnet_client_read(scene->client, false);
    simnet_client_ask(scene->client, CONTROL_REQUEST_STATUS);
}

static void reads_later(struct scene *scene)
{
    does_not_read(scene);
    run(scene, SIMNET_SECOND_US);
    note(&scene->transcript, "later");
    simnet_client_read(scene->client, true);
}

static void asks_in_pieces(struct scene *scene)
{
    simnet_stream_init(&scene->stream, 1, "cut", 0);
    simnet_client_cut(scene->client, &scene->stream);
    for (int i = 0; i < 3; i++)
        simnet_client_ask(scene->client, CONTROL_REQUEST_PEERS);
    note(&scene->transcript, "later");
}

static void asks_while_asleep(struct scene *scene)
{
    simnet_machine_sleep(scene->machine);
    simnet_client_ask(scene->client, CONTROL_REQUEST_STATUS);
    run(scene, SIMNET_MINUTE_US);
    note(&scene->transcript, "later");
    simnet_machine_wake(scene->machine);
}

static void see_bytes(void *ctx, struct simnet_world *world, struct simnet_machine *machine,
                      const struct node_out *out)
{
    (void)world;
    (void)machine;
    if (out->type == NODE_OUT_BYTES)
        note(ctx, "bytes");
}

// When it wakes, its brain hears that who asked has left before it hears what became of the write.
static void hangs_up_on_a_sleeper(struct scene *scene)
{
    static struct simnet_tap tap;
    struct simnet_disk *disk = simnet_host_disk(scene->machine);
    struct simnet_disk_config config = simnet_disk_config(disk);
    config.fail_share = 1;
    simnet_disk_configure(disk, &config);
    simnet_disk_stick(disk, simnet_world_now(scene->world) + 10 * SIMNET_SECOND_US);
    publish(scene, "mine.web", 443);
    run(scene, 5 * SIMNET_SECOND_US);
    simnet_machine_sleep(scene->machine);
    run(scene, SIMNET_MINUTE_US);
    simnet_client_close(scene->client);
    tap = (struct simnet_tap){.see_out = see_bytes, .ctx = &scene->transcript};
    simnet_world_tap(scene->world, &tap);
    simnet_machine_wake(scene->machine);
    simnet_world_untap(scene->world, &tap);
}

static void says_nonsense(struct scene *scene)
{
    simnet_client_say(scene->client, (struct dht_span){(const uint8_t *)"\xff\xff\xff\xff", 4});
}

static void asks_again_upon_an_end(void *ctx, struct simnet_client *client,
                                   enum simnet_client_end end)
{
    struct scene *scene = ctx;
    if (end == SIMNET_CLIENT_CLOSED ||
        !simnet_client_open(client, scene->machine, NODE_ACCESS_RESOLVE))
        return;
    simnet_client_ask(client, CONTROL_REQUEST_STATUS);
    publish(scene, "mine", 1);
}

static void opens_again(struct scene *scene)
{
    static struct simnet_client_watch watch;
    watch = (struct simnet_client_watch){.ended = asks_again_upon_an_end, .ctx = scene};
    simnet_client_watch(scene->client, &watch);
    says_nonsense(scene);
}

struct row {
    const char *name;
    void (*act)(struct scene *scene);
    const char *heard;
};

static const struct row rows[] = {
    {"publish, resolve, unpublish", publishes, "done 1, result 2: 443, done 2, done 3"},
    {"find nothing", finds_nothing, "error 1: 3"},
    {"cancel", cancels, "error 1: 7, done 2"},
    {"two at once", asks_two_at_once, "done 1, done 2"},
    {"twice one id", asks_the_same_twice, "error 0: 10, hung up"},
    {"hang up", hangs_up, "closed"},
    {"crash", crashes, "lost"},
    {"stop", stops, "error 1: 7, lost"},
    {"not reading", does_not_read, ""},
    {"reading later", reads_later, "later, done 1"},
    {"in pieces", asks_in_pieces, "later, done 1, done 2, done 3"},
    {"asleep", asks_while_asleep, "later, done 1"},
    {"hang up, asleep", hangs_up_on_a_sleeper, "closed"},
    {"nonsense", says_nonsense, "error 0: 10, hung up"},
    {"open again", opens_again, "error 0: 10, hung up, done 1, error 2: 6"},
};

static void heard(struct twice *twice)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t key[DHT_KEY_LEN];
        struct scene scene = {.world = simnet_world_new(i)};
        scene.transcript.watch =
            (struct simnet_client_watch){NULL, answered, ended, &scene.transcript, NULL};
        simnet_profile_init(&profile);
        simnet_world_internet(scene.world, simnet_latency_constant(20000));
        simnet_population_join(scene.world, &profile, MACHINES, SIMNET_SECOND_US);
        run(&scene, 20 * SIMNET_SECOND_US);
        scene.machine = simnet_world_machine(scene.world, 3);
        simnet_host_add_key(scene.machine, "mine", 1, key);
        scene.client = simnet_client_new(scene.world);
        simnet_client_watch(scene.client, &scene.transcript.watch);
        assert_true(simnet_client_open(scene.client, scene.machine, NODE_ACCESS_CONTROL));
        rows[i].act(&scene);
        run(&scene, 40 * SIMNET_SECOND_US);
        if (strcmp(scene.transcript.text, rows[i].heard) != 0)
            fail_msg("%s: heard \"%s\", not \"%s\"", rows[i].name, scene.transcript.text,
                     rows[i].heard);
        twice_end(twice, scene.world);
        simnet_client_free(scene.client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
