// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_RECORDING_SAMPLES_H
#define PNR_TESTS_RECORDING_SAMPLES_H

// One entry of each kind, and of some kinds more: for the tests, and for the fuzzer's first inputs.

#include "node/recording/entry.h"

#define SAMPLES_MAX 48

struct sample {
    const char *name;
    struct recording_entry entry;
};

// Returns how many there are. They make sense one after the other, as a node's life.
size_t samples_make(struct sample ret_samples[SAMPLES_MAX]);

#endif
