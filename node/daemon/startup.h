// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_STARTUP_H
#define PNR_DAEMON_STARTUP_H

// What a process needs of its system before anything else happens: that a client which went away
// does not end it, and on Windows that there are sockets, a command line in UTF-8, and streams that
// leave bytes alone.

#include <stdbool.h>

// Once, first of all. Puts the command line in the place of main()'s where the system has it
// better; it stays. False where the system has no sockets to give.
bool daemon_startup(int *inout_argc, char ***inout_argv);

#endif
