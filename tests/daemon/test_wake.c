// SPDX-License-Identifier: MIT
#include "tests/daemon/unit.h"

#include "node/daemon/thread.h"
#include "node/daemon/wake.h"

#include <event2/event.h>

#define RINGS 10000 // more than any buffer takes

struct watched {
    struct event_base *base;
    int calls;
};

static void on_ring(evutil_socket_t fd, short what, void *ctx)
{
    struct watched *watched = ctx;
    (void)what;
    watched->calls++;
    daemon_wake_hush((int)fd);
}

static void *ring_often(void *ctx)
{
    const int *fd = ctx;
    for (int i = 0; i < RINGS; i++)
        daemon_wake_ring(*fd);
    return NULL;
}

static void a_thread_wakes_the_loop(void **state)
{
    struct watched watched = {.base = event_base_new()};
    int fds[2];
    pthread_t thread;
    (void)state;
    assert_non_null(watched.base);
    assert_true(daemon_wake_open(fds));
    struct event *event = event_new(watched.base, fds[0], EV_READ | EV_PERSIST, on_ring, &watched);
    assert_non_null(event);
    assert_int_equal(event_add(event, NULL), 0);
    // Nobody has rung.
    event_base_loop(watched.base, EVLOOP_NONBLOCK);
    assert_int_equal(watched.calls, 0);
    assert_true(daemon_thread_start(&thread, ring_often, &fds[1]));
    event_base_loop(watched.base, EVLOOP_ONCE);
    assert_int_equal(watched.calls, 1);
    pthread_join(thread, NULL);
    // However often it was rung, once hushed it is quiet.
    daemon_wake_hush(fds[0]);
    event_base_loop(watched.base, EVLOOP_NONBLOCK);
    assert_int_equal(watched.calls, 1);
    event_free(event);
    event_base_free(watched.base);
    daemon_wake_close(fds[0]);
    daemon_wake_ring(fds[1]); // nobody is there any more
    daemon_wake_close(fds[1]);
    daemon_wake_close(-1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_wakes_the_loop),
    };
    return unit_run(tests);
}
