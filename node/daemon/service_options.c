// SPDX-License-Identifier: MIT
#include "node/daemon/service_options.h"

#include "node/daemon/paths.h"

#include <string.h>

static const struct verb {
    const char *word;
    enum daemon_service_verb verb;
} verbs[] = {
    {"install", DAEMON_SERVICE_INSTALL}, {"uninstall", DAEMON_SERVICE_UNINSTALL},
    {"start", DAEMON_SERVICE_START},     {"stop", DAEMON_SERVICE_STOP},
    {"status", DAEMON_SERVICE_STATUS},   {"reload", DAEMON_SERVICE_RELOAD},
    {"run", DAEMON_SERVICE_RUN},         {"--help", DAEMON_SERVICE_HELP},
};

static const char help_text[] =
    "usage: pnrd service install [options of pnrd]   register it: started with the machine\n"
    "       pnrd service uninstall [--purge]         end it, and take it away again\n"
    "       pnrd service start | stop | reload       reload: configuration and keys anew\n"
    "       pnrd service status                      state, process, program, account, log\n"
    "\n"
    "  --name NAME    the service's name (" DAEMON_SERVICE_OPTIONS_NAME ")\n"
    "  --pnrp-name    the name " DAEMON_SERVICE_OPTIONS_PNRP_NAME
    ", which programs of WCF wait for\n"
    "  --purge        state, keys and log are removed too\n"
    "\n"
    "Options of pnrd, such as --config FILE, are kept for when the service is started; their\n"
    "paths have to be full ones.\n"
    "exit codes: 0 done, of status: running; 1 it failed, 2 options make no sense,\n"
    "of status: 3 not running, 4 there is no such service\n";

void daemon_service_options_print_help(FILE *out)
{
    fputs(help_text, out);
}

bool daemon_service_options_are(int argc, char **argv)
{
    return argc > 1 && strcmp(argv[1], "service") == 0;
}

static bool find_verb(const char *word, enum daemon_service_verb *ret_verb)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verbs[i].word, word) == 0) {
            *ret_verb = verbs[i].verb;
            return true;
        }
    }
    return false;
}

// What is safe in registry keys, file names and command lines alike.
static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t len = strlen(name);
    return len > 0 && len <= DAEMON_SERVICE_OPTIONS_NAME_MAX && strchr(letters, name[0]) != NULL &&
           strspn(name, "0123456789-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

// The value of option in argv[*inout_at], which may stand behind '=' or be the next word. NULL
// where the word is another option, or has no value.
static const char *value_of(const char *option, int argc, char **argv, int *inout_at)
{
    const char *word = argv[*inout_at];
    size_t len = strlen(option);
    if (strncmp(word, option, len) != 0)
        return NULL;
    if (word[len] == '=')
        return word + len + 1;
    if (word[len] != '\0' || *inout_at + 1 == argc)
        return NULL;
    return argv[++*inout_at];
}

// Puts each word where it belongs: options of the service, and pnrd's own.
static bool sort_words(int argc, char **argv, struct daemon_service_options *options,
                       struct daemon_error *ret_error)
{
    options->words[options->word_count++] = argv[0];
    for (int at = 3; at < argc; at++) {
        const char *name = value_of("--name", argc, argv, &at);
        if (name == NULL && strcmp(argv[at], "--name") == 0) {
            daemon_error_set(ret_error, "--name needs a value");
            return false;
        }
        if (name != NULL && !is_name(name)) {
            daemon_error_set(ret_error,
                             "--name %.100s is no name; expected up to %d letters, digits, - and "
                             "_, a letter first",
                             name, DAEMON_SERVICE_OPTIONS_NAME_MAX);
            return false;
        }
        if (name != NULL)
            options->name = name;
        else if (strcmp(argv[at], "--pnrp-name") == 0)
            options->name = DAEMON_SERVICE_OPTIONS_PNRP_NAME;
        else if (strcmp(argv[at], "--purge") == 0)
            options->purge = true;
        else if (strcmp(argv[at], "--help") == 0)
            options->verb = DAEMON_SERVICE_HELP;
        else if (options->word_count <= DAEMON_SERVICE_OPTIONS_WORDS_MAX)
            options->words[options->word_count++] = argv[at];
        else {
            daemon_error_set(ret_error, "more than %d words", DAEMON_SERVICE_OPTIONS_WORDS_MAX);
            return false;
        }
    }
    return true;
}

// The service manager starts pnrd in a folder of its own choice.
static bool check_path(const char *path, struct daemon_error *ret_error)
{
    if (path == NULL || path[0] == '\0' || daemon_paths_is_absolute(path))
        return true;
    daemon_error_set(ret_error, "%.200s is no full path, and a service has no working directory",
                     path);
    return false;
}

// Whether pnrd's own options make sense for a service.
static bool check_words(const struct daemon_service_options *service,
                        struct daemon_error *ret_error)
{
    struct daemon_options options;
    char *words[DAEMON_SERVICE_OPTIONS_WORDS_MAX + 2]; // parsing puts them in another order
    memcpy(words, service->words, sizeof words);
    if (!daemon_options_parse(service->word_count, words, &options, ret_error))
        return false;
    if (options.action != DAEMON_OPTIONS_RUN) {
        daemon_error_set(ret_error, "a service runs one node: neither --testnet nor what only "
                                    "prints");
        return false;
    }
    for (size_t i = 0; i < options.control_count; i++) {
        if (!check_path(options.controls[i].path, ret_error))
            return false;
    }
    return check_path(options.config_path, ret_error) && check_path(options.state_dir, ret_error) &&
           check_path(options.record_path, ret_error);
}

bool daemon_service_options_parse(int argc, char **argv, struct daemon_service_options *ret_options,
                                  struct daemon_error *ret_error)
{
    struct daemon_service_options options = {.name = DAEMON_SERVICE_OPTIONS_NAME};
    if (argc < 3) {
        daemon_error_set(ret_error, "service needs a verb: install, uninstall, start, stop, "
                                    "reload or status");
        return false;
    }
    if (!find_verb(argv[2], &options.verb)) {
        daemon_error_set(ret_error, "service %.100s is no verb of pnrd", argv[2]);
        return false;
    }
    if (!sort_words(argc, argv, &options, ret_error))
        return false;
    bool has_words = options.verb == DAEMON_SERVICE_INSTALL || options.verb == DAEMON_SERVICE_RUN;
    if (!has_words && options.verb != DAEMON_SERVICE_HELP && options.word_count > 1) {
        daemon_error_set(ret_error, "%.100s is no option of service %.100s", options.words[1],
                         argv[2]);
        return false;
    }
    if (options.purge && options.verb != DAEMON_SERVICE_UNINSTALL) {
        daemon_error_set(ret_error, "--purge goes with service uninstall");
        return false;
    }
    if (has_words && !check_words(&options, ret_error))
        return false;
    *ret_options = options;
    return true;
}
