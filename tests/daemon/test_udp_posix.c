// SPDX-License-Identifier: MIT

// Batches, faults and what ICMP says, as POSIX has them. Runs twice: with recvmmsg() and
// sendmmsg(), and as daemon/udp_plain with the plain loop.

#include "tests/daemon/udp_helper.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// The next sends fail with these, then it is the system's turn. They stand in front of the C
// library's.
static int send_faults[8];

static int next_fault(void)
{
    int fault = send_faults[0];
    memmove(send_faults, send_faults + 1, sizeof send_faults - sizeof send_faults[0]);
    return fault;
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags)
{
    errno = next_fault();
    return errno != 0 ? -1 : (int)syscall(SYS_sendmmsg, fd, messages, count, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    errno = next_fault();
    return errno != 0 ? -1 : syscall(SYS_sendmsg, fd, message, flags);
}

// ---- helpers ----

static bool is_readable(const struct daemon_udp *udp)
{
    struct pollfd pollfd = {.fd = daemon_udp_fd(udp), .events = POLLIN};
    return poll(&pollfd, 1, 0) == 1;
}

// Loopback hands on what one processor sends in order, but on a busy machine not at once. Two
// datagrams of our own, one after the other, have come when all that was sent before has, and the
// ICMP messages that it caused.
static void wait_for_delivery(void)
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t addr_len = sizeof addr;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, addr_len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &addr_len), 0);
    for (int i = 0; i < 2; i++) {
        char byte = 0;
        assert_int_equal(sendto(fd, &byte, 1, 0, (struct sockaddr *)&addr, addr_len), 1);
        assert_int_equal(recv(fd, &byte, 1, 0), 1);
    }
    close(fd);
}

static void stay_on_this_processor(void)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(sched_getcpu(), &here);
    assert_int_equal(sched_setaffinity(0, sizeof here, &here), 0);
}

// ---- tests ----

static void test_there_and_back(void **state)
{
    (void)state;
    const char *places[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < UNIT_COUNT(places); i++) {
        if (i == 1 && !has_ipv6())
            continue;
        struct daemon_udp *a = open_at(places[i]);
        struct daemon_udp *b = open_at(places[i]);
        struct daemon_udp_info info = info_of(a);
        struct dht_addr addr_a = info.addr;
        const struct dht_datagram *got = NULL;
        assert_int_not_equal(addr_a.port, 0);
        assert_true(info.receive_buffer_bytes >= 65536);
        assert_true(info.send_buffer_bytes >= 65536);
        struct dht_datagram out[] = {datagram_to(b, "one"), datagram_to(b, ""),
                                     datagram_to(b, "three")};
        assert_false(is_readable(b));
        assert_int_equal(daemon_udp_receive(b, &got), 0);
        assert_int_equal(daemon_udp_send(a, out, 3), 3);
        wait_for_delivery();
        assert_true(is_readable(b));
        assert_int_equal(daemon_udp_receive(b, &got), 3);
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(got[j].bytes.len, out[j].bytes.len);
            assert_memory_equal(got[j].bytes.data, out[j].bytes.data, out[j].bytes.len);
            assert_true(dht_addr_equal(&got[j].addr, &addr_a));
        }
        assert_int_equal(daemon_udp_receive(b, &got), 0);
        assert_int_equal(info_of(a).counters.sent, 3);
        assert_int_equal(info_of(b).counters.received, 3);
        daemon_udp_close(a);
        daemon_udp_close(b);
    }
}

#define MANY 150

static void test_batches(void **state)
{
    (void)state;
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct daemon_udp *b = open_at("127.0.0.1:0");
    static char texts[MANY][16];
    struct dht_datagram out[MANY];
    const struct dht_datagram *got = NULL;
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "number %d", i);
        out[i] = datagram_to(b, texts[i]);
    }
    assert_int_equal(daemon_udp_send(a, out, MANY), MANY);
    wait_for_delivery();
    static const size_t wanted[] = {64, 64, 22, 0};
    size_t at = 0;
    for (size_t i = 0; i < UNIT_COUNT(wanted); i++) {
        assert_int_equal(daemon_udp_receive(b, &got), wanted[i]);
        for (size_t j = 0; j < wanted[i]; j++, at++)
            assert_memory_equal(got[j].bytes.data, texts[at], strlen(texts[at]));
    }
    assert_int_equal(info_of(b).counters.receive_calls, 3);
    assert_int_equal(info_of(a).counters.send_calls, 3);
    daemon_udp_close(a);
    daemon_udp_close(b);
}

static void test_lengths(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        size_t len;
        bool kept;
    } rows[] = {
        {"our longest", DHT_DATAGRAM_MAX, true},
        {"longest read", DAEMON_UDP_DATAGRAM_MAX, true},
        {"too long", DAEMON_UDP_DATAGRAM_MAX + 1, false},
        {"far too long", 60000, false},
    };
    static uint8_t bytes[60000];
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct daemon_udp *b = open_at("127.0.0.1:0");
    const struct dht_datagram *got = NULL;
    uint64_t truncated = 0;
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct dht_datagram out[] = {{info_of(b).addr, {bytes, rows[i].len}}, datagram_to(b, "x")};
        assert_int_equal(daemon_udp_send(a, out, 2), 2);
        wait_for_delivery();
        size_t count = daemon_udp_receive(b, &got);
        truncated += !rows[i].kept;
        if (count != (rows[i].kept ? 2u : 1u) || info_of(b).counters.truncated != truncated)
            fail_msg("row %s: %zu", rows[i].name, count);
        if (rows[i].kept)
            assert_int_equal(got[0].bytes.len, rows[i].len);
        assert_int_equal(got[count - 1].bytes.len, 1);
    }
    daemon_udp_close(a);
    daemon_udp_close(b);
}

// A closed port answers by ICMP. That is told, and stops neither sending nor receiving.
static void test_unreachable(void **state)
{
    (void)state;
    const char *places[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < UNIT_COUNT(places); i++) {
        if (i == 1 && !has_ipv6())
            continue;
        struct daemon_udp *gone = open_at(places[i]);
        struct daemon_udp *a = open_at(places[i]);
        struct daemon_udp *b = open_at(places[i]);
        struct dht_addr addrs[8];
        const struct dht_datagram *got = NULL;
        struct dht_datagram to_gone = datagram_to(gone, "lost");
        struct dht_datagram to_a = datagram_to(a, "kept");
        struct dht_datagram mixed[] = {to_gone, datagram_to(b, "1"), to_gone, datagram_to(b, "2"),
                                       to_gone, datagram_to(b, "3")};
        daemon_udp_close(gone);
        assert_int_equal(daemon_udp_unreachable(a, addrs, 8), 0);
        assert_int_equal(daemon_udp_send(b, &to_a, 1), 1);
        assert_int_equal(daemon_udp_send(a, mixed, 6), 6);
        wait_for_delivery();
        assert_int_equal(daemon_udp_receive(b, &got), 3);
        assert_int_equal(daemon_udp_receive(a, &got), 1);
        assert_memory_equal(got[0].bytes.data, "kept", 4);
        assert_int_equal(daemon_udp_receive(a, &got), 0);
        assert_int_equal(daemon_udp_unreachable(a, addrs, 2), 2); // no more than asked for
        assert_true(dht_addr_equal(&addrs[0], &to_gone.addr));
        assert_true(dht_addr_equal(&addrs[1], &to_gone.addr));
        assert_int_equal(daemon_udp_unreachable(a, addrs, 8), 1);
        assert_int_equal(daemon_udp_unreachable(a, addrs, 8), 0);
        assert_false(is_readable(a));
        assert_int_equal(info_of(a).counters.unreachable, 3);
        assert_int_equal(info_of(a).counters.send_failed, 0);
        daemon_udp_close(a);
        daemon_udp_close(b);
    }
}

static void test_send_faults(void **state)
{
    (void)state;
    static const struct row {
        const char *name;
        int faults[4];
        size_t sent;
        uint64_t full;
        uint64_t failed;
    } rows[] = {
        {"none", {0}, 3, 0, 0},
        {"buffer full", {EAGAIN}, 0, 3, 0},
        {"no memory below", {ENOBUFS}, 0, 3, 0},
        {"interrupted", {EINTR, EINTR}, 3, 0, 0},
        {"one late ICMP error", {ECONNREFUSED}, 3, 0, 0},
        {"no route for the first", {ENETUNREACH, ENETUNREACH}, 2, 0, 1},
        {"no route for the first two", {EPERM, EPERM, EPERM, EPERM}, 1, 0, 2},
        {"an error, then full", {EPERM, EPERM, EAGAIN}, 0, 2, 1},
    };
    struct daemon_udp *b = open_at("127.0.0.1:0");
    for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
        struct daemon_udp *a = open_at("127.0.0.1:0");
        struct dht_datagram out[] = {datagram_to(b, "1"), datagram_to(b, "2"), datagram_to(b, "3")};
        memset(send_faults, 0, sizeof send_faults);
        memcpy(send_faults, rows[i].faults, sizeof rows[i].faults);
        size_t sent = daemon_udp_send(a, out, 3);
        struct daemon_udp_counters counters = info_of(a).counters;
        memset(send_faults, 0, sizeof send_faults);
        if (sent != rows[i].sent || counters.sent != rows[i].sent ||
            counters.send_full != rows[i].full || counters.send_failed != rows[i].failed)
            fail_msg("row %s: sent %zu, full %u, failed %u", rows[i].name, sent,
                     (unsigned)counters.send_full, (unsigned)counters.send_failed);
        daemon_udp_close(a);
    }
    daemon_udp_close(b);
}

// Once the buffer is full, what lies beyond the batch is counted as dropped too.
static void test_full_beyond_batch(void **state)
{
    (void)state;
    struct daemon_udp *a = open_at("127.0.0.1:0");
    struct dht_datagram out[MANY];
    for (int i = 0; i < MANY; i++)
        out[i] = datagram_to(a, "x");
    send_faults[0] = EAGAIN;
    assert_int_equal(daemon_udp_send(a, out, MANY), 0);
    assert_int_equal(info_of(a).counters.send_full, MANY);
    daemon_udp_close(a);
}

// Wine binds it all the same.
static void test_foreign(void **state)
{
    (void)state;
    struct dht_addr foreign = addr_of("192.0.2.1:3540");
    struct daemon_error error = {.text = ""};
    assert_null(daemon_udp_open(&foreign, NULL, BUFFER_BYTES, &error));
    unit_has("foreign", error.text, "192.0.2.1:3540: this machine has no such address");
}

int main(void)
{
    stay_on_this_processor();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),    cmocka_unit_test(test_batches),
        cmocka_unit_test(test_lengths),           cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_foreign),           cmocka_unit_test(test_send_faults),
        cmocka_unit_test(test_full_beyond_batch),
    };
    return unit_run(tests);
}
