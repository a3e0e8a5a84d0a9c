// SPDX-License-Identifier: MIT
// Replays: a recording can be broken or differ, and the brain is told nothing that its asserts are
// there to catch. The input is what tests/fuzz/sealed.h makes a recording of.
#include "simnet/replay.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sealed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sealed source = sealed_make(data, size);
    struct simnet_replay_result result;
    simnet_replay(sealed_read, &source, &result);
    FUZZ_CHECK(result.outputs <= result.entries && result.inputs <= result.entries);
    FUZZ_CHECK((result.verdict == SIMNET_REPLAY_SAME) == (result.text[0] == '\0'));
    sealed_free(&source);
    return 0;
}
