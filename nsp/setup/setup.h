// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_SETUP_H
#define PNR_NSP_SETUP_SETUP_H

// Installing, uninstalling and looking, over any system: what pnrnsp-setup.exe and regsvr32 do.

#include "nsp/setup/trouble.h"

// Where it stands. Large (some 500 kB): from calloc(), and given back with free().
struct setup_run {
    bool views[SETUP_VIEWS];                    // in: the catalogs that are meant
    WCHAR paths[SETUP_VIEWS][SETUP_PATH_MAX];   // in, of installing: their libraries
    struct setup_state states[SETUP_VIEWS];     // as they were found
    struct setup_state now;                     // used while checking
    struct setup_plan plan;                     // what was done, by its changes
    bool differs[SETUP_VIEWS][SETUP_PROVIDERS]; // restored, but not as it had been
    struct setup_trouble trouble;               // stage NONE: none
};

// Each returns how the program ends; trouble is in run. Nothing is half done: a catalog that
// cannot be changed leaves the other as it was.
enum setup_exit setup_install(struct setup_run *run, const struct setup_system *system);
enum setup_exit setup_uninstall(struct setup_run *run, const struct setup_system *system);
// Only reads.
enum setup_exit setup_look(struct setup_run *run, const struct setup_system *system);

#endif
