// SPDX-License-Identifier: MIT
#ifndef PNR_DAEMON_TESTNET_H
#define PNR_DAEMON_TESTNET_H

// `pnrd --testnet N`: N nodes in one process, a DHT of their own. Each has a UDP socket; node 0 is
// who the others ask first. They have one control address; a client's hello says which it means.
// docs/testnet.md tells how it is used.
//
// Nodes are started a few at a time, as those before have joined, so that a thousand do not drown
// the first in one burst. When all have joined and know each other, one line goes to stdout:
//
//   ready bootstrap=127.0.0.1:PORT control=unix:PATH nodes=N
//
// Then commands are read from stdin, one a line, each answered by one line:
//
//   stop I J ...    stops these nodes at once, as a crash does       stopped 2
//   start I J ...   starts them again, at their old ports            started 2
//   anything else                                                    error ...
//
// The end of stdin changes nothing. All of the answers come after what they tell of.

#include "node/daemon/daemon.h"

// Runs until SIGINT or SIGTERM.
enum daemon_exit daemon_testnet_run(const struct daemon_options *options,
                                    const struct daemon_config *config);

#endif
