// SPDX-License-Identifier: MIT
// Control sessions of simulated machines: what a client hears, refuses to read, and outlives.
#include "node/control/fields.h"
#include "node/control/frame.h"
#include "simnet/host.h"
#include "simnet/population.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct client {
    size_t heard; // bytes
    size_t wants; // the bytes it reads at most at a time
    uint32_t calls, hangups;
    void (*then)(struct simnet_machine *machine, uint32_t session); // upon bytes
};

struct bed {
    struct simnet_profile profile;
    struct simnet_world *world;
    struct simnet_machine *machine;
    struct client client;
    struct simnet_session_sink sink;
    uint32_t session;
};

static size_t take_bytes(void *ctx, struct simnet_machine *machine, uint32_t session,
                         struct dht_span bytes)
{
    struct client *client = ctx;
    size_t read = bytes.len < client->wants ? bytes.len : client->wants;
    client->calls++;
    client->heard += read;
    if (client->then != NULL)
        client->then(machine, session);
    return read;
}

static void take_hangup(void *ctx, struct simnet_machine *machine, uint32_t session)
{
    struct client *client = ctx;
    (void)machine;
    (void)session;
    client->hangups++;
}

static void set_up(struct bed *bed)
{
    *bed = (struct bed){.world = simnet_world_new(1), .client = {.wants = SIZE_MAX}};
    simnet_profile_init(&bed->profile);
    simnet_population_join(bed->world, &bed->profile, 1, 0);
    simnet_world_run(bed->world, 2 * SIMNET_SECOND_US);
    bed->machine = simnet_world_machine(bed->world, 0);
    bed->sink = (struct simnet_session_sink){take_bytes, take_hangup, &bed->client};
    bed->session = simnet_host_open_session(bed->machine, NODE_ACCESS_CONTROL, &bed->sink);
    assert_int_not_equal(0, bed->session);
}

static void tear_down(struct bed *bed)
{
    simnet_world_free(bed->world);
}

static bool ask(struct simnet_machine *machine, uint32_t session)
{
    static uint8_t buf[CONTROL_FRAME_MAX];
    struct dht_bencode_writer writer = control_frame_begin_request(buf, sizeof buf);
    size_t len = control_frame_end_request(&writer, 1, "status");
    return simnet_host_session_bytes(machine, session, (struct dht_span){buf, len});
}

static void an_answer_is_heard(void **state)
{
    (void)state;
    struct bed bed;
    set_up(&bed);
    assert_true(ask(bed.machine, bed.session));
    assert_true(bed.client.heard > 100);
    tear_down(&bed);
}

static void what_is_not_read_waits(void **state)
{
    (void)state;
    struct bed bed;
    set_up(&bed);
    ask(bed.machine, bed.session);
    size_t whole = bed.client.heard;
    bed.client = (struct client){.wants = 10};
    ask(bed.machine, bed.session);
    ask(bed.machine, bed.session);
    assert_int_equal(10, bed.client.heard);
    assert_int_equal(1, bed.client.calls); // it does not read, so it is not bothered
    bed.client.wants = SIZE_MAX;
    simnet_host_read_session(bed.machine, bed.session);
    assert_true(bed.client.heard >= 2 * whole - 20 && bed.client.heard <= 2 * whole + 20);
    assert_int_equal(2, bed.client.calls);
    tear_down(&bed);
}

// The brain hangs up on a client that lets too much wait: unread bytes were not acknowledged.
static void who_never_reads_is_hung_up_on(void **state)
{
    (void)state;
    struct bed bed;
    set_up(&bed);
    bed.client.wants = 0;
    int asked = 0;
    while (bed.client.hangups == 0 && asked < 10000 && ask(bed.machine, bed.session))
        asked++;
    assert_int_equal(1, bed.client.hangups);
    assert_true(asked > 100);
    assert_false(ask(bed.machine, bed.session));
    // One that reads is not.
    bed.client = (struct client){.wants = SIZE_MAX};
    bed.session = simnet_host_open_session(bed.machine, NODE_ACCESS_CONTROL, &bed.sink);
    for (int i = 0; i < asked + 10; i++)
        assert_true(ask(bed.machine, bed.session));
    assert_int_equal(0, bed.client.hangups);
    tear_down(&bed);
}

static void ask_again(struct simnet_machine *machine, uint32_t session)
{
    static int asked;
    if (++asked < 3)
        assert_true(ask(machine, session));
}

static void close_it(struct simnet_machine *machine, uint32_t session)
{
    simnet_host_close_session(machine, session);
}

static void stop_it(struct simnet_machine *machine, uint32_t session)
{
    (void)session;
    simnet_machine_stop(machine);
}

static void crash_it(struct simnet_machine *machine, uint32_t session)
{
    (void)session;
    simnet_machine_crash(machine);
}

struct row {
    const char *name;
    void (*then)(struct simnet_machine *machine, uint32_t session);
    uint32_t calls, hangups, sessions;
    enum simnet_machine_state state;
};

static const struct row rows[] = {
    {"asks again", ask_again, 3, 0, 1, SIMNET_MACHINE_UP},
    {"closes", close_it, 1, 0, 0, SIMNET_MACHINE_UP},
    {"stops the machine", stop_it, 1, 1, 0, SIMNET_MACHINE_OFF},
    {"crashes the machine", crash_it, 1, 1, 0, SIMNET_MACHINE_OFF},
};

static void a_sink_may_do_anything(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct bed bed;
        set_up(&bed);
        bed.client.then = row->then;
        ask(bed.machine, bed.session);
        struct node_info info = {0};
        if (bed.machine->node != NULL)
            node_info(bed.machine->node, &info);
        if (bed.client.calls != row->calls || bed.client.hangups != row->hangups ||
            info.sessions != row->sessions || bed.machine->state != row->state)
            fail_msg("%s: calls %u, hangups %u, sessions %u", row->name, bed.client.calls,
                     bed.client.hangups, info.sessions);
        tear_down(&bed);
    }
}

static void ends_are_told(void **state)
{
    (void)state;
    struct bed bed;
    set_up(&bed);
    static const uint8_t junk[64] = {0xff, 0xff, 0xff, 0xff};
    simnet_host_session_bytes(bed.machine, bed.session, (struct dht_span){junk, sizeof junk});
    assert_int_equal(1, bed.client.hangups);
    bed.session = simnet_host_open_session(bed.machine, NODE_ACCESS_CONTROL, &bed.sink);
    simnet_machine_stop(bed.machine);
    assert_int_equal(2, bed.client.hangups);
    assert_int_equal(0, simnet_host_open_session(bed.machine, NODE_ACCESS_CONTROL, &bed.sink));
    tear_down(&bed);
}

// A client that leaves a sleeping machine is gone when it wakes.
static void a_sleeper_hears_later(void **state)
{
    (void)state;
    struct bed bed;
    set_up(&bed);
    simnet_machine_sleep(bed.machine);
    simnet_world_run(bed.world, SIMNET_MINUTE_US);
    assert_false(ask(bed.machine, bed.session));
    simnet_host_close_session(bed.machine, bed.session);
    simnet_world_run(bed.world, 2 * SIMNET_MINUTE_US);
    simnet_machine_wake(bed.machine);
    struct node_info info;
    node_info(bed.machine->node, &info);
    assert_int_equal(0, info.sessions);
    tear_down(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_heard),
        cmocka_unit_test(what_is_not_read_waits),
        cmocka_unit_test(who_never_reads_is_hung_up_on),
        cmocka_unit_test(a_sink_may_do_anything),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(a_sleeper_hears_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
