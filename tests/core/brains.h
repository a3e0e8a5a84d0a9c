// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_CORE_BRAINS_H
#define PNR_TESTS_CORE_BRAINS_H

// A handful of real brains in one process, in virtual time, with simulated disks and clients that
// speak the control protocol as bytes. For tests of node/core; simnet is the real simulator.
// Everything follows from the seed.

#include "dht/krpc.h"
#include "node/control/fields.h"
#include "node/control/frame.h"
#include "pnr/node.h"

#define BRAINS_MAX      64
#define BRAINS_ROWS_MAX 256
#define BRAINS_KEYS_MAX 4

struct brains_row {
    enum node_row_kind kind;
    uint8_t key[NODE_ROW_KEY_MAX];
    size_t key_len;
    uint8_t value[NODE_ROW_VALUE_MAX];
    size_t value_len;
};

// One answer of a request.
struct brains_answer {
    uint32_t id;
    enum control_answer kind;
    uint8_t fields[8192]; // a bencoded dict
    size_t fields_len;
};

struct brains_disk {
    struct brains_row rows[BRAINS_ROWS_MAX];
    size_t row_count;
    bool broken;          // writes fail
    bool stuck;           // writes are done, but nobody is told until brains_unstick()
    uint64_t waiting[64]; // writes that were taken while it was stuck
    size_t waiting_count;
};

struct brains_datagram;

struct brains {
    struct node *nodes[BRAINS_MAX];
    struct dht_addr addrs[BRAINS_MAX];
    struct brains_disk *disks[BRAINS_MAX];
    uint8_t secrets[BRAINS_MAX][BRAINS_KEYS_MAX][32];
    uint32_t key_counts[BRAINS_MAX];
    uint32_t sessions[BRAINS_MAX]; // an open control session of each
    struct control_frame_reader readers[BRAINS_MAX];
    struct brains_answer *answers[BRAINS_MAX]; // of that session, in order
    size_t answer_counts[BRAINS_MAX];
    size_t count;
    int64_t now_us;
    int64_t wall_offset_us; // wall clock less now_us
    uint64_t random;
    uint32_t loss_percent;
    struct brains_datagram *queue; // sorted by time
    uint64_t sent;
    bool dual;                // each node has an engine of either family; set before brains_init()
    bool lab;                 // each node is in the cloud "lab" too; likewise
    int labs[BRAINS_MAX];     // the number of its engine there; -1: none
    const char *cloud;        // named in all requests; NULL: none is
    int64_t highest_seq_sent; // in any put
    // Called for every put of a mutable item that leaves a node.
    void (*on_put)(struct brains *brains, size_t node, const struct dht_krpc *put);
    // Called for every output that is drained; false: nothing more of it is taken.
    bool (*on_out)(struct brains *brains, size_t node, const struct node_out *out);
    // May change what a node and its engine are made with.
    void (*configure)(size_t node, struct node_config *config, struct dht_config *engine);
    void *ctx;
};

void brains_init(struct brains *brains, size_t count, uint64_t seed);
void brains_fini(struct brains *brains);
void brains_run(struct brains *brains, int64_t duration_us);
// Runs until the request of that node's session has its final answer, at most for a virtual minute;
// returns it.
const struct brains_answer *brains_wait(struct brains *brains, size_t node, uint32_t id);
// The number of answers of a kind that the request has had, and one of them.
size_t brains_count(const struct brains *brains, size_t node, uint32_t id,
                    enum control_answer kind);
const struct brains_answer *brains_answer(const struct brains *brains, size_t node, uint32_t id,
                                          enum control_answer kind, size_t number);

// Sets every wall clock forth or back.
void brains_set_clock(struct brains *brains, int64_t change_us);

void brains_unstick(struct brains *brains, size_t node);

// Stops a node as if its process were killed; starts it again from what its disk made durable.
void brains_kill(struct brains *brains, size_t node);
void brains_start(struct brains *brains, size_t node);

// Takes a node out of its cloud "lab", and puts it back.
void brains_leave_lab(struct brains *brains, size_t node);
void brains_join_lab(struct brains *brains, size_t node);

// A key made from a number, held by the node under a label; ret_key: its public half.
void brains_add_key(struct brains *brains, size_t node, const char *label, uint8_t number,
                    uint8_t ret_key[32]);

// Sends a request whose arguments write fills in; returns its id.
uint32_t brains_ask(struct brains *brains, size_t node, const char *word,
                    void (*write)(struct dht_bencode_writer *writer, const void *ctx),
                    const void *ctx);
uint32_t brains_resolve(struct brains *brains, size_t node, const char *name, const char *wait);
// endpoint: a port of 192.0.2.7 over TCP.
uint32_t brains_publish(struct brains *brains, size_t node, const char *name, uint16_t port,
                        const char *comment);
uint32_t brains_unpublish(struct brains *brains, size_t node, const char *name);

// The code of an error answer; -1 where it is none.
int brains_error(const struct brains_answer *answer);

#endif
