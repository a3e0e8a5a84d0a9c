// SPDX-License-Identifier: MIT
#ifndef PNR_SIMNET_PUBLISHER_H
#define PNR_SIMNET_PUBLISHER_H

// A program that publishes one name, of a key of its machine's, and changes it every so often: it
// publishes another version, or withdraws the name and publishes it again later. Each version's
// payload says whose it is and which, so that who resolves can tell. It keeps at it: where its
// machine goes down, its session ends or its request fails, it asks again once it can: after 3 s,
// and after twice as long, up to a minute, for each failure in a row.
//
//     version: the last one that it asked for
//     acked:   the last one that its machine's brain said to be stored. What resolves is never
//              older than that, in a network that is whole.
//
// Owned by its maker, and freed after the world has run for the last time.

#include "simnet/client.h"
#include "simnet/stream.h"

#define SIMNET_PUBLISHER_NAME_MAX 56 // bytes of the name, with its NUL

struct simnet_publisher_habits {
    int64_t change_us;     // between changes, in the mean; 0: it never changes
    double withdraw_share; // of changes that withdraw the name for a while
    double rude_share;     // of requests that it cancels, or hangs up on, before their end
    uint32_t ttl_s;        // of its records; 0: the brain's
    // Which of several machines it is on that publish one name together (simnet/crew.h), from 1 up
    // to SIMNET_PUBLISHER_WRITERS; 0: the only one. A record has one payload whoever publishes: so
    // each of several tells its version by its endpoint.
    uint32_t writer;
};

#define SIMNET_PUBLISHER_WRITERS 10

struct simnet_publisher {
    struct simnet_world *world;
    struct simnet_machine *machine;
    struct simnet_publisher_habits habits;
    struct simnet_stream stream;
    struct simnet_client *client;
    struct simnet_client_watch watch;
    char name[SIMNET_PUBLISHER_NAME_MAX]; // as anybody asks for it
    uint8_t key[DHT_KEY_LEN];
    struct dht_id target; // where it is stored
    int64_t retry_us;     // how long it waits after the next failure
    uint32_t number;
    uint32_t version, acked;
    uint32_t request;         // under way; 0: none
    uint32_t round;           // of tasks: those of earlier rounds mean nothing
    bool is_wanted;           // to be published; or withdrawn
    bool is_withdrawn;        // from when that was wanted, until a later version is acknowledged
    bool is_settled;          // the last thing it asked for was acknowledged
    bool is_quiet;            // makes no more changes
    uint32_t stored, targets; // copies, and nodes asked to keep one, as last told
    uint32_t withdrawals;     // that it wanted
    uint64_t failed;          // requests that were answered with an error
    uint64_t interrupted;     // by crashes, and by itself
};

// Gives the machine a key and begins to publish at at_us. number: of the publisher in its world.
struct simnet_publisher *simnet_publisher_new(struct simnet_machine *machine, uint32_t number,
                                              int64_t at_us,
                                              const struct simnet_publisher_habits *habits);
void simnet_publisher_free(struct simnet_publisher *publisher);

// Publishes another version now, or withdraws now, whatever its habits are.
void simnet_publisher_change(struct simnet_publisher *publisher);
void simnet_publisher_withdraw(struct simnet_publisher *publisher);

// From now on it makes no changes, and is polite; what it wants last, it still sees done.
void simnet_publisher_calm(struct simnet_publisher *publisher);

// Reads what a payload says. False where it is no publisher's.
bool simnet_publisher_read(struct dht_span payload, uint32_t *ret_number, uint32_t *ret_version);
// Reads what an endpoint of one of several says.
bool simnet_publisher_read_endpoint(const struct control_endpoint *endpoint, uint32_t *ret_writer,
                                    uint32_t *ret_version);

#endif
