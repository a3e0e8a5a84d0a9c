// SPDX-License-Identifier: MIT
#include "nsp/memory.h"

#include <stdlib.h>
#include <string.h>

static void *take_default(void *ctx, size_t len)
{
    (void)ctx;
    return malloc(len);
}

static void give_default(void *ctx, void *block)
{
    (void)ctx;
    free(block);
}

const struct nsp_memory nsp_memory_default = {take_default, give_default, NULL};

void *nsp_memory_take(const struct nsp_memory *memory, size_t len)
{
    void *block = memory->take(memory->ctx, len > 0 ? len : 1);
    if (block != NULL) {
        memset(block, 0, len);
    }
    return block;
}

void nsp_memory_give(const struct nsp_memory *memory, void *block)
{
    if (block != NULL) {
        memory->give(memory->ctx, block);
    }
}
