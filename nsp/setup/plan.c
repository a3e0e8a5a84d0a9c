// SPDX-License-Identifier: MIT
#include "nsp/setup/plan.h"

#include <string.h>

void setup_plan_init(struct setup_plan *ret_plan)
{
    memset(ret_plan, 0, sizeof *ret_plan);
}

static struct setup_step *append(struct setup_plan *plan, enum setup_action action,
                                 enum setup_view view, size_t provider)
{
    struct setup_step *step = &plan->steps[plan->count++];
    *step = (struct setup_step){.action = action, .view = view, .provider = provider};
    return step;
}

static void append_entry(struct setup_plan *plan, enum setup_action action, enum setup_view view,
                         const struct setup_entry *entry)
{
    size_t provider = memcmp(&entry->id, setup_catalog_provider(0), sizeof entry->id) == 0 ? 0 : 1;
    append(plan, action, view, provider)->entry = entry;
}

static const struct setup_kept *remembered(const struct setup_state *state, size_t provider)
{
    return state->memory.has[provider] ? &state->memory.kept[provider] : NULL;
}

static const struct setup_entry *present(const struct setup_state *state, size_t provider)
{
    return setup_catalog_find(&state->catalog, setup_catalog_provider(provider));
}

// What stands before an entry of the catalog, and the entry.
static void keep(const struct setup_state *state, const struct setup_entry *entry,
                 struct setup_kept *ret_kept)
{
    ret_kept->entry = *entry;
    setup_catalog_order(&state->catalog, (size_t)(entry - state->catalog.entries),
                        &ret_kept->before);
}

// ---- installing ----

static enum setup_change judge_install(const struct setup_entry *there,
                                       const struct setup_entry *own)
{
    if (there == NULL) {
        return SETUP_CHANGE_INSTALLED;
    }
    if (setup_catalog_same(there, own)) {
        return SETUP_CHANGE_NONE;
    }
    return setup_catalog_owner(there) == SETUP_OWNER_PNR ? SETUP_CHANGE_UPDATED
                                                         : SETUP_CHANGE_REPLACED;
}

// What is remembered already keeps its place: an uninstall may have ended half-way.
static void remember(struct setup_plan *plan, enum setup_view view, const struct setup_state *state,
                     size_t provider)
{
    const struct setup_entry *there = present(state, provider);
    const struct setup_kept *former = remembered(state, provider);
    if (former != NULL && setup_catalog_same(there, &former->entry)) {
        return;
    }
    struct setup_kept *kept = &plan->kept[view][provider];
    keep(state, there, kept);
    struct setup_step *step = append(plan, SETUP_REMEMBER, view, provider);
    step->kept = kept;
    step->former = former;
}

// Ours stands where the one stood that it replaces. INSTALL puts it at the end.
static void settle_order(struct setup_plan *plan, enum setup_view view,
                         const struct setup_order *natural)
{
    if (!setup_order_same(natural, &plan->after[view])) {
        append(plan, SETUP_ARRANGE, view, 0);
    }
}

static bool prepare_install(struct setup_plan *plan, enum setup_view view,
                            const struct setup_state *state, const WCHAR *path,
                            size_t *ret_provider)
{
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        const struct setup_entry *there = present(state, i);
        enum setup_change *change = &plan->changes[view][i];
        bool fits = setup_catalog_own(i, path, &plan->own[view][i]);
        *change = fits ? judge_install(there, &plan->own[view][i]) : SETUP_CHANGE_NONE;
        if (!fits || (*change == SETUP_CHANGE_REPLACED && there->cut)) {
            *ret_provider = i;
            return false;
        }
    }
    return true;
}

bool setup_plan_install(struct setup_plan *plan, enum setup_view view,
                        const struct setup_state *state, const WCHAR *path, size_t *ret_provider)
{
    if (!prepare_install(plan, view, state, path, ret_provider)) {
        return false;
    }
    const enum setup_change *changes = plan->changes[view];
    setup_catalog_order(&state->catalog, state->catalog.count, &plan->before[view]);
    plan->after[view] = plan->before[view];
    struct setup_order natural = plan->before[view];
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (changes[i] == SETUP_CHANGE_REPLACED) {
            remember(plan, view, state, i);
        }
    }
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (changes[i] == SETUP_CHANGE_NONE) {
            continue;
        }
        if (present(state, i) != NULL) {
            append_entry(plan, SETUP_UNINSTALL, view, present(state, i));
        } else {
            setup_order_append(&plan->after[view], setup_catalog_provider(i));
        }
        append_entry(plan, SETUP_INSTALL, view, &plan->own[view][i]);
        setup_order_remove(&natural, setup_catalog_provider(i));
        setup_order_append(&natural, setup_catalog_provider(i));
    }
    settle_order(plan, view, &natural);
    return true;
}

// ---- uninstalling ----

static enum setup_change judge_uninstall(const struct setup_entry *there,
                                         const struct setup_kept *kept)
{
    if (there != NULL && setup_catalog_owner(there) != SETUP_OWNER_PNR) {
        return SETUP_CHANGE_LEFT;
    }
    if (kept != NULL) {
        return SETUP_CHANGE_RESTORED;
    }
    return there != NULL ? SETUP_CHANGE_REMOVED : SETUP_CHANGE_NONE;
}

// Whether a provider is to stand where the one stood that we had replaced: it is put back now, or
// an uninstall that was cut short has put it back already, at the end.
static bool returns(const struct setup_plan *plan, enum setup_view view,
                    const struct setup_state *state, size_t provider)
{
    const struct setup_kept *kept = remembered(state, provider);
    enum setup_change change = plan->changes[view][provider];
    return change == SETUP_CHANGE_RESTORED ||
           (change == SETUP_CHANGE_LEFT && kept != NULL &&
            setup_catalog_same(present(state, provider), &kept->entry));
}

// The order when all is back: what was replaced stands where it was, the rest as it is now.
// ret_natural is the order without what is yet to be put in.
static void order_uninstall(struct setup_plan *plan, enum setup_view view,
                            const struct setup_state *state, struct setup_order *ret_natural)
{
    struct setup_order *after = &plan->after[view];
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (plan->changes[view][i] != SETUP_CHANGE_LEFT) {
            setup_order_remove(after, setup_catalog_provider(i));
        }
    }
    *ret_natural = *after;
    // The one first that stood before the other.
    const struct setup_order *last = &state->memory.kept[SETUP_PROVIDERS - 1].before;
    size_t first = returns(plan, view, state, SETUP_PROVIDERS - 1) &&
                   setup_order_find(last, setup_catalog_provider(0)) == last->count;
    for (size_t n = 0; n < SETUP_PROVIDERS; n++) {
        size_t i = (first + n) % SETUP_PROVIDERS;
        if (returns(plan, view, state, i)) {
            setup_order_place(after, setup_catalog_provider(i), &remembered(state, i)->before);
        }
    }
}

void setup_plan_uninstall(struct setup_plan *plan, enum setup_view view,
                          const struct setup_state *state)
{
    enum setup_change *changes = plan->changes[view];
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        changes[i] = judge_uninstall(present(state, i), remembered(state, i));
    }
    setup_catalog_order(&state->catalog, state->catalog.count, &plan->before[view]);
    plan->after[view] = plan->before[view];
    struct setup_order natural;
    order_uninstall(plan, view, state, &natural);
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (changes[i] != SETUP_CHANGE_LEFT && present(state, i) != NULL) {
            append_entry(plan, SETUP_UNINSTALL, view, present(state, i));
        }
    }
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (changes[i] == SETUP_CHANGE_RESTORED) {
            append_entry(plan, SETUP_INSTALL, view, &remembered(state, i)->entry);
            setup_order_append(&natural, setup_catalog_provider(i));
        }
    }
    settle_order(plan, view, &natural);
    for (size_t i = 0; i < SETUP_PROVIDERS; i++) {
        if (remembered(state, i) != NULL) {
            append(plan, SETUP_FORGET, view, i)->former = remembered(state, i);
        }
    }
}

// ---- names ----

const char *setup_plan_action_name(enum setup_action action)
{
    static const char *const names[] = {"remembering what is there", "taking out what is there",
                                        "putting the entry in", "putting the entries in order",
                                        "forgetting what was replaced"};
    return names[action];
}

const char *setup_plan_change_name(enum setup_change change)
{
    static const char *const names[] = {"none",    "installed", "replaced", "updated",
                                        "removed", "restored",  "left"};
    return names[change];
}
