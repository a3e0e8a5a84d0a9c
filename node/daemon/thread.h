// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_THREAD_H
#define PNR_DAEMON_THREAD_H

// How the shell's few threads are started: with all signals blocked, since these are the loop's.
// Threads, mutexes and conditions are POSIX's on every system (on Windows of mingw-w64's
// winpthreads, linked statically).

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

typedef void *(*daemon_thread_fn)(void *ctx);

// Starts a thread that somebody joins. False where the system has none to give.
bool daemon_thread_start(pthread_t *ret_thread, daemon_thread_fn fn, void *ctx);

// Starts a thread that nobody waits for, with a stack of so many bytes.
bool daemon_thread_start_alone(daemon_thread_fn fn, void *ctx, size_t stack_bytes);

#endif
