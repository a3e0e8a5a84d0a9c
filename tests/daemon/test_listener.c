// SPDX-License-Identifier: MIT
// Clients, from connecting to the end, against the fake brain: test and daemon take turns in one
// thread.
#include "node/daemon/listener.h"
#include "node/daemon/process.h"
#include "tests/daemon/fake_node.h"
#include "tests/daemon/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#define CLIENTS_MAX 8

static struct daemon_process process;
static struct control_address unix_address;
static struct control_address tcp_address;

static int setup(void **state)
{
    char text[128];
    static struct daemon_node_options node;
    signal(SIGPIPE, SIG_IGN);
    unit_dir_make(state);
    struct daemon_process_options options = {.node_count = 2, .clients_max = CLIENTS_MAX};
    assert_true(daemon_process_open(&process, &options, NULL));
    snprintf(text, sizeof text, "unix:%s", unit_path("c"));
    assert_true(control_address_parse(text, &unix_address));
    snprintf(text, sizeof text, "tcp:%s", unit_path("r"));
    assert_true(control_address_parse(text, &tcp_address));
    struct control_address both[] = {unix_address, tcp_address};
    assert_true(daemon_process_listen(&process, both, 2, "", NULL));
    // Node 0 runs, node 1 is stopped.
    memset(&node, 0, sizeof node);
    node_config_init(&node.config);
    node.config.sessions_max = CLIENTS_MAX;
    node.keys_dir = unit_path("keys");
    node.state_dir = unit_path("state");
    process.nodes[0] = daemon_node_open(&process.shared, &node, NULL);
    assert_non_null(process.nodes[0]);
    daemon_node_start(process.nodes[0]);
    return 0;
}

static int teardown(void **state)
{
    daemon_process_close(&process);
    return unit_dir_remove(state);
}

static struct fake_node_seen *seen(void)
{
    return fake_node_seen(daemon_node_brain(process.nodes[0]));
}

// ---- a client ----

// Nothing of a client blocks: what it waits for, the daemon has to do in between.
static int connect_unix(const char *name)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", unit_path(name));
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    return fd;
}

static int connect_tcp(uint16_t port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof addr), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// Reads len bytes, with turns of the daemon. Returns how many came before the end.
static size_t read_all(int fd, void *bytes, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t now = recv(fd, (uint8_t *)bytes + got, len - got, 0);
        if (now == 0 || (now < 0 && errno != EAGAIN))
            break;
        if (now > 0)
            got += (size_t)now;
        else
            daemon_loop_once(process.loop);
    }
    return got;
}

static char read_one(int fd)
{
    char byte;
    return read_all(fd, &byte, 1) == 1 ? byte : '\0';
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

// Shakes hands as a client of node. Returns how it ended.
static struct control_handshake shake(int fd, uint32_t node,
                                      const struct control_rendezvous *rendezvous)
{
    struct control_handshake handshake;
    struct control_handshake_client client = {.node = node, .rendezvous = rendezvous};
    struct dht_span out;
    control_handshake_start_client(&handshake, &client, &out);
    send(fd, out.data, out.len, MSG_NOSIGNAL);
    while (handshake.state != CONTROL_HANDSHAKE_DONE &&
           handshake.state != CONTROL_HANDSHAKE_FAILED) {
        uint8_t byte;
        if (read_all(fd, &byte, 1) != 1)
            break;
        struct dht_span bytes = {&byte, 1};
        control_handshake_receive(&handshake, &bytes, &out);
        if (out.len > 0)
            send(fd, out.data, out.len, MSG_NOSIGNAL);
    }
    return handshake;
}

static int open_client(const char *name)
{
    int fd = connect_unix(name);
    assert_int_equal(shake(fd, 0, NULL).state, CONTROL_HANDSHAKE_DONE);
    return fd;
}

// Lets the daemon take turns until it has that many clients.
static void wait_for_clients(uint32_t count)
{
    while (daemon_session_set_count(process.sessions) != count)
        daemon_loop_once(process.loop);
}

// ---- tests ----

static const struct hello_row {
    const char *name;
    const char *path; // of the socket; NULL: TCP
    uint32_t node;
    const char *rendezvous; // the file
    bool wrong_secret;
    enum control_error error; // 0: welcome
    enum control_access access;
} hello_rows[] = {
    {"control", "c", 0, NULL, false, 0, CONTROL_ACCESS_CONTROL},
    {"resolve", "c.resolve", 0, NULL, false, 0, CONTROL_ACCESS_RESOLVE},
    {"control over TCP", NULL, 0, "r", false, 0, CONTROL_ACCESS_CONTROL},
    {"resolve over TCP", NULL, 0, "r.resolve", false, 0, CONTROL_ACCESS_RESOLVE},
    {"stopped node", "c", 1, NULL, false, CONTROL_ERROR_FAILED, 0},
    {"no such node", "c", 2, NULL, false, CONTROL_ERROR_NOT_FOUND, 0},
    {"wrong secret", NULL, 0, "r", true, CONTROL_ERROR_REFUSED, 0},
};

static void test_hello(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(hello_rows); i++) {
        const struct hello_row *row = &hello_rows[i];
        struct control_rendezvous rendezvous = {0};
        if (row->rendezvous != NULL) {
            uint8_t text[CONTROL_RENDEZVOUS_LEN_MAX];
            FILE *file = fopen(unit_path(row->rendezvous), "r");
            size_t len = fread(text, 1, sizeof text, file);
            fclose(file);
            assert_true(control_rendezvous_parse((struct dht_span){text, len}, &rendezvous));
            rendezvous.secret[0] ^= row->wrong_secret;
        }
        int fd = row->path != NULL ? connect_unix(row->path) : connect_tcp(rendezvous.port);
        struct control_handshake end =
            shake(fd, row->node, row->rendezvous == NULL ? NULL : &rendezvous);
        bool welcome = end.state == CONTROL_HANDSHAKE_DONE;
        if (welcome != (row->error == 0) || (!welcome && end.error != row->error))
            fail_msg("row %s: state %d error %d %s", row->name, end.state, end.error, end.text);
        if (welcome && (end.access != row->access || (int)seen()->access != (int)row->access))
            fail_msg("row %s: access %d", row->name, end.access);
        close(fd);
        wait_for_clients(0);
        assert_int_equal(seen()->sessions, 0);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    int a = open_client("c");
    int b = open_client("c.resolve");
    say(a, "e");
    say(b, "?e");
    assert_int_equal(read_one(b), '?');
    assert_int_equal(read_one(b), 'E');
    assert_int_equal(read_one(a), 'E');
    assert_int_equal(seen()->sent, 3);
    close(a);
    wait_for_clients(1);
    assert_int_equal(seen()->sessions, 1);
    close(b);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

// A client that does not read costs what it was sent, and its neighbour nothing.
static void test_slow_client(void **state)
{
    static uint8_t big[2 * FAKE_NODE_BIG];
    (void)state;
    int slow = open_client("c");
    int quick = open_client("c");
    say(slow, "b");
    say(quick, "e");
    assert_int_equal(read_one(quick), 'E');
    size_t sent = seen()->sent - 1;
    assert_true(sent < FAKE_NODE_BIG); // the rest waits
    say(slow, "b");                    // not read before the first has gone
    say(quick, "e");
    assert_int_equal(read_one(quick), 'E');
    assert_int_equal(seen()->received, 3);
    assert_true(seen()->sent < FAKE_NODE_BIG);
    assert_int_equal(read_all(slow, big, sizeof big), sizeof big);
    for (size_t i = 0; i < sizeof big; i++)
        assert_int_equal(big[i], 'B');
    close(slow);
    close(quick);
    wait_for_clients(0);
}

// Hung up on: everything that was said before arrives, then the end.
static void test_hangup(void **state)
{
    static uint8_t big[FAKE_NODE_BIG];
    uint8_t byte;
    (void)state;
    int fd = open_client("c");
    say(fd, "bhe");
    assert_int_equal(read_all(fd, big, sizeof big), sizeof big);
    assert_int_equal(read_one(fd), 'H');
    assert_int_equal(read_all(fd, &byte, 1), 0);
    assert_int_equal(seen()->sessions, 0);
    close(fd);
    wait_for_clients(0);
}

// A client that goes with megabytes waiting for it.
static void test_gone(void **state)
{
    (void)state;
    int fd = open_client("c");
    say(fd, "b");
    while (seen()->sent == 0)
        daemon_loop_once(process.loop);
    close(fd);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

static void test_too_many(void **state)
{
    int fds[CLIENTS_MAX];
    size_t count = 0;
    (void)state;
    // One place is kept for control.
    while (count < CLIENTS_MAX - 1)
        fds[count++] = open_client("c.resolve");
    int refused = connect_unix("c.resolve");
    assert_int_equal(shake(refused, 0, NULL).error, CONTROL_ERROR_FULL);
    close(refused);
    fds[count++] = open_client("c");
    refused = connect_unix("c");
    assert_int_equal(shake(refused, 0, NULL).error, CONTROL_ERROR_FULL);
    close(refused);
    while (count > 0)
        close(fds[--count]);
    wait_for_clients(0);
    close(open_client("c.resolve"));
}

static void test_broken_hello(void **state)
{
    uint8_t byte;
    (void)state;
    int fd = connect_unix("c");
    assert_int_equal(send(fd, "\0\0\0\0", 4, MSG_NOSIGNAL), 4);
    while (read_all(fd, &byte, 1) == 1) {
    }
    close(fd);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

// A durable row and a new key: both come back from their threads.
static void test_disk(void **state)
{
    (void)state;
    int fd = open_client("c");
    say(fd, "w");
    assert_int_equal(read_one(fd), 'W');
    say(fd, "k");
    assert_int_equal(read_one(fd), 'K');
    assert_int_equal(access(unit_path("keys/made.pem"), F_OK), 0);
    assert_int_equal(seen()->keys, 1);
    say(fd, "k"); // taken
    assert_int_equal(read_one(fd), 'x');
    assert_int_equal(seen()->key_code, CONTROL_ERROR_CONFLICT);
    // What went from the directory goes from the node.
    unlink(unit_path("keys/made.pem"));
    daemon_node_reload_keys(process.nodes[0]);
    while (seen()->keys != 0)
        daemon_loop_once(process.loop);
    close(fd);
    wait_for_clients(0);
}

// The node stops under its client's feet.
static void test_stop_node(void **state)
{
    uint8_t byte;
    (void)state;
    int fd = open_client("c");
    say(fd, "kw");
    daemon_loop_once(process.loop);
    daemon_process_stop_node(&process, 0);
    while (read_all(fd, &byte, 1) == 1) {
    }
    close(fd);
    wait_for_clients(0);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLIENT_TEST(test_hello),        CLIENT_TEST(test_bytes), CLIENT_TEST(test_slow_client),
        CLIENT_TEST(test_hangup),       CLIENT_TEST(test_gone),  CLIENT_TEST(test_too_many),
        CLIENT_TEST(test_broken_hello), CLIENT_TEST(test_disk),  CLIENT_TEST(test_stop_node),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
