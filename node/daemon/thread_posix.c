// SPDX-License-Identifier: MIT
#include "node/daemon/thread.h"

#include <signal.h>

// attributes may be NULL.
static bool start(pthread_t *ret_thread, const pthread_attr_t *attributes, daemon_thread_fn fn,
                  void *ctx)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(ret_thread, attributes, fn, ctx) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

bool daemon_thread_start(pthread_t *ret_thread, daemon_thread_fn fn, void *ctx)
{
    return start(ret_thread, NULL, fn, ctx);
}

bool daemon_thread_start_alone(daemon_thread_fn fn, void *ctx, size_t stack_bytes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    bool ok = start(&thread, &attributes, fn, ctx);
    pthread_attr_destroy(&attributes);
    return ok;
}
