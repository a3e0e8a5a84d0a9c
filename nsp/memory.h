// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_MEMORY_H
#define PNR_NSP_MEMORY_H

// Where the provider's memory comes from. Everything that takes memory takes it from one of these,
// so that tests can refuse each request in turn; what is taken from one is given back to the same.

#include <stddef.h>

struct nsp_memory {
    void *(*take)(void *ctx, size_t len); // NULL: none left. Any thread calls it, at any time.
    void (*give)(void *ctx, void *block); // never NULL
    void *ctx;
};

// Of the C library.
extern const struct nsp_memory nsp_memory_default;

// A block of len bytes, all zero; NULL: none left. len 0 is a block as well.
void *nsp_memory_take(const struct nsp_memory *memory, size_t len);

void nsp_memory_give(const struct nsp_memory *memory, void *block); // block may be NULL

#endif
