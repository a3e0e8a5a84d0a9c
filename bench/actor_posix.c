// SPDX-License-Identifier: MIT
#include "bench/actor.h"

#include "bench/system.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void bench_actor_start(struct bench_actor *actor)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    *actor = (struct bench_actor){.dir = "/tmp/pnr-bench-XXXXXX", .fd = -1};
    if (mkdtemp(actor->dir) == NULL)
        bench_die(actor->dir, strerror(errno));
    snprintf(addr.sun_path, sizeof addr.sun_path, "%.64s/s", actor->dir);
    snprintf(actor->address, sizeof actor->address, "unix:%s", addr.sun_path);
    actor->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind((int)actor->listener, (struct sockaddr *)&addr, sizeof addr) != 0 ||
        listen((int)actor->listener, 1) != 0)
        bench_die(addr.sun_path, strerror(errno));
}

void bench_actor_stop(struct bench_actor *actor)
{
    close((int)actor->listener);
    if (actor->fd >= 0)
        close((int)actor->fd);
    (void)unlink(actor->address + strlen("unix:"));
    (void)rmdir(actor->dir);
}

bool bench_actor_receive(struct bench_actor *actor, void *buf, size_t len)
{
    return recv((int)actor->fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

void bench_actor_send(struct bench_actor *actor, const void *data, size_t len)
{
    (void)send((int)actor->fd, data, len, MSG_NOSIGNAL);
}

void bench_actor_greet(struct bench_actor *actor)
{
    static const char welcome[] = "\0\0\0\x28"
                                  "d6:access7:control4:nodei0e7:versioni1ee";
    uint8_t head[4];
    char hello[256];
    actor->fd = accept4((int)actor->listener, NULL, NULL, SOCK_CLOEXEC);
    if (actor->fd < 0)
        bench_die("accept", strerror(errno));
    if (!bench_actor_receive(actor, head, sizeof head) || head[2] != 0 ||
        !bench_actor_receive(actor, hello, head[3]))
        bench_die("client", "says no hello");
    bench_actor_send(actor, welcome, sizeof welcome - 1);
}
