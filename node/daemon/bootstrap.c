// SPDX-License-Identifier: MIT
#include "node/daemon/bootstrap.h"

#include "node/daemon/log.h"
#include "node/daemon/names.h"
#include "node/daemon/thread.h"
#include "node/daemon/wake.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US        INT64_C(1000000)
#define PAUSE_FIRST_US   (5 * SECOND_US)
#define PAUSE_LONGEST_US (600 * SECOND_US)
#define STACK_BYTES      (256 * 1024)

// One round of names. The loop and the thread each hold a reference; the last one frees it.
struct round {
    _Atomic int references;
    _Atomic bool is_done; // set by the thread, which leaves all but its reference alone after
    int done_fd;          // the round's own, rung by the thread when it is through
    struct daemon_config_hosts hosts;
    struct dht_addr addrs[DAEMON_BOOTSTRAP_ADDRS_MAX];
    size_t count;
};

struct daemon_bootstrap {
    struct daemon_loop *loop;
    struct daemon_bootstrap_calls calls;
    struct daemon_config_hosts hosts;
    struct daemon_loop_alarm alarm;
    int64_t pause_us;
    struct round *round; // under way; NULL: none
    struct event *event; // of its wake
    int wake_fd;         // the end that is polled
};

// ---- the thread ----

static void round_release(struct round *round)
{
    if (atomic_fetch_sub(&round->references, 1) > 1)
        return;
    daemon_wake_close(round->done_fd);
    free(round);
}

static void *thread_main(void *ctx)
{
    struct round *round = ctx;
    for (size_t i = 0; i < round->hosts.count; i++) {
        const struct daemon_config_host *host = &round->hosts.list[i];
        const char *why = daemon_names_find(host->host, DAEMON_NAMES_ANY, host->port, round->addrs,
                                            DAEMON_BOOTSTRAP_ADDRS_MAX, &round->count);
        if (why != NULL)
            daemon_log(DAEMON_LOG_INFO, "bootstrap host not found host=%s why=\"%s\"", host->host,
                       why);
    }
    atomic_store(&round->is_done, true);
    daemon_wake_ring(round->done_fd);
    round_release(round);
    return NULL;
}

// ---- rounds ----

static void end_round(struct daemon_bootstrap *bootstrap)
{
    if (bootstrap->round == NULL)
        return;
    event_free(bootstrap->event);
    daemon_wake_close(bootstrap->wake_fd);
    round_release(bootstrap->round);
    bootstrap->round = NULL;
}

static void wait_for_next(struct daemon_bootstrap *bootstrap)
{
    int64_t at_us = daemon_loop_now_us(bootstrap->loop) + bootstrap->pause_us;
    bootstrap->pause_us *= 2;
    if (bootstrap->pause_us > PAUSE_LONGEST_US)
        bootstrap->pause_us = PAUSE_LONGEST_US;
    if (!daemon_loop_set(bootstrap->loop, &bootstrap->alarm, at_us))
        daemon_log(DAEMON_LOG_WARN, "no memory to look up the bootstrap hosts again");
}

static void on_round_done(evutil_socket_t fd, short what, void *ctx)
{
    struct daemon_bootstrap *bootstrap = ctx;
    struct dht_addr addrs[DAEMON_BOOTSTRAP_ADDRS_MAX];
    assert(atomic_load(&bootstrap->round->is_done));
    size_t count = bootstrap->round->count;
    (void)fd;
    (void)what;
    memcpy(addrs, bootstrap->round->addrs, count * sizeof addrs[0]);
    end_round(bootstrap);
    wait_for_next(bootstrap);
    if (count > 0)
        bootstrap->calls.found(bootstrap->calls.ctx, addrs, count);
}

static bool begin_round(struct daemon_bootstrap *bootstrap)
{
    int fds[2];
    struct round *round = calloc(1, sizeof *round);
    if (round == NULL || !daemon_wake_open(fds)) {
        free(round);
        return false;
    }
    round->done_fd = fds[1];
    round->hosts = bootstrap->hosts;
    atomic_init(&round->references, 1);
    bootstrap->event =
        event_new(daemon_loop_base(bootstrap->loop), fds[0], EV_READ, on_round_done, bootstrap);
    bool ok = bootstrap->event != NULL && event_add(bootstrap->event, NULL) == 0;
    if (ok) {
        atomic_fetch_add(&round->references, 1);
        // Alone, so that nobody has to wait for it.
        ok = daemon_thread_start_alone(thread_main, round, STACK_BYTES);
        if (!ok)
            atomic_fetch_sub(&round->references, 1);
    }
    if (!ok) {
        if (bootstrap->event != NULL)
            event_free(bootstrap->event);
        daemon_wake_close(fds[0]);
        round_release(round);
        return false;
    }
    bootstrap->round = round;
    bootstrap->wake_fd = fds[0];
    return true;
}

static void on_alarm(struct daemon_loop_alarm *alarm)
{
    struct daemon_bootstrap *bootstrap = alarm->ctx;
    bool needed = bootstrap->round == NULL && !bootstrap->calls.joined(bootstrap->calls.ctx);
    if (!needed || !begin_round(bootstrap))
        wait_for_next(bootstrap);
}

// ---- life ----

struct daemon_bootstrap *daemon_bootstrap_new(struct daemon_loop *loop,
                                              const struct daemon_bootstrap_calls *calls)
{
    struct daemon_bootstrap *bootstrap = calloc(1, sizeof *bootstrap);
    if (bootstrap == NULL)
        return NULL;
    bootstrap->loop = loop;
    bootstrap->calls = *calls;
    bootstrap->alarm = (struct daemon_loop_alarm){.ring = on_alarm, .ctx = bootstrap};
    return bootstrap;
}

void daemon_bootstrap_free(struct daemon_bootstrap *bootstrap)
{
    if (bootstrap == NULL)
        return;
    end_round(bootstrap);
    daemon_loop_set(bootstrap->loop, &bootstrap->alarm, INT64_MAX);
    free(bootstrap);
}

void daemon_bootstrap_start(struct daemon_bootstrap *bootstrap,
                            const struct daemon_config_hosts *hosts)
{
    struct dht_addr addrs[DAEMON_BOOTSTRAP_ADDRS_MAX];
    size_t count = 0;
    end_round(bootstrap);
    bootstrap->hosts.count = 0;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct daemon_config_host *host = &hosts->list[i];
        if (daemon_names_find(host->host, DAEMON_NAMES_NUMERIC, host->port, addrs,
                              DAEMON_BOOTSTRAP_ADDRS_MAX, &count) != NULL)
            bootstrap->hosts.list[bootstrap->hosts.count++] = *host;
    }
    // The first round comes at once.
    bootstrap->pause_us = 0;
    daemon_loop_set(bootstrap->loop, &bootstrap->alarm, INT64_MAX);
    if (bootstrap->hosts.count > 0)
        wait_for_next(bootstrap);
    bootstrap->pause_us = PAUSE_FIRST_US;
    if (count > 0)
        bootstrap->calls.found(bootstrap->calls.ctx, addrs, count);
}
