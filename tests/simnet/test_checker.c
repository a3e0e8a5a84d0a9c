// SPDX-License-Identifier: MIT
// Checkers: silent where all is well, and not where each thing that they watch is broken.
#include "simnet/checker_part.h"
#include "simnet/host.h"
#include "simnet/latency.h"
#include "simnet/population.h"
#include "tests/dht/strict.h"
#include "tests/simnet/twice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MACHINES   40
#define PUBLISHERS 5

static struct simnet_profile profile;
static struct simnet_world *world;
static struct simnet_application *application;
static struct simnet_checker *checker;

static const char *judge(struct dht_span datagram, enum dht_family family)
{
    return strict_check(datagram, &(struct strict_rules){.family = family});
}

static const char *accept(struct dht_span datagram, enum dht_family family)
{
    (void)family;
    return datagram.len > 0 ? NULL : "empty";
}

static const char *judge_badly(struct dht_span datagram, enum dht_family family)
{
    (void)family;
    return datagram.len > 0 ? "ugly" : NULL;
}

static void make(uint64_t seed)
{
    struct simnet_application_config people;
    struct simnet_checker_config checks;
    world = simnet_world_new(seed);
    simnet_profile_init(&profile);
    simnet_world_internet(world, simnet_latency_lognormal(seed, 80000, 0.5, 1000));
    simnet_population_join(world, &profile, MACHINES, 5 * SIMNET_SECOND_US);
    simnet_application_config_init(&people);
    people.count = MACHINES;
    people.publishers = PUBLISHERS;
    people.publish_us = 20 * SIMNET_SECOND_US;
    people.habits = (struct simnet_publisher_habits){
        .change_us = SIMNET_MINUTE_US, .withdraw_share = 0.2, .rude_share = 0.2};
    people.lookups = 420;
    people.resolve_us = SIMNET_MINUTE_US;
    people.resolve_over_us = 7 * SIMNET_MINUTE_US;
    people.at_random = true;
    people.any_wait = true;
    people.trace = true;
    people.rude_share = 0.3;
    people.cut_share = 0.3;
    application = simnet_application_new(world, &people);
    simnet_checker_config_init(&checks);
    checks.parts |= SIMNET_CHECKER_DATAGRAMS;
    checks.judge = judge;
    checker = simnet_checker_new(world, &checks);
    simnet_checker_application(checker, application);
}

static void done(struct twice *twice)
{
    twice_end(twice, world);
    simnet_application_free(application);
    simnet_checker_free(checker);
}

static void silent_where_all_is_well(struct twice *twice)
{
    uint32_t known[] = {0, 1};
    make(1);
    simnet_world_run(world, 5 * SIMNET_MINUTE_US);
    struct simnet_machine *machine = simnet_application_publisher(application, 1)->machine;
    simnet_machine_crash(machine);
    simnet_machine_start(machine, known, 2);
    simnet_world_run(world, 8 * SIMNET_MINUTE_US);
    simnet_application_calm(application);
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    simnet_checker_heal(checker);
    for (uint32_t i = 0; i < 30; i++) {
        struct simnet_application_plan plan = {.at_us = simnet_world_now(world) + i * 1000000,
                                               .name = SIMNET_APPLICATION_NONE,
                                               .machine = simnet_world_machine(world, i),
                                               .wait = CONTROL_WAIT_ALL,
                                               .trace = true};
        if (i % 2 == 0)
            plan.name = i % PUBLISHERS;
        else
            simnet_stream_bytes(&checker->stream, plan.key, sizeof plan.key);
        simnet_application_plan(application, &plan);
    }
    simnet_world_run(world, 11 * SIMNET_MINUTE_US);
    simnet_checker_finish(checker);
    for (uint64_t i = 0; i < simnet_checker_failures(checker) && i < 10; i++)
        print_message("%s\n", simnet_checker_line(checker, i));
    assert_int_equal(0, simnet_checker_failures(checker));
    assert_int_equal(30, simnet_checker_recall(checker, true)->count);
    assert_true(simnet_checker_recall(checker, false)->count > 10);
    done(twice);
}

// ---- planted faults ----

static void see_of(enum simnet_tap_event event, const struct dht_addr *there, const char *bytes,
                   size_t len)
{
    struct simnet_packet *packet = simnet_world_packet(world, len);
    memcpy(packet->bytes, bytes, len);
    packet->from = packet->to = *there;
    simnet_checker_traffic_see(checker, event, simnet_world_machine(world, 2), packet);
    simnet_world_drop(world, packet, NULL);
}

static void see(enum simnet_tap_event event, const char *bytes, size_t len)
{
    struct dht_addr there = {.ip = {203, 0, 114, 9}, .ip_len = 4, .port = 6881};
    see_of(event, &there, bytes, len);
}

static void see_put(const char *value, int seq)
{
    char text[300];
    int len = snprintf(text, sizeof text,
                       "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa1:k32:kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk3:"
                       "seqi%de3:sig64:%s%s"
                       "5:token4:abcd1:v1:%se1:q3:put1:t4:aaaa1:v4:PN011:y1:qe",
                       seq, "ssssssssssssssssssssssssssssssss", "ssssssssssssssssssssssssssssssss",
                       value);
    see(SIMNET_TAP_SENT, text, (size_t)len);
}

static void a_seq_goes_back(void)
{
    see_put("a", 7);
    see_put("a", 7);
    see_put("b", 8);
    assert_int_equal(0, simnet_checker_failures(checker));
    see_put("a", 7);
}

static void a_seq_of_two_values(void)
{
    see_put("a", 7);
    see_put("b", 7);
}

static const char reply[] = "d2:ip6:aaaaaa1:rd2:id20:aaaaaaaaaaaaaaaaaaaa5:token4:abcd5:nodes104:"
                            "0123456789012345678901234501234567890123456789012345"
                            "0123456789012345678901234501234567890123456789012345"
                            "e1:t4:aaaa1:v4:PN011:y1:re";
static const char put[] = "d1:ad2:id20:aaaaaaaaaaaaaaaaaaaa5:token4:abcd1:v1:ae1:q3:put1:t4:aaaa1:"
                          "v4:PN011:y1:qe";

static void an_amplifier(void)
{
    for (size_t sent = 0; sent + sizeof reply < 4096; sent += sizeof reply - 1)
        see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
    see(SIMNET_TAP_DELIVERED, put, sizeof put - 1); // proves itself by its token
    for (int i = 0; i < 40; i++)
        see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
    assert_int_equal(0, simnet_checker_failures(checker));
    simnet_world_run(world, simnet_world_now(world) + 11 * SIMNET_MINUTE_US);
    assert_int_equal(0, simnet_checker_failures(checker));
    for (int i = 0; i < 40; i++)
        see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
}

// A machine whose clock began anew, hours behind the world's, owes as before when the ledger of
// prefixes is full of others.
static void an_amplifier_of_a_young_clock(void)
{
    struct simnet_machine *machine = simnet_world_machine(world, 2);
    const struct simnet_clock_config slow = {.drift_ppm = 1};
    const uint32_t known[] = {0, 1};
    simnet_machine_crash(machine);
    simnet_host_set_clock(machine, &slow);
    simnet_world_run(world, 10 * SIMNET_MINUTE_US);
    simnet_machine_start(machine, known, 2);
    assert_true(simnet_machine_now(machine) < SIMNET_MINUTE_US);
    size_t sent = 0;
    for (; sent + 2 * sizeof reply < 4096; sent += sizeof reply - 1)
        see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
    for (uint32_t i = 0; i < 20000; i++) {
        struct dht_addr other = {.ip = {198, (uint8_t)(i >> 8), (uint8_t)i, 9}, .ip_len = 4};
        see_of(SIMNET_TAP_SENT, &other, reply, sizeof reply - 1);
    }
    assert_int_equal(0, simnet_checker_failures(checker));
    for (int i = 0; i < 3; i++)
        see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
}

static void a_bad_datagram(void)
{
    checker->config.judge = judge_badly;
    see(SIMNET_TAP_SENT, reply, sizeof reply - 1);
}

static void too_many_keys(void)
{
    uint8_t key[DHT_KEY_LEN];
    simnet_host_add_key(simnet_world_machine(world, 2), "one", 100, key);
    profile.node.keys_max = 0;
    simnet_application_calm(application);
    for (uint32_t i = 0; i < PUBLISHERS; i++)
        if (simnet_application_publisher(application, i)->machine->number != 2)
            simnet_machine_crash(simnet_application_publisher(application, i)->machine);
    simnet_checker_bounds_sample(checker);
}

static void an_answer_twice(void)
{
    struct simnet_client *client = simnet_application_publisher(application, 0)->client;
    struct simnet_client_request request = {.id = 77, .kind = CONTROL_REQUEST_STATUS};
    struct simnet_client_answer heard = {.id = 77, .request = &request};
    for (int i = 0; i < 2; i++) {
        heard.kind = CONTROL_ANSWER_DONE;
        assert_int_equal(0, simnet_checker_failures(checker));
        for (struct simnet_checker_client *watched = checker->clients; watched != NULL;
             watched = watched->next)
            if (watched->client == client)
                watched->watch.answered(checker, client, &heard);
        heard.request = NULL;
    }
}

static void a_late_answer(void)
{
    struct simnet_client *client = simnet_application_publisher(application, 0)->client;
    simnet_client_read(client, false);
    simnet_client_ask(client, CONTROL_REQUEST_STATUS);
    simnet_world_run(world, simnet_world_now(world) + 5 * SIMNET_SECOND_US);
    assert_int_equal(0, simnet_checker_failures(checker));
    simnet_world_run(world, simnet_world_now(world) + 5 * SIMNET_SECOND_US);
}

static void bytes_after_a_hangup(void)
{
    struct simnet_client *client = simnet_application_publisher(application, 0)->client;
    simnet_client_close(client);
    simnet_world_run(world, simnet_world_now(world) + 1000);
    assert_int_equal(0, simnet_checker_failures(checker));
    simnet_checker_answers_bytes(checker, simnet_client_machine(client),
                                 simnet_client_session(client));
}

static struct simnet_probe found(uint32_t version)
{
    struct simnet_publisher *publisher = simnet_application_publisher(application, 0);
    publisher->is_settled = true;
    simnet_checker_heal(checker);
    return (struct simnet_probe){.plan = {.machine = simnet_world_machine(world, 2),
                                          .publisher = publisher,
                                          .wait = CONTROL_WAIT_ALL},
                                 .acked = publisher->acked,
                                 .was_wanted = true,
                                 .was_settled = true,
                                 .version = version};
}

static void an_old_version(void)
{
    struct simnet_probe probe = found(simnet_application_publisher(application, 0)->acked);
    simnet_checker_probe(checker, &probe);
    assert_int_equal(0, simnet_checker_failures(checker));
    probe = found(simnet_application_publisher(application, 0)->acked - 1);
    simnet_checker_probe(checker, &probe);
}

static void nothing_found(void)
{
    struct simnet_probe probe = found(0);
    probe.outcome = SIMNET_PROBE_NOT_FOUND;
    simnet_checker_probe(checker, &probe);
}

static void nobodys_version(void)
{
    struct simnet_probe probe = found(simnet_application_publisher(application, 0)->acked);
    probe.outcome = SIMNET_PROBE_WRONG;
    probe.plan.wait = CONTROL_WAIT_FIRST;
    checker->config.parts = SIMNET_CHECKER_ANSWERS;
    simnet_checker_probe(checker, &probe);
}

static void a_withdrawn_name(void)
{
    struct simnet_probe probe = found(1);
    probe.was_wanted = false;
    simnet_checker_probe(checker, &probe);
}

static void not_the_closest(void)
{
    struct simnet_probe probe = found(0);
    probe.plan.publisher = NULL;
    probe.plan.trace = true; // and no id
    probe.outcome = SIMNET_PROBE_NOT_FOUND;
    simnet_checker_probe(checker, &probe);
}

struct row {
    const char *name;
    void (*plant)(void);
    const char *said; // in the line
};

static const struct row rows[] = {
    {"seq back", a_seq_goes_back, "machine 2: a sequence number goes back from 8 to 7"},
    {"seq twice", a_seq_of_two_values, "sequence number 7 is used for two values"},
    {"amplifier", an_amplifier, "bytes more than 1.5 times what came from 203.0.114/24"},
    {"amplifier, young clock", an_amplifier_of_a_young_clock, "bytes more than 1.5 times"},
    {"form", a_bad_datagram, "sends a datagram of"},
    {"bound", too_many_keys, "keys, at most 0"},
    {"twice", an_answer_twice, "done for 77, which is not under way"},
    {"late", a_late_answer, "of session 1 takes "},
    {"after a hangup", bytes_after_a_hangup, "bytes for session 1, which was closed at"},
    {"old", an_old_version, "found version"},
    {"nothing", nothing_found, "not found"},
    {"wrong", nobodys_version, "found what was never published"},
    {"withdrawn", a_withdrawn_name, "was withdrawn, and is found"},
    {"closest", not_the_closest, "missed 8 of the closest 8"},
};

static void faults_are_seen(struct twice *twice)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(10 + i);
        simnet_world_run(world, 40 * SIMNET_SECOND_US);
        checker->config.judge = accept;
        rows[i].plant();
        const char *line = simnet_checker_line(checker, 0);
        char seed[32];
        snprintf(seed, sizeof seed, "seed %zu, ", 10 + i);
        if (line == NULL || strstr(line, rows[i].said) == NULL || strncmp(line, seed, strlen(seed)))
            fail_msg("%s: %s", rows[i].name, line == NULL ? "nothing was said" : line);
        done(twice);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        twice_scenario(silent_where_all_is_well),
        twice_scenario(faults_are_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
