// SPDX-License-Identifier: MIT
#ifndef PNR_BENCH_TESTNET_H
#define PNR_BENCH_TESTNET_H

// A testnet (pnrd --testnet) of a few nodes in a process of its own, in which one node publishes a
// name and the first node has it in its cache. Whatever goes wrong here ends the benchmark with a
// message.

#include "pnr/client.h"

#include <sys/types.h>

struct bench_testnet {
    pid_t pid;
    char dir[64];
    char address[96]; // of the first node, for clients
    char name[PNR_NAME_MAX];
};

void bench_testnet_start(struct bench_testnet *net, const char *pnrd);
void bench_testnet_stop(struct bench_testnet *net);

// A client of one of its nodes.
struct pnr_client *bench_testnet_open(const struct bench_testnet *net, uint32_t node);

#endif
