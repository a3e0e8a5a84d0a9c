// SPDX-License-Identifier: MIT
// Who reaches whom through which NAT, and for how long.
#include "dht/addr.h"
#include "simnet/nat.h"
#include "tests/simnet/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define FULL   SIMNET_NAT_FULL_CONE
#define RESTR  SIMNET_NAT_RESTRICTED
#define PORTR  SIMNET_NAT_PORT_RESTRICTED
#define SYMM   SIMNET_NAT_SYMMETRIC
#define NAT_IP "11.0.0.1"

// A machine behind a NAT, three outside, of which two at one address, and one more inside.
struct scene {
    struct simnet_world *world;
    struct simnet_nat *nat;
    struct peer in, in2, b, b_other_port, c;
};

static void add_inside(struct scene *scene, struct peer *peer, const char *ip, uint16_t port)
{
    peer_init(peer, scene->world, ip, port);
    assert_true(simnet_nat_attach(scene->nat, peer->machine));
}

static void begin(struct scene *scene, const struct simnet_nat_config *config)
{
    memset(scene, 0, sizeof *scene);
    scene->world = simnet_world_new(1);
    scene->nat = simnet_nat_new(scene->world, config, 1, 0);
    struct dht_addr addr = peer_addr(NAT_IP, 0);
    simnet_nat_connect(scene->nat, &addr);
    add_inside(scene, &scene->in, "12.0.0.1", 5000);
    add_inside(scene, &scene->in2, "12.0.0.2", 5000);
    peer_init(&scene->b, scene->world, "13.0.0.1", 6000);
    peer_init(&scene->b_other_port, scene->world, "13.0.0.1", 6001);
    peer_init(&scene->c, scene->world, "14.0.0.1", 6000);
}

static void begin_kind(struct scene *scene, enum simnet_nat_kind kind)
{
    struct simnet_nat_config config;
    simnet_nat_config_init(&config, kind);
    begin(scene, &config);
}

static void end(struct scene *scene)
{
    simnet_world_free(scene->world);
}

static void wait_s(struct scene *scene, double seconds)
{
    simnet_world_run(scene->world, simnet_world_now(scene->world) + (int64_t)(seconds * 1e6));
}

// ---- the matrix ----

struct filter_row {
    const char *name;
    enum simnet_nat_kind kind;
    bool same, other_port, other_addr; // who may send to the mapping that `b` was sent from
};

static const struct filter_row filter_rows[] = {
    {"full cone", FULL, true, true, true},
    {"restricted", RESTR, true, true, false},
    {"port restricted", PORTR, true, false, false},
    {"symmetric", SYMM, true, false, false},
};

static void lets_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof filter_rows / sizeof *filter_rows; i++) {
        const struct filter_row *row = &filter_rows[i];
        struct scene s;
        begin_kind(&s, row->kind);
        assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
        struct dht_addr seen = s.b.from;
        assert_true(peer_is_ip(&seen, NAT_IP));
        if (peer_reaches(&s.b, &seen, &s.in) != row->same ||
            peer_reaches(&s.b_other_port, &seen, &s.in) != row->other_port ||
            peer_reaches(&s.c, &seen, &s.in) != row->other_addr)
            fail_msg("%s: before the timeout", row->name);
        if (row->same && !dht_addr_equal(&s.in.from, &s.b.machine->addrs[0]) && !row->other_port)
            fail_msg("%s: the sender's address has changed", row->name);
        const struct simnet_nat_counters *counters = simnet_nat_counters(s.nat);
        unsigned filtered = !row->other_port + !row->other_addr;
        if (counters->filtered != filtered || counters->in != 3 - filtered || counters->out != 1)
            fail_msg("%s: counters", row->name);
        wait_s(&s, 121);
        if (peer_reaches(&s.b, &seen, &s.in) || peer_reaches(&s.b_other_port, &seen, &s.in) ||
            peer_reaches(&s.c, &seen, &s.in))
            fail_msg("%s: after the timeout", row->name);
        assert_int_equal(counters->unmapped, 3);
        end(&s);
    }
}

// One mapping for all whom a cone is used towards; each its own from a symmetric one.
static void maps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof filter_rows / sizeof *filter_rows; i++) {
        const struct filter_row *row = &filter_rows[i];
        struct scene s;
        begin_kind(&s, row->kind);
        assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
        assert_true(peer_reaches(&s.in, &s.b_other_port.machine->addrs[0], &s.b_other_port));
        assert_true(peer_reaches(&s.in, &s.c.machine->addrs[0], &s.c));
        bool is_symmetric = row->kind == SYMM;
        if (dht_addr_equal(&s.b.from, &s.c.from) == is_symmetric ||
            dht_addr_equal(&s.b.from, &s.b_other_port.from) == is_symmetric ||
            simnet_nat_mappings(s.nat) != (is_symmetric ? 3 : 1))
            fail_msg("%s", row->name);
        // Nobody at another port of the NAT, nor at one of a machine's own address.
        struct dht_addr wrong = s.b.from;
        wrong.port ^= 1;
        assert_false(peer_reaches(&s.b, &wrong, &s.in));
        assert_false(peer_reaches(&s.b, &s.in.machine->addrs[0], &s.in));
        wrong = peer_addr("12.0.0.1", 5000);
        assert_false(peer_reaches(&s.b, &wrong, &s.in));
        end(&s);
    }
}

// ---- holes ----

// Whether two machines behind NATs meet, that both learn from `c` where the other seems to be, and
// write to each other twice.
static bool meets(enum simnet_nat_kind one, enum simnet_nat_kind two)
{
    struct scene s;
    struct peer far;
    struct simnet_nat_config config;
    struct dht_addr addr = peer_addr("11.0.0.2", 0);
    begin_kind(&s, one);
    simnet_nat_config_init(&config, two);
    struct simnet_nat *nat = simnet_nat_new(s.world, &config, 2, 0);
    simnet_nat_connect(nat, &addr);
    peer_init(&far, s.world, "12.0.0.9", 5000);
    simnet_nat_attach(nat, far.machine);
    peer_reaches(&s.in, &s.c.machine->addrs[0], &s.c);
    struct dht_addr in_seen = s.c.from;
    peer_reaches(&far, &s.c.machine->addrs[0], &s.c);
    struct dht_addr far_seen = s.c.from;
    for (int i = 0; i < 2; i++) {
        // Where something has come from counts more than what was learnt.
        peer_reaches(&s.in, s.in.count > 0 ? &s.in.from : &far_seen, &far);
        peer_reaches(&far, far.count > 0 ? &far.from : &in_seen, &s.in);
    }
    bool met = s.in.count > 0 && far.count > 0;
    end(&s);
    return met;
}

static void holes_are_punched(void **state)
{
    (void)state;
    static const bool expected[4][4] = {
        [FULL] = {true, true, true, true},
        [RESTR] = {true, true, true, true},
        [PORTR] = {true, true, true, false},
        [SYMM] = {true, true, false, false},
    };
    for (int one = 0; one < 4; one++)
        for (int two = 0; two < 4; two++)
            if (meets((enum simnet_nat_kind)one, (enum simnet_nat_kind)two) != expected[one][two])
                fail_msg("%s and %s", filter_rows[one].name, filter_rows[two].name);
}

// ---- time ----

struct time_row {
    const char *name;
    enum simnet_nat_kind kind;
    bool inbound_refreshes;
    double out_s, in_s; // seconds after the first packet at which something passes; 0: nothing
    double try_s;
    bool reaches;
};

static const struct time_row time_rows[] = {
    {"just before", FULL, false, 0, 0, 119.9, true},
    {"just after", FULL, false, 0, 0, 120.1, false},
    {"refreshed from inside", PORTR, false, 100, 0, 219, true},
    {"refreshed from inside, over", PORTR, false, 100, 0, 221, false},
    {"not refreshed from outside", FULL, false, 0, 100, 121, false},
    {"refreshed from outside", FULL, true, 0, 100, 219, true},
    {"refreshed from outside, over", FULL, true, 0, 100, 221, false},
    {"leave refreshed from outside", PORTR, true, 0, 100, 219, true},
    {"leave not refreshed", RESTR, false, 0, 100, 121, false},
    {"symmetric, refreshed from inside", SYMM, false, 60, 0, 179, true},
};

static void mappings_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof time_rows / sizeof *time_rows; i++) {
        const struct time_row *row = &time_rows[i];
        struct simnet_nat_config config;
        struct scene s;
        simnet_nat_config_init(&config, row->kind);
        config.inbound_refreshes = row->inbound_refreshes;
        begin(&s, &config);
        int64_t begin_us = simnet_world_now(s.world);
        assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
        struct dht_addr seen = s.b.from;
        if (row->out_s > 0) {
            simnet_world_run(s.world, begin_us + (int64_t)(row->out_s * 1e6));
            assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
        }
        if (row->in_s > 0) {
            simnet_world_run(s.world, begin_us + (int64_t)(row->in_s * 1e6));
            assert_true(peer_reaches(&s.b, &seen, &s.in));
        }
        simnet_world_run(s.world, begin_us + (int64_t)(row->try_s * 1e6));
        if (peer_reaches(&s.b, &seen, &s.in) != row->reaches)
            fail_msg("%s", row->name);
        end(&s);
    }
}

// A cone that is used towards one does not keep the leave of another.
static void leaves_end_by_themselves(void **state)
{
    (void)state;
    struct scene s;
    begin_kind(&s, PORTR);
    peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
    struct dht_addr seen = s.b.from;
    wait_s(&s, 100);
    peer_reaches(&s.in, &s.c.machine->addrs[0], &s.c);
    wait_s(&s, 30);
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    assert_true(peer_reaches(&s.c, &seen, &s.in));
    end(&s);
}

// ---- ports ----

struct port_row {
    const char *name;
    enum simnet_nat_ports ports;
    uint16_t first, second; // of the mappings of two machines at one port; 0: any other
};

static const struct port_row port_rows[] = {
    {"preserved where free, else the next", SIMNET_NAT_PORTS_PRESERVED, 5000, 4000},
    {"sequential", SIMNET_NAT_PORTS_SEQUENTIAL, 4000, 4001},
    {"random", SIMNET_NAT_PORTS_RANDOM, 0, 0},
};

static void ports_are_given(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof port_rows / sizeof *port_rows; i++) {
        const struct port_row *row = &port_rows[i];
        struct simnet_nat_config config;
        struct scene s;
        simnet_nat_config_init(&config, FULL);
        config.ports = row->ports;
        config.port_first = 4000;
        config.port_last = 6000;
        begin(&s, &config);
        peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
        uint16_t first = s.b.from.port;
        peer_reaches(&s.in2, &s.b.machine->addrs[0], &s.b);
        uint16_t second = s.b.from.port;
        bool random = row->first == 0;
        if (first < 4000 || first > 6000 || second < 4000 || second > 6000 || first == second ||
            (!random && (first != row->first || second != row->second)) ||
            (random && (first == 5000 || second - first == 1)))
            fail_msg("%s: %u and %u", row->name, first, second);
        end(&s);
    }
}

// A symmetric NAT that runs out of ports, of room, or of what one host may have.
struct full_row {
    const char *name;
    uint32_t mappings_max, ports, quota;
    uint32_t first_host, second_host; // how many of 6 peers each reaches
    uint64_t full, over_quota;
};

static const struct full_row full_rows[] = {
    {"room for all", 100, 100, 0, 6, 6, 0, 0},
    {"four mappings", 4, 100, 0, 4, 0, 8, 0},
    {"eight ports", 100, 8, 0, 6, 2, 4, 0},
    {"a quota of four", 100, 100, 4, 4, 4, 0, 4},
    {"a quota of four, and five ports", 100, 5, 4, 4, 1, 5, 2},
};

static uint32_t count_reached(struct peer *peer, struct peer *others, uint32_t count)
{
    uint32_t reached = 0;
    for (uint32_t i = 0; i < count; i++)
        reached += peer_reaches(peer, &others[i].machine->addrs[0], &others[i]);
    return reached;
}

static void runs_full(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof full_rows / sizeof *full_rows; i++) {
        const struct full_row *row = &full_rows[i];
        struct simnet_nat_config config;
        struct scene s;
        struct peer others[6];
        simnet_nat_config_init(&config, SYMM);
        config.mappings_max = row->mappings_max;
        config.port_last = (uint16_t)(config.port_first + row->ports - 1);
        config.ports_per_host = row->quota;
        begin(&s, &config);
        for (int n = 0; n < 6; n++)
            peer_init(&others[n], s.world, "15.0.0.1", (uint16_t)(7000 + n));
        const struct simnet_nat_counters *counters = simnet_nat_counters(s.nat);
        for (int again = 1; again <= 2; again++) {
            uint32_t first = count_reached(&s.in, others, 6);
            uint32_t second = count_reached(&s.in2, others, 6);
            if (first != row->first_host || second != row->second_host)
                fail_msg("%s: %u and %u", row->name, first, second);
            if (counters->mappings_full != row->full * (unsigned)again ||
                counters->over_quota != row->over_quota * (unsigned)again)
                fail_msg("%s: counters, %u and %u", row->name, (unsigned)counters->mappings_full,
                         (unsigned)counters->over_quota);
            wait_s(&s, 130); // all is free again
        }
        end(&s);
    }
}

// ---- inside ----

static void turns_inside(void **state)
{
    (void)state;
    for (int hairpins = 0; hairpins < 2; hairpins++) {
        struct simnet_nat_config config;
        struct scene s;
        simnet_nat_config_init(&config, FULL);
        config.hairpins = hairpins;
        begin(&s, &config);
        peer_reaches(&s.in2, &s.b.machine->addrs[0], &s.b);
        struct dht_addr in2_seen = s.b.from;
        peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
        struct dht_addr in_seen = s.b.from;
        assert_int_equal(peer_reaches(&s.in, &in2_seen, &s.in2), hairpins);
        assert_int_equal(peer_reaches(&s.in, &in_seen, &s.in), hairpins);
        if (hairpins)
            assert_true(dht_addr_equal(&s.in2.from, &in_seen) &&
                        dht_addr_equal(&s.in.from, &in_seen));
        assert_int_equal(simnet_nat_counters(s.nat)->hairpinned, hairpins ? 2 : 0);
        assert_int_equal(simnet_nat_counters(s.nat)->no_hairpin, hairpins ? 0 : 2);
        // By their private addresses they reach each other anyhow.
        assert_true(peer_reaches(&s.in, &s.in2.machine->addrs[0], &s.in2));
        assert_true(dht_addr_equal(&s.in2.from, &s.in.machine->addrs[0]));
        end(&s);
    }
}

static void reboots_and_moves(void **state)
{
    (void)state;
    struct scene s;
    struct dht_addr addr = peer_addr("11.0.0.77", 0);
    begin_kind(&s, FULL);
    peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
    struct dht_addr seen = s.b.from;
    assert_true(peer_reaches(&s.b, &seen, &s.in));
    simnet_nat_reboot(s.nat);
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
    assert_true(peer_reaches(&s.b, &s.b.from, &s.in));
    simnet_nat_connect(s.nat, &addr);
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
    assert_true(peer_is_ip(&s.b.from, "11.0.0.77"));
    assert_true(peer_reaches(&s.b, &s.b.from, &s.in));
    seen.port = s.b.from.port;
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    end(&s);
}

static void changes_its_kind(void **state)
{
    (void)state;
    struct scene s;
    struct simnet_nat_config config;
    begin_kind(&s, FULL);
    peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
    assert_true(peer_reaches(&s.c, &s.b.from, &s.in));
    simnet_nat_config_init(&config, PORTR);
    config.timeout_us = 10 * SIMNET_SECOND_US;
    simnet_nat_set(s.nat, &config);
    peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
    assert_false(peer_reaches(&s.c, &s.b.from, &s.in));
    assert_true(peer_reaches(&s.b, &s.b.from, &s.in));
    wait_s(&s, 11);
    assert_false(peer_reaches(&s.b, &s.b.from, &s.in));
    end(&s);
}

// ---- machines that move ----

static void machines_move(void **state)
{
    (void)state;
    struct scene s;
    struct simnet_nat_config config;
    begin_kind(&s, FULL);
    simnet_nat_config_init(&config, FULL);
    struct simnet_nat *other = simnet_nat_new(s.world, &config, 2, 3);
    struct dht_addr addr = peer_addr("11.0.0.2", 0);
    simnet_nat_connect(other, &addr);
    peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b);
    struct dht_addr seen = s.b.from;

    assert_true(simnet_nat_attach(other, s.in.machine));
    assert_ptr_equal(simnet_nat_of(s.in.machine), other);
    assert_int_equal(s.in.machine->place, 3);
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
    assert_true(peer_is_ip(&s.b.from, "11.0.0.2"));
    assert_true(peer_reaches(&s.b, &s.b.from, &s.in));
    seen = s.b.from;

    addr = peer_addr("16.0.0.1", 8000);
    simnet_nat_detach(s.in.machine, &addr);
    assert_null(simnet_nat_of(s.in.machine));
    assert_false(peer_reaches(&s.b, &seen, &s.in));
    assert_true(peer_reaches(&s.c, &addr, &s.in));
    assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
    assert_true(dht_addr_equal(&s.b.from, &addr));

    assert_true(simnet_nat_attach(s.nat, s.in.machine));
    assert_false(peer_reaches(&s.c, &addr, &s.in));
    assert_true(peer_reaches(&s.in, &s.b.machine->addrs[0], &s.b));
    assert_true(peer_is_ip(&s.b.from, NAT_IP));
    assert_true(peer_reaches(&s.b, &s.b.from, &s.in));
    // The address inside that it gave up is given out again.
    assert_true(peer_is_ip(&s.in.machine->addrs[0], "192.168.1.2"));
    end(&s);
}

static void has_so_many_hosts(void **state)
{
    (void)state;
    struct simnet_nat_config config;
    struct scene s;
    simnet_nat_config_init(&config, FULL);
    config.hosts_max = 2;
    begin(&s, &config);
    assert_false(simnet_nat_attach(s.nat, s.c.machine));
    assert_true(peer_reaches(&s.b, &s.c.machine->addrs[0], &s.c)); // it stays where it was
    struct dht_addr addr = peer_addr("16.0.0.1", 8000);
    simnet_nat_detach(s.in2.machine, &addr);
    assert_true(simnet_nat_attach(s.nat, s.c.machine));
    assert_true(peer_reaches(&s.c, &s.b.machine->addrs[0], &s.b));
    assert_true(peer_is_ip(&s.b.from, NAT_IP));
    end(&s);
}

// ---- carriers ----

struct home {
    struct simnet_nat *nat;
    struct peer peer;
};

static void make_home(struct scene *s, struct home *home, struct simnet_nat *carrier,
                      enum simnet_nat_kind kind, uint64_t number)
{
    struct simnet_nat_config config;
    simnet_nat_config_init(&config, kind);
    home->nat = simnet_nat_new(s->world, &config, number, 0);
    simnet_nat_connect_behind(home->nat, carrier);
    peer_init(&home->peer, s->world, "12.1.0.1", (uint16_t)(5000 + number));
    assert_true(simnet_nat_attach(home->nat, home->peer.machine));
}

static void carriers_share_an_address(void **state)
{
    (void)state;
    struct scene s;
    struct home one, two;
    struct simnet_nat_config config;
    struct dht_addr addr = peer_addr("11.9.9.9", 0);
    begin_kind(&s, FULL);
    simnet_nat_config_carrier(&config, PORTR);
    config.ports_per_host = 2;
    struct simnet_nat *carrier = simnet_nat_new(s.world, &config, 10, 42);
    simnet_nat_connect(carrier, &addr);
    make_home(&s, &one, carrier, SYMM, 11);
    make_home(&s, &two, carrier, FULL, 12);
    assert_int_equal(one.peer.machine->place, 42);
    struct dht_addr inside = simnet_nat_addr(one.nat);
    assert_true(peer_is_ip(&inside, "100.64.0.2"));

    assert_true(peer_reaches(&one.peer, &s.b.machine->addrs[0], &s.b));
    struct dht_addr one_seen = s.b.from;
    assert_true(peer_reaches(&two.peer, &s.b.machine->addrs[0], &s.b));
    struct dht_addr two_seen = s.b.from;
    assert_true(peer_is_ip(&one_seen, "11.9.9.9") && peer_is_ip(&two_seen, "11.9.9.9"));
    assert_true(one_seen.port != two_seen.port);
    assert_true(peer_reaches(&s.b, &one_seen, &one.peer));
    assert_true(peer_reaches(&s.b, &two_seen, &two.peer));
    assert_false(peer_reaches(&s.c, &two_seen, &two.peer)); // the carrier's filter

    // A symmetric home takes a port of the carrier's for each peer: two, and no more.
    assert_true(peer_reaches(&one.peer, &s.c.machine->addrs[0], &s.c));
    assert_false(peer_reaches(&one.peer, &s.b_other_port.machine->addrs[0], &s.b_other_port));
    assert_int_equal(simnet_nat_counters(carrier)->over_quota, 1);
    assert_true(peer_reaches(&two.peer, &s.c.machine->addrs[0], &s.c));

    // From home to home by the carrier's hairpin: its filter counts there, too.
    assert_false(peer_reaches(&one.peer, &two_seen, &two.peer));
    assert_false(peer_reaches(&two.peer, &one_seen, &one.peer));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_in),
        cmocka_unit_test(maps),
        cmocka_unit_test(holes_are_punched),
        cmocka_unit_test(mappings_end),
        cmocka_unit_test(leaves_end_by_themselves),
        cmocka_unit_test(ports_are_given),
        cmocka_unit_test(runs_full),
        cmocka_unit_test(turns_inside),
        cmocka_unit_test(reboots_and_moves),
        cmocka_unit_test(changes_its_kind),
        cmocka_unit_test(machines_move),
        cmocka_unit_test(has_so_many_hosts),
        cmocka_unit_test(carriers_share_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
