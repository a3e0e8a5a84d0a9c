// SPDX-License-Identifier: MIT
#include "simnet/command.h"
#include "simnet/pages.h"
#include "simnet/replay_command.h"

#include <string.h>

static const char help[] =
    "simnet runs real pnr nodes on a simulated internet, in virtual time.\n"
    "\n"
    "Commands\n"
    "  run SCENARIO.ini       run a scenario and report on it\n"
    "  trace SCENARIO.ini --lookup N\n"
    "                         tell the story of one lookup, hop by hop\n"
    "  show SCENARIO.ini      print a scenario with every key and its value\n"
    "  replay FILE            run again what a pnrd has recorded\n"
    "  help                   print this\n"
    "\n"
    "Of run, trace and show\n"
    "  --nodes N              so many nodes\n"
    "  --seed S               another seed: the same scenario, other chances\n"
    "  --set SECTION.KEY=VALUE\n"
    "                         any key of the scenario\n"
    "\n"
    "Of run and trace\n"
    "  --pcap FILE --machine N\n"
    "                         write what machine N saw, for Wireshark\n"
    "  -q, --quiet            no progress, and of run no page: the exit code says it\n"
    "\n"
    "Of run\n"
    "  --json                 the report as JSON\n"
    "  --report DIR           write text, JSON, data and plots into a folder\n"
    "\n"
    "  -h, --help             this; behind replay, its options\n"
    "  -V, --version          the version\n"
    "\n"
    "Exit codes: 0 all checks held, 1 one failed, 2 the command or the scenario makes no sense.\n"
    "\n"
    "  simnet run simnet/scenarios/static.ini --nodes 500\n"
    "  simnet run simnet/scenarios/churn.ini --report /tmp/churn\n"
    "  simnet trace simnet/scenarios/third-lost.ini --lookup 7\n";

static int run(const struct simnet_options *options)
{
    switch (options->command) {
    case SIMNET_OPTIONS_RUN:
        return simnet_command_run(options);
    case SIMNET_OPTIONS_TRACE:
        return simnet_command_trace(options);
    case SIMNET_OPTIONS_SHOW:
        return simnet_command_show(options);
    case SIMNET_OPTIONS_NONE:
    case SIMNET_OPTIONS_HELP:
        break;
    }
    fputs(help, stdout);
    return SIMNET_EXIT_HELD;
}

// The exit code, where what was printed got to its place.
static int written(int code)
{
    bool is_written = !ferror(stdout);
    is_written = fclose(stdout) == 0 && is_written;
    if (is_written || code != SIMNET_EXIT_HELD)
        return code;
    fprintf(stderr, "simnet: the output could not be written\n");
    return SIMNET_EXIT_FAILED;
}

int main(int argc, char *argv[])
{
    struct simnet_options options;
    char error[SIMNET_OPTIONS_ERROR_MAX];
    int code = SIMNET_EXIT_HELD;
    if (argc >= 2 && strcmp(argv[1], "replay") == 0)
        return written(simnet_replay_command(argc - 1, argv + 1));
    simnet_pages_large(argv);
    if (!simnet_options_parse(argc, argv, &options, error)) {
        fprintf(stderr, "simnet: %s ('simnet --help' tells more)\n", error);
        return SIMNET_EXIT_USAGE;
    }
    if (options.version)
        printf("simnet %s\n", PNR_VERSION);
    else if (options.help)
        fputs(help, stdout);
    else
        code = run(&options);
    return written(code);
}
