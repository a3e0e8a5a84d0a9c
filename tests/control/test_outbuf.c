// SPDX-License-Identifier: MIT
// Bytes that wait to be sent, over a pair of sockets whose other end reads when it likes.
#include "node/control/outbuf.h"

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

#include <string.h>

// Neither end waits.
static void open_pair(intptr_t fds[2])
{
    uint16_t port = 0;
    struct daemon_error why;
    int accepted = -1;
    int listener = daemon_stream_listen_tcp(0, &port, &why);
    enum control_transport_state state = control_transport_connect_tcp(port, &fds[0]);
    control_transport_poll(listener, CONTROL_TRANSPORT_READ, -1);
    assert_int_equal(daemon_stream_accept(listener, &accepted, &why), DAEMON_STREAM_ACCEPTED);
    while (state == CONTROL_TRANSPORT_PENDING) {
        control_transport_poll(fds[0], CONTROL_TRANSPORT_WRITE, -1);
        state = control_transport_connected(fds[0]);
    }
    assert_int_equal(state, CONTROL_TRANSPORT_DONE);
    fds[1] = accepted;
    daemon_stream_close(listener);
}

// More than the socket takes at once comes through whole and in order.
static void sends_in_parts(void **state)
{
    (void)state;
    static uint8_t piece[50000], got[50000];
    struct control_outbuf out = {0};
    size_t total = 0, heard = 0;
    intptr_t fds[2];
    open_pair(fds);
    while (control_outbuf_waiting(&out) < 10 * sizeof piece) {
        for (size_t k = 0; k < sizeof piece; k++) {
            piece[k] = (uint8_t)((total + k) * 31 >> 3);
        }
        assert_true(control_outbuf_append(&out, piece, sizeof piece));
        total += sizeof piece;
        assert_true(control_outbuf_flush(&out, fds[0]));
    }
    while (heard < total) {
        control_transport_poll(fds[1], CONTROL_TRANSPORT_READ, -1);
        ptrdiff_t len = control_transport_receive(fds[1], got, sizeof got);
        assert_true(len > 0);
        for (size_t k = 0; k < (size_t)len; k++) {
            assert_int_equal(got[k], (uint8_t)((heard + k) * 31 >> 3));
        }
        heard += (size_t)len;
        assert_true(control_outbuf_flush(&out, fds[0]));
    }
    // An empty one holds no memory.
    assert_int_equal(control_outbuf_waiting(&out), 0);
    assert_null(out.buf);
    control_transport_close(fds[0]);
    control_transport_close(fds[1]);
}

static void tells_a_broken_connection(void **state)
{
    (void)state;
    struct control_outbuf out = {0};
    intptr_t fds[2];
    open_pair(fds);
    control_transport_close(fds[1]);
    assert_true(control_outbuf_flush(&out, fds[0])); // nothing to send
    assert_true(control_outbuf_append(&out, (const uint8_t *)"x", 1));
    // The first may still be taken, and is answered by the news.
    while (control_outbuf_flush(&out, fds[0])) {
        assert_true(control_outbuf_append(&out, (const uint8_t *)"x", 1));
    }
    assert_int_equal(control_outbuf_waiting(&out), 1);
    control_outbuf_wipe(&out);
    assert_int_equal(control_outbuf_waiting(&out), 0);
    control_transport_close(fds[0]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_in_parts),
        cmocka_unit_test(tells_a_broken_connection),
    };
    if (!daemon_startup(&argc, &argv)) {
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
