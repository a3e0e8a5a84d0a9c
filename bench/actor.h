// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_ACTOR_H
#define PNR_BENCH_ACTOR_H

// A daemon that is played, at the other end of a Unix socket, so that what a client does is
// measured and not what a daemon does: it takes one connection, and says what it is told to.
// Whatever goes wrong here ends the benchmark with a message.

#include <stddef.h>
#include <stdint.h>

struct bench_actor {
    char dir[32];
    char address[64]; // "unix:PATH"
    int listener;
    int fd; // -1: nobody has connected yet
};

void bench_actor_start(struct bench_actor *actor);
void bench_actor_stop(struct bench_actor *actor);

// Waits for the next request, and for the connection before the first. Returns its id; 0 of a
// cancel.
uint32_t bench_actor_hear(struct bench_actor *actor);

// Answers every lookup with one publisher and its end, until the client hangs up: to be run in a
// thread. Takes an actor, returns NULL.
void *bench_actor_serve(void *actor);

// Answers a request: kind is "result" and the like, fields a bencoded dictionary.
void bench_actor_answer(struct bench_actor *actor, uint32_t id, const char *kind,
                        const char *fields);

// Answers with one publisher, always the same; mark: a letter for what he says. event: "added" or
// "changed" of a watch, NULL of a resolve.
void bench_actor_tell(struct bench_actor *actor, uint32_t id, char mark, const char *event);

#endif
