// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_FUZZ_FUZZ_H
#define PNR_TESTS_FUZZ_FUZZ_H

// What the fuzz targets share. Each target is one file with the function that libFuzzer calls; in
// builds without libFuzzer tests/fuzz/feed.c calls it once for each file of the kept corpus.

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// What a finding is, besides what the sanitizers and asserts of the code itself find.
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

// The input as a stream of small decisions; past its end all of them are 0.
struct fuzz_input {
    const uint8_t *at;
    const uint8_t *end;
};

static inline size_t fuzz_left(const struct fuzz_input *input)
{
    return (size_t)(input->end - input->at);
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
    uint16_t high = fuzz_u8(input);
    return (uint16_t)(high << 8 | fuzz_u8(input));
}

// The next max bytes, or as many as are left; returns how many.
static inline size_t fuzz_take(struct fuzz_input *input, size_t max, const uint8_t **ret_bytes)
{
    size_t len = fuzz_left(input) < max ? fuzz_left(input) : max;
    *ret_bytes = input->at;
    input->at += len;
    return len;
}

#endif
