// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CHECKER_H
#define PNR_SIMNET_CHECKER_H

// Checkers: they watch a world, know more than anybody in it, and note what should never be. They
// change nothing, and go on after a failure: failures are collected, one line each.
//
//     answers    each request of a watched client is answered once, before its deadline; nothing
//                comes after that, or after its cancel; and nothing comes by a session that was
//                hung up on. Nobody gets what was never published
//     bounds     no honest brain exceeds what it was configured to (samples), and none sends
//                sources that have not proven themselves more than its budget (docs/security.md)
//     sequence   no sequence number of a key goes back, or is used for two values, whatever crashes
//     datagrams  what honest brains send is what a strict reader takes
//     closest    in a healed network a whole lookup of a key that nobody uses finds the closest
//                live nodes; one of a publisher's name the newest acknowledged version, or nothing
//                where that was withdrawn
//
// A checker has to live as long as its world is run.

#include "simnet/application.h"
#include "simnet/tally.h"

enum simnet_checker_part {
    SIMNET_CHECKER_ANSWERS = 1,
    SIMNET_CHECKER_BOUNDS = 2,
    SIMNET_CHECKER_SEQUENCE = 4,
    SIMNET_CHECKER_CLOSEST = 8,
    SIMNET_CHECKER_DATAGRAMS = 16,
};

struct simnet_checker_config {
    int parts;         // of enum simnet_checker_part
    int64_t sample_us; // between samples of bounds
    uint32_t sample;   // machines a sample, drawn; 0: all
    int64_t slack_us;  // an answer may be late by it: a client that does not read hears late
    int64_t other_us;  // how long requests that name no deadline may take
    // What is wrong with a datagram, in a few words; NULL: nothing. For DATAGRAMS.
    const char *(*judge)(struct dht_span datagram, enum dht_family family);
};

void simnet_checker_config_init(struct simnet_checker_config *config); // all but DATAGRAMS

struct simnet_checker;

struct simnet_checker *simnet_checker_new(struct simnet_world *world,
                                          const struct simnet_checker_config *config);
void simnet_checker_free(struct simnet_checker *checker);

// Watches a client, for ANSWERS: each that is made, once.
void simnet_checker_client(struct simnet_checker *checker, struct simnet_client *client);
// A lookup has ended, for ANSWERS and CLOSEST. It was made with a trace and wait `all` where the
// closest are to be judged.
void simnet_checker_probe(struct simnet_checker *checker, const struct simnet_probe *probe);
// Both, for all of an application: takes its watch.
void simnet_checker_application(struct simnet_checker *checker,
                                struct simnet_application *application);
// From now on the network is healed, and CLOSEST is not lenient.
void simnet_checker_heal(struct simnet_checker *checker);
// A last look at what is overdue.
void simnet_checker_finish(struct simnet_checker *checker);

// Notes a failure in the words of printf; machine may be NULL. Others may note theirs.
__attribute__((format(printf, 3, 4))) void simnet_checker_fail(struct simnet_checker *checker,
                                                               const struct simnet_machine *machine,
                                                               const char *format, ...);
// How many failures there were; the first SIMNET_CHECKER_LINES_MAX have a line: "seed 7, 12.5 s,
// machine 3: what".
#define SIMNET_CHECKER_LINES_MAX 100
uint64_t simnet_checker_failures(const struct simnet_checker *checker);
const char *simnet_checker_line(const struct simnet_checker *checker, uint64_t number);

// Recall of the lookups that were traced, in hundredths of a percent: of the closest
// DHT's lookup_width live nodes, how many were found; before and after healing.
const struct simnet_tally *simnet_checker_recall(const struct simnet_checker *checker, bool healed);

#endif
