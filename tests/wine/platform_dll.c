// SPDX-License-Identifier: MIT
// The platform inside of a DLL, for test_platform.c: what pins it, and what is told of threads.
#include "tests/wine/platform_dll.h"
#include "nsp/platform.h"
#include "pnr/winsock.h"

static uint64_t *told;

static void note_end(uint64_t thread_id)
{
    *told = thread_id;
}

bool dll_watch_threads(uint64_t *ret_ended)
{
    told = ret_ended;
    return nsp_thread_end_init(note_end);
}

bool dll_mark(void)
{
    return nsp_thread_end_mark();
}

void dll_unwatch_threads(void)
{
    nsp_thread_end_drop();
}

static struct nsp_pin pin;
static unsigned *apcs;

static void CALLBACK run_apc(ULONG_PTR data)
{
    (void)data;
    (*apcs)++;
    nsp_platform_unpin_after_apc(pin);
}

bool dll_queue_apc(unsigned *ret_runs)
{
    apcs = ret_runs;
    return nsp_platform_pin(&pin) && QueueUserAPC(run_apc, GetCurrentThread(), 0) != 0;
}

static void set_event(void *event)
{
    SetEvent(event);
}

bool dll_run_thread(void *event)
{
    struct nsp_thread thread;
    bool started = nsp_thread_start(&thread, set_event, event);
    if (started) {
        nsp_thread_join(&thread);
    }
    return started;
}
