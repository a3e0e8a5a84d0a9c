// SPDX-License-Identifier: MIT
// pnrnsp-setup: the namespace provider into Winsock's catalogs and out of them. docs/nsp.md
#include "nsp/setup/files.h"
#include "nsp/setup/machine.h"
#include "nsp/setup/options.h"
#include "nsp/setup/report.h"

#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: pnrnsp-setup install [--dll PATH] [--dll32 PATH] [--only 64|32] [--json]\n"
    "       pnrnsp-setup uninstall [--only 64|32] [--json]\n"
    "       pnrnsp-setup status [--only 64|32] [--json]\n";

static const char help[] =
    "\n"
    "Has Winsock ask pnr for peer names (NS_PNRPNAME) and clouds (NS_PNRPCLOUD). Programs that\n"
    "were started before it go on as they are.\n"
    "\n"
    "  install        puts pnrnsp.dll in place of the providers that Winsock has for them, if "
    "any,\n"
    "                 and remembers those\n"
    "  uninstall      takes it out again, and puts back what there was\n"
    "  status         tells what Winsock has now, and what uninstall would put back\n"
    "\n"
    "  --dll PATH     the DLL; else the pnrnsp.dll beside this program\n"
    "  --dll32 PATH   the DLL for 32-bit programs on a 64-bit Windows; else x86\\pnrnsp.dll beside "
    "it\n"
    "  --only 64|32   one catalog of the two that a 64-bit Windows has: of 64-bit or of 32-bit "
    "programs\n"
    "  --json         one JSON object for each provider and catalog\n"
    "  -h, --help     this\n"
    "  -V, --version  the version\n"
    "\n"
    "install and uninstall need an administrator's rights. Exit code: 0 done; 1 it failed, and\n"
    "everything is as it was; 2 the command line makes no sense; 3 no such file, or, of status, "
    "not\n"
    "installed; 6 no right.\n";

static bool find_libraries(struct setup_run *run, const struct setup_options *options)
{
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        WCHAR *path = run->paths[view];
        int code = run->views[view] ? setup_files_find(view, options->paths[view], path) : 0;
        if (code != 0) {
            run->trouble.stage = SETUP_STAGE_LIBRARY;
            run->trouble.failure.view = view;
            run->trouble.failure.code = code;
            setup_report_trouble(&run->trouble, path[0] != 0 ? path : options->paths[view]);
            return false;
        }
    }
    return true;
}

static void advise(const struct setup_run *run)
{
    bool guarded = true;
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        guarded = guarded && (!run->views[view] || setup_files_is_guarded(run->paths[view]));
    }
    if (run->plan.count > 0) {
        fprintf(stderr, "Programs that are started from now on ask pnr.\n");
    }
    if (!guarded) {
        fprintf(stderr, "Every program that resolves names loads this DLL: keep it where only "
                        "administrators can write, such as below \"C:\\Program Files\".\n");
    }
}

static enum setup_exit do_command(const struct setup_options *options, struct setup_run *run,
                                  const struct setup_system *system)
{
    enum setup_exit code;
    if (options->command == SETUP_COMMAND_INSTALL) {
        if (!find_libraries(run, options)) {
            return setup_trouble_exit(&run->trouble);
        }
        code = setup_install(run, system);
    } else {
        code = options->command == SETUP_COMMAND_UNINSTALL ? setup_uninstall(run, system)
                                                           : setup_look(run, system);
    }
    if (code != SETUP_EXIT_DONE) {
        setup_report_trouble(&run->trouble, NULL);
        return code;
    }
    if (options->command == SETUP_COMMAND_STATUS) {
        return setup_report_status(run, options->json, setup_files_exists);
    }
    setup_report_changes(run, options->json);
    if (options->command == SETUP_COMMAND_INSTALL) {
        advise(run);
    }
    return SETUP_EXIT_DONE;
}

static enum setup_exit open_and_do(const struct setup_options *options)
{
    struct setup_system system;
    struct setup_run *run = calloc(1, sizeof *run);
    struct setup_machine *machine = run == NULL ? NULL : setup_machine_open(&system);
    if (machine == NULL) {
        free(run);
        struct setup_trouble trouble = {.stage = SETUP_STAGE_MEMORY};
        setup_report_trouble(&trouble, NULL);
        return SETUP_EXIT_ERROR;
    }
    for (size_t view = 0; view < SETUP_VIEWS; view++) {
        run->views[view] = options->views[view];
    }
    enum setup_exit code = do_command(options, run, &system);
    setup_machine_close(machine);
    free(run);
    return code;
}

static enum setup_exit run_line(int argc, WCHAR *const argv[])
{
    struct setup_options options;
    char why[SETUP_OPTIONS_WHY_MAX];
    if (!setup_options_parse(argc, argv, SETUP_MACHINE_VIEW == SETUP_VIEW_64, &options, why)) {
        fprintf(stderr, "pnrnsp-setup: %s\n%s", why, usage);
        return SETUP_EXIT_USAGE;
    }
    if (options.help) {
        printf("%s%s", usage, help);
        return SETUP_EXIT_DONE;
    }
    if (options.version) {
        printf("pnrnsp-setup %s\n", PNR_VERSION);
        return SETUP_EXIT_DONE;
    }
    return open_and_do(&options);
}

int wmain(int argc, WCHAR *argv[]);
int wmain(int argc, WCHAR *argv[])
{
    // A console shows UTF-8 where it is told that it is; it belongs to the shell.
    UINT page = GetConsoleOutputCP();
    SetConsoleOutputCP(CP_UTF8);
    enum setup_exit code = run_line(argc, argv);
    if (fflush(stdout) != 0 && code == SETUP_EXIT_DONE) {
        fprintf(stderr, "pnrnsp-setup: writing to standard output failed\n");
        code = SETUP_EXIT_ERROR;
    }
    SetConsoleOutputCP(page);
    return code;
}
