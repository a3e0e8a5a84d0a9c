// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_REPLAY_COMMAND_H
#define PNR_SIMNET_REPLAY_COMMAND_H

// `simnet replay FILE [--json]`: runs a recording of pnrd again and says on stdout, in one line,
// whether the node said the same. docs/recording.md is the reference.
//
// argv[0] is the word "replay". Returns the exit code: 0 the same, 1 it differs, 2 the command or
// the recording makes no sense; stderr then has one line that says why.
int simnet_replay_command(int argc, char **argv);

#endif
