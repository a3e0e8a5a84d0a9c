// SPDX-License-Identifier: MIT
// What of the platform is of POSIX alone: descriptors and signals.
#define _POSIX_C_SOURCE 200809L
#include "nsp/platform.h"

// clang-format off
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
// clang-format on

static void look_at_signals(void *ctx)
{
    (void)pthread_sigmask(SIG_BLOCK, NULL, ctx);
}

static void test_signals(void **state)
{
    (void)state;
    struct nsp_thread thread;
    sigset_t before, blocked, after;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_true(nsp_thread_start(&thread, look_at_signals, &blocked));
    nsp_thread_join(&thread);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &after);
    const int signals[] = {SIGTERM, SIGCHLD, SIGALRM, SIGINT, SIGUSR1};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        assert_true(sigismember(&blocked, signals[i]));
        // Those of whoever starts a thread stay as they were.
        assert_int_equal(sigismember(&before, signals[i]), sigismember(&after, signals[i]));
    }
}

static void test_socket(void **state)
{
    (void)state;
    const unsigned both = NSP_WANTS_READ | NSP_WANTS_WRITE;
    struct nsp_wake wake;
    int pair[2];
    assert_true(nsp_wake_init(&wake));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(nsp_platform_wait(pair[0], NSP_WANTS_READ, &wake, 0), 0);
    assert_int_equal(nsp_platform_wait(pair[0], 0, &wake, 0), 0);
    assert_int_equal(nsp_platform_wait(pair[0], both, &wake, -1), NSP_WAIT_READY);
    assert_int_equal(write(pair[1], "x", 1), 1);
    assert_int_equal(nsp_platform_wait(pair[0], NSP_WANTS_READ, &wake, -1), NSP_WAIT_READY);
    nsp_wake_set(&wake);
    assert_int_equal(nsp_platform_wait(pair[0], NSP_WANTS_READ, &wake, -1),
                     NSP_WAIT_READY | NSP_WAIT_WOKEN);
    // The other side goes away.
    assert_int_equal(close(pair[1]), 0);
    assert_int_equal(nsp_platform_wait(pair[0], 0, &wake, -1), NSP_WAIT_READY);
    // Somebody else has closed the socket under us.
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(nsp_platform_wait(pair[0], NSP_WANTS_READ, &wake, -1), NSP_WAIT_FAILED);
    nsp_wake_drop(&wake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signals),
        cmocka_unit_test(test_socket),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
