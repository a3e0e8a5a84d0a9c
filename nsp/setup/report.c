// SPDX-License-Identifier: MIT
#include "nsp/setup/report.h"

#include <stdio.h>

#define UTF8_MAX (3 * SETUP_PATH_MAX + 1)

// ---- JSON ----

static void put_json_text(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') {
            printf("\\%c", *text);
        } else if ((unsigned char)*text < 0x20) {
            printf("\\u%04x", (unsigned)*text);
        } else {
            putchar(*text);
        }
    }
    putchar('"');
}

static void put_json_wide(const char *key, const WCHAR *text)
{
    char utf8[UTF8_MAX];
    printf(", \"%s\": ", key);
    put_json_text(setup_text_utf8(text, utf8, sizeof utf8));
}

static void put_json_begin(const char *type, enum setup_view view, size_t provider)
{
    printf("{\"schema\": %d, \"type\": \"%s\", \"catalog\": %d, \"namespace\": \"%s\"",
           SETUP_REPORT_SCHEMA, type, view == SETUP_VIEW_64 ? 64 : 32,
           setup_catalog_namespace(provider));
}

static void put_json_entry(enum setup_view view, const struct setup_entry *entry,
                           setup_report_exists exists)
{
    enum setup_owner owner = setup_catalog_owner(entry);
    printf(", \"owner\": \"%s\", \"enabled\": %s, \"version\": %lu",
           setup_catalog_owner_name(owner), entry->enabled ? "true" : "false",
           (unsigned long)entry->version);
    put_json_wide("path", entry->path);
    put_json_wide("display", entry->display);
    printf(", \"exists\": %s", exists(view, entry->path) ? "true" : "false");
}

// ---- lines ----

static const char *owner_text(const struct setup_entry *entry)
{
    static const char *const names[] = {"pnr's", "Microsoft's", "another's"};
    return names[setup_catalog_owner(entry)];
}

// "Microsoft's, disabled, C:\...\pnrpnsp.dll (no such file)"
static void put_entry(enum setup_view view, const struct setup_entry *entry,
                      setup_report_exists exists)
{
    char path[UTF8_MAX];
    bool lacks = exists != NULL && !exists(view, entry->path);
    printf("%s, %s%s%s", owner_text(entry), entry->enabled ? "" : "disabled, ",
           setup_text_utf8(entry->path, path, sizeof path), lacks ? " (no such file)" : "");
}

static void put_begin(enum setup_view view, size_t provider)
{
    printf("%s  %-12s  ", setup_catalog_view(view), setup_catalog_namespace(provider));
}

// ---- changes ----

// The entry that a change is about beside ours.
static const struct setup_entry *other_of(const struct setup_run *run, enum setup_view view,
                                          size_t provider)
{
    const struct setup_state *state = &run->states[view];
    switch (run->plan.changes[view][provider]) {
    case SETUP_CHANGE_REPLACED:
    case SETUP_CHANGE_LEFT:
        return setup_catalog_find(&state->catalog, setup_catalog_provider(provider));
    case SETUP_CHANGE_RESTORED:
        return &state->memory.kept[provider].entry;
    default:
        return NULL;
    }
}

static const char *change_text(enum setup_change change)
{
    static const char *const texts[] = {"as it was", "installed", "replaced ", "updated",
                                        "removed",   "restored ", "left "};
    return texts[change];
}

static void put_change(const struct setup_run *run, enum setup_view view, size_t provider)
{
    const struct setup_entry *other = other_of(run, view, provider);
    put_begin(view, provider);
    printf("%s", change_text(run->plan.changes[view][provider]));
    if (other != NULL) {
        put_entry(view, other, NULL);
    }
    printf("%s\n", run->differs[view][provider] ? "; Winsock has not put it back as it was" : "");
}

static void put_json_change(const struct setup_run *run, enum setup_view view, size_t provider)
{
    const struct setup_entry *other = other_of(run, view, provider);
    put_json_begin("change", view, provider);
    printf(", \"change\": \"%s\"", setup_plan_change_name(run->plan.changes[view][provider]));
    if (other != NULL) {
        printf(", \"owner\": \"%s\"", setup_catalog_owner_name(setup_catalog_owner(other)));
        put_json_wide("path", other->path);
        printf(", \"as_before\": %s", run->differs[view][provider] ? "false" : "true");
    }
    puts("}");
}

void setup_report_changes(const struct setup_run *run, bool json)
{
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        for (size_t i = 0; run->views[view] && i < SETUP_PROVIDERS; i++) {
            (json ? put_json_change : put_change)(run, view, i);
        }
    }
}

// ---- status ----

static void put_status(const struct setup_state *state, enum setup_view view, size_t provider,
                       setup_report_exists exists)
{
    const struct setup_entry *entry =
        setup_catalog_find(&state->catalog, setup_catalog_provider(provider));
    put_begin(view, provider);
    if (entry != NULL) {
        put_entry(view, entry, exists);
    } else {
        printf("none");
    }
    if (state->memory.has[provider]) {
        printf("\n%*suninstall restores ", 22, "");
        put_entry(view, &state->memory.kept[provider].entry, exists);
    }
    putchar('\n');
}

static void put_json_status(const struct setup_state *state, enum setup_view view, size_t provider,
                            setup_report_exists exists)
{
    const struct setup_entry *entry =
        setup_catalog_find(&state->catalog, setup_catalog_provider(provider));
    put_json_begin("provider", view, provider);
    if (entry != NULL) {
        put_json_entry(view, entry, exists);
    } else {
        printf(", \"owner\": \"none\"");
    }
    if (state->memory.has[provider]) {
        const struct setup_entry *kept = &state->memory.kept[provider].entry;
        printf(", \"restores\": {\"namespace\": \"%s\"", setup_catalog_namespace(provider));
        put_json_entry(view, kept, exists);
        putchar('}');
    }
    puts("}");
}

static enum setup_exit judge(const struct setup_state *state, enum setup_view view, size_t provider,
                             setup_report_exists exists)
{
    const struct setup_entry *entry =
        setup_catalog_find(&state->catalog, setup_catalog_provider(provider));
    if (entry == NULL || setup_catalog_owner(entry) != SETUP_OWNER_PNR) {
        return SETUP_EXIT_NOT_FOUND;
    }
    return entry->enabled && exists(view, entry->path) ? SETUP_EXIT_DONE : SETUP_EXIT_ERROR;
}

enum setup_exit setup_report_status(const struct setup_run *run, bool json,
                                    setup_report_exists exists)
{
    enum setup_exit worst = SETUP_EXIT_DONE;
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        for (size_t i = 0; run->views[view] && i < SETUP_PROVIDERS; i++) {
            (json ? put_json_status : put_status)(&run->states[view], view, i, exists);
            enum setup_exit code = judge(&run->states[view], view, i, exists);
            worst = worst == SETUP_EXIT_DONE || code == SETUP_EXIT_ERROR ? code : worst;
        }
    }
    return worst;
}

// ---- trouble ----

void setup_report_trouble(const struct setup_trouble *trouble, const WCHAR *path)
{
    char text[SETUP_TROUBLE_MAX];
    char utf8[UTF8_MAX];
    bool has_path = path != NULL && path[0] != 0;
    fprintf(stderr, "pnrnsp-setup: %s%s%s\n", setup_trouble_text(trouble, text),
            has_path ? ": " : "", has_path ? setup_text_utf8(path, utf8, sizeof utf8) : "");
    const char *state = setup_trouble_state(trouble, text);
    if (state != NULL) {
        fprintf(stderr, "  %s\n", state);
    }
    const char *remedy = setup_trouble_remedy(trouble);
    if (remedy != NULL) {
        fprintf(stderr, "  %s\n", remedy);
    }
}
