// SPDX-License-Identifier: MIT
#include "tests/nsp/fake_daemon.h"

#include "node/control/rendezvous.h"
#include "node/control/transport.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_LEN 5 // of callers

static const uint8_t secret[CONTROL_SECRET_LEN] = "a secret of a daemon in a test.";

// ---- life ----

struct fake_daemon *fake_daemon_absent(void)
{
    struct fake_daemon *daemon = calloc(1, sizeof *daemon);
    assert_non_null(daemon);
    fake_system_begin();
    daemon->listener = daemon->fd = CONTROL_TRANSPORT_NONE;
    daemon->granted = CONTROL_ACCESS_NONE;
    fake_system_make_folder(daemon->dir);
    snprintf(daemon->path, sizeof daemon->path, "%s/s", daemon->dir);
    snprintf(daemon->address, sizeof daemon->address, "tcp:%s", daemon->path);
    return daemon;
}

struct fake_daemon *fake_daemon_start(void)
{
    struct fake_daemon *daemon = fake_daemon_absent();
    fake_daemon_listen(daemon);
    return daemon;
}

void fake_daemon_write_rendezvous(struct fake_daemon *daemon, uint16_t port)
{
    struct control_rendezvous rendezvous = {.port = port, .access = CONTROL_ACCESS_CONTROL};
    char text[256];
    memcpy(rendezvous.secret, secret, sizeof secret);
    size_t len = control_rendezvous_format(&rendezvous, text, sizeof text);
    assert_int_not_equal(len, 0);
    fake_system_write_file(daemon->path, text, len);
}

void fake_daemon_listen(struct fake_daemon *daemon)
{
    uint16_t port;
    daemon->listener = fake_system_listen(QUEUE_LEN, &port);
    fake_daemon_write_rendezvous(daemon, port);
}

void fake_daemon_crash(struct fake_daemon *daemon)
{
    fake_daemon_hang_up(daemon);
    control_transport_close(daemon->listener);
    daemon->listener = CONTROL_TRANSPORT_NONE;
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
    fake_daemon_crash(daemon);
    fake_system_remove_file(daemon->path);
    fake_system_remove_folder(daemon->dir);
    free(daemon);
}

// ---- the connection ----

void fake_daemon_accept(struct fake_daemon *daemon)
{
    assert_int_equal(daemon->fd, CONTROL_TRANSPORT_NONE);
    daemon->fd = fake_system_accept(daemon->listener);
}

void fake_daemon_hang_up(struct fake_daemon *daemon)
{
    control_transport_close(daemon->fd);
    daemon->fd = CONTROL_TRANSPORT_NONE;
}

void fake_daemon_expect_end(struct fake_daemon *daemon)
{
    char bytes[4096];
    while (control_transport_receive(daemon->fd, bytes, sizeof bytes) >= 0) {
    }
    fake_daemon_hang_up(daemon);
}

// ---- hearing ----

// Reads exactly len bytes, for which the socket waits. False where the client has hung up.
static bool hear_bytes(struct fake_daemon *daemon, void *buf, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ptrdiff_t part = control_transport_receive(daemon->fd, (char *)buf + at, len - at);
        if (part < 0) {
            return false;
        }
        at += (size_t)part;
    }
    return true;
}

// Reads one frame. False where the client has hung up before it.
static bool hear_frame(struct fake_daemon *daemon)
{
    uint8_t head[4];
    if (!hear_bytes(daemon, head, sizeof head)) {
        return false;
    }
    daemon->heard_len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    assert_true(head[0] == 0 && daemon->heard_len < sizeof daemon->heard);
    assert_true(hear_bytes(daemon, daemon->heard, daemon->heard_len));
    daemon->heard[daemon->heard_len] = '\0';
    return true;
}

// Whether a text stands in what was heard, binary as it may be.
static bool has_heard(const struct fake_daemon *daemon, const char *text)
{
    size_t len = strlen(text);
    for (size_t at = 0; at + len <= daemon->heard_len; at++) {
        if (memcmp(daemon->heard + at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

bool fake_daemon_hear_or_end(struct fake_daemon *daemon, uint32_t *ret_id)
{
    if (!hear_frame(daemon)) {
        return false;
    }
    // The id stands behind the arguments: "1:ii7e1:q".
    const char *at = daemon->heard + daemon->heard_len;
    while (at > daemon->heard && strncmp(at, "1:ii", 4) != 0) {
        at--;
    }
    *ret_id = (uint32_t)strtoul(at + 4, NULL, 10);
    return true;
}

uint32_t fake_daemon_hear(struct fake_daemon *daemon)
{
    uint32_t id = 0;
    assert_true(fake_daemon_hear_or_end(daemon, &id));
    return id;
}

uint32_t fake_daemon_expect(struct fake_daemon *daemon, const char *word)
{
    char request[64];
    uint32_t id = fake_daemon_hear(daemon);
    snprintf(request, sizeof request, "1:q%u:%se", (unsigned)strlen(word), word);
    if (!has_heard(daemon, request)) {
        fail_msg("not %s but %s", word, daemon->heard);
    }
    return id;
}

// ---- saying ----

void fake_daemon_say(struct fake_daemon *daemon, const void *data, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ptrdiff_t part = control_transport_send(daemon->fd, (const char *)data + at, len - at);
        assert_true(part >= 0);
        at += (size_t)part;
    }
}

static void say_body(struct fake_daemon *daemon, const char *body, size_t len)
{
    uint8_t head[4] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    fake_daemon_say(daemon, head, sizeof head);
    fake_daemon_say(daemon, body, len);
}

// Hears one frame of the handshake and answers it.
static void shake(struct fake_daemon *daemon, struct control_handshake *handshake)
{
    struct dht_span in, out;
    assert_true(hear_frame(daemon));
    uint8_t head[4] = {0, 0, (uint8_t)(daemon->heard_len >> 8), (uint8_t)daemon->heard_len};
    in = (struct dht_span){head, sizeof head};
    (void)control_handshake_receive(handshake, &in, &out);
    in = (struct dht_span){(const uint8_t *)daemon->heard, daemon->heard_len};
    (void)control_handshake_receive(handshake, &in, &out);
    fake_daemon_say(daemon, out.data, out.len);
}

void fake_daemon_greet(struct fake_daemon *daemon)
{
    struct control_handshake handshake;
    struct control_handshake_server server = {.node_count = 1, .granted = daemon->granted};
    server.control_secret = daemon->granted == CONTROL_ACCESS_NONE ? secret : NULL;
    control_handshake_start_server(&handshake, &server);
    shake(daemon, &handshake);
    if (daemon->granted == CONTROL_ACCESS_NONE) {
        shake(daemon, &handshake);
    }
    assert_int_equal(handshake.state, CONTROL_HANDSHAKE_DONE);
}

void fake_daemon_answer(struct fake_daemon *daemon, uint32_t id, const char *kind,
                        const char *fields)
{
    char body[4096];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%u:%s1:r%se", (unsigned)id,
                       (unsigned)strlen(kind), kind, fields);
    assert_true(len > 0 && (size_t)len < sizeof body);
    say_body(daemon, body, (size_t)len);
}
