// SPDX-License-Identifier: MIT
#include "node/daemon/service.h"

#include "node/daemon/event_log_windows.h"
#include "node/daemon/service_account_windows.h"
#include "node/daemon/service_folders_windows.h"
#include "node/daemon/service_manager_windows.h"
#include "node/daemon/service_run_windows.h"
#include "node/daemon/wide_windows.h"

// clang-format off
#include <windows.h>
#include <shellapi.h>
// clang-format on

#include <stdlib.h>
#include <string.h>

static enum daemon_exit complain(const char *text)
{
    fprintf(stderr, "pnrd: %s\n", text);
    return DAEMON_EXIT_FAILED;
}

static int complain_missing(const char *name)
{
    fprintf(stderr, "pnrd: there is no service %s; remedy: pnrd service install\n", name);
    return DAEMON_SERVICE_EXIT_IS_MISSING;
}

static void report(void *ctx, const char *text)
{
    (void)ctx;
    complain(text);
}

// ---- the command line ----

struct line {
    wchar_t text[DAEMON_SERVICE_MANAGER_LINE_MAX];
    size_t len;
};

static void put(struct line *line, wchar_t letter)
{
    if (line->len + 1 < DAEMON_SERVICE_MANAGER_LINE_MAX)
        line->text[line->len] = letter;
    line->len++;
}

// Quoted as CommandLineToArgvW() reads it: of the backslashes before a quotation mark each is
// doubled.
static void put_word(struct line *line, const wchar_t *word)
{
    if (line->len > 0)
        put(line, L' ');
    bool bare = word[0] != L'\0' && wcspbrk(word, L" \t\"") == NULL;
    if (!bare)
        put(line, L'"');
    for (;; word++) {
        size_t slashes = 0;
        for (; *word == L'\\'; word++)
            slashes++;
        bool doubles = !bare && (*word == L'"' || *word == L'\0');
        for (size_t i = 0; i < slashes * (doubles ? 2 : 1); i++)
            put(line, L'\\');
        if (*word == L'\0')
            break;
        if (*word == L'"')
            put(line, L'\\');
        put(line, *word);
    }
    if (!bare)
        put(line, L'"');
}

// What the service manager is to run. False where it does not fit.
static bool make_line(const struct daemon_service_options *options, struct line *ret_line,
                      wchar_t ret_program[DAEMON_WIDE_PATH_MAX], struct daemon_error *ret_error)
{
    wchar_t wide[DAEMON_WIDE_PATH_MAX];
    DWORD len = GetModuleFileNameW(NULL, ret_program, DAEMON_WIDE_PATH_MAX);
    bool ok = len > 0 && len < DAEMON_WIDE_PATH_MAX;
    memset(ret_line, 0, sizeof *ret_line);
    // With quotation marks in any case: a path with a blank and none could be another program's.
    put(ret_line, L'"');
    for (DWORD i = 0; ok && i < len; i++)
        put(ret_line, ret_program[i]);
    put(ret_line, L'"');
    (void)daemon_wide_path(options->name, wide);
    put_word(ret_line, L"service");
    put_word(ret_line, L"run");
    put_word(ret_line, L"--name");
    put_word(ret_line, wide);
    for (int i = 1; ok && i < options->word_count; i++) {
        ok = daemon_wide_path(options->words[i], wide);
        put_word(ret_line, wide);
    }
    ok = ok && ret_line->len + 1 < DAEMON_SERVICE_MANAGER_LINE_MAX;
    if (!ok)
        daemon_error_set(ret_error, "the options, or the path of pnrd, are too long for a service");
    return ok;
}

// The configuration that a service with these options has.
static bool read_config(const struct daemon_service_options *options,
                        struct daemon_config *ret_config, struct daemon_error *ret_error)
{
    static struct daemon_options own;
    char *words[DAEMON_SERVICE_OPTIONS_WORDS_MAX + 2]; // parsing puts them in another order
    memcpy(words, options->words, sizeof words);
    return daemon_options_parse(options->word_count, words, &own, ret_error) &&
           daemon_options_config(&own, report, NULL, ret_config, ret_error);
}

// The words of a command line in UTF-8, which stay. Returns how many; 0: they cannot be read.
static int split_line(const wchar_t *line, char **words, int words_max)
{
    int count = 0;
    int kept = 0;
    wchar_t **list = CommandLineToArgvW(line, &count);
    for (int i = 0; list != NULL && count <= words_max && i < count; i++) {
        char text[DAEMON_PATHS_MAX];
        if (daemon_wide_text(list[i], text, sizeof text) && (words[i] = strdup(text)) != NULL)
            kept++;
    }
    LocalFree(list);
    return kept == count ? kept : 0;
}

// The configuration of a service that is registered.
static bool read_registered(const struct daemon_service_manager *manager,
                            struct daemon_service_manager_config *ret_registered,
                            struct daemon_config *ret_config, struct daemon_error *ret_error)
{
    static struct daemon_service_options options;
    char *words[DAEMON_SERVICE_OPTIONS_WORDS_MAX + 8];
    if (!daemon_service_manager_config(manager, ret_registered, ret_error))
        return false;
    int count = split_line(ret_registered->line, words, DAEMON_SERVICE_OPTIONS_WORDS_MAX + 8);
    return daemon_service_options_parse(count, words, &options, ret_error) &&
           read_config(&options, ret_config, ret_error);
}

// ---- install and uninstall ----

// All but the service itself: what fails leaves none.
static bool prepare(const struct daemon_service_options *options,
                    const struct daemon_config *config, const wchar_t *program,
                    struct daemon_error *ret_error)
{
    struct daemon_error why;
    if (!daemon_service_folders_admit(options->name, config, ret_error))
        return false;
    if (daemon_event_log_register(options->name, program, &why))
        return true;
    daemon_error_set(ret_error, "cannot register with the Event Log: %.200s", why.text);
    daemon_event_log_unregister(options->name);
    return false;
}

// Of the two usual names one is taken: both would have one state.
static bool is_single(const char *name, struct daemon_error *ret_error)
{
    struct daemon_service_manager manager;
    struct daemon_error ignored;
    const char *other = strcmp(name, DAEMON_SERVICE_OPTIONS_NAME) == 0
                            ? DAEMON_SERVICE_OPTIONS_PNRP_NAME
                            : DAEMON_SERVICE_OPTIONS_NAME;
    // One that is not pnrd's has its own.
    if (!daemon_service_folders_is_usual(name) ||
        !daemon_service_manager_open(other, 0, 0, &manager, &ignored))
        return true;
    bool is_there = manager.service != NULL;
    daemon_service_manager_close(&manager);
    if (is_there)
        daemon_error_set(ret_error,
                         "pnrd is installed as the service %s; remedy: pnrd service uninstall "
                         "--name %s",
                         other, other);
    return !is_there;
}

static int install(const struct daemon_service_options *options)
{
    static struct line line;
    static struct daemon_config config;
    wchar_t program[DAEMON_WIDE_PATH_MAX];
    wchar_t account[DAEMON_SERVICE_ACCOUNT_MAX];
    struct daemon_service_manager manager;
    struct daemon_error why;
    struct daemon_service_manager_plan plan = {
        .name = options->name, .line = line.text, .account = account};
    if (!read_config(options, &config, &why) || !make_line(options, &line, program, &why)) {
        complain(why.text);
        return DAEMON_EXIT_USAGE;
    }
    daemon_service_account_name(options->name, account);
    if (!daemon_service_manager_open(options->name, SC_MANAGER_CREATE_SERVICE, 0, &manager, &why))
        return complain(why.text);
    bool ok = manager.service == NULL;
    if (!ok)
        daemon_error_set(&why, "there is a service %s already; remedy: pnrd service uninstall",
                         options->name);
    ok = ok && is_single(options->name, &why) &&
         daemon_service_manager_create(&manager, &plan, &why);
    if (ok && !prepare(options, &config, program, &why)) {
        DeleteService(manager.service);
        daemon_service_folders_remove(options->name, &config, false);
        ok = false;
    }
    daemon_service_manager_close(&manager);
    if (!ok)
        return complain(why.text);
    bool is_usual = strcmp(options->name, DAEMON_SERVICE_OPTIONS_NAME) == 0;
    printf("service %s is installed and starts with the machine; now: pnrd service start%s%s\n",
           options->name, is_usual ? "" : " --name ", is_usual ? "" : options->name);
    return DAEMON_EXIT_CLEAN;
}

static bool is_gone(DWORD process_id)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, process_id);
    if (process == NULL)
        return GetLastError() == ERROR_INVALID_PARAMETER; // there is none of that number
    bool has_ended = WaitForSingleObject(process, 0) == WAIT_OBJECT_0;
    CloseHandle(process);
    return has_ended;
}

// Ends the service. True where it has ended, or did not run.
static bool end(const struct daemon_service_manager *manager, SERVICE_STATUS_PROCESS *ret_status,
                struct daemon_error *ret_error)
{
    SERVICE_STATUS status;
    if (!daemon_service_manager_wait(manager, SERVICE_START_PENDING, ret_status, ret_error))
        return false;
    if (ret_status->dwCurrentState == SERVICE_STOPPED)
        return true;
    DWORD error = NO_ERROR;
    if (!ControlService(manager->service, SERVICE_CONTROL_STOP, &status))
        error = GetLastError();
    if (error != NO_ERROR && is_gone(ret_status->dwProcessId))
        return true; // it has crashed, and the manager has yet to see so
    if (error != NO_ERROR && error != ERROR_SERVICE_NOT_ACTIVE &&
        error != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) // it is ending
        return daemon_service_manager_fail("stop", manager->name, ret_error);
    return daemon_service_manager_wait(manager, SERVICE_RUNNING, ret_status, ret_error) &&
           daemon_service_manager_wait(manager, SERVICE_STOP_PENDING, ret_status, ret_error);
}

static int uninstall(const struct daemon_service_options *options,
                     struct daemon_service_manager *manager)
{
    static struct daemon_service_manager_config registered;
    static struct daemon_config config;
    SERVICE_STATUS_PROCESS status;
    struct daemon_error why;
    bool knows = read_registered(manager, &registered, &config, &why);
    if (!knows && options->purge)
        return complain(why.text);
    if (!end(manager, &status, &why))
        return complain(why.text);
    if (!DeleteService(manager->service)) {
        daemon_service_manager_fail("remove", options->name, &why);
        return complain(why.text);
    }
    daemon_event_log_unregister(options->name);
    if (knows)
        daemon_service_folders_remove(options->name, &config, options->purge);
    printf("service %s is uninstalled%s\n", options->name,
           options->purge ? ", and its state, keys and log are removed"
                          : "; state, keys and log are kept");
    return DAEMON_EXIT_CLEAN;
}

// ---- start, stop, reload ----

static int start(struct daemon_service_manager *manager)
{
    SERVICE_STATUS_PROCESS status;
    struct daemon_error why;
    char path[DAEMON_PATHS_MAX];
    if (!StartServiceW(manager->service, 0, NULL)) {
        if (GetLastError() == ERROR_SERVICE_ALREADY_RUNNING) {
            printf("service %s is running already\n", manager->name);
            return DAEMON_EXIT_CLEAN;
        }
        daemon_service_manager_fail("start", manager->name, &why);
        return complain(why.text);
    }
    if (!daemon_service_manager_wait(manager, SERVICE_START_PENDING, &status, &why))
        return complain(why.text);
    if (status.dwCurrentState != SERVICE_RUNNING) {
        daemon_error_set(&why, "service %s has ended as soon as it was started; remedy: see %.300s",
                         manager->name, daemon_service_folders_log(manager->name, path));
        return complain(why.text);
    }
    printf("service %s is running, process %lu\n", manager->name, status.dwProcessId);
    return DAEMON_EXIT_CLEAN;
}

static int stop(struct daemon_service_manager *manager)
{
    SERVICE_STATUS_PROCESS before;
    SERVICE_STATUS_PROCESS status;
    struct daemon_error why;
    if (!daemon_service_manager_status(manager, &before, &why) || !end(manager, &status, &why))
        return complain(why.text);
    printf("service %s %s\n", manager->name,
           before.dwCurrentState == SERVICE_STOPPED ? "was not running" : "has ended");
    return DAEMON_EXIT_CLEAN;
}

static int reload(struct daemon_service_manager *manager)
{
    SERVICE_STATUS status;
    struct daemon_error why;
    if (!ControlService(manager->service, SERVICE_CONTROL_PARAMCHANGE, &status)) {
        daemon_service_manager_fail("tell", manager->name, &why);
        return complain(why.text);
    }
    printf("service %s reads configuration and keys again; its log tells how\n", manager->name);
    return DAEMON_EXIT_CLEAN;
}

// ---- status ----

static const char *state_word(DWORD state)
{
    switch (state) {
    case SERVICE_RUNNING:
        return "running";
    case SERVICE_START_PENDING:
        return "starting";
    case SERVICE_STOP_PENDING:
        return "ending";
    default:
        return "not running";
    }
}

static const char *start_word(DWORD type)
{
    return type == SERVICE_AUTO_START     ? "automatic"
           : type == SERVICE_DEMAND_START ? "by hand"
                                          : "disabled";
}

static int status(struct daemon_service_manager *manager)
{
    static struct daemon_service_manager_config registered;
    SERVICE_STATUS_PROCESS now;
    struct daemon_error why;
    char text[4 * DAEMON_WIDE_PATH_MAX];
    char path[DAEMON_PATHS_MAX];
    if (!daemon_service_manager_status(manager, &now, &why) ||
        !daemon_service_manager_config(manager, &registered, &why))
        return complain(why.text);
    printf("service %s: %s", manager->name, state_word(now.dwCurrentState));
    if (now.dwProcessId != 0)
        printf(", process %lu", now.dwProcessId);
    (void)daemon_wide_text(registered.line, text, sizeof text);
    printf("\n  runs     %s\n", text);
    printf("  start    %s\n", start_word(registered.start_type));
    (void)daemon_wide_text(registered.account, text, sizeof text);
    printf("  account  %s\n", text);
    printf("  log      %s\n", daemon_service_folders_log(manager->name, path));
    return now.dwCurrentState == SERVICE_RUNNING ? (int)DAEMON_EXIT_CLEAN
                                                 : (int)DAEMON_SERVICE_EXIT_IS_STOPPED;
}

// ---- all of them ----

static DWORD rights_of(enum daemon_service_verb verb)
{
    switch (verb) {
    case DAEMON_SERVICE_UNINSTALL:
        return SERVICE_STOP | DELETE;
    case DAEMON_SERVICE_START:
        return SERVICE_START;
    case DAEMON_SERVICE_STOP:
        return SERVICE_STOP;
    case DAEMON_SERVICE_RELOAD:
        return SERVICE_PAUSE_CONTINUE;
    default:
        return 0;
    }
}

static int act_on(const struct daemon_service_options *options,
                  struct daemon_service_manager *manager)
{
    switch (options->verb) {
    case DAEMON_SERVICE_UNINSTALL:
        return uninstall(options, manager);
    case DAEMON_SERVICE_START:
        return start(manager);
    case DAEMON_SERVICE_STOP:
        return stop(manager);
    case DAEMON_SERVICE_RELOAD:
        return reload(manager);
    default:
        return status(manager);
    }
}

int daemon_service_act(const struct daemon_service_options *options, daemon_service_fn run)
{
    struct daemon_service_manager manager;
    struct daemon_error why;
    if (options->verb == DAEMON_SERVICE_RUN)
        return daemon_service_run(options, run);
    if (options->verb == DAEMON_SERVICE_INSTALL)
        return install(options);
    if (!daemon_service_manager_open(options->name, 0, rights_of(options->verb), &manager, &why))
        return complain(why.text);
    int code =
        manager.service == NULL ? complain_missing(options->name) : act_on(options, &manager);
    daemon_service_manager_close(&manager);
    return code;
}
