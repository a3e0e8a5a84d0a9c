// SPDX-License-Identifier: MIT
// Homes and offices: what their lines carry, and how they are reached.
#include "dht/addr.h"
#include "simnet/latency.h"
#include "simnet/site.h"
#include "tests/simnet/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define WAY_US 1000

struct row {
    const char *name;
    bool has_nat, has_carrier;
    uint64_t up_bits_per_s, down_bits_per_s;
    double loss_up, loss_down;
    uint32_t up, down;      // of 100 packets each way
    int64_t up_us, down_us; // how long the last one that comes takes; 0: no matter
    const char *seen_as;
};

// 4 bytes and 28 of header are 256 bits. The last of 100 at 2.56 Mbit/s takes 10 ms.
static const struct row rows[] = {
    {"public", false, false, 0, 0, 0, 0, 100, 100, WAY_US, WAY_US, "12.0.0.1"},
    {"public, slow up", false, false, 2560000, 0, 0, 0, 100, 100, WAY_US + 10000, WAY_US,
     "12.0.0.1"},
    {"public, slow down", false, false, 0, 2560000, 0, 0, 100, 100, WAY_US, WAY_US + 10000,
     "12.0.0.1"},
    {"public, all lost up", false, false, 0, 0, 1, 0, 0, 100, 0, WAY_US, NULL},
    {"public, all lost down", false, false, 0, 0, 0, 1, 100, 0, WAY_US, 0, "12.0.0.1"},
    {"home", true, false, 0, 0, 0, 0, 100, 100, WAY_US, WAY_US, "11.0.0.1"},
    {"home, slow up", true, false, 2560000, 0, 0, 0, 100, 100, WAY_US + 10000, WAY_US, "11.0.0.1"},
    {"home, slow down", true, false, 0, 2560000, 0, 0, 100, 100, WAY_US, WAY_US + 10000,
     "11.0.0.1"},
    {"home, all lost down", true, false, 0, 0, 0, 1, 100, 0, WAY_US, 0, "11.0.0.1"},
    {"home behind a carrier", true, true, 2560000, 2560000, 0, 0, 100, 100, WAY_US + 10000,
     WAY_US + 10000, "11.0.0.2"},
};

struct scene {
    struct simnet_world *world;
    struct simnet_site *site;
    struct peer in, out;
};

static void begin(struct scene *s, const struct row *row)
{
    struct simnet_nat_config nat, carrier_config;
    struct dht_addr addr = peer_addr("11.0.0.1", 0);
    struct dht_addr carrier_addr = peer_addr("11.0.0.2", 0);
    memset(s, 0, sizeof *s);
    s->world = simnet_world_new(1);
    simnet_nat_config_init(&nat, SIMNET_NAT_PORT_RESTRICTED);
    struct simnet_site_config config = {
        .up.bits_per_s = row->up_bits_per_s,
        .down.bits_per_s = row->down_bits_per_s,
        .loss_up = row->loss_up,
        .loss_down = row->loss_down,
        .nat = row->has_nat ? &nat : NULL,
    };
    if (row->has_carrier) {
        simnet_nat_config_carrier(&carrier_config, SIMNET_NAT_PORT_RESTRICTED);
        config.carrier = simnet_nat_new(s->world, &carrier_config, 9, 8);
        simnet_nat_connect(config.carrier, &carrier_addr);
    }
    s->site = simnet_site_new(s->world, &config, 1, &addr, 7);
    // Elements of the internet may come after the sites.
    simnet_world_internet(s->world, simnet_latency_constant(WAY_US));
    peer_init(&s->in, s->world, "12.0.0.1", 5000);
    peer_init(&s->out, s->world, "13.0.0.1", 6000);
    assert_true(simnet_site_add(s->site, s->in.machine));
    assert_int_equal(s->in.machine->place, row->has_carrier ? 8 : 7);
}

// Sends 100 packets at once. Returns how many come, and how long until the last did.
static uint32_t send_all(struct scene *s, struct peer *from, const struct dht_addr *addr,
                         struct peer *to, int64_t *ret_took_us)
{
    static const uint8_t bytes[4] = {0};
    uint32_t before = to->count;
    int64_t begin_us = simnet_world_now(s->world);
    for (int i = 0; i < 100; i++)
        simnet_machine_send(from->machine, 0, addr, (struct dht_span){bytes, sizeof bytes});
    *ret_took_us = 0;
    for (int64_t at_us = begin_us; at_us <= begin_us + 50000; at_us += 100) {
        uint32_t count = to->count;
        simnet_world_run(s->world, at_us);
        if (to->count > count)
            *ret_took_us = at_us - begin_us;
    }
    return to->count - before;
}

static void lines_carry(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct scene s;
        int64_t up_us, down_us;
        begin(&s, row);
        uint32_t up = send_all(&s, &s.in, &s.out.machine->addrs[0], &s.out, &up_us);
        struct dht_addr seen = up > 0 ? s.out.from : s.in.machine->addrs[0];
        uint32_t down = send_all(&s, &s.out, &seen, &s.in, &down_us);
        if (up != row->up || down != row->down || up_us != row->up_us || down_us != row->down_us)
            fail_msg("%s: %u up in %ld us, %u down in %ld us", row->name, up, (long)up_us, down,
                     (long)down_us);
        if (row->seen_as != NULL && !peer_is_ip(&seen, row->seen_as))
            fail_msg("%s: seen as another", row->name);
        simnet_world_free(s.world);
    }
}

static void sites_move(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; i += 5) { // without a NAT, and with one
        const struct row *row = &rows[i];
        struct scene s;
        struct dht_addr addr = peer_addr("16.0.0.1", 5001);
        begin(&s, row);
        peer_reaches(&s.in, &s.out.machine->addrs[0], &s.out);
        struct dht_addr seen = s.out.from;
        assert_true(peer_reaches(&s.out, &seen, &s.in));
        simnet_site_move(s.site, s.in.machine, &addr);
        uint64_t nobody = simnet_world_counters(s.world)->nobody;
        if (peer_reaches(&s.out, &seen, &s.in) ||
            simnet_world_counters(s.world)->nobody != nobody + 1)
            fail_msg("%s: still at the old address", row->name);
        if (!peer_reaches(&s.in, &s.out.machine->addrs[0], &s.out) ||
            !peer_is_ip(&s.out.from, "16.0.0.1") || !peer_reaches(&s.out, &s.out.from, &s.in))
            fail_msg("%s: not at the new address", row->name);
        simnet_world_free(s.world);
    }
}

static void lines_change(void **state)
{
    (void)state;
    static const struct row row = {"", true, false, 1000000, 1000000, 0.1, 0.1, 0, 0, 0, 0, NULL};
    struct scene s;
    int64_t took_us;
    begin(&s, &row);
    struct simnet_rate_config rate = {.bits_per_s = 2560000};
    simnet_site_set_loss(s.site, 0, 1);
    simnet_site_set_rate(s.site, &rate, &rate);
    assert_int_equal(send_all(&s, &s.in, &s.out.machine->addrs[0], &s.out, &took_us), 100);
    assert_int_equal(took_us, WAY_US + 10000);
    assert_int_equal(send_all(&s, &s.out, &s.out.from, &s.in, &took_us), 0);
    simnet_world_free(s.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines_carry), cmocka_unit_test(sites_move),
                                       cmocka_unit_test(lines_change)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
