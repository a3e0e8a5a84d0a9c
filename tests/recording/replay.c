// SPDX-License-Identifier: MIT
// `simnet replay` alone, for tests: replay FILE [--json].

#include "simnet/replay_command.h"

int main(int argc, char **argv)
{
    return simnet_replay_command(argc, argv);
}
