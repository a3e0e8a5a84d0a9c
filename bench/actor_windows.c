// SPDX-License-Identifier: MIT
#include "bench/actor.h"

#include "bench/system.h"
#include "node/control/handshake.h"

// clang-format off
#include <winsock2.h>
#include <windows.h>
// clang-format on

#include <stdio.h>
#include <string.h>

// Whoever can read the file may connect, and it is there for a moment: any secret will do.
static const uint8_t secret[CONTROL_SECRET_LEN] = {0x11, 0x22};

static void write_rendezvous(const char *path, unsigned port)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        bench_die(path, "cannot be written");
    fprintf(file, "pnr-rendezvous 1\nport %u\naccess control\nsecret ", port);
    for (size_t i = 0; i < sizeof secret; i++)
        fprintf(file, "%02x", secret[i]);
    fprintf(file, "\n");
    fclose(file);
}

void bench_actor_start(struct bench_actor *actor)
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    int addr_len = sizeof addr;
    *actor = (struct bench_actor){.fd = -1};
    if (GetTempPathA(200, actor->dir) == 0)
        bench_die("GetTempPath", "failed");
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SOCKET listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &addr_len) != 0)
        bench_die("a listener", "cannot be had");
    actor->listener = (intptr_t)listener;
    snprintf(actor->address, sizeof actor->address, "tcp:%.200spnr-bench-%lu", actor->dir,
             (unsigned long)GetCurrentProcessId());
    write_rendezvous(actor->address + strlen("tcp:"), ntohs(addr.sin_port));
}

void bench_actor_stop(struct bench_actor *actor)
{
    closesocket((SOCKET)actor->listener);
    if (actor->fd != -1)
        closesocket((SOCKET)actor->fd);
    (void)DeleteFileA(actor->address + strlen("tcp:"));
}

bool bench_actor_receive(struct bench_actor *actor, void *buf, size_t len)
{
    size_t done = 0;
    int got = 1;
    while (done < len && got > 0) {
        got = recv((SOCKET)actor->fd, (char *)buf + done, (int)(len - done), 0);
        done += got > 0 ? (size_t)got : 0;
    }
    return done == len;
}

void bench_actor_send(struct bench_actor *actor, const void *data, size_t len)
{
    (void)send((SOCKET)actor->fd, data, (int)len, 0);
}

void bench_actor_greet(struct bench_actor *actor)
{
    static struct control_handshake handshake;
    struct control_handshake_server server = {.node_count = 1, .control_secret = secret};
    enum control_handshake_state state = CONTROL_HANDSHAKE_HELLO;
    BOOL one = TRUE;
    actor->fd = (intptr_t)accept((SOCKET)actor->listener, NULL, NULL);
    if (actor->fd == -1)
        bench_die("accept", "failed");
    setsockopt((SOCKET)actor->fd, IPPROTO_TCP, TCP_NODELAY, (const char *)&one, sizeof one);
    control_handshake_start_server(&handshake, &server);
    while (state != CONTROL_HANDSHAKE_DONE) {
        uint8_t byte;
        if (state == CONTROL_HANDSHAKE_FAILED || !bench_actor_receive(actor, &byte, 1))
            bench_die("handshake", handshake.text);
        struct dht_span bytes = {&byte, 1}, out;
        state = control_handshake_receive(&handshake, &bytes, &out);
        bench_actor_send(actor, out.data, out.len);
    }
}
