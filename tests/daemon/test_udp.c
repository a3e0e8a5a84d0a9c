// SPDX-License-Identifier: MIT
// Sockets of loopback, on every system.
#include "tests/daemon/udp_helper.h"

#include "node/control/transport.h"

#define MANY 150

// Waits until something has come.
static void wait_for(const struct daemon_udp *udp)
{
    control_transport_poll(daemon_udp_fd(udp), CONTROL_TRANSPORT_READ, -1);
}

static void test_there_and_back(void **state)
{
    (void)state;
    const char *places[] = {"127.0.0.1:0", "[::1]:0"};
    const char *texts[] = {"one", "", "three"};
    for (size_t i = 0; i < UNIT_COUNT(places); i++) {
        if (i == 1 && !has_ipv6())
            continue;
        struct daemon_udp *a = open_at(places[i]);
        struct daemon_udp *b = open_at(places[i]);
        struct daemon_udp_info info = info_of(a);
        const struct dht_datagram *got = NULL;
        assert_int_not_equal(info.addr.port, 0);
        assert_true(info.receive_buffer_bytes >= 65536);
        assert_true(info.send_buffer_bytes >= 65536);
        assert_int_equal(daemon_udp_receive(b, &got), 0);
        for (size_t j = 0; j < UNIT_COUNT(texts); j++) {
            struct dht_datagram out = datagram_to(b, texts[j]);
            assert_int_equal(daemon_udp_send(a, &out, 1), 1);
            wait_for(b);
            assert_int_equal(daemon_udp_receive(b, &got), 1);
            assert_int_equal(got->bytes.len, out.bytes.len);
            assert_memory_equal(got->bytes.data, out.bytes.data, out.bytes.len);
            assert_true(dht_addr_equal(&got->addr, &info.addr));
        }
        assert_int_equal(daemon_udp_receive(b, &got), 0);
        assert_int_equal(info_of(a).counters.sent, UNIT_COUNT(texts));
        assert_int_equal(info_of(b).counters.received, UNIT_COUNT(texts));
        daemon_udp_close(a);
        daemon_udp_close(b);
    }
}

// Whatever comes together, each comes once, and no batch is greater than it may be.
static void test_many(void **state)
{
    (void)state;
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct daemon_udp *b = open_at("127.0.0.1:0");
    static char texts[MANY][8];
    struct dht_datagram out[MANY];
    int seen[MANY] = {0};
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "%03d", i);
        out[i] = datagram_to(b, texts[i]);
    }
    assert_int_equal(daemon_udp_send(a, out, MANY), MANY);
    for (size_t got_all = 0, got; got_all < MANY; got_all += got) {
        const struct dht_datagram *list = NULL;
        wait_for(b);
        got = daemon_udp_receive(b, &list);
        assert_in_range(got, 1, DAEMON_UDP_BATCH);
        for (size_t i = 0; i < got; i++) {
            assert_int_equal(list[i].bytes.len, 3);
            seen[atoi((const char[]){(char)list[i].bytes.data[0], (char)list[i].bytes.data[1],
                                     (char)list[i].bytes.data[2], '\0'})]++;
        }
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(seen[i], 1);
    daemon_udp_close(a);
    daemon_udp_close(b);
}

static void test_too_long(void **state)
{
    (void)state;
    static uint8_t bytes[DAEMON_UDP_DATAGRAM_MAX + 1];
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct daemon_udp *b = open_at("127.0.0.1:0");
    struct dht_datagram out = datagram_to(b, "");
    const struct dht_datagram *got = NULL;
    out.bytes = (struct dht_span){bytes, sizeof bytes};
    assert_int_equal(daemon_udp_send(a, &out, 1), 1);
    wait_for(b);
    assert_int_equal(daemon_udp_receive(b, &got), 0);
    assert_int_equal(info_of(b).counters.truncated, 1);
    out.bytes.len--;
    assert_int_equal(daemon_udp_send(a, &out, 1), 1);
    wait_for(b);
    assert_int_equal(daemon_udp_receive(b, &got), 1);
    assert_int_equal(got->bytes.len, DAEMON_UDP_DATAGRAM_MAX);
    daemon_udp_close(a);
    daemon_udp_close(b);
}

// A peer that is gone hinders neither what is sent to others nor what they send (quirk Q28).
static void test_peer_is_gone(void **state)
{
    (void)state;
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct daemon_udp *b = open_at("127.0.0.1:0");
    struct daemon_udp *gone = open_at("127.0.0.1:0");
    struct dht_datagram to_gone = datagram_to(gone, "lost");
    struct dht_datagram to_a = datagram_to(a, "a");
    struct dht_datagram to_b = datagram_to(b, "b");
    daemon_udp_close(gone);
    for (int i = 0; i < 10; i++) {
        const struct dht_datagram *got = NULL;
        struct dht_addr addrs[8];
        assert_int_equal(daemon_udp_send(a, &to_gone, 1), 1);
        assert_int_equal(daemon_udp_send(a, &to_b, 1), 1);
        wait_for(b);
        assert_int_equal(daemon_udp_receive(b, &got), 1);
        assert_int_equal(daemon_udp_send(b, &to_a, 1), 1);
        size_t count = 0;
        while (count == 0) { // what wakes us may be the news of the lost one
            wait_for(a);
            count = daemon_udp_receive(a, &got);
            (void)daemon_udp_unreachable(a, addrs, UNIT_COUNT(addrs));
        }
        assert_int_equal(count, 1);
    }
    assert_int_equal(info_of(a).counters.send_failed, 0);
    daemon_udp_close(a);
    daemon_udp_close(b);
}

static void test_refused(void **state)
{
    (void)state;
    struct daemon_udp *holder = open_at("127.0.0.1:0");
    struct dht_addr taken = info_of(holder).addr;
    struct daemon_error error = {.text = ""};
    char wanted[128];
    assert_null(daemon_udp_open(&taken, NULL, BUFFER_BYTES, &error));
    snprintf(wanted, sizeof wanted, "cannot use UDP 127.0.0.1:%u: the port is taken", taken.port);
    unit_has("taken", error.text, wanted);
    daemon_udp_close(holder);
}

// An IPv6 socket leaves the IPv4 port to another. (That one is there first: few programs hold the
// same port of IPv6.)
static void test_families_apart(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    char text[DHT_ADDR_TEXT_MAX];
    struct daemon_udp *v4 = open_at("0.0.0.0:0");
    snprintf(text, sizeof text, "[::]:%u", info_of(v4).addr.port);
    struct daemon_udp *v6 = open_at(text);
    daemon_udp_close(v4);
    daemon_udp_close(v6);
}

static void test_outgoing(void **state)
{
    (void)state;
    static const enum dht_family families[] = {DHT_IPV4, DHT_IPV6};
    for (size_t i = 0; i < UNIT_COUNT(families); i++) {
        static const uint8_t none[16];
        struct dht_addr addr = {.ip_len = 0};
        if (!daemon_udp_outgoing(families[i], &addr)) { // no network here
            assert_int_equal(addr.ip_len, 0);
            continue;
        }
        assert_int_equal(addr.ip_len, families[i] == DHT_IPV4 ? 4 : 16);
        assert_int_equal(addr.port, 0);
        assert_memory_not_equal(addr.ip, none, addr.ip_len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_many),
        cmocka_unit_test(test_too_long),       cmocka_unit_test(test_peer_is_gone),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_families_apart),
        cmocka_unit_test(test_outgoing),
    };
    return unit_run(tests);
}
