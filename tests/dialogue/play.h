// SPDX-License-Identifier: MIT
#ifndef PNR_TESTS_DIALOGUE_PLAY_H
#define PNR_TESTS_DIALOGUE_PLAY_H

// One dialogue being played: the engine, what it has emitted and no statement has taken yet, and
// what the statements read. tests/dialogue/README.md is the language.

#include "pnr/dht.h"
#include "tests/dialogue/text.h"

#define PLAY_PENDING_MAX 512

// What the engine has emitted and no statement has taken yet.
struct play_output {
    struct dht_out out;
    // Of a datagram, the value of an item, or description and payload of a who.
    uint8_t bytes[DHT_DESCRIPTION_LEN_MAX + DHT_PAYLOAD_LEN_MAX];
    struct dht_addr peers[64];
};

struct play {
    struct text text;
    struct dht_config config;
    struct dht *dht;
    struct dht *sibling;
    int64_t now_us;
    uint32_t op;
    uint32_t ops[64]; // all that statements have started
    size_t op_count;
    bool loose; // the strict decoder is not asked
    bool quiet; // the engine's own upkeep is answered here, and no statement sees it
    bool answering;
    bool holds_outputs; // until `cancel`
    struct play_output *pending;
    size_t pending_count;
};

// The engine, made when first asked for.
struct dht *play_engine(struct play *play);
// Takes over what the engine has emitted.
void play_drain(struct play *play);
void play_receive(struct play *play, const struct dht_addr *from, const void *bytes, size_t len);
void play_pass_time(struct play *play, int64_t duration_us);
// Forgets one output that waits.
void play_take_out(struct play *play, size_t index);
// A reply that says nothing but who is there.
void play_answer(struct play *play, const struct dht_addr *from, const uint8_t *id,
                 const uint8_t *tid);
// The id of the node at that address; NULL where the dialogue knows none.
const uint8_t *play_id_at(const struct play *play, const struct dht_addr *addr);

// ---- what statements read ----

struct dht_addr play_read_addr(struct play *play); // a node's name, or an address
struct dht_id play_read_id(struct play *play);
// Sets $name.part.
void play_set_part(struct play *play, const char *name, const char *part, const void *bytes,
                   size_t len);
const struct text_variable *play_part(struct play *play, const char *name, const char *part);
// The item that `sign` made.
struct dht_item play_item(struct play *play, const char *name);

// ---- expect.c: the statements that look at what came ----

void expect_nothing(struct play *play);
void expect_datagram(struct play *play);
void expect_event(struct play *play);
void expect_count(struct play *play);
void expect_contact(struct play *play);
void expect_no_contact(struct play *play);
// `drop`: not looked at.
void expect_drop(struct play *play);

// ---- item.c: the statements that make items ----

void item_sign(struct play *play);
void item_hash(struct play *play);

#endif
