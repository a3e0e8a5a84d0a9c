// SPDX-License-Identifier: MIT
#include "simnet/command.h"

#include "simnet/adversary.h"
#include "simnet/pcap.h"
#include "simnet/progress.h"
#include "simnet/report.h"
#include "simnet/story.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

// A run as a command has it: what it costs, its capture, and whether somebody wants it to end.
struct session {
    const struct simnet_options *options;
    struct simnet_scenario scenario;
    struct simnet_run *run;
    struct simnet_pcap *pcap;
    FILE *pcap_file;
    double begin_s, begin_cpu_s;
    uint64_t begin_memory;
    struct simnet_report_cost cost;
};

// The one thing that a signal handler can reach.
static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal)
{
    (void)signal;
    is_interrupted = 1;
}

// The first SIGINT or SIGTERM ends the run early, the second the program.
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static bool load(struct session *session)
{
    char error[SIMNET_SCENARIO_ERROR_MAX];
    const struct simnet_options *options = session->options;
    if (simnet_scenario_load(options->path, &options->settings, &session->scenario, error))
        return true;
    fprintf(stderr, "simnet: %s\n", error);
    return false;
}

// Machines of the run, and those that will join it: adversaries given by count, unless they flood.
static uint64_t count_machines(const struct session *session)
{
    uint64_t count = simnet_world_machines(simnet_run_world(session->run));
    const struct simnet_scenario *scenario = &session->scenario;
    for (size_t i = 0; i < scenario->adversary_count; i++)
        if (scenario->adversaries[i].kind != (int)SIMNET_ADVERSARY_KINDS)
            count += (uint64_t)scenario->adversaries[i].count;
    return count;
}

// Whether there is the lookup to be traced, before anything is written.
static bool check_lookup(const struct session *session)
{
    int64_t lookup = session->options->lookup;
    int64_t count = simnet_application_planned(simnet_run_application(session->run));
    if (lookup < count) // -1: nothing is traced
        return true;
    if (count == 0)
        fprintf(stderr, "simnet: --lookup %" PRId64 ": the scenario makes no lookups\n", lookup);
    else
        fprintf(stderr, "simnet: --lookup %" PRId64 ": there are lookups 0 to %" PRId64 "\n",
                lookup, count - 1);
    return false;
}

static bool open_pcap(struct session *session)
{
    const struct simnet_options *options = session->options;
    if (options->pcap == NULL)
        return true;
    uint64_t count = count_machines(session);
    if ((uint64_t)options->machine >= count) {
        fprintf(stderr, "simnet: --machine %" PRId64 ": there are machines 0 to %" PRIu64 "\n",
                options->machine, count - 1);
        return false;
    }
    session->pcap_file = fopen(options->pcap, "w");
    if (session->pcap_file == NULL) {
        fprintf(stderr, "simnet: %s: cannot be written: %s\n", options->pcap, strerror(errno));
        return false;
    }
    session->pcap = simnet_pcap_new(simnet_run_world(session->run), (uint32_t)options->machine,
                                    session->pcap_file);
    return true;
}

static bool close_pcap(struct session *session)
{
    if (session->pcap_file == NULL)
        return true;
    simnet_pcap_free(session->pcap);
    bool good = !ferror(session->pcap_file);
    good = fclose(session->pcap_file) == 0 && good;
    if (!good)
        fprintf(stderr, "simnet: %s: cannot be written: %s\n", session->options->pcap,
                strerror(errno));
    return good;
}

// False after a line on stderr.
static bool begin(struct session *session, const struct simnet_options *options)
{
    *session = (struct session){.options = options};
    if (!load(session))
        return false;
    char error[SIMNET_REPORT_ERROR_MAX];
    if (options->report != NULL && !simnet_report_make(options->report, error)) {
        fprintf(stderr, "simnet: %s\n", error);
        return false;
    }
    catch_signals();
    session->begin_memory = simnet_progress_memory();
    session->begin_s = simnet_progress_now();
    session->begin_cpu_s = simnet_progress_cpu();
    session->run = simnet_run_new(&session->scenario);
    return check_lookup(session) && open_pcap(session);
}

static void take_cost(struct session *session)
{
    uint64_t peak = simnet_progress_peak();
    session->cost = (struct simnet_report_cost){
        .wall_s = simnet_progress_now() - session->begin_s,
        .cpu_s = simnet_progress_cpu() - session->begin_cpu_s,
        .memory_bytes = peak > session->begin_memory ? peak - session->begin_memory : 0,
        .version = PNR_VERSION,
        .path = session->options->path,
    };
    if (session->cost.wall_s < 1e-6)
        session->cost.wall_s = 1e-6;
}

// ---- run ----

static bool write_report(const struct session *session)
{
    char error[SIMNET_REPORT_ERROR_MAX];
    if (session->options->report == NULL)
        return true;
    bool good = simnet_report_folder(session->run, &session->cost, session->options->report, error);
    if (error[0] != '\0')
        fprintf(stderr, "simnet: %s\n", error);
    return good;
}

static int exit_code(const struct simnet_run *run)
{
    const struct simnet_run_verdict *verdicts;
    size_t count = simnet_run_verdicts(run, &verdicts);
    size_t failed = 0;
    for (size_t i = 0; i < count; i++)
        failed += !verdicts[i].held;
    if (failed == 0)
        return SIMNET_EXIT_HELD;
    fprintf(stderr, "simnet: %zu of %zu checks failed\n", failed, count);
    return SIMNET_EXIT_FAILED;
}

int simnet_command_run(const struct simnet_options *options)
{
    struct session session;
    struct simnet_progress progress;
    if (!begin(&session, options)) {
        simnet_run_free(session.run);
        return SIMNET_EXIT_USAGE;
    }
    simnet_progress_begin(&progress, !options->quiet);
    while (!is_interrupted && simnet_run_step(session.run))
        simnet_progress_step(&progress, session.run);
    simnet_progress_end(&progress);
    take_cost(&session);
    simnet_run_finish(session.run);
    if (options->json)
        simnet_report_json(session.run, &session.cost, stdout);
    else if (!options->quiet)
        simnet_report_text(session.run, &session.cost, stdout);
    fflush(stdout);
    bool good = write_report(&session);
    good = close_pcap(&session) && good;
    int code = exit_code(session.run);
    simnet_run_free(session.run);
    return good ? code : SIMNET_EXIT_FAILED;
}

// ---- trace ----

int simnet_command_trace(const struct simnet_options *options)
{
    struct session session;
    struct simnet_progress progress;
    if (!begin(&session, options)) {
        simnet_run_free(session.run);
        return SIMNET_EXIT_USAGE;
    }
    struct simnet_story *story = simnet_story_new(session.run, (uint32_t)options->lookup, stdout);
    simnet_progress_begin(&progress, !options->quiet);
    while (!is_interrupted && !simnet_story_is_over(story) && simnet_run_step(session.run))
        simnet_progress_step(&progress, session.run);
    simnet_progress_end(&progress);
    bool is_told = simnet_story_is_over(story);
    simnet_story_end(story);
    simnet_story_free(story);
    bool good = close_pcap(&session) && is_told;
    simnet_run_free(session.run);
    return good ? SIMNET_EXIT_HELD : SIMNET_EXIT_FAILED;
}

// ---- show ----

int simnet_command_show(const struct simnet_options *options)
{
    struct session session = {.options = options};
    if (!load(&session))
        return SIMNET_EXIT_USAGE;
    simnet_scenario_write(&session.scenario, true, stdout);
    return SIMNET_EXIT_HELD;
}
