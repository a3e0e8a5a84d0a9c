// SPDX-License-Identifier: MIT

// What the Winsock provider costs its program, natively: docs/performance.md.
//
//   bench_provider PNRD
//
// Beside each figure stands what the system alone needs for the like, of the same run.

#include "bench/actor.h"
#include "bench/process.h"
#include "bench/program.h"
#include "bench/samples.h"
#include "bench/testnet.h"
#include "pnr/client.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CALLS   200000
#define ROUNDS  2000
#define HANDLES 64
#define LOOKUPS 20000

static const GUID foreign = {
    0x22059d40, 0x7e9e, 0x11cf, {0xae, 0x5a, 0, 0xaa, 0, 0xa7, 0x11, 0x2b}};

// Long enough for the other thread to be where it waits.
static void let_it_wait(void)
{
    struct timespec pause = {0, 300000};
    nanosleep(&pause, NULL);
}

// ---- calls that ask nobody ----

struct call {
    const char *what;
    void (*run)(void *ctx);
    void *ctx;
};

// The best of a few rows of calls, since other work shares the machine.
static void time_call(const struct call *call)
{
    int64_t best_ns = INT64_MAX;
    for (int row = 0; row < 7; row++) {
        int64_t start_ns = bench_now_ns();
        for (int i = 0; i < CALLS; i++)
            call->run(call->ctx);
        int64_t took_ns = bench_now_ns() - start_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    printf("%s: %.1f ns\n", call->what, (double)best_ns / CALLS);
    fflush(stdout);
}

static void begin_in_vain(void *query)
{
    HANDLE handle;
    if (bench_program_begin(query, &handle) == 0)
        bench_die("NSPLookupServiceBegin", "has begun what is not there");
}

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

static void poll_it(void *handle)
{
    if (bench_program_notify(handle, NULL, NULL) != WSAEWOULDBLOCK)
        bench_die("poll", "something has changed");
}

static void bench_refusals(void)
{
    struct bench_program_query not_ours, ours;
    char nobody[] = "/tmp/pnr-bench-nobody/s";
    bench_program_ask(&not_ours, "host", &foreign);
    bench_program_ask(&ours, "0.name", &SVCID_PNRPNAME_V2);
    bench_program_start(nobody);
    time_call(&(struct call){"Begin for a foreign class", begin_in_vain, &not_ours});
    time_call(&(struct call){"  a system call, getppid()", call_the_system, NULL});
    time_call(&(struct call){"Begin without a daemon", begin_in_vain, &ours});
    time_call(&(struct call){"  access() of a file that is not there", look_for_file, nobody});
    bench_program_stop();
}

static void bench_poll(void)
{
    struct bench_actor actor;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    HANDLE handle = bench_program_must_begin("0.name");
    uint32_t id = bench_actor_hear(&actor);
    bench_actor_tell(&actor, id, '1', NULL);
    (void)bench_program_next(handle);
    time_call(&(struct call){"the poll", poll_it, handle});
    time_call(&(struct call){"  pthread_mutex_lock() and _unlock()", lock_and_unlock, &mutex});
    bench_program_stop();
    bench_actor_stop(&actor);
}

// ---- End while another thread is in Next ----

struct waiter {
    pthread_t thread;
    HANDLE handle;
    int code;
    int64_t woken_ns;
};

static void *wait_in_next(void *ctx)
{
    struct waiter *waiter = ctx;
    waiter->code = bench_program_next(waiter->handle);
    waiter->woken_ns = bench_now_ns();
    return NULL;
}

static void bench_end(void)
{
    struct bench_actor actor;
    struct bench_samples samples = {0};
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    while (samples.count < ROUNDS) {
        struct waiter waiter = {.handle = bench_program_must_begin("0.name")};
        (void)bench_actor_hear(&actor);
        pthread_create(&waiter.thread, NULL, wait_in_next, &waiter);
        let_it_wait();
        int64_t start_ns = bench_now_ns();
        bench_program_end(waiter.handle);
        pthread_join(waiter.thread, NULL);
        (void)bench_actor_hear(&actor); // the cancel
        if (waiter.code == WSA_E_CANCELLED)
            bench_samples_add(&samples, waiter.woken_ns - start_ns);
    }
    bench_samples_print(&samples, "End to the return of a waiting Next");
    bench_program_stop();
    bench_actor_stop(&actor);
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
        let_it_wait();
        int64_t start_ns = bench_now_ns();
        ring(&bell);
        pthread_join(bell.thread, NULL);
        bench_samples_add(&samples, bell.woken_ns - start_ns);
    }
    bench_samples_print(&samples, "  a condition that wakes a thread");
}

// ---- from the daemon's word to the program ----

// A thread that arms and waits, again and again.
struct listener {
    pthread_t thread;
    WSACOMPLETIONTYPE type;
    HANDLE handle;
    sem_t armed, told;
    int64_t woken_ns;
};

static _Thread_local bool routine_has_run;

static void CALLBACK run_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    routine_has_run = true;
}

// What a listener waits with.
struct ear {
    OVERLAPPED overlapped;
    HANDLE port;
    HWND window;
    WSATHREADID thread;
    WSACOMPLETION how;
};

static void open_ear(struct ear *ear, WSACOMPLETIONTYPE type)
{
    memset(ear, 0, sizeof *ear);
    ear->how.Type = type;
    if (type == NSP_NOTIFY_EVENT) {
        ear->overlapped.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        ear->how.Parameters.Event.lpOverlapped = &ear->overlapped;
    } else if (type == NSP_NOTIFY_PORT) {
        ear->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
        ear->how.Parameters.Port.hPort = ear->port;
        ear->how.Parameters.Port.lpOverlapped = &ear->overlapped;
    } else {
        ear->how.Parameters.Apc.lpfnCompletionProc = run_routine;
        ear->how.Parameters.Apc.lpOverlapped = &ear->overlapped;
        DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(),
                        &ear->thread.ThreadHandle, 0, FALSE, DUPLICATE_SAME_ACCESS);
    }
}

static void wait_with(struct ear *ear)
{
    DWORD bytes;
    ULONG_PTR key;
    LPOVERLAPPED overlapped;
    if (ear->how.Type == NSP_NOTIFY_EVENT) {
        WaitForSingleObject(ear->overlapped.hEvent, INFINITE);
    } else if (ear->how.Type == NSP_NOTIFY_PORT) {
        GetQueuedCompletionStatus(ear->port, &bytes, &key, &overlapped, INFINITE);
    } else {
        routine_has_run = false;
        while (!routine_has_run)
            SleepEx(INFINITE, TRUE);
    }
}

static void close_ear(struct ear *ear)
{
    HANDLE handles[] = {ear->overlapped.hEvent, ear->port, ear->thread.ThreadHandle};
    for (size_t i = 0; i < 3; i++)
        if (handles[i] != NULL)
            CloseHandle(handles[i]);
}

static void *listen_for_changes(void *ctx)
{
    struct listener *listener = ctx;
    struct ear ear;
    open_ear(&ear, listener->type);
    for (int i = 0; i < ROUNDS; i++) {
        if (bench_program_notify(listener->handle, &ear.how, &ear.thread) != WSA_IO_PENDING)
            bench_die("NSPIoctl", "does not wait");
        sem_post(&listener->armed);
        wait_with(&ear);
        listener->woken_ns = bench_now_ns();
        if (bench_program_next(listener->handle) != 0)
            bench_die("NSPLookupServiceNext", "has no change");
        sem_post(&listener->told);
    }
    close_ear(&ear);
    return NULL;
}

static void bench_notification(WSACOMPLETIONTYPE type, const char *what)
{
    struct bench_actor actor;
    struct bench_samples samples = {0};
    struct listener listener = {.type = type};
    bench_actor_start(&actor);
    bench_program_start(actor.address);
    listener.handle = bench_program_must_begin("0.name");
    uint32_t id = bench_actor_hear(&actor);
    bench_actor_tell(&actor, id, '0', NULL);
    bench_actor_answer(&actor, id, "done", "d5:counti1ee");
    (void)bench_program_next(listener.handle);
    (void)bench_program_next(listener.handle); // there is no more
    sem_init(&listener.armed, 0, 0);
    sem_init(&listener.told, 0, 0);
    pthread_create(&listener.thread, NULL, listen_for_changes, &listener);
    for (int i = 0; i < ROUNDS; i++) {
        sem_wait(&listener.armed);
        if (i == 0)
            id = bench_actor_hear(&actor); // the watch
        let_it_wait();
        int64_t start_ns = bench_now_ns();
        bench_actor_tell(&actor, id, i % 2 == 0 ? '1' : '2', "changed");
        sem_wait(&listener.told);
        bench_samples_add(&samples, listener.woken_ns - start_ns);
    }
    pthread_join(listener.thread, NULL);
    bench_samples_print(&samples, what);
    bench_program_stop();
    bench_actor_stop(&actor);
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
        let_it_wait();
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
    if (argc != 2) {
        fprintf(stderr, "usage: bench_provider PNRD\n");
        return 2;
    }
    bench_refusals();
    bench_poll();
    bench_end();
    bench_bell();
    bench_notification(NSP_NOTIFY_EVENT, "notification by an event");
    bench_notification(NSP_NOTIFY_PORT, "notification by a completion port");
    bench_notification(NSP_NOTIFY_APC, "notification by an APC");
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
