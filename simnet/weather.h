// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_WEATHER_H
#define PNR_SIMNET_WEATHER_H

// Any weather: a small network, and all that can go wrong with it, drawn from one seed. First the
// faults: packets are lost, doubled and delayed, the network is cut in two, machines crash, sleep
// and move, disks fail, clocks jump, some machines lie, and programs have bad manners. Then
// everything is well again, and after some time all checkers have to hold: the closest nodes are
// found, and of each name the newest version that was acknowledged.
//
// The same seed gives the same options, and the same run, hash for hash.

#include "simnet/adversary.h"
#include "simnet/checker.h"
#include "simnet/partition.h"

#include <stdio.h>

#define SIMNET_WEATHER_PARTITIONS_MAX 2

enum simnet_weather_latency {
    SIMNET_WEATHER_CONSTANT,
    SIMNET_WEATHER_LOGNORMAL,
    SIMNET_WEATHER_INTERNET,
};

// What befalls one machine.
enum simnet_weather_fault {
    SIMNET_WEATHER_CRASH, // power is cut
    SIMNET_WEATHER_CUT,   // power is cut in the middle of the brain's outputs
    SIMNET_WEATHER_KILL,
    SIMNET_WEATHER_STOP,
    SIMNET_WEATHER_SLEEP,
    SIMNET_WEATHER_MOVE,   // another address
    SIMNET_WEATHER_UNPLUG, // its cable is out for a while
    SIMNET_WEATHER_STICK,  // its disk hangs for a while
    SIMNET_WEATHER_FAIL,   // its disk fails now and then
    SIMNET_WEATHER_FULL,   // its disk is full
    SIMNET_WEATHER_JUMP,   // its wall clock jumps
    SIMNET_WEATHER_FAULTS,
};

struct simnet_weather_partition {
    double share;
    enum simnet_partition_way way;
    int64_t at_us, for_us;
};

// Times called at_us count from the end of the warm-up.
struct simnet_weather {
    uint64_t seed;
    uint32_t nodes;
    enum simnet_weather_latency latency;
    int64_t rtt_us; // of constant and lognormal latencies
    double loss, duplicate, reorder;
    int64_t burst_bad_us; // how long ways are bad, in the mean; 0: never
    double burst_loss;
    int64_t jitter_us;
    bool may_overtake;
    uint32_t mtu; // 0: any
    uint32_t partition_count;
    struct simnet_weather_partition partitions[SIMNET_WEATHER_PARTITIONS_MAX];
    uint32_t faults[SIMNET_WEATHER_FAULTS]; // how many there are of each
    bool has_clocks;                        // machines have wall clocks of their own
    bool has_slow_disks;
    double nat_share; // of machines behind NATs, of all kinds
    uint32_t homes;   // machines behind one NAT, at most
    // Of machines that turn into adversaries of a kind with the faults, and are gone with them.
    double adversary_share;
    enum simnet_adversary_kind adversary;
    int64_t snapshot_us; // 0: none
    uint32_t publishers;
    struct simnet_publisher_habits habits;
    double resolves_per_second, rude_share, cut_share;
    int64_t faults_us, healing_us;
};

// Derives all of it.
void simnet_weather_derive(uint64_t seed, struct simnet_weather *ret_weather);
// Prints them, in one block.
void simnet_weather_print(const struct simnet_weather *weather, FILE *out);

struct simnet_weather_result {
    uint64_t hash; // of the trace
    uint64_t events;
    uint64_t failures;
    char line[512]; // the first failure; "" where there is none
    // Lookups with success, and those that count: of the faults, and healed.
    uint64_t right[2], counted[2];
    uint64_t recall_count[2];
    double recall[2]; // in the mean
};

// Runs it. judge: see struct simnet_checker_config; may be NULL. All failures are printed to out,
// if that is not NULL.
void simnet_weather_run(const struct simnet_weather *weather,
                        const char *(*judge)(struct dht_span datagram, enum dht_family family),
                        FILE *out, struct simnet_weather_result *ret_result);

#endif
