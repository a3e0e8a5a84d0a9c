// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_SCENARIO_H
#define PNR_SIMNET_SCENARIO_H

// A scenario: what network to simulate, what befalls it, what is asked of it. It is an INI file
// (read by inih) of sections such as [network] and [loss]; [partition NAME], [adversary NAME] and
// [event NAME] may stand there several times. One table, simnet/scenario_keys.c, says for each key
// its type, default, bounds and meaning; it is the source of the parser, of `simnet show` and of
// the reference in docs/simulation.md.
//
// A file is taken whole or not at all. The first thing that is wrong is reported in one line,
// "FILE:LINE: what, expected ...": an unknown section or key, a value that does not fit, a key
// given twice, a section named twice, a line that is neither, keys that contradict each other.
//
// Times called `at` count from the end of the warm-up, t0.

#include "simnet/scenario_value.h"

#include <stdio.h>

#define SIMNET_SCENARIO_NAME_MAX     48 // bytes, with the NUL
#define SIMNET_SCENARIO_REPEATS_MAX  32 // sections of one kind
#define SIMNET_SCENARIO_SETTINGS_MAX 64
#define SIMNET_SCENARIO_FEW_MAX      256 // addresses, where they are few

enum simnet_scenario_latency {
    SIMNET_SCENARIO_LATENCY_CONSTANT,
    SIMNET_SCENARIO_LATENCY_LOGNORMAL,
    SIMNET_SCENARIO_LATENCY_INTERNET,
    SIMNET_SCENARIO_LATENCY_WIRED,
};

enum simnet_scenario_families {
    SIMNET_SCENARIO_IPV4,
    SIMNET_SCENARIO_IPV6,
    SIMNET_SCENARIO_BOTH,
};

enum simnet_scenario_schedule {
    SIMNET_SCENARIO_EVEN,    // so many a second
    SIMNET_SCENARIO_GROWING, // the network doubles, and doubles again, in equal times
};

enum simnet_scenario_from {
    SIMNET_SCENARIO_FROM_FAULTS,
    SIMNET_SCENARIO_FROM_JOIN,
};

// When adversaries begin.
enum simnet_scenario_since {
    SIMNET_SCENARIO_FROM_T0,
    SIMNET_SCENARIO_FROM_PUBLISH,
};

enum simnet_scenario_placement {
    SIMNET_SCENARIO_AT_RANDOM,
    SIMNET_SCENARIO_AROUND_NAME,
};

enum simnet_scenario_direction {
    SIMNET_SCENARIO_BOTH_WAYS,
    SIMNET_SCENARIO_ONE_WAY,
};

enum simnet_scenario_disk {
    SIMNET_SCENARIO_DISK_HONEST,
    SIMNET_SCENARIO_DISK_SLOW,
    SIMNET_SCENARIO_DISK_LOSING,
};

enum simnet_scenario_event_kind {
    SIMNET_SCENARIO_LOSE,
    SIMNET_SCENARIO_RETURN,
    SIMNET_SCENARIO_LOSS,
    SIMNET_SCENARIO_MOVE,
    SIMNET_SCENARIO_SLEEP,
    SIMNET_SCENARIO_STOP,
    SIMNET_SCENARIO_KILL,
    SIMNET_SCENARIO_UNPLUG,
    SIMNET_SCENARIO_DISK_FAILS,
    SIMNET_SCENARIO_DISK_FILLS,
    SIMNET_SCENARIO_DISK_STICKS,
    SIMNET_SCENARIO_CLOCK_JUMP,
    SIMNET_SCENARIO_NAT_REBOOT,
};

struct simnet_scenario_partition {
    char name[SIMNET_SCENARIO_NAME_MAX];
    int64_t at_us;
    int64_t for_us;
    double share;
    int direction; // enum simnet_scenario_direction
};

struct simnet_scenario_adversary {
    char name[SIMNET_SCENARIO_NAME_MAX];
    int kind;      // enum simnet_adversary_kind, or the one after it: a flooder
    int placement; // enum simnet_scenario_placement
    int addresses; // enum simnet_claim_range
    int from;      // enum simnet_scenario_since
    int64_t at_us;
    double share;
    int64_t count;
    int64_t few;  // addresses
    int64_t rate; // packets a second
    int sends;    // bits of enum simnet_flood_part
};

struct simnet_scenario_event {
    char name[SIMNET_SCENARIO_NAME_MAX];
    int64_t at_us;
    int kind; // enum simnet_scenario_event_kind
    double share;
    int64_t for_us;
    int64_t by_us;
    double writes;
};

// The meaning of each field is told in scenario_keys.c.
struct simnet_scenario {
    char name[SIMNET_SCENARIO_NAME_MAX]; // of the file, without its folder and ".ini"
    struct {
        int64_t nodes, seed, join_us, bootstrap;
        int schedule, families, signature;
        int64_t bucket_size, first_bucket_size, replacements;
        int64_t lookup_width, store_width, queries_in_flight;
        int64_t sources_max, items_max, cache_max;
    } network;
    struct {
        int model;
        int64_t median_us, min_us;
        double sigma;
    } latency;
    struct {
        int64_t mean_us;
        int overtaking;
    } jitter;
    struct {
        double rate;
        int from;
    } loss;
    struct {
        int64_t good_us, bad_us;
        double loss_good, loss_bad;
    } burst;
    struct {
        double rate;
    } duplicate;
    struct {
        double rate;
        int64_t delay_us;
    } reorder;
    struct {
        int64_t up, down, queue; // bits a second, bytes
    } rate;
    struct {
        int64_t bytes;
        double fragments;
    } mtu;
    struct {
        double full_cone, restricted, port_restricted, symmetric, cgnat;
        int64_t mapping_us, sharing;
    } nat;
    struct {
        int64_t session_us, gap_us;
        double shape, crash, fresh, moved;
        int publishers;
    } churn;
    struct {
        double unreachable, dead;
        int64_t clock_off_us, snapshot_us;
        double clock_drift, clock_forgets, timer_drift;
        int disk;
    } machines;
    struct {
        int64_t names, over_us, renew_us, change_us;
        double withdraw, rude;
    } publish;
    struct {
        int64_t at_us, for_us, count, timeout_us;
        int wait;
        double rude;
    } resolve;
    struct {
        int64_t warm_up_us, faults_us, healing_us;
    } phases;
    struct {
        int checkers; // bits
        double success, worst, healed;
        int64_t interval_us, p50_us, p99_us;
    } check;
    size_t partition_count, adversary_count, event_count;
    struct simnet_scenario_partition partitions[SIMNET_SCENARIO_REPEATS_MAX];
    struct simnet_scenario_adversary adversaries[SIMNET_SCENARIO_REPEATS_MAX];
    struct simnet_scenario_event events[SIMNET_SCENARIO_REPEATS_MAX];
};

// Fills in the defaults.
void simnet_scenario_init(struct simnet_scenario *scenario);

// Settings from the command line; the strings are borrowed. They are read over the file, and the
// last of several settings of a key counts.
struct simnet_scenario_setting {
    const char *text;   // SECTION.KEY=VALUE or "SECTION NAME.KEY=VALUE"
    const char *option; // that takes the value alone, such as --nodes; NULL: --set takes it all
};

struct simnet_scenario_settings {
    size_t count;
    struct simnet_scenario_setting list[SIMNET_SCENARIO_SETTINGS_MAX];
};

// Reads the file at path over the defaults, and settings (which may be NULL) over the file. False:
// ret_error is the line that says why; ret_scenario is written on success only.
bool simnet_scenario_load(const char *path, const struct simnet_scenario_settings *settings,
                          struct simnet_scenario *ret_scenario,
                          char ret_error[SIMNET_SCENARIO_ERROR_MAX]);

// Like it, from a stream; path stands for the file's name in reports.
bool simnet_scenario_read(FILE *stream, const char *path,
                          const struct simnet_scenario_settings *settings,
                          struct simnet_scenario *ret_scenario,
                          char ret_error[SIMNET_SCENARIO_ERROR_MAX]);

// Prints the scenario as a file; reading that gives it again. Without `all`, only the keys that are
// not as by default, and the size and seed.
void simnet_scenario_write(const struct simnet_scenario *scenario, bool all, FILE *out);

// Tells `see` of each key and value that simnet_scenario_write() would print.
typedef void (*simnet_scenario_see)(void *ctx, const char *section, const char *key,
                                    const char *value);
void simnet_scenario_each(const struct simnet_scenario *scenario, bool all, simnet_scenario_see see,
                          void *ctx);

// Prints the reference, Markdown for docs/simulation.md.
void simnet_scenario_print_docs(FILE *out);

// How long the whole takes in virtual time, and when t0 is, from its start.
int64_t simnet_scenario_t0(const struct simnet_scenario *scenario);
int64_t simnet_scenario_end(const struct simnet_scenario *scenario);

#endif
