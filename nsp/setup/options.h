// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_OPTIONS_H
#define PNR_NSP_SETUP_OPTIONS_H

// The command line of pnrnsp-setup. Pure.

#include "nsp/setup/catalog.h"

#define SETUP_OPTIONS_WHY_MAX 256 // bytes of a sentence that says what is wrong, with its NUL

enum setup_command {
    SETUP_COMMAND_NONE,
    SETUP_COMMAND_INSTALL,
    SETUP_COMMAND_UNINSTALL,
    SETUP_COMMAND_STATUS,
};

struct setup_options {
    enum setup_command command;
    bool help;
    bool version;
    bool json;
    bool views[SETUP_VIEWS];         // the catalogs that are meant; all that this program reaches
    const WCHAR *paths[SETUP_VIEWS]; // from --dll and --dll32; NULL: not given
};

// Reads argv, whose first is the program's name; argv outlives ret_options. is_64: this program has
// 64 bits, and so reaches both catalogs. False: ret_why says what makes no sense.
bool setup_options_parse(int argc, WCHAR *const argv[], bool is_64,
                         struct setup_options *ret_options, char ret_why[SETUP_OPTIONS_WHY_MAX]);

#endif
