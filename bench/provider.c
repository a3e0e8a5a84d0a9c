// SPDX-License-Identifier: MIT

// What the Winsock provider costs its program, natively: docs/performance.md.
//
//   bench_provider PNRD
//
// Beside each figure stands what the system alone needs for the like, of the same run.

#include "bench/actor.h"
#include "bench/guest.h"
#include "bench/program.h"
#include "bench/samples.h"
#include "bench/system.h"
#include "bench/testnet.h"
#include "pnr/client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROUNDS  2000
#define HANDLES 64
#define LOOKUPS 20000

// ---- what the system needs for the like ----

static void call_the_system(void *ctx)
{
    (void)ctx;
    (void)syscall(SYS_getppid);
}

static void look_for_file(void *path)
{
    (void)access(path, F_OK);
}

static void lock_and_unlock(void *mutex)
{
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
}

struct bell {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool rung;
    int64_t woken_ns;
};

static void ring(struct bell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    bell->rung = true;
    pthread_cond_broadcast(&bell->cond);
    pthread_mutex_unlock(&bell->mutex);
}

static void *wait_for_bell(void *ctx)
{
    struct bell *bell = ctx;
    pthread_mutex_lock(&bell->mutex);
    while (!bell->rung)
        pthread_cond_wait(&bell->cond, &bell->mutex);
    pthread_mutex_unlock(&bell->mutex);
    bell->woken_ns = bench_now_ns();
    return NULL;
}

static void start_bell(struct bell *bell)
{
    *bell = (struct bell){.mutex = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
    pthread_create(&bell->thread, NULL, wait_for_bell, bell);
}

static void bench_bell(void)
{
    struct bench_samples samples = {0};
    while (samples.count < ROUNDS) {
        struct bell bell;
        start_bell(&bell);
        bench_pause();
        int64_t start_ns = bench_now_ns();
        ring(&bell);
        pthread_join(bell.thread, NULL);
        bench_samples_add(&samples, bell.woken_ns - start_ns);
    }
    bench_samples_print(&samples, "  a condition that wakes a thread");
}

// Two threads as the provider has them, with nothing to do: one reads a socket, and wakes the
// other.
struct relay {
    pthread_t thread;
    int fd;
    struct bell *bell;
};

static void *pass_on(void *ctx)
{
    struct relay *relay = ctx;
    char byte;
    if (recv(relay->fd, &byte, 1, 0) == 1)
        ring(relay->bell);
    return NULL;
}

static void bench_relay(void)
{
    struct bench_samples samples = {0};
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        bench_die("socketpair", "failed");
    while (samples.count < ROUNDS) {
        struct bell bell;
        struct relay relay = {.fd = pair[0], .bell = &bell};
        start_bell(&bell);
        pthread_create(&relay.thread, NULL, pass_on, &relay);
        bench_pause();
        int64_t start_ns = bench_now_ns();
        (void)!write(pair[1], "x", 1);
        pthread_join(relay.thread, NULL);
        pthread_join(bell.thread, NULL);
        bench_samples_add(&samples, bell.woken_ns - start_ns);
    }
    close(pair[0]);
    close(pair[1]);
    bench_samples_print(&samples, "  a byte that wakes a thread that wakes another");
}

// ---- with a real daemon ----

typedef HANDLE (*begin_function)(const char *name);

static void bench_first_next(const struct bench_testnet *net, begin_function begin,
                             const char *what)
{
    struct bench_samples samples = {0};
    bench_program_start(net->address);
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start_ns = bench_now_ns();
        HANDLE handle = begin(net->name);
        if (bench_program_next(handle) != 0)
            bench_die(net->name, "was not found");
        bench_samples_add(&samples, bench_now_ns() - start_ns);
        bench_program_end(handle);
    }
    bench_samples_print(&samples, what);
    bench_program_stop();
}

static void bench_first_result(const struct bench_testnet *net, enum pnr_wait wait,
                               const char *what)
{
    struct bench_samples samples = {0};
    struct pnr_client *client = bench_testnet_open(net, 0);
    for (int i = 0; i < ROUNDS; i++) {
        struct pnr_resolve resolve = {.name = net->name, .wait = wait, .max = 1};
        struct pnr_result result;
        struct pnr_event event;
        uint32_t id;
        int64_t start_ns = bench_now_ns();
        if (pnr_resolve(client, &resolve, &id) != PNR_OK ||
            pnr_client_wait(client, id, -1, &event) != PNR_OK || !pnr_read_result(&event, &result))
            bench_die(net->name, "was not found");
        bench_samples_add(&samples, bench_now_ns() - start_ns);
        if ((result.source == PNR_SOURCE_CACHE) != (wait == PNR_WAIT_CACHE))
            bench_die(net->name, "was found elsewhere");
        (void)pnr_client_finish(client, id, -1, &event);
    }
    bench_samples_print(&samples, what);
    pnr_client_close(client);
}

static void print_rate(const char *what, int64_t took_ns)
{
    printf("%s: %.0f lookups/s\n", what, LOOKUPS * 1e9 / (double)took_ns);
    fflush(stdout);
}

// Lookups of one process.
struct load {
    const char *what;
    const char *address;
    const char *name;
    begin_function begin;
};

// One thread has 64 handles: it fetches what the oldest has found, ends it, and begins another.
static void bench_handles(const struct load *load)
{
    HANDLE handles[HANDLES];
    bench_program_start(load->address);
    int64_t start_ns = bench_now_ns();
    for (int i = 0; i < LOOKUPS + HANDLES; i++) {
        HANDLE *handle = &handles[i % HANDLES];
        if (i >= HANDLES) {
            if (bench_program_next(*handle) != 0)
                bench_die(load->name, "was not found");
            bench_program_end(*handle);
        }
        if (i < LOOKUPS)
            *handle = load->begin(load->name);
    }
    print_rate(load->what, bench_now_ns() - start_ns);
    bench_program_stop();
}

static void *look_up(void *ctx)
{
    const struct load *load = ctx;
    for (int i = 0; i < LOOKUPS / HANDLES; i++) {
        HANDLE handle = load->begin(load->name);
        if (bench_program_next(handle) != 0)
            bench_die(load->name, "was not found");
        bench_program_end(handle);
    }
    return NULL;
}

static void bench_threads(struct load *load)
{
    pthread_t threads[HANDLES];
    bench_program_start(load->address);
    int64_t start_ns = bench_now_ns();
    for (int i = 0; i < HANDLES; i++)
        pthread_create(&threads[i], NULL, look_up, load);
    for (int i = 0; i < HANDLES; i++)
        pthread_join(threads[i], NULL);
    print_rate(load->what, bench_now_ns() - start_ns);
    bench_program_stop();
}

// With a daemon that has the answer at once.
static void bench_played(void)
{
    struct bench_actor actor;
    struct load load = {"64 handles of one thread, answered at once", actor.address, "0.name",
                        bench_program_must_begin};
    pthread_t server;
    bench_actor_start(&actor);
    pthread_create(&server, NULL, bench_actor_serve, &actor);
    bench_handles(&load);
    pthread_join(server, NULL);
    bench_actor_stop(&actor);
    bench_actor_start(&actor);
    pthread_create(&server, NULL, bench_actor_serve, &actor);
    load.what = "64 threads with a handle each, answered at once";
    bench_threads(&load);
    pthread_join(server, NULL);
    bench_actor_stop(&actor);
}

// With a daemon that has a testnet behind it. whats: of one thread, and of many.
static void bench_real(const struct bench_testnet *net, begin_function begin,
                       const char *const whats[2])
{
    struct load load = {whats[0], net->address, net->name, begin};
    bench_handles(&load);
    load.what = whats[1];
    bench_threads(&load);
}

// The same by libpnr, with as many requests under way as the provider lets be.
static void bench_requests(const struct bench_testnet *net)
{
    struct pnr_client *client = bench_testnet_open(net, 0);
    struct pnr_event event;
    int64_t start_ns = bench_now_ns();
    int begun = 0;
    int done = 0;
    while (done < LOOKUPS) {
        struct pnr_resolve resolve = {.name = net->name, .max = 1};
        uint32_t id;
        while (begun < LOOKUPS && begun < done + 60 && pnr_resolve(client, &resolve, &id) == PNR_OK)
            begun++;
        if (pnr_client_wait(client, 0, -1, &event) != PNR_OK || event.type == PNR_EVENT_ERROR)
            bench_die(net->name, "was not found");
        done += event.type == PNR_EVENT_DONE;
    }
    print_rate("  libpnr alone, 60 requests at a time", bench_now_ns() - start_ns);
    pnr_client_close(client);
}

int main(int argc, char **argv)
{
    struct bench_testnet net;
    char nobody[] = "/tmp/pnr-bench-nobody/s";
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    const struct bench_guest_call further[] = {
        {"  a system call, getppid()", call_the_system, NULL},
        {"  access() of a file that is not there", look_for_file, nobody},
        {"  pthread_mutex_lock() and _unlock()", lock_and_unlock, &mutex},
        {NULL, NULL, NULL},
    };
    if (argc != 2) {
        fprintf(stderr, "usage: bench_provider PNRD\n");
        return 2;
    }
    bench_guest_refusals(nobody, further);
    bench_guest_poll();
    bench_guest_end(ROUNDS);
    bench_bell();
    bench_guest_notifications(ROUNDS);
    bench_relay();
    bench_played();
    bench_testnet_start(&net, argv[1]);
    bench_first_next(&net, bench_program_must_begin_anew, "Begin to first Next of a name");
    bench_first_result(&net, PNR_WAIT_ALL, "  libpnr alone, from the network");
    bench_first_next(&net, bench_program_must_begin, "Begin to first Next of a cached name");
    bench_first_result(&net, PNR_WAIT_CACHE, "  libpnr alone, from the daemon's cache");
    bench_real(&net, bench_program_must_begin_anew,
               (const char *const[]){"64 handles of one thread", "64 threads with a handle each"});
    bench_requests(&net);
    bench_real(&net, bench_program_must_begin,
               (const char *const[]){"64 handles of one thread, cached",
                                     "64 threads with a handle each, cached"});
    bench_testnet_stop(&net);
    return 0;
}
