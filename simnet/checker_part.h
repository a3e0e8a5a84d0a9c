// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CHECKER_PART_H
#define PNR_SIMNET_CHECKER_PART_H

// The parts of a checker (simnet/checker.h), for each other.

#include "simnet/checker.h"
#include "simnet/ledger.h"
#include "simnet/truth.h"

struct dht_krpc;

struct simnet_checker_client {
    struct simnet_checker *checker;
    struct simnet_client *client;
    struct simnet_client_watch watch;
    struct simnet_checker_client *next;
};

struct simnet_checker {
    struct simnet_world *world;
    struct simnet_checker_config config;
    struct simnet_tap tap;
    struct simnet_stream stream;
    struct simnet_checker_client *clients;
    struct simnet_ledger closed;   // sessions that clients hung up on, and when
    struct simnet_ledger puts;     // the last sequence number of each key
    struct simnet_ledger sources;  // addresses that brains talk to
    struct simnet_ledger handouts; // the tokens that these got
    struct simnet_ledger prefixes; // what brains sent to those who have proven nothing
    struct simnet_truth *truth;
    struct simnet_tally recall[2];
    bool is_healed;
    uint64_t failures;
    char *lines[SIMNET_CHECKER_LINES_MAX];
};

// A hash that is about one life of a machine.
uint64_t simnet_checker_life(const struct simnet_machine *machine);

// checker_answers.c
void simnet_checker_answers_sample(struct simnet_checker *checker);
void simnet_checker_answers_bytes(struct simnet_checker *checker,
                                  const struct simnet_machine *machine, uint32_t session);
// checker_bounds.c
void simnet_checker_bounds_sample(struct simnet_checker *checker);
// checker_traffic.c
void simnet_checker_traffic_init(struct simnet_checker *checker);
void simnet_checker_traffic_see(struct simnet_checker *checker, enum simnet_tap_event event,
                                const struct simnet_machine *machine,
                                const struct simnet_packet *packet);

#endif
