// SPDX-License-Identifier: MIT
#include "simnet/plot.h"

#include "simnet/figures.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define QUANTILES     1000 // of a cumulative plot
#define SUCCESS_STEPS 40
#define HOPS_MAX      32
#define LABEL_LEAST   0.07 // of the width, for the name of a phase
#define LOG_RATIO     15   // a plot whose peak is above so many medians is drawn on a log scale

#define BLUE   "#2470b3"
#define ORANGE "#e0762f"
#define GREEN  "#3b8f4d"
#define RED    "#c8423f"
#define GRAY   "#8a8f98"

#define NO_KEY "unset key\nset bmargin 4.5\n" // nor the room for one

enum format { PNG, SVG, FORMATS };

struct plot {
    const struct simnet_run *run;
    FILE *script;
    const char *folder;
    char title[128]; // of the run: scenario, nodes, seed
    double unit_us;  // of time axes
    const char *unit;
    bool failed;
};

// ---- data ----

static FILE *open_data(struct plot *plot, const char *name, const char *columns)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.dat", plot->folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        plot->failed = true;
        return NULL;
    }
    fprintf(out, "# %s\n# %s\n", plot->title, columns);
    return out;
}

static void close_data(struct plot *plot, FILE *out)
{
    if (ferror(out))
        plot->failed = true;
    if (fclose(out) != 0)
        plot->failed = true;
}

// ---- the script ----

static void begin_script(struct plot *plot)
{
    fprintf(plot->script,
            "# %s: gnuplot plots.gp draws the plots anew.\n"
            "set encoding utf8\n"
            "set border 3 lw 1 lc rgb '" GRAY "'\n"
            "set tics nomirror out scale 0.6 textcolor rgb '#40444c'\n"
            "set grid ytics back lt 1 dt 1 lw 1 lc rgb '#dde1e6'\n"
            "set key top right reverse Left samplen 2 spacing 1.3\n"
            "set style fill solid 0.85 noborder\n"
            "set lmargin 11\nset rmargin 4\nset tmargin 5\nset bmargin 4.5\n",
            plot->title);
}

// Begins a plot: what is between this and end_plot() is drawn once in each format.
static void begin_plot(struct plot *plot, const char *name, enum format format, const char *title)
{
    static const char *const terminals[FORMATS] = {
        "pngcairo size 1280,720 font 'DejaVu Sans,13' background '#ffffff'",
        "svg size 1280,720 dynamic font 'DejaVu Sans,16' background '#ffffff'",
    };
    static const char *const suffixes[FORMATS] = {"png", "svg"};
    fprintf(plot->script,
            "\nset terminal %s\nset output '%s.%s'\n"
            "set title \"{/:Bold=18 %s}\\n{/=13 %s}\" textcolor rgb '#22262e' offset 0,0.3\n"
            "unset label\nunset arrow\nunset object\nunset logscale\nunset format\n"
            "set yrange [0:*]\nset xrange [*:*]\nset xtics auto\nset ytics auto\n"
            "set bmargin 4.5\nset rmargin 4\nset key inside top right vertical width 0\n",
            terminals[format], name, suffixes[format], title, plot->title);
}

// Whether anything goes wrong in the phase of the faults.
static bool has_faults(const struct simnet_scenario *scenario)
{
    return scenario->loss.rate > 0 || scenario->burst.bad_us > 0 || scenario->duplicate.rate > 0 ||
           scenario->reorder.rate > 0 || scenario->churn.session_us > 0 ||
           scenario->machines.dead > 0 || scenario->partition_count > 0 ||
           scenario->adversary_count > 0 || scenario->event_count > 0;
}

// Sets the time axis, from and to in its unit, and names the phases; that of the faults is shaded,
// where there are any.
static void mark_phases(struct plot *plot, double from, double to)
{
    const struct simnet_scenario *scenario = simnet_run_scenario(plot->run);
    bool is_faulty = has_faults(scenario);
    double join = (double)scenario->network.join_us / plot->unit_us;
    double t0 = (double)simnet_scenario_t0(scenario) / plot->unit_us;
    double heal = t0 + (double)scenario->phases.faults_us / plot->unit_us;
    const struct {
        const char *name, *color;
        double begin, end;
    } phases[] = {{"joining", GRAY, 0, join},
                  {"warm-up", GRAY, join, t0},
                  {is_faulty ? "faults" : "lookups", is_faulty ? ORANGE : GRAY, t0, heal},
                  {"healing", GREEN, heal, INFINITY}};
    fprintf(plot->script,
            "set xlabel 'virtual time, %s' textcolor rgb '#40444c'\nset xrange [%g:%g]\n"
            "set bmargin 6.5\nset key outside bottom center horizontal width 2\n",
            plot->unit, from, to);
    for (int i = 0; i < 4; i++) {
        double begin = fmax(phases[i].begin, from);
        double end = fmin(phases[i].end, to);
        if (i == 2 && is_faulty && begin < end)
            fprintf(plot->script,
                    "set object 1 rectangle from first %g, graph 0 to first %g, graph 1 behind "
                    "fillcolor rgb '#fff3e6' fillstyle solid 1 noborder\n",
                    begin, end);
        if (end - begin > LABEL_LEAST * (to - from))
            fprintf(plot->script,
                    "set label %d '%s' at first %g, graph 1.02 center textcolor rgb '%s'\n", i + 1,
                    phases[i].name, (begin + end) / 2, phases[i].color);
    }
}

static void mark_all(struct plot *plot)
{
    mark_phases(plot, 0, (double)simnet_run_now(plot->run) / plot->unit_us);
}

// ---- latency ----

static bool write_latency(struct plot *plot, const struct simnet_figures *figures)
{
    const struct simnet_figures_list *list = &figures->first_us;
    if (list->count == 0)
        return false;
    FILE *out =
        open_data(plot, "latency", "share of lookups in percent, first answer in ms, end in ms");
    if (out == NULL)
        return false;
    for (int i = 0; i <= QUANTILES; i++) {
        double share = (double)i / QUANTILES;
        fprintf(out, "%.1f %.3f %.3f\n", share * 100,
                (double)simnet_figures_percentile(list, share) / 1e3,
                (double)simnet_figures_percentile(&figures->end_us, share) / 1e3);
    }
    close_data(plot, out);
    return true;
}

static void draw_latency(struct plot *plot, const struct simnet_figures *figures)
{
    static const struct {
        double share;
        const char *name;
    } marks[] = {{0.5, "p50"}, {0.9, "p90"}, {0.99, "p99"}};
    bool ends_later = simnet_figures_percentile(&figures->end_us, 0.5) >
                      simnet_figures_percentile(&figures->first_us, 0.5);
    double right = (double)simnet_figures_percentile(&figures->first_us, 0.99) / 1e3 * 1.35;
    if (!write_latency(plot, figures))
        return;
    for (int format = 0; format < FORMATS; format++) {
        begin_plot(plot, "latency", (enum format)format,
                   "Lookups: time to the first verified answer");
        fprintf(plot->script,
                "set xlabel 'time since the lookup began, in milliseconds' textcolor rgb "
                "'#40444c'\n"
                "set ylabel 'lookups done by then, of those that found their name' textcolor rgb "
                "'#40444c'\n"
                "set format y '%%g %%%%'\nset yrange [0:105]\nset ytics 20\nset xrange [0:%g]\n"
                "set key bottom right\n",
                right);
        for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
            double ms = (double)simnet_figures_percentile(&figures->first_us, marks[i].share) / 1e3;
            fprintf(plot->script,
                    "set arrow %zu from first %g, graph 0 to first %g, first %g nohead dt 3 lc rgb "
                    "'" GRAY "'\n"
                    "set label %zu '%s: %.0f ms' at first %g, first %g left offset 0.8,-1.1 "
                    "point pt 7 ps 1.1 lc rgb '" BLUE "' textcolor rgb '#22262e'\n",
                    i + 1, ms, ms, marks[i].share * 100, i + 1, marks[i].name, ms, ms,
                    marks[i].share * 100);
        }
        fprintf(plot->script,
                "plot 'latency.dat' using 2:1 with lines lw 3 lc rgb '" BLUE
                "' title 'first verified answer'%s\n",
                ends_later ? ", '' using 3:1 with lines lw 2 dt 2 lc rgb '" ORANGE
                             "' title 'end of the lookup'"
                           : "");
    }
}

// ---- hops ----

// ret_highest: the greatest share, in percent.
static bool write_hops(struct plot *plot, const struct simnet_figures *figures, double *ret_highest)
{
    const struct simnet_figures_list *list = &figures->hops;
    uint64_t counts[HOPS_MAX + 1] = {0};
    if (list->count == 0)
        return false;
    for (size_t i = 0; i < list->count; i++)
        counts[list->values[i] < HOPS_MAX ? list->values[i] : HOPS_MAX]++;
    FILE *out = open_data(plot, "hops", "hops, lookups, lookups in percent");
    if (out == NULL)
        return false;
    double highest = 0;
    for (int i = 0; i <= HOPS_MAX; i++) {
        double percent = 100.0 * (double)counts[i] / (double)list->count;
        highest = fmax(highest, percent);
        fprintf(out, "%d %" PRIu64 " %.3f\n", i, counts[i], percent);
    }
    close_data(plot, out);
    *ret_highest = highest;
    return true;
}

static void draw_hops(struct plot *plot, const struct simnet_figures *figures)
{
    double highest;
    if (!write_hops(plot, figures, &highest))
        return;
    int64_t most = simnet_figures_percentile(&figures->hops, 1);
    for (int format = 0; format < FORMATS; format++) {
        begin_plot(plot, "hops", (enum format)format, "Lookups by their number of hops");
        fprintf(
            plot->script,
            "set xlabel 'hops: the longest chain of nodes, each learnt from the one before' "
            "textcolor rgb '#40444c'\n"
            "set ylabel 'share of the lookups that found their name' textcolor rgb '#40444c'\n"
            "set format y '%%g %%%%'\n"
            "set style textbox opaque noborder fillcolor rgb '#ffffff' margins 0.4,0.2\n"
            "set yrange [0:%g]\nset xrange [-0.6:%g]\nset xtics 1\nset boxwidth 0.7\nunset key\n"
            "set label 1 'mean %.2f' at graph 0.98, graph 0.95 right textcolor rgb '#22262e'\n"
            "plot 'hops.dat' using 1:3 with boxes lc rgb '" BLUE "', "
            "'' using 1:($3 > 0 ? $3 : NaN):($3 < 0.1 ? '< 0.1 %%' : sprintf('%%.1f %%%%', $3)) "
            "with labels boxed offset 0,0.9 textcolor rgb '#40444c'\nset key top right\n",
            1.12 * highest, most < 5 ? 5.6 : (double)most + 0.6,
            simnet_figures_mean(&figures->hops));
    }
}

// ---- over time ----

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

// Whether the steps' packets are too uneven for a plain axis.
static bool is_uneven(const struct simnet_run_sample *samples, size_t count)
{
    double *rates = simnet_world_need(malloc((count + 1) * sizeof *rates));
    size_t used = 0;
    for (size_t i = 1; i < count; i++) {
        struct simnet_report_traffic step = simnet_report_traffic(&samples[i - 1], &samples[i]);
        if (step.node_minutes > 0)
            rates[used++] = step.sent / step.node_minutes;
    }
    qsort(rates, used, sizeof *rates, compare);
    bool uneven = used > 0 && rates[used - 1] > LOG_RATIO * rates[used / 2];
    free(rates);
    return uneven;
}

static bool write_traffic(struct plot *plot)
{
    const struct simnet_run_sample *samples;
    size_t count = simnet_run_samples(plot->run, &samples);
    FILE *out = open_data(plot, "traffic",
                          "virtual time, nodes up, packets out, packets in, bytes out, bytes in; "
                          "the last four for each node and minute");
    if (out == NULL)
        return false;
    for (size_t i = 1; i < count; i++) {
        struct simnet_report_traffic step = simnet_report_traffic(&samples[i - 1], &samples[i]);
        if (step.node_minutes > 0)
            fprintf(out, "%.4f %" PRIu32 " %.4f %.4f %.2f %.2f\n",
                    (double)samples[i].at_us / plot->unit_us, samples[i].up,
                    step.sent / step.node_minutes, step.received / step.node_minutes,
                    step.bytes_sent / step.node_minutes, step.bytes_received / step.node_minutes);
    }
    close_data(plot, out);
    return true;
}

// One of the two plots of what goes out and comes in: columns `out` and `out` + 1 of traffic.dat.
struct flow {
    const char *name, *title, *axis, *format;
    int out;
    double least; // shown on a log scale
};

static void draw_flow(struct plot *plot, const struct flow *flow, enum format format,
                      bool is_uneven, double idle)
{
    double floor = is_uneven ? flow->least : 0;
    begin_plot(plot, flow->name, format, flow->title);
    mark_all(plot);
    fprintf(plot->script, "set ylabel '%s%s' textcolor rgb '#40444c'\nset format y '%s'\n",
            flow->axis, is_uneven ? ", log scale" : "", flow->format);
    if (is_uneven)
        fprintf(plot->script, "set logscale y\nset yrange [%g:*]\n", floor);
    if (idle > flow->least)
        fprintf(plot->script,
                "set arrow 9 from graph 0, first %g to graph 1, first %g nohead dt 3 lw 1.5 lc rgb "
                "'" GRAY "'\n"
                "set rmargin 17\n"
                "set label 9 'idle: %.1f out' at graph 1.01, first %g left textcolor "
                "rgb '" GRAY "'\n",
                idle, idle, idle, idle);
    fprintf(plot->script,
            "plot 'traffic.dat' using 1:($%d > %g ? $%d : %g) with lines lw 2.5 lc rgb '" BLUE
            "' title 'out', '' using 1:($%d > %g ? $%d : %g) with lines lw 2.5 lc rgb '" ORANGE
            "' title 'in'\n",
            flow->out, floor, flow->out, floor, flow->out + 1, floor, flow->out + 1, floor);
}

static void draw_traffic(struct plot *plot)
{
    static const struct flow messages = {"messages",
                                         "Traffic: packets of a node in a minute",
                                         "packets per node and minute",
                                         "%g",
                                         3,
                                         0.1};
    static const struct flow bytes = {"bytes",
                                      "Traffic: UDP payload of a node in a minute",
                                      "bytes per node and minute",
                                      "%.0s %cB",
                                      5,
                                      10};
    const struct simnet_run_sample *samples;
    size_t count = simnet_run_samples(plot->run, &samples);
    bool uneven = is_uneven(samples, count);
    double idle = simnet_run_idle(plot->run);
    if (!write_traffic(plot))
        return;
    for (int format = 0; format < FORMATS; format++) {
        draw_flow(plot, &messages, (enum format)format, uneven, idle);
        draw_flow(plot, &bytes, (enum format)format, uneven, -1);
    }
}

static void draw_nodes(struct plot *plot)
{
    const struct simnet_run_sample *samples;
    size_t count = simnet_run_samples(plot->run, &samples);
    bool has_adversaries = simnet_run_scenario(plot->run)->adversary_count > 0;
    uint32_t most = 1;
    for (size_t i = 0; i < count; i++)
        most = samples[i].up > most ? samples[i].up : most;
    for (int format = 0; format < FORMATS; format++) {
        begin_plot(plot, "nodes", (enum format)format,
                   has_adversaries ? "Honest nodes up" : "Nodes up");
        mark_all(plot);
        fprintf(plot->script,
                "set ylabel 'nodes' textcolor rgb '#40444c'\nset format y '%%.0f'\n"
                "set yrange [0:%g]\n" NO_KEY "plot 'traffic.dat' using 1:2 with "
                "filledcurves y1=0 fs solid 0.2 lc rgb '" BLUE
                "', '' using 1:2 with lines lw 2.5 lc rgb '" BLUE "'\n",
                1.08 * most);
    }
}

// ---- success ----

struct step {
    uint64_t made, found;
};

struct success {
    int64_t begin_us, first_us, last_us; // of the run, of the first lookup and the last
    double least;                        // share of a step
    struct step steps[SUCCESS_STEPS];
};

// Counts lookups by the time at which they were made. False where there were none.
static bool count_success(const struct plot *plot, struct success *ret_success)
{
    const struct simnet_application *application = simnet_run_application(plot->run);
    uint32_t count = simnet_application_lookups(application);
    struct success success = {.least = 1};
    success.begin_us = simnet_world_now(simnet_run_world(plot->run)) - simnet_run_now(plot->run);
    if (count == 0)
        return false;
    success.first_us = simnet_application_lookup(application, 0)->asked_us;
    success.last_us = simnet_application_lookup(application, count - 1)->asked_us;
    double step_us = (double)(success.last_us - success.first_us + 1) / SUCCESS_STEPS;
    for (uint32_t i = 0; i < count; i++) {
        const struct simnet_application_lookup *lookup = simnet_application_lookup(application, i);
        if (!simnet_figures_counts(lookup))
            continue;
        struct step *step =
            &success.steps[(size_t)((double)(lookup->asked_us - success.first_us) / step_us)];
        step->made++;
        step->found += simnet_figures_is_right(lookup);
    }
    *ret_success = success;
    return true;
}

static bool write_success(struct plot *plot, struct success *success)
{
    FILE *out =
        open_data(plot, "success", "virtual time, lookups made, lookups that found, percent");
    if (out == NULL)
        return false;
    double step_us = (double)(success->last_us - success->first_us + 1) / SUCCESS_STEPS;
    for (int i = 0; i < SUCCESS_STEPS; i++) {
        const struct step *step = &success->steps[i];
        if (step->made == 0) {
            fputc('\n', out); // a gap, that no line crosses
            continue;
        }
        double share = (double)step->found / (double)step->made;
        success->least = share < success->least ? share : success->least;
        fprintf(out, "%.4f %" PRIu64 " %" PRIu64 " %.3f\n",
                ((double)(success->first_us - success->begin_us) + (i + 0.5) * step_us) /
                    plot->unit_us,
                step->made, step->found, 100 * share);
    }
    close_data(plot, out);
    return true;
}

static void draw_success(struct plot *plot)
{
    struct success success;
    if (!count_success(plot, &success) || !write_success(plot, &success))
        return;
    double from = (double)(success.first_us - success.begin_us) / plot->unit_us;
    double to = (double)(success.last_us - success.begin_us) / plot->unit_us;
    double margin = (to - from) * 0.05 + 1e-3;
    double least = success.least;
    double bottom = least > 0.9 ? floor(least * 100 - 1) : floor(least * 10) * 10 - 5;
    bool has_withdrawn = simnet_run_scenario(plot->run)->publish.withdraw > 0;
    for (int format = 0; format < FORMATS; format++) {
        begin_plot(plot, "success", (enum format)format, "Success of lookups over time");
        mark_phases(plot, from - margin, to + margin);
        fprintf(plot->script,
                "set ylabel 'lookups that found their name%s' textcolor rgb '#40444c'\n"
                "set format y '%%g %%%%'\nset yrange [%g:%g]\n" NO_KEY
                "plot 'success.dat' using 1:4 with linespoints lw 2 pt 7 ps 0.9 lc rgb '" GREEN
                "'\n",
                has_withdrawn ? ", or rightly nothing" : "", bottom < 0 ? 0 : bottom,
                100 + (100 - bottom) * 0.06);
    }
}

// ---- the whole ----

static void set_title(struct plot *plot)
{
    const struct simnet_scenario *scenario = simnet_run_scenario(plot->run);
    char name[SIMNET_SCENARIO_NAME_MAX];
    char nodes[32];
    size_t i = 0;
    for (; scenario->name[i] != '\0'; i++) // nothing that gnuplot takes for markup
        name[i] = isalnum((unsigned char)scenario->name[i]) ? scenario->name[i] : '-';
    name[i] = '\0';
    simnet_report_number((uint64_t)scenario->network.nodes, nodes);
    snprintf(plot->title, sizeof plot->title, "%s · %s nodes · seed %" PRId64, name, nodes,
             scenario->network.seed);
}

static void set_unit(struct plot *plot)
{
    int64_t end_us = simnet_run_now(plot->run);
    plot->unit = end_us > 10 * SIMNET_HOUR_US     ? "hours"
                 : end_us > 10 * SIMNET_MINUTE_US ? "minutes"
                                                  : "seconds";
    plot->unit_us = end_us > 10 * SIMNET_HOUR_US     ? (double)SIMNET_HOUR_US
                    : end_us > 10 * SIMNET_MINUTE_US ? (double)SIMNET_MINUTE_US
                                                     : (double)SIMNET_SECOND_US;
}

static void write_script(struct plot *plot)
{
    struct simnet_figures figures;
    begin_script(plot);
    simnet_figures_init(&figures, simnet_run_application(plot->run), SIMNET_RUN_MEASURED);
    draw_latency(plot, &figures);
    draw_hops(plot, &figures);
    simnet_figures_fini(&figures);
    draw_traffic(plot);
    draw_nodes(plot);
    draw_success(plot);
}

// Runs gnuplot in the folder. False where it is not there or fails.
static bool draw(const char *folder)
{
    extern char **environ;
    char word[] = "gnuplot";
    char script[] = "plots.gp";
    char *args[] = {word, script, NULL};
    posix_spawn_file_actions_t actions;
    pid_t child;
    int status = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    bool good =
        posix_spawn_file_actions_addchdir_np(&actions, folder) == 0 &&
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawnp(&child, word, &actions, NULL, args, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    if (!good)
        return false;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool simnet_plot_write(const struct simnet_run *run, const char *folder,
                       char ret_error[SIMNET_REPORT_ERROR_MAX])
{
    struct plot plot = {.run = run, .folder = folder};
    char path[4096];
    ret_error[0] = '\0';
    set_title(&plot);
    set_unit(&plot);
    snprintf(path, sizeof path, "%s/plots.gp", folder);
    plot.script = fopen(path, "w");
    if (plot.script != NULL) {
        write_script(&plot);
        plot.failed |= ferror(plot.script) != 0;
        plot.failed |= fclose(plot.script) != 0;
    }
    if (plot.script == NULL || plot.failed) {
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX, "%.300s: cannot be written: %s", folder,
                 strerror(errno));
        return false;
    }
    if (!draw(folder))
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX,
                 "%.300s: no plots, for gnuplot could not be run: the data is there, and plots.gp",
                 folder);
    return true;
}
