// SPDX-License-Identifier: MIT
#include "nsp/setup/options.h"

#include <stdio.h>
#include <string.h>

enum option {
    OPTION_HELP,
    OPTION_VERSION,
    OPTION_JSON,
    OPTION_DLL, // this and those behind it take a value
    OPTION_DLL32,
    OPTION_ONLY,
    OPTION_COUNT,
};

static const WCHAR *const names[OPTION_COUNT] = {u"--help", u"--version", u"--json",
                                                 u"--dll",  u"--dll32",   u"--only"};

struct reader {
    int argc;
    WCHAR *const *argv;
    int at;
    bool is_64;
    unsigned used; // bits of the options that were there
    struct setup_options options;
    char *why;
};

// A sentence about one word of the command line, which is shown up to 100 bytes.
static bool refuse(struct reader *reader, const char *before, const WCHAR *word, const char *after)
{
    char shown[100];
    snprintf(reader->why, SETUP_OPTIONS_WHY_MAX, "%s'%s'%s", before,
             setup_text_utf8(word, shown, sizeof shown), after);
    return false;
}

static bool has_text(const WCHAR *word, const WCHAR *text)
{
    size_t len = setup_text_len(text);
    return setup_text_len(word) == len && memcmp(word, text, len * sizeof *text) == 0;
}

// The option that a word is, or begins with before its '='. ret_value: behind that, or NULL.
static enum option find_option(const WCHAR *word, const WCHAR **ret_value)
{
    *ret_value = NULL;
    if (has_text(word, u"-h") || has_text(word, u"-?") || has_text(word, u"/?")) {
        return OPTION_HELP;
    }
    if (has_text(word, u"-V")) {
        return OPTION_VERSION;
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        size_t len = setup_text_len(names[i]);
        bool begins =
            setup_text_len(word) >= len && memcmp(word, names[i], len * sizeof *word) == 0;
        if (begins && (word[len] == 0 || (word[len] == '=' && i >= OPTION_DLL))) {
            *ret_value = word[len] == '=' ? word + len + 1 : NULL;
            return i;
        }
    }
    return OPTION_COUNT;
}

static bool set_only(struct reader *reader, const WCHAR *value)
{
    bool is_64 = has_text(value, u"64");
    if (!is_64 && !has_text(value, u"32")) {
        return refuse(reader, "--only takes 64 or 32, not ", value, "");
    }
    if (is_64 && !reader->is_64) {
        return refuse(reader, "", value,
                      ": a 32-bit pnrnsp-setup reaches the 32-bit catalog alone");
    }
    reader->options.views[SETUP_VIEW_64] = is_64;
    reader->options.views[SETUP_VIEW_32] = !is_64;
    return true;
}

static bool set_value(struct reader *reader, enum option option, const WCHAR *value)
{
    if (value == NULL && reader->at < reader->argc) {
        value = reader->argv[reader->at++];
    }
    if (value == NULL || *value == 0) {
        return refuse(reader, "", names[option], " takes a value");
    }
    if (option == OPTION_ONLY) {
        return set_only(reader, value);
    }
    if (option == OPTION_DLL32 && !reader->is_64) {
        return refuse(reader, "", names[option],
                      " is for the 64-bit pnrnsp-setup: it is --dll here");
    }
    bool is_own = option == OPTION_DLL && reader->is_64;
    reader->options.paths[is_own ? SETUP_VIEW_64 : SETUP_VIEW_32] = value;
    return true;
}

static bool read_option(struct reader *reader, const WCHAR *word)
{
    const WCHAR *value;
    enum option option = find_option(word, &value);
    if (option == OPTION_COUNT) {
        return refuse(reader, "there is no option ", word, "");
    }
    reader->used |= 1u << option;
    reader->options.help |= option == OPTION_HELP;
    reader->options.version |= option == OPTION_VERSION;
    reader->options.json |= option == OPTION_JSON;
    return option < OPTION_DLL || set_value(reader, option, value);
}

static bool read_command(struct reader *reader, const WCHAR *word)
{
    static const struct {
        const WCHAR *name;
        enum setup_command command;
    } commands[] = {{u"install", SETUP_COMMAND_INSTALL},
                    {u"uninstall", SETUP_COMMAND_UNINSTALL},
                    {u"status", SETUP_COMMAND_STATUS}};
    if (has_text(word, u"help")) {
        reader->options.help = true;
        return true;
    }
    if (reader->options.command != SETUP_COMMAND_NONE) {
        return refuse(reader, "", word, " is one word too many");
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (has_text(word, commands[i].name)) {
            reader->options.command = commands[i].command;
            return true;
        }
    }
    return refuse(reader, "there is no command ", word, ": it is install, uninstall or status");
}

static bool check(struct reader *reader)
{
    const struct setup_options *options = &reader->options;
    if (options->help || options->version) {
        return true;
    }
    if (options->command == SETUP_COMMAND_NONE) {
        snprintf(reader->why, SETUP_OPTIONS_WHY_MAX, "which command?");
        return false;
    }
    for (unsigned i = OPTION_DLL; i <= OPTION_DLL32; i++) {
        if ((reader->used & 1u << i) != 0 && options->command != SETUP_COMMAND_INSTALL) {
            return refuse(reader, "only install takes ", names[i], "");
        }
    }
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        if (options->paths[view] != NULL && !options->views[view]) {
            return refuse(reader, "", names[OPTION_ONLY],
                          " leaves out the catalog of that library");
        }
    }
    return true;
}

bool setup_options_parse(int argc, WCHAR *const argv[], bool is_64,
                         struct setup_options *ret_options, char ret_why[SETUP_OPTIONS_WHY_MAX])
{
    struct reader reader = {.argc = argc, .argv = argv, .at = 1, .is_64 = is_64, .why = ret_why};
    reader.options.views[SETUP_VIEW_64] = is_64;
    reader.options.views[SETUP_VIEW_32] = true;
    bool good = true;
    while (good && reader.at < argc) {
        const WCHAR *word = argv[reader.at++];
        bool is_option = (word[0] == '-' && word[1] != 0) || has_text(word, u"/?");
        good = is_option ? read_option(&reader, word) : read_command(&reader, word);
    }
    good = good && check(&reader);
    *ret_options = reader.options;
    return good;
}
