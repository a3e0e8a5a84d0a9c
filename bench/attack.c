// SPDX-License-Identifier: MIT
// What attacks come to: the worlds of docs/security.md's tables, each a named row, with real
// brains. A world: nodes join, 20 a second, and warm up; those who are to turn do, and a crowd
// joins; then three times ten names: Sybils join around each, four minutes later each is published
// by a node of its own, and resolved by ten others that wait for `settled`, and by ten more that
// wait for `all`.
//
//     bench_attack [--seed N] [--nodes N] [--warm-up MINUTES] [ROW...]   without ROW: all
//     bench_attack --list
//
// One line for each row and wait. The same seed, nodes and row give the same figures, and the trace
// hash says so. A world of 2,000 nodes takes 10 to 20 s.
#include "dht/engine.h"
#include "simnet/adversary.h"
#include "simnet/latency.h"
#include "simnet/pages.h"
#include "simnet/population.h"
#include "simnet/probe.h"
#include "simnet/tally.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEDIAN_RTT_US     100000
#define SIGMA             0.6
#define MIN_RTT_US        1000
#define JOINS_PER_S       20
#define WARM_UP_MIN       60
#define LARGE_NODES       10000 // from so many on, the warm-up is short, for it costs minutes
#define LARGE_WARM_UP_MIN 20
#define CROWD_US          (11 * SIMNET_MINUTE_US) // it introduces itself for 10 minutes
#define ATTACK_US         (4 * SIMNET_MINUTE_US)
#define PUBLISH_US        SIMNET_MINUTE_US
#define CALM_US           (30 * SIMNET_SECOND_US) // for the last version to be stored
#define PAUSE_US          (SIMNET_SECOND_US / 10) // between two who ask
#define TIMEOUT_MS        40000                   // a name that is found later was not found
#define SOURCES_MAX       256 // whose rates a node remembers: 8,192 would be most of it

#define BATCHES         3
#define NAMES           10 // in a batch
#define ASKERS          10 // of a name, for each wait
#define PUBLISHERS      (BATCHES * NAMES)
#define SYBIL_VICTIMS   60 // that a Sybil introduces itself to
#define CROWD_VICTIMS   20
#define FEW             4
#define FEW_NUMBER      UINT32_C(0x70000000) // of the first of their addresses
#define NODES_LEAST     100
#define NODES_MAX       1000000
#define WARM_UP_MAX_MIN 1440
#define DEFAULT_SEED    1
#define WAITS           2
#define PER_NAME_DRAWN  (WAITS * ASKERS + 1) // with its publisher

static const enum control_wait waits[WAITS] = {CONTROL_WAIT_SETTLED, CONTROL_WAIT_ALL};
static const char *const wait_words[WAITS] = {"settled", "all"};

// In the order of docs/security.md.
static const struct row {
    const char *name;
    enum simnet_adversary_kind kind; // of all adversaries
    double share;                    // of the nodes, that turn
    uint32_t sybils[2];              // around each name, at least and at most
    enum simnet_claim_range range;   // of the Sybils' and the crowd's addresses; the nodes' family
    uint32_t crowd;                  // more nodes, with random ids
    uint32_t nodes;
    uint32_t change_s; // between two versions of a name, in the mean; 0: there is one alone
} rows[] = {
    {"none", SIMNET_ADVERSARY_DENIER, 0, {0, 0}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"colluders-10", SIMNET_ADVERSARY_DENIER, 0.1, {0, 0}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"colluders-20", SIMNET_ADVERSARY_DENIER, 0.2, {0, 0}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"colluders-30", SIMNET_ADVERSARY_DENIER, 0.3, {0, 0}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"colluders-50", SIMNET_ADVERSARY_DENIER, 0.5, {0, 0}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"sybils-1", SIMNET_ADVERSARY_DENIER, 0.01, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"sybils-10", SIMNET_ADVERSARY_DENIER, 0.1, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"sybils-30", SIMNET_ADVERSARY_DENIER, 0.3, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
    {"sybils-slash16", SIMNET_ADVERSARY_DENIER, 0.05, {24, 64}, SIMNET_CLAIM_SLASH16, 0, 2000, 0},
    {"sybils-slash32", SIMNET_ADVERSARY_DENIER, 0.05, {24, 64}, SIMNET_CLAIM_SLASH32, 0, 2000, 0},
    {"crowd-slash16", SIMNET_ADVERSARY_DENIER, 0, {24, 64}, SIMNET_CLAIM_SLASH16, 1500, 2000, 0},
    {"crowd-slash32", SIMNET_ADVERSARY_DENIER, 0, {24, 64}, SIMNET_CLAIM_SLASH32, 1500, 2000, 0},
    {"crowd-few", SIMNET_ADVERSARY_DENIER, 0, {0, 0}, SIMNET_CLAIM_FEW, 500, 500, 0},
    {"sybils-stale", SIMNET_ADVERSARY_STALE, 0.2, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 15},
    {"sybils-changes", SIMNET_ADVERSARY_DENIER, 0.2, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 15},
    {"sybils-liar", SIMNET_ADVERSARY_LIAR, 0.2, {24, 64}, SIMNET_CLAIM_ANY4, 0, 2000, 0},
};
#define ROWS (sizeof rows / sizeof rows[0])

// What the lookups of one wait came to.
struct figures {
    uint32_t resolves, resolved, alarms;
    struct simnet_tally asked, ms;
};

// A name: who publishes it, and what the node said.
struct publication {
    struct simnet_publisher *publisher;
    struct simnet_client_watch watch;
    bool is_suspect; // at least once
    int64_t seq;     // of the newest version that it called stored
};

// A lookup; used again for others.
struct question {
    struct simnet_probe *probe;
    struct figures *figures;
    bool is_suspect;
};

struct bench {
    const struct row *row;
    uint32_t nodes;
    int64_t warm_up_us;
    struct simnet_world *world;
    struct simnet_profile profile;
    struct simnet_league *league;
    struct simnet_stream stream;
    struct publication publications[PUBLISHERS];
    struct question questions[NAMES * ASKERS];
    // Of each name of the batch, who was drawn: its publisher, then who asks. A node that asked
    // once would know the answer.
    struct simnet_machine *drawn[NAMES][PER_NAME_DRAWN];
    size_t drawn_count[NAMES];
    uint32_t published, alarms;
    struct figures figures[WAITS];
};

static void run(struct bench *bench, int64_t duration_us)
{
    simnet_world_run(bench->world, simnet_world_now(bench->world) + duration_us);
}

// ---- the world ----

static struct simnet_adversary_crowd make_crowd(const struct row *row)
{
    struct simnet_adversary_crowd crowd = {.kind = row->kind, .range = row->range};
    if (simnet_claim_ip_len(row->range) == 4)
        crowd.base = (struct dht_addr){.ip = {91, 10}, .ip_len = 4};
    else
        crowd.base = (struct dht_addr){.ip = {0x26, 0x0a, 0x11, 0x22}, .ip_len = 16};
    return crowd;
}

static void join_nodes(struct bench *bench)
{
    struct simnet_population_config config;
    simnet_population_config_init(&config);
    config.count = bench->nodes;
    config.join_us = bench->nodes * SIMNET_SECOND_US / JOINS_PER_S;
    config.has_ipv4 = simnet_claim_ip_len(bench->row->range) == 4;
    config.has_ipv6 = !config.has_ipv4;
    simnet_population_add(bench->world, &bench->profile, &config);
    run(bench, config.join_us);
    run(bench, bench->warm_up_us);
}

static void join_crowd(struct bench *bench)
{
    struct dht_addr few[FEW];
    struct simnet_adversary_crowd crowd = make_crowd(bench->row);
    for (uint32_t i = 0; i < FEW; i++)
        few[i] = simnet_population_ipv4(simnet_world_seed(bench->world), FEW_NUMBER + i);
    crowd.count = bench->row->crowd;
    crowd.few = few;
    crowd.few_count = FEW;
    crowd.victims = CROWD_VICTIMS;
    if (crowd.count == 0)
        return;
    simnet_adversary_join(bench->world, &bench->profile, &crowd, bench->league);
    run(bench, CROWD_US);
}

static void make_world(struct bench *bench, uint64_t seed)
{
    const struct row *row = bench->row;
    bench->world = simnet_world_new(seed);
    bench->league = simnet_world_need(simnet_league_new());
    simnet_stream_init(&bench->stream, seed, "bench attack", 0);
    simnet_world_internet(bench->world,
                          simnet_latency_lognormal(seed, MEDIAN_RTT_US, SIGMA, MIN_RTT_US));
    simnet_profile_init(&bench->profile);
    bench->profile.engine.sources_max = SOURCES_MAX;
    for (size_t i = 0; i < NAMES * ASKERS; i++)
        bench->questions[i].probe = simnet_probe_new(bench->world);
    join_nodes(bench);
    if (row->share > 0)
        simnet_adversary_turn_share(bench->world, 0, bench->nodes, row->share, bench->league,
                                    row->kind);
    join_crowd(bench);
}

// The world goes first: it tells clients that their machines are gone.
static void free_world(struct bench *bench)
{
    simnet_world_free(bench->world);
    simnet_league_drop(bench->league);
    for (size_t i = 0; i < PUBLISHERS; i++)
        simnet_publisher_free(bench->publications[i].publisher);
    for (size_t i = 0; i < NAMES * ASKERS; i++)
        simnet_probe_free(bench->questions[i].probe);
    for (size_t i = 0; i < WAITS; i++) {
        simnet_tally_free(&bench->figures[i].asked);
        simnet_tally_free(&bench->figures[i].ms);
    }
}

// An honest node that was not drawn yet for that name of the batch.
static struct simnet_machine *draw(struct bench *bench, size_t name)
{
    struct simnet_machine *machine;
    bool is_new;
    do {
        machine = simnet_population_draw(bench->world, &bench->stream, 0, bench->nodes);
        is_new = machine != NULL && machine->is_honest;
        for (size_t i = 0; is_new && i < bench->drawn_count[name]; i++)
            is_new = bench->drawn[name][i] != machine;
    } while (!is_new);
    bench->drawn[name][bench->drawn_count[name]++] = machine;
    return machine;
}

// ---- publishing ----

// Whether a final answer says so.
static bool is_suspect(const struct simnet_client_answer *answer)
{
    bool suspect = false;
    return (answer->kind == CONTROL_ANSWER_DONE || answer->kind == CONTROL_ANSWER_ERROR) &&
           control_fields_bool(answer->fields, CONTROL_KEY_SUSPECT, &suspect) && suspect;
}

static void hear_publisher(void *ctx, struct simnet_client *client,
                           const struct simnet_client_answer *answer)
{
    struct publication *publication = ctx;
    struct simnet_answer_final final;
    (void)client;
    publication->is_suspect |= is_suspect(answer);
    if (simnet_answer_final(answer->kind, answer->fields, &final) && final.code == CONTROL_ERROR_OK)
        publication->seq = final.seq;
}

// Gives a node the name's key, so that Sybils can join around it; it publishes after ATTACK_US.
static void plan_publication(struct bench *bench, size_t batch, size_t name)
{
    struct publication *publication = &bench->publications[batch * NAMES + name];
    struct simnet_publisher_habits habits = {.change_us = bench->row->change_s * SIMNET_SECOND_US};
    bench->drawn_count[name] = 0;
    publication->publisher =
        simnet_publisher_new(draw(bench, name), (uint32_t)(batch * NAMES + name),
                             simnet_world_now(bench->world) + ATTACK_US, &habits);
    publication->watch =
        (struct simnet_client_watch){.answered = hear_publisher, .ctx = publication};
    simnet_client_watch(publication->publisher->client, &publication->watch);
}

static void join_sybils(struct bench *bench, const struct dht_id *target)
{
    const struct row *row = bench->row;
    struct simnet_adversary_crowd crowd = make_crowd(row);
    uint32_t choices = row->sybils[1] - row->sybils[0] + 1;
    crowd.count = row->sybils[0] + (uint32_t)simnet_stream_below(&bench->stream, choices);
    crowd.target = target;
    crowd.victims = SYBIL_VICTIMS;
    if (crowd.count > 0)
        simnet_adversary_join(bench->world, &bench->profile, &crowd, bench->league);
}

// Whether at least one honest node holds the newest version: what nodes that were asked to keep it
// say proves nothing.
static bool is_held(const struct bench *bench, const struct publication *publication)
{
    const struct dht_id *target = &publication->publisher->target;
    for (uint32_t i = 0; i < bench->nodes; i++) {
        const struct simnet_machine *machine = simnet_world_machine(bench->world, i);
        const struct dht *dht = machine->node != NULL ? node_engine(machine->node, 0) : NULL;
        const struct dht_stored_item *item =
            dht != NULL && dht->items != NULL ? dht_item_store_find(dht->items, target) : NULL;
        if (item != NULL && item->seq >= publication->seq)
            return true;
    }
    return false;
}

static void publish(struct bench *bench, size_t batch)
{
    struct publication *publications = &bench->publications[batch * NAMES];
    for (size_t name = 0; name < NAMES; name++)
        plan_publication(bench, batch, name);
    for (size_t name = 0; name < NAMES; name++)
        join_sybils(bench, &publications[name].publisher->target);
    run(bench, ATTACK_US + PUBLISH_US);
    for (size_t name = 0; name < NAMES; name++)
        simnet_publisher_calm(publications[name].publisher);
    if (bench->row->change_s > 0)
        run(bench, CALM_US);
    for (size_t name = 0; name < NAMES; name++) {
        const struct publication *publication = &publications[name];
        bench->published += publication->publisher->is_settled && is_held(bench, publication);
        bench->alarms += publication->is_suspect;
    }
}

// ---- resolving ----

static void hear_probe(void *ctx, const struct simnet_probe *probe,
                       const struct simnet_client_answer *answer)
{
    struct question *question = ctx;
    (void)probe;
    question->is_suspect |= is_suspect(answer);
}

static void end_probe(void *ctx, struct simnet_probe *probe)
{
    struct question *question = ctx;
    struct figures *figures = question->figures;
    figures->resolves++;
    figures->resolved += probe->outcome == SIMNET_PROBE_FOUND && !simnet_probe_is_stale(probe);
    figures->alarms += question->is_suspect;
    simnet_tally_add(&figures->asked, probe->end.asked);
    simnet_tally_add(&figures->ms, (uint64_t)(probe->end_us - probe->asked_us) / 1000);
}

static void resolve(struct bench *bench, size_t batch, size_t wait)
{
    for (size_t i = 0; i < NAMES * ASKERS; i++) {
        struct question *question = &bench->questions[i];
        size_t name = i / ASKERS;
        question->figures = &bench->figures[wait];
        question->is_suspect = false;
        question->probe->heard = hear_probe;
        question->probe->ended = end_probe;
        question->probe->ctx = question;
        simnet_probe_run(question->probe,
                         &(struct simnet_probe_plan){
                             .machine = draw(bench, name),
                             .publisher = bench->publications[batch * NAMES + name].publisher,
                             .wait = waits[wait],
                             .timeout_ms = TIMEOUT_MS,
                         });
        run(bench, PAUSE_US);
    }
    // Each ends by itself, in TIMEOUT_MS.
    for (size_t i = 0; i < NAMES * ASKERS; i++)
        while (bench->questions[i].probe->is_busy)
            run(bench, SIMNET_SECOND_US);
}

static void run_batch(struct bench *bench, size_t batch)
{
    uint32_t before = simnet_world_machines(bench->world);
    publish(bench, batch);
    for (size_t wait = 0; wait < WAITS; wait++)
        resolve(bench, batch, wait);
    // The Sybils of these names have done what they can.
    for (uint32_t i = before; i < simnet_world_machines(bench->world); i++)
        simnet_machine_crash(simnet_world_machine(bench->world, i));
}

// ---- the program ----

struct options {
    uint64_t seed;
    uint64_t nodes;       // 0: as the row says
    uint64_t warm_up_min; // 0: as the number of nodes says
};

static void tell_header(void)
{
    printf("%-15s %6s %-8s %9s %8s %5s %5s %6s %6s %10s %9s  %s\n", "row", "nodes", "wait",
           "published", "resolved", "asked", "p99", "ms", "p99", "publishers", "resolvers",
           "trace");
    printf("%62s %13s %20s\n", "p50", "p50", "alarm");
}

static void tell(struct bench *bench)
{
    for (size_t wait = 0; wait < WAITS; wait++) {
        const struct figures *figures = &bench->figures[wait];
        printf("%-15s %6" PRIu32 " %-8s %3" PRIu32 " of %2d %7.1f%% %5" PRIu64 " %5" PRIu64
               " %6" PRIu64 " %6" PRIu64 " %4" PRIu32 " of %2d %8.1f%%  %016" PRIx64 "\n",
               bench->row->name, bench->nodes, wait_words[wait], bench->published, PUBLISHERS,
               100.0 * figures->resolved / figures->resolves,
               simnet_tally_percentile(&figures->asked, 0.5),
               simnet_tally_percentile(&figures->asked, 0.99),
               simnet_tally_percentile(&figures->ms, 0.5),
               simnet_tally_percentile(&figures->ms, 0.99), bench->alarms, PUBLISHERS,
               100.0 * figures->alarms / figures->resolves, simnet_world_hash(bench->world));
    }
    fflush(stdout);
}

static void measure(const struct row *row, const struct options *options)
{
    struct bench *bench = simnet_world_need(calloc(1, sizeof *bench));
    uint64_t minutes = options->warm_up_min;
    bench->row = row;
    bench->nodes = options->nodes > 0 ? (uint32_t)options->nodes : row->nodes;
    if (minutes == 0)
        minutes = bench->nodes < LARGE_NODES ? WARM_UP_MIN : LARGE_WARM_UP_MIN;
    bench->warm_up_us = (int64_t)minutes * SIMNET_MINUTE_US;
    make_world(bench, options->seed);
    for (size_t batch = 0; batch < BATCHES; batch++)
        run_batch(bench, batch);
    tell(bench);
    free_world(bench);
    free(bench);
}

static const struct row *find_row(const char *name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static bool read_number(const char *text, uint64_t least, uint64_t most, uint64_t *ret_number)
{
    char *end;
    if (text == NULL || *text < '0' || *text > '9')
        return false;
    unsigned long long number = strtoull(text, &end, 10);
    if (*end != '\0' || number < least || number > most)
        return false;
    *ret_number = number;
    return true;
}

static int list_rows(void)
{
    static const char *const ranges[] = {"any IPv4", "one /16", "any IPv6", "one /32",
                                         "4 addresses"};
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        printf("%-15s %" PRIu32 " nodes, %2.0f %% become %s; %" PRIu32 " to %" PRIu32
               " Sybils, %" PRIu32 " anywhere, of %s%s\n",
               row->name, row->nodes, 100 * row->share, simnet_adversary_name(row->kind),
               row->sybils[0], row->sybils[1], row->crowd, ranges[row->range],
               row->change_s > 0 ? "; names change" : "");
    }
    return 0;
}

// Reads the option at argv[0] and its number; argv ends with NULL.
static bool read_option(char **argv, struct options *options)
{
    if (strcmp(argv[0], "--seed") == 0)
        return read_number(argv[1], 0, INT64_MAX, &options->seed);
    if (strcmp(argv[0], "--nodes") == 0)
        return read_number(argv[1], NODES_LEAST, NODES_MAX, &options->nodes);
    return strcmp(argv[0], "--warm-up") == 0 &&
           read_number(argv[1], 1, WARM_UP_MAX_MIN, &options->warm_up_min);
}

static int refuse(const char *text)
{
    fprintf(stderr, "bench_attack: %s is no row, or its number does not fit; see --list\n", text);
    return 2;
}

int main(int argc, char **argv)
{
    struct options options = {.seed = DEFAULT_SEED};
    int first = 1;
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list_rows();
    simnet_pages_large(argv);
    for (; first < argc && strncmp(argv[first], "--", 2) == 0; first += 2)
        if (!read_option(argv + first, &options))
            return refuse(argv[first]);
    for (int i = first; i < argc; i++)
        if (find_row(argv[i]) == NULL)
            return refuse(argv[i]);
    tell_header();
    for (size_t i = 0; first == argc && i < ROWS; i++)
        measure(&rows[i], &options);
    for (int i = first; i < argc; i++)
        measure(find_row(argv[i]), &options);
    return 0;
}
