// SPDX-License-Identifier: MIT
// Bytes that wait to be sent, over a pair of sockets whose other end reads when it likes.
#define _DEFAULT_SOURCE
#include "node/control/outbuf.h"

// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
// clang-format on

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void open_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

// More than the socket takes at once comes through whole and in order.
static void sends_in_parts(void **state)
{
    (void)state;
    static uint8_t piece[50000], got[50000];
    struct control_outbuf out = {0};
    size_t total = 0, heard = 0;
    int fds[2];
    open_pair(fds);
    for (int i = 0; i < 30; i++) {
        for (size_t k = 0; k < sizeof piece; k++) {
            piece[k] = (uint8_t)((total + k) * 31 >> 3);
        }
        assert_true(control_outbuf_append(&out, piece, sizeof piece));
        total += sizeof piece;
        assert_true(control_outbuf_flush(&out, fds[0]));
    }
    assert_true(control_outbuf_waiting(&out) > 0);
    while (heard < total) {
        ssize_t len = recv(fds[1], got, sizeof got, 0);
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
    close(fds[0]);
    close(fds[1]);
}

static void tells_a_broken_connection(void **state)
{
    (void)state;
    struct control_outbuf out = {0};
    int fds[2];
    open_pair(fds);
    close(fds[1]);
    assert_true(control_outbuf_flush(&out, fds[0])); // nothing to send
    assert_true(control_outbuf_append(&out, (const uint8_t *)"x", 1));
    assert_false(control_outbuf_flush(&out, fds[0]));
    assert_int_equal(control_outbuf_waiting(&out), 1);
    control_outbuf_wipe(&out);
    assert_int_equal(control_outbuf_waiting(&out), 0);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_in_parts),
        cmocka_unit_test(tells_a_broken_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
