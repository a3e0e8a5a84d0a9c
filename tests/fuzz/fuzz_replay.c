// SPDX-License-Identifier: MIT
// Replays: a recording can be broken or differ, and the brain is told nothing that its asserts are
// there to catch. The input is what follows the head.
#include "simnet/replay.h"
#include "tests/fuzz/fuzz.h"

struct source {
    const uint8_t *data;
    size_t len;
    size_t at;
};

static int64_t read_source(void *ctx, uint8_t *buf, size_t len)
{
    struct source *source = ctx;
    size_t left = RECORDING_HEAD_LEN + source->len - source->at;
    size_t part = len < left ? len : left;
    for (size_t i = 0; i < part; i++, source->at++)
        buf[i] = source->at < RECORDING_HEAD_LEN ? (uint8_t)RECORDING_HEAD[source->at]
                                                 : source->data[source->at - RECORDING_HEAD_LEN];
    return (int64_t)part;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source source = {data, size, 0};
    struct simnet_replay_result result;
    simnet_replay(read_source, &source, &result);
    FUZZ_CHECK(result.outputs <= result.entries && result.inputs <= result.entries);
    FUZZ_CHECK((result.verdict == SIMNET_REPLAY_SAME) == (result.text[0] == '\0'));
    return 0;
}
