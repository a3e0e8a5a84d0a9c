// SPDX-License-Identifier: MIT

// How fast pnrd serves: replies per second of its processor time, as a ratio to the better of two
// bare echo servers that get and give datagrams of the same sizes (echo.c), and latency at half
// load. docs/performance.md says more.
//
//   bench_speed [options] PNRD ECHO
//     --runs N        a run: each method once for each size, with a fresh pnrd (7)
//     --stored A,B    how many items and infohashes are stored (1000,100000)
//     --only METHOD   just this one, for a profiler; may be given again
//     --json FILE     the figures for a program

#include "bench/node.h"
#include "bench/process.h"
#include "bench/verify.h"
#include "bench/workload.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX         99
#define SIZES_MAX        4
#define SERVER_PROCESSOR 1
#define OWN_PROCESSOR    0
#define SLICES           8 // that a measurement is cut into

enum figure {
    FIGURE_RATE, // replies per second of processor time
    FIGURE_ECHO_ONE,
    FIGURE_ECHO_BATCH,
    FIGURE_RATIO,
    FIGURE_P50,
    FIGURE_P99,
    FIGURE_FAILED, // errors and losses
    FIGURES
};

struct speed {
    const char *pnrd;
    const char *echo;
    const char *json;
    int runs;
    size_t sizes[SIZES_MAX];
    size_t size_count;
    bool wanted[BENCH_METHODS];
    bool any_wanted;
    struct bench_load *load;
    struct bench_workload *workload;
    pid_t echoes[2];
    uint16_t echo_ports[2];
    double figures[SIZES_MAX][BENCH_METHODS][FIGURES][RUNS_MAX];
    double verify_rates[SIZES_MAX][2][RUNS_MAX]; // OpenSSL's, libsodium's
};

// ---- one measurement ----

// Programs whose processor time is measured, in turns.
struct server {
    pid_t pid;
    uint16_t port;
    int64_t used_ns;
    struct bench_load_result result;
};

static void measure_slice(struct speed *speed, struct server *server,
                          const struct bench_batch *batch, size_t first, size_t count)
{
    bench_load_aim(speed->load, server->port);
    int64_t before_ns = bench_process_cpu_ns(server->pid);
    bench_load_closed(speed->load, batch, first, count, &server->result);
    server->used_ns += bench_process_cpu_ns(server->pid) - before_ns;
}

// Replies per second of processor time.
static double rate_of(const struct server *server)
{
    return server->used_ns > 0 ? (double)server->result.replies * 1e9 / (double)server->used_ns : 0;
}

// Datagrams as long as those of the batch, that ask an echo for as many bytes as the node replied.
static void make_echo_batch(const struct bench_batch *batch, size_t reply_len,
                            struct bench_batch *ret_batch)
{
    struct bench_batch echo = {.are_echoes = true};
    for (size_t i = 0; i < batch->count; i++) {
        uint8_t bytes[DHT_DATAGRAM_MAX] = {(uint8_t)reply_len, (uint8_t)(reply_len >> 8)};
        bench_batch_add(&echo, bytes, bench_batch_at(batch, i).len);
    }
    *ret_batch = echo;
}

// The node, the one echo, the other, and again: what else the machine does meets all of them.
static void measure_method(struct speed *speed, const struct bench_node *node,
                           enum bench_method_id id, size_t size, struct server servers[3])
{
    size_t slice = bench_methods[id].count / SLICES / BENCH_LOAD_SOCKETS * BENCH_LOAD_SOCKETS;
    struct bench_batch batch;
    struct bench_batch echo = {0};
    servers[0] = (struct server){.pid = node->pid, .port = node->addr.port};
    bench_load_aim(speed->load, node->addr.port);
    struct bench_workload_part part = {.id = id, .stored = speed->sizes[size]};
    bench_workload_batch(speed->workload, speed->load, &part, &batch);
    for (size_t i = 0; i < SLICES; i++) {
        measure_slice(speed, &servers[0], &batch, i * slice, slice);
        const struct bench_load_result *result = &servers[0].result;
        if (i == 0)
            make_echo_batch(&batch, result->replies == 0 ? 2 : result->bytes / result->replies,
                            &echo);
        for (int j = 0; j < 2; j++) {
            if (i == 0)
                servers[1 + j] =
                    (struct server){.pid = speed->echoes[j], .port = speed->echo_ports[j]};
            measure_slice(speed, &servers[1 + j], &echo, i * slice, slice);
        }
    }
    bench_batch_clear(&batch);
    bench_batch_clear(&echo);
}

static void measure_latency(struct speed *speed, const struct bench_node *node,
                            enum bench_method_id id, size_t size, double rate,
                            struct bench_load_latency *ret_latency)
{
    struct bench_batch batch;
    bench_load_aim(speed->load, node->addr.port);
    struct bench_workload_part part = {id, speed->sizes[size], true};
    bench_workload_batch(speed->workload, speed->load, &part, &batch);
    bench_load_open(speed->load, &batch, bench_methods[id].latency, rate, ret_latency);
    bench_batch_clear(&batch);
}

// Before and after what it is compared with, each for a half.
static void note_verify_rates(struct speed *speed, size_t size, int run, double share)
{
    double rates[2];
    bench_process_pin(SERVER_PROCESSOR);
    bench_verify_rates(speed->workload->mutable + speed->workload->stored_max / 2,
                       bench_methods[BENCH_PUT_MUTABLE].count, rates);
    bench_process_pin(OWN_PROCESSOR);
    for (int i = 0; i < 2; i++)
        speed->verify_rates[size][i][run] += share * rates[i];
}

static void run_method(struct speed *speed, const struct bench_node *node, enum bench_method_id id,
                       size_t size, int run)
{
    struct server servers[3];
    struct bench_load_latency latency;
    if (id == BENCH_PUT_MUTABLE)
        note_verify_rates(speed, size, run, 0.5);
    measure_method(speed, node, id, size, servers);
    if (id == BENCH_PUT_MUTABLE)
        note_verify_rates(speed, size, run, 0.5);
    double rates[3] = {rate_of(&servers[0]), rate_of(&servers[1]), rate_of(&servers[2])};
    measure_latency(speed, node, id, size, rates[0] / 2, &latency);
    double yardstick = rates[1] > rates[2] ? rates[1] : rates[2];
    double(*figures)[RUNS_MAX] = speed->figures[size][id];
    figures[FIGURE_RATE][run] = rates[0];
    figures[FIGURE_ECHO_ONE][run] = rates[1];
    figures[FIGURE_ECHO_BATCH][run] = rates[2];
    figures[FIGURE_RATIO][run] = rates[0] / yardstick;
    figures[FIGURE_P50][run] = latency.p50_us;
    figures[FIGURE_P99][run] = latency.p99_us;
    figures[FIGURE_FAILED][run] =
        (double)(servers[0].result.errors + servers[0].result.lost + latency.lost);
}

// ---- a run ----

static void run_size(struct speed *speed, size_t size, int run)
{
    struct bench_node node;
    bench_node_start(&node, speed->pnrd, SERVER_PROCESSOR, BENCH_NODE_UNLIMITED);
    size_t known = bench_node_fill(&node, speed->load);
    if (known < bench_crowd_count(node.crowd))
        fprintf(stderr, "bench: the table has %zu of %zu contacts\n", known,
                bench_crowd_count(node.crowd));
    bench_workload_store(speed->workload, speed->load, speed->sizes[size]);
    for (int id = 0; id < BENCH_METHODS; id++)
        if (speed->wanted[id] || !speed->any_wanted)
            run_method(speed, &node, (enum bench_method_id)id, size, run);
    bench_node_stop(&node);
}

static void run_all(struct speed *speed)
{
    for (int run = 0; run < speed->runs; run++) {
        for (size_t size = 0; size < speed->size_count; size++)
            run_size(speed, size, run);
        fprintf(stderr, "run %d of %d\n", run + 1, speed->runs);
    }
}

// ---- report ----

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;
    return (*x > *y) - (*x < *y);
}

static double median_of(const double figures[RUNS_MAX], int runs)
{
    double sorted[RUNS_MAX];
    size_t count = (size_t)runs;
    memcpy(sorted, figures, count * sizeof sorted[0]);
    qsort(sorted, count, sizeof sorted[0], compare_doubles);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double median(const struct speed *speed, size_t size, int id, enum figure figure)
{
    return median_of(speed->figures[size][id][figure], speed->runs);
}

static void print_size(const struct speed *speed, size_t size)
{
    printf("\n%zu items and infohashes stored; medians of %d runs\n", speed->sizes[size],
           speed->runs);
    printf("%-20s %10s %10s %10s %6s %6s %9s %9s %7s\n", "", "replies/s", "echo one", "echo batch",
           "ratio", "floor", "p50 us", "p99 us", "failed");
    for (int id = 0; id < BENCH_METHODS; id++) {
        const struct bench_method *method = &bench_methods[id];
        if (speed->any_wanted && !speed->wanted[id])
            continue;
        double ratio = median(speed, size, id, FIGURE_RATIO);
        printf("%-20s %10.0f %10.0f %10.0f %6.2f ", method->name,
               median(speed, size, id, FIGURE_RATE), median(speed, size, id, FIGURE_ECHO_ONE),
               median(speed, size, id, FIGURE_ECHO_BATCH), ratio);
        if (method->floor > 0)
            printf("%5.2f%s ", method->floor, ratio < method->floor ? "!" : " ");
        else
            printf("%6s ", "");
        printf("%9.0f %9.0f %7.0f\n", median(speed, size, id, FIGURE_P50),
               median(speed, size, id, FIGURE_P99), median(speed, size, id, FIGURE_FAILED));
    }
}

static void print_growth(const struct speed *speed)
{
    size_t last = speed->size_count - 1;
    if (last == 0)
        return;
    printf("\nfrom %zu to %zu stored (at least 0.80 is wanted)\n", speed->sizes[0],
           speed->sizes[last]);
    for (int id = 0; id < BENCH_METHODS; id++) {
        if (speed->any_wanted && !speed->wanted[id])
            continue;
        double kept = median(speed, last, id, FIGURE_RATIO) / median(speed, 0, id, FIGURE_RATIO);
        printf("%-20s %6.2f%s\n", bench_methods[id].name, kept, kept < 0.8 ? "!" : "");
    }
}

static void print_verify(const struct speed *speed)
{
    static const char *const names[] = {"OpenSSL", "libsodium"};
    static const double wanted[] = {0.95, 0.85};
    double rate = median(speed, 0, BENCH_PUT_MUTABLE, FIGURE_RATE);
    if (speed->any_wanted && !speed->wanted[BENCH_PUT_MUTABLE])
        return;
    printf("\nput mutable, of which each costs a verification: %.0f a second\n", rate);
    for (int i = 0; i < 2; i++) {
        double alone = median_of(speed->verify_rates[0][i], speed->runs);
        if (alone > 0)
            printf("%-10s verifies %6.0f a second by itself: ratio %.2f (wanted of the library "
                   "in use: %.2f)\n",
                   names[i], alone, rate / alone, wanted[i]);
    }
}

static void write_json(const struct speed *speed)
{
    static const char *const names[FIGURES] = {
        "replies_per_cpu_second", "echo_one", "echo_batch", "ratio", "p50_us", "p99_us", "failed"};
    FILE *file = fopen(speed->json, "w");
    if (file == NULL)
        bench_die(speed->json, "cannot be written");
    fprintf(file,
            "{\"runs\": %d, \"openssl_verifies\": %.0f, \"libsodium_verifies\": %.0f, "
            "\"figures\": [",
            speed->runs, median_of(speed->verify_rates[0][0], speed->runs),
            median_of(speed->verify_rates[0][1], speed->runs));
    const char *comma = "";
    for (size_t size = 0; size < speed->size_count; size++) {
        for (int id = 0; id < BENCH_METHODS; id++) {
            fprintf(file, "%s\n  {\"stored\": %zu, \"method\": \"%s\", \"floor\": %.2f", comma,
                    speed->sizes[size], bench_methods[id].name, bench_methods[id].floor);
            for (int figure = 0; figure < FIGURES; figure++)
                fprintf(file, ", \"%s\": %.4f", names[figure],
                        median(speed, size, id, (enum figure)figure));
            fputs("}", file);
            comma = ",";
        }
    }
    fputs("\n]}\n", file);
    fclose(file);
}

// ---- options ----

static bool take_sizes(struct speed *speed, char *text)
{
    speed->size_count = 0;
    for (char *word = strtok(text, ","); word != NULL; word = strtok(NULL, ",")) {
        if (speed->size_count == SIZES_MAX)
            return false;
        size_t size = strtoul(word, NULL, 10);
        if (size < 2 * BENCH_LOAD_WINDOW || size > 100000)
            size = size == 1000 ? size : 0;
        if (size == 0)
            return false;
        speed->sizes[speed->size_count++] = size;
    }
    return speed->size_count > 0;
}

static bool take_method(struct speed *speed, const char *name)
{
    for (int id = 0; id < BENCH_METHODS; id++) {
        if (strcmp(bench_methods[id].name, name) != 0)
            continue;
        speed->wanted[id] = speed->any_wanted = true;
        return true;
    }
    return false;
}

static bool take_options(struct speed *speed, int argc, char **argv)
{
    static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
                                            {"stored", required_argument, NULL, 's'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"json", required_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    int code;
    bool ok = true;
    while ((code = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (code == 'r')
            speed->runs = atoi(optarg);
        else if (code == 's')
            ok = ok && take_sizes(speed, optarg);
        else if (code == 'o')
            ok = ok && take_method(speed, optarg);
        else if (code == 'j')
            speed->json = optarg;
        else
            ok = false;
    }
    if (argc - optind != 2 || speed->runs < 1 || speed->runs > RUNS_MAX)
        return false;
    speed->pnrd = argv[optind];
    speed->echo = argv[optind + 1];
    return ok;
}

static void start_echoes(struct speed *speed)
{
    static const char *const kinds[] = {"one", "batch"};
    for (int i = 0; i < 2; i++) {
        char port[8];
        speed->echo_ports[i] = bench_node_free_port();
        snprintf(port, sizeof port, "%u", speed->echo_ports[i]);
        const char *argv[] = {speed->echo, kinds[i], port, NULL};
        speed->echoes[i] =
            bench_process_start((char *const *)(uintptr_t)argv, SERVER_PROCESSOR, "/dev/null");
    }
}

int main(int argc, char **argv)
{
    static struct speed speed = {.runs = 7, .sizes = {1000, 100000}, .size_count = 2};
    size_t stored_max = 0;
    if (!take_options(&speed, argc, argv)) {
        fputs("usage: bench_speed [--runs N] [--stored A,B] [--only METHOD] [--json FILE] PNRD "
              "ECHO\n",
              stderr);
        return 2;
    }
    bench_process_pin(OWN_PROCESSOR);
    for (size_t i = 0; i < speed.size_count; i++)
        stored_max = speed.sizes[i] > stored_max ? speed.sizes[i] : stored_max;
    speed.load = bench_load_new();
    speed.workload = bench_workload_new(stored_max);
    start_echoes(&speed);
    run_all(&speed);
    for (size_t size = 0; size < speed.size_count; size++)
        print_size(&speed, size);
    print_growth(&speed);
    print_verify(&speed);
    if (speed.json != NULL)
        write_json(&speed);
    for (int i = 0; i < 2; i++)
        bench_process_stop(speed.echoes[i]);
    bench_workload_free(speed.workload);
    bench_load_free(speed.load);
    return 0;
}
