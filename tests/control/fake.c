// SPDX-License-Identifier: MIT
#include "tests/control/fake.h"

#include "node/control/transport.h"
#include "node/daemon/startup.h"
#include "node/daemon/stream.h"

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

// ---- life ----

struct fake *fake_new(void)
{
    static bool is_begun; // on Windows there are no sockets before it
    static char name[] = "fake";
    char *words[] = {name, NULL};
    char **argv = words;
    int argc = 1;
    struct daemon_error why;
    struct fake *fake = calloc(1, sizeof *fake);
    assert_non_null(fake);
    assert_true(is_begun || daemon_startup(&argc, &argv));
    is_begun = true;
    fake->listener = fake->fd = -1;
    assert_true(daemon_file_make_temporary("pnr-control", fake->dir, sizeof fake->dir, &why));
    snprintf(fake->path, sizeof fake->path, "%s/s", fake->dir);
    snprintf(fake->address, sizeof fake->address, "tcp:%s", fake->path);
    return fake;
}

struct fake *fake_listen(void)
{
    struct fake *fake = fake_new();
    struct daemon_error why;
    fake->rendezvous.access = CONTROL_ACCESS_CONTROL;
    memset(fake->rendezvous.secret, 's', sizeof fake->rendezvous.secret);
    fake->listener = daemon_stream_listen_tcp(0, &fake->rendezvous.port, &why);
    assert_true(fake->listener >= 0);
    fake_write_rendezvous(fake, &fake->rendezvous);
    return fake;
}

struct fake *fake_start(void)
{
    struct fake *fake = fake_listen();
    struct pnr_options options = {.address = fake->address};
    struct control_handshake handshake;
    struct control_handshake_server server = {.node_count = 1,
                                              .control_secret = fake->rendezvous.secret};
    control_handshake_start_server(&handshake, &server);
    assert_int_equal(pnr_client_new(&options, 60000, &fake->client), PNR_OK);
    fake_accept(fake);
    fake_shake(fake, &handshake);
    fake_shake(fake, &handshake);
    assert_int_equal(handshake.state, CONTROL_HANDSHAKE_DONE);
    assert_int_equal(pnr_client_wait_ready(fake->client), PNR_OK);
    return fake;
}

void fake_stop(struct fake *fake)
{
    pnr_client_close(fake->client);
    fake_hang_up(fake);
    fake_stop_listening(fake);
    daemon_file_remove_folder(fake->dir);
    assert_false(daemon_file_exists(fake->dir));
    free(fake);
}

// ---- the rendezvous file ----

void fake_write_file(struct fake *fake, const void *data, size_t len)
{
    struct daemon_error why;
    struct dht_span text = {data, len};
    assert_true(
        daemon_file_replace(fake->path, text, DAEMON_FILE_OWNER, DAEMON_FILE_NO_GROUP, &why));
}

void fake_write_rendezvous(struct fake *fake, const struct control_rendezvous *rendezvous)
{
    char text[256];
    size_t len = control_rendezvous_format(rendezvous, text, sizeof text);
    assert_int_not_equal(len, 0);
    fake_write_file(fake, text, len);
}

// ---- the connection ----

void fake_accept(struct fake *fake)
{
    struct daemon_error why;
    control_transport_poll(fake->listener, CONTROL_TRANSPORT_READ, -1);
    assert_int_equal(daemon_stream_accept(fake->listener, &fake->fd, &why), DAEMON_STREAM_ACCEPTED);
}

// Sends until all is said, or until nothing more is taken.
static void flush(struct fake *fake, bool wait)
{
    assert_true(control_outbuf_flush(&fake->out, fake->fd));
    while (wait && control_outbuf_waiting(&fake->out) > 0) {
        control_transport_poll(fake->fd, CONTROL_TRANSPORT_WRITE, -1);
        assert_true(control_outbuf_flush(&fake->out, fake->fd));
    }
}

void fake_hang_up(struct fake *fake)
{
    if (fake->fd >= 0) {
        daemon_stream_close(fake->fd);
        fake->fd = -1;
    }
    control_outbuf_wipe(&fake->out);
}

void fake_stop_listening(struct fake *fake)
{
    daemon_stream_close(fake->listener);
    fake->listener = -1;
}

// ---- saying ----

void fake_say(struct fake *fake, const void *data, size_t len)
{
    assert_true(len == 0 || control_outbuf_append(&fake->out, data, len));
    flush(fake, true);
}

bool fake_say_if_room(struct fake *fake, const void *data, size_t len)
{
    flush(fake, false);
    if (control_outbuf_waiting(&fake->out) > 0) {
        return false;
    }
    assert_true(control_outbuf_append(&fake->out, data, len));
    flush(fake, false);
    return true;
}

void fake_go_on(struct fake *fake)
{
    flush(fake, false);
}

// Says a body with its length before it.
static void say_body(struct fake *fake, const char *body, size_t len)
{
    uint8_t head[4] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    fake_say(fake, head, sizeof head);
    fake_say(fake, body, len);
}

void fake_answer(struct fake *fake, uint32_t id, const char *kind, const char *fields)
{
    char body[8192];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%zu:%s1:r%se", (unsigned)id, strlen(kind),
                       kind, fields);
    assert_true(len > 0 && (size_t)len < sizeof body);
    say_body(fake, body, (size_t)len);
}

void fake_welcome(struct fake *fake, const char *access)
{
    char body[128];
    int len = snprintf(body, sizeof body, "d6:access%zu:%s4:nodei0e7:versioni1ee", strlen(access),
                       access);
    say_body(fake, body, (size_t)len);
}

// ---- hearing ----

// Reads exactly len bytes, letting the client write as long as they are not there.
static void hear_bytes(struct fake *fake, uint8_t *buf, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ptrdiff_t part = control_transport_receive(fake->fd, buf + at, len - at);
        assert_true(part >= 0);
        at += (size_t)part;
        if (part == 0) {
            flush(fake, false);
            (void)pnr_client_process(fake->client);
        }
    }
}

void fake_hear(struct fake *fake)
{
    uint8_t head[4];
    hear_bytes(fake, head, sizeof head);
    fake->heard_len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    assert_int_equal(head[0], 0);
    assert_true(fake->heard_len <= sizeof fake->heard);
    hear_bytes(fake, fake->heard, fake->heard_len);
}

void fake_hears(struct fake *fake, const char *body)
{
    fake_hear(fake);
    if (fake->heard_len != strlen(body) || memcmp(fake->heard, body, fake->heard_len) != 0) {
        fail_msg("heard %.*s\ninstead of %s", (int)fake->heard_len, (const char *)fake->heard,
                 body);
    }
}

void fake_shake(struct fake *fake, struct control_handshake *handshake)
{
    struct dht_span in, out;
    fake_hear(fake);
    uint8_t head[4] = {0, 0, (uint8_t)(fake->heard_len >> 8), (uint8_t)fake->heard_len};
    in = (struct dht_span){head, sizeof head};
    (void)control_handshake_receive(handshake, &in, &out);
    in = (struct dht_span){fake->heard, fake->heard_len};
    (void)control_handshake_receive(handshake, &in, &out);
    fake_say(fake, out.data, out.len);
}

void fake_idle(struct fake *fake)
{
    control_transport_poll(CONTROL_TRANSPORT_NONE, 0, pnr_client_timeout_ms(fake->client));
}
