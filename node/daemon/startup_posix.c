// SPDX-License-Identifier: MIT
#include "node/daemon/startup.h"

#include <signal.h>

bool daemon_startup(int *inout_argc, char ***inout_argv)
{
    (void)inout_argc;
    (void)inout_argv;
    signal(SIGPIPE, SIG_IGN); // a client that went away is an error code
    signal(SIGTTIN, SIG_IGN); // reading from the background is an error, not a stop
    return true;
}
