// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_REPLAY_H
#define PNR_SIMNET_REPLAY_H

// Runs a recording (node/recording/format.h) through a fresh brain and finds where what the brain
// says first differs from what the recorded one said. Nothing but the recording goes in: hashes are
// computed again, signatures and verdicts are taken from it. So the same program gives the same
// outputs, bit for bit, and a changed one shows what its change does to a run that was real.
//
// A recording is not believed: an entry that no driver could have made ends the replay as broken,
// before it reaches the brain. So does an end before the node was made.

#include "node/recording/reader.h"

enum simnet_replay_verdict {
    SIMNET_REPLAY_SAME,    // all that the recording has
    SIMNET_REPLAY_DIFFERS, // see text
    SIMNET_REPLAY_BROKEN,  // the recording makes no sense, or memory is short: see text
};

#define SIMNET_REPLAY_TEXT_MAX 512

struct simnet_replay_result {
    enum simnet_replay_verdict verdict;
    // SAME: how the recording ends. 0: it was cut off, in an order that no end was written.
    enum recording_end end;
    bool is_cut; // in the midst of an entry
    // Where it differs or is broken: the entry and its first byte in the file.
    uint64_t entry;
    uint64_t offset;
    // DIFFERS: the last input before, how long after the node's birth it came, and which output of
    // that input differs, counted from 1; 0 where it is not an output.
    uint64_t input_entry;
    enum recording_kind input;
    int64_t input_at_us;
    uint64_t output;
    // One line for people, without a stop at its end.
    char text[SIMNET_REPLAY_TEXT_MAX];
    // What was run.
    uint64_t entries;
    uint64_t inputs;
    uint64_t outputs;
    int64_t span_us;  // from the birth of the node to the last input
    char version[32]; // of the program that made the recording
};

// Reads the recording to its end, or to where it differs or breaks.
void simnet_replay(recording_read_fn read, void *ctx, struct simnet_replay_result *ret_result);

#endif
