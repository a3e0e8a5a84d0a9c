// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_ACTOR_H
#define PNR_BENCH_ACTOR_H

// A daemon that is played, at the other end of a Unix socket or, on Windows, of TCP on loopback, so
// that what a client does is measured and not what a daemon does: it takes one connection, and says
// what it is told to. Whatever goes wrong here ends the benchmark with a message.
//
// What it says is in actor.c, how it is reached in actor_posix.c and actor_windows.c.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_actor {
    char dir[300];
    char address[320]; // "unix:PATH", or "tcp:PATH" of a rendezvous file
    intptr_t listener;
    intptr_t fd; // -1: nobody has connected yet
};

void bench_actor_start(struct bench_actor *actor);
void bench_actor_stop(struct bench_actor *actor);

// Takes a connection and greets it, as the first of those below do by themselves.
void bench_actor_greet(struct bench_actor *actor);
// All of buf; false where the client has hung up.
bool bench_actor_receive(struct bench_actor *actor, void *buf, size_t len);
void bench_actor_send(struct bench_actor *actor, const void *data, size_t len);

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
