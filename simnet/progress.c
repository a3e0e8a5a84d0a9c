// SPDX-License-Identifier: MIT
#include "simnet/progress.h"

#include "simnet/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_S    0.2
#define BAR_WIDTH     20
#define WIDTH_BAR     104 // columns from which there is a bar
#define WIDTH_FIGURES 80  // and figures

static double clock_of(clockid_t id)
{
    struct timespec time;
    clock_gettime(id, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double simnet_progress_now(void)
{
    return clock_of(CLOCK_MONOTONIC);
}

double simnet_progress_cpu(void)
{
    return clock_of(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t simnet_progress_memory(void)
{
    unsigned long all = 0;
    unsigned long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%lu %lu", &all, &resident) != 2)
        resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t simnet_progress_peak(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (uint64_t)usage.ru_maxrss * 1024;
}

void simnet_progress_begin(struct simnet_progress *progress, bool is_wanted)
{
    const char *term = getenv("TERM");
    bool is_dumb = term == NULL || strcmp(term, "dumb") == 0;
    *progress =
        (struct simnet_progress){.is_shown = is_wanted && !is_dumb && isatty(STDERR_FILENO)};
    progress->begin_s = progress->last_s = simnet_progress_now();
}

// Columns of the terminal; 80 where it does not say.
static int width_of_terminal(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A line that is longer than the terminal is wide could not be taken away again: the bar goes
// first, then the figures.
static void show(const struct simnet_run *run, double rate)
{
    double share =
        (double)simnet_run_now(run) / (double)simnet_scenario_end(simnet_run_scenario(run));
    int width = width_of_terminal();
    char bar[4 * BAR_WIDTH + 2] = "";
    char up[32];
    char messages[32];
    char memory[32];
    for (int i = 0; i < BAR_WIDTH && width >= WIDTH_BAR; i++)
        strcat(bar, i < (int)(share * BAR_WIDTH + 0.5) ? "━" : "┈");
    simnet_report_number(simnet_network_up(simnet_run_network(run)), up);
    simnet_report_number((uint64_t)rate, messages);
    simnet_report_bytes((double)simnet_progress_memory(), memory);
    fprintf(stderr, "\r\033[K%s%3.0f%%  %s", bar, share * 100,
            simnet_run_phase_name(simnet_run_phase(run)));
    if (width >= WIDTH_FIGURES)
        fprintf(stderr, "  %.0f s virtual  %s nodes  %s messages/s  %s",
                (double)simnet_run_now(run) / 1e6, up, messages, memory);
    fflush(stderr);
}

void simnet_progress_step(struct simnet_progress *progress, const struct simnet_run *run)
{
    if (!progress->is_shown)
        return;
    double now_s = simnet_progress_now();
    if (now_s - progress->last_s < INTERVAL_S)
        return;
    uint64_t delivered = simnet_world_counters(simnet_run_world(run))->delivered;
    show(run, (double)(delivered - progress->last_delivered) / (now_s - progress->last_s));
    progress->last_s = now_s;
    progress->last_delivered = delivered;
}

void simnet_progress_end(struct simnet_progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr);
    fflush(stderr);
}
