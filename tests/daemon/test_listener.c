// SPDX-License-Identifier: MIT
// Clients, from connecting to the end, against the fake brain: test and daemon take turns in one
// thread.
#include "node/control/transport.h"
#include "node/daemon/listener.h"
#include "node/daemon/process.h"
#include "node/daemon/stream.h"
#include "tests/daemon/fake_node.h"
#include "tests/daemon/unit.h"

#define CLIENTS_MAX 8

static struct daemon_process process;
static struct control_address unix_address;
static struct control_address tcp_address;

static bool has_unix(void)
{
    return daemon_stream_unix_max() > 0;
}

static int setup(void **state)
{
    char text[UNIT_PATH_MAX + 8];
    static struct daemon_node_options node;
    unit_dir_make(state);
    struct daemon_process_options options = {.node_count = 2, .clients_max = CLIENTS_MAX};
    assert_true(daemon_process_open(&process, &options, NULL));
    snprintf(text, sizeof text, "unix:%s", unit_path("c"));
    assert_true(control_address_parse(text, &unix_address));
    snprintf(text, sizeof text, "tcp:%s", unit_path("r"));
    assert_true(control_address_parse(text, &tcp_address));
    struct control_address both[] = {tcp_address, unix_address};
    assert_true(daemon_process_listen(&process, both, has_unix() ? 2 : 1, "", NULL));
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
struct client {
    intptr_t socket;
    bool is_tcp;
    struct control_rendezvous rendezvous; // of TCP
};

static struct client connected(enum control_transport_state begun, struct client client)
{
    while (begun == CONTROL_TRANSPORT_PENDING) {
        daemon_loop_once(process.loop);
        begun = control_transport_connected(client.socket);
    }
    assert_int_equal(begun, CONTROL_TRANSPORT_DONE);
    return client;
}

static struct client connect_unix(const char *name)
{
    struct client client = {.is_tcp = false};
    return connected(control_transport_connect_unix(unit_path(name), &client.socket), client);
}

static struct client connect_tcp(const char *name)
{
    struct client client = {.is_tcp = true};
    char text[CONTROL_RENDEZVOUS_LEN_MAX];
    unit_read(unit_path(name), text, sizeof text);
    assert_true(control_rendezvous_parse(unit_text(text), &client.rendezvous));
    enum control_transport_state begun =
        control_transport_connect_tcp(client.rendezvous.port, &client.socket);
    return connected(begun, client);
}

// One for each level of access, by the better way that the system has.
static struct client connect_control(void)
{
    return has_unix() ? connect_unix("c") : connect_tcp("r");
}

static struct client connect_resolve(void)
{
    return has_unix() ? connect_unix("c.resolve") : connect_tcp("r.resolve");
}

static void hang_up(const struct client *client)
{
    control_transport_close(client->socket);
}

// Reads len bytes, with turns of the daemon. Returns how many came before the end.
static size_t read_all(const struct client *client, void *bytes, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ptrdiff_t now =
            control_transport_receive(client->socket, (uint8_t *)bytes + got, len - got);
        if (now < 0)
            break;
        got += (size_t)now;
        if (now == 0)
            daemon_loop_once(process.loop);
    }
    return got;
}

static char read_one(const struct client *client)
{
    char byte;
    return read_all(client, &byte, 1) == 1 ? byte : '\0';
}

static void say_bytes(const struct client *client, const void *data, size_t len)
{
    assert_int_equal(control_transport_send(client->socket, data, len), len);
}

static void say(const struct client *client, const char *text)
{
    say_bytes(client, text, strlen(text));
}

// Shakes hands as a client of node. Returns how it ended.
static struct control_handshake shake(const struct client *client, uint32_t node)
{
    struct control_handshake handshake;
    struct control_handshake_client brings = {
        .node = node, .rendezvous = client->is_tcp ? &client->rendezvous : NULL};
    struct dht_span out;
    control_handshake_start_client(&handshake, &brings, &out);
    (void)control_transport_send(client->socket, out.data, out.len);
    while (handshake.state != CONTROL_HANDSHAKE_DONE &&
           handshake.state != CONTROL_HANDSHAKE_FAILED) {
        uint8_t byte;
        if (read_all(client, &byte, 1) != 1)
            break;
        struct dht_span bytes = {&byte, 1};
        control_handshake_receive(&handshake, &bytes, &out);
        if (out.len > 0)
            (void)control_transport_send(client->socket, out.data, out.len);
    }
    return handshake;
}

static struct client greeted(struct client client)
{
    assert_int_equal(shake(&client, 0).state, CONTROL_HANDSHAKE_DONE);
    return client;
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
    const char *rendezvous;   // the file
    bool wrong_secret;        // of TCP
    enum control_error error; // 0: welcome
    enum control_access access;
} hello_rows[] = {
    {"control", "c", 0, NULL, false, 0, CONTROL_ACCESS_CONTROL},
    {"resolve", "c.resolve", 0, NULL, false, 0, CONTROL_ACCESS_RESOLVE},
    {"control over TCP", NULL, 0, "r", false, 0, CONTROL_ACCESS_CONTROL},
    {"resolve over TCP", NULL, 0, "r.resolve", false, 0, CONTROL_ACCESS_RESOLVE},
    {"stopped node", "c", 1, NULL, false, CONTROL_ERROR_FAILED, 0},
    {"no such node", "c", 2, NULL, false, CONTROL_ERROR_NOT_FOUND, 0},
    {"stopped node over TCP", NULL, 1, "r", false, CONTROL_ERROR_FAILED, 0},
    {"no such node over TCP", NULL, 2, "r", false, CONTROL_ERROR_NOT_FOUND, 0},
    {"wrong secret", NULL, 0, "r", true, CONTROL_ERROR_REFUSED, 0},
};

static void test_hello(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(hello_rows); i++) {
        const struct hello_row *row = &hello_rows[i];
        if (row->path != NULL && !has_unix())
            continue;
        struct client client =
            row->path != NULL ? connect_unix(row->path) : connect_tcp(row->rendezvous);
        client.rendezvous.secret[0] ^= row->wrong_secret;
        struct control_handshake end = shake(&client, row->node);
        bool welcome = end.state == CONTROL_HANDSHAKE_DONE;
        if (welcome != (row->error == 0) || (!welcome && end.error != row->error))
            fail_msg("row %s: state %d error %d %s", row->name, end.state, end.error, end.text);
        if (welcome && (end.access != row->access || (int)seen()->access != (int)row->access))
            fail_msg("row %s: access %d", row->name, end.access);
        hang_up(&client);
        wait_for_clients(0);
        assert_int_equal(seen()->sessions, 0);
    }
}

static void test_bytes(void **state)
{
    (void)state;
    struct client a = greeted(connect_control());
    struct client b = greeted(connect_resolve());
    say(&a, "e");
    say(&b, "?e");
    assert_int_equal(read_one(&b), '?');
    assert_int_equal(read_one(&b), 'E');
    assert_int_equal(read_one(&a), 'E');
    assert_int_equal(seen()->sent, 3);
    hang_up(&a);
    wait_for_clients(1);
    assert_int_equal(seen()->sessions, 1);
    hang_up(&b);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

// A client that does not read costs what it was sent, and its neighbour nothing.
static void test_slow_client(void **state)
{
    static uint8_t big[2 * FAKE_NODE_BIG];
    (void)state;
    struct client slow = greeted(connect_control());
    struct client quick = greeted(connect_control());
    say(&slow, "b");
    say(&quick, "e");
    assert_int_equal(read_one(&quick), 'E');
    size_t sent = seen()->sent - 1;
    assert_true(sent < FAKE_NODE_BIG); // the rest waits
    say(&slow, "b");                   // not read before the first has gone
    say(&quick, "e");
    assert_int_equal(read_one(&quick), 'E');
    assert_int_equal(seen()->received, 3);
    assert_true(seen()->sent < FAKE_NODE_BIG);
    assert_int_equal(read_all(&slow, big, sizeof big), sizeof big);
    for (size_t i = 0; i < sizeof big; i++)
        assert_int_equal(big[i], 'B');
    hang_up(&slow);
    hang_up(&quick);
    wait_for_clients(0);
}

// Hung up on: everything that was said before arrives, then the end.
static void test_hangup(void **state)
{
    static uint8_t big[FAKE_NODE_BIG];
    uint8_t byte;
    (void)state;
    struct client client = greeted(connect_control());
    say(&client, "bhe");
    assert_int_equal(read_all(&client, big, sizeof big), sizeof big);
    assert_int_equal(read_one(&client), 'H');
    assert_int_equal(read_all(&client, &byte, 1), 0);
    assert_int_equal(seen()->sessions, 0);
    hang_up(&client);
    wait_for_clients(0);
}

// A client that goes with megabytes waiting for it.
static void test_gone(void **state)
{
    (void)state;
    struct client client = greeted(connect_control());
    say(&client, "b");
    while (seen()->sent == 0)
        daemon_loop_once(process.loop);
    hang_up(&client);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

static void test_too_many(void **state)
{
    struct client clients[CLIENTS_MAX];
    size_t count = 0;
    (void)state;
    // One place is kept for control.
    while (count < CLIENTS_MAX - 1)
        clients[count++] = greeted(connect_resolve());
    struct client refused = connect_resolve();
    assert_int_equal(shake(&refused, 0).error, CONTROL_ERROR_FULL);
    hang_up(&refused);
    wait_for_clients(CLIENTS_MAX - 1); // over TCP, it was one until it had said what it wants
    clients[count++] = greeted(connect_control());
    refused = connect_control();
    assert_int_equal(shake(&refused, 0).error, CONTROL_ERROR_FULL);
    hang_up(&refused);
    while (count > 0)
        hang_up(&clients[--count]);
    wait_for_clients(0);
    refused = greeted(connect_resolve());
    hang_up(&refused);
}

static void test_broken_hello(void **state)
{
    uint8_t byte;
    (void)state;
    struct client client = connect_control();
    say_bytes(&client, "\0\0\0\0", 4);
    while (read_all(&client, &byte, 1) == 1) {
    }
    hang_up(&client);
    wait_for_clients(0);
    assert_int_equal(seen()->sessions, 0);
}

// A durable row and a new key: both come back from their threads.
static void test_disk(void **state)
{
    (void)state;
    struct client client = greeted(connect_control());
    say(&client, "w");
    assert_int_equal(read_one(&client), 'W');
    say(&client, "k");
    assert_int_equal(read_one(&client), 'K');
    assert_true(daemon_file_exists(unit_path("keys/made.pem")));
    assert_int_equal(seen()->keys, 1);
    say(&client, "k"); // taken
    assert_int_equal(read_one(&client), 'x');
    assert_int_equal(seen()->key_code, CONTROL_ERROR_CONFLICT);
    // What went from the directory goes from the node.
    daemon_file_remove(unit_path("keys/made.pem"));
    daemon_node_reload_keys(process.nodes[0]);
    while (seen()->keys != 0)
        daemon_loop_once(process.loop);
    hang_up(&client);
    wait_for_clients(0);
}

// The node stops under its client's feet.
static void test_stop_node(void **state)
{
    uint8_t byte;
    (void)state;
    struct client client = greeted(connect_control());
    say(&client, "kw");
    daemon_loop_once(process.loop);
    daemon_process_stop_node(&process, 0);
    while (read_all(&client, &byte, 1) == 1) {
    }
    hang_up(&client);
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
    return unit_run(tests);
}
