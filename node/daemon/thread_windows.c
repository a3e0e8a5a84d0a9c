// SPDX-License-Identifier: MIT
#include "node/daemon/thread.h"

// There are no signals here that a thread could get.
bool daemon_thread_start(pthread_t *ret_thread, daemon_thread_fn fn, void *ctx)
{
    return pthread_create(ret_thread, NULL, fn, ctx) == 0;
}

bool daemon_thread_start_alone(daemon_thread_fn fn, void *ctx, size_t stack_bytes)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    bool ok = pthread_create(&thread, &attributes, fn, ctx) == 0;
    pthread_attr_destroy(&attributes);
    return ok;
}
