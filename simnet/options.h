// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_OPTIONS_H
#define PNR_SIMNET_OPTIONS_H

// The command line of simnet as values. Options may stand before the command or behind it, as
// --name VALUE or --name=VALUE; "--" ends them. Pure: nothing is opened, nothing printed. Texts are
// borrowed from argv.

#include "simnet/scenario.h"

#define SIMNET_OPTIONS_ERROR_MAX 256

enum simnet_options_command {
    SIMNET_OPTIONS_NONE, // --help or --version alone, or nothing
    SIMNET_OPTIONS_RUN,
    SIMNET_OPTIONS_TRACE,
    SIMNET_OPTIONS_SHOW,
    SIMNET_OPTIONS_HELP,
};

struct simnet_options {
    enum simnet_options_command command;
    bool help, version, json, quiet;
    const char *path;                         // of the scenario
    const char *report;                       // a folder; NULL: none
    const char *pcap;                         // a file; NULL: none
    int64_t machine;                          // whose packets; -1: not given
    int64_t lookup;                           // -1: not given
    struct simnet_scenario_settings settings; // --nodes and --seed among them
    char nodes[64], seed[64];                 // what these two stand for
};

// Reads argv behind the program's name. False: ret_error says what is wrong.
bool simnet_options_parse(int argc, char *const argv[], struct simnet_options *ret_options,
                          char ret_error[SIMNET_OPTIONS_ERROR_MAX]);

#endif
