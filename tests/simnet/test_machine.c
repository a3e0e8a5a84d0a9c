// SPDX-License-Identifier: MIT
// What a machine may live through, in every order, while its brain publishes: nothing that was
// acknowledged is lost, and no sequence number goes back.
#include "node/core/zbase32.h"
#include "simnet/checker.h"
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

#define MACHINES 20
#define DAY_US   (24 * SIMNET_HOUR_US)

static const struct simnet_disk_config slow = {
    .sync_median_us = 20000, .sync_sigma = 1, .commit_us = 200};

struct bed {
    struct simnet_profile profile;
    struct simnet_world *world;
    struct simnet_machine *machine; // that publishes
    struct simnet_client *client;
    struct simnet_client_watch watch;
    struct simnet_client *asker; // at another machine
    struct simnet_client_watch asker_watch;
    struct simnet_checker *checker;
    struct simnet_stream stream;
    char name[64];
    uint16_t asked, acked; // the port that was published last, and that was acknowledged
    uint16_t found;
    int64_t seq;            // of the last one acknowledged,
    int64_t acked_wall_us;  // and the machine's wall clock then
    uint32_t requests[256]; // by port, modulo that
};

static void published(void *ctx, struct simnet_client *client,
                      const struct simnet_client_answer *answer)
{
    struct bed *bed = ctx;
    struct simnet_answer_final final;
    (void)client;
    if (answer->kind != CONTROL_ANSWER_DONE ||
        !simnet_answer_final(answer->kind, answer->fields, &final))
        return;
    bed->seq = final.seq;
    bed->acked_wall_us = simnet_host_wall(bed->machine);
    for (uint16_t port = bed->acked + 1; port <= bed->asked; port++)
        if (bed->requests[port % 256] == answer->id)
            bed->acked = port;
}

static void resolved(void *ctx, struct simnet_client *client,
                     const struct simnet_client_answer *answer)
{
    struct bed *bed = ctx;
    struct simnet_answer_result result;
    (void)client;
    if (answer->kind == CONTROL_ANSWER_RESULT && simnet_answer_result(answer->fields, &result))
        bed->found = result.endpoints[0].port; // the last one is the newest
}

static void run(struct bed *bed, int64_t duration_us)
{
    simnet_world_run(bed->world, simnet_world_now(bed->world) + duration_us);
}

static void set_up(struct bed *bed, uint64_t seed)
{
    struct simnet_checker_config config;
    uint8_t key[DHT_KEY_LEN];
    *bed = (struct bed){.world = simnet_world_new(seed)};
    simnet_profile_init(&bed->profile);
    bed->profile.disk = &slow;
    bed->profile.node.snapshot_us = 5 * SIMNET_MINUTE_US;
    simnet_world_internet(bed->world, simnet_latency_lognormal(seed, 50000, 0.5, 1000));
    simnet_checker_config_init(&config);
    config.parts = SIMNET_CHECKER_SEQUENCE | SIMNET_CHECKER_ANSWERS;
    config.slack_us = DAY_US; // of machines that sleep or are unplugged
    bed->checker = simnet_checker_new(bed->world, &config);
    simnet_population_join(bed->world, &bed->profile, MACHINES, 5 * SIMNET_SECOND_US);
    run(bed, 20 * SIMNET_SECOND_US);
    simnet_stream_init(&bed->stream, seed, "test", 0);
    bed->machine = simnet_world_machine(bed->world, 3);
    simnet_host_set_clock(bed->machine, &(struct simnet_clock_config){.rate_ppm = 200});
    simnet_host_add_key(bed->machine, "mine", 1, key);
    bed->client = simnet_client_new(bed->world);
    bed->watch = (struct simnet_client_watch){.answered = published, .ctx = bed};
    simnet_client_watch(bed->client, &bed->watch);
    simnet_checker_client(bed->checker, bed->client);
    bed->asker = simnet_client_new(bed->world);
    bed->asker_watch = (struct simnet_client_watch){.answered = resolved, .ctx = bed};
    simnet_client_watch(bed->asker, &bed->asker_watch);
    assert_true(
        simnet_client_open(bed->asker, simnet_world_machine(bed->world, 9), NODE_ACCESS_RESOLVE));
    core_zbase32_encode(key, bed->name);
    strcat(bed->name, ".web");
}

static void tear_down(struct twice *twice, struct bed *bed)
{
    twice_end(twice, bed->world);
    simnet_client_free(bed->client);
    simnet_client_free(bed->asker);
    simnet_checker_free(bed->checker);
}

static void publish(struct bed *bed)
{
    if (bed->machine->state == SIMNET_MACHINE_UP && !simnet_client_is_open(bed->client))
        simnet_client_open(bed->client, bed->machine, NODE_ACCESS_CONTROL);
    if (!simnet_client_is_open(bed->client))
        return;
    struct control_endpoint endpoint = {
        .ip = {192, 0, 2, 7}, .ip_len = 4, .proto = 6, .port = ++bed->asked};
    bed->requests[bed->asked % 256] = simnet_client_publish(
        bed->client, &(struct simnet_client_publish){
                         .name = bed->name, .endpoints = &endpoint, .endpoint_count = 1});
}

// ---- what may happen ----

static void start(struct bed *bed)
{
    static const uint32_t known[] = {0, 1, 2};
    if (bed->machine->state == SIMNET_MACHINE_OFF)
        simnet_machine_start(bed->machine, known, 3);
}

static void stop(struct bed *bed)
{
    simnet_machine_stop(bed->machine);
}

static void crash(struct bed *bed)
{
    simnet_machine_crash(bed->machine);
}

static void kill_it(struct bed *bed)
{
    simnet_machine_kill(bed->machine);
}

static void go_to_sleep(struct bed *bed)
{
    simnet_machine_sleep(bed->machine);
}

static void wake(struct bed *bed)
{
    simnet_machine_wake(bed->machine);
}

static void move(struct bed *bed)
{
    struct dht_addr addr =
        simnet_population_near(bed->world, &bed->stream, &bed->machine->addrs[0]);
    simnet_machine_move(bed->machine, 0, &addr);
}

static void unplug(struct bed *bed)
{
    simnet_machine_unplug(bed->machine);
}

static void plug(struct bed *bed)
{
    simnet_machine_plug(bed->machine);
}

static void cut_soon(struct bed *bed)
{
    simnet_host_cut_after(bed->machine, simnet_stream_below(&bed->stream, 40));
}

static void set_back(struct bed *bed)
{
    simnet_host_jump(bed->machine, -365 * DAY_US);
}

static void set_forth(struct bed *bed)
{
    simnet_host_jump(bed->machine, SIMNET_HOUR_US);
}

static void break_disk(struct bed *bed)
{
    struct simnet_disk_config broken = slow;
    broken.fail_share = 0.7;
    simnet_disk_configure(simnet_host_disk(bed->machine), &broken);
}

static void stick_disk(struct bed *bed)
{
    simnet_disk_stick(simnet_host_disk(bed->machine),
                      simnet_world_now(bed->world) + 5 * SIMNET_SECOND_US);
}

static const struct verb {
    const char *name;
    void (*act)(struct bed *bed);
} verbs[] = {
    {"start", start},
    {"stop", stop},
    {"crash", crash},
    {"kill", kill_it},
    {"sleep", go_to_sleep},
    {"wake", wake},
    {"move", move},
    {"unplug", unplug},
    {"plug", plug},
    {"cut soon", cut_soon},
    {"set back", set_back},
    {"set forth", set_forth},
    {"break disk", break_disk},
    {"stick disk", stick_disk},
};

#define VERBS (sizeof verbs / sizeof *verbs)

static void heal(struct bed *bed)
{
    simnet_disk_configure(simnet_host_disk(bed->machine), &slow);
    simnet_host_cut_after(bed->machine, UINT64_MAX);
    wake(bed);
    plug(bed);
    start(bed);
    simnet_clock_correct(simnet_host_clock(bed->machine), simnet_world_now(bed->world), 0);
    run(bed, 40 * SIMNET_SECOND_US);
}

// Whether what was acknowledged is there: in the brain, restarted or not, and in the network.
static bool is_kept(struct bed *bed)
{
    struct node_info info;
    uint16_t least = bed->acked;
    node_info(bed->machine->node, &info);
    if (info.publications == 0)
        return least == 0;
    bed->found = 0;
    simnet_client_resolve(
        bed->asker, &(struct simnet_client_resolve){.name = bed->name, .wait = CONTROL_WAIT_ALL});
    run(bed, 10 * SIMNET_SECOND_US);
    return bed->found >= least && bed->found <= bed->asked;
}

static void live_through(struct bed *bed, const struct verb *first, const struct verb *second)
{
    publish(bed);
    run(bed, (int64_t)simnet_stream_below(&bed->stream, 3000000));
    first->act(bed);
    run(bed, (int64_t)simnet_stream_below(&bed->stream, 3000000));
    publish(bed);
    run(bed, (int64_t)simnet_stream_below(&bed->stream, 200000));
    second->act(bed);
    run(bed, 3 * SIMNET_SECOND_US);
    heal(bed);
    if (!is_kept(bed))
        fail_msg("%s, then %s: asked %u, acknowledged %u, found %u", first->name, second->name,
                 bed->asked, bed->acked, bed->found);
}

static void fail_of(const struct bed *bed)
{
    uint64_t failures = simnet_checker_failures(bed->checker);
    for (uint64_t i = 0; i < failures && i < 5; i++)
        print_error("%s\n", simnet_checker_line(bed->checker, i));
    assert_int_equal(0, failures);
}

static void nothing_acknowledged_is_lost(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 1);
    for (size_t first = 0; first < VERBS; first++)
        for (size_t second = 0; second < VERBS; second++)
            live_through(&bed, &verbs[first], &verbs[second]);
    simnet_checker_finish(bed.checker);
    fail_of(&bed);
    assert_true(bed.acked > VERBS * VERBS * 3 / 4); // most got through
    assert_true(bed.machine->starts > VERBS * 4);
    tear_down(twice, &bed);
}

static void power_is_cut_at_any_output(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 2);
    uint32_t cut = 0;
    for (uint64_t outputs = 0; outputs < 60; outputs++) {
        publish(&bed); // opens the session
        run(&bed, 5 * SIMNET_SECOND_US);
        simnet_host_cut_after(bed.machine, outputs);
        publish(&bed);
        run(&bed, 5 * SIMNET_SECOND_US);
        cut += bed.machine->state == SIMNET_MACHINE_OFF;
        heal(&bed);
        if (!is_kept(&bed))
            fail_msg("cut after %u: asked %u, acknowledged %u, found %u", (unsigned)outputs,
                     bed.asked, bed.acked, bed.found);
    }
    simnet_checker_finish(bed.checker);
    fail_of(&bed);
    assert_in_range(cut, 30, 60);
    assert_in_range(bed.acked, 60, 120);
    tear_down(twice, &bed);
}

// ---- what pnrd's driver does ----

static void clocks_run_on_or_stand_in_sleep(struct twice *twice)
{
    for (int stands = 0; stands < 2; stands++) {
        struct bed bed;
        struct dht_info info;
        set_up(&bed, 3);
        simnet_host_set_clock(bed.machine,
                              &(struct simnet_clock_config){.stands_in_sleep = stands != 0});
        int64_t slept_us = simnet_machine_now(bed.machine);
        simnet_machine_sleep(bed.machine);
        run(&bed, SIMNET_HOUR_US);
        uint64_t wakings = simnet_world_counters(bed.world)->wakings;
        simnet_machine_wake(bed.machine);
        int64_t woken_us = simnet_machine_now(bed.machine);
        assert_int_equal(stands != 0 ? 0 : SIMNET_HOUR_US, woken_us - slept_us);
        run(&bed, 0);
        // What became due meanwhile is done at once.
        assert_true((simnet_world_counters(bed.world)->wakings > wakings) == (stands == 0));
        run(&bed, SIMNET_MINUTE_US);
        dht_info(node_engine(bed.machine->node, 0), &info);
        assert_true(info.joined);
        tear_down(twice, &bed);
    }
}

// Publishes, and checks that its sequence number is what the wall clock showed meanwhile.
static void publish_by_the_clock(struct bed *bed)
{
    uint16_t acked = bed->acked;
    int64_t asked_wall_us = simnet_host_wall(bed->machine);
    publish(bed);
    run(bed, 10 * SIMNET_SECOND_US);
    assert_int_equal(acked + 1, bed->acked);
    assert_true(bed->seq >= asked_wall_us);
    assert_true(bed->seq <= bed->acked_wall_us);
}

static void the_brain_hears_of_jumps(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 4);
    publish_by_the_clock(&bed);
    set_forth(&bed);
    run(&bed, 2 * SIMNET_SECOND_US);
    publish_by_the_clock(&bed);
    int64_t before = bed.seq;
    set_back(&bed);
    run(&bed, 2 * SIMNET_SECOND_US);
    publish(&bed);
    run(&bed, 10 * SIMNET_SECOND_US);
    assert_true(bed.seq > before && bed.seq < before + 10); // not by the clock
    tear_down(twice, &bed);
}

// However long nothing came in, be it asleep or idle.
static void the_wall_clock_is_right_after_a_pause(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 7);
    simnet_machine_sleep(bed.machine);
    run(&bed, 8 * SIMNET_HOUR_US);
    wake(&bed);
    publish_by_the_clock(&bed);
    tear_down(twice, &bed);
}

static uint64_t rounds_of(const struct bed *bed)
{
    struct node_info info;
    node_info(bed->machine->node, &info);
    return info.counters.publish_rounds;
}

static void a_move_is_seen_when_it_looks(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 5);
    publish(&bed);
    run(&bed, 20 * SIMNET_SECOND_US);
    uint64_t rounds = rounds_of(&bed);
    struct dht_addr before = bed.machine->addrs[0];
    move(&bed);
    assert_null(simnet_world_find(bed.world, &before));
    assert_ptr_equal(bed.machine, simnet_world_find(bed.world, &bed.machine->addrs[0]));
    assert_int_equal(rounds, rounds_of(&bed)); // not at once
    run(&bed, SIMNET_MACHINE_LOOKS_US + 10 * SIMNET_SECOND_US);
    assert_true(rounds_of(&bed) > rounds);
    rounds = rounds_of(&bed);
    simnet_machine_sleep(bed.machine);
    move(&bed);
    run(&bed, SIMNET_MINUTE_US);
    simnet_machine_wake(bed.machine); // which looks
    run(&bed, 10 * SIMNET_SECOND_US);
    assert_true(rounds_of(&bed) > rounds);
    tear_down(twice, &bed);
}

static void nothing_passes_a_pulled_cable(struct twice *twice)
{
    struct bed bed;
    set_up(&bed, 6);
    unplug(&bed);
    publish(&bed);
    run(&bed, SIMNET_MINUTE_US);
    assert_int_equal(0, bed.acked);
    plug(&bed);
    publish(&bed);
    run(&bed, SIMNET_MINUTE_US);
    assert_int_equal(2, bed.acked);
    tear_down(twice, &bed);
}

static void another_seed_is_another_story(struct twice *twice)
{
    uint64_t hashes[2];
    for (uint64_t i = 0; i < 2; i++) {
        struct bed bed;
        set_up(&bed, 5 + i);
        for (size_t at = 0; at < VERBS; at++)
            live_through(&bed, &verbs[at], &verbs[(at * 5 + 3) % VERBS]);
        hashes[i] = simnet_world_hash(bed.world);
        tear_down(twice, &bed);
    }
    assert_true(hashes[0] != hashes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(nothing_acknowledged_is_lost),
        twice_scenario(power_is_cut_at_any_output),
        twice_scenario(clocks_run_on_or_stand_in_sleep),
        twice_scenario(the_brain_hears_of_jumps),
        twice_scenario(the_wall_clock_is_right_after_a_pause),
        twice_scenario(a_move_is_seen_when_it_looks),
        twice_scenario(nothing_passes_a_pulled_cable),
        twice_scenario(another_seed_is_another_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
