// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_CREW_H
#define PNR_SIMNET_CREW_H

// Several machines that publish one name under one key, and those who look for it all the time. The
// crew knows what each machine wants, and holds all that is found against it:
//
// - An entry is lost where a machine is up, wants the name published and was told that it is, and
//   nobody who can reach the machine has found its newest version for longer than missing_us.
// - A ghost is an entry of a machine that is gone, or has withdrawn: it may be found until the time
//   for which it can have been signed last, by that machine's clock, and five minutes more.
// - A sequence number never goes back: neither in what one machine sends, nor in what is found on
//   one side of the network.
//
// Owned by its maker, and freed after the world has run for the last time. What it counts as
// observers are machines that stay up and whose clocks are right.

#include "simnet/publisher.h"

#define SIMNET_CREW_OBSERVERS_MAX 8
#define SIMNET_CREW_GROUPS        2 // sides of a network that is split

struct simnet_crew_config {
    uint32_t number; // of the name and its key, as of any publisher
    uint32_t size;   // machines that publish; 1 to SIMNET_PUBLISHER_WRITERS
    uint32_t machines[SIMNET_PUBLISHER_WRITERS];
    int64_t at_us[SIMNET_PUBLISHER_WRITERS]; // when each begins
    struct simnet_publisher_habits habits;   // of each; its writer is set here
    uint32_t observer_count;
    uint32_t observers[SIMNET_CREW_OBSERVERS_MAX]; // machines that look, in turns
    int64_t look_us;                               // between two looks; 0: none but those asked for
    int64_t missing_us;                            // between renewals at most, and a round
    int64_t lifetime_us;                           // of entries
    const struct simnet_element *partition;        // simnet/partition.h; NULL: none
};

// What there is of one machine.
struct simnet_crew_writer {
    struct simnet_publisher *publisher;
    int64_t seen_us[SIMNET_CREW_GROUPS]; // when its newest version was last found on that side, or
                                         // could not be asked for
    int64_t ghost_us;                    // until then its entry may be found, whatever it wants
    int64_t sent_seq;                    // the highest that it has put; DHT_SEQ_NONE: none
    uint64_t sent_hash;                  // of that value
    uint32_t found;                      // the version that the look under way found; 0: none
};

struct simnet_crew_looker;

struct simnet_crew {
    struct simnet_world *world;
    struct simnet_crew_config config;
    struct simnet_crew_writer writers[SIMNET_PUBLISHER_WRITERS];
    struct simnet_crew_looker *lookers[SIMNET_CREW_OBSERVERS_MAX];
    struct simnet_tap tap;
    uint32_t next_looker;
    int64_t seq[SIMNET_CREW_GROUPS]; // the highest found on that side
    bool was_split;
    int64_t whole_us; // since when it is not
    // What came of it.
    uint64_t looks, looks_failed; // that found out, and that were not answered
    uint64_t entries;             // found, of all looks
    uint64_t failures;
    int64_t longest_missing_us; // that an entry was not found
    int64_t longest_ghost_us;   // that one was found after its machine had gone or withdrawn
    char line[256];             // the first failure; "": none
};

struct simnet_crew *simnet_crew_new(struct simnet_world *world,
                                    const struct simnet_crew_config *config);
void simnet_crew_free(struct simnet_crew *crew);

// Looks now, by the next observer.
void simnet_crew_look(struct simnet_crew *crew);
// Notes how things are. The crew does so every few seconds; whoever is about to end a machine, set
// its clock or split the network does before, too.
void simnet_crew_note(struct simnet_crew *crew);

// Changes that were acknowledged, of all machines.
uint64_t simnet_crew_changes(const struct simnet_crew *crew);
// How many entries the last look that was answered has found, and the version of one machine's; 0:
// none.
uint32_t simnet_crew_found(const struct simnet_crew *crew);
uint32_t simnet_crew_version(const struct simnet_crew *crew, uint32_t writer);

#endif
