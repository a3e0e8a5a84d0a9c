// SPDX-License-Identifier: MIT
#include "simnet/report.h"

#include "simnet/figures.h"
#include "simnet/plot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#define LABEL_WIDTH 22

void simnet_report_number(uint64_t number, char ret_text[32])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, number);
    char *out = ret_text;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
}

void simnet_report_bytes(double bytes, char ret_text[32])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(ret_text, 32, bytes >= 100 || unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

struct simnet_report_traffic simnet_report_traffic(const struct simnet_run_sample *from,
                                                   const struct simnet_run_sample *to)
{
    double minutes = (double)(to->at_us - from->at_us) / (double)SIMNET_MINUTE_US;
    return (struct simnet_report_traffic){
        .node_minutes = minutes * ((double)from->up + (double)to->up) / 2,
        .sent = (double)(to->counters.sent - from->counters.sent),
        .received = (double)(to->counters.delivered - from->counters.delivered),
        .bytes_sent = (double)(to->counters.sent_bytes - from->counters.sent_bytes),
        .bytes_received = (double)(to->counters.delivered_bytes - from->counters.delivered_bytes),
    };
}

// ---- text ----

__attribute__((format(printf, 3, 4))) static void line(FILE *out, const char *label,
                                                       const char *format, ...)
{
    va_list args;
    fprintf(out, "  %-*s ", LABEL_WIDTH, label);
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputc('\n', out);
}

static void heading(FILE *out, const char *text)
{
    fprintf(out, "\n%s\n", text);
}

static void see_option(void *ctx, const char *section, const char *key, const char *value)
{
    char label[128];
    snprintf(label, sizeof label, "%s.%s", section, key);
    fprintf(ctx, "  %-30s %s\n", label, value);
}

static void tell_head(const struct simnet_run *run, const struct simnet_report_cost *cost,
                      FILE *out)
{
    const struct simnet_scenario *scenario = simnet_run_scenario(run);
    char nodes[32];
    char now[32];
    simnet_report_number((uint64_t)scenario->network.nodes, nodes);
    fprintf(out, "%s: %s nodes, seed %" PRId64 "\n", scenario->name, nodes, scenario->network.seed);
    if (!simnet_run_is_whole(run)) {
        simnet_scenario_value_time(simnet_run_now(run) / 1000 * 1000, now);
        fprintf(out, "ENDED EARLY, after %s of virtual time: what follows is a part of the run\n",
                now);
    }
    heading(out, "To run it again");
    fprintf(out, "  simnet %s, %s\n", cost->version, cost->path);
    simnet_scenario_each(scenario, false, see_option, out);
    fprintf(out, "  %-30s %016" PRIx64 "\n", "trace hash, at the end",
            simnet_world_hash(simnet_run_world(run)));
}

static void tell_size(const struct simnet_run *run, const struct simnet_report_cost *cost,
                      FILE *out)
{
    const struct simnet_counters *counters = simnet_world_counters(simnet_run_world(run));
    const struct simnet_network *network = simnet_run_network(run);
    double virtual_s = (double)simnet_run_now(run) / 1e6;
    char a[32];
    char b[32];
    uint32_t machines = simnet_world_machines(simnet_run_world(run));
    bool has_adversaries = simnet_run_scenario(run)->adversary_count > 0;
    heading(out, "Size and speed");
    simnet_report_number(network->count, a);
    line(out, "nodes", "%s", a);
    simnet_report_number(machines, a);
    simnet_report_number(simnet_network_up(network), b);
    line(out, "machines", "%s, %s with %s node up at the end", a, b,
         has_adversaries ? "an honest" : "a");
    simnet_report_bytes((double)cost->memory_bytes, a);
    simnet_report_bytes((double)cost->memory_bytes / machines, b);
    line(out, "memory", "%s, %s a machine", a, b);
    line(out, "virtual time", "%.0f s in %.1f s of real time: %.1f to 1", virtual_s, cost->wall_s,
         virtual_s / cost->wall_s);
    simnet_report_number(counters->events, a);
    simnet_report_number((uint64_t)((double)counters->events / cost->wall_s), b);
    line(out, "events", "%s, %s a second", a, b);
    simnet_report_number(counters->delivered, a);
    simnet_report_number((uint64_t)((double)counters->delivered / cost->wall_s), b);
    line(out, "packets delivered", "%s, %s a second", a, b);
}

// A line, where there is something to tell.
static void tell_some(FILE *out, const char *label, uint64_t count, const char *what)
{
    char number[32];
    simnet_report_number(count, number);
    if (count > 0)
        line(out, label, "%s%s", number, what);
}

static void tell_times(FILE *out, const char *label, const struct simnet_figures_list *list)
{
    line(out, label, "%7.0f %7.0f %7.0f %7.0f  ms",
         (double)simnet_figures_percentile(list, 0.5) / 1e3,
         (double)simnet_figures_percentile(list, 0.9) / 1e3,
         (double)simnet_figures_percentile(list, 0.99) / 1e3,
         (double)simnet_figures_percentile(list, 1) / 1e3);
}

static void tell_counts(FILE *out, const char *label, const struct simnet_figures_list *list)
{
    line(out, label, "%7" PRId64 " %7" PRId64 " %7" PRId64 " %7" PRId64 "  mean %.1f",
         simnet_figures_percentile(list, 0.5), simnet_figures_percentile(list, 0.9),
         simnet_figures_percentile(list, 0.99), simnet_figures_percentile(list, 1),
         simnet_figures_mean(list));
}

static void tell_worst(const struct simnet_run *run, const struct simnet_figures *figures,
                       FILE *out)
{
    struct simnet_figures_interval worst;
    if (!simnet_run_worst(run, &worst) || worst.counted == figures->counted)
        return;
    line(out, "worst part", "%.3f%% of %" PRIu64 ", in the %.0f s from %.0f s on",
         100.0 * (double)worst.right / (double)worst.counted, worst.counted,
         (double)worst.for_us / 1e6, (double)worst.at_us / 1e6);
}

static void tell_lookups(const struct simnet_run *run, bool is_healed, FILE *out)
{
    struct simnet_figures figures;
    char number[32];
    simnet_figures_init(&figures, simnet_run_application(run),
                        is_healed ? SIMNET_RUN_HEALED : SIMNET_RUN_MEASURED);
    if (figures.lookups > 0) {
        heading(out, is_healed ? "Lookups in the healed network" : "Lookups");
        simnet_report_number(figures.lookups, number);
        line(out, "made", "%s", number);
        if (figures.counted == 0)
            line(out, "success", "nothing to count");
        else
            line(out, "success", "%.3f%%", figures.success * 100);
        if (!is_healed)
            tell_worst(run, &figures, out);
        if (simnet_run_recall(run, is_healed) >= 0)
            line(out, "recall", "%.3f%% of the closest live nodes answered",
                 simnet_run_recall(run, is_healed) * 100);
        for (int i = 0; i < SIMNET_APPLICATION_OUTCOMES; i++)
            tell_some(out, simnet_application_outcome_word(i), figures.outcomes[i], "");
        for (int i = 1; i < SIMNET_PROBE_MANNERS; i++)
            tell_some(out, simnet_probe_manner_word((enum simnet_probe_manner)i),
                      figures.manners[i], " askers");
        tell_some(out, "from a cache", figures.cached, "");
        tell_some(out, "stale", figures.stale, "");
    }
    if (figures.first_us.count > 0) {
        line(out, "", "%7s %7s %7s %7s", "p50", "p90", "p99", "most");
        tell_times(out, "first verified answer", &figures.first_us);
        tell_times(out, "end of the lookup", &figures.end_us);
        tell_counts(out, "hops", &figures.hops);
        tell_counts(out, "nodes asked", &figures.messages);
    }
    simnet_figures_fini(&figures);
}

static void tell_names(const struct simnet_run *run, FILE *out)
{
    struct simnet_figures_names names;
    char a[32];
    char b[32];
    simnet_figures_names(simnet_run_application(run), &names);
    if (names.begun == 0)
        return;
    heading(out, "Names");
    simnet_report_number(names.published, a);
    simnet_report_number(names.begun, b);
    line(out, "published", "%s of %s", a, b);
    line(out, "copies", "%.1f of each",
         names.published > 0 ? (double)names.stored / names.published : 0.0);
    tell_some(out, "published anew", names.changes, " times");
    tell_some(out, "withdrawn", names.withdrawals, " times");
    tell_some(out, "broken off", names.interrupted, " requests, by their publishers or a crash");
    tell_some(out, "failed", names.failed, " requests, which were made again");
}

static void tell_traffic(const struct simnet_run *run, FILE *out)
{
    const struct simnet_run_sample *samples;
    size_t count = simnet_run_samples(run, &samples);
    struct simnet_report_traffic sum = {0};
    char a[32];
    char b[32];
    for (size_t i = 1; i < count; i++) {
        struct simnet_report_traffic step = simnet_report_traffic(&samples[i - 1], &samples[i]);
        sum.node_minutes += step.node_minutes;
        sum.sent += step.sent;
        sum.received += step.received;
        sum.bytes_sent += step.bytes_sent;
        sum.bytes_received += step.bytes_received;
    }
    if (sum.node_minutes <= 0)
        return;
    heading(out, "Traffic of a node in a minute, over the whole run");
    simnet_report_bytes(sum.bytes_sent / sum.node_minutes, a);
    line(out, "out", "%.1f packets, %s", sum.sent / sum.node_minutes, a);
    simnet_report_bytes(sum.bytes_received / sum.node_minutes, b);
    line(out, "in", "%.1f packets, %s", sum.received / sum.node_minutes, b);
    if (simnet_run_idle(run) >= 0)
        line(out, "idle, before t0", "%.2f packets out", simnet_run_idle(run));
}

static void tell_elements(const struct simnet_run *run, FILE *out)
{
    const struct simnet_counters *counters = simnet_world_counters(simnet_run_world(run));
    struct simnet_element_sum sums[SIMNET_ELEMENT_NAMES_MAX];
    size_t count = simnet_element_sums(simnet_run_world(run), sums);
    char number[32];
    heading(out, "Packets dropped");
    for (size_t i = 0; i < count; i++) {
        uint64_t all = sums[i].passed + sums[i].dropped;
        simnet_report_number(sums[i].dropped, number);
        if (sums[i].dropped > 0)
            line(out, sums[i].name, "%s, %.2f%% of what it saw", number,
                 100.0 * (double)sums[i].dropped / (double)all);
    }
    simnet_report_number(counters->nobody, number);
    line(out, "nobody was there", "%s, %.2f%% of all", number,
         counters->sent > 0 ? 100.0 * (double)counters->nobody / (double)counters->sent : 0.0);
}

static void tell_counters(const struct simnet_run *run, FILE *out)
{
    const struct simnet_run_counter *counters;
    size_t count = simnet_run_counters(run, &counters);
    char number[32];
    heading(out, "Counters that are not zero, over all nodes that were up at the end");
    for (size_t i = 0; i < count; i++) {
        simnet_report_number(counters[i].value, number);
        fprintf(out, "  %-*s %15s  %s\n", LABEL_WIDTH, counters[i].name, number,
                counters[i].meaning);
    }
}

static void tell_verdicts(const struct simnet_run *run, FILE *out)
{
    const struct simnet_run_verdict *verdicts;
    size_t count = simnet_run_verdicts(run, &verdicts);
    size_t failed = 0;
    heading(out, "Checks");
    for (size_t i = 0; i < count; i++) {
        line(out, verdicts[i].name, "%-6s %s", verdicts[i].held ? "held" : "FAILED",
             verdicts[i].detail);
        failed += !verdicts[i].held;
    }
    if (count == 0)
        fprintf(out, "  none\n");
    else if (failed == 0)
        fprintf(out, "  all %zu held\n", count);
    else
        fprintf(out, "  %zu of %zu FAILED\n", failed, count);
}

void simnet_report_text(const struct simnet_run *run, const struct simnet_report_cost *cost,
                        FILE *out)
{
    tell_head(run, cost, out);
    tell_size(run, cost, out);
    tell_names(run, out);
    tell_lookups(run, false, out);
    tell_lookups(run, true, out);
    tell_traffic(run, out);
    tell_elements(run, out);
    tell_counters(run, out);
    tell_verdicts(run, out);
}

// ---- the folder ----

// Opens a file of the folder; NULL with ret_error.
static FILE *open_file(const char *folder, const char *name,
                       char ret_error[SIMNET_REPORT_ERROR_MAX])
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX, "%.300s: cannot be written: %s", path,
                 strerror(errno));
    return out;
}

// Closes it. False where something of it did not get onto the disk.
static bool close_file(FILE *out, const char *folder, char ret_error[SIMNET_REPORT_ERROR_MAX])
{
    bool good = !ferror(out);
    good = fclose(out) == 0 && good;
    if (!good)
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX, "%.300s: cannot be written: %s", folder,
                 strerror(errno));
    return good;
}

bool simnet_report_make(const char *folder, char ret_error[SIMNET_REPORT_ERROR_MAX])
{
    char path[4096];
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX, "%.300s: cannot be made: %s", folder,
                 strerror(errno));
        return false;
    }
    snprintf(path, sizeof path, "%s/report.txt", folder);
    FILE *out = fopen(path, "a"); // an older report stays until there is another
    if (out == NULL) {
        snprintf(ret_error, SIMNET_REPORT_ERROR_MAX, "%.300s: cannot be written: %s", path,
                 strerror(errno));
        return false;
    }
    fclose(out);
    return true;
}

bool simnet_report_folder(const struct simnet_run *run, const struct simnet_report_cost *cost,
                          const char *folder, char ret_error[SIMNET_REPORT_ERROR_MAX])
{
    ret_error[0] = '\0';
    if (!simnet_report_make(folder, ret_error))
        return false;
    FILE *out = open_file(folder, "report.txt", ret_error);
    if (out == NULL)
        return false;
    simnet_report_text(run, cost, out);
    if (!close_file(out, folder, ret_error))
        return false;
    out = open_file(folder, "report.json", ret_error);
    if (out == NULL)
        return false;
    simnet_report_json(run, cost, out);
    if (!close_file(out, folder, ret_error))
        return false;
    out = open_file(folder, "scenario.ini", ret_error);
    if (out == NULL)
        return false;
    simnet_scenario_write(simnet_run_scenario(run), true, out);
    if (!close_file(out, folder, ret_error))
        return false;
    return simnet_plot_write(run, folder, ret_error);
}
