// SPDX-License-Identifier: MIT
#ifndef PNR_FUZZ_SEALED_H
#define PNR_FUZZ_SEALED_H

// Recordings of which the fuzzer chooses all but the CRCs, which it would hardly ever hit. Its
// input is what follows the file's head, and of each entry's head it has the kind and the length
// alone.

#include "node/recording/reader.h"

struct sealed {
    uint8_t *bytes; // the whole file
    size_t len;
    size_t at; // of what was not read yet
};

struct sealed sealed_make(const uint8_t *data, size_t size);
void sealed_free(struct sealed *sealed);
// A recording_read_fn; ctx is a struct sealed.
int64_t sealed_read(void *ctx, uint8_t *buf, size_t len);

#endif
