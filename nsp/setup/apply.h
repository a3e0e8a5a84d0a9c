// SPDX-License-Identifier: MIT
#ifndef PNR_NSP_SETUP_APPLY_H
#define PNR_NSP_SETUP_APPLY_H

// Carrying out a plan, all of it or nothing: what was done before a step that failed is taken back,
// the last first. Pure but for what the system does.

#include "nsp/setup/system.h"

struct setup_failure {
    int code; // 0: none
    enum setup_action action;
    enum setup_view view;
    size_t provider;
};

// Carries out the plan. False where a step failed, in ret_failure. All is as before then, unless
// something could not be taken back: the first such thing is in ret_stuck, whose code is 0
// otherwise. What was remembered of an entry that could not be put back stays remembered, so that
// the next uninstall finds it.
bool setup_apply(const struct setup_plan *plan, const struct setup_system *system,
                 struct setup_failure *ret_failure, struct setup_failure *ret_stuck);

#endif
