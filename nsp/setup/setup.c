// SPDX-License-Identifier: MIT
#include "nsp/setup/setup.h"

static bool fail(struct setup_run *run, enum setup_stage stage, enum setup_view view, int code)
{
    run->trouble.stage = stage;
    run->trouble.failure.view = view;
    run->trouble.failure.code = code;
    return false;
}

static bool read_all(struct setup_run *run, const struct setup_system *system)
{
    setup_plan_init(&run->plan);
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        int code = run->views[view] ? system->read(system->ctx, view, &run->states[view]) : 0;
        if (code != 0) {
            return fail(run, SETUP_STAGE_READ, view, code);
        }
    }
    return true;
}

static bool plan_install(struct setup_run *run)
{
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        size_t provider = 0;
        if (run->views[view] && !setup_plan_install(&run->plan, view, &run->states[view],
                                                    run->paths[view], &provider)) {
            run->trouble.failure.provider = provider;
            return fail(run, SETUP_STAGE_PLAN, view, SETUP_CODE_CUT);
        }
    }
    return true;
}

static bool carry_out(struct setup_run *run, const struct setup_system *system)
{
    // Whoever has nothing to change needs no right to.
    if (run->plan.count == 0) {
        return true;
    }
    int code = system->access(system->ctx);
    if (code != 0) {
        return fail(run, SETUP_STAGE_ACCESS, SETUP_VIEW_64, code);
    }
    if (!setup_apply(&run->plan, system, &run->trouble.failure, &run->trouble.stuck)) {
        run->trouble.stage = SETUP_STAGE_STEP;
        return false;
    }
    return true;
}

// Winsock writes an entry as it likes. Whether it is what it was, to the letter, is to be told.
static void compare(struct setup_run *run, const struct setup_system *system)
{
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        if (!run->views[view] || system->read(system->ctx, view, &run->now) != 0) {
            continue;
        }
        for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
            const struct setup_entry *entry =
                setup_catalog_find(&run->now.catalog, setup_catalog_provider(i));
            run->differs[view][i] =
                run->plan.changes[view][i] == SETUP_CHANGE_RESTORED &&
                (entry == NULL ||
                 !setup_catalog_same(entry, &run->states[view].memory.kept[i].entry));
        }
    }
}

enum setup_exit setup_install(struct setup_run *run, const struct setup_system *system)
{
    if (read_all(run, system) && plan_install(run)) {
        (void)carry_out(run, system);
    }
    return setup_trouble_exit(&run->trouble);
}

enum setup_exit setup_uninstall(struct setup_run *run, const struct setup_system *system)
{
    if (read_all(run, system)) {
        for (size_t view = 0; view < SETUP_VIEWS; view++) {
            if (run->views[view]) {
                setup_plan_uninstall(&run->plan, view, &run->states[view]);
            }
        }
        if (carry_out(run, system)) {
            compare(run, system);
        }
    }
    return setup_trouble_exit(&run->trouble);
}

enum setup_exit setup_look(struct setup_run *run, const struct setup_system *system)
{
    (void)read_all(run, system);
    return setup_trouble_exit(&run->trouble);
}
