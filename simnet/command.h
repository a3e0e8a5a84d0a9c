// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_COMMAND_H
#define PNR_SIMNET_COMMAND_H

// The commands of simnet. This is its shell: real time, signals and the terminal are here and in
// simnet/progress.c, and nowhere else in it.

#include "simnet/options.h"

enum simnet_exit {
    SIMNET_EXIT_HELD = 0,   // done, and all that was to be checked held
    SIMNET_EXIT_FAILED = 1, // a check failed, or a report could not be written
    SIMNET_EXIT_USAGE = 2,  // the command line or the scenario makes no sense
};

// Each returns an exit code; where that is not SIMNET_EXIT_HELD, stderr has a line that says why.
int simnet_command_run(const struct simnet_options *options);
int simnet_command_trace(const struct simnet_options *options);
int simnet_command_show(const struct simnet_options *options);

#endif
