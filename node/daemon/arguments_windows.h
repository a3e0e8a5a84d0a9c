// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_ARGUMENTS_WINDOWS_H
#define PNR_DAEMON_ARGUMENTS_WINDOWS_H

// The command line on Windows, for pnrd.exe and pnr.exe alike: a library of its own, pnr_arguments.

// Puts the process's arguments, in UTF-8, in the place of main()'s, which are in whatever code page
// the system has. They stay. Where memory is short, main()'s are left.
void daemon_arguments_take(int *inout_argc, char ***inout_argv);

#endif
