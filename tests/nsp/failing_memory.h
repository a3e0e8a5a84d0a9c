// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_NSP_FAILING_MEMORY_H
#define PNR_TESTS_NSP_FAILING_MEMORY_H

// Memory that refuses a request when a test says so, and counts what was not given back. Threads
// may share one.
//
//     struct failing_memory memory;
//     failing_memory_init(&memory, n); // the nth request fails, counted from 1; 0: none
//     ... &memory.memory ...
//     assert_int_equal(failing_memory_live(&memory), 0);

#include "nsp/memory.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct failing_memory {
    struct nsp_memory memory;
    size_t fail_at;
    atomic_size_t requests;
    atomic_size_t live;
};

static inline void *failing_memory_take(void *ctx, size_t len)
{
    struct failing_memory *memory = ctx;
    if (atomic_fetch_add(&memory->requests, 1) + 1 == memory->fail_at) {
        return NULL;
    }
    void *block = malloc(len);
    if (block != NULL) {
        (void)atomic_fetch_add(&memory->live, 1);
    }
    return block;
}

static inline void failing_memory_give(void *ctx, void *block)
{
    struct failing_memory *memory = ctx;
    (void)atomic_fetch_sub(&memory->live, 1);
    free(block);
}

static inline void failing_memory_init(struct failing_memory *memory, size_t fail_at)
{
    memory->memory = (struct nsp_memory){failing_memory_take, failing_memory_give, memory};
    memory->fail_at = fail_at;
    atomic_init(&memory->requests, 0);
    atomic_init(&memory->live, 0);
}

// Whether the request that was to fail was made.
static inline bool failing_memory_failed(struct failing_memory *memory)
{
    return memory->fail_at != 0 && atomic_load(&memory->requests) >= memory->fail_at;
}

static inline size_t failing_memory_live(struct failing_memory *memory)
{
    return atomic_load(&memory->live);
}

#endif
