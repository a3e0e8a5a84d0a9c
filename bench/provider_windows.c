// SPDX-License-Identifier: MIT

// What the Winsock provider costs a Windows program: docs/performance.md. Under Wine that is what
// Wine makes of it, whose every wait and socket goes by way of its server.
//
//   bench_provider_windows.exe

#include "bench/guest.h"
#include "bench/samples.h"
#include "bench/system.h"
#include "nsp/platform.h"

#include <stdio.h>

#define ROUNDS 2000

static void call_the_system(void *event)
{
    SetEvent(event);
}

static void look_for_file(void *path)
{
    (void)GetFileAttributesA(path);
}

static void lock_and_unlock(void *lock)
{
    nsp_lock_take(lock);
    nsp_lock_give(lock);
}

struct bell {
    struct nsp_thread thread;
    HANDLE event;
    int64_t woken_ns;
};

static void wait_for_bell(void *ctx)
{
    struct bell *bell = ctx;
    WaitForSingleObject(bell->event, INFINITE);
    bell->woken_ns = bench_now_ns();
}

static void start_bell(struct bell *bell)
{
    bell->event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (!nsp_thread_start(&bell->thread, wait_for_bell, bell))
        bench_die("a thread", "cannot be had");
}

static void stop_bell(struct bell *bell)
{
    nsp_thread_join(&bell->thread);
    CloseHandle(bell->event);
}

static void time_bell(void)
{
    struct bench_samples samples = {0};
    while (samples.count < ROUNDS) {
        struct bell bell;
        start_bell(&bell);
        bench_pause();
        int64_t start_ns = bench_now_ns();
        SetEvent(bell.event);
        stop_bell(&bell);
        bench_samples_add(&samples, bell.woken_ns - start_ns);
    }
    bench_samples_print(&samples, "  an event that wakes a thread");
}

// Two threads as the provider has them, with nothing to do: one reads a socket, and wakes the
// other.
struct relay {
    struct nsp_thread thread;
    SOCKET socket;
    HANDLE event;
};

static void pass_on(void *ctx)
{
    struct relay *relay = ctx;
    char byte;
    if (recv(relay->socket, &byte, 1, 0) == 1)
        SetEvent(relay->event);
}

static void connect_pair(SOCKET *ret_near, SOCKET *ret_far)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int len = sizeof addr;
    BOOL one = TRUE;
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    *ret_near = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &len) != 0 ||
        connect(*ret_near, (struct sockaddr *)&addr, sizeof addr) != 0)
        bench_die("a connection", "cannot be had");
    *ret_far = accept(listener, NULL, NULL);
    setsockopt(*ret_far, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
    closesocket(listener);
}

static void time_relay(void)
{
    struct bench_samples samples = {0};
    SOCKET near_end, far_end;
    connect_pair(&near_end, &far_end);
    while (samples.count < ROUNDS) {
        struct bell bell;
        struct relay relay = {.socket = near_end};
        start_bell(&bell);
        relay.event = bell.event;
        if (!nsp_thread_start(&relay.thread, pass_on, &relay))
            bench_die("a thread", "cannot be had");
        bench_pause();
        int64_t start_ns = bench_now_ns();
        (void)send(far_end, "x", 1, 0);
        nsp_thread_join(&relay.thread);
        stop_bell(&bell);
        bench_samples_add(&samples, bell.woken_ns - start_ns);
    }
    closesocket(near_end);
    closesocket(far_end);
    bench_samples_print(&samples, "  a byte that wakes a thread that wakes another");
}

int main(void)
{
    WSADATA data;
    char nobody[] = "C:\\pnr-bench-nobody\\rendezvous";
    struct nsp_lock lock = NSP_LOCK_INIT;
    HANDLE event = CreateEventW(NULL, FALSE, FALSE, NULL);
    const struct bench_guest_call further[] = {
        {"  a system call, SetEvent()", call_the_system, event},
        {"  GetFileAttributes() of a file that is not there", look_for_file, nobody},
        {"  a lock, taken and given", lock_and_unlock, &lock},
        {NULL, NULL, NULL},
    };
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0)
        bench_die("WSAStartup", "failed");
    bench_guest_refusals("tcp:C:\\pnr-bench-nobody\\rendezvous", further);
    bench_guest_poll();
    bench_guest_end(ROUNDS);
    time_bell();
    bench_guest_notifications(ROUNDS);
    time_relay();
    CloseHandle(event);
    return WSACleanup();
}
