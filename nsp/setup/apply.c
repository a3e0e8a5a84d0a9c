// SPDX-License-Identifier: MIT
#include "nsp/setup/apply.h"

static int arrange(const struct setup_system *system, enum setup_view view,
                   const struct setup_order *order)
{
    // Where it cannot be done at all, an entry out of its order is better than none.
    return system->arrange == NULL ? 0 : system->arrange(system->ctx, view, order);
}

static int do_step(const struct setup_plan *plan, const struct setup_step *step,
                   const struct setup_system *system)
{
    switch (step->action) {
    case SETUP_REMEMBER:
        return system->remember(system->ctx, step->view, step->provider, step->kept);
    case SETUP_UNINSTALL:
        return system->uninstall(system->ctx, step->view, &step->entry->id);
    case SETUP_INSTALL:
        return system->install(system->ctx, step->view, step->entry);
    case SETUP_ARRANGE:
        return arrange(system, step->view, &plan->after[step->view]);
    case SETUP_FORGET:
        break;
    }
    return system->forget(system->ctx, step->view, step->provider);
}

static int undo_step(const struct setup_step *step, const struct setup_system *system)
{
    switch (step->action) {
    case SETUP_REMEMBER:
    case SETUP_FORGET:
        return step->former != NULL
                   ? system->remember(system->ctx, step->view, step->provider, step->former)
                   : system->forget(system->ctx, step->view, step->provider);
    case SETUP_UNINSTALL:
        return system->install(system->ctx, step->view, step->entry);
    case SETUP_INSTALL:
        return system->uninstall(system->ctx, step->view, &step->entry->id);
    case SETUP_ARRANGE:
        break;
    }
    return 0; // the order is put right at the end
}

static struct setup_failure failure_of(const struct setup_step *step, int code)
{
    return (struct setup_failure){
        .code = code, .action = step->action, .view = step->view, .provider = step->provider};
}

// Entries that were put back stand at the end, in the opposite order.
static int undo_order(const struct setup_plan *plan, size_t done, enum setup_view view,
                      const struct setup_system *system)
{
    bool moved = false;
    for (size_t i = 0; i < done; i++) {
        enum setup_action action = plan->steps[i].action;
        moved = moved || (plan->steps[i].view == view &&
                          (action == SETUP_UNINSTALL || action == SETUP_ARRANGE));
    }
    return moved ? arrange(system, view, &plan->before[view]) : 0;
}

static void undo(const struct setup_plan *plan, size_t done, const struct setup_system *system,
                 struct setup_failure *ret_stuck)
{
    bool is_stuck[SETUP_VIEWS][SETUP_PROVIDERS] = {{false}};
    struct setup_failure stuck = {.code = 0};
    for (size_t i = done; i-- > 0;) {
        const struct setup_step *step = &plan->steps[i];
        // Whoever is not back must not be forgotten.
        if (is_stuck[step->view][step->provider] && step->action == SETUP_REMEMBER) {
            continue;
        }
        int code = undo_step(step, system);
        is_stuck[step->view][step->provider] |= code != 0;
        if (code != 0 && stuck.code == 0) {
            stuck = failure_of(step, code);
        }
    }
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        bool whole = !is_stuck[view][0] && !is_stuck[view][1];
        int code = whole ? undo_order(plan, done, view, system) : 0;
        if (code != 0 && stuck.code == 0) {
            stuck = (struct setup_failure){.code = code, .action = SETUP_ARRANGE, .view = view};
        }
    }
    *ret_stuck = stuck;
}

bool setup_apply(const struct setup_plan *plan, const struct setup_system *system,
                 struct setup_failure *ret_failure, struct setup_failure *ret_stuck)
{
    for (size_t i = 0; i < plan->count; i++) {
        int code = do_step(plan, &plan->steps[i], system);
        if (code != 0) {
            *ret_failure = failure_of(&plan->steps[i], code);
            undo(plan, i, system, ret_stuck);
            return false;
        }
    }
    return true;
}
