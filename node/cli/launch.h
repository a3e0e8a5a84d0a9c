// SPDX-License-Identifier: MIT
#ifndef PNR_CLI_LAUNCH_H
#define PNR_CLI_LAUNCH_H

// Runs another program of pnr's in the place of this one, from beside it, from ../sbin or from
// PATH.

// words: its name first, NULL at the end. Returns only where there is no such program (-1, with
// errno), or, on Windows, its exit code once it has ended.
int cli_launch(char *const words[]);

#endif
