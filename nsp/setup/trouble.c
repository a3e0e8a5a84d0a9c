// SPDX-License-Identifier: MIT
#include "nsp/setup/trouble.h"

#include <stdio.h>

// Of Windows, not of Winsock; off Windows no header has them all.
#define CODE_FILE_NOT_FOUND 2
#define CODE_ACCESS_DENIED  5
#define CODE_OUT_OF_MEMORY  14
#define CODE_TRY_AGAIN      11002

static const char elevate[] =
    "only an administrator may change Winsock's catalogs: run it from a prompt that was opened "
    "with \"Run as administrator\"";
static const char once_more[] = "try again when no other installer is at work";
static const char memory[] = "close some programs and try again";
static const char look[] =
    "\"netsh winsock show catalog\" shows what Winsock has; a restart may help";
static const char own_fault[] = "this is a fault of pnrnsp-setup: please report it";
static const char guarded[] =
    "an entry of this id may have come meanwhile, another installer may be at work, or a security "
    "product may guard the catalog: see \"pnrnsp-setup status\" and try again";

static const struct meaning {
    int code;
    enum setup_exit exit;
    const char *name; // of Winsock's and Windows' own
    const char *text;
    const char *remedy;
} meanings[] = {
    {CODE_ACCESS_DENIED, SETUP_EXIT_REFUSED, "ERROR_ACCESS_DENIED", "access is denied", elevate},
    {WSAEACCES, SETUP_EXIT_REFUSED, "WSAEACCES", "access is denied", elevate},
    {WSANO_RECOVERY, SETUP_EXIT_ERROR, "WSANO_RECOVERY", "Winsock cannot change its catalog",
     guarded},
    {WSAEINVAL, SETUP_EXIT_ERROR, "WSAEINVAL", "Winsock does not accept the entry",
     "see \"pnrnsp-setup status\": the entry may have gone meanwhile"},
    {WSAEFAULT, SETUP_EXIT_ERROR, "WSAEFAULT", "Winsock cannot read the entry", own_fault},
    {WSASYSCALLFAILURE, SETUP_EXIT_ERROR, "WSASYSCALLFAILURE", "a system call of Winsock's failed",
     look},
    {CODE_TRY_AGAIN, SETUP_EXIT_ERROR, "WSATRY_AGAIN", "somebody else is changing the catalog",
     once_more},
    {WSANOTINITIALISED, SETUP_EXIT_ERROR, "WSANOTINITIALISED", "Winsock does not start", look},
    {WSA_NOT_ENOUGH_MEMORY, SETUP_EXIT_ERROR, "WSA_NOT_ENOUGH_MEMORY", "there is no memory left",
     memory},
    {CODE_OUT_OF_MEMORY, SETUP_EXIT_ERROR, "ERROR_OUTOFMEMORY", "there is no memory left", memory},
    {CODE_FILE_NOT_FOUND, SETUP_EXIT_ERROR, "ERROR_FILE_NOT_FOUND",
     "the registry has no catalog where Windows keeps it", look},
    {SETUP_CODE_NOT_KEPT, SETUP_EXIT_ERROR, NULL,
     "Winsock said that it was done, but its catalog tells otherwise",
     "a security product may guard the catalog; Wine's own Winsock keeps none"},
    {SETUP_CODE_MISSING, SETUP_EXIT_ERROR, NULL, "this system's ws2_32.dll has no function for it",
     "Windows Vista or a later Windows is needed"},
    {SETUP_CODE_UNREADABLE, SETUP_EXIT_ERROR, NULL,
     "Winsock tells of an entry that is not where Windows keeps its catalog",
     "nothing was touched, since it could not be restored: please report this Windows"},
    {SETUP_CODE_FULL, SETUP_EXIT_ERROR, NULL, "the catalog has more than 64 entries", look},
    {SETUP_CODE_CUT, SETUP_EXIT_ERROR, NULL,
     "the entry in the way is larger than can be remembered",
     "take it out with the program that put it in, and try again"},
    {SETUP_CODE_LONG_PATH, SETUP_EXIT_USAGE, NULL,
     "its path is longer than the 259 characters that Winsock takes",
     "put it into a folder with a shorter path"},
    {SETUP_CODE_NO_LIBRARY, SETUP_EXIT_NOT_FOUND, NULL, "there is no such file",
     "name it with --dll or --dll32; with --only 64 or --only 32 the other catalog stays as it is"},
    {SETUP_CODE_NOT_LIBRARY, SETUP_EXIT_USAGE, NULL, "it is no DLL", "name the DLL with --dll"},
    {SETUP_CODE_WRONG_BITS, SETUP_EXIT_USAGE, NULL, "it is a DLL for other programs than these",
     "--dll32 names the DLL for 32-bit programs, --dll that for programs like this one"},
};

static const struct meaning *meaning_of(int code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].code == code) {
            return &meanings[i];
        }
    }
    return NULL;
}

// "access is denied (WSAEACCES, 10013)"
static void put_code(int code, char *text, size_t text_len)
{
    const struct meaning *meaning = meaning_of(code);
    if (meaning == NULL) {
        snprintf(text, text_len, "error %d", code);
    } else if (meaning->name == NULL) {
        snprintf(text, text_len, "%s", meaning->text);
    } else {
        snprintf(text, text_len, "%s (%s, %d)", meaning->text, meaning->name, code);
    }
}

const char *setup_trouble_text(const struct setup_trouble *trouble, char text[SETUP_TROUBLE_MAX])
{
    const struct setup_failure *failure = &trouble->failure;
    const char *view = setup_catalog_view(failure->view);
    const char *provider = setup_catalog_namespace(failure->provider);
    char why[160];
    put_code(failure->code, why, sizeof why);
    switch (trouble->stage) {
    case SETUP_STAGE_NONE:
    case SETUP_STAGE_MEMORY:
        snprintf(text, SETUP_TROUBLE_MAX, "there is no memory left");
        break;
    case SETUP_STAGE_LIBRARY:
        snprintf(text, SETUP_TROUBLE_MAX, "the library of %s programs: %s", view, why);
        break;
    case SETUP_STAGE_READ:
        snprintf(text, SETUP_TROUBLE_MAX, "%s catalog: reading it: %s", view, why);
        break;
    case SETUP_STAGE_PLAN:
        snprintf(text, SETUP_TROUBLE_MAX, "%s catalog, %s: %s", view, provider, why);
        break;
    case SETUP_STAGE_ACCESS:
        snprintf(text, SETUP_TROUBLE_MAX, "nothing was changed: %s", why);
        break;
    case SETUP_STAGE_STEP:
        snprintf(text, SETUP_TROUBLE_MAX, "%s catalog, %s: %s: %s", view, provider,
                 setup_plan_action_name(failure->action), why);
        break;
    }
    return text;
}

const char *setup_trouble_state(const struct setup_trouble *trouble, char text[SETUP_TROUBLE_MAX])
{
    const struct setup_failure *stuck = &trouble->stuck;
    char why[160];
    if (trouble->stage != SETUP_STAGE_STEP) {
        return NULL;
    }
    if (stuck->code == 0) {
        return "what had been done was taken back: everything is as it was";
    }
    put_code(stuck->code, why, sizeof why);
    snprintf(text, SETUP_TROUBLE_MAX,
             "and this could not be taken back: %s catalog, %s: %s: %s; what was replaced is still "
             "remembered, and \"pnrnsp-setup uninstall\" restores it",
             setup_catalog_view(stuck->view), setup_catalog_namespace(stuck->provider),
             setup_plan_action_name(stuck->action), why);
    return text;
}

const char *setup_trouble_remedy(const struct setup_trouble *trouble)
{
    const struct meaning *meaning = meaning_of(trouble->failure.code);
    return trouble->stage == SETUP_STAGE_MEMORY ? memory : meaning != NULL ? meaning->remedy : NULL;
}

enum setup_exit setup_trouble_exit(const struct setup_trouble *trouble)
{
    const struct meaning *meaning = meaning_of(trouble->failure.code);
    if (trouble->stage == SETUP_STAGE_NONE) {
        return SETUP_EXIT_DONE;
    }
    return meaning != NULL && trouble->stage != SETUP_STAGE_MEMORY ? meaning->exit
                                                                   : SETUP_EXIT_ERROR;
}
