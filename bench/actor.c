// SPDX-License-Identifier: MIT
#include "bench/actor.h"

#include "bench/system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_MAX 4096

// Reads a frame's body into buf, a NUL behind it; returns its length, 0 where the client has hung
// up.
static size_t hear_frame(struct bench_actor *actor, char buf[FRAME_MAX])
{
    uint8_t head[4];
    buf[0] = '\0';
    if (!bench_actor_receive(actor, head, sizeof head))
        return 0;
    size_t len = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (head[0] != 0 || len >= FRAME_MAX || !bench_actor_receive(actor, buf, len))
        bench_die("client", "says too much");
    buf[len] = '\0';
    return len;
}

static void say_frame(struct bench_actor *actor, const char *body, size_t len)
{
    uint8_t frame[4 + FRAME_MAX] = {0, (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + 4, body, len);
    bench_actor_send(actor, frame, 4 + len);
}

// The id of the request in a frame's body, which stands behind the arguments: "1:ii7e1:q".
static uint32_t id_of(const char *body, size_t len)
{
    if (strcmp(body + len - 9, "6:cancele") == 0)
        return 0;
    while (len > 0 && strncmp(body + len, "1:ii", 4) != 0)
        len--;
    return (uint32_t)strtoul(body + len + 4, NULL, 10);
}

uint32_t bench_actor_hear(struct bench_actor *actor)
{
    char body[FRAME_MAX];
    if (actor->fd < 0)
        bench_actor_greet(actor);
    size_t len = hear_frame(actor, body);
    if (len < 9)
        bench_die("client", "has hung up");
    return id_of(body, len);
}

void *bench_actor_serve(void *actor)
{
    struct bench_actor *own = actor;
    char body[FRAME_MAX];
    size_t len;
    bench_actor_greet(own);
    while ((len = hear_frame(own, body)) >= 9) {
        uint32_t id = id_of(body, len);
        if (id != 0) {
            bench_actor_tell(own, id, '1', NULL);
            bench_actor_answer(own, id, "done", "d5:counti1ee");
        }
    }
    return NULL;
}

void bench_actor_answer(struct bench_actor *actor, uint32_t id, const char *kind,
                        const char *fields)
{
    char body[FRAME_MAX];
    int len = snprintf(body, sizeof body, "d1:ii%ue1:o%zu:%s1:r%se", (unsigned)id, strlen(kind),
                       kind, fields);
    if (len < 0 || len >= FRAME_MAX)
        bench_die(kind, "is too long");
    say_frame(actor, body, (size_t)len);
}

void bench_actor_tell(struct bench_actor *actor, uint32_t id, char mark, const char *event)
{
    char fields[512];
    char told[32] = "";
    char marks[9];
    memset(marks, mark, 8);
    marks[8] = '\0';
    if (event != NULL)
        snprintf(told, sizeof told, "5:event%zu:%s", strlen(event), event);
    snprintf(fields, sizeof fields,
             "d9:endpointsld2:ip4:abcd4:porti80e5:protoi6eee%s4:mark8:%s4:name6:0.name"
             "9:publisher16:ABCDEFGHIJKLMNOP6:source3:dhte",
             told, marks);
    bench_actor_answer(actor, id, "result", fields);
}
