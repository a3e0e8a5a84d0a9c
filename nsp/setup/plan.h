// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_PLAN_H
#define PNR_NSP_SETUP_PLAN_H

// What has to be done to a catalog so that it is as wanted: a list of entries in, a list of steps
// out. Pure. The steps are in such an order that a run which ends after any of them, by whatever,
// can be carried on or taken back by the next one: what is replaced is remembered before it goes,
// and forgotten when it is back. Each step carries what it takes to undo it.
//
// A catalog that is as wanted gets no step. The caller owns the plan, which is large (below 40 kB)
// and points into the states that it was made of.

#include "nsp/setup/catalog.h"

#define SETUP_STEPS_MAX (SETUP_VIEWS * (4 * SETUP_PROVIDERS + 1))

enum setup_action {
    SETUP_REMEMBER,  // keep what is about to be replaced
    SETUP_UNINSTALL, // take an entry out of the catalog
    SETUP_INSTALL,   // put one in, at its end
    SETUP_ARRANGE,   // put the catalog's entries into an order
    SETUP_FORGET,    // what was replaced is back, or nobody's any more
};

struct setup_step {
    enum setup_action action;
    enum setup_view view;
    size_t provider;
    const struct setup_entry *entry; // of UNINSTALL and INSTALL
    const struct setup_kept *kept;   // of REMEMBER
    const struct setup_kept *former; // of REMEMBER and FORGET: what was remembered so far, or NULL
};

// What became of a provider, or would.
enum setup_change {
    SETUP_CHANGE_NONE,      // it is as wanted
    SETUP_CHANGE_INSTALLED, // where there was nothing
    SETUP_CHANGE_REPLACED,  // where there was somebody else's
    SETUP_CHANGE_UPDATED,   // where there was ours with another library, or disabled
    SETUP_CHANGE_REMOVED,   // ours is gone, and there was nothing to restore
    SETUP_CHANGE_RESTORED,  // what we had replaced is back
    SETUP_CHANGE_LEFT,      // there was somebody else's, which stays
};

// A catalog as it is found, and what is remembered of it.
struct setup_state {
    struct setup_catalog catalog;
    struct setup_memory memory;
};

struct setup_plan {
    size_t count;
    struct setup_step steps[SETUP_STEPS_MAX];
    enum setup_change changes[SETUP_VIEWS][SETUP_PROVIDERS];
    // What the steps point to.
    struct setup_entry own[SETUP_VIEWS][SETUP_PROVIDERS];
    struct setup_kept kept[SETUP_VIEWS][SETUP_PROVIDERS];
    struct setup_order before[SETUP_VIEWS]; // the catalog's order now
    struct setup_order after[SETUP_VIEWS];  // and when all is done
};

void setup_plan_init(struct setup_plan *ret_plan);

// Appends the steps that put our two entries into a catalog, with this library, in place of those
// that have their ids. Ours is never taken for what was replaced: not when it is installed twice,
// not when its library has moved. Where somebody else's has come back meanwhile, that one is
// remembered from then on. False, with the provider: an entry in the way is too large to be
// remembered whole, and nothing was appended; or path is longer than SETUP_PATH_MAX.
bool setup_plan_install(struct setup_plan *plan, enum setup_view view,
                        const struct setup_state *state, const WCHAR *path, size_t *ret_provider);

// Appends the steps that take our entries out of a catalog and put back what they had replaced,
// where it was. An entry that is not ours stays as it is, and what was remembered is forgotten.
void setup_plan_uninstall(struct setup_plan *plan, enum setup_view view,
                          const struct setup_state *state);

// How it is called: "installing", "restoring the order"
const char *setup_plan_action_name(enum setup_action action);
const char *setup_plan_change_name(enum setup_change change); // "installed", of JSON

#endif
