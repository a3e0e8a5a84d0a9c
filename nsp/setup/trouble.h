// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_TROUBLE_H
#define PNR_NSP_SETUP_TROUBLE_H

// What went wrong, in words: what was being done, what the code means, what can be done about it,
// and with which exit code the program ends. Pure.

#include "nsp/setup/apply.h"

#define SETUP_TROUBLE_MAX 400 // bytes of a text, with its NUL

// As those of pnr, pnr(1).
enum setup_exit {
    SETUP_EXIT_DONE = 0,
    SETUP_EXIT_ERROR = 1,
    SETUP_EXIT_USAGE = 2,
    SETUP_EXIT_NOT_FOUND = 3,
    SETUP_EXIT_REFUSED = 6,
};

enum setup_stage {
    SETUP_STAGE_NONE,    // nothing went wrong
    SETUP_STAGE_MEMORY,  // there was none
    SETUP_STAGE_LIBRARY, // the library that is to be installed is not as it has to be
    SETUP_STAGE_READ,    // reading a catalog
    SETUP_STAGE_PLAN,    // an entry that cannot be replaced
    SETUP_STAGE_ACCESS,  // no right to change anything
    SETUP_STAGE_STEP,    // a step failed
};

struct setup_trouble {
    enum setup_stage stage;
    struct setup_failure failure; // code and view; action and provider of stages PLAN and STEP
    struct setup_failure stuck;   // of STEP: what could not be taken back; its code 0: all was
};

// One sentence without a full stop. Returns text.
const char *setup_trouble_text(const struct setup_trouble *trouble, char text[SETUP_TROUBLE_MAX]);

// What state things are in after a step that failed; NULL for the other stages.
const char *setup_trouble_state(const struct setup_trouble *trouble, char text[SETUP_TROUBLE_MAX]);

// What to do about it; NULL where nothing is known.
const char *setup_trouble_remedy(const struct setup_trouble *trouble);

enum setup_exit setup_trouble_exit(const struct setup_trouble *trouble);

#endif
