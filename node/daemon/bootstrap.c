// SPDX-License-Identifier: MIT
#include "node/daemon/bootstrap.h"

#include "node/daemon/log.h"

#include <assert.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECOND_US        INT64_C(1000000)
#define PAUSE_FIRST_US   (5 * SECOND_US)
#define PAUSE_LONGEST_US (600 * SECOND_US)
#define STACK_BYTES      (256 * 1024)

// One round of names. The loop and the thread each hold a reference; the last one frees it.
struct round {
    _Atomic int references;
    _Atomic bool is_done; // set by the thread, which leaves all but its reference alone after
    int done_fd;          // the round's own, written by the thread when it is through
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
    struct event *event; // of its pipe
    int pipe_fd;         // the reading end
};

// ---- the thread ----

static void round_release(struct round *round)
{
    if (atomic_fetch_sub(&round->references, 1) > 1)
        return;
    close(round->done_fd);
    free(round);
}

static bool addr_from_system(const struct addrinfo *info, uint16_t port, struct dht_addr *ret_addr)
{
    struct dht_addr addr = {.port = port};
    if (info->ai_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, info->ai_addr, sizeof v4);
        memcpy(addr.ip, &v4.sin_addr, 4);
        addr.ip_len = 4;
    } else if (info->ai_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, info->ai_addr, sizeof v6);
        memcpy(addr.ip, &v6.sin6_addr, 16);
        addr.ip_len = 16;
    }
    *ret_addr = addr;
    return addr.ip_len != 0;
}

// Appends the addresses of one host. Returns getaddrinfo()'s error.
static int resolve(const struct daemon_config_host *host, int flags, struct dht_addr *addrs,
                   size_t *count)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = flags};
    struct addrinfo *list;
    int error = getaddrinfo(host->host, NULL, &hints, &list);
    if (error != 0)
        return error;
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        if (*count < DAEMON_BOOTSTRAP_ADDRS_MAX)
            *count += addr_from_system(info, host->port, &addrs[*count]);
    }
    freeaddrinfo(list);
    return 0;
}

static void *thread_main(void *ctx)
{
    struct round *round = ctx;
    for (size_t i = 0; i < round->hosts.count; i++) {
        const struct daemon_config_host *host = &round->hosts.list[i];
        int error = resolve(host, AI_ADDRCONFIG, round->addrs, &round->count);
        if (error != 0)
            daemon_log(DAEMON_LOG_INFO, "bootstrap host not found host=%s why=\"%s\"", host->host,
                       gai_strerror(error));
    }
    atomic_store(&round->is_done, true);
    ssize_t sent = write(round->done_fd, "", 1); // nobody listens any more where it fails
    (void)sent;
    round_release(round);
    return NULL;
}

// Detached, so that nobody has to wait for it; signals are the loop's.
static bool start_thread(struct round *round)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&thread, &attributes, thread_main, round) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return ok;
}

// ---- rounds ----

static void end_round(struct daemon_bootstrap *bootstrap)
{
    if (bootstrap->round == NULL)
        return;
    event_free(bootstrap->event);
    close(bootstrap->pipe_fd);
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
    if (round == NULL || pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
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
        ok = start_thread(round);
        if (!ok)
            atomic_fetch_sub(&round->references, 1);
    }
    if (!ok) {
        if (bootstrap->event != NULL)
            event_free(bootstrap->event);
        close(fds[0]);
        round_release(round);
        return false;
    }
    bootstrap->round = round;
    bootstrap->pipe_fd = fds[0];
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
        if (resolve(&hosts->list[i], AI_NUMERICHOST, addrs, &count) != 0)
            bootstrap->hosts.list[bootstrap->hosts.count++] = hosts->list[i];
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
